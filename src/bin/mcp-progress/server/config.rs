//! One configuration file.
//!
//! Owns where in it the servers are, for each of the known clients. It must not know where such files lie.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::server::definition::Definition;
use crate::server::jsonc;

/// What is looked for in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// What counts everywhere.
    Whole,
    /// What counts in this folder only: Claude Code keeps such servers by the path of the project.
    Project(PathBuf),
}

/// The servers of a file.
#[derive(Debug, Default)]
pub(crate) struct Config {
    pub(crate) servers: Vec<(String, Result<Definition, String>)>,
    /// What `inputs` give where the user gives nothing, by id.
    pub(crate) inputs: BTreeMap<String, String>,
}

/// Where the servers are: by most clients, by VS Code, by Zed, and in VS Code's own settings.
const SECTIONS: &[&str] = &[
    "/mcpServers",
    "/servers",
    "/context_servers",
    "/mcp/servers",
];

/// Reads a file.
///
/// # Errors
///
/// That it cannot be read or is no JSON, in words.
pub(crate) fn read(path: &Path) -> Result<Option<Value>, String> {
    match std::fs::read_to_string(path) {
        Ok(text) if text.trim().is_empty() => Ok(Some(Value::Object(serde_json::Map::new()))),
        Ok(text) => jsonc::parse(&text)
            .map(Some)
            .map_err(|error| format!("not JSON: {error}")),
        Err(error) if absent(&error) => Ok(None),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

/// A file where a folder is looked for is none that is missing a file.
fn absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// The servers in this part of a file; None where the part has no place for servers.
///
/// # Errors
///
/// That this place holds something else.
pub(crate) fn servers(file: &Value, part: &Part) -> Result<Option<Config>, String> {
    let (root, sections) = match part {
        Part::Whole => (Some(file), SECTIONS),
        Part::Project(folder) => {
            let projects = file.get("projects");
            let project =
                projects.and_then(|projects| projects.get(folder.to_string_lossy().as_ref()));
            (project, &SECTIONS[..1])
        }
    };
    let mut config = None;
    for (section, place) in sections
        .iter()
        .filter_map(|section| Some((section, root?.pointer(section)?)))
    {
        let name = section.trim_start_matches('/').replace('/', ".");
        let map = place
            .as_object()
            .ok_or_else(|| format!("`{name}` must be an object"))?;
        let config = config.get_or_insert_with(Config::default);
        for (name, definition) in map {
            config
                .servers
                .push((name.clone(), Definition::parse(definition)));
        }
    }
    if let Some(config) = &mut config {
        config.inputs = inputs(file);
    }
    Ok(config)
}

fn inputs(file: &Value) -> BTreeMap<String, String> {
    let inputs = file.get("inputs").and_then(Value::as_array);
    let default = |input: &Value| {
        let text = |name| input.get(name)?.as_str().map(str::to_owned);
        Some((text("id")?, text("default")?))
    };
    inputs.into_iter().flatten().filter_map(default).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Part, servers};

    fn names(file: &Value, part: &Part) -> Option<Vec<String>> {
        let config = servers(file, part).unwrap()?;
        Some(config.servers.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn each_client_has_its_section() {
        let one = json!({"a": {"command": "x"}});
        for file in [
            json!({"mcpServers": one}),
            json!({"servers": one, "inputs": []}),
            json!({"context_servers": one, "theme": "dark"}),
            json!({"mcp": {"servers": one}}),
        ] {
            assert_eq!(
                names(&file, &Part::Whole),
                Some(vec!["a".to_owned()]),
                "{file}"
            );
        }
        assert_eq!(names(&json!({"theme": "dark"}), &Part::Whole), None);
        assert_eq!(
            names(&json!({"mcpServers": {}}), &Part::Whole),
            Some(vec![])
        );
        assert!(servers(&json!({"mcpServers": []}), &Part::Whole).is_err());
    }

    #[test]
    fn projects_have_their_own() {
        let file = json!({"mcpServers": {"a": {"command": "x"}}, "projects": {
            "/p": {"mcpServers": {"b": {"command": "x"}}, "history": []}, "/q": {},
        }});
        let project = |folder: &str| names(&file, &Part::Project(folder.into()));
        assert_eq!(project("/p"), Some(vec!["b".to_owned()]));
        assert_eq!((project("/q"), project("/r")), (None, None));
    }

    #[test]
    fn a_broken_server_is_no_broken_file() {
        let config = servers(
            &json!({"servers": {"a": {}, "b": {"url": "http://x"}}}),
            &Part::Whole,
        );
        let found = config.unwrap().unwrap().servers;
        assert!(found[0].1.is_err() && found[1].1.is_ok());
    }

    #[test]
    fn inputs_have_defaults() {
        let file = json!({"servers": {}, "inputs": [{"id": "a", "default": "x"}, {"id": "b"}, 3]});
        let inputs = servers(&file, &Part::Whole).unwrap().unwrap().inputs;
        assert_eq!((inputs.len(), inputs["a"].as_str()), (1, "x"));
    }
}
