//! Owns what the server does with a request that it can answer from its configuration alone: it chooses a script.
//! Must not know connections. Sources: 2026-07-28 `basic/versioning`, `server/discover`, `server/utilities/pagination`
//! and `caching`; 2025-11-25 `basic/lifecycle`.

use crate::testing::backstage::Backstage;
use crate::testing::config::{Config, Eras, HANDSHAKE, MODERN, Probe, Shelf};
use crate::testing::frame::Answer;
use crate::testing::input::resume::resume;
use crate::testing::request::{CLIENT_CAPABILITIES, Request};
use crate::testing::script::Script;
use crate::testing::tasks::methods;
use serde_json::{Map, Value, json};

const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;
/// A resource is not there: before 2026-07-28, which uses [`INVALID_PARAMS`].
const RESOURCE_NOT_FOUND: i64 = -32002;
const UNSUPPORTED_PROTOCOL_VERSION: i64 = -32022;

/// The most values that one completion may carry (`CompleteResult`, all revisions).
const COMPLETION_LIMIT: usize = 100;

/// What a request leads to.
#[derive(Debug)]
pub(crate) enum Reply {
    Play(Script),
    /// Opens a stream of notifications.
    Listen,
    /// Closes the connection without an answer.
    Close,
}

/// Chooses what to do with `request`.
pub(crate) fn reply(config: &Config, backstage: &Backstage, request: &Request) -> Reply {
    let own = config.methods.get(request.method());
    let own_or = |standard: fn(&Config, &Request) -> Script| match own {
        Some(own) => own(request),
        None => standard(config, request),
    };
    let script = match request.method() {
        "server/discover" => match config.probe {
            Probe::Deadly => return Reply::Close,
            Probe::Ignored => Script::new().silence(),
            Probe::Delayed(time) => own_or(discover).delayed(time),
            Probe::Answered => own_or(discover),
        },
        "initialize" => own_or(initialize),
        method => match refusal(config, request) {
            Some(refused) => refused,
            None if own.is_none()
                && method == "subscriptions/listen"
                && config.is_modern(request) =>
            {
                match methods::refuse_listening(request) {
                    Some(refused) => refused,
                    None => return Reply::Listen,
                }
            }
            None if own.is_none() && method.starts_with("tasks/") => {
                about_tasks(config, backstage, request)
            }
            None => own_or(standard),
        },
    };
    let script = match &config.tasks {
        Some(hosting) if request.method() == "tools/call" => {
            methods::call(hosting, request, config.is_modern(request), script)
        }
        _ => script,
    };
    Reply::Play(if config.is_modern(request) {
        resume(&backstage.desk, request, script)
    } else {
        script
    })
}

/// Adds what 2026-07-28 demands of a result.
pub(crate) fn shape(config: &Config, request: &Request, answer: Answer) -> Answer {
    let Answer::Result(Value::Object(mut result)) = answer else {
        return answer;
    };
    if config.is_modern(request) {
        add(&mut result, "resultType", json!("complete"));
        // The results that extend `CacheableResult`.
        if let "server/discover"
        | "tools/list"
        | "prompts/list"
        | "resources/list"
        | "resources/templates/list"
        | "resources/read" = request.method()
        {
            add(&mut result, "ttlMs", json!(0));
            add(&mut result, "cacheScope", json!("private"));
        }
    }
    Answer::Result(Value::Object(result))
}

fn add(object: &mut Map<String, Value>, name: &str, value: Value) {
    object.entry(name).or_insert(value);
}

/// What the server says of itself.
fn server_info() -> Value {
    json!({"name": "scripted-server", "version": env!("CARGO_PKG_VERSION")})
}

fn discover(config: &Config, request: &Request) -> Script {
    if config.eras == Eras::Handshake {
        return not_found(request);
    }
    refusal(config, request).unwrap_or_else(|| {
        Script::new().result(json!({
            "supportedVersions": [MODERN],
            "capabilities": config.capabilities(MODERN),
            "_meta": {"io.modelcontextprotocol/serverInfo": server_info()},
        }))
    })
}

fn initialize(config: &Config, request: &Request) -> Script {
    let wanted = request.field("protocolVersion");
    if config.eras == Eras::Modern {
        return unsupported(wanted);
    }
    let version = HANDSHAKE
        .iter()
        .find(|known| wanted == **known)
        .unwrap_or(&HANDSHAKE[0]);
    Script::new().result(json!({
        "protocolVersion": version,
        "capabilities": config.capabilities(version),
        "serverInfo": server_info(),
    }))
}

/// Why a modern request is not served, if it is not.
fn refusal(config: &Config, request: &Request) -> Option<Script> {
    if !config.is_modern(request) && request.method() != "server/discover" {
        return None;
    }
    match request.protocol_version() {
        None => Some(Script::new().error(INVALID_PARAMS, "The request names no protocol version")),
        Some(MODERN) if request.meta()[CLIENT_CAPABILITIES].is_object() => None,
        Some(MODERN) => {
            Some(Script::new().error(INVALID_PARAMS, "The request names no client capabilities"))
        }
        Some(other) => Some(unsupported(&json!(other))),
    }
}

fn unsupported(requested: &Value) -> Script {
    Script::new().error_with_data(
        UNSUPPORTED_PROTOCOL_VERSION,
        "Unsupported protocol version",
        json!({"supported": [MODERN], "requested": requested}),
    )
}

fn not_found(request: &Request) -> Script {
    Script::new().error(
        METHOD_NOT_FOUND,
        format!("Method not found: {}", request.method()),
    )
}

/// The methods that both eras share, and those that only the handshake revisions have.
fn standard(config: &Config, request: &Request) -> Script {
    match request.method() {
        "tools/list" => page(config, request, "tools", tools(config, request)),
        "prompts/list" => page(config, request, "prompts", config.prompts.definitions()),
        "resources/list" => page(config, request, "resources", config.resources.definitions()),
        "resources/templates/list" => page(
            config,
            request,
            "resourceTemplates",
            config.templates.definitions(),
        ),
        "tools/call" => named(&config.tools, request, "tool"),
        "prompts/get" => named(&config.prompts, request, "prompt"),
        "resources/read" => read(config, request),
        "completion/complete" => match &config.completion {
            Some(values) => complete(values, request),
            None => not_found(request),
        },
        "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe"
            if !config.is_modern(request) =>
        {
            Script::new()
        }
        _ => not_found(request),
    }
}

/// What is asked about tasks.
fn about_tasks(config: &Config, backstage: &Backstage, request: &Request) -> Script {
    let modern = config.is_modern(request);
    match &config.tasks {
        Some(hosting) if hosting.knows(request.method(), modern) => match request.method() {
            "tasks/list" => {
                let tasks = backstage.ledger.all();
                let views = tasks.iter().map(|task| task.view(modern)).collect();
                page(config, request, "tasks", views)
            }
            _ => methods::answer(&backstage.ledger, request, modern),
        },
        _ => not_found(request),
    }
}

/// What is said about the tools in the revision of the request.
fn tools(config: &Config, request: &Request) -> Vec<Value> {
    let mut tools = config.tools.definitions();
    if let Some(hosting) = config.tasks.as_ref().filter(|_| !config.is_modern(request)) {
        tools.iter_mut().for_each(|tool| hosting.define(tool));
    }
    tools
}

fn named(shelf: &Shelf, request: &Request, kind: &str) -> Script {
    let name = request.name().unwrap_or_default();
    match shelf.get(name) {
        Some(handler) => handler(request),
        None => Script::new().error(INVALID_PARAMS, format!("Unknown {kind}: {name}")),
    }
}

fn read(config: &Config, request: &Request) -> Script {
    let uri = request.uri().unwrap_or_default();
    match config
        .resources
        .get(uri)
        .or_else(|| config.templates.matching(uri))
    {
        Some(handler) => handler(request),
        None => {
            let code = if config.is_modern(request) {
                INVALID_PARAMS
            } else {
                RESOURCE_NOT_FOUND
            };
            Script::new().error_with_data(code, "Resource not found", json!({"uri": uri}))
        }
    }
}

fn complete(values: &[String], request: &Request) -> Script {
    let typed = request.field("argument")["value"]
        .as_str()
        .unwrap_or_default();
    let fitting: Vec<&String> = values
        .iter()
        .filter(|value| value.starts_with(typed))
        .collect();
    let shown = &fitting[..fitting.len().min(COMPLETION_LIMIT)];
    Script::new().result(json!({"completion": {
        "values": shown,
        "total": fitting.len(),
        "hasMore": shown.len() < fitting.len(),
    }}))
}

/// One page of a list. The cursor is the place of the page's first entry.
fn page(config: &Config, request: &Request, name: &str, all: Vec<Value>) -> Script {
    let start = match request.field("cursor") {
        Value::Null => Some(0),
        cursor => cursor.as_str().and_then(|text| text.parse().ok()),
    };
    let Some(start) = start.filter(|start| *start <= all.len()) else {
        return Script::new().error(INVALID_PARAMS, "Unknown cursor");
    };
    let end = config
        .page_size
        .map_or(all.len(), |size| all.len().min(start + size));
    let mut result = json!({name: &all[start..end]});
    if end < all.len() {
        result["nextCursor"] = json!(end.to_string());
    }
    Script::new().result(result)
}
