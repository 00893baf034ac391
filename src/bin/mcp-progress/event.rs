//! The events of `--output jsonl` and `--progress json`: one JSON object each, on one line.
//!
//! Owns their members and the order of these. It must not know where they are written.

use mcp_progress::model::{LogMessage, Tool};
use mcp_progress::{Call, Client, Error, Notification, Progress, ProgressToken, UpdateKind};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::figure::{Figure, percent};

/// The event as a line, without its end.
pub(crate) fn line(event: &impl Serialize) -> String {
    // None of the types below has a map with keys that are no strings, which is all that can fail.
    serde_json::to_string(event).unwrap_or_default()
}

/// A call was sent.
#[derive(Debug, Serialize)]
pub(crate) struct Start<'a> {
    event: &'static str,
    token: &'a ProgressToken,
    id: i64,
    protocol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
}

impl<'a> Start<'a> {
    /// None where the call could not be sent.
    pub(crate) fn new<T: serde::de::DeserializeOwned>(
        client: &'a Client,
        call: &'a Call<T>,
    ) -> Option<Self> {
        let server = client.server();
        Some(Self {
            event: "start",
            token: call.token()?,
            id: call.request_id()?,
            protocol: server.protocol_version.as_str(),
            server: server.server_info.as_ref().map(|info| info.name.as_str()),
        })
    }
}

/// An update.
#[derive(Debug, Serialize)]
pub(crate) struct Update<'a> {
    event: &'static str,
    token: &'a ProgressToken,
    /// What the task is doing that the call has become: in place of the figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<Figure>,
    /// Which request of the call it belongs to, from the second on.
    #[serde(skip_serializing_if = "is_first")]
    leg: u32,
    seq: u64,
    #[serde(skip_serializing_if = "is_zero")]
    merged: u64,
    /// Whether updates before this one may be missing.
    #[serde(skip_serializing_if = "is_off")]
    gap: bool,
    elapsed_ms: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_off(flag: &bool) -> bool {
    !*flag
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_first(leg: &u32) -> bool {
    *leg <= 1
}

impl<'a> Update<'a> {
    pub(crate) fn new(update: &'a Progress) -> Self {
        let status = match update.kind {
            UpdateKind::Status(status) => Some(status.as_str()),
            _ => None,
        };
        let figures = status.is_none().then_some(update);
        Self {
            event: if status.is_some() {
                "status"
            } else {
                "progress"
            },
            token: &update.token,
            status,
            progress: figures.map(|update| Figure(update.progress)),
            total: figures.and_then(|update| update.total).map(Figure),
            message: update.message.as_deref(),
            percent: figures.and_then(Progress::percent).map(percent).map(Figure),
            leg: update.leg,
            seq: update.seq,
            merged: update.merged,
            gap: update.gap,
            elapsed_ms: u64::try_from(update.elapsed.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// A log message of the server.
#[derive(Debug, Serialize)]
pub(crate) struct Log {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) level: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) logger: Option<String>,
    pub(crate) data: Value,
}

impl Log {
    /// None where the notification is no log message. One that breaks the form is shown whole.
    pub(crate) fn new(notification: &Notification) -> Option<Self> {
        if notification.method != Notification::LOG {
            return None;
        }
        let (level, logger, data) = match notification.params::<LogMessage>() {
            Ok(message) => (
                Some(message.level.to_string()),
                message.logger,
                message.data,
            ),
            Err(_) => (None, None, notification.params().unwrap_or_default()),
        };
        Some(Self {
            event: "log",
            level,
            logger,
            data,
        })
    }
}

/// The last word where there is a result.
#[derive(Debug, Serialize)]
pub(crate) struct Done<'a> {
    event: &'static str,
    result: &'a RawValue,
    is_error: bool,
}

impl<'a> Done<'a> {
    pub(crate) const fn new(result: &'a RawValue, is_error: bool) -> Self {
        Self {
            event: "result",
            result,
            is_error,
        }
    }
}

/// The last word where there is none.
#[derive(Debug, Serialize)]
pub(crate) struct Failed {
    event: &'static str,
    kind: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

impl Failed {
    pub(crate) fn new(failure: &Failure) -> Self {
        let error = match failure {
            Failure::Call(error) => Some(error),
            _ => None,
        };
        let rpc = error.and_then(|error| error.as_rpc());
        Self {
            event: "error",
            kind: failure.kind(),
            message: failure.message(),
            causes: failure.causes(),
            clock: error
                .and_then(|error| error.timeout_clock())
                .map(|clock| clock.to_string()),
            status: error.and_then(Error::status),
            code: rpc.map(|rpc| rpc.code),
            data: rpc.and_then(|rpc| rpc.data.clone()),
        }
    }
}

/// A sentence to the user, only on standard error.
#[derive(Debug, Serialize)]
pub(crate) struct Notice<'a> {
    event: &'static str,
    message: &'a str,
}

impl<'a> Notice<'a> {
    pub(crate) const fn new(message: &'a str) -> Self {
        Self {
            event: "notice",
            message,
        }
    }
}

/// A tool of the list.
#[derive(Debug, Serialize)]
pub(crate) struct Listed<'a> {
    event: &'static str,
    tool: &'a Tool,
}

impl<'a> Listed<'a> {
    pub(crate) const fn new(tool: &'a Tool) -> Self {
        Self {
            event: "tool",
            tool,
        }
    }
}
