//! One server of a configuration.
//!
//! Owns the members that the known clients write, and what they mean. It must not know where the configuration is.

use serde_json::{Map, Value};

use crate::server::expand::Variables;

/// A server as a configuration defines it. Members that are not known are ignored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Definition {
    pub(crate) kind: Kind,
    /// Not started by the client that the configuration is of; here only where it is asked for by name.
    pub(crate) disabled: bool,
}

/// How the server is reached.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Process(Process),
    Http(Http),
}

/// A server that is started.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Process {
    pub(crate) command: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) env_file: Option<String>,
    pub(crate) cwd: Option<String>,
}

/// A server on the network.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Http {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
}

/// What clients call a server that is started, and one that is not.
const PROCESS: &[&str] = &["stdio", "local", "command"];
const HTTP: &[&str] = &[
    "http",
    "sse",
    "streamable-http",
    "streamableHttp",
    "streamable_http",
    "remote",
];
/// Where the address is: Windsurf and Gemini CLI have names of their own for it.
const URLS: &[&str] = &["url", "serverUrl", "httpUrl"];

impl Definition {
    /// Reads a definition.
    ///
    /// # Errors
    ///
    /// What is wrong with which member, in words.
    pub(crate) fn parse(value: &Value) -> Result<Self, String> {
        let map = value.as_object().ok_or("it must be an object")?;
        let kind = kind(map)?;
        let url = URLS.iter().find(|name| member(map, name).is_some());
        let process = match kind.as_deref() {
            Some(kind) if PROCESS.contains(&kind) => true,
            Some(kind) if HTTP.contains(&kind) => false,
            Some(other) => {
                return Err(format!(
                    "its type is {other:?}, which is not one of stdio, http, sse, streamable-http"
                ));
            }
            None if member(map, "command").is_some() => true,
            None if url.is_some() => false,
            None => return Err("it has neither `command` nor `url`".to_owned()),
        };
        let kind = if process {
            Kind::Process(process_of(map)?)
        } else {
            let name = url.ok_or("it has no `url`")?;
            Kind::Http(Http {
                url: text(map, name)?.ok_or_else(|| format!("`{name}` is missing"))?,
                headers: pairs(map, "headers")?,
            })
        };
        let disabled = map.get("disabled") == Some(&Value::Bool(true))
            || map.get("enabled") == Some(&Value::Bool(false));
        Ok(Self { kind, disabled })
    }

    /// The definition with its references replaced.
    ///
    /// # Errors
    ///
    /// The reference that stands for nothing, and the member that it is in.
    pub(crate) fn expanded(&self, variables: &Variables) -> Result<Self, String> {
        let one = |member: &str, text: &str| {
            let expanded = variables.expand(text);
            expanded.map_err(|problem| format!("`{member}`: {problem}"))
        };
        let some = |member: &str, text: &Option<String>| {
            text.as_ref().map(|text| one(member, text)).transpose()
        };
        let all = |member: &str, pairs: &[(String, String)]| {
            let expand = |(name, value): &(String, String)| {
                Ok((name.clone(), one(&format!("{member}.{name}"), value)?))
            };
            pairs.iter().map(expand).collect::<Result<Vec<_>, String>>()
        };
        let kind = match &self.kind {
            Kind::Process(process) => {
                let args = process.args.iter();
                Kind::Process(Process {
                    command: one("command", &process.command)?,
                    args: args.map(|arg| one("args", arg)).collect::<Result<_, _>>()?,
                    env: all("env", &process.env)?,
                    env_file: some("envFile", &process.env_file)?,
                    cwd: some("cwd", &process.cwd)?,
                })
            }
            Kind::Http(http) => Kind::Http(Http {
                url: one("url", &http.url)?,
                headers: all("headers", &http.headers)?,
            }),
        };
        Ok(Self { kind, ..*self })
    }

    /// `stdio` or `http`.
    pub(crate) const fn transport(&self) -> &'static str {
        match self.kind {
            Kind::Process(_) => "stdio",
            Kind::Http(_) => "http",
        }
    }

    /// What is started or reached, as it is written, so that no secret of the environment is in it.
    pub(crate) fn target(&self) -> String {
        match &self.kind {
            Kind::Process(process) => {
                let words = std::iter::once(&process.command).chain(&process.args);
                words.map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
            }
            Kind::Http(http) => http.url.clone(),
        }
    }
}

/// What `type` says, or `transport` where that is a word.
fn kind(map: &Map<String, Value>) -> Result<Option<String>, String> {
    match text(map, "type")? {
        Some(kind) => Ok(Some(kind)),
        None => text(map, "transport"),
    }
}

fn process_of(map: &Map<String, Value>) -> Result<Process, String> {
    // Earlier versions of Zed have the command, its arguments and its environment in an object of their own.
    if let Some(Value::Object(inner)) = map.get("command") {
        let mut process = started(inner, "path")?;
        process.cwd = process.cwd.or(text(map, "cwd")?);
        return Ok(process);
    }
    started(map, "command")
}

fn started(map: &Map<String, Value>, command: &str) -> Result<Process, String> {
    let program = text(map, command)?.filter(|program| !program.trim().is_empty());
    Ok(Process {
        command: program.ok_or_else(|| format!("`{command}` is missing"))?,
        args: list(map, "args")?,
        env: pairs(map, "env")?,
        env_file: text(map, "envFile")?,
        cwd: text(map, "cwd")?,
    })
}

/// The member, where it is there and not null.
fn member<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name).filter(|value| !value.is_null())
}

fn text(map: &Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match member(map, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("`{name}` must be a string")),
    }
}

fn list(map: &Map<String, Value>, name: &str) -> Result<Vec<String>, String> {
    let refused = || format!("`{name}` must be a list of strings");
    match member(map, name) {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => {
            let item = |item: &Value| item.as_str().map(str::to_owned).ok_or_else(refused);
            items.iter().map(item).collect()
        }
        Some(_) => Err(refused()),
    }
}

fn pairs(map: &Map<String, Value>, name: &str) -> Result<Vec<(String, String)>, String> {
    let refused = || format!("`{name}` must be an object of strings");
    let Some(value) = member(map, name) else {
        return Ok(Vec::new());
    };
    let object = value.as_object().ok_or_else(refused)?;
    let present = object.iter().filter(|(_, value)| !value.is_null());
    let pair = |(name, value): (&String, &Value)| match value {
        Value::String(text) => Ok((name.clone(), text.clone())),
        // What is written without quotes is meant as it is written.
        Value::Number(_) | Value::Bool(_) => Ok((name.clone(), value.to_string())),
        _ => Err(refused()),
    };
    present.map(pair).collect()
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,${}~".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Definition, Kind};
    use crate::server::expand::Variables;

    fn process(value: Value) -> super::Process {
        match Definition::parse(&value).unwrap().kind {
            Kind::Process(process) => process,
            Kind::Http(http) => panic!("{http:?}"),
        }
    }

    fn http(value: Value) -> super::Http {
        match Definition::parse(&value).unwrap().kind {
            Kind::Http(http) => http,
            Kind::Process(process) => panic!("{process:?}"),
        }
    }

    #[test]
    fn processes() {
        let found = process(json!({
            "type": "stdio", "command": "npx", "args": ["-y", "x"], "cwd": "a", "envFile": ".env", "more": [1],
            "env": {"A": "1", "B": 2, "C": true, "D": null},
        }));
        assert_eq!((found.command.as_str(), found.args.len()), ("npx", 2));
        let env = [("A", "1"), ("B", "2"), ("C", "true")];
        assert_eq!(
            found.env,
            env.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(
            (found.cwd.as_deref(), found.env_file.as_deref()),
            (Some("a"), Some(".env"))
        );
        let zed = process(
            json!({"command": {"path": "x", "args": ["y"], "env": {"A": "1"}}, "settings": {}}),
        );
        assert_eq!(
            (zed.command.as_str(), zed.args.len(), zed.env.len()),
            ("x", 1, 1)
        );
        assert_eq!(
            process(json!({"command": "x", "transport": "stdio", "args": null}))
                .args
                .len(),
            0
        );
    }

    #[test]
    fn addresses() {
        for kind in ["http", "sse", "streamable-http", "streamableHttp"] {
            let found = http(json!({"type": kind, "url": "http://x", "headers": {"A": "b"}}));
            assert_eq!((found.url.as_str(), found.headers.len()), ("http://x", 1));
        }
        for name in ["url", "serverUrl", "httpUrl"] {
            assert_eq!(http(json!({name: "http://x"})).url, "http://x");
        }
        // Some write all members that there are, and null for those that do not count.
        let all = json!({"type": null, "command": null, "url": null, "httpUrl": "http://x"});
        assert_eq!(http(all).url, "http://x");
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (value, told) in [
            (json!([]), "must be an object"),
            (json!({}), "neither `command` nor `url`"),
            (json!({"type": "http"}), "no `url`"),
            (json!({"type": "http", "url": 3}), "`url` must be a string"),
            (
                json!({"type": "stdio", "url": "http://x"}),
                "`command` is missing",
            ),
            (json!({"type": "ws", "url": "ws://x"}), "\"ws\""),
            (
                json!({"command": "x", "args": "y"}),
                "`args` must be a list of strings",
            ),
            (
                json!({"command": "x", "args": [1]}),
                "`args` must be a list of strings",
            ),
            (
                json!({"command": "x", "env": ["A=1"]}),
                "`env` must be an object of strings",
            ),
            (
                json!({"url": "http://x", "headers": {"A": {}}}),
                "`headers` must be",
            ),
            (json!({"command": " "}), "`command` is missing"),
            (
                json!({"transport": {"type": "http", "url": "http://x"}}),
                "`transport` must be a string",
            ),
        ] {
            let error = Definition::parse(&value).unwrap_err();
            assert!(error.contains(told), "{value}: {error}");
        }
    }

    #[test]
    fn what_is_off_is_said_to_be() {
        let off = |value| Definition::parse(&value).unwrap().disabled;
        assert!(off(json!({"command": "x", "disabled": true})));
        assert!(off(json!({"command": "x", "enabled": false})));
        assert!(!off(
            json!({"command": "x", "disabled": false, "enabled": true})
        ));
    }

    #[test]
    fn references_are_replaced_in_every_member() {
        let mut variables = Variables::default();
        variables.environment.insert("V".to_owned(), "x".to_owned());
        let value = json!({"command": "${V}1", "args": ["${V}2"], "env": {"A": "${V}3"}, "cwd": "${V}4", "envFile": "${V}5"});
        let text = format!(
            "{:?}",
            Definition::parse(&value)
                .unwrap()
                .expanded(&variables)
                .unwrap()
        );
        assert!(
            (1..=5).all(|n| text.contains(&format!("\"x{n}\""))),
            "{text}"
        );
        let value = json!({"url": "http://${V}", "headers": {"A": "Bearer ${W}"}});
        let error = Definition::parse(&value)
            .unwrap()
            .expanded(&variables)
            .unwrap_err();
        assert!(
            error.starts_with("`headers.A`: ") && error.contains('W'),
            "{error}"
        );
    }

    #[test]
    fn the_target_is_as_it_is_written() {
        let target = |value| Definition::parse(&value).unwrap().target();
        assert_eq!(
            target(json!({"command": "npx", "args": ["-y", "a b", "${T}", ""]})),
            "npx -y 'a b' ${T} ''"
        );
        assert_eq!(target(json!({"url": "http://x/${T}"})), "http://x/${T}");
    }
}
