//! Owns the table of ways to end a call early, and the command each of them is. Must not know how
//! a scenario is run or judged.

use std::{ffi::OsString, path::PathBuf};

use crate::roster::Era;

/// Where the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// To be started with this command.
    Command(Vec<OsString>),
    /// Here.
    Url(String),
}

impl Place {
    /// The arguments, at the end of a command line, that say so.
    #[must_use]
    pub fn arguments(&self) -> Vec<OsString> {
        match self {
            Self::Command(command) => [vec!["--".into()], command.clone()].concat(),
            Self::Url(url) => vec!["--url".into(), url.into()],
        }
    }
}

/// One way to end a call to `slow` before it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// Its name in the report.
    pub name: String,
    /// The exit code that belongs to it.
    pub code: i32,
    /// Whether to interrupt the client once an update has come.
    pub interrupt: bool,
    client: Client,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Client {
    /// Our command with these further arguments; `slow` sends no updates if `silent`.
    Cli {
        path: PathBuf,
        further: Vec<&'static str>,
        silent: bool,
    },
    /// Another program, which calls `slow` and ends the call by itself.
    Probe { path: PathBuf, mode: String },
}

impl Scenario {
    /// The scenarios of the command line.
    #[must_use]
    pub fn of_cli(path: PathBuf) -> Vec<Self> {
        let cli = |name: &str, code, interrupt, further: &[&'static str], silent| Self {
            name: name.to_owned(),
            code,
            interrupt,
            client: Client::Cli {
                path: path.clone(),
                further: further.to_vec(),
                silent,
            },
        };
        vec![
            cli("ctrl-c", 130, true, &[], false),
            cli("timeout", 5, false, &["--timeout", "700ms"], false),
            cli("idle-timeout", 5, false, &["--idle-timeout", "300ms"], true),
        ]
    }

    /// A scenario that `path` plays by itself: it is run as
    /// `path MODE --protocol REVISION -- COMMAND…` or with `--url URL` at the end, calls `slow` with
    /// `ms` 60000 on that server, ends the call in the way MODE names after the first update, and
    /// exits with 0.
    #[must_use]
    pub fn of_probe(path: PathBuf, mode: String) -> Self {
        Self {
            name: mode.clone(),
            code: 0,
            interrupt: false,
            client: Client::Probe { path, mode },
        }
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> OsString {
        match &self.client {
            Client::Cli { path, .. } | Client::Probe { path, .. } => path.clone().into_os_string(),
        }
    }

    /// Its arguments, with the server at the end.
    #[must_use]
    pub fn arguments(&self, revision: &str, server: &Place) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        match &self.client {
            Client::Cli {
                further, silent, ..
            } => {
                arguments.extend(["call", "slow", "ms:=60000"].map(OsString::from));
                arguments.extend(silent.then(|| OsString::from("silent:=true")));
                arguments.extend(["--output", "jsonl", "--progress", "none"].map(OsString::from));
                arguments.extend(further.iter().map(OsString::from));
            }
            Client::Probe { mode, .. } => arguments.push(mode.into()),
        }
        arguments.extend(["--protocol", revision].map(OsString::from));
        arguments.extend(server.arguments());
        arguments
    }

    /// Whether it can be played with a server that does so: some wait for an update, and one for a
    /// silence.
    #[must_use]
    pub fn suits(&self, era: Era) -> bool {
        let waits_for_update = self.interrupt || !self.speaks_jsonl();
        (era.updates || !waits_for_update) && !(era.keeps_alive && self.name == "idle-timeout")
    }

    /// Whether the program goes on for a while after it has ended the call.
    #[must_use]
    pub fn outlives_the_call(&self) -> bool {
        !self.speaks_jsonl() && self.name != "close"
    }

    /// Whether the program says on standard output, as JSON lines, what it sees.
    #[must_use]
    pub const fn speaks_jsonl(&self) -> bool {
        matches!(self.client, Client::Cli { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::Notices;

    #[test]
    fn command_lines() {
        let server = Place::Command(vec!["server".into()]);
        let of_cli = Scenario::of_cli("cli".into());
        let names: Vec<_> = of_cli
            .iter()
            .map(|s| (s.name.as_str(), s.code, s.interrupt))
            .collect();
        assert_eq!(
            names,
            [
                ("ctrl-c", 130, true),
                ("timeout", 5, false),
                ("idle-timeout", 5, false)
            ]
        );
        let text = of_cli[2]
            .arguments("2025-11-25", &server)
            .join(" ".as_ref());
        let expected = "call slow ms:=60000 silent:=true --output jsonl --progress none \
                        --idle-timeout 300ms --protocol 2025-11-25 -- server";
        assert_eq!(text, expected);
        let probe = Scenario::of_probe("probe".into(), "drop".to_owned());
        assert_eq!(
            probe.arguments("2026-07-28", &server).join(" ".as_ref()),
            "drop --protocol 2026-07-28 -- server"
        );
        let there = Place::Url("http://127.0.0.1:1/mcp".to_owned());
        assert_eq!(
            probe.arguments("auto", &there).join(" ".as_ref()),
            "drop --protocol auto --url http://127.0.0.1:1/mcp"
        );
        assert!(!probe.speaks_jsonl() && of_cli[0].speaks_jsonl());
        assert!(probe.outlives_the_call());
        let close = Scenario::of_probe("probe".into(), "close".to_owned());
        assert!(!close.outlives_the_call() && !of_cli[0].outlives_the_call());
    }

    #[test]
    fn what_suits_a_server() {
        let mut all = Scenario::of_cli("cli".into());
        all.push(Scenario::of_probe("probe".into(), "drop".to_owned()));
        let suits = |updates, keeps_alive| {
            let era = Era {
                updates,
                keeps_alive,
                notices: Notices::Word,
            };
            let suiting = all.iter().filter(|scenario| scenario.suits(era));
            suiting.map(|s| s.name.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(
            suits(true, false),
            ["ctrl-c", "timeout", "idle-timeout", "drop"]
        );
        assert_eq!(suits(false, false), ["timeout", "idle-timeout"]);
        assert_eq!(suits(true, true), ["ctrl-c", "timeout", "drop"]);
    }
}
