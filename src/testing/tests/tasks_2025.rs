//! Tasks in the form of 2025-11-25, over a byte stream.

use super::client::{Client, SECOND};
use super::tasks::hosting;
use crate::testing::script::Script;
use crate::testing::tasks::hosting::TaskHosting;
use crate::testing::tasks::task::RELATED;
use serde_json::{Value, json};
use tokio::io::AsyncBufReadExt;

impl Client {
    /// Calls a tool as a task and returns the task.
    async fn augmented(&mut self, tool: &str, task: Value) -> Value {
        let params = json!({"name": tool, "task": task, "_meta": {"progressToken": "t"}});
        let created = self.ask("tools/call", params).await;
        created["result"]["task"].clone()
    }

    async fn status(&mut self, id: &Value) -> Value {
        let got = self.ask("tasks/get", json!({"taskId": id})).await;
        got["result"].clone()
    }
}

#[tokio::test(start_paused = true)]
async fn capabilities_and_tools_say_what_can_be_a_task() {
    let server = hosting(Script::new())
        .tool("only", |_| Script::new())
        .tool("never", |_| Script::new());
    let server = server.tasks(TaskHosting::new().required("only").forbidden("never"));
    let mut client = Client::connect(&server);
    for (revision, tasks) in [
        (
            "2025-11-25",
            json!({"requests": {"tools": {"call": {}}}, "cancel": {}, "list": {}}),
        ),
        ("2025-06-18", Value::Null),
    ] {
        let answer = client
            .ask("initialize", json!({"protocolVersion": revision}))
            .await;
        assert_eq!(answer["result"]["capabilities"]["tasks"], tasks);
        assert!(answer["result"]["capabilities"]["extensions"].is_null());
    }
    let listed = client.ask("tools/list", json!({})).await;
    let support: Vec<_> = listed["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["execution"]["taskSupport"].as_str().unwrap())
        .collect();
    assert_eq!(support, ["optional", "required", "forbidden"]);
    for (tool, task) in [("only", Value::Null), ("never", json!({}))] {
        let refused = client
            .ask("tools/call", json!({"name": tool, "task": task}))
            .await;
        assert_eq!(refused["error"]["code"], -32601, "{tool}");
    }
    let bare = TaskHosting::new().without_cancel().without_list();
    let mut client = Client::connect(&hosting(Script::new().become_task().silence()).tasks(bare));
    let answer = client
        .ask("initialize", json!({"protocolVersion": "2025-11-25"}))
        .await;
    assert_eq!(
        answer["result"]["capabilities"]["tasks"],
        json!({"requests": {"tools": {"call": {}}}})
    );
    let task = client.augmented("job", json!({})).await;
    for method in ["tasks/cancel", "tasks/list", "tasks/update"] {
        let refused = client.ask(method, json!({"taskId": task["taskId"]})).await;
        assert_eq!(refused["error"]["code"], -32601, "{method}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_token_of_the_call_is_good_until_the_task_ends() {
    let script = Script::new()
        .progress(1, 3)
        .become_task()
        .status("at work")
        .wait(SECOND)
        .progress(2, 3)
        .wait(SECOND)
        .text("done");
    let mut client = Client::connect(&hosting(script));
    let params = json!({"name": "job", "task": {"ttl": 60_000}, "_meta": {"progressToken": "t"}});
    client.request(1, "tools/call", params).await;
    assert_eq!(client.update("t").await, 1);
    let created = client.next().await;
    let task = created["result"]["task"].clone();
    assert!(
        created["result"].get("taskId").is_none() && created["result"].get("resultType").is_none()
    );
    assert_eq!(
        (&task["ttl"], &task["pollInterval"]),
        (&json!(60_000), &json!(1000))
    );
    let id = &task["taskId"];
    let got = client.status(id).await;
    assert_eq!(
        (&got["status"], &got["statusMessage"]),
        (&json!("working"), &json!("at work"))
    );
    // Blocks until the end, while updates come.
    client
        .request(2, "tasks/result", json!({"taskId": id}))
        .await;
    let update = client.next().await;
    assert_eq!(
        (
            &update["params"]["progressToken"],
            &update["params"]["progress"]
        ),
        (&json!("t"), &json!(2))
    );
    assert_eq!(update["params"]["_meta"][RELATED]["taskId"], *id);
    let answer = client.next().await;
    assert_eq!(
        (&answer["id"], &answer["result"]["content"][0]["text"]),
        (&json!(2), &json!("done"))
    );
    assert_eq!(answer["result"]["_meta"][RELATED]["taskId"], *id);
    let again = client.ask("tasks/result", json!({"taskId": id})).await;
    assert_eq!(again["result"], answer["result"]);
    let got = client.status(id).await;
    assert_eq!(got["status"], "completed");
    assert!(got.get("result").is_none());
    // Without the field it is a call like any other.
    client.call(9, "job").await;
    assert_eq!(
        (client.update(9).await, client.update(9).await),
        (json!(1), json!(2))
    );
    assert_eq!(client.next().await["result"]["content"][0]["text"], "done");
}

#[tokio::test(start_paused = true)]
async fn the_creation_and_what_follows_can_share_a_write() {
    let script = Script::new().burst(|together| {
        together
            .become_task()
            .progress(1, 2)
            .status("one of two")
            .progress(2, 2)
            .text("done")
    });
    let server = hosting(script).tasks(TaskHosting::new().notifications(true));
    let mut client = Client::connect(&server);
    let params = json!({"name": "job", "task": {}, "_meta": {"progressToken": "t"}});
    client.request(1, "tools/call", params).await;
    // The reader takes what one write put into the pipe.
    let read = client.reader.fill_buf().await.unwrap();
    let text = String::from_utf8(read.to_vec()).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let seen: Vec<_> = lines
        .iter()
        .map(|line| line["method"].as_str().unwrap_or("answer"))
        .collect();
    let (progress, status) = ("notifications/progress", "notifications/tasks/status");
    assert_eq!(seen, ["answer", progress, status, progress, status]);
    assert_eq!(lines[0]["result"]["task"]["status"], "working");
    assert_eq!(
        (
            &lines[2]["params"]["statusMessage"],
            &lines[4]["params"]["status"]
        ),
        (&json!("one of two"), &json!("completed"))
    );
}

#[tokio::test(start_paused = true)]
async fn questions_of_a_task_come_while_its_result_is_waited_for() {
    let script = Script::new()
        .become_task()
        .ask("name", "elicitation/create", json!({"message": "name?"}))
        .wait(SECOND)
        .then_with(|answers| Script::new().text(answers.content("name")["name"].to_string()));
    let mut client = Client::connect(&hosting(script));
    let task = client.augmented("job", json!({})).await;
    assert_eq!(task["ttl"], Value::Null);
    let id = &task["taskId"];
    assert_eq!(client.status(id).await["status"], "input_required");
    client.assert_quiet().await;
    client
        .request(2, "tasks/result", json!({"taskId": id}))
        .await;
    let asked = client.next().await;
    assert_eq!(asked["method"], "elicitation/create");
    assert_eq!(
        asked["params"],
        json!({"message": "name?", "_meta": {RELATED: {"taskId": id}}})
    );
    // Who gives up waiting is asked again the next time.
    client.cancel(2).await;
    client
        .request(3, "tasks/result", json!({"taskId": id}))
        .await;
    let again = client.next().await;
    assert_eq!(again, asked);
    let answer = json!({"action": "accept", "content": {"name": "Ada"}});
    client
        .send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": answer}))
        .await;
    client.ask("ping", json!({})).await;
    assert_eq!(client.status(id).await["status"], "working");
    let answer = client.next().await;
    assert_eq!(
        (&answer["id"], &answer["result"]["content"][0]["text"]),
        (&json!(3), &json!("\"Ada\""))
    );
}

#[tokio::test(start_paused = true)]
async fn tasks_are_listed_and_cancelled_at_once() {
    let stubborn = Script::new()
        .wait(SECOND)
        .text("all the same")
        .ignores_cancel();
    let server = hosting(Script::new().silence())
        .tool("fails", |_| Script::new().tool_error("failed"))
        .tool("breaks", |_| Script::new().error(-32603, "broken"))
        .tool("stubborn", move |_| stubborn.clone())
        .page_size(2);
    let mut client = Client::connect(&server);
    let mut ids = Vec::new();
    // A tool whose script has no step for it becomes a task at once.
    for tool in ["job", "fails", "breaks", "stubborn"] {
        ids.push(client.augmented(tool, json!({})).await["taskId"].clone());
    }
    for (id, status) in ids.iter().zip(["working", "failed", "failed", "working"]) {
        assert_eq!(client.status(id).await["status"], status);
    }
    let first = client.ask("tasks/list", json!({})).await["result"].clone();
    let second = client
        .ask("tasks/list", json!({"cursor": first["nextCursor"]}))
        .await["result"]
        .clone();
    let pages = [&first, &second]
        .into_iter()
        .flat_map(|page| page["tasks"].as_array().unwrap());
    let listed: Vec<_> = pages.map(|task| task["taskId"].clone()).collect();
    assert_eq!(listed, ids);
    assert!(second.get("nextCursor").is_none());

    let failed = client.ask("tasks/result", json!({"taskId": ids[1]})).await;
    assert_eq!(failed["result"]["isError"], true);
    let broken = client.ask("tasks/result", json!({"taskId": ids[2]})).await;
    assert_eq!(
        broken["error"],
        json!({"code": -32603, "message": "broken"})
    );

    client
        .request(5, "tasks/result", json!({"taskId": ids[0]}))
        .await;
    client
        .request(6, "tasks/cancel", json!({"taskId": ids[0]}))
        .await;
    let mut answers = [client.next().await, client.next().await];
    answers.sort_by_key(|answer| answer["id"].as_i64());
    assert!(answers[0]["error"].is_object());
    assert_eq!(answers[1]["result"]["status"], "cancelled");
    for id in [&ids[0], &ids[1]] {
        let refused = client.ask("tasks/cancel", json!({"taskId": id})).await;
        assert_eq!(refused["error"]["code"], -32602);
    }
    let ignored = client.ask("tasks/cancel", json!({"taskId": ids[3]})).await;
    assert_eq!(ignored["result"]["status"], "working");
    let done = client.ask("tasks/result", json!({"taskId": ids[3]})).await;
    assert_eq!(done["result"]["content"][0]["text"], "all the same");
    assert_eq!(server.log().stopped_tasks(), [ids[0].as_str().unwrap()]);
}
