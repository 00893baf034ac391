//! Owns a request as a script's closure sees it. Must not know how it is answered.

use serde_json::Value;

/// `_meta` key that carries the revision of a modern request (2026-07-28, `RequestMetaObject`).
pub(crate) const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// `_meta` key that carries the client's capabilities in a modern request (2026-07-28, `RequestMetaObject`).
pub(crate) const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

static NULL: Value = Value::Null;

/// A request that the server received, given to the closure that writes the script for it.
///
/// ```
/// use mcp_progress::testing::{Script, ScriptedServer};
///
/// let server = ScriptedServer::new().tool("double", |request| {
///     let number = request.arguments()["number"].as_i64().unwrap_or_default();
///     Script::new().progress(1, 1).text((number * 2).to_string())
/// });
/// # let _ = server;
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    id: Value,
    method: String,
    params: Value,
}

impl Request {
    pub(crate) fn new(id: Value, method: String, params: Value) -> Self {
        Self { id, method, params }
    }

    /// The request's id with its exact JSON type.
    pub fn id(&self) -> &Value {
        &self.id
    }

    /// The method, for example `tools/call`.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The whole parameters; `null` where the request has none.
    pub fn params(&self) -> &Value {
        &self.params
    }

    /// The arguments of a tool call or a prompt; `null` where there are none.
    pub fn arguments(&self) -> &Value {
        self.field("arguments")
    }

    /// The name of the tool or prompt asked for.
    pub fn name(&self) -> Option<&str> {
        self.field("name").as_str()
    }

    /// The address of the resource asked for.
    pub fn uri(&self) -> Option<&str> {
        self.field("uri").as_str()
    }

    /// The request's `_meta`; `null` where it has none.
    pub fn meta(&self) -> &Value {
        self.field("_meta")
    }

    /// The progress token with its exact JSON type; none where the request did not ask for updates.
    pub fn token(&self) -> Option<&Value> {
        self.meta()
            .get("progressToken")
            .filter(|token| !token.is_null())
    }

    /// The revision that a modern request (2026-07-28 and later) names in its `_meta`.
    /// None in the revisions that open with a handshake.
    pub fn protocol_version(&self) -> Option<&str> {
        self.meta().get(PROTOCOL_VERSION).and_then(Value::as_str)
    }

    pub(crate) fn field(&self, name: &str) -> &Value {
        self.params.get(name).unwrap_or(&NULL)
    }
}
