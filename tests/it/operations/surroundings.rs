//! Where calls that go on are polled, how many of them at once, and what their handlers do.

use std::time::Duration;

use mcp_progress::model::ElicitResult;
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, ErrorKind, Overflow, UpdateKind};
use serde_json::json;

use crate::peer::block_on;

use super::tasks::{
    HANDSHAKE, MODERN, answering, assert_nothing_is_left, hosting, question, start,
};

fn asking_worker() -> ScriptedServer {
    ScriptedServer::new()
        .tasks(hosting())
        .tool("work", |_| {
            Script::new()
                .ask("sure", "elicitation/create", question())
                .become_task()
                .status("one")
                .wait(Duration::from_millis(120))
                .status("two")
                .wait(Duration::from_millis(120))
                .text("done")
        })
        .tool("other", |_| Script::new().text("other"))
}

#[test]
fn a_call_that_goes_on_may_be_polled_on_any_executor() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let client = runtime.block_on(async {
        answering(Client::connect(asking_worker()).protocol(MODERN))
            .await
            .expect("connected")
    });
    let result = block_on(client.call_tool("work", json!({})).send());
    assert_eq!(result.expect("a result").as_text().as_deref(), Some("done"));
    assert_nothing_is_left(&client);
}

#[test]
fn a_runtime_that_ends_in_the_middle_of_a_task_ends_the_call() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (client, call) = runtime.block_on(async {
        let server = ScriptedServer::new()
            .tasks(hosting())
            .tool("long", |_| Script::new().become_task().silence());
        let client = Client::connect(server)
            .protocol(MODERN)
            .await
            .expect("connected");
        let mut call = start(&client, "long");
        call.next().await.expect("it became a task");
        (client, call)
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    let error = block_on(call.result()).expect_err("nothing is there any more");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    assert_nothing_is_left(&client);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_tasks_at_once_all_end() {
    for version in [MODERN, HANDSHAKE] {
        let server = ScriptedServer::new()
            .tasks(hosting())
            .tool("work", |request| {
                let n = request.params()["arguments"]["n"].to_string();
                Script::new()
                    .become_task()
                    .wait(Duration::from_millis(300))
                    .status("half")
                    .wait(Duration::from_millis(300))
                    .text(n)
            });
        let log = server.log();
        let client = Client::connect(server)
            .protocol(version)
            .await
            .expect("connected");
        let calls = (0..1000).map(|n| {
            client
                .call_tool("work", json!({"n": n}))
                .as_task(None)
                .send()
        });
        let results = futures::future::join_all(calls).await;
        for (n, result) in results.into_iter().enumerate() {
            let text = result.expect("a result").as_text();
            assert_eq!(text, Some(n.to_string()), "{version}");
        }
        assert_eq!(log.executions("work"), 1000, "{version}");
        assert_nothing_is_left(&client);
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_ends_its_call_and_no_other() {
    let client = Client::connect(asking_worker())
        .protocol(MODERN)
        .on_elicitation(|_form, _context| async { panic!("no answer") })
        .await
        .expect("connected");
    let error = start(&client, "work").await.expect_err("it has no answer");
    assert_eq!(error.kind(), ErrorKind::InputRequired, "{error}");
    assert!(
        !error.to_string().contains("no answer in"),
        "what it said is nobody else's business"
    );
    client
        .call_tool("other", json!({}))
        .await
        .expect("unharmed");
    assert_nothing_is_left(&client);
}

#[tokio::test(start_paused = true)]
async fn a_handler_may_call_the_same_client() {
    let (give, given) = tokio::sync::watch::channel(None::<Client>);
    let client = Client::connect(asking_worker())
        .protocol(MODERN)
        .on_elicitation(move |_form, _context| {
            let client = given.borrow().clone();
            async move {
                let other = client
                    .expect("it was given")
                    .call_tool("other", json!({}))
                    .await;
                let text = other.expect("a result").as_text().unwrap_or_default();
                Ok(ElicitResult::accept().with("name", text))
            }
        })
        .await
        .expect("connected");
    give.send_replace(Some(client.clone()));
    let result = start(&client, "work").await.expect("a result");
    assert_eq!(result.as_text().as_deref(), Some("done"));
}

#[tokio::test(start_paused = true)]
async fn every_policy_keeps_the_last_status_and_says_how_many_it_stands_for() {
    for overflow in [
        Overflow::Latest,
        Overflow::Buffer(1),
        Overflow::Lossless { up_to: 9 },
    ] {
        let client = answering(Client::connect(asking_worker()).protocol(MODERN))
            .await
            .expect("connected");
        let mut call = client
            .call_tool("work", json!({}))
            .overflow(overflow)
            .start();
        let mut all = call.updates();
        let mut seen = Vec::new();
        while let Some(update) = call.next().await {
            seen.push(update);
        }
        let sum: u64 = seen.iter().map(|update| 1 + update.merged).sum();
        let last = seen.last().expect("there is one");
        assert_eq!(sum, last.seq, "{overflow:?}");
        assert!(matches!(last.kind, UpdateKind::Status(status) if status.is_terminal()));
        call.await.expect("a result");
        let mut told = 0;
        while let Some(update) = all.next().await {
            told += 1 + update.merged;
        }
        assert_eq!(told, sum, "the other subscriber heard as much");
    }
}
