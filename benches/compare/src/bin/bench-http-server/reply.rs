//! Owns what a request is answered with. Knows nothing of the version of HTTP.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::job::Job;
use crate::linger::Lingering;

/// What goes back.
pub enum Reply {
    Json(Vec<u8>),
    /// `202` without a body: a notification was taken.
    Accepted,
    Stream(Box<Job>),
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    params: Option<Params<'a>>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    arguments: Option<Arguments>,
    #[serde(borrow, rename = "_meta")]
    meta: Option<Meta<'a>>,
}

#[derive(Deserialize)]
struct Arguments {
    #[serde(default)]
    n: u64,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, rename = "progressToken")]
    token: Option<&'a RawValue>,
}

const DISCOVERED: &str = concat!(
    r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"#,
    r#""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"bench-http-server","version":"0"}},"#,
    r#""ttlMs":3600000,"cacheScope":"public"}"#
);
const INITIALIZED: &str = concat!(
    r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"#,
    r#""serverInfo":{"name":"bench-http-server","version":"0"}}"#
);
const TOOLS: &str = concat!(
    r#"{"resultType":"complete","tools":[{"name":"flood","inputSchema":{"type":"object"}},{"name":"wide","inputSchema":{"type":"object"}},"#,
    r#"{"name":"fan","inputSchema":{"type":"object"}},{"name":"one","inputSchema":{"type":"object"}},"#,
    r#"{"name":"echo","inputSchema":{"type":"object"}},{"name":"linger","inputSchema":{"type":"object"}}],"#,
    r#""ttlMs":3600000,"cacheScope":"public"}"#
);
const DONE: &str =
    r#"{"resultType":"complete","content":[{"type":"text","text":"done"}],"isError":false}"#;

/// Answers the body of a `POST`.
pub fn reply(body: &[u8], lingering: &Arc<Lingering>) -> Reply {
    let Ok(request) = serde_json::from_slice::<Request<'_>>(body) else {
        return error("null", -32700, "not a request");
    };
    let Some(id) = request.id else {
        return Reply::Accepted;
    };
    let id = id.get();
    match &*request.method {
        "tools/call" => call(id, request.params.as_ref(), lingering),
        "server/discover" => result(id, DISCOVERED),
        "initialize" => result(id, INITIALIZED),
        "tools/list" => result(id, TOOLS),
        "ping" => result(id, "{}"),
        _ => error(id, -32601, "no such method"),
    }
}

fn call(id: &str, params: Option<&Params<'_>>, lingering: &Arc<Lingering>) -> Reply {
    let name = params.map_or("", |params| &params.name);
    let n = params
        .and_then(|params| params.arguments.as_ref())
        .map_or(0, |arguments| arguments.n);
    let total = match name {
        "echo" => return result(id, DONE),
        "one" => 1,
        "flood" | "wide" | "fan" => n,
        "linger" => 3,
        _ => return error(id, -32602, "no such tool"),
    };
    let Some(token) = params
        .and_then(|params| params.meta.as_ref())
        .and_then(|meta| meta.token)
    else {
        return error(id, -32602, "this benchmark is about progress");
    };
    let Some(mut job) = Job::new(token.get(), &answer(id, DONE), total) else {
        return error(id, -32602, "a token that makes updates longer than others");
    };
    match name {
        "wide" => job.chunk = 16 * 1024,
        "fan" => job.write = 4 * 1024,
        "linger" => job.guest = Some(lingering.enter(n)),
        _ => {}
    }
    Reply::Stream(Box::new(job))
}

fn answer(id: &str, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}

fn result(id: &str, result: &str) -> Reply {
    Reply::Json(answer(id, result).into())
}

fn error(id: &str, code: i32, message: &str) -> Reply {
    Reply::Json(
        format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"{message}"}}}}"#)
            .into(),
    )
}
