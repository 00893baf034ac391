//! One progress update, as a consumer receives it, and its params as they stand on the wire.
//!
//! Owns what an update says and the bound on its size. It must not know queues, locks or calls.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::status::TaskStatus;
use super::text::WaitingText;
use super::token::ProgressToken;
use crate::jsonrpc::{Id, Key, OnePass, Text};

/// At most this many bytes of message, `_meta` and unknown fields are kept of one update.
pub(crate) const MAX_UPDATE_BYTES: usize = 64 * 1024;

/// What an update tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpdateKind {
    /// The server sent `notifications/progress`.
    Progress,
    /// The call goes on as a task, and this is the task's status. Its words, if it has any, are the update's message.
    /// `progress` and `total` repeat what the last update of kind [`Progress`](Self::Progress) said, or are 0 and
    /// nothing.
    Status(TaskStatus),
}

/// One update of a request's progress.
///
/// Revision 2026-07-28, "Progress", section 1; the fields after `message` are this client's own bookkeeping.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// Whether this is progress, or the status of the task that the call has become.
    pub kind: UpdateKind,
    /// The token of the request, exactly as it was sent.
    pub token: ProgressToken,
    /// How far the work is. It should rise from update to update; see [`regressed`](Self::regressed).
    pub progress: f64,
    /// What `progress` is when all is done, where the server knows.
    pub total: Option<f64>,
    /// What the server is doing, in words for a person.
    pub message: Option<Arc<str>>,
    /// The place of this update among those that arrived for the token, from 1. Where updates were merged, the
    /// place of the newest.
    pub seq: u64,
    /// How many earlier updates this one stands for, because they were not taken in time. 0 normally, so that
    /// the sum of `1 + merged` is what the server sent.
    pub merged: u64,
    /// Time from the writing of the request to the arrival of this update.
    pub elapsed: Duration,
    /// Whether the value lies below an earlier one of the same request, against the specification.
    pub regressed: bool,
    /// Whether the server wrote the token in the other JSON type (`"1"` for `1`).
    pub retyped: bool,
    /// Whether the server wrote a token that no call carries, so that the update was given to the call on whose HTTP
    /// response stream it came.
    pub by_stream: bool,
    /// Whether updates before this one may be missing, because the connection broke and was taken up again.
    pub gap: bool,
    /// Which request of the operation it belongs to, from 1: a call that the server answers with questions goes on as
    /// another request once they are answered (revision 2026-07-28, "Multi Round-Trip Requests").
    pub leg: u32,
    /// Whether parts beyond 64 KiB of message, `_meta` and unknown fields were cut off.
    pub truncated: bool,
    pub(crate) extra: Option<Arc<Extra>>,
}

/// What only few updates carry.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    meta: Option<Box<RawValue>>,
    other: Vec<(Box<str>, Box<RawValue>)>,
}

impl Progress {
    /// The done part of the whole, from 0 to 1.
    ///
    /// `Some` only where that is honest: the total is finite and above 0, and `0 ≤ progress ≤ total`.
    #[must_use]
    pub fn fraction(&self) -> Option<f64> {
        honest_fraction(self.progress, self.total)
    }

    /// The done part of the whole in percent, from 0 to 100; `Some` as for [`fraction`](Self::fraction).
    #[must_use]
    pub fn percent(&self) -> Option<f64> {
        self.fraction().map(|fraction| fraction * 100.0)
    }

    /// The update's `_meta`, verbatim.
    #[must_use]
    pub fn meta(&self) -> Option<&RawValue> {
        self.extra.as_ref()?.meta.as_deref()
    }

    /// The fields that the specification does not name, verbatim and in their order.
    pub fn other(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        let fields = self.extra.as_ref().map_or(&[][..], |extra| &extra.other);
        fields.iter().map(|(name, value)| (&**name, &**value))
    }
}

fn honest_fraction(progress: f64, total: Option<f64>) -> Option<f64> {
    let total = total.filter(|total| total.is_finite() && *total > 0.0)?;
    (0.0..=total).contains(&progress).then(|| progress / total)
}

/// An update as it waits in a mailbox: all of a [`Progress`] but the token.
///
/// The token is shared by all updates of a call. Counted here, its owners would make the count travel between the
/// reader's core and the consumer's with every update.
#[derive(Clone, Debug)]
pub(crate) struct Update {
    pub(crate) kind: UpdateKind,
    pub(crate) progress: f64,
    pub(crate) total: Option<f64>,
    message: Option<WaitingText>,
    pub(crate) seq: u64,
    pub(crate) merged: u64,
    pub(crate) elapsed: Duration,
    pub(crate) regressed: bool,
    pub(crate) retyped: bool,
    pub(crate) by_stream: bool,
    pub(crate) gap: bool,
    pub(crate) leg: u32,
    pub(crate) truncated: bool,
    extra: Option<Arc<Extra>>,
}

impl Update {
    /// The update as its consumer sees it.
    pub(crate) fn of(self, token: ProgressToken) -> Progress {
        Progress {
            kind: self.kind,
            token,
            progress: self.progress,
            total: self.total,
            message: self.message.map(WaitingText::into_shared),
            seq: self.seq,
            merged: self.merged,
            elapsed: self.elapsed,
            regressed: self.regressed,
            retyped: self.retyped,
            by_stream: self.by_stream,
            gap: self.gap,
            leg: self.leg,
            truncated: self.truncated,
            extra: self.extra,
        }
    }

    /// As [`Progress::fraction`].
    pub(crate) fn fraction(&self) -> Option<f64> {
        honest_fraction(self.progress, self.total)
    }

    /// The status of a task, with the words of the server.
    pub(crate) fn of_status(status: TaskStatus, message: Option<&str>) -> Self {
        let message = message.map(|message| cut(message, MAX_UPDATE_BYTES));
        Self {
            kind: UpdateKind::Status(status),
            message: message.map(WaitingText::of),
            ..Self::of_value(0.0)
        }
    }

    /// A value and nothing else.
    const fn of_value(progress: f64) -> Self {
        Self {
            kind: UpdateKind::Progress,
            progress,
            total: None,
            message: None,
            seq: 0,
            merged: 0,
            elapsed: Duration::ZERO,
            regressed: false,
            retyped: false,
            by_stream: false,
            gap: false,
            leg: 1,
            truncated: false,
            extra: None,
        }
    }

    /// Bytes that this update takes in a mailbox.
    pub(crate) fn bytes(&self) -> usize {
        let message = self.message.as_ref().map_or(0, WaitingText::heap_bytes);
        let extra = self.extra.as_ref().map_or(0, |extra| extra.bytes());
        size_of::<Self>() + message + extra
    }
}

impl Extra {
    fn bytes(&self) -> usize {
        let meta = self.meta.as_ref().map_or(0, |meta| meta.get().len());
        meta + self
            .other
            .iter()
            .map(|(name, value)| name.len() + value.get().len())
            .sum::<usize>()
    }
}

/// `3 of 5: step 3`, or `working: step 3` of a task, for logs and errors.
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            UpdateKind::Status(status) => write!(f, "{status}")?,
            UpdateKind::Progress => {
                write!(f, "{}", self.progress)?;
                if let Some(total) = self.total {
                    write!(f, " of {total}")?;
                }
            }
        }
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

/// The params of `notifications/progress`, borrowed from the read buffer.
#[derive(Debug)]
pub(crate) struct ProgressParams<'a> {
    pub(crate) token: Key<'a>,
    pub(crate) progress: f64,
    pub(crate) total: Option<f64>,
    message: Option<Cow<'a, str>>,
    meta: Option<&'a RawValue>,
    other: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> OnePass<'a> for ProgressParams<'a> {
    const METHOD: &'static str = "notifications/progress";
}

impl ProgressParams<'_> {
    /// The update that these params are, with the bookkeeping still to be filled in.
    pub(crate) fn to_update(&self) -> Update {
        let mut room = MAX_UPDATE_BYTES;
        let mut truncated = false;
        let message = self.message.as_ref().map(|message| {
            let kept = cut(message, room);
            truncated = kept.len() < message.len();
            room -= kept.len();
            WaitingText::of(kept)
        });
        let extra = (self.meta.is_some() || !self.other.is_empty()).then(|| {
            let (extra, cut) = self.extra_within(room);
            truncated |= cut;
            Arc::new(extra)
        });
        Update {
            total: self.total,
            message,
            truncated,
            extra,
            ..Update::of_value(self.progress)
        }
    }

    fn extra_within(&self, mut room: usize) -> (Extra, bool) {
        let mut extra = Extra::default();
        let mut truncated = false;
        if let Some(meta) = self.meta {
            if meta.get().len() <= room {
                room -= meta.get().len();
                extra.meta = Some(meta.to_owned());
            } else {
                truncated = true;
            }
        }
        for (name, value) in &self.other {
            let bytes = name.len() + value.get().len();
            if bytes <= room {
                room -= bytes;
                extra.other.push((Box::from(&**name), (*value).to_owned()));
            } else {
                truncated = true;
            }
        }
        (extra, truncated)
    }
}

/// The longest start of `text` with at most `limit` bytes that ends between characters.
fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit)
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or(0);
    &text[..end]
}

impl<'de> Deserialize<'de> for ProgressParams<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ParamsVisitor)
    }
}

struct ParamsVisitor;

impl<'de> Visitor<'de> for ParamsVisitor {
    type Value = ProgressParams<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the params of a progress notification")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut token = Id::Absent;
        let mut progress = None;
        let mut total = None;
        let mut message = None;
        let mut meta = None;
        let mut other = Vec::new();
        while let Some(name) = map.next_key::<Text<'de>>()? {
            match &*name.0 {
                "progressToken" => token = map.next_value()?,
                "progress" => progress = Some(map.next_value::<f64>()?),
                "total" => total = map.next_value::<Option<f64>>()?,
                "message" => message = map.next_value::<Option<Text<'de>>>()?,
                "_meta" => meta = Some(map.next_value::<&RawValue>()?),
                _ => other.push((name.0, map.next_value()?)),
            }
        }
        let Id::Key(token) = token else {
            return Err(A::Error::custom(
                "no progressToken that is a string or an integer",
            ));
        };
        let progress = progress.ok_or_else(|| A::Error::missing_field("progress"))?;
        Ok(ProgressParams {
            token,
            progress,
            total,
            message: message.map(|text| text.0),
            meta: meta.filter(|meta| meta.get() != "null"),
            other,
        })
    }
}
