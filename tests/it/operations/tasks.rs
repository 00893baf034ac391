//! Calls that become tasks, in both forms: the extension of revision 2026-07-28, and revision 2025-11-25.

use std::time::Duration;

use mcp_progress::model::CallToolResult;
use mcp_progress::model::{ElicitResult, TaskStatus};
use mcp_progress::testing::{Log, Script, ScriptedServer, TaskHosting};
use mcp_progress::{
    Call, Client, Connect, Error, ErrorKind, Progress, ProtocolVersion, UpdateKind,
};
use serde_json::{Value, json};

pub(super) const MODERN: ProtocolVersion = ProtocolVersion::V2026_07_28;
pub(super) const HANDSHAKE: ProtocolVersion = ProtocolVersion::V2025_11_25;
const BOTH: [ProtocolVersion; 2] = [MODERN, HANDSHAKE];

const INTERVAL: Duration = Duration::from_millis(50);

pub(super) fn hosting() -> TaskHosting {
    TaskHosting::new().poll_interval(INTERVAL)
}

pub(super) fn question() -> Value {
    json!({"message": "Sure?", "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}}})
}

/// Three steps, the question after the second.
fn worker() -> ScriptedServer {
    ScriptedServer::new().tasks(hosting()).tool("work", |_| {
        Script::new()
            .burst(|together| together.become_task().progress(1, 3).status("one"))
            .wait(INTERVAL * 4)
            .progress(2, 3)
            .status("two")
            .ask("sure", "elicitation/create", question())
            .progress(3, 3)
            .status("three")
            .wait(INTERVAL * 4)
            .text("done")
    })
}

async fn connect(server: ScriptedServer, version: ProtocolVersion) -> Client {
    answering(Client::connect(server).protocol(version))
        .await
        .expect("connected")
}

pub(super) fn answering(connect: Connect) -> Connect {
    connect.on_elicitation(|_request, _context| async {
        Ok(ElicitResult::accept().with("name", "Ada"))
    })
}

pub(super) fn start(client: &Client, tool: &str) -> Call<CallToolResult> {
    client.call_tool(tool, json!({})).as_task(None).start()
}

async fn updates(call: &mut Call<CallToolResult>) -> Vec<Progress> {
    let mut seen = Vec::new();
    while let Some(update) = call.next().await {
        seen.push(update);
    }
    seen
}

fn words(seen: &[Progress]) -> Vec<&str> {
    let statuses = seen
        .iter()
        .filter(|update| update.kind != UpdateKind::Progress);
    statuses
        .filter_map(|update| update.message.as_deref())
        .collect()
}

fn figures(seen: &[Progress]) -> Vec<f64> {
    let figures = seen
        .iter()
        .filter(|update| update.kind == UpdateKind::Progress);
    figures.map(|update| update.progress).collect()
}

pub(super) fn assert_nothing_is_left(client: &Client) {
    let stats = client.stats();
    assert_eq!((stats.live_calls, stats.registrations), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_becomes_a_task_gives_one_stream_and_one_result() {
    for version in BOTH {
        let server = worker();
        let log = server.log();
        let client = connect(server, version).await;
        let mut call = start(&client, "work");
        let seen = updates(&mut call).await;
        let handle = call.task().expect("it became a task");
        assert_eq!(log.tasks(), std::slice::from_ref(&handle.task_id));
        let result = call.await.expect("it has a result");
        assert_eq!(result.as_text().as_deref(), Some("done"), "{version}");
        assert_eq!(log.executions("work"), 1, "{version}");
        assert!(words(&seen).starts_with(&["one"]), "{version}: {seen:?}");
        assert!(words(&seen).contains(&"three"), "{version}: {seen:?}");
        assert!(
            seen.iter()
                .enumerate()
                .all(|(n, update)| update.seq == n as u64 + 1 && !update.gap)
        );
        let last = seen.last().map(|update| update.kind);
        assert_eq!(
            last,
            Some(UpdateKind::Status(TaskStatus::Completed)),
            "{version}"
        );
        // Progress of a task is there in the handshake form only, the first with the creation in one write.
        let expected: &[f64] = if version.is_modern() {
            &[]
        } else {
            &[1.0, 2.0, 3.0]
        };
        assert_eq!(figures(&seen), expected, "{version}");
        let answers = log.requests("tasks/update");
        assert_eq!(
            answers.len(),
            usize::from(version.is_modern()),
            "answered once"
        );
        assert!(log.requests("tasks/cancel").is_empty(), "{version}");
        assert_nothing_is_left(&client);
    }
}

#[tokio::test(start_paused = true)]
async fn the_interval_of_the_server_is_kept() {
    for version in BOTH {
        let server = ScriptedServer::new()
            .tasks(
                hosting()
                    .poll_interval(Duration::from_secs(10))
                    .notifications(false),
            )
            .tool("long", |_| {
                Script::new()
                    .become_task()
                    .wait(Duration::from_secs(100))
                    .text("done")
            });
        let log = server.log();
        let client = connect(server, version).await;
        start(&client, "long").await.expect("it has a result");
        let looks = log.requests("tasks/get").len();
        // With up to a fifth of jitter on top: 100 seconds have room for 8 to 10, and the last one finds it done.
        assert!((9..=11).contains(&looks), "{version}: {looks} looks");
    }
}

async fn cancelled_at(log: &Log, count: usize) {
    for _ in 0..1000 {
        if log.requests("tasks/cancel").len() >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("the server was not told: {:?}", log.messages());
}

#[tokio::test(start_paused = true)]
async fn a_task_is_cancelled_by_drop_by_the_canceller_and_by_a_clock() {
    for version in BOTH {
        for how in ["drop", "cancel", "total", "close"] {
            let server = ScriptedServer::new()
                .tasks(hosting())
                .tool("long", |_| Script::new().become_task().silence());
            let log = server.log();
            let client = connect(server, version).await;
            let request = client.call_tool("long", json!({})).as_task(None);
            let mut call = request.total_timeout(Duration::from_secs(3)).start();
            let first = call.next().await.expect("it became a task");
            assert_eq!(first.kind, UpdateKind::Status(TaskStatus::Working));
            let expect = |error: Error, kind| assert_eq!(error.kind(), kind, "{how}: {error}");
            match how {
                "drop" => drop(call),
                "cancel" => {
                    assert!(call.canceller().cancel("enough"));
                    expect(call.await.expect_err("cancelled"), ErrorKind::Cancelled);
                }
                "close" => {
                    client.close().await;
                    expect(call.await.expect_err("closed"), ErrorKind::Cancelled);
                }
                _ => expect(call.await.expect_err("too long"), ErrorKind::Timeout),
            }
            cancelled_at(&log, 1).await;
            assert_nothing_is_left(&client);
            client.close().await;
            let cancels = log.requests("tasks/cancel");
            assert_eq!(cancels.len(), 1, "{version} {how}");
            assert_eq!(cancels[0].params()["taskId"], json!(log.tasks()[0]));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_created_after_its_call_was_dropped_is_cancelled() {
    for version in BOTH {
        let server = ScriptedServer::new().tasks(hosting()).tool("late", |_| {
            Script::new()
                .wait(Duration::from_secs(1))
                .ignores_cancel()
                .become_task()
                .silence()
        });
        let log = server.log();
        let client = connect(server, version).await;
        let call = start(&client, "late");
        tokio::time::sleep(Duration::from_millis(10)).await;
        drop(call);
        assert_nothing_is_left(&client);
        tokio::time::sleep(Duration::from_secs(2)).await;
        cancelled_at(&log, 1).await;
        assert_eq!(
            log.notifications("notifications/cancelled").len(),
            1,
            "{version}"
        );
        assert_eq!(log.requests("tasks/cancel").len(), 1, "{version}");
        assert_nothing_is_left(&client);
    }
}

/// A way to end, and what comes of it.
type Row = (&'static str, fn() -> Script, ErrorKind, &'static str);

#[tokio::test(start_paused = true)]
async fn a_task_ends_with_the_error_that_it_ended_with() {
    for version in BOTH {
        let rows: [Row; 3] = [
            (
                "error",
                || {
                    Script::new()
                        .become_task()
                        .wait(INTERVAL)
                        .error(-32050, "broken")
                },
                ErrorKind::Rpc,
                "broken",
            ),
            (
                "called off",
                || {
                    Script::new()
                        .become_task()
                        .status("no room")
                        .wait(INTERVAL * 3)
                        .call_off_task()
                        .silence()
                },
                ErrorKind::Task,
                "cancelled at the server",
            ),
            (
                "forgotten",
                || {
                    Script::new()
                        .become_task()
                        .wait(INTERVAL)
                        .forget_task()
                        .silence()
                },
                ErrorKind::Task,
                "does not know the task",
            ),
        ];
        for (name, script, kind, text) in rows {
            let server = ScriptedServer::new()
                .tasks(hosting())
                .tool("bad", move |_| script());
            let client = connect(server, version).await;
            let error = start(&client, "bad").await.expect_err(name);
            assert_eq!(error.kind(), kind, "{version} {name}: {error}");
            assert!(
                error.to_string().contains(text),
                "{version} {name}: {error}"
            );
            assert_nothing_is_left(&client);
        }
        // A tool that fails says so in its result, as in an ordinary call.
        let server = ScriptedServer::new().tasks(hosting()).tool("bad", |_| {
            Script::new()
                .become_task()
                .wait(INTERVAL)
                .tool_error("no luck")
        });
        let client = connect(server, version).await;
        let result = start(&client, "bad").await.expect("a result");
        assert!(result.is_error, "{version}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_tasks_an_ordinary_call_is_made() {
    // The server has none, the client wants none, or the tool cannot.
    for version in BOTH {
        let plain = ScriptedServer::new().tool("work", |_| Script::new().text("plain"));
        let log = plain.log();
        let client = connect(plain, version).await;
        start(&client, "work").await.expect("a result");
        assert_eq!(log.requests("tools/call")[0].params().get("task"), None);

        let server = worker();
        let log = server.log();
        let client = answering(Client::connect(server).protocol(version).tasks(false));
        let client = client.await.expect("connected");
        start(&client, "work").await.expect("a result");
        assert!(log.tasks().is_empty(), "{version}");
    }
    let server = ScriptedServer::new()
        .tasks(hosting().forbidden("plain"))
        .tool("plain", |_| Script::new().text("plain"));
    let client = connect(server, HANDSHAKE).await;
    client.tools().all().await.expect("listed");
    let error = start(&client, "plain")
        .await
        .expect_err("it is known not to");
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    client
        .call_tool("plain", json!({}))
        .await
        .expect("a result");
}

#[tokio::test(start_paused = true)]
async fn a_tool_that_runs_as_a_task_only_is_called_as_one_once_it_was_listed() {
    let server = ScriptedServer::new()
        .tasks(hosting().required("work"))
        .tool("work", |_| Script::new().text("done"));
    let log = server.log();
    let client = connect(server, HANDSHAKE).await;
    client.tools().all().await.expect("listed");
    let result = client.call_tool("work", json!({})).await.expect("a result");
    assert_eq!(result.as_text().as_deref(), Some("done"));
    assert_eq!(log.requests("tools/call")[0].params()["task"], json!({}));
}

#[tokio::test(start_paused = true)]
async fn a_handler_without_an_answer_ends_the_call_and_the_task() {
    let server = worker();
    let log = server.log();
    let client = Client::connect(server)
        .protocol(MODERN)
        .await
        .expect("connected");
    let error = start(&client, "work").await.expect_err("nobody answers");
    assert_eq!(error.kind(), ErrorKind::InputRequired, "{error}");
    cancelled_at(&log, 1).await;
    assert_nothing_is_left(&client);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_tells_by_itself_is_taken_at_once() {
    for version in BOTH {
        let server = ScriptedServer::new()
            .tasks(
                hosting()
                    .poll_interval(Duration::from_secs(20))
                    .notifications(true),
            )
            .tool("work", |_| {
                Script::new()
                    .become_task()
                    .wait(Duration::from_secs(30))
                    .status("half")
                    .wait(Duration::from_secs(1))
                    .text("done")
            });
        let client = connect(server, version).await;
        let mut call = start(&client, "work");
        let seen = updates(&mut call).await;
        assert!(words(&seen).contains(&"half"), "{version}: {seen:?}");
        let last = seen.last().expect("there are some");
        // By looks alone it would have been found out some 40 seconds after the start.
        assert!(
            last.elapsed < Duration::from_secs(32),
            "{version}: {:?}",
            last.elapsed
        );
        call.await.expect("a result");
    }
}
