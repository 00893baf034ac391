//! The frames that this client writes, in the revision spoken.
//!
//! Owns the text of requests, notifications and replies, and the `_meta` members that the modern era wants on every
//! request. It must not know calls or queues.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::jsonrpc::{ErrorObject, Key};
use crate::model::token::ProgressToken;
use crate::model::version::ProtocolVersion;

/// What the connection speaks.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    /// None until it is negotiated.
    pub(crate) version: Option<ProtocolVersion>,
    /// The members of `_meta` that go with every request; empty in the handshake era.
    meta: Map<String, Value>,
    /// The same as JSON text without braces, written once.
    request_meta: Vec<u8>,
}

/// A request or a notification, before it has an id and a token.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) method: Cow<'static, str>,
    /// The tool, prompt or resource that it names.
    pub(super) name: Option<Box<str>>,
    /// The members of `params` but `_meta`, as JSON text without braces.
    members: Vec<u8>,
    /// What the caller wants in `_meta`.
    meta: Map<String, Value>,
}

impl Wire {
    /// Before negotiation, and in the handshake era: nothing is added.
    pub(crate) fn handshake(version: Option<ProtocolVersion>) -> Self {
        Self {
            version,
            meta: Map::new(),
            request_meta: Vec::new(),
        }
    }

    /// The modern era: each request carries these members of `_meta` (revision 2026-07-28, "Overview", `_meta`).
    pub(crate) fn modern(version: ProtocolVersion, meta: Map<String, Value>) -> Self {
        let mut request_meta = Vec::new();
        write_members(&mut request_meta, &meta);
        Self {
            version: Some(version),
            meta,
            request_meta,
        }
    }

    /// The same with one more member of `_meta`.
    pub(crate) fn with_meta(&self, key: &str, value: Value) -> Self {
        let mut meta = self.meta.clone();
        meta.insert(key.to_owned(), value);
        let mut request_meta = Vec::new();
        write_members(&mut request_meta, &meta);
        Self {
            version: self.version,
            meta,
            request_meta,
        }
    }

    pub(crate) fn is_modern(&self) -> bool {
        self.version.is_some_and(|version| version.is_modern())
    }

    /// The frame of a request, with its newline.
    pub(crate) fn request(
        &self,
        id: i64,
        message: &Message,
        token: Option<&ProgressToken>,
    ) -> Vec<u8> {
        let mut frame = Vec::with_capacity(192 + message.members.len() + self.request_meta.len());
        frame.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
        write(&mut frame, &id);
        frame.extend_from_slice(b",\"method\":");
        write(&mut frame, &message.method);
        let mut meta = Vec::new();
        if let Some(token) = token {
            meta.extend_from_slice(b"\"progressToken\":");
            write(&mut meta, token);
        }
        if !self.request_meta.is_empty() {
            separate(&mut meta);
            meta.extend_from_slice(&self.request_meta);
        }
        finish(frame, meta, message)
    }

    /// The frame of a notification, with its newline.
    pub(crate) fn notification(message: &Message) -> Vec<u8> {
        let mut frame = b"{\"jsonrpc\":\"2.0\",\"method\":".to_vec();
        write(&mut frame, &message.method);
        finish(frame, Vec::new(), message)
    }
}

fn finish(mut frame: Vec<u8>, mut meta: Vec<u8>, message: &Message) -> Vec<u8> {
    if !message.meta.is_empty() {
        separate(&mut meta);
        write_members(&mut meta, &message.meta);
    }
    if !meta.is_empty() || !message.members.is_empty() {
        frame.extend_from_slice(b",\"params\":{");
        if !meta.is_empty() {
            frame.extend_from_slice(b"\"_meta\":{");
            frame.extend_from_slice(&meta);
            frame.push(b'}');
        }
        if !message.members.is_empty() {
            if !meta.is_empty() {
                frame.push(b',');
            }
            frame.extend_from_slice(&message.members);
        }
        frame.push(b'}');
    }
    frame.extend_from_slice(b"}\n");
    frame
}

impl Message {
    /// A message whose params are the members of `params`, which must serialise to an object, or null for none.
    /// A `_meta` among them is kept apart.
    pub(crate) fn new(
        method: impl Into<Cow<'static, str>>,
        params: &impl Serialize,
    ) -> Result<Self, String> {
        let method = method.into();
        let params = serde_json::to_value(params)
            .map_err(|error| format!("the params do not serialise: {error}"))?;
        let mut params = match params {
            Value::Null => Map::new(),
            Value::Object(params) => params,
            other => {
                return Err(format!(
                    "the params must be a JSON object, not {}",
                    kind_of(&other)
                ));
            }
        };
        let meta = match params.remove("_meta") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(meta)) => meta,
            Some(other) => {
                return Err(format!(
                    "`_meta` must be a JSON object, not {}",
                    kind_of(&other)
                ));
            }
        };
        let mut members = Vec::new();
        write_members(&mut members, &params);
        Ok(Self {
            name: named(&method, &params),
            method,
            members,
            meta,
        })
    }

    /// Sets one member of the params.
    pub(crate) fn set(&mut self, name: &str, value: Value) {
        let text = [b"{", &self.members[..], b"}"].concat();
        let mut params: Map<String, Value> =
            serde_json::from_slice(&text).expect("written from a map when the message was made");
        params.insert(name.to_owned(), value);
        self.members.clear();
        write_members(&mut self.members, &params);
    }

    /// The same with more members of the params, whose values are JSON text, to be written as it is.
    pub(crate) fn with_raw(&self, more: &[(&str, &str)]) -> Self {
        let mut members = self.members.clone();
        for (name, text) in more {
            separate(&mut members);
            write(&mut members, *name);
            members.push(b':');
            members.extend_from_slice(text.as_bytes());
        }
        Self {
            method: self.method.clone(),
            name: self.name.clone(),
            members,
            meta: self.meta.clone(),
        }
    }

    /// The tool, prompt or resource that it names.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(crate) const fn meta_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.meta
    }

    pub(crate) const fn meta(&self) -> &Map<String, Value> {
        &self.meta
    }
}

/// What a request is about, where HTTP wants that in a header (2026-07-28, Streamable HTTP, "Standard Request Headers").
fn named(method: &str, params: &Map<String, Value>) -> Option<Box<str>> {
    params.get(naming_member(method)?)?.as_str().map(Box::from)
}

/// The member of the params that says what a request is about.
pub(super) fn naming_member(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        // Extension `io.modelcontextprotocol/tasks`, "Streamable HTTP: Routing Headers".
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
        _ => None,
    }
}

/// `notifications/cancelled` for a request of ours.
pub(crate) fn cancelled(id: i64, reason: &str) -> Vec<u8> {
    let mut frame =
        b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":"
            .to_vec();
    write(&mut frame, &id);
    frame.extend_from_slice(b",\"reason\":");
    write(&mut frame, reason);
    frame.extend_from_slice(b"}}\n");
    frame
}

/// The answer to a request of the server, with its id exactly as it came.
pub(crate) fn reply(id: &Key<'_>, answer: Result<&Value, &ErrorObject>) -> Vec<u8> {
    let mut frame = b"{\"jsonrpc\":\"2.0\",\"id\":".to_vec();
    match id {
        Key::Number(number) => write(&mut frame, number),
        Key::String(text) => write(&mut frame, text),
    }
    match answer {
        Ok(result) => {
            frame.extend_from_slice(b",\"result\":");
            write(&mut frame, result);
        }
        Err(error) => {
            frame.extend_from_slice(b",\"error\":");
            write(&mut frame, error);
        }
    }
    frame.extend_from_slice(b"}\n");
    frame
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

fn separate(buffer: &mut Vec<u8>) {
    if !buffer.is_empty() {
        buffer.push(b',');
    }
}

fn write_members(buffer: &mut Vec<u8>, members: &Map<String, Value>) {
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            buffer.push(b',');
        }
        write(buffer, name);
        buffer.push(b':');
        write(buffer, value);
    }
}

/// JSON text of a value that always has one: strings, integers, trees of `Value`.
fn write<T: Serialize + ?Sized>(buffer: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(buffer, value)
        .expect("a vector takes every byte, and the value has no odd map keys");
}
