//! Tasks where they meet HTTP: connections are few, refused for a while, and shared by answers.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use mcp_progress::Client;
use mcp_progress::transport::HttpEndpoint;
use serde_json::{Value, json};

use super::got::Got;
use super::reply::{Gate, Reply};
use super::server::{Server, fails, result, says};
use crate::peer::{initialized, spawn};

fn created(got: &Got, interval: u64) -> Value {
    let task = format!("task-{}", got.json["id"]);
    let state = json!({"resultType": "task", "taskId": task, "status": "working", "pollIntervalMs": interval});
    result(got, &state)
}

fn completed(got: &Got) -> Value {
    let task = &got.json["params"]["taskId"];
    let done = json!({"content": [{"type": "text", "text": task}]});
    let state =
        json!({"taskId": task, "status": "completed", "result": done, "resultType": "complete"});
    result(got, &state)
}

fn working(got: &Got) -> Value {
    let task = &got.json["params"]["taskId"];
    let state = json!({"taskId": task, "status": "working", "pollIntervalMs": 20, "resultType": "complete"});
    result(got, &state)
}

async fn connect(server: &Server, most: usize) -> Client {
    let endpoint: HttpEndpoint = server.endpoint().max_connections(most);
    Client::connect(endpoint).await.expect("connects")
}

#[tokio::test]
async fn subscriptions_leave_connections_for_the_looks() {
    // Agrees to tell of every task, and then tells nothing.
    let looks = Mutex::new(HashMap::new());
    let server = Server::modern(move |got| match got.kind() {
        "tools/call" => Some(Reply::json(&created(got, 20))),
        "subscriptions/listen" => {
            let agreed = json!({
                "_meta": {"io.modelcontextprotocol/subscriptionId": got.json["id"]},
                "notifications": got.json["params"]["notifications"],
            });
            let agreed = json!({
                "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": agreed,
            });
            Some(Reply::sse().event(&agreed).hold())
        }
        "tasks/get" => {
            let task = got.json["params"]["taskId"].to_string();
            let mut looks = looks.lock().expect("not poisoned");
            let before = looks.entry(task).or_insert(0);
            *before += 1;
            Some(Reply::json(&if *before < 3 { working(got) } else { completed(got) }))
        }
        _ => None,
    })
    .await;
    for most in [1, 2, 4] {
        let client = connect(&server, most).await;
        let calls = (0..12).map(|_| {
            client
                .call_tool("work", json!({}))
                .idle_timeout(None)
                .send()
        });
        let all = futures::future::join_all(calls);
        // The assuring look of a task that is told of comes after 30 seconds.
        let all = tokio::time::timeout(Duration::from_secs(50), all).await;
        for end in all.expect("no call waits for another") {
            assert!(end.expect("a result").as_text().is_some());
        }
        let stats = client.stats();
        assert_eq!((stats.live_calls, stats.registrations), (0, 0));
    }
}

#[tokio::test]
async fn a_server_that_is_busy_for_a_while_does_not_end_a_task() {
    let server = Server::modern(|got| match got.kind() {
        "tools/call" => Some(Reply::json(&created(got, 20))),
        "tasks/get" if got.nth < 5 => Some(Reply::status([503, 429, 502, 504, 500][got.nth])),
        "tasks/get" => Some(Reply::json(&completed(got))),
        _ => None,
    })
    .await;
    let client = connect(&server, 4).await;
    let mut call = client.call_tool("work", json!({})).start();
    let mut last = None;
    while let Some(update) = call.next().await {
        last = Some(update);
    }
    assert!(
        last.expect("its end was told").gap,
        "something may have been missed"
    );
    call.await.expect("a result");
}

#[tokio::test]
async fn a_refusal_to_stop_a_task_ends_no_call_on_whose_stream_it_comes() {
    let (gate, then) = (Gate::new(), Gate::new());
    let (first, second) = (gate.clone(), then.clone());
    let server = Server::handshake(move |got| match (got.kind(), got.tool()) {
        ("initialize", _) => {
            let mut hello = initialized("2025-11-25");
            hello["capabilities"]["tasks"] = json!({"requests": {"tools": {"call": {}}}});
            Some(Reply::json(&result(got, &hello)).header("Mcp-Session-Id", "s"))
        }
        ("tools/call", "other") => {
            // All answers come on the one stream that is open.
            let mut refused = fails(got, -32602, "it is over");
            refused["id"] = json!(4);
            let said = says(got, "unharmed");
            Some(
                Reply::sse()
                    .gate(&first)
                    .event(&refused)
                    .gate(&second)
                    .event(&said),
            )
        }
        ("tools/call", _) => {
            let task = json!({"taskId": "t", "status": "working", "pollInterval": 3_600_000});
            Some(Reply::json(&result(got, &json!({ "task": task }))))
        }
        ("tasks/cancel", _) => Some(Reply::sse().hold()),
        _ => None,
    })
    .await;
    let client = server.shake().await;
    let other = spawn(client.call_tool("other", json!({})).start().result());
    server.request("tools/call", 0).await;
    let mut call = client.call_tool("work", json!({})).as_task(None).start();
    call.next().await.expect("it is a task");
    drop(call);
    let told = server.request("tasks/cancel", 0).await;
    assert_eq!(told.json["id"], 4);
    gate.open();
    tokio::time::sleep(Duration::from_millis(50)).await;
    then.open();
    let end = other
        .await
        .expect("no panic")
        .expect("it was another's error");
    assert_eq!(end.as_text().as_deref(), Some("unharmed"));
}

#[tokio::test]
async fn many_tasks_that_are_dropped_at_once_are_stopped_a_few_at_a_time() {
    const TASKS: usize = 100;
    const MOST: usize = 4;
    let gate = Gate::new();
    let opened = gate.clone();
    let server = Server::modern(move |got| match got.kind() {
        "tools/call" => Some(Reply::json(&created(got, 60_000))),
        "tasks/cancel" => {
            let heard = result(got, &json!({"resultType": "complete"}));
            Some(Reply::json(&heard).behind(&opened))
        }
        _ => None,
    })
    .await;
    let client = connect(&server, MOST).await;
    let calls = (0..TASKS).map(|_| async {
        let mut call = client.call_tool("work", json!({})).start();
        call.next().await.expect("it is a task");
        call
    });
    let calls = futures::future::join_all(calls).await;
    drop(calls);
    let stats = client.stats();
    assert_eq!((stats.live_calls, stats.registrations), (0, 0));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let held = server.seen().all("tasks/cancel").len();
    assert!((1..=16 + MOST).contains(&held), "{held} at once");
    gate.open();
    server.request("tasks/cancel", TASKS - 1).await;
}
