//! What the script can fail of, with a code for programs and words for people.

use mcp_progress::{Error, ErrorKind};
use std::error::Error as _;
use std::process::ExitCode;

#[derive(Debug)]
pub(crate) enum Failure {
    /// Whoever calls the script did something wrong.
    Usage(String),
    /// The tool ran and says that it failed. Its words are its result; the last update says how far it was.
    Tool { text: String, last: Option<String> },
    /// There is no result. The error knows the request, how long it took, and the last update.
    Call(Error),
    /// The demonstration went otherwise than it should.
    Shown(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl Failure {
    /// The same codes as those of the command line.
    pub(crate) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Tool { .. } => 1,
            Self::Usage(_) => 2,
            Self::Shown(_) => 70,
            Self::Call(error) => match error.kind() {
                ErrorKind::InvalidInput => 2,
                ErrorKind::ConnectionLost => 4,
                ErrorKind::Timeout => 5,
                ErrorKind::Cancelled => 130,
                // The server refused, or what it said makes no sense.
                _ => 3,
            },
        })
    }

    /// The sentence, what caused it, and how far the work was.
    pub(crate) fn explained(&self) -> String {
        match self {
            Self::Usage(text) => format!("usage: {text}"),
            Self::Shown(text) => format!("error: {text}"),
            Self::Tool { text, last } => {
                let last = last.as_deref().unwrap_or("none");
                format!("the tool failed: {text}\n  last update: {last}")
            }
            Self::Call(error) => {
                let mut told = format!("error: {error}");
                let mut cause = error.source();
                while let Some(source) = cause {
                    told += &format!("\n  caused by: {source}");
                    cause = source.source();
                }
                told
            }
        }
    }
}
