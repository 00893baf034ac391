//! Servers that get tasks and rounds wrong: no call hangs, takes another's answer, or leaves something behind.

use std::time::Duration;

use mcp_progress::model::{CallToolResult, TaskHandle};
use mcp_progress::testing::{Script, ScriptedServer, TaskHosting};
use mcp_progress::{Client, ErrorKind, ProtocolVersion};
use serde_json::{Value, json};

use super::hand::{WORKING, created, played, refusal, reply, says, shaken, state, told};
use super::tasks::{HANDSHAKE, MODERN, answering, assert_nothing_is_left, start};
use crate::peer::settle;

const BOTH: [ProtocolVersion; 2] = [MODERN, HANDSHAKE];
const MINUTE: Duration = Duration::from_secs(60);

fn words(result: &CallToolResult) -> String {
    result.as_text().unwrap_or_default()
}

/// The end of a call of a task that is created with the first members and answers each look with the next ones, then for
/// ever with the last; `tasks/result` says "fetched".
async fn end_of(
    version: ProtocolVersion,
    creation: &str,
    looks: &[&str],
) -> mcp_progress::Result<CallToolResult> {
    let creation = created(version, creation);
    let looks: Vec<String> = looks.iter().map(ToString::to_string).collect();
    let (client, written) = played(
        version,
        |connect| connect,
        move |message, before| {
            let lines = match message["method"].as_str().unwrap_or_default() {
                "tools/call" => reply(message, &creation),
                "tasks/get" => reply(message, &looks[before.min(looks.len() - 1)]),
                "tasks/result" => reply(message, &says("fetched")),
                _ => return Vec::new(),
            };
            vec![lines]
        },
    )
    .await;
    let end = tokio::time::timeout(10 * MINUTE, start(&client, "work").result()).await;
    assert_nothing_is_left(&client);
    assert_eq!(written.count("tools/call"), 1);
    end.expect("the call ends")
}

fn completed(version: ProtocolVersion, words: &str) -> String {
    let result = says(words);
    if version.is_modern() {
        state(&format!(r#""status":"completed","result":{result}"#))
    } else {
        state(r#""status":"completed""#)
    }
}

#[tokio::test(start_paused = true)]
async fn the_state_of_another_task_is_not_taken_for_that_of_the_call() {
    let wrong = completed(MODERN, "wrong").replace("\"t\"", "\"u\"");
    let right = completed(MODERN, "right");
    let end = end_of(MODERN, WORKING, &[&wrong, &right]).await;
    assert_eq!(words(&end.expect("a result")), "right");
    // And one that never says anything else is given up.
    let error = end_of(MODERN, WORKING, &[&wrong]).await;
    let error = error.expect_err("nothing was said of the task");
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(error.to_string().contains("another task"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn states_are_read_as_far_as_they_can_be() {
    for odd in [
        r#""status":"working","ttl":60000,"ttlMs":60000,"pollInterval":50,"pollIntervalMs":50"#,
        r#""status":"working","ttlMs":-1,"pollIntervalMs":-1"#,
        r#""status":"working","ttlMs":1e400,"pollIntervalMs":1e400"#,
        r#""status":"working","ttlMs":"60000","pollIntervalMs":"50""#,
        r#""status":"working","ttlMs":0,"pollIntervalMs":0"#,
        r#""status":"working","ttlMs":5,"pollIntervalMs":1000"#,
        r#""status":"working","statusMessage":17,"lastUpdatedAt":17,"pollIntervalMs":50"#,
        r#""status":"working","status":"working","pollIntervalMs":50"#,
        r#""status":"dreaming","pollIntervalMs":50"#,
        r#""status":7,"pollIntervalMs":50"#,
        r#""pollIntervalMs":50"#,
        r#""status":"working","inputRequests":[],"result":null,"error":null,"pollIntervalMs":50"#,
        r#""status":"working","inputRequests":{"a":7},"pollIntervalMs":50"#,
    ] {
        for version in BOTH {
            let right = completed(version, "fetched");
            let odd_state = state(odd);
            let end = end_of(version, odd, &[&odd_state, &odd_state, &right]).await;
            let result = end.unwrap_or_else(|error| panic!("{version} {odd}: {error}"));
            assert_eq!(words(&result), "fetched", "{version} {odd}");
        }
    }
    // An answer need not repeat whose state it is.
    let anonymous = completed(MODERN, "right").replace(r#""taskId":"t","#, "");
    let end = end_of(MODERN, WORKING, &[&anonymous]).await;
    assert_eq!(words(&end.expect("a result")), "right");
}

#[tokio::test(start_paused = true)]
async fn a_handle_is_there_whatever_else_the_creation_says() {
    let (client, written) = played(
        MODERN,
        |connect| connect,
        |message, _| match message["method"].as_str().unwrap_or_default() {
            "tools/call" => vec![reply(
                message,
                &created(
                    MODERN,
                    r#""status":7,"ttl":1,"ttlMs":1,"pollInterval":5,"pollIntervalMs":5"#,
                ),
            )],
            _ => Vec::new(),
        },
    )
    .await;
    let call = start(&client, "work");
    settle().await;
    let handle = call.leave().expect("it is a task");
    assert_eq!(handle.task_id, "t");
    settle().await;
    assert_eq!(written.count("tasks/cancel"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_hides_no_end() {
    for version in BOTH {
        let late =
            r#""status":"working","lastUpdatedAt":"2026-11-21T12:00:00Z","pollIntervalMs":50"#;
        let early = completed(version, "fetched").replace(
            r#""status""#,
            r#""lastUpdatedAt":"2026-11-21T11:00:00Z","status""#,
        );
        let end = end_of(version, late, &[&early]).await;
        assert_eq!(words(&end.expect("a result")), "fetched", "{version}");
        // What is not an end counts, too: a question that was asked then.
        let asks = state(
            r#""status":"input_required","lastUpdatedAt":"2026-11-21T11:00:00Z","inputRequests":{"a":{"method":"vendor/x"}}"#,
        );
        if version.is_modern() {
            let error = end_of(version, late, &[&asks])
                .await
                .expect_err("nobody answers");
            assert_eq!(error.kind(), ErrorKind::InputRequired, "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_over_does_not_begin_again() {
    let (client, _) = played(
        HANDSHAKE,
        |connect| connect,
        |message, _| match message["method"].as_str().unwrap_or_default() {
            "tools/call" => vec![reply(message, &created(HANDSHAKE, WORKING))],
            "tasks/get" => vec![
                told(r#""status":"completed""#),
                told(r#""status":"working""#),
                reply(message, &state(WORKING)),
            ],
            "tasks/result" => vec![reply(message, &says("fetched"))],
            _ => Vec::new(),
        },
    )
    .await;
    let end = tokio::time::timeout(MINUTE, start(&client, "work").result()).await;
    let result = end.expect("the call ends").expect("a result");
    assert_eq!(words(&result), "fetched");
    assert_nothing_is_left(&client);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_never_comes_is_not_waited_for_all_day() {
    // Looks are answered, so that the idle clock sees life; the result is withheld, or refused as for the moment.
    let (client, written) = played(
        HANDSHAKE,
        |connect| connect,
        |message, _| match message["method"].as_str().unwrap_or_default() {
            "tools/call" => vec![reply(message, &created(HANDSHAKE, WORKING))],
            "tasks/get" => vec![reply(
                message,
                &state(r#""status":"completed","pollIntervalMs":50"#),
            )],
            _ => Vec::new(),
        },
    )
    .await;
    let end = tokio::time::timeout(10 * MINUTE, start(&client, "work").result()).await;
    let error = end.expect("the call ends").expect_err("there is no result");
    assert_eq!(error.kind(), ErrorKind::Task, "{error}");
    assert_eq!(written.count("tasks/result"), 1);
    assert_nothing_is_left(&client);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_comes_with_the_state_is_taken_in_either_form() {
    // One server of 2025-11-25 has no `tasks/result`.
    let (client, _) = played(
        HANDSHAKE,
        |connect| connect,
        |message, before| match message["method"].as_str().unwrap_or_default() {
            "tools/call" => vec![reply(message, &created(HANDSHAKE, WORKING))],
            "tasks/get" => {
                let with_input = state(r#""status":"input_required","pollIntervalMs":50"#);
                let over = state(&format!(
                    r#""status":"completed","result":{}"#,
                    says("inline")
                ));
                vec![reply(message, if before < 3 { &with_input } else { &over })]
            }
            _ if message["id"].is_null() => Vec::new(),
            _ => vec![refusal(message, -32601)],
        },
    )
    .await;
    let end = start(&client, "work").result().await;
    assert_eq!(words(&end.expect("a result")), "inline");
    assert_nothing_is_left(&client);
}

#[tokio::test(start_paused = true)]
async fn time_that_the_server_wants_to_be_left_alone_is_no_silence() {
    let long = |hosting: TaskHosting| {
        ScriptedServer::new().tasks(hosting).tool("long", |_| {
            Script::new().become_task().wait(25 * MINUTE).text("done")
        })
    };
    for version in BOTH {
        // Twice as long as the idle clock runs, and asked for seldom because the server tells by itself.
        for (interval, tells) in [(10 * MINUTE, false), (Duration::from_millis(50), true)] {
            let hosting = TaskHosting::new()
                .poll_interval(interval)
                .notifications(tells);
            let client = Client::connect(long(hosting)).protocol(version);
            let idle = if tells { MINUTE / 4 } else { 5 * MINUTE };
            let client = client.idle_timeout(idle).await.expect("connected");
            let end = start(&client, "long").result().await;
            let result = end.unwrap_or_else(|error| panic!("{version} {interval:?}: {error}"));
            assert_eq!(words(&result), "done", "{version}");
        }
    }
    // But a server that answers no look is silent.
    let (client, written) = played(
        MODERN,
        |connect| connect,
        |message, _| match message["method"].as_str().unwrap_or_default() {
            "tools/call" => vec![reply(message, &created(MODERN, WORKING))],
            _ => Vec::new(),
        },
    )
    .await;
    let began = crate::peer::now();
    let error = start(&client, "work").result().await.expect_err("silence");
    assert_eq!(
        error.timeout_clock(),
        Some(mcp_progress::Clock::Idle),
        "{error}"
    );
    assert!(began.elapsed() < 6 * MINUTE, "{:?}", began.elapsed());
    settle().await;
    assert_eq!(written.count("tasks/cancel"), 1);
    assert_nothing_is_left(&client);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_only_looks_like_a_task_stops_none() {
    for version in BOTH {
        let (client, mut peer) = shaken(version, |connect| connect.tasks(false)).await;
        for method in ["vendor/read", "tools/call"] {
            let call = client
                .request::<Value>(method, json!({"name": "work"}))
                .start();
            let request = peer.next().await;
            drop(call);
            assert_eq!(peer.next().await["method"], "notifications/cancelled");
            peer.send_text(&format!(
                "{}\n",
                reply(&request, &created(version, WORKING))
            ))
            .await;
            settle().await;
        }
        // An ordinary result may have a member of that name.
        let request = client.request::<Value>("vendor/read", json!({})).start();
        let asked = peer.next().await;
        assert_eq!(asked["method"], "vendor/read", "nothing was sent before");
        let task = json!({"task": {"taskId": "t"}});
        peer.answer(&asked, task.clone()).await;
        assert_eq!(request.await.expect("a result"), task);
        assert_nothing_is_left(&client);
    }
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_comes_twice_stops_nothing_twice() {
    for version in BOTH {
        for leaves in [true, false] {
            let (client, mut peer) = shaken(version, |connect| connect).await;
            let call = start(&client, "work");
            let request = peer.next().await;
            let creation = format!("{}\n", reply(&request, &created(version, WORKING)));
            peer.send_text(&creation).await;
            settle().await;
            if leaves {
                assert!(call.leave().is_some());
            } else {
                drop(call);
            }
            peer.send_text(&creation).await;
            settle().await;
            client.close().await;
            let rest = peer.rest().await;
            let cancels = rest
                .iter()
                .filter(|message| message["method"] == "tasks/cancel");
            assert_eq!(cancels.count(), usize::from(!leaves), "{version}: {rest:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_without_a_name_is_an_error() {
    for version in BOTH {
        let (client, mut peer) = shaken(version, |connect| connect).await;
        for nameless in [r#""x":1"#, r#""taskId":7"#, r#""taskId":null"#] {
            let call = start(&client, "work");
            let request = peer.next().await;
            let creation =
                created(version, "\"status\":\"working\"").replace(r#""taskId":"t""#, nameless);
            peer.send_text(&format!("{}\n", reply(&request, &creation)))
                .await;
            let error = call.await.expect_err("it cannot be found again");
            assert_eq!(
                error.kind(),
                ErrorKind::Protocol,
                "{version} {nameless}: {error}"
            );
            assert_nothing_is_left(&client);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_before_the_request_was_written_does_not_send_the_request_late() {
    let (client, mut peer) = shaken(MODERN, |connect| connect.roots(Vec::new())).await;
    // More than the pipe holds: what comes behind it waits.
    let big = "x".repeat(3 << 20);
    let first = client
        .request::<Value>("vendor/big", json!({ "big": big }))
        .start();
    settle().await;
    let second = client.call_tool("work", json!({})).start();
    let id = second.request_id().expect("it is queued");
    let asks = r#"{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list"}},"requestState":"s"}"#;
    peer.send_text(&format!("{}\n", reply(&json!({ "id": id }), asks)))
        .await;
    let running = crate::peer::spawn(second.result());
    settle().await;
    let request = peer.next().await;
    peer.answer(&request, json!({})).await;
    first.await.expect("a result");
    let request = peer.next().await;
    assert_eq!(request["params"]["requestState"], "s", "{request}");
    peer.answer(&request, json!({"content": []})).await;
    running.await.expect("no panic").expect("a result");
    assert_nothing_is_left(&client);
}

#[tokio::test(start_paused = true)]
async fn rounds_are_read_as_far_as_they_can_be() {
    let question = r#"{"method":"roots/list"}"#;
    for (asked, back) in [
        (
            format!(r#""inputRequests":{{"a":{question}}},"requestState":null"#),
            None,
        ),
        (
            format!(r#""inputRequests":{{"a":{question}}},"requestState":1.50e3"#),
            Some("1.50e3"),
        ),
        (
            format!(r#""inputRequests":{{"a":{question}}},"requestState":{{"b": [ 1 ]}}"#),
            Some(r#"{"b": [ 1 ]}"#),
        ),
        (
            r#""inputRequests":null,"requestState":"s""#.to_owned(),
            Some("\"s\""),
        ),
        (
            r#""inputRequests":{},"requestState":"""#.to_owned(),
            Some("\"\""),
        ),
        // Of a name that comes twice one question is asked.
        (
            format!(r#""inputRequests":{{"a":{question},"a":{question}}},"requestState":"s""#),
            Some("\"s\""),
        ),
    ] {
        let (client, mut peer) = shaken(MODERN, |connect| connect.roots(Vec::new())).await;
        let running = crate::peer::spawn(client.call_tool("work", json!({})).start().result());
        let request = peer.next().await;
        let asks = format!(r#"{{"resultType":"input_required",{asked}}}"#);
        peer.send_text(&format!("{}\n", reply(&request, &asks)))
            .await;
        let request = tokio::select! {
            request = peer.next() => request,
            () = tokio::time::sleep(MINUTE) => panic!("{asked}: {:?}", running.await),
        };
        let back = back.map(|text| serde_json::from_str::<Value>(text).expect("JSON"));
        assert_eq!(
            request["params"].get("requestState"),
            back.as_ref(),
            "{asked}"
        );
        peer.answer(&request, json!({"content": []})).await;
        running.await.expect("no panic").expect("a result");
    }
    // What cannot be read is an error at once.
    for asked in [
        r#""inputRequests":[1]"#,
        r#""inputRequests":{"a":1}"#,
        r#""inputRequests":{"a":{"method":1}}"#,
    ] {
        let (client, mut peer) = shaken(MODERN, |connect| connect).await;
        let running = crate::peer::spawn(client.call_tool("work", json!({})).start().result());
        let request = peer.next().await;
        let asks = format!(r#"{{"resultType":"input_required","requestState":"s",{asked}}}"#);
        peer.send_text(&format!("{}\n", reply(&request, &asks)))
            .await;
        let error = running.await.expect("no panic").expect_err("unreadable");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{asked}: {error}");
        assert_nothing_is_left(&client);
    }
}

#[tokio::test(start_paused = true)]
async fn many_questions_are_all_answered_and_a_few_at_once() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let (at_once, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counter, highest) = (at_once.clone(), most.clone());
    let options = move |connect: mcp_progress::Connect| {
        connect.on_request("vendor/ask", move |_| {
            let (counter, highest) = (counter.clone(), highest.clone());
            async move {
                highest.fetch_max(
                    counter.fetch_add(1, Ordering::Relaxed) + 1,
                    Ordering::Relaxed,
                );
                tokio::time::sleep(Duration::from_millis(1)).await;
                counter.fetch_sub(1, Ordering::Relaxed);
                Ok(json!({}))
            }
        })
    };
    let (client, mut peer) = shaken(MODERN, options).await;
    let running = crate::peer::spawn(client.call_tool("work", json!({})).start().result());
    let request = peer.next().await;
    let questions = (0..10_000).map(|n| (format!("q{n}"), json!({"method": "vendor/ask"})));
    let questions = Value::Object(questions.collect());
    let asks = json!({"resultType": "input_required", "inputRequests": questions});
    peer.answer(&request, asks).await;
    let request = peer.next().await;
    let answers = request["params"]["inputResponses"]
        .as_object()
        .expect("answers");
    assert_eq!(answers.len(), 10_000);
    peer.answer(&request, json!({"content": []})).await;
    running.await.expect("no panic").expect("a result");
    assert!((2..=16).contains(&most.load(Ordering::Relaxed)), "{most:?}");
    assert_nothing_is_left(&client);
}

#[tokio::test(start_paused = true)]
async fn handles_that_lead_nowhere_fail_soon_and_clearly() {
    for version in BOTH {
        let server = ScriptedServer::new().tasks(TaskHosting::new());
        let client = answering(Client::connect(server).protocol(version))
            .await
            .expect("connected");
        for id in ["", "unknown", "\u{0}\n\"", &"x".repeat(100_000)] {
            let saved = json!({"taskId": id, "protocolVersion": version, "notedAtMs": u64::MAX, "ttlMs": u64::MAX,
                "pollIntervalMs": u64::MAX});
            let handle: TaskHandle = serde_json::from_value(saved).expect("a handle");
            let end = tokio::time::timeout(MINUTE, client.resume_task(&handle).send()).await;
            let error = end
                .expect("it fails soon")
                .expect_err("there is no such task");
            assert_eq!(error.kind(), ErrorKind::Task, "{version} {id}: {error}");
            assert!(
                error.to_string().contains("does not know the task"),
                "{error}"
            );
        }
        assert_nothing_is_left(&client);
    }
    // A revision without tasks has none to take up.
    let server = ScriptedServer::new();
    let log = server.log();
    let version = ProtocolVersion::V2025_06_18;
    let client = Client::connect(server)
        .protocol(version)
        .await
        .expect("connected");
    let saved = json!({"taskId": "t", "protocolVersion": version, "notedAtMs": 0});
    let handle: TaskHandle = serde_json::from_value(saved).expect("a handle");
    let error = client
        .resume_task(&handle)
        .await
        .expect_err("there are no tasks");
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(log.requests("tasks/get").is_empty());
    assert_nothing_is_left(&client);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_states_beside_a_slow_handler_stays_bounded_and_loses_no_end() {
    let flood: Vec<String> = (0..100_000)
        .map(|n| told(&format!(r#""status":"working","statusMessage":"{n}""#)))
        .collect();
    let flood = flood.join("\n");
    let (client, _) = played(
        HANDSHAKE,
        |connect| connect,
        move |message, _| match message["method"].as_str().unwrap_or_default() {
            "tools/call" => vec![reply(message, &created(HANDSHAKE, WORKING)), flood.clone()],
            "tasks/get" => vec![reply(message, &completed(HANDSHAKE, ""))],
            "tasks/result" => vec![reply(message, &says("fetched"))],
            _ => Vec::new(),
        },
    )
    .await;
    let request = client.call_tool("work", json!({})).as_task(None);
    let mut statuses = 0;
    let result = request
        .on_progress_async(|_| {
            statuses += 1;
            tokio::time::sleep(Duration::from_millis(5))
        })
        .await;
    assert_eq!(words(&result.expect("a result")), "fetched");
    assert!(statuses <= 4096, "{statuses}");
    assert_nothing_is_left(&client);
}
