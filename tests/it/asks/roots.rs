//! Roots that are set, set anew, and given by a handler.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mcp_progress::model::{ClientCapabilities, Root};
use mcp_progress::{ErrorKind, ErrorObject, ProtocolVersion};
use serde_json::{Value, json};

use super::{ask, assert_error, connect, introduction};

const METHOD: &str = "roots/list";
const CHANGED: &str = "notifications/roots/list_changed";

#[tokio::test(start_paused = true)]
async fn roots_are_listed_and_set_anew() {
    let (client, mut peer) =
        connect(|connect| connect.roots([Root::new("file:///a").named("A")])).await;
    // With params and without, as servers write it.
    peer.send(&json!({"jsonrpc": "2.0", "id": 1, "method": METHOD}))
        .await;
    let listed = json!({"roots": [{"uri": "file:///a", "name": "A"}]});
    assert_eq!(peer.next().await["result"], listed);
    assert_eq!(ask(&mut peer, METHOD, json!({})).await["result"], listed);

    client
        .set_roots([Root::new("file:///b")])
        .expect("they are set");
    assert_eq!(
        peer.next().await,
        json!({"jsonrpc": "2.0", "method": CHANGED})
    );
    let listed = json!({"roots": [{"uri": "file:///b"}]});
    assert_eq!(ask(&mut peer, METHOD, json!({})).await["result"], listed);

    client.clone().set_roots([]).expect("they are set");
    assert_eq!(peer.next().await["method"], CHANGED);
    assert_eq!(
        ask(&mut peer, METHOD, json!({})).await["result"],
        json!({"roots": []})
    );

    client.close().await;
    let error = client.set_roots([]).expect_err("the connection is over");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
}

#[tokio::test(start_paused = true)]
async fn roots_of_a_handler_change_when_it_says_so() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let (client, mut peer) = connect(|connect| {
        connect.on_roots(move |_context| {
            let n = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                match n {
                    2 => Err(ErrorObject::new(-32603, "the folder is gone")),
                    n => Ok(vec![Root::new(format!("file:///{n}"))]),
                }
            }
        })
    })
    .await;
    for n in 0..2 {
        let listed = json!({"roots": [{"uri": format!("file:///{n}")}]});
        assert_eq!(ask(&mut peer, METHOD, json!({})).await["result"], listed);
        client.notify_roots_changed().expect("it is told");
        assert_eq!(peer.next().await["method"], CHANGED);
    }
    assert_error(&ask(&mut peer, METHOD, json!({})).await, -32603, "gone");
    let error = client.set_roots([]).expect_err("a handler lists them");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_offered_is_not_told() {
    let silent = ClientCapabilities::default().with_roots(false);
    let (client, mut peer) = connect(|connect| connect.roots([]).capabilities(silent)).await;
    let error = client
        .set_roots([Root::new("file:///a")])
        .expect_err("it is not told");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    // They are set all the same.
    let listed = json!({"roots": [{"uri": "file:///a"}]});
    assert_eq!(ask(&mut peer, METHOD, json!({})).await["result"], listed);

    let (client, peer) = connect(|connect| connect).await;
    let error = client.notify_roots_changed().expect_err("it has none");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    client.close().await;
    assert_eq!(peer.rest().await, Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn in_2026_07_28_there_is_nothing_to_tell() {
    let version = ProtocolVersion::V2026_07_28;
    let (client, peer, _) = introduction(version, |connect| connect.roots([])).await;
    client
        .set_roots([Root::new("file:///a")])
        .expect("they are set");
    client.notify_roots_changed().expect("nothing happens");
    client.close().await;
    assert_eq!(peer.rest().await, Vec::<Value>::new());
}
