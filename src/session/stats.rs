//! Counts of what is live and of what came in wrong.
//!
//! Owns the classification of diagnostics, their counters, the `tracing` event for the first of each kind and the
//! bounded feed of all. It must not know how a message is judged.

use std::fmt;

use super::feed::Feed;
use crate::sync::{AtomicU64, Ordering};

/// What came in that no call was waiting for, or not in this form.
///
/// None of these fails a call or a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DiagnosticKind {
    /// An update for a token that this client never minted, or forgot more than 1,024 calls ago.
    ForeignUpdate,
    /// An update whose call was over.
    LateUpdate,
    /// An update whose value lies below an earlier one.
    RegressingUpdate,
    /// A token or an id in the other JSON type (`"1"` for `1`); it was accepted.
    Retyped,
    /// An update on the HTTP response stream of a call whose token it does not name; it was given to that call.
    ByStream,
    /// An HTTP response stream that broke or was closed early, and was taken up again.
    Resumed,
    /// A tool that was left out of a list, because its definition breaks the rules of `x-mcp-header`.
    InvalidTool,
    /// An update whose params cannot be read.
    MalformedUpdate,
    /// A line that is no JSON-RPC message, or one with an unusable id.
    MalformedMessage,
    /// A line that is not UTF-8; it was read with replacement characters.
    InvalidUtf8,
    /// A line beyond the frame limit.
    OversizedMessage,
    /// A second response, or one for a call that was given up.
    LateResponse,
    /// A response to a request that was never sent, or without an id.
    ForeignResponse,
    /// A request by a server, where the revision has none (2026-07-28) or this client cannot serve it.
    UnservedRequest,
}

const KINDS: usize = 14;

impl DiagnosticKind {
    const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for DiagnosticKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ForeignUpdate => "foreign update",
            Self::LateUpdate => "late update",
            Self::RegressingUpdate => "regressing update",
            Self::Retyped => "retyped token or id",
            Self::ByStream => "update given to its stream's call",
            Self::Resumed => "stream taken up again",
            Self::InvalidTool => "invalid tool definition",
            Self::MalformedUpdate => "malformed update",
            Self::MalformedMessage => "malformed message",
            Self::InvalidUtf8 => "invalid UTF-8",
            Self::OversizedMessage => "oversized message",
            Self::LateResponse => "late response",
            Self::ForeignResponse => "foreign response",
            Self::UnservedRequest => "unserved request",
        })
    }
}

/// One thing that came in wrong.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Diagnostic {
    /// What kind.
    pub kind: DiagnosticKind,
    /// What was seen, shortened to 200 characters.
    pub detail: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.detail)
    }
}

/// Numbers of one connection at one moment; see [`Client::stats`](crate::Client::stats).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Requests that wait for their response.
    pub live_calls: usize,
    /// Tokens that are live or waited for.
    pub registrations: usize,
    /// Frames that wait to be written.
    pub queued_frames: usize,
    /// Updates delivered to their call.
    pub updates: u64,
    counts: [u64; KINDS],
}

impl Stats {
    /// How many diagnostics of one kind there were.
    #[must_use]
    pub const fn count(&self, kind: DiagnosticKind) -> u64 {
        self.counts[kind.index()]
    }

    /// How many diagnostics of all kinds there were.
    #[must_use]
    pub fn diagnostics(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[derive(Debug)]
pub(crate) struct Counters {
    updates: AtomicU64,
    counts: [AtomicU64; KINDS],
    pub(crate) feed: Feed<Diagnostic>,
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self {
            updates: AtomicU64::new(0),
            counts: Default::default(),
            feed: Feed::new(),
        }
    }

    pub(crate) fn update(&self) {
        self.updates.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts one diagnostic; `detail` is made only where somebody sees it.
    pub(crate) fn note<D: fmt::Display>(&self, kind: DiagnosticKind, detail: impl Fn() -> D) {
        let earlier = self.counts[kind.index()].fetch_add(1, Ordering::Relaxed);
        if earlier == 0 {
            tracing::warn!(kind = %kind, detail = %short(detail()), "the server sent something unexpected; further ones of this kind are only counted");
        }
        self.feed.send(200, || Diagnostic {
            kind,
            detail: short(detail()),
        });
    }

    pub(crate) fn snapshot(&self) -> Stats {
        let mut stats = Stats {
            updates: self.updates.load(Ordering::Relaxed),
            ..Stats::default()
        };
        for (count, counter) in stats.counts.iter_mut().zip(&self.counts) {
            *count = counter.load(Ordering::Relaxed);
        }
        stats
    }
}

fn short(detail: impl fmt::Display) -> String {
    let text = detail.to_string();
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
