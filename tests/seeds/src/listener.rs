//! Owns a server that asks its client for something, and listens to how far that is. Must not know what the client reports.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use mcp_progress::model::CreateMessageResult;
use mcp_progress::{Client, RequestContext};
use serde_json::{Value, json};

use crate::peers::Peer;

/// Has `servers/openmcp.py` ask its client for a completion, during which `work` reports; gives what the callback of the server's
/// SDK was told before the answer came.
///
/// # Panics
///
/// If the work panics, which the server is told as an error.
pub async fn heard_of<F, Fut>(arguments: Value, work: F) -> Vec<Value>
where
    F: Fn(Client, RequestContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let later = Arc::new(OnceLock::<Client>::new());
    let kept = later.clone();
    let client = Peer::python("py1", "openmcp.py")
        .connect()
        .on_sampling(move |_, context| {
            let client = kept.get().expect("connected").clone();
            let work = work(client, context);
            async move {
                work.await;
                Ok(CreateMessageResult::text("model", "Hello."))
            }
        })
        .await
        .expect("the peer is connected");
    later.set(client.clone()).expect("only once");
    let result = client.call_tool("listen", arguments).await;
    let result = result.expect("the call itself works");
    let text = result.as_text().expect("a text");
    assert!(!result.is_error, "the work failed: {text}");
    let mut heard: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    // All that is heard is heard before the answer.
    assert_eq!(heard.pop(), Some(json!("answered")));
    client.close().await;
    heard
}
