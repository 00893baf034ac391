//! Tasks over HTTP: they outlive connections and sessions, and what is theirs finds a stream.

use super::client::{SECOND, now};
use super::http_wire::Wire;
use super::tasks::{declaring, hosting};
use crate::testing::script::Script;
use serde_json::{Value, json};

const VERSION: (&str, &str) = ("mcp-protocol-version", "2026-07-28");

async fn ask(wire: &mut Wire, method: &str, name: &str, mut params: Value) -> Value {
    params["_meta"] = declaring();
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let headers = [VERSION, ("mcp-method", method), ("mcp-name", name)];
    let head = wire.post(&headers, &body).await;
    if head.header("content-type") == Some("application/json") {
        return wire.json(&head).await;
    }
    let answer = wire.message().await;
    assert_eq!(wire.block().await, None, "the stream ends with the answer");
    answer
}

#[tokio::test(start_paused = true)]
async fn a_task_runs_on_when_its_connection_is_gone() {
    let server = hosting(Script::new().become_task().wait(10 * SECOND).text("done"));
    let hosting = server.http();
    let mut wire = Wire::connect(&hosting);
    let created = ask(&mut wire, "tools/call", "job", json!({"name": "job"})).await;
    let id = created["result"]["taskId"].as_str().unwrap().to_owned();
    let start = now();
    let served = wire.close();
    served.await.unwrap();
    assert_eq!(
        now() - start,
        10 * SECOND,
        "served until its task had ended"
    );

    let mut wire = Wire::connect(&hosting);
    let got = ask(&mut wire, "tasks/get", &id, json!({"taskId": id})).await;
    assert_eq!(got["result"]["result"]["content"][0]["text"], "done");
    for (name, code) in [("another", -32020), (id.as_str(), -32602)] {
        server.forget_tasks();
        let refused = ask(&mut wire, "tasks/get", name, json!({"taskId": id})).await;
        assert_eq!(refused["error"]["code"], code);
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_driver_is_dropped_is_run_by_the_next_one() {
    let server = hosting(Script::new().become_task().wait(10 * SECOND).text("done"));
    let hosting = server.http();
    let mut wire = Wire::connect(&hosting);
    let created = ask(&mut wire, "tools/call", "job", json!({"name": "job"})).await;
    let id = created["result"]["taskId"].as_str().unwrap().to_owned();
    wire.served.abort();
    let mut wire = Wire::connect(&hosting);
    tokio::time::sleep(11 * SECOND).await;
    let got = ask(&mut wire, "tasks/get", &id, json!({"taskId": id})).await;
    assert_eq!(got["result"]["status"], "completed");
}

#[tokio::test(start_paused = true)]
async fn subscriptions_hear_of_tasks_on_their_own_stream() {
    let server = hosting(
        Script::new()
            .become_task()
            .wait(SECOND)
            .status("half way")
            .text("done"),
    );
    let hosting = server.http();
    let (mut wire, mut listening) = (Wire::connect(&hosting), Wire::connect(&hosting));
    let created = ask(&mut wire, "tools/call", "job", json!({"name": "job"})).await;
    let id = created["result"]["taskId"].clone();
    let params = json!({"notifications": {"taskIds": [id]}, "_meta": declaring()});
    let body =
        json!({"jsonrpc": "2.0", "id": 5, "method": "subscriptions/listen", "params": params});
    let headers = [VERSION, ("mcp-method", "subscriptions/listen")];
    assert_eq!(listening.post(&headers, &body).await.status, 200);
    let acknowledged = listening.message().await;
    assert_eq!(
        acknowledged["params"]["notifications"]["taskIds"],
        json!([id])
    );
    let words = listening.message().await["params"]["statusMessage"].clone();
    assert_eq!(words, "half way");
    let end = listening.message().await["params"].clone();
    assert_eq!(
        (&end["status"], &end["result"]["content"][0]["text"]),
        (&json!("completed"), &json!("done"))
    );
}

#[tokio::test(start_paused = true)]
async fn in_2025_updates_and_questions_find_a_stream_after_the_one_of_the_call() {
    let script = Script::new()
        .burst(|together| together.become_task().progress(1, 4))
        .wait(SECOND)
        .progress(2, 4)
        .wait(SECOND)
        .ask("a", "roots/list", Value::Null)
        .progress(3, 4)
        .wait(SECOND)
        .progress(4, 4)
        .text("done");
    let server = hosting(script);
    let hosting = server.http();
    let (mut wire, mut answers) = (Wire::connect(&hosting), Wire::connect(&hosting));
    let session = wire.initialize("2025-11-25").await;
    let named = [("mcp-session-id", session.as_str())];
    let params = json!({"name": "job", "task": {}, "_meta": {"progressToken": "t"}});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    assert_eq!(wire.post(&named, &call).await.status, 200);
    assert!(wire.block().await.unwrap().id.is_some());
    let id = wire.message().await["result"]["task"]["taskId"].clone();
    assert_eq!(
        wire.message().await["params"]["progress"],
        1,
        "in the same write as the creation"
    );
    assert_eq!(wire.block().await, None);
    tokio::time::sleep(5 * SECOND / 2).await;

    // What nobody heard waits on the GET stream.
    let mut listening = Wire::connect(&hosting);
    assert_eq!(listening.get(&named).await.status, 200);
    assert!(listening.block().await.unwrap().id.is_some());
    assert_eq!(listening.message().await["params"]["progress"], 2);
    drop(listening);

    // With nothing else open it comes while the result is waited for.
    let result =
        json!({"jsonrpc": "2.0", "id": 2, "method": "tasks/result", "params": {"taskId": id}});
    assert_eq!(wire.post(&named, &result).await.status, 200);
    assert!(wire.block().await.unwrap().id.is_some());
    let asked = wire.message().await;
    assert_eq!(asked["method"], "roots/list");
    let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"roots": []}});
    assert_eq!(answers.post(&named, &answer).await.status, 202);
    assert_eq!(wire.message().await["params"]["progress"], 3);
    // The session may end; the task does not.
    let headers = [("accept", "application/json"), named[0]];
    answers.send("DELETE /mcp", &headers, "").await;
    assert_eq!(answers.head().await.status, 200);
    assert_eq!(wire.block().await, None);
    let session = Wire::connect(&hosting).initialize("2025-11-25").await;
    let named = [("mcp-session-id", session.as_str())];
    let mut wire = Wire::connect(&hosting);
    assert_eq!(wire.post(&named, &result).await.status, 200);
    assert!(wire.block().await.unwrap().id.is_some());
    assert_eq!(wire.message().await["params"]["progress"], 4);
    assert_eq!(wire.message().await["result"]["content"][0]["text"], "done");
}
