//! What a run can fail of, the exit codes, and the words for both.
//!
//! Owns the table from causes to codes. It must not know where failures are shown.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use mcp_progress::model::{ElicitUrl, UrlElicitationRequired};
use mcp_progress::{Error, ErrorKind};

use crate::ask::page::Page;

/// The exit codes.
pub(crate) mod code {
    pub(crate) const OK: u8 = 0;
    pub(crate) const TOOL_ERROR: u8 = 1;
    pub(crate) const USAGE: u8 = 2;
    pub(crate) const PROTOCOL: u8 = 3;
    pub(crate) const LOST: u8 = 4;
    pub(crate) const TIMEOUT: u8 = 5;
    pub(crate) const INTERRUPTED: u8 = 130;
    /// What a shell reports of a program that is ended by SIGPIPE.
    pub(crate) const OUTPUT_GONE: u8 = 141;
}

/// Why there is no result.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line is wrong in a way that its syntax does not show.
    Usage(String),
    /// Ctrl-C where no call was in flight.
    Interrupted,
    /// The library's error.
    Call(Error),
    /// The result is not what was asked for.
    Decode(serde_json::Error),
    /// The list of these has no end.
    Endless(&'static str),
    /// Standard output takes no more.
    Output(io::Error),
    /// A file of the result cannot be written.
    Save(PathBuf, io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Failure {
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => code::USAGE,
            Self::Interrupted => code::INTERRUPTED,
            Self::Decode(_) | Self::Endless(_) => code::PROTOCOL,
            Self::Output(_) | Self::Save(..) => code::OUTPUT_GONE,
            Self::Call(error) => match error.kind() {
                ErrorKind::Cancelled => code::INTERRUPTED,
                ErrorKind::ConnectionLost => code::LOST,
                ErrorKind::InvalidInput => code::USAGE,
                ErrorKind::Timeout => code::TIMEOUT,
                _ => code::PROTOCOL,
            },
        }
    }

    /// The kind, for programs.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::Interrupted => "cancelled",
            Self::Decode(_) => "decode",
            Self::Endless(_) => "protocol",
            Self::Output(_) | Self::Save(..) => "output",
            Self::Call(error) => match error.kind() {
                ErrorKind::Cancelled => "cancelled",
                ErrorKind::ConnectionLost => "connection_lost",
                ErrorKind::Decode => "decode",
                ErrorKind::Http => "http",
                ErrorKind::InputRequired => "input_required",
                ErrorKind::InvalidInput => "invalid_input",
                ErrorKind::Rpc => "rpc",
                ErrorKind::Task => "task",
                ErrorKind::Timeout => "timeout",
                ErrorKind::Unsupported => "unsupported",
                _ => "protocol",
            },
        }
    }

    /// What happened, in one sentence.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Usage(text) => text.clone(),
            Self::Interrupted => "interrupted".to_owned(),
            Self::Call(error) => in_our_words(&error.to_string()),
            Self::Decode(error) => format!("the result is not what was asked for: {error}"),
            Self::Endless(kind) => {
                format!("the server gives the same page of its {kind}s again and again")
            }
            Self::Output(error) => format!("cannot write to standard output: {error}"),
            Self::Save(path, error) => format!("cannot save {}: {error}", path.display()),
        }
    }

    /// What the failure was caused by, nearest first.
    pub(crate) fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut next = match self {
            Self::Call(error) => error.source(),
            _ => None,
        };
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        causes
    }

    /// The sentence and its causes, one below the other.
    pub(crate) fn explained(&self) -> String {
        let mut text = format!("error: {}", self.message());
        for cause in self.causes() {
            let _ = write!(text, "\n  caused by: {cause}");
        }
        for asked in self.pages() {
            let described = match Page::new(&asked) {
                Ok(page) => page.described(),
                Err(reason) => format!("  {}: {reason}", asked.url),
            };
            let _ = write!(
                text,
                "\n  first visit a page: {}\n{described}",
                asked.message
            );
        }
        text
    }

    /// The pages that the user has to visit before the call can work (revision 2025-11-25).
    fn pages(&self) -> Vec<ElicitUrl> {
        let Self::Call(error) = self else {
            return Vec::new();
        };
        let required = error.as_rpc().and_then(UrlElicitationRequired::of);
        required
            .map(|required| required.elicitations)
            .unwrap_or_default()
    }

    /// Whether there is nobody left to tell.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// The library tells its callers which of its settings to change; here they have the names of options.
fn in_our_words(message: &str) -> String {
    message
        .replace("`total_timeout`", "--timeout")
        .replace("`idle_timeout`", "--idle-timeout")
}

#[cfg(test)]
mod tests {
    use std::io;

    use mcp_progress::Error;

    use super::Failure;

    #[test]
    fn the_chain_is_shown() {
        let cause = io::Error::other("no such thing");
        let failure = Failure::from(Error::connect("not reached").with_source(cause));
        assert_eq!(
            failure.explained(),
            "error: not reached\n  caused by: no such thing"
        );
        assert_eq!((failure.kind(), failure.code()), ("connection_lost", 4));
    }

    #[test]
    fn a_closed_pipe_is_nobodys_fault() {
        assert!(Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)).is_silent());
        let full = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert!(!full.is_silent() && full.code() == 141);
    }
}
