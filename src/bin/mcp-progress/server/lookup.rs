//! From the name of a server to its definition.
//!
//! Owns the search through the configurations, and what is said where it finds nothing. It must not know how a server
//! is reached.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::args::near;
use crate::server::config;
use crate::server::definition::Definition;
use crate::server::expand::Variables;
use crate::server::locations::{self, Location, Places};

/// A server that was found.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) location: Location,
    pub(crate) definition: Result<Definition, String>,
    inputs: BTreeMap<String, String>,
}

/// What was found where.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// First what counts first; of two with one name the first counts.
    pub(crate) entries: Vec<Entry>,
    /// Files that could not be read, and why.
    pub(crate) broken: Vec<(PathBuf, String)>,
    /// Where was looked.
    pub(crate) looked: Vec<PathBuf>,
}

impl Survey {
    /// Looks where the known clients keep their configurations.
    pub(crate) fn common(places: &Places) -> Self {
        Self::of(locations::all(places))
    }

    /// Looks into one file.
    ///
    /// # Errors
    ///
    /// That it cannot be read, or has no place for servers.
    pub(crate) fn of_file(path: &Path, places: &Places) -> Result<Self, String> {
        let mut survey = Self::of(locations::of_file(path, places));
        let file = path.display();
        if let Some((_, problem)) = survey.broken.pop() {
            return Err(format!("{file}: {problem}"));
        }
        match config::read(path) {
            Ok(None) => Err(format!("{file}: there is no such file")),
            Ok(Some(_)) if survey.entries.is_empty() => Err(format!(
                "{file}: there are no servers in it: none under mcpServers, servers or context_servers"
            )),
            _ => Ok(survey),
        }
    }

    fn of(locations: Vec<Location>) -> Self {
        let mut survey = Self::default();
        for location in locations {
            if !survey.looked.contains(&location.path) {
                survey.looked.push(location.path.clone());
            }
            let found = config::read(&location.path).and_then(|file| match file {
                Some(file) => config::servers(&file, &location.part),
                None => Ok(None),
            });
            match found {
                Ok(None) => {}
                Ok(Some(config)) => {
                    let entry = |(name, definition)| Entry {
                        name,
                        location: location.clone(),
                        definition,
                        inputs: config.inputs.clone(),
                    };
                    survey.entries.extend(config.servers.into_iter().map(entry));
                }
                Err(problem) => {
                    if !survey.broken.iter().any(|(path, _)| *path == location.path) {
                        survey.broken.push((location.path, problem));
                    }
                }
            }
        }
        survey
    }

    /// Whether an earlier one of the same name counts.
    pub(crate) fn is_hidden(&self, at: usize) -> bool {
        let name = &self.entries[at].name;
        self.entries[..at].iter().any(|entry| entry.name == *name)
    }

    /// The server of this name; without one, the only server there is.
    ///
    /// # Errors
    ///
    /// That there is none, or that there are several, and which there are.
    pub(crate) fn pick(&self, name: Option<&str>) -> Result<&Entry, String> {
        let Some(name) = name else {
            return self.only();
        };
        let found = self.entries.iter().find(|entry| entry.name == name);
        found.ok_or_else(|| self.missing(name))
    }

    fn only(&self) -> Result<&Entry, String> {
        let on = |entry: &&Entry| !entry.definition.as_ref().is_ok_and(|found| found.disabled);
        let mut on = self.entries.iter().filter(on);
        match (on.next(), on.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(format!(
                "all servers are disabled; name one of them with --server: {}",
                self.names().join(", ")
            )),
            (Some(_), Some(_)) => Err(format!(
                "which server? Name it with --server: {}",
                self.names().join(", ")
            )),
        }
    }

    fn missing(&self, name: &str) -> String {
        let mut text = format!("no configuration has a server {name}");
        if self.entries.is_empty() {
            text += "; looked into:";
            for path in &self.looked {
                let _ = write!(text, "\n  {}", path.display());
            }
        } else {
            text += &near::hint(name, &self.names());
        }
        for (path, problem) in &self.broken {
            let _ = write!(text, "\n  {}: {problem}", path.display());
        }
        text
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for entry in &self.entries {
            if !names.contains(&entry.name.as_str()) {
                names.push(&entry.name);
            }
        }
        names
    }
}

impl Entry {
    /// The definition with its references replaced; `inputs` are what the user gives for `${input:…}`.
    ///
    /// # Errors
    ///
    /// What is wrong with which server of which file.
    pub(crate) fn resolve(
        &self,
        places: &Places,
        inputs: &[(String, String)],
    ) -> Result<Definition, String> {
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let mut variables = Variables {
            environment: std::env::vars_os()
                .map(|(name, value)| (lossy(name), lossy(value)))
                .collect(),
            home: places.home.clone(),
            workspace: self.location.workspace.clone(),
            current: places.current.clone(),
            inputs: self.inputs.clone(),
        };
        variables.inputs.extend(inputs.iter().cloned());
        let definition = self.definition.as_ref().map_err(String::clone);
        let resolved = definition.and_then(|definition| definition.expanded(&variables));
        resolved.map_err(|problem| self.explained(&problem))
    }

    /// The problem, with the place where it is.
    pub(crate) fn explained(&self, problem: &str) -> String {
        format!(
            "{}: server {}: {problem}",
            self.location.path.display(),
            self.name
        )
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;

    use super::{Entry, Survey};
    use crate::server::config::Part;
    use crate::server::definition::Definition;
    use crate::server::locations::Location;

    fn survey(servers: &[(&str, bool)]) -> Survey {
        let entry = |(at, (name, disabled)): (usize, &(&str, bool))| Entry {
            name: (*name).to_owned(),
            location: Location {
                client: "file",
                path: PathBuf::from(format!("/{at}")),
                part: Part::Whole,
                workspace: PathBuf::new(),
                project: false,
            },
            definition: Definition::parse(&json!({"command": "x", "disabled": disabled})),
            inputs: [].into(),
        };
        Survey {
            entries: servers.iter().enumerate().map(entry).collect(),
            broken: vec![("/broken".into(), "not JSON".to_owned())],
            looked: vec!["/looked".into()],
        }
    }

    #[test]
    fn the_first_of_a_name_counts() {
        let survey = survey(&[("a", false), ("b", true), ("a", true)]);
        assert_eq!(
            survey.pick(Some("a")).unwrap().location.path,
            PathBuf::from("/0")
        );
        assert!(survey.is_hidden(2) && !survey.is_hidden(0) && !survey.is_hidden(1));
        assert!(
            survey.pick(Some("b")).is_ok(),
            "off is no reason not to be named"
        );
    }

    #[test]
    fn the_only_one_needs_no_name() {
        assert_eq!(
            survey(&[("a", true), ("b", false)])
                .pick(None)
                .unwrap()
                .name,
            "b"
        );
        let several = survey(&[("a", false), ("b", false)])
            .pick(None)
            .unwrap_err();
        assert!(several.contains("--server: a, b"), "{several}");
        assert!(
            survey(&[("a", true)])
                .pick(None)
                .unwrap_err()
                .contains("disabled")
        );
    }

    #[test]
    fn what_is_missing_is_told_with_what_there_is() {
        let near = survey(&[("files", false), ("files", false)])
            .pick(Some("file"))
            .unwrap_err();
        assert!(
            near.contains("did you mean files? There are: files\n"),
            "{near}"
        );
        assert!(near.contains("/broken: not JSON"), "{near}");
        let nothing = survey(&[]).pick(Some("x")).unwrap_err();
        assert!(nothing.contains("looked into:\n  /looked"), "{nothing}");
    }
}
