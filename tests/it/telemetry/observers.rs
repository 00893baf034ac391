//! What an observer is told, in which order, and of which calls.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use mcp_progress::model::{ElicitResult, TaskStatus};
use mcp_progress::testing::{Script, ScriptedServer, TaskHosting, Update};
use mcp_progress::{
    CallClosed, CallObserver, CallOutcome, CallStarted, Client, Clock, ErrorKind, ProtocolVersion,
};
use serde_json::{Value, json};

use super::diary::{Diary, observed, observed_with};
use crate::peer::{settle, spawn};

const SECOND: Duration = Duration::from_secs(1);

/// Four steps; the longest pause is that before the third.
fn four_steps() -> ScriptedServer {
    ScriptedServer::new().tool("four", |_| {
        Script::new()
            .wait(SECOND)
            .progress(1, 4)
            .wait(2 * SECOND)
            .progress(2, 4)
            .wait(5 * SECOND)
            .progress(3, 4)
            .progress(4, 4)
            .wait(3 * SECOND)
            .text("done")
    })
}

#[tokio::test(start_paused = true)]
async fn a_call_is_told_from_start_to_end_with_and_without_a_handler() {
    for listens in [true, false] {
        let (client, diary) = observed(four_steps()).await;
        let call = client.call_tool("four", json!({}));
        let result = if listens {
            let diary = diary.clone();
            call.on_progress(move |update| diary.note(format!("update {}", update.progress)))
                .await
        } else {
            call.await
        };
        result.expect("it has a result");
        let told: Vec<String> = diary
            .lines()
            .into_iter()
            .filter(|line| !line.starts_with("update"))
            .collect();
        assert_eq!(
            told,
            [
                "started tools/call four",
                "first after 1000",
                "0.25 after 1000",
                "0.5 after 3000",
                "0.75 after 8000",
                "closed: completed"
            ]
        );
        if listens {
            // What is told of an update comes before the handler has it.
            let lines = diary.lines();
            let at = |line: &str| lines.iter().position(|one| one == line).expect(line);
            assert!(at("0.25 after 1000") < at("update 1"), "{lines:?}");
            assert!(at("update 1") < at("0.5 after 3000"), "{lines:?}");
            assert!(at("update 4") < at("closed: completed"), "{lines:?}");
        }
        let closed = diary.closed();
        assert_eq!(closed.outcome, CallOutcome::Completed);
        assert_eq!(closed.elapsed, 11 * SECOND);
        assert_eq!(closed.first_update, Some(SECOND));
        assert_eq!(closed.longest_silence, 5 * SECOND);
        assert_eq!(closed.milestone, Some(0.75));
        assert_eq!((closed.received, closed.legs), (4, 1));
        assert_eq!(closed.delivered, if listens { 4 } else { 0 });
        let started = diary.started().remove(0);
        assert!(started.token.is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_handler_is_told_as_it_goes_on() {
    let server = ScriptedServer::new().tool("long", |_| {
        Script::new()
            .progress(1, 2)
            .wait(3600 * SECOND)
            .text("done")
    });
    let (client, diary) = observed(server).await;
    let mut call = Box::pin(client.call_tool("long", json!({})).send());
    let running = tokio::time::timeout(SECOND, &mut call).await;
    assert!(running.is_err(), "it is still at work");
    assert_eq!(
        diary.lines(),
        [
            "started tools/call long",
            "first after 0",
            "0.25 after 0",
            "0.5 after 0"
        ]
    );
    drop(call);
    assert_eq!(diary.lines().last().expect("told"), "closed: dropped");
    assert_eq!(diary.closed().longest_silence, SECOND);
}

#[tokio::test]
async fn a_jump_passes_each_milestone_once_and_only_honest_figures_count() {
    let server = ScriptedServer::new().tool("odd", |_| {
        let odd = [
            Update::new(5),
            Update::new(300).total(200),
            Update::new(-1).total(2),
            Update::new(1).total(0),
        ];
        let odd = odd.into_iter().fold(Script::new(), Script::progress_with);
        odd.progress(1, 10)
            .progress(9, 10)
            .progress(3, 10)
            .progress(8, 10)
            .progress(10, 10)
            .text("done")
    });
    let rows: [(Option<Vec<f64>>, &[&str]); 3] = [
        (None, &["0.25", "0.5", "0.75"]),
        (
            Some(vec![0.9, 0.1, 0.9, 1.0, 2.0, 0.0, -0.5, f64::NAN]),
            &["0.1", "0.9", "1"],
        ),
        (Some(vec![]), &[]),
    ];
    for (milestones, expected) in rows {
        let (client, diary) = observed_with(server.clone(), |connect| match milestones {
            Some(milestones) => connect.milestones(milestones),
            None => connect,
        })
        .await;
        client
            .call_tool("odd", json!({}))
            .await
            .expect("it has a result");
        let lines = diary.lines();
        let told = lines.iter().filter_map(|line| line.split_once(" after"));
        let told: Vec<&str> = told
            .map(|(what, _)| what)
            .filter(|what| *what != "first")
            .collect();
        assert_eq!(told, expected);
        assert!(diary.closed().regressed >= 2, "{:?}", diary.closed());
    }
}

fn endings() -> ScriptedServer {
    ScriptedServer::new()
        .tool("good", |_| Script::new().text("done"))
        .tool("bad", |_| Script::new().tool_error("no such city"))
        .tool("refused", |_| Script::new().error(-32602, "no"))
        .tool("silent", |_| Script::new().progress(1, 2).silence())
        .tool("crash", |_| Script::new().progress(1, 2).crash())
}

#[tokio::test(start_paused = true)]
async fn each_end_is_told_by_its_name() {
    let (client, diary) = observed(endings()).await;
    let call = |tool: &str| client.call_tool(tool, json!({}));
    call("good").await.expect("it has a result");
    assert!(call("bad").await.expect("it has a result").is_error);
    call("refused").await.expect_err("refused");
    call("silent")
        .idle_timeout(SECOND)
        .await
        .expect_err("silent");
    call("silent")
        .idle_timeout(None)
        .total_timeout(SECOND)
        .await
        .expect_err("late");
    let cancelled = call("silent").start();
    assert!(cancelled.canceller().cancel("enough"));
    cancelled.await.expect_err("cancelled");
    drop(call("silent").start());
    let detached = call("good").start().detach();
    detached.await.expect("it has a result");
    // A method that is no tool's, and a client that is closed under its call.
    client.ping().await.expect("answers");
    let left = call("silent").start().detach();
    client.close().await;
    left.await.expect_err("closed");
    assert_eq!(
        diary.ends(),
        [
            "completed",
            "completed with a tool error",
            "failed (Rpc)",
            "timed out (idle)",
            "timed out (total)",
            "cancelled",
            "dropped",
            "completed",
            "completed",
            "cancelled",
        ]
    );
    let started = diary.started();
    let tools: Vec<_> = started.iter().map(|one| one.tool.as_deref()).collect();
    assert_eq!(tools[..2], [Some("good"), Some("bad")]);
    assert_eq!((&*started[8].method, tools[8]), ("ping", None));
    // A call that cannot be sent is none.
    client
        .call_tool("good", json!({}))
        .await
        .expect_err("the client is closed");
    assert_eq!(diary.started().len(), started.len());
}

#[tokio::test]
async fn a_connection_that_is_lost_fails_the_call() {
    let (client, diary) = observed(endings()).await;
    client
        .call_tool("crash", json!({}))
        .await
        .expect_err("it crashed");
    assert_eq!(
        diary.closed().outcome,
        CallOutcome::Failed(ErrorKind::ConnectionLost)
    );
}

#[tokio::test]
async fn a_call_that_nobody_polls_tells_all_of_it_when_it_is_dropped_on_any_thread() {
    let server = ScriptedServer::new().tool("burst", |_| {
        Script::new().progress(1, 2).progress(2, 2).silence()
    });
    let (client, diary) = observed(server).await;
    let call = client.call_tool("burst", json!({})).start();
    let mut others = call.updates();
    while others.next().await.expect("it is alive").progress < 2.0 {}
    assert_eq!(diary.lines(), ["started tools/call burst"]);
    std::thread::spawn(move || drop(call))
        .join()
        .expect("no panic");
    let lines = diary.lines();
    assert!(lines[1].starts_with("first"), "{lines:?}");
    assert!(lines[2].starts_with("0.25"), "{lines:?}");
    assert_eq!((lines.len(), &*lines[5]), (6, "closed: dropped"));
    assert_eq!(diary.closed().received, 2);
}

/// Panics at all that it is told.
struct Faulty;

impl CallObserver for Faulty {
    fn started(&self, _: &CallStarted) {
        panic!("started");
    }

    fn first_update(&self, _: &CallStarted, _: Duration) {
        panic!("first");
    }

    fn milestone(&self, _: &CallStarted, _: f64, _: Duration) {
        panic!("milestone");
    }

    fn closed(&self, _: &CallStarted, _: &CallClosed) {
        panic!("closed");
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_harms_neither_the_call_nor_other_observers() {
    let diary = Diary::default();
    let client = Client::connect(four_steps())
        .observer(Faulty)
        .observer(diary.clone())
        .await
        .expect("connects");
    client
        .call_tool("four", json!({}))
        .await
        .expect("it has a result");
    assert_eq!(diary.lines().len(), 6, "{:?}", diary.lines());
    // In a destructor, while another panic unwinds: a panic that got out would end the process.
    let call = client
        .call_tool("four", json!({}))
        .on_progress(|_| panic!("the handler's own"));
    let panic = AssertUnwindSafe(call.into_future()).catch_unwind().await;
    let panic = panic.expect_err("the handler's panic goes to who awaits");
    assert_eq!(
        panic.downcast_ref::<&str>().copied(),
        Some("the handler's own")
    );
    assert_eq!(diary.ends(), ["completed", "dropped"]);
    assert_eq!(client.stats().live_calls, 0);
}

#[tokio::test(start_paused = true)]
async fn a_slow_handler_holds_up_nothing_that_is_told() {
    let (client, diary) = observed(four_steps()).await;
    let call = client
        .call_tool("four", json!({}))
        .on_progress_async(|_| tokio::time::sleep(20 * SECOND));
    let call = spawn(call.into_future());
    tokio::time::sleep(9 * SECOND).await;
    settle().await;
    assert_eq!(diary.lines().len(), 5, "{:?}", diary.lines());
    call.await.expect("no panic").expect("it has a result");
    let closed = diary.closed();
    // The handler's time is the call's, but no silence of the server's.
    assert!(closed.elapsed >= 20 * SECOND, "{closed:?}");
    assert_eq!(closed.longest_silence, 5 * SECOND);
}

fn question() -> Value {
    json!({"message": "Sure?", "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}}})
}

#[tokio::test(start_paused = true)]
async fn a_call_of_several_legs_is_one_call_and_the_human_no_silence() {
    let server = ScriptedServer::new().tool("curious", |_| {
        Script::new()
            .progress(3, 4)
            .wait(2 * SECOND)
            .ask("a", "elicitation/create", question())
            .progress(1, 4)
            .ask("b", "elicitation/create", question())
            .progress(4, 4)
            .wait(3 * SECOND)
            .text("done")
    });
    let (client, diary) = observed_with(server, |connect| {
        connect
            .protocol(ProtocolVersion::V2026_07_28)
            .on_elicitation(|_request, _context| async {
                tokio::time::sleep(3600 * SECOND).await;
                Ok(ElicitResult::accept().with("name", "Ada"))
            })
    })
    .await;
    client
        .call_tool("curious", json!({}))
        .idle_timeout(5 * SECOND)
        .await
        .expect("it has a result");
    assert_eq!(
        diary.lines(),
        [
            "started tools/call curious",
            "first after 0",
            "0.25 after 0",
            "0.5 after 0",
            "0.75 after 0",
            "leg 2",
            "leg 3",
            "closed: completed"
        ]
    );
    let closed = diary.closed();
    assert_eq!((closed.legs, closed.received), (3, 3));
    assert_eq!(closed.longest_silence, 3 * SECOND);
    assert_eq!(closed.elapsed, 2 * 3600 * SECOND + 5 * SECOND);
    assert_eq!(closed.regressed, 0, "each leg begins anew");
}

#[tokio::test(start_paused = true)]
async fn a_task_is_one_call_and_one_that_is_left_or_taken_up_is_told_so() {
    let hosting = TaskHosting::new().poll_interval(SECOND);
    let server = ScriptedServer::new().tasks(hosting).tool("work", |_| {
        Script::new()
            .become_task()
            .wait(10 * SECOND)
            .status("half")
            .wait(10 * SECOND)
            .text("done")
    });
    for version in [ProtocolVersion::V2026_07_28, ProtocolVersion::V2025_11_25] {
        let (client, diary) =
            observed_with(server.clone(), |connect| connect.protocol(version)).await;
        client
            .call_tool("work", json!({}))
            .as_task(None)
            .await
            .expect("it has a result");
        let lines = diary.lines();
        assert_eq!(lines[0], "started tools/call work", "{version}");
        let working = format!("status {}", TaskStatus::Working);
        assert!(lines.contains(&working), "{version}: {lines:?}");
        assert_eq!(lines.last().expect("told"), "closed: completed");
        assert_eq!(diary.started().len(), 1, "what it asks of its task is none");
        assert_eq!(diary.closed().delivered, 0);

        let mut call = client.call_tool("work", json!({})).as_task(None).start();
        while call.task().is_none() {
            call.next().await.expect("it becomes a task");
        }
        let handle = call.leave().expect("it is a task");
        client
            .resume_task(&handle)
            .on_progress(|_| ())
            .await
            .expect("it has a result");
        let ends = diary.ends();
        assert_eq!(ends, ["completed", "left to the server", "completed"]);
        assert_eq!(diary.started()[2].tool, None, "the handle does not say");
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_is_told_with_its_clock() {
    let (client, diary) = observed(endings()).await;
    let call = client
        .call_tool("silent", json!({}))
        .idle_timeout(7 * SECOND);
    call.await.expect_err("silent");
    let closed = diary.closed();
    assert_eq!(closed.outcome, CallOutcome::TimedOut(Clock::Idle));
    assert_eq!(closed.longest_silence, 7 * SECOND);
    assert_eq!(closed.elapsed, 7 * SECOND);
}

#[tokio::test]
async fn every_observer_is_told() {
    let diaries = [Diary::default(), Diary::default()];
    let mut connect = Client::connect(endings());
    for diary in &diaries {
        connect = connect.observer(diary.clone());
    }
    let client = Arc::new(connect.await.expect("connects"));
    client
        .call_tool("good", json!({}))
        .await
        .expect("it has a result");
    for diary in &diaries {
        assert_eq!(
            diary.lines(),
            ["started tools/call good", "closed: completed"]
        );
    }
}

#[cfg(feature = "http")]
#[tokio::test]
async fn over_http_the_same_is_told() {
    let server = ScriptedServer::new().tool("steps", |_| {
        Script::new().progress(1, 2).progress(2, 2).text("done")
    });
    for version in [ProtocolVersion::V2026_07_28, ProtocolVersion::V2025_11_25] {
        let listening = server.http().bind("127.0.0.1:0").await.expect("a port");
        let url = listening.url();
        let serving = spawn(async move { listening.serve().await });
        let diary = Diary::default();
        let endpoint = mcp_progress::transport::HttpEndpoint::new(url).no_proxy();
        let client = Client::connect(endpoint)
            .protocol(version)
            .observer(diary.clone())
            .await
            .expect("connects");
        client
            .call_tool("steps", json!({}))
            .await
            .expect("it has a result");
        let lines = diary.lines();
        assert_eq!(lines[0], "started tools/call steps", "{version}");
        assert_eq!(
            (lines.len(), &*lines[5]),
            (6, "closed: completed"),
            "{lines:?}"
        );
        assert_eq!(diary.closed().received, 2);
        serving.abort();
    }
}
