//! Typed handlers for requests of the server, over the wire: what they are given, what becomes of their answers, and
//! what the client offers because of them.
//!
//! How many run at once, and how requests wait, is in `server_requests`.

mod forms;
mod handlers;
mod offers;
mod pages;
mod pauses;
mod progress;
mod roots;
mod sampling;

use mcp_progress::{Client, Connect, ProtocolVersion};
use serde_json::{Value, json};

use crate::peer::{Peer, initialized};

/// A client of revision 2025-11-25 and its server.
async fn connect(options: impl FnOnce(Connect) -> Connect) -> (Client, Peer) {
    Peer::connect_with(1 << 16, options).await
}

/// Asks, and waits for the answer.
async fn ask(peer: &mut Peer, method: &str, params: Value) -> Value {
    let id = json!("asked");
    let request = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    peer.send(&request).await;
    let reply = peer.next().await;
    assert_eq!(reply["id"], id, "{reply}");
    reply
}

#[track_caller]
fn assert_error(reply: &Value, code: i64, text: &str) {
    assert_eq!(reply["error"]["code"], code, "{reply}");
    let message = reply["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains(text), "{reply}");
    assert!(reply.get("result").is_none(), "{reply}");
}

/// What a request of 2026-07-28 says that the client can do, but for tasks, which need no handler.
fn capabilities_in(request: &Value) -> Value {
    let meta = &request["params"]["_meta"];
    let mut said = meta["io.modelcontextprotocol/clientCapabilities"].clone();
    let capabilities = said.as_object_mut().expect("an object");
    if capabilities.get("extensions") == Some(&json!({"io.modelcontextprotocol/tasks": {}})) {
        capabilities.remove("extensions");
    }
    said
}

/// What a client with these options says of itself in this revision, and all that it says until it is closed.
async fn introduction(
    version: ProtocolVersion,
    options: impl FnOnce(Connect) -> Connect,
) -> (Client, Peer, Value) {
    let (io, mut peer) = Peer::pair(1 << 16);
    let connect = options(Client::connect(io).protocol(version));
    let (client, capabilities) = tokio::join!(connect.into_future(), async {
        let request = peer.next().await;
        if version.is_modern() {
            let result = json!({
                "supportedVersions": [version], "capabilities": {}, "resultType": "complete",
            });
            peer.answer(&request, result).await;
            capabilities_in(&request)
        } else {
            peer.answer(&request, initialized(version.as_str())).await;
            assert_eq!(peer.next().await["method"], "notifications/initialized");
            request["params"]["capabilities"].clone()
        }
    });
    (client.expect("connects"), peer, capabilities)
}
