//! Row 1, *Hermes*: a token of one's own and a callback that is registered before the request, on requests of every kind;
//! unregistering by token; progress the other way. The page with a bar is driven in a browser by `tests/web`.
//!
//! The peers are `servers/hermes.mjs` on the low-level server of the first TypeScript SDK, and `servers/hermes.py` on that of the
//! second Python SDK, in both eras.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock};

use mcp_progress::model::{CreateMessageResult, ElicitResult, Root};
use mcp_progress::{
    Client, Connect, Progress, ProgressToken, ProtocolVersion, RequestContext, StreamEnd,
};
use seeds::{Notes, Peer};
use serde_json::{Value, json};

/// Where a client may be had once it is connected, for handlers that were set before.
type Later = Arc<OnceLock<Client>>;

/// What a callback was given: the token, the progress, the total or none.
type Heard = Arc<Mutex<Vec<(ProgressToken, f64, Option<f64>)>>>;

/// A callback that writes down what it is given.
fn writes(heard: &Heard) -> impl FnMut(Progress) + Send + 'static {
    let heard = heard.clone();
    move |update| {
        let entry = (update.token, update.progress, update.total);
        heard.lock().unwrap().push(entry);
    }
}

fn taken(heard: &Heard) -> Vec<(ProgressToken, f64, Option<f64>)> {
    heard.lock().unwrap().clone()
}

/// What the servers report, of which the second has no total.
fn three(token: &ProgressToken) -> Vec<(ProgressToken, f64, Option<f64>)> {
    [(1.0, Some(3.0)), (2.0, None), (3.0, Some(3.0))]
        .map(|(progress, total)| (token.clone(), progress, total))
        .into()
}

/// A client of each peer, in each era that it has.
async fn clients() -> Vec<Client> {
    let pin = |peer: &Peer, version| peer.connect().protocol(version);
    let (node, python) = (Peer::node("hermes.mjs"), Peer::python("py2", "hermes.py"));
    vec![
        pin(&node, ProtocolVersion::V2025_11_25).await.unwrap(),
        pin(&python, ProtocolVersion::V2025_11_25).await.unwrap(),
        pin(&python, ProtocolVersion::V2026_07_28).await.unwrap(),
    ]
}

#[test]
fn tokens_are_generated_and_differ() {
    let tokens: HashSet<ProgressToken> = (0..1_000).map(|_| ProgressToken::generate()).collect();
    assert_eq!(tokens.len(), 1_000);
}

#[tokio::test]
async fn a_callback_registered_first_hears_read_resource() {
    for client in clients().await {
        let (token, heard) = (ProgressToken::generate(), Heard::default());
        let registration = client.progress().register(&token, writes(&heard));
        let result = client
            .read_resource("seed:///report")
            .progress_token(token.clone())
            .await
            .unwrap();
        // All were there before the result.
        assert_eq!(taken(&heard), three(&token));
        assert_eq!(result.contents[0].as_text(), Some("all is well"));
        assert_eq!(
            client.progress().len(),
            0,
            "the token went with its request"
        );
        drop(registration);
        client.close().await;
    }
}

#[tokio::test]
async fn a_callback_registered_first_hears_tools_list() {
    for client in clients().await {
        let (token, heard) = (ProgressToken::generate(), Heard::default());
        let _registration = client.progress().register(&token, writes(&heard));
        // Beside it the request's own handler, which is what most people write.
        let mut own = Vec::new();
        let result = client
            .list_tools()
            .progress_token(token.clone())
            .on_progress(|update| own.push((update.token, update.progress, update.total)))
            .await
            .unwrap();
        assert_eq!(taken(&heard), three(&token));
        assert_eq!(own, three(&token));
        assert_eq!(result.tools[0].name, "listen");
        client.close().await;
    }
}

/// Tokens of both JSON types, and one callback for each of two requests at once.
#[tokio::test]
async fn each_token_has_its_own_callback() {
    for client in clients().await {
        let tokens = [ProgressToken::from("list"), ProgressToken::from(7)];
        let heard = [Heard::default(), Heard::default()];
        let _listing = client.progress().register(&tokens[0], writes(&heard[0]));
        let _reading = client.progress().register(&tokens[1], writes(&heard[1]));
        let (list, read) = (client.list_tools(), client.read_resource("seed:///report"));
        let (list, read) = tokio::join!(
            list.progress_token(tokens[0].clone()).send(),
            read.progress_token(tokens[1].clone()).send(),
        );
        list.unwrap();
        read.unwrap();
        for (token, heard) in tokens.iter().zip(&heard) {
            assert_eq!(taken(heard), three(token));
        }
        client.close().await;
    }
}

/// The server waits in the middle; nothing is called after `unregister` has returned, though the server goes on.
#[tokio::test]
async fn unregister_by_token_in_the_middle_of_a_call() {
    let peer = Peer::node("hermes.mjs");
    let client = peer.connect().await.unwrap();
    let (token, heard) = (ProgressToken::generate(), Heard::default());
    let _registration = client.progress().register(&token, writes(&heard));
    let mut stream = client.progress().subscribe(&token);
    let call = client
        .read_resource("seed:///gated")
        .progress_token(token.clone())
        .start();
    let running = call.detach();
    for value in [1.0, 2.0] {
        assert_eq!(
            stream.next().await.map(|update| update.progress),
            Some(value)
        );
    }
    // The callback runs beside the stream, in the future of the call.
    while taken(&heard).len() < 2 {
        tokio::task::yield_now().await;
    }
    assert!(client.progress().unregister(&token));
    client.notify("notifications/seeds/go", json!({})).unwrap();
    let result = running.await.unwrap();
    assert_eq!(result.contents[0].as_text(), Some("all is well"));
    assert_eq!(peer.notes().of("sent").len(), 3, "the server sent more");
    let values: Vec<f64> = taken(&heard).iter().map(|heard| heard.1).collect();
    assert_eq!(values, [1.0, 2.0], "and nobody was called for it");
    let after = stream.next().await;
    assert!(after.is_none(), "the stream goes on: {after:?}");
    assert_eq!(stream.end(), Some(StreamEnd::Unregistered));
    assert!(!client.progress().unregister(&token), "it is gone");
    client.close().await;
}

/// Sends 50 of 100 for the token of the server's request, and waits until the server has heard it: this SDK forgets its callback
/// when it reads an answer, before it calls it for what it read just before.
async fn half(client: &Later, context: &RequestContext, notes: &Notes) {
    let client = client.get().expect("connected");
    let token = context.progress_token().expect("the server wants to hear");
    client.send_progress(&token, 50.0, 100.0, None).unwrap();
    notes.wait_for("heard", 1).await;
}

fn answering(connect: Connect, later: &Later, notes: &Notes) -> Connect {
    let kept = || (later.clone(), notes.clone());
    let (forms, samples, roots) = (kept(), kept(), kept());
    connect
        .on_elicitation(move |_, context| {
            let (client, notes) = forms.clone();
            async move {
                half(&client, &context, &notes).await;
                Ok(ElicitResult::accept().with("name", "Ada"))
            }
        })
        .on_sampling(move |_, context| {
            let (client, notes) = samples.clone();
            async move {
                half(&client, &context, &notes).await;
                Ok(CreateMessageResult::text("model", "Hello."))
            }
        })
        .on_roots(move |context| {
            let (client, notes) = roots.clone();
            async move {
                half(&client, &context, &notes).await;
                Ok(vec![Root::new("file:///work")])
            }
        })
}

/// The other way: what the client sends is heard by the SDK's own callback, in requests of the server of every kind.
#[tokio::test]
async fn send_progress_is_heard_by_the_server() {
    for kind in ["roots", "elicitation", "sampling"] {
        let (peer, later) = (Peer::node("hermes.mjs"), Later::default());
        let connect = answering(peer.connect(), &later, &peer.notes());
        let client = connect.await.unwrap();
        later.set(client.clone()).unwrap();
        let result = client.call_tool("listen", json!({"kind": kind})).await;
        let heard = result.unwrap().as_text().unwrap();
        let heard: Value = serde_json::from_str(&heard).unwrap();
        assert_eq!(heard, json!([{"progress": 50, "total": 100}]), "{kind}");
        client.close().await;
    }
}
