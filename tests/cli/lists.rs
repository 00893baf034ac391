//! Lists of several pages, with progress in between, and odd names.

use serde_json::json;

use crate::program::{Run, objects, run};

/// A server of revision 2025-11-25: tools in two pages, each with an update; prompts whose second page comes again and
/// again; templates whose pages lead to each other; resources with a name that would steer the terminal, and no size.
const SERVER: &str = r#"
field() { printf '%s' "$line" | sed -n "s/.*\"$1\":\"*\([^\",}]*\).*/\1/p"; }
answer() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$(field id)" "$1"; }
update() { printf '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"%s","progress":%s}}\n' "$(field progressToken)" "$1"; }
while IFS= read -r line; do
    case $line in
    *'"method":"initialize"'*)
        answer '{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"resources":{},"prompts":{}},"serverInfo":{"name":"lists","version":"1"}}' ;;
    *'"method":"tools/list"'*'"cursor":"two"'*)
        update 2; answer '{"tools":[{"name":"last","inputSchema":{"type":"object","z":1.50}}]}' ;;
    *'"method":"tools/list"'*)
        update 1; answer '{"tools":[{"name":"first","inputSchema":{"type":"object"}}],"nextCursor":"two"}' ;;
    *'"method":"prompts/list"'*)
        answer '{"prompts":[{"name":"again"}],"nextCursor":"on"}' ;;
    *'"method":"resources/templates/list"'*'"cursor":"b"'*)
        answer '{"resourceTemplates":[],"nextCursor":"a"}' ;;
    *'"method":"resources/templates/list"'*)
        answer '{"resourceTemplates":[],"nextCursor":"b"}' ;;
    *'"method":"resources/list"'*)
        answer '{"resources":[{"uri":"a:1","name":"\u001b[31mred\u001b[0m\nand\ttab"}]}' ;;
    esac
done
"#;

fn lists(args: &[&str]) -> Run {
    let server = ["--protocol", "2025-11-25", "--", "sh", "-c", SERVER];
    run(&[args, &server].concat())
}

#[test]
fn pages_are_one_list() {
    let text = lists(&["tools", "--progress", "json"]);
    let names: Vec<&str> = text
        .stdout
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!((text.code, names), (Some(0), vec!["NAME", "first", "last"]));
    let updates = objects(&text.stderr).into_iter();
    let updates: Vec<_> = updates
        .filter(|event| event["event"] == "progress")
        .map(|event| event["progress"].clone())
        .collect();
    assert_eq!(updates, [json!(1), json!(2)], "{text:?}");
    let json = lists(&["tools", "--output", "json", "--progress", "none"]);
    let expected = r#"{"tools":[{"name":"first","inputSchema":{"type":"object"}},{"name":"last","inputSchema":{"type":"object","z":1.50}}]}"#;
    assert_eq!(json.stdout, format!("{expected}\n"));
}

#[test]
fn items_are_lines_as_they_come() {
    let run = lists(&["tools", "--output", "jsonl", "--progress", "none"]);
    assert_eq!(run.names(), ["progress", "tool", "progress", "tool"]);
    assert_eq!(run.last()["tool"]["name"], "last");
    // Of one tool the others are none of the output.
    let one = lists(&["tools", "last", "--output", "jsonl", "--progress", "none"]);
    assert_eq!(
        one.last()["tool"]["inputSchema"],
        json!({"type": "object", "z": 1.5})
    );
    assert!(!one.stdout.contains("first"), "{one:?}");
}

#[test]
fn a_list_without_an_end_is_given_up() {
    let run = lists(&["prompts", "--output", "jsonl"]);
    assert_eq!(
        (run.code, run.names()),
        (
            Some(3),
            ["prompt", "prompt", "error"].map(str::to_owned).to_vec()
        )
    );
    assert!(
        run.stderr.contains("the same page of its prompts again"),
        "{run:?}"
    );
    // Nor are pages that lead to each other asked for without an end.
    let round = lists(&["resources", "--templates", "--output", "json"]);
    assert_eq!((round.code, round.stdout.as_str()), (Some(3), ""));
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let run = lists(&["resources", "--progress", "none"]);
    assert!(run.stdout.ends_with("\na:1  red and tab\n"), "{run:?}");
    let json = lists(&["resources", "--output", "json"]);
    assert!(
        json.stdout
            .contains(r#""name":"\u001b[31mred\u001b[0m\nand\ttab""#),
        "{json:?}"
    );
}
