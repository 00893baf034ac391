//! The one error of this crate.
//!
//! Owns the kinds, and the sentence that says what happened, on which request and token, after how long, and what
//! to do. It must not know the types that raise it.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::jsonrpc::ErrorObject;
use crate::model::progress::Progress;
use crate::model::token::ProgressToken;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong.
///
/// Match on [`kind`](Self::kind). The text is for people: it says what happened and what to do, and may change in
/// any release.
///
/// ```
/// use mcp_progress::{Error, ErrorKind};
///
/// fn worth_another_try(error: &Error) -> bool {
///     matches!(error.kind(), ErrorKind::Timeout | ErrorKind::ConnectionLost)
/// }
/// # let _ = worth_another_try;
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    hint: Option<&'static str>,
    /// Lines to be shown below the sentence.
    lines: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    rpc: Option<ErrorObject>,
    clock: Option<Clock>,
    status: Option<u16>,
    context: Context,
}

/// Which request an error is about.
#[derive(Debug, Default)]
pub(crate) struct Context {
    pub(crate) method: Option<Box<str>>,
    pub(crate) id: Option<i64>,
    pub(crate) token: Option<ProgressToken>,
    pub(crate) elapsed: Option<Duration>,
    pub(crate) last_update: Option<Progress>,
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The call was cancelled on this side.
    Cancelled,
    /// The connection or the server process is gone, or could not be had.
    ConnectionLost,
    /// The server's answer does not have the form that the request's result has.
    Decode,
    /// The server, or something in front of it, refused the HTTP request; see [`Error::status`].
    Http,
    /// The server asked for input that the client could not give: no handler is set for it, or it had no answer.
    InputRequired,
    /// The request was not sent because something about it is wrong: the caller's to mend.
    InvalidInput,
    /// The server broke the protocol in a way that leaves no result.
    Protocol,
    /// The server answered with a JSON-RPC error; see [`Error::as_rpc`].
    Rpc,
    /// The task that the call had become ended without a result: the server cancelled it, or has forgotten it.
    Task,
    /// One of the two clocks ran out; see [`Error::timeout_clock`].
    Timeout,
    /// The negotiated revision does not have this request; the text names what to use instead.
    Unsupported,
}

/// The two clocks of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a call has two clocks, by design")]
pub enum Clock {
    /// Time without a sign of life; re-armed by every update, and over HTTP by any byte of the call's own stream.
    Idle,
    /// Time for the whole call, whatever arrives.
    Total,
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "idle",
            Self::Total => "total",
        })
    }
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            hint: None,
            lines: None,
            source: None,
            rpc: None,
            clock: None,
            status: None,
            context: Context::default(),
        }))
    }

    /// A connection could not be opened: for [`Connector`](crate::transport::Connector)s.
    #[must_use]
    pub fn connect(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::ConnectionLost, message)
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "the call was cancelled on this side")
    }

    pub(crate) fn rpc(error: ErrorObject) -> Self {
        let mut new = Self::new(
            ErrorKind::Rpc,
            format!("the server answered with an error: {error}"),
        );
        new.0.rpc = Some(error);
        new
    }

    pub(crate) fn timeout(clock: Clock, limit: Duration) -> Self {
        let (text, hint) = match clock {
            Clock::Idle => (
                format!("no sign of life for {limit:?}, the idle limit"),
                "if the server is slow but alive, raise `idle_timeout`",
            ),
            Clock::Total => (
                format!("not finished after {limit:?}, the total limit"),
                "if the work may take longer, raise `total_timeout`",
            ),
        };
        let mut new = Self::new(ErrorKind::Timeout, text);
        new.0.clock = Some(clock);
        new.0.hint = Some(hint);
        new
    }

    /// Adds what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) const fn with_hint(mut self, hint: &'static str) -> Self {
        self.0.hint = Some(hint);
        self
    }

    /// Adds lines that are shown below the sentence: what the server said last, for instance.
    #[must_use]
    pub fn with_detail(mut self, lines: impl Into<Option<String>>) -> Self {
        self.0.lines = lines.into();
        self
    }

    #[cfg(feature = "http")]
    pub(crate) const fn with_status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    pub(crate) fn with_context(mut self, context: Context) -> Self {
        self.0.context = context;
        self
    }

    /// The same error for another waiter: without the source, which has one owner, but with its text.
    pub(crate) fn duplicate(&self) -> Self {
        let mut new = Self::new(self.0.kind, self.0.message.clone());
        if let Some(source) = &self.0.source {
            new.0.source = Some(source.to_string().into());
        }
        new.0.hint = self.0.hint;
        new.0.lines.clone_from(&self.0.lines);
        new.0.rpc.clone_from(&self.0.rpc);
        new.0.clock = self.0.clock;
        new.0.status = self.0.status;
        new
    }

    /// What kind of failure this is.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The server's error object, where it answered with one: code, message, data.
    #[must_use]
    pub const fn as_rpc(&self) -> Option<&ErrorObject> {
        self.0.rpc.as_ref()
    }

    /// The HTTP status of the answer, where it was that of a failure.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Whether one of the two clocks ran out.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Timeout)
    }

    /// Which clock ran out, if one did.
    #[must_use]
    pub const fn timeout_clock(&self) -> Option<Clock> {
        self.0.clock
    }

    /// The last update that had arrived for the request.
    #[must_use]
    pub const fn last_update(&self) -> Option<&Progress> {
        self.0.context.last_update.as_ref()
    }

    /// The method of the request.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.0.context.method.as_deref()
    }

    /// The JSON-RPC id of the request.
    #[must_use]
    pub const fn request_id(&self) -> Option<i64> {
        self.0.context.id
    }

    /// The progress token of the request.
    #[must_use]
    pub const fn token(&self) -> Option<&ProgressToken> {
        self.0.context.token.as_ref()
    }

    /// Time from the start of the call to the failure.
    #[must_use]
    pub const fn elapsed(&self) -> Option<Duration> {
        self.0.context.elapsed
    }
}

/// This level only: what the source says is in [`source`](StdError::source).
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = &self.0.context;
        if let Some(method) = &context.method {
            write!(f, "{method}: ")?;
        }
        f.write_str(&self.0.message)?;
        let mut details = Vec::new();
        details.extend(context.id.map(|id| format!("request {id}")));
        details.extend(
            context
                .token
                .as_ref()
                .map(|token| format!("token {token:?}")),
        );
        details.extend(
            context
                .elapsed
                .map(|elapsed| format!("after {elapsed:.1?}")),
        );
        match &context.last_update {
            Some(update) => details.push(format!("last update {update} at {:.1?}", update.elapsed)),
            None if self.is_timeout() => details.push("no update arrived".to_owned()),
            None => {}
        }
        if !details.is_empty() {
            write!(f, " ({})", details.join(", "))?;
        }
        if let Some(hint) = self.0.hint {
            write!(f, "; {hint}")?;
        }
        match &self.0.lines {
            Some(lines) => write!(f, "\n{lines}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.to_string())
            .field("source", &self.0.source)
            .finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}
