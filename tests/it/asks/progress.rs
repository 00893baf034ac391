//! What a handler reports to the server that asked for it: when it goes out, and that nothing does behind the answer.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mcp_progress::model::ElicitResult;
use mcp_progress::{Client, Connect, ErrorObject, RequestContext};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{connect, introduction};
use crate::peer::{Peer, settle, spawn};

const METHOD: &str = "elicitation/create";

type Answer = Result<ElicitResult, ErrorObject>;

/// A client with this handler, which was asked under this token.
async fn asked<F, Fut>(token: Value, handler: F) -> (Client, Peer)
where
    F: Fn(RequestContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Answer> + Send + 'static,
{
    let options = |connect: Connect| connect.on_elicitation(move |_form, context| handler(context));
    let (client, mut peer) = connect(options).await;
    let mut params =
        json!({"message": "m", "requestedSchema": {"type": "object", "properties": {}}});
    if !token.is_null() {
        params["_meta"] = json!({"progressToken": token});
    }
    peer.send(&json!({"jsonrpc": "2.0", "id": "q", "method": METHOD, "params": params}))
        .await;
    (client, peer)
}

/// What is sent up to the answer, and the answer; nothing may come behind it.
async fn heard(client: Client, mut peer: Peer, token: &Value) -> (Vec<Value>, Value) {
    let mut updates = Vec::new();
    let answer = loop {
        let message = peer.next().await;
        if message["id"] == "q" {
            break message;
        }
        assert_eq!(message["method"], "notifications/progress", "{message}");
        let mut params = message["params"].clone();
        let fields = params.as_object_mut().expect("an object");
        assert_eq!(fields.remove("progressToken").as_ref(), Some(token));
        updates.push(params);
    };
    // Longer than any interval.
    tokio::time::sleep(Duration::from_secs(10)).await;
    client.close().await;
    assert_eq!(peer.rest().await, Vec::<Value>::new());
    (updates, answer)
}

#[tokio::test(start_paused = true)]
async fn the_last_update_goes_out_before_the_answer() {
    let token = json!("p-1");
    let (client, peer) = asked(token.clone(), |context| async move {
        let reporter = context.reporter();
        reporter.total(10).expect("a total");
        for done in 1..=10 {
            reporter.set(done).expect("it rises");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(ElicitResult::accept())
    })
    .await;
    let (updates, answer) = heard(client, peer, &token).await;
    assert_eq!(answer["result"]["action"], "accept");
    assert_eq!(
        updates,
        [
            json!({"progress": 1, "total": 10}),
            json!({"progress": 10, "total": 10})
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn also_where_the_handler_never_waits() {
    let token = json!(7);
    let (client, peer) = asked(token.clone(), |context| {
        let reporter = context.reporter();
        reporter.set(1).expect("it rises");
        reporter.set(2).expect("it rises");
        std::future::ready(Ok(ElicitResult::decline()))
    })
    .await;
    let (updates, answer) = heard(client, peer, &token).await;
    assert_eq!(answer["result"]["action"], "decline");
    assert_eq!(updates.last(), Some(&json!({"progress": 2})));
}

#[tokio::test(start_paused = true)]
async fn updates_go_out_while_the_handler_waits() {
    let token = json!("p-1");
    let (told, mut answer) = mpsc::unbounded_channel::<()>();
    let answered = Arc::new(tokio::sync::Notify::new());
    let user = answered.clone();
    let (client, mut peer) = asked(token.clone(), move |context| {
        let user = user.clone();
        let told = told.clone();
        async move {
            let reporter = context.reporter();
            // The same one, whoever asks.
            reporter.set(1).expect("it rises");
            context.clone().reporter().set(2).expect("it rises");
            told.send(()).expect("somebody listens");
            user.notified().await;
            Ok(ElicitResult::accept())
        }
    })
    .await;
    answer.recv().await.expect("the handler waits");
    // The user thinks for a long time: what was held goes out without another call.
    let mut seen = 0;
    while seen < 2 {
        let update = peer.next().await;
        seen = update["params"]["progress"].as_u64().expect("a number");
    }
    answered.notify_one();
    let (updates, _) = heard(client, peer, &token).await;
    assert_eq!(updates, Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_report_from_another_task_and_with_options() {
    let token = json!("p-1");
    let (client, peer) = asked(token.clone(), |context| async move {
        let work = spawn(async move {
            // The handler's own future has been polled by now, and waits.
            settle().await;
            let reporter = context.reporter_with(|builder| builder.emit_hz(0.0));
            let reporter = reporter.expect("good options");
            for done in 1..=5 {
                reporter.set(done).expect("it rises");
                settle().await;
            }
        });
        work.await.expect("no panic");
        Ok(ElicitResult::accept())
    })
    .await;
    let (updates, _) = heard(client, peer, &token).await;
    let expected = (1..=5).map(|done| json!({"progress": done}));
    assert_eq!(updates, expected.collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_end_its_reporter_itself() {
    let token = json!("p-1");
    let (client, peer) = asked(token.clone(), |context| async move {
        let reporter = context.reporter();
        reporter.total(3).expect("a total");
        reporter.set(1).expect("it rises");
        reporter.finish().await.expect("it is sent");
        assert!(context.reporter().set(2).is_err(), "it has ended");
        Ok(ElicitResult::accept())
    })
    .await;
    let (updates, _) = heard(client, peer, &token).await;
    assert_eq!(updates.last(), Some(&json!({"progress": 3, "total": 3})));
}

/// By the client itself, or by a reporter of its own: what was sent under the token is not overtaken by the answer.
#[tokio::test(start_paused = true)]
async fn what_a_handler_sends_by_other_means_goes_out_before_the_answer() {
    for by_reporter in [false, true] {
        let token = json!("p-1");
        let given = Arc::new(OnceLock::<Client>::new());
        let own = given.clone();
        let (told, mut waits) = mpsc::unbounded_channel::<()>();
        let (client, peer) = asked(token.clone(), move |context| {
            let (given, told) = (given.clone(), told.clone());
            async move {
                told.send(()).expect("somebody listens");
                settle().await;
                let client = given.get().expect("it is there");
                let token = context.progress_token().expect("one was given");
                if by_reporter {
                    let reporter = client.reporter(&token).expect("a revision with progress");
                    let reporter = reporter.build().expect("good options");
                    reporter.set(50).expect("it rises");
                    reporter.finish().await.expect("it is sent");
                } else {
                    let sent = client.send_progress(&token, 50.0, 100.0, None);
                    sent.expect("it is queued");
                }
                Ok(ElicitResult::accept())
            }
        })
        .await;
        own.set(client.clone()).expect("the first");
        waits.recv().await.expect("the handler has begun");
        let (updates, answer) = heard(client, peer, &token).await;
        assert_eq!(answer["result"]["action"], "accept");
        let last = updates.last().map(|update| &update["progress"]);
        assert_eq!(last, Some(&json!(50)), "{by_reporter}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_handler_is_the_end_of_its_report() {
    let token = json!("p-1");
    let (client, peer) = asked(token.clone(), |context| async move {
        let reporter = context.reporter();
        reporter.total(10).expect("a total");
        reporter.set(4).expect("it rises");
        Err(ErrorObject::new(-32000, "nobody there"))
    })
    .await;
    let (updates, answer) = heard(client, peer, &token).await;
    assert_eq!(answer["error"]["code"], -32000);
    let last = updates.last().expect("an update");
    assert!(
        last["progress"]
            .as_f64()
            .is_some_and(|progress| progress < 10.0),
        "{last}"
    );
    assert_eq!(last["message"], "nobody there");
}

#[tokio::test(start_paused = true)]
async fn nothing_goes_out_after_a_cancel() {
    let token = json!("p-1");
    let (told, mut reported) = mpsc::unbounded_channel();
    let (client, mut peer) = asked(token, move |context| {
        let told = told.clone();
        async move {
            let reporter = context.reporter();
            reporter.set(1).expect("it rises");
            tokio::time::sleep(Duration::from_millis(50)).await;
            // Held back: the interval is longer.
            reporter.set(2).expect("it rises");
            told.send(reporter).expect("somebody listens");
            std::future::pending::<()>().await;
            Ok(ElicitResult::accept())
        }
    })
    .await;
    assert_eq!(peer.next().await["params"]["progress"], 1);
    // Kept by somebody else, too.
    let reporter = reported.recv().await.expect("the handler runs");
    peer.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "q"}}))
        .await;
    settle().await;
    let _ = reporter.set(3);
    tokio::time::sleep(Duration::from_secs(10)).await;
    client.close().await;
    assert_eq!(peer.rest().await, Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn without_a_token_nothing_is_reported() {
    for token in [Value::Null, json!({"not": "a token"})] {
        let (client, peer) = asked(token.clone(), |context| async move {
            let reporter = context.reporter();
            assert!(reporter.is_noop());
            reporter.set(1).expect("nothing is refused");
            reporter.finish().await.expect("nothing is sent");
            Ok(ElicitResult::accept())
        })
        .await;
        let (updates, _) = heard(client, peer, &token).await;
        assert_eq!(updates, Vec::<Value>::new());
    }
    assert!(RequestContext::new(METHOD).reporter().is_noop());
}

#[tokio::test(start_paused = true)]
async fn in_2026_07_28_nothing_is_reported() {
    let version = mcp_progress::ProtocolVersion::V2026_07_28;
    let (client, mut peer, _) = introduction(version, |connect| {
        connect.on_elicitation(|_form, context| async move {
            assert!(context.progress_token().is_some());
            assert!(context.reporter().is_noop());
            Ok(ElicitResult::accept())
        })
    })
    .await;
    let params = json!({
        "message": "m", "requestedSchema": {"type": "object", "properties": {}}, "_meta": {"progressToken": "p"},
    });
    let (result, ()) = tokio::join!(client.call_tool("t", json!({})).into_future(), async {
        let request = peer.next().await;
        let asks = json!({"q": {"method": METHOD, "params": params}});
        peer.answer(
            &request,
            json!({"resultType": "input_required", "inputRequests": asks}),
        )
        .await;
        let again = peer.next().await;
        assert_eq!(again["method"], "tools/call", "{again}");
        assert_eq!(again["params"]["inputResponses"]["q"]["action"], "accept");
        peer.answer(&again, json!({"resultType": "complete", "content": []}))
            .await;
    });
    result.expect("a result");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read_holds_the_answer_up_for_a_second_only() {
    let (client, mut peer) = Peer::connect_with(1 << 9, |connect| {
        connect.on_elicitation(|_form, context| async move {
            context.reporter().set(1).expect("it rises");
            Ok(ElicitResult::accept())
        })
    })
    .await;
    // More than the pipe holds: the writer is busy with it.
    let long = "x".repeat(4_096);
    client
        .notify("notifications/vendor", json!({"text": long}))
        .expect("queued");
    let schema = json!({"type": "object", "properties": {}});
    let params = json!({"message": "m", "requestedSchema": schema, "_meta": {"progressToken": 1}});
    peer.send(&json!({"jsonrpc": "2.0", "id": "q", "method": METHOD, "params": params}))
        .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(client.stats().queued_frames, 2, "the update and the answer");
    assert_eq!(peer.next().await["method"], "notifications/vendor");
    assert_eq!(peer.next().await["id"], "q");
    assert_eq!(peer.next().await["params"]["progress"], 1);
}

#[cfg(feature = "http")]
#[tokio::test]
async fn over_http_updates_are_posted() {
    use mcp_progress::ProtocolVersion;
    use mcp_progress::testing::{Script, ScriptedServer};

    let form = json!({
        "message": "m", "requestedSchema": {"type": "object", "properties": {}}, "_meta": {"progressToken": "p-1"},
    });
    let server = ScriptedServer::new().tool("t", move |_| {
        Script::new().ask("q", METHOD, form.clone()).text("done")
    });
    let log = server.log();
    let listening = server.http().bind("127.0.0.1:0").await.expect("an address");
    let url = listening.url().to_owned();
    spawn(listening.serve());
    let client = Client::http(&url)
        .protocol(ProtocolVersion::V2025_11_25)
        .on_elicitation(|_form, context| async move {
            let reporter = context.reporter();
            reporter.total(3).expect("a total");
            for done in 1..=3 {
                reporter.set(done).expect("it rises");
            }
            Ok(ElicitResult::accept())
        })
        .await
        .expect("the handshake");
    client.call_tool("t", json!({})).await.expect("a result");
    client.close().await;
    let updates = log.notifications("notifications/progress");
    let last = updates.last().expect("an update").params().clone();
    assert_eq!(
        last,
        json!({"progressToken": "p-1", "progress": 3, "total": 3})
    );
}
