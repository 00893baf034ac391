//! `${…}` in the values of a configuration.
//!
//! Owns the forms that the known clients have and what each stands for. It must not know where a value is from.

use std::collections::BTreeMap;
use std::path::{MAIN_SEPARATOR_STR, Path, PathBuf};

/// What the variables of a configuration stand for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables {
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) home: Option<PathBuf>,
    /// The folder of the project.
    pub(crate) workspace: PathBuf,
    /// The folder that the command was started in.
    pub(crate) current: PathBuf,
    /// What the user was to be asked for (`inputs` of VS Code), by id.
    pub(crate) inputs: BTreeMap<String, String>,
}

/// So deep may references stand in the defaults of others. Nobody writes more than a few; without an end they would take
/// all of the stack.
const DEEPEST: u32 = 16;

/// What a reference was found to be.
enum Found {
    Value(String),
    /// No reference in any form that is known: text, as in an argument for a shell.
    Text,
}

impl Variables {
    /// `text` with its references replaced. What they stand for is taken as it is, and not searched again.
    ///
    /// # Errors
    ///
    /// A reference that stands for nothing here, in words.
    pub(crate) fn expand(&self, text: &str) -> Result<String, String> {
        self.expand_at(text, 0)
    }

    fn expand_at(&self, text: &str, depth: u32) -> Result<String, String> {
        if depth > DEEPEST {
            return Err(format!(
                "references stand in defaults of others more than {DEEPEST} deep"
            ));
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, reference) = rest.split_at(at);
            out.push_str(before);
            let Some(end) = closing(reference) else {
                return Ok(out + reference);
            };
            let (whole, after) = reference.split_at(end + 1);
            match self.lookup(&whole[2..end], depth)? {
                Found::Value(value) => out.push_str(&value),
                Found::Text => out.push_str(whole),
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn lookup(&self, inside: &str, depth: u32) -> Result<Found, String> {
        if let Some((name, default)) = inside.split_once(":-")
            && is_name(name.strip_prefix("env:").unwrap_or(name))
        {
            // As in a shell: what is set to nothing counts as not set.
            let set = self.variable(name.strip_prefix("env:").unwrap_or(name));
            return match set.filter(|value| !value.is_empty()) {
                Some(value) => Ok(Found::Value(value)),
                None => self.expand_at(default, depth + 1).map(Found::Value),
            };
        }
        let predefined = match inside {
            "workspaceFolder" | "workspaceRoot" => Some(shown(&self.workspace)),
            "workspaceFolderBasename" => Some(
                self.workspace
                    .file_name()
                    .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            ),
            "userHome" => match &self.home {
                Some(home) => Some(shown(home)),
                None => {
                    return Err("${userHome} stands for nothing, since HOME is not set".to_owned());
                }
            },
            "cwd" => Some(shown(&self.current)),
            "pathSeparator" | "/" => Some(MAIN_SEPARATOR_STR.to_owned()),
            _ => None,
        };
        if let Some(value) = predefined {
            return Ok(Found::Value(value));
        }
        if let Some(id) = inside.strip_prefix("input:") {
            return match self.inputs.get(id) {
                Some(value) => Ok(Found::Value(value.clone())),
                None => Err(format!(
                    "${{{inside}}} is asked of the user in an editor; give it here with --input {id}=VALUE"
                )),
            };
        }
        let name = inside.strip_prefix("env:").unwrap_or(inside);
        if is_name(name) {
            return match self.variable(name) {
                Some(value) => Ok(Found::Value(value)),
                None => Err(format!(
                    "the environment variable {name} is not set, and ${{{inside}}} has no default"
                )),
            };
        }
        if inside.starts_with("command:") || inside.starts_with("config:") {
            return Err(format!("${{{inside}}} is known inside of an editor only"));
        }
        Ok(Found::Text)
    }

    fn variable(&self, name: &str) -> Option<String> {
        // Windows does not tell `Path` from `PATH`.
        let folded = |(set, value): (&String, &String)| {
            (cfg!(windows) && set.eq_ignore_ascii_case(name)).then(|| value.clone())
        };
        let exact = self.environment.get(name).cloned();
        exact.or_else(|| self.environment.iter().find_map(folded))
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Where the brace stands that closes the one at the beginning. A default may have references of its own.
fn closing(reference: &str) -> Option<usize> {
    let mut open = 0_u32;
    let mut before = ' ';
    for (at, char) in reference.char_indices() {
        match char {
            '{' if before == '$' => open += 1,
            '}' if open == 1 => return Some(at),
            '}' => open = open.saturating_sub(1),
            _ => {}
        }
        before = char;
    }
    None
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use std::path::MAIN_SEPARATOR_STR;

    use super::Variables;

    fn variables() -> Variables {
        let pairs = |pairs: &[(&str, &str)]| {
            let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            pairs.iter().map(owned).collect()
        };
        Variables {
            environment: pairs(&[("A", "one"), ("EMPTY", ""), ("RAW", "${A}")]),
            home: Some("/home/me".into()),
            workspace: "/srv/project".into(),
            current: "/srv/project/src".into(),
            inputs: pairs(&[("key", "typed")]),
        }
    }

    #[track_caller]
    fn expands(text: &str, expected: &str) {
        assert_eq!(variables().expand(text).as_deref(), Ok(expected), "{text}");
    }

    #[test]
    fn environment() {
        expands("-${A}-${env:A}-", "-one-one-");
        expands("${A}${A}", "oneone");
        expands("${EMPTY}.${env:EMPTY}", ".");
        expands(
            "${B:-two} ${A:-two} ${EMPTY:-two} ${env:B:-three}",
            "two one two three",
        );
        expands("${B:-}${B:-a:-b}", "a:-b");
        expands("${B:-${A}/${C:-x}}!", "one/x!");
        expands("${RAW}", "${A}");
    }

    #[test]
    fn predefined_ones() {
        expands(
            "${workspaceFolder}/x ${workspaceFolderBasename}",
            "/srv/project/x project",
        );
        expands("${userHome} ${cwd}", "/home/me /srv/project/src");
        expands(
            "a${/}b${pathSeparator}c",
            &["a", "b", "c"].join(MAIN_SEPARATOR_STR),
        );
        expands("${input:key}", "typed");
    }

    #[test]
    fn everything_else_is_text() {
        for text in [
            "", "$A", "$", "{A}", "${", "${A", "${}", "${1}", "${a b}", "${x%y}", "a}b", "$(A)",
        ] {
            expands(text, text);
        }
    }

    #[test]
    fn what_stands_for_nothing_is_named() {
        for (text, told) in [
            ("${MISSING}", "the environment variable MISSING is not set"),
            ("x ${A} ${env:MISSING}", "MISSING"),
            ("${A:-x}${B:-${MISSING}}", "MISSING"),
            ("${input:token}", "--input token=VALUE"),
            ("${command:pick}", "${command:pick}"),
        ] {
            let error = variables().expand(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
        let homeless = Variables {
            home: None,
            ..variables()
        };
        assert!(homeless.expand("${userHome}").is_err());
        let nested = |depth| "${B:-".repeat(depth) + &"}".repeat(depth);
        expands(&nested(10), "");
        let error = variables().expand(&nested(100_000)).unwrap_err();
        assert!(error.contains("more than 16 deep"), "{error}");
    }
}
