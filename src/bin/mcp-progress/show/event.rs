//! The events of `--output jsonl` and `--progress json`: one JSON object each, on one line.
//!
//! Owns their members and the order of these. It must not know where they are written.

use std::borrow::Cow;
use std::path::Path;

use mcp_progress::model::{LogMessage, TaskHandle};
use mcp_progress::{Call, Client, Error, Notification, ProgressToken};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::show::content::File;
use crate::show::lines::one_line;

/// The event as a line, without its end.
pub(crate) fn line(event: &impl Serialize) -> String {
    // None of the types below has a map with keys that are no strings, which is all that can fail.
    one_line(serde_json::to_string(event).unwrap_or_default())
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

/// The last word where the call became a task that is left to the server.
#[derive(Debug, Serialize)]
pub(crate) struct Left<'a> {
    event: &'static str,
    handle: &'a TaskHandle,
}

impl<'a> Left<'a> {
    pub(crate) const fn new(handle: &'a TaskHandle) -> Self {
        Self {
            event: "task",
            handle,
        }
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
    #[serde(flatten)]
    problem: Problem,
}

impl Failed {
    pub(crate) fn new(failure: &Failure) -> Self {
        Self {
            event: "error",
            problem: Problem::new(failure),
        }
    }
}

/// Why there is no result.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
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

impl Problem {
    pub(crate) fn new(failure: &Failure) -> Self {
        let error = match failure {
            Failure::Call(error) => Some(error),
            _ => None,
        };
        let rpc = error.and_then(|error| error.as_rpc());
        let clock = error.and_then(|error| error.timeout_clock());
        Self {
            kind: failure.kind(),
            message: failure.message(),
            causes: failure.causes(),
            clock: clock.map(|clock| clock.to_string()),
            code: rpc.map(|rpc| rpc.code),
            status: error.and_then(Error::status),
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

/// A file of the result was saved.
#[derive(Debug, Serialize)]
pub(crate) struct Saved<'a> {
    event: &'static str,
    path: Cow<'a, str>,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<&'a str>,
}

impl<'a> Saved<'a> {
    pub(crate) fn new(file: &File<'a>, path: &'a Path) -> Self {
        Self {
            event: "saved",
            path: path.to_string_lossy(),
            kind: file.kind,
            uri: file.uri,
            mime_type: file.mime,
        }
    }
}

/// An item of a list, under the name of its kind.
#[derive(Debug)]
pub(crate) struct Listed<'a, T> {
    kind: &'static str,
    item: &'a T,
}

impl<'a, T> Listed<'a, T> {
    pub(crate) const fn new(kind: &'static str, item: &'a T) -> Self {
        Self { kind, item }
    }
}

impl<T: Serialize> Serialize for Listed<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("event", self.kind)?;
        map.serialize_entry(self.kind, self.item)?;
        map.end()
    }
}
