//! What a connection knows of the server's tools, from the lists that went by.
//!
//! Owns the screening of `tools/list` results by their annotations, and the hints that a later call needs. It must not
//! know calls, frames or HTTP.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::annotation::{Mirrored, annotations};
use crate::jsonrpc::Text;
use crate::sync::{Arc, Mutex};

/// How many tools are remembered; of more, those go that were listed longest ago.
const MAX_TOOLS: usize = 10_000;

/// The tools that were listed last.
#[derive(Debug)]
pub(crate) struct ToolBook(Mutex<State>);

/// What is known of one tool.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Known {
    /// The arguments that go into headers.
    pub(crate) mirrored: Vec<Mirrored>,
    /// `readOnlyHint`: by the server's own word it changes nothing.
    pub(crate) read_only: bool,
    /// `idempotentHint`: by the server's own word a second call does no more than the first.
    pub(crate) idempotent: bool,
}

#[derive(Debug, Default)]
struct State {
    tools: HashMap<Arc<str>, (u64, Arc<Known>)>,
    /// The names by the time of their listing, oldest first.
    order: BTreeMap<u64, Arc<str>>,
    next: u64,
}

impl ToolBook {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State::default()))
    }

    /// Takes in the result of a `tools/list` and gives back what the caller is to see of it.
    ///
    /// Where nothing is left out that is the very text. Otherwise only the text between the brackets of `tools`
    /// differs: the tools that stay, each byte for byte, with a comma between them. `left_out` is told the name of
    /// each of the others and why, in words; no lock is held meanwhile. What is no list of tools comes back as it is,
    /// and so does a member of the list that is no tool: to judge them is the decoder's business.
    pub(crate) fn screen(
        &self,
        result: Box<RawValue>,
        mut left_out: impl FnMut(&str, &str),
    ) -> Box<RawValue> {
        let Some(tools) = members(result.get(), ["tools"]).and_then(|[tools]| tools) else {
            return result;
        };
        let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(tools.get()) else {
            return result;
        };
        let mut kept = Vec::with_capacity(list.len());
        let mut known = Vec::with_capacity(list.len());
        let mut bad = Vec::new();
        for &tool in &list {
            match judge(tool.get()) {
                Verdict::NoTool => kept.push(tool.get()),
                Verdict::Good(name, tool_known) => {
                    kept.push(tool.get());
                    known.push((name, tool_known));
                }
                Verdict::Bad(name, reason) => {
                    left_out(&name, &reason);
                    bad.push(name);
                }
            }
        }
        self.take_in(&bad, known);
        if bad.is_empty() {
            return result;
        }
        without(result.get(), tools.get(), &kept).unwrap_or(result)
    }

    /// What is known of a tool; none for one that was never listed, or not as it should be.
    pub(crate) fn get(&self, tool: &str) -> Option<Arc<Known>> {
        let state = self.0.lock();
        state.tools.get(tool).map(|(_, known)| Arc::clone(known))
    }

    fn take_in(&self, bad: &[String], known: Vec<(String, Known)>) {
        let mut state = self.0.lock();
        for name in bad {
            state.forget(name);
        }
        for (name, known) in known {
            state.insert(name, known);
        }
    }
}

impl State {
    fn insert(&mut self, name: String, known: Known) {
        self.forget(&name);
        let name: Arc<str> = name.into();
        self.order.insert(self.next, Arc::clone(&name));
        self.tools.insert(name, (self.next, Arc::new(known)));
        self.next += 1;
        if self.tools.len() > MAX_TOOLS
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.tools.remove(&oldest);
        }
    }

    fn forget(&mut self, name: &str) {
        if let Some((place, _)) = self.tools.remove(name) {
            self.order.remove(&place);
        }
    }
}

enum Verdict {
    /// Not an object with a name.
    NoTool,
    Good(String, Known),
    Bad(String, String),
}

fn judge(tool: &str) -> Verdict {
    let Some([Some(name), schema, hints]) = members(tool, ["name", "inputSchema", "annotations"])
    else {
        return Verdict::NoTool;
    };
    let Ok(name) = serde_json::from_str::<String>(name.get()) else {
        return Verdict::NoTool;
    };
    let mirrored = match schema.map_or(Ok(Vec::new()), |schema| annotations(schema.get())) {
        Ok(mirrored) => mirrored,
        Err(reason) => return Verdict::Bad(name, reason),
    };
    let hints = hints.and_then(|hints| members(hints.get(), ["readOnlyHint", "idempotentHint"]));
    let [read_only, idempotent] = hints
        .unwrap_or_default()
        .map(|hint| hint.is_some_and(|hint| hint.get() == "true"));
    let known = Known {
        mirrored,
        read_only,
        idempotent,
    };
    Verdict::Good(name, known)
}

/// `result` with `kept` in place of the members of `tools`, which is a part of it.
fn without(result: &str, tools: &str, kept: &[&str]) -> Option<Box<RawValue>> {
    let start = tools.as_ptr().addr() - result.as_ptr().addr();
    let (before, after) = (&result[..start], &result[start + tools.len()..]);
    let text = [before, "[", &kept.join(","), "]", after].concat();
    RawValue::from_string(text).ok()
}

/// The raw values of some members of an object, all others passed over; of a repeated member the last one counts.
///
/// None where the text is no object.
pub(crate) fn members<'a, const N: usize>(
    text: &'a str,
    names: [&str; N],
) -> Option<[Option<&'a RawValue>; N]> {
    let mut found = [None; N];
    each_member(text, |name, value| {
        if let Some(at) = names.iter().position(|wanted| *wanted == name) {
            found[at] = Some(value);
        }
    })?;
    Some(found)
}

/// Shows each member of an object, its value raw. None where the text is no object.
pub(crate) fn each_member<'a>(text: &'a str, show: impl FnMut(&str, &'a RawValue)) -> Option<()> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Members(show).deserialize(&mut deserializer).ok()
}

struct Members<F>(F);

impl<'de, F: FnMut(&str, &'de RawValue)> DeserializeSeed<'de> for Members<F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(&str, &'de RawValue)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Text<'de>>()? {
            (self.0)(&name.0, map.next_value()?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    /// What comes back, and the names and reasons of what does not.
    fn screen(book: &ToolBook, text: &str) -> (String, Vec<(String, String)>) {
        let mut left_out = Vec::new();
        let tell = |name: &str, reason: &str| left_out.push((name.to_owned(), reason.to_owned()));
        let screened = book.screen(raw(text), tell);
        (screened.get().to_owned(), left_out)
    }

    fn tool(name: &str, properties: &str) -> String {
        format!(
            r#"{{"name":"{name}","inputSchema":{{"type":"object","properties":{{{properties}}}}}}}"#
        )
    }

    /// The tools of the conformance scenario `http-invalid-tool-headers`: one to keep, ten to leave out.
    const INVALID: [(&str, &str, &str); 10] = [
        (
            "invalid_empty_header",
            r#""value":{"type":"string","x-mcp-header":""}"#,
            "no header name",
        ),
        (
            "invalid_object_header",
            r#""data":{"type":"object","x-mcp-header":"Data"}"#,
            "not on a string",
        ),
        (
            "invalid_array_header",
            r#""items":{"type":"array","items":{"type":"string"},"x-mcp-header":"Items"}"#,
            "not on a string",
        ),
        (
            "invalid_null_header",
            r#""nil":{"type":"null","x-mcp-header":"Nil"}"#,
            "not on a string",
        ),
        (
            "invalid_duplicate_same_case",
            r#""field1":{"type":"string","x-mcp-header":"Region"},"field2":{"type":"string","x-mcp-header":"Region"}"#,
            "there twice",
        ),
        (
            "invalid_duplicate_diff_case",
            r#""field1":{"type":"string","x-mcp-header":"MyField"},"field2":{"type":"string","x-mcp-header":"myfield"}"#,
            "there twice",
        ),
        (
            "invalid_space_in_name",
            r#""value":{"type":"string","x-mcp-header":"My Region"}"#,
            "no header name",
        ),
        (
            "invalid_colon_in_name",
            r#""value":{"type":"string","x-mcp-header":"Region:Primary"}"#,
            "no header name",
        ),
        (
            "invalid_non_ascii_name",
            r#""value":{"type":"string","x-mcp-header":"Région"}"#,
            "no header name",
        ),
        (
            "invalid_control_char_name",
            r#""value":{"type":"string","x-mcp-header":"Region\t1"}"#,
            "no header name",
        ),
    ];

    #[test]
    fn one_bad_tool_does_not_cost_the_others() {
        let book = ToolBook::new();
        let valid = tool(
            "valid_tool",
            r#""region":{"type":"string","x-mcp-header":"Region"}"#,
        );
        let mut tools = vec![valid.clone()];
        tools.extend(
            INVALID
                .iter()
                .map(|(name, properties, _)| tool(name, properties)),
        );
        let (screened, left_out) = screen(&book, &format!(r#"{{"tools":[{}]}}"#, tools.join(", ")));
        assert_eq!(screened, format!(r#"{{"tools":[{valid}]}}"#));
        assert_eq!(left_out.len(), INVALID.len());
        for ((name, reason), (expected, _, because)) in left_out.iter().zip(INVALID) {
            assert_eq!(name, expected);
            assert!(reason.contains(because), "{name}: {reason}");
            assert_eq!(book.get(name), None);
        }
        let known = book.get("valid_tool").unwrap();
        assert_eq!(known.mirrored[0].header, "Mcp-Param-Region");
    }

    #[test]
    fn what_stays_keeps_its_bytes() {
        let book = ToolBook::new();
        let odd = "{ \"x\\u002dy\":1.50,\n\t\"name\":\"a\" , \"inputSchema\" : {\"$schema\":\"é\",\"maximum\":1e999} }";
        let other = r#"{"inputSchema":{"b":1,"a":2},"name":"b"}"#;
        let bad = tool("bad", r#""p":{"x-mcp-header":"P"}"#);
        let text = format!(
            " {{ \"_meta\" : {{\"tools\":[1]}},\"tools\" :\n[ {odd} ,{bad},\r\n{other} ,{bad} ] , \"nextCursor\":\"\\u0041\" }} "
        );
        let (screened, left_out) = screen(&book, &text);
        let expected = format!(
            "{{ \"_meta\" : {{\"tools\":[1]}},\"tools\" :\n[{odd},{other}] , \"nextCursor\":\"\\u0041\" }}"
        );
        assert_eq!(screened.trim(), expected);
        assert_eq!(left_out.len(), 2);
        let (screened, _) = screen(&book, &format!(r#"{{"tools":[{bad}]}}"#));
        assert_eq!(screened, r#"{"tools":[]}"#);
    }

    #[test]
    fn where_nothing_is_left_out_the_text_itself_comes_back() {
        let book = ToolBook::new();
        let good = tool("good", r#""p":{"type":"string","x-mcp-header":"P"}"#);
        let bad = tool("bad", r#""p":{"x-mcp-header":"P"}"#);
        for text in [
            format!(r#"{{"tools": [ {good} , {{"name":"b"}} ] }}"#),
            r#"{"tools":[]}"#.to_owned(),
            // No list of tools at all, or one with members that are none.
            r#"{"tools":null}"#.to_owned(),
            format!(r#"{{"tools":{{"a":{bad}}}}}"#),
            format!(r#"{{"tool":[{bad}]}}"#),
            format!("[{bad}]"),
            "7".to_owned(),
            r#""tools""#.to_owned(),
            r#"{"tools":[7,null,"a",[],{},{"name":7,"inputSchema":{"x-mcp-header":"A"}}]}"#
                .to_owned(),
        ] {
            let before = raw(&text);
            let place = before.get().as_ptr();
            let after = book.screen(before, |name, reason| panic!("{name}: {reason}"));
            assert_eq!(after.get(), text);
            assert_eq!(after.get().as_ptr(), place, "not even copied");
        }
    }

    #[test]
    fn hints_count_only_where_they_are_true() {
        let book = ToolBook::new();
        let text = r#"{"tools":[
            {"name":"both","annotations":{"readOnlyHint":true,"idempotentHint":true}},
            {"name":"read","annotations":{"title":"x","readOnlyHint":true}},
            {"name":"same","annotations":{"idempotentHint":true,"readOnlyHint":false}},
            {"name":"odd","annotations":{"readOnlyHint":"true","idempotentHint":1}},
            {"name":"none","annotations":null},
            {"name":"plain\u002dname","inputSchema":{}}]}"#;
        assert!(screen(&book, text).1.is_empty());
        let hints = |name: &str| {
            book.get(name)
                .map(|known| (known.read_only, known.idempotent))
        };
        assert_eq!(hints("both"), Some((true, true)));
        assert_eq!(hints("read"), Some((true, false)));
        assert_eq!(hints("same"), Some((false, true)));
        assert_eq!(hints("odd"), Some((false, false)));
        assert_eq!(hints("none"), Some((false, false)));
        assert_eq!(hints("plain-name"), Some((false, false)));
        assert_eq!(hints("never listed"), None);
    }

    #[test]
    fn the_latest_listing_counts() {
        let book = ToolBook::new();
        let list = |properties: &str| format!(r#"{{"tools":[{}]}}"#, tool("t", properties));
        let header = || {
            book.get("t").map(|known| {
                let mirrored = known.mirrored.first();
                mirrored.map(|mirrored| mirrored.header.clone())
            })
        };
        screen(&book, &list(r#""p":{"type":"string","x-mcp-header":"A"}"#));
        assert_eq!(header(), Some(Some("Mcp-Param-A".to_owned())));
        screen(&book, &list(r#""p":{"type":"string","x-mcp-header":"B"}"#));
        assert_eq!(header(), Some(Some("Mcp-Param-B".to_owned())));
        screen(&book, &list(r#""p":{"type":"string"}"#));
        assert_eq!(header(), Some(None));
        screen(&book, &list(r#""p":{"type":"string","x-mcp-header":""}"#));
        assert_eq!(header(), None);
    }

    #[test]
    fn a_name_that_is_there_twice_is_known_by_the_one_that_stays() {
        let book = ToolBook::new();
        let good = tool("t", r#""p":{"type":"string","x-mcp-header":"A"}"#);
        let bad = tool("t", r#""p":{"type":"array","x-mcp-header":"A"}"#);
        let (screened, left_out) = screen(&book, &format!(r#"{{"tools":[{good},{bad}]}}"#));
        assert_eq!(screened, format!(r#"{{"tools":[{good}]}}"#));
        assert_eq!(left_out.len(), 1);
        assert_eq!(book.get("t").unwrap().mirrored.len(), 1);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let book = ToolBook::new();
        let names = |from: usize, to: usize| {
            let tools: Vec<_> = (from..to).map(|n| format!(r#"{{"name":"{n}"}}"#)).collect();
            format!(r#"{{"tools":[{}]}}"#, tools.join(","))
        };
        screen(&book, &names(0, MAX_TOOLS));
        assert!(book.get("0").is_some());
        // Listed again, the first two are the youngest; then two others go.
        screen(&book, &names(0, 2));
        screen(&book, &names(MAX_TOOLS, MAX_TOOLS + 2));
        for (name, is_known) in [(0, true), (1, true), (2, false), (3, false), (4, true)] {
            assert_eq!(book.get(&name.to_string()).is_some(), is_known, "{name}");
        }
        assert!(book.get(&(MAX_TOOLS + 1).to_string()).is_some());
        let state = book.0.lock();
        assert_eq!(
            (state.tools.len(), state.order.len()),
            (MAX_TOOLS, MAX_TOOLS)
        );
    }

    #[test]
    fn the_book_may_be_asked_while_it_tells() {
        let book = ToolBook::new();
        let bad = tool("bad", r#""p":{"x-mcp-header":"P"}"#);
        let result = raw(&format!(r#"{{"tools":[{bad}]}}"#));
        let mut told = 0;
        let asked = |name: &str, _: &str| {
            assert_eq!(book.get(name), None);
            told += 1;
        };
        book.screen(result, asked);
        assert_eq!(told, 1);
    }

    /// White space as JSON allows it.
    fn space() -> impl Strategy<Value = String> {
        proptest::collection::vec(proptest::sample::select(vec![" ", "\n", "\t", "\r"]), 0..3)
            .prop_map(|parts| parts.concat())
    }

    /// A tool's text, and whether it is to stay.
    fn any_tool() -> impl Strategy<Value = (String, bool)> {
        let name = "[a-zé\\\\u{1F600}]{0,6}";
        let header = prop_oneof![Just(None), "[a-zA-Z :é]{0,3}".prop_map(Some)];
        (name, header, space(), any::<f64>()).prop_map(|(name, header, space, number)| {
            let name = Value::from(name);
            let number = Value::from(number);
            let stays = header.as_ref().is_none_or(|header: &String| {
                !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_alphabetic())
            });
            let header = header.map_or(String::new(), |header| {
                format!(r#","x-mcp-header":{}"#, Value::from(header))
            });
            let schema = format!(r#"{{"properties":{{"p":{{{space}"type":"string"{header}}}}}}}"#);
            let text = format!(
                r#"{{"inputSchema":{schema},{space}"name":{name},"other":[{number},{space}{{}}]}}"#
            );
            (text, stays)
        })
    }

    proptest! {
        #[test]
        fn the_screened_list_is_the_good_tools_byte_for_byte(
            tools in proptest::collection::vec(any_tool(), 0..6),
            space in space(),
        ) {
            let texts: Vec<_> = tools.iter().map(|(text, _)| text.as_str()).collect();
            let result = format!(
                r#"{{{space}"nextCursor":"c",{space}"tools":[{space}{}{space}]{space},"z":{{}}}}"#,
                texts.join(&format!("{space},{space}"))
            );
            let (screened, left_out) = screen(&ToolBook::new(), &result);
            let good: Vec<_> = tools.iter().filter(|(_, stays)| *stays).map(|(text, _)| text.as_str()).collect();
            prop_assert_eq!(left_out.len(), tools.len() - good.len());
            if left_out.is_empty() {
                prop_assert_eq!(&screened, &result);
            }
            let [list] = members(&screened, ["tools"]).unwrap();
            let list: Vec<&RawValue> = serde_json::from_str(list.unwrap().get()).unwrap();
            let list: Vec<_> = list.iter().map(|tool| tool.get()).collect();
            prop_assert_eq!(list, good);
        }

        #[test]
        fn no_text_is_too_odd(text in "[\\[\\]{}\",:a\\\\ux0-]{0,40}", key in "tools|name|inputSchema") {
            // Whatever of it is JSON, alone or as a part of a list, comes through without a panic.
            for text in [text.clone(), format!(r#"{{"{key}":{text}}}"#), format!(r#"{{"tools":[{{"{key}":{text}}}]}}"#)] {
                if let Ok(result) = RawValue::from_string(text.clone()) {
                    let mut left_out = 0;
                    let screened = ToolBook::new().screen(result, |_, _| left_out += 1);
                    // White space around the value is not a part of it.
                    prop_assert!(left_out > 0 || screened.get() == text.trim());
                }
            }
        }
    }
}
