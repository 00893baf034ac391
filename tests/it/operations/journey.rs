//! One operation over all that may carry it: two rounds of questions, a task, a connection that breaks, and a client that
//! dies on the way.

use std::time::Duration;

use mcp_progress::model::{TaskHandle, TaskStatus};
use mcp_progress::testing::{Log, Script, ScriptedServer};
use mcp_progress::transport::HttpEndpoint;
use mcp_progress::{Client, ProtocolVersion, UpdateKind};
use serde_json::json;
use tokio::sync::oneshot;

use super::relay::Relay;
use super::tasks::{
    HANDSHAKE, MODERN, answering, assert_nothing_is_left, hosting, question, start,
};
use crate::peer::spawn;

const MOMENT: Duration = Duration::from_millis(100);

/// Asks twice, then works as a task for a second or so.
fn traveller() -> ScriptedServer {
    ScriptedServer::new().tasks(hosting()).tool("travel", |_| {
        Script::new()
            .progress(1, 4)
            .ask("where", "elicitation/create", question())
            .progress(1, 4)
            .ask("when", "elicitation/create", question())
            .progress(1, 4)
            .become_task()
            .status("packing")
            .wait(MOMENT * 4)
            .status("under way")
            .wait(MOMENT * 6)
            .status("nearly there")
            .wait(MOMENT)
            .text("arrived")
    })
}

async fn serve(server: ScriptedServer) -> (u16, Log) {
    let log = server.log();
    let listening = server
        .http()
        .bind(("127.0.0.1", 0))
        .await
        .expect("a port is free");
    let port = listening.address().port();
    spawn(listening.serve());
    (port, log)
}

async fn client(url: &str, version: ProtocolVersion) -> Client {
    let endpoint = HttpEndpoint::new(url);
    answering(Client::connect(endpoint).protocol(version))
        .await
        .expect("connected")
}

#[tokio::test]
async fn a_call_of_two_rounds_and_a_task_survives_a_break_as_one_stream() {
    let (port, log) = serve(traveller()).await;
    let relay = Relay::before(port).await;
    let client = client(&relay.url(), MODERN).await;
    let mut call = start(&client, "travel");
    let mut seen = Vec::new();
    let mut cut = false;
    while let Some(update) = call.next().await {
        if !cut && matches!(update.kind, UpdateKind::Status(_)) {
            cut = true;
            relay.cut();
            // The call goes on meanwhile, and finds the server gone.
            let mend = relay.mender();
            spawn(async move {
                tokio::time::sleep(MOMENT * 5).await;
                mend.mend();
            });
        }
        seen.push(update);
    }
    let result = call.await.expect("a result");
    assert_eq!(result.as_text().as_deref(), Some("arrived"));
    assert_eq!(log.executions("travel"), 1);
    let legs: Vec<_> = seen.iter().map(|update| update.leg).collect();
    assert!(legs.starts_with(&[1, 2, 3]) && legs.is_sorted(), "{seen:?}");
    assert!(
        seen.iter()
            .enumerate()
            .all(|(n, update)| update.seq == n as u64 + 1),
        "{seen:?}"
    );
    let gaps = seen.iter().filter(|update| update.gap).count();
    assert_eq!(gaps, 1, "{seen:?}");
    let last = seen.last().map(|update| update.kind);
    assert_eq!(last, Some(UpdateKind::Status(TaskStatus::Completed)));
    assert_nothing_is_left(&client);
}

/// Begins a call in a runtime of its own and lets it die with that, as with a process: nothing is told to the server.
fn begin_and_die(url: String, version: ProtocolVersion) -> String {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let saved = runtime.block_on(async {
        let client = client(&url, version).await;
        let mut call = start(&client, "travel");
        while let Some(update) = call.next().await {
            if let Some(handle) = call.task().filter(|_| update.message.is_some()) {
                std::mem::forget((call, client));
                return serde_json::to_string(&handle).expect("plain data");
            }
        }
        panic!("it became no task");
    });
    runtime.shutdown_background();
    saved
}

#[tokio::test]
async fn another_client_finishes_what_one_began_that_died() {
    for version in [MODERN, HANDSHAKE] {
        let (port, log) = serve(traveller()).await;
        let url = format!("http://127.0.0.1:{port}/mcp");
        let (done, saved) = oneshot::channel();
        std::thread::spawn({
            let url = url.clone();
            move || done.send(begin_and_die(url, version))
        });
        let saved = saved.await.expect("the other one got so far");
        let handle: TaskHandle = serde_json::from_str(&saved).expect("as it was written");
        let client = Client::http(&url)
            .resuming(&handle)
            .await
            .expect("connected");
        let mut call = client.resume_task(&handle).start();
        assert_eq!(call.token(), handle.progress_token.as_ref());
        let mut words = Vec::new();
        while let Some(update) = call.next().await {
            words.extend(update.message.map(|message| message.to_string()));
        }
        let result = call.await.expect("a result");
        assert_eq!(result.as_text().as_deref(), Some("arrived"), "{version}");
        assert!(
            words.contains(&"nearly there".to_owned()),
            "{version}: {words:?}"
        );
        assert_eq!(log.executions("travel"), 1, "{version}");
        assert!(log.requests("tasks/cancel").is_empty());
        assert_nothing_is_left(&client);
        client.close().await;
    }
}

#[tokio::test]
async fn a_call_can_leave_its_task_to_the_server() {
    for version in [MODERN, HANDSHAKE] {
        let (port, log) = serve(traveller()).await;
        let url = format!("http://127.0.0.1:{port}/mcp");
        let first = client(&url, version).await;
        let mut call = start(&first, "travel");
        let handle = loop {
            call.next().await.expect("it becomes a task");
            if call.task().is_some() {
                break call.leave().expect("it is one");
            }
        };
        assert_nothing_is_left(&first);
        first.close().await;
        let second = Client::http(&url)
            .resuming(&handle)
            .await
            .expect("connected");
        let result = second.resume_task(&handle).await.expect("a result");
        assert_eq!(result.as_text().as_deref(), Some("arrived"), "{version}");
        assert!(log.requests("tasks/cancel").is_empty(), "{version}");
        assert_eq!(log.executions("travel"), 1, "{version}");
    }
}

#[tokio::test]
async fn a_handle_of_another_revision_is_refused() {
    let (port, _log) = serve(traveller()).await;
    let url = format!("http://127.0.0.1:{port}/mcp");
    let client = client(&url, HANDSHAKE).await;
    let saved = json!({"taskId": "x", "protocolVersion": "2026-07-28", "notedAtMs": 0});
    let handle: TaskHandle = serde_json::from_value(saved).expect("a handle");
    let error = client
        .resume_task(&handle)
        .await
        .expect_err("it is of another form");
    assert_eq!(error.kind(), mcp_progress::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("2026-07-28"), "{error}");
    assert!(
        !format!("{handle:?}").contains("\"x\""),
        "the id is a secret"
    );
}
