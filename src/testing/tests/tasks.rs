//! Tasks in the form of 2026-07-28, over a byte stream.

use super::client::{Client, SECOND, modern};
use crate::testing::script::Script;
use crate::testing::server::ScriptedServer;
use crate::testing::tasks::hosting::{EXTENSION, TaskHosting};
use serde_json::{Value, json};
use std::time::Duration;

/// The `_meta` of a request that declares the extension.
pub(super) fn declaring() -> Value {
    let mut meta = modern("2026-07-28");
    meta["io.modelcontextprotocol/clientCapabilities"]["extensions"] = json!({EXTENSION: {}});
    meta["progressToken"] = json!("t");
    meta
}

pub(super) fn hosting(script: Script) -> ScriptedServer {
    let hosting = TaskHosting::new().poll_interval(SECOND);
    ScriptedServer::new()
        .tasks(hosting)
        .tool("job", move |_| script.clone())
}

impl Client {
    /// Asks in the modern form and returns the whole answer.
    async fn modern(&mut self, method: &str, mut params: Value) -> Value {
        params["_meta"] = declaring();
        self.ask(method, params).await
    }

    /// Calls `job` and returns the task's id.
    async fn create(&mut self) -> String {
        let created = self.modern("tools/call", json!({"name": "job"})).await;
        let created = &created["result"];
        assert_eq!(
            (&created["resultType"], &created["status"]),
            (&json!("task"), &json!("working"))
        );
        created["taskId"].as_str().unwrap().to_owned()
    }

    async fn get(&mut self, id: &str) -> Value {
        let got = self.modern("tasks/get", json!({"taskId": id})).await;
        assert_eq!(got["result"]["resultType"], "complete", "{got}");
        got["result"].clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_becomes_a_task_that_is_asked_for_until_it_has_its_result() {
    let script = Script::new()
        .progress(1, 3)
        .become_task()
        .status("half way")
        .progress(2, 3)
        .flood(2)
        .wait(10 * SECOND)
        .poll_interval(5 * SECOND)
        .ttl(600 * SECOND)
        .wait(SECOND)
        .text("done");
    let mut client = Client::connect(&hosting(script));
    let meta = json!({"_meta": modern("2026-07-28")});
    let discovered = client.ask("server/discover", meta).await;
    let extensions = &discovered["result"]["capabilities"]["extensions"];
    assert_eq!(extensions, &json!({EXTENSION: {}}));
    assert!(discovered["result"]["capabilities"]["tasks"].is_null());

    client
        .request(
            1,
            "tools/call",
            json!({"name": "job", "_meta": declaring()}),
        )
        .await;
    assert_eq!(client.update("t").await, 1, "before it was a task");
    let created = client.next().await;
    let task = &created["result"];
    assert_eq!(
        (&created["id"], &task["resultType"]),
        (&json!(1), &json!("task"))
    );
    assert_eq!(
        (&task["ttlMs"], &task["pollIntervalMs"]),
        (&Value::Null, &json!(1000))
    );
    assert!(task.get("ttlMs").is_some() && task.get("task").is_none());
    let times = (
        task["createdAt"].clone(),
        task["lastUpdatedAt"].as_str().unwrap().len(),
    );
    assert_eq!(times.1, "2026-07-28T00:00:00.000Z".len());
    let id = task["taskId"].as_str().unwrap().to_owned();

    let got = client.get(&id).await;
    assert_eq!(
        (&got["status"], &got["statusMessage"]),
        (&json!("working"), &json!("half way"))
    );
    assert_eq!((&got["taskId"], &got["createdAt"]), (&json!(id), &times.0));
    assert!(got.get("result").is_none() && got.get("inputRequests").is_none());
    client.assert_quiet().await;
    let got = client.get(&id).await;
    assert_eq!(got["status"], "completed");
    assert_eq!(
        got["result"],
        json!({"content": [{"type": "text", "text": "done"}]})
    );
    assert_eq!(
        (&got["pollIntervalMs"], &got["ttlMs"]),
        (&json!(5000), &json!(600_000))
    );
    assert_eq!(client.log.tasks(), [id]);
    assert_eq!(client.log.executions("job"), 1);
}

#[tokio::test(start_paused = true)]
async fn the_server_decides_and_the_client_has_to_declare_it() {
    let script = Script::new().become_task().status("at work").text("done");
    let only = script.clone();
    let server = hosting(script).tool("only", move |_| only.clone());
    let server = server.tasks(TaskHosting::new().required("only"));
    let mut client = Client::connect(&server);
    let undeclared = |more: Value| {
        let mut params = more;
        params["_meta"] = modern("2026-07-28");
        params
    };
    let plain = client
        .ask("tools/call", undeclared(json!({"name": "job"})))
        .await;
    assert_eq!(plain["result"]["resultType"], "complete");
    assert_eq!(plain["result"]["content"][0]["text"], "done");
    let id = client.create().await;
    for (method, params) in [
        ("tools/call", json!({"name": "only"})),
        ("tasks/get", json!({"taskId": id})),
        ("tasks/update", json!({"taskId": id, "inputResponses": {}})),
        ("tasks/cancel", json!({"taskId": id})),
        (
            "subscriptions/listen",
            json!({"notifications": {"taskIds": [id]}}),
        ),
    ] {
        let refused = client.ask(method, undeclared(params)).await;
        assert_eq!(refused["error"]["code"], -32021, "{method}");
        let required = &refused["error"]["data"]["requiredCapabilities"];
        assert_eq!(required, &json!({"extensions": {EXTENSION: {}}}));
    }
    for method in ["tasks/result", "tasks/list"] {
        let refused = client.modern(method, json!({"taskId": id})).await;
        assert_eq!(refused["error"]["code"], -32601, "{method}");
    }
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let refused = client.modern(method, json!({"taskId": "nobody"})).await;
        assert_eq!(refused["error"]["code"], -32602, "{method}");
    }
    let mut client =
        Client::connect(&ScriptedServer::new().tool("job", |_| Script::new().become_task()));
    let plain = client.modern("tools/call", json!({"name": "job"})).await;
    assert_eq!(plain["result"]["resultType"], "complete");
    let refused = client.modern("tasks/get", json!({"taskId": id})).await;
    assert_eq!(refused["error"]["code"], -32601);
}

#[tokio::test(start_paused = true)]
async fn a_task_waits_for_input_and_takes_it_in_pieces() {
    let round = crate::testing::input::round::Round::new()
        .ask("name", "elicitation/create", json!({"message": "name?"}))
        .ask("roots", "roots/list", Value::Null);
    let script = Script::new()
        .become_task()
        .ask_round(round)
        .then_with(|answers| {
            let roots = answers.get("roots")["roots"].as_array().map(Vec::len);
            let name = answers.content("name")["name"].clone();
            Script::new().wait(SECOND).text(format!("{name} {roots:?}"))
        });
    let mut client = Client::connect(&hosting(script));
    let id = client.create().await;
    let got = client.get(&id).await;
    assert_eq!(got["status"], "input_required");
    let questions = json!({
        "name": {"method": "elicitation/create", "params": {"message": "name?"}},
        "roots": {"method": "roots/list"},
    });
    assert_eq!(got["inputRequests"], questions);
    let some = json!({"taskId": id, "inputResponses": {"roots": {"roots": []}, "else": {}}});
    let answer = client.modern("tasks/update", some).await;
    assert_eq!(answer["result"], json!({"resultType": "complete"}));
    let got = client.get(&id).await;
    assert_eq!(got["inputRequests"], json!({"name": questions["name"]}));
    // A second answer to the same question is passed over.
    let rest =
        json!({"roots": {"roots": [1]}, "name": {"action": "accept", "content": {"name": "Ada"}}});
    client
        .modern(
            "tasks/update",
            json!({"taskId": id, "inputResponses": rest}),
        )
        .await;
    let got = client.get(&id).await;
    assert_eq!(got["status"], "working");
    assert!(got.get("inputRequests").is_none());
    client.assert_quiet().await;
    let got = client.get(&id).await;
    assert_eq!(got["result"]["content"][0]["text"], "\"Ada\" Some(0)");
}

#[tokio::test(start_paused = true)]
async fn tasks_end_in_each_of_the_ways() {
    let work = Script::new().become_task();
    let patient = work.clone().status("at work").silence();
    let server = hosting(patient)
        .tool("error", {
            let work = work.clone();
            move |_| work.clone().error(-32603, "broken")
        })
        .tool("tool error", {
            let work = work.clone();
            move |_| work.clone().tool_error("failed")
        })
        .tool("called off", {
            let work = work.clone();
            move |_| work.clone().status("no more").call_off_task()
        })
        .tool("cleans up", {
            let work = work.clone();
            move |_| work.clone().until_cancelled().wait(SECOND).status("undone")
        })
        .tool("stubborn", move |_| {
            work.clone()
                .wait(SECOND)
                .text("all the same")
                .ignores_cancel()
        });
    let mut client = Client::connect(&server);
    let mut ends = Vec::new();
    for tool in [
        "error",
        "tool error",
        "called off",
        "job",
        "cleans up",
        "stubborn",
    ] {
        let created = client.modern("tools/call", json!({"name": tool})).await;
        let id = created["result"]["taskId"].as_str().unwrap().to_owned();
        let cancelled = client.modern("tasks/cancel", json!({"taskId": id})).await;
        assert_eq!(cancelled["result"], json!({"resultType": "complete"}));
        if tool == "cleans up" {
            assert_eq!(client.get(&id).await["status"], "working", "not yet");
        }
        tokio::time::sleep(2 * SECOND).await;
        ends.push(client.get(&id).await);
    }
    let statuses: Vec<_> = ends
        .iter()
        .map(|end| end["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        statuses,
        [
            "failed",
            "completed",
            "cancelled",
            "cancelled",
            "cancelled",
            "completed"
        ]
    );
    assert_eq!(
        ends[0]["error"],
        json!({"code": -32603, "message": "broken"})
    );
    assert_eq!(ends[1]["result"]["isError"], true);
    assert_eq!(ends[2]["statusMessage"], "no more");
    assert_eq!(ends[4]["statusMessage"], "undone");
    assert_eq!(ends[5]["result"]["content"][0]["text"], "all the same");
    let tasks = client.log.tasks();
    assert_eq!(client.log.stopped_tasks(), tasks[3..5]);
}

#[tokio::test(start_paused = true)]
async fn tasks_are_forgotten_by_their_time_their_script_and_their_server() {
    let script = Script::new().become_task().ttl(5 * SECOND).silence();
    let forgets = Script::new()
        .become_task()
        .wait(SECOND)
        .forget_task()
        .text("unheard");
    let server = hosting(script).tool("forgets", move |_| forgets.clone());
    let mut client = Client::connect(&server);
    let id = client.create().await;
    assert_eq!(client.get(&id).await["ttlMs"], 5000);
    tokio::time::sleep(5 * SECOND).await;
    let gone = client.modern("tasks/get", json!({"taskId": id})).await;
    assert_eq!(
        gone["error"],
        json!({"code": -32602, "message": "Task has expired"})
    );

    let created = client
        .modern("tools/call", json!({"name": "forgets"}))
        .await;
    let id = created["result"]["taskId"].as_str().unwrap().to_owned();
    assert_eq!(client.get(&id).await["status"], "working");
    tokio::time::sleep(2 * SECOND).await;
    let gone = client.modern("tasks/get", json!({"taskId": id})).await;
    assert_eq!(gone["error"]["code"], -32602);
    let id = client.create().await;
    server.forget_tasks();
    let gone = client.modern("tasks/get", json!({"taskId": id})).await;
    assert_eq!(
        gone["error"],
        json!({"code": -32602, "message": "Task not found"})
    );
}

#[tokio::test(start_paused = true)]
async fn those_who_subscribe_are_told_of_each_change_with_the_whole_task() {
    let script = Script::new()
        .become_task()
        .wait(SECOND)
        .status("half way")
        .ask("a", "roots/list", Value::Null)
        .text("done");
    let mut client = Client::connect(&hosting(script));
    let id = client.create().await;
    let filter = json!({"taskIds": [id, "nobody"], "toolsListChanged": true});
    client
        .request(
            "s",
            "subscriptions/listen",
            json!({"notifications": filter, "_meta": declaring()}),
        )
        .await;
    let acknowledged = client.next().await;
    let agreed = &acknowledged["params"]["notifications"];
    assert_eq!(agreed, &json!({"taskIds": [id], "toolsListChanged": true}));
    let other = client.create().await;
    assert_ne!(other, id);

    let told = client.next().await;
    assert_eq!(told["method"], "notifications/tasks");
    assert_eq!(
        told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
        "s"
    );
    assert_eq!(
        (&told["params"]["taskId"], &told["params"]["statusMessage"]),
        (&json!(id), &json!("half way"))
    );
    let told = client.next().await;
    assert_eq!(told["params"]["status"], "input_required");
    assert_eq!(
        told["params"]["inputRequests"],
        json!({"a": {"method": "roots/list"}})
    );
    client
        .request(
            7,
            "tasks/update",
            json!({"taskId": id, "inputResponses": {"a": {}}, "_meta": declaring()}),
        )
        .await;
    let mut heard = Vec::new();
    for _ in 0..3 {
        let told = client.next().await;
        heard.push(
            told["params"]["status"]
                .as_str()
                .unwrap_or("answer")
                .to_owned(),
        );
        if heard.last().unwrap() == "completed" {
            assert_eq!(told["params"]["result"]["content"][0]["text"], "done");
        }
    }
    heard.retain(|status| status != "answer");
    assert_eq!(heard, ["working", "completed"]);
    client.assert_quiet().await;

    let silent = hosting(Script::new().become_task().wait(SECOND).text("done"));
    let mut client = Client::connect(&silent.tasks(TaskHosting::new().notifications(false)));
    let id = client.create().await;
    let filter = json!({"taskIds": [id]});
    client
        .request(
            "s",
            "subscriptions/listen",
            json!({"notifications": filter, "_meta": declaring()}),
        )
        .await;
    assert_eq!(
        client.next().await["params"]["notifications"],
        json!({"taskIds": []})
    );
    client.assert_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_outlives_its_connection_and_its_call_is_no_longer_cancelled() {
    let script = Script::new()
        .wait(SECOND)
        .become_task()
        .wait(SECOND)
        .text("done");
    let server = hosting(script);
    let mut client = Client::connect(&server);
    client
        .request(
            1,
            "tools/call",
            json!({"name": "job", "_meta": declaring()}),
        )
        .await;
    client.logged(|log| log.executions("job") == 1).await;
    client.cancel(1).await;
    client.logged(|log| log.stopped() == [1]).await;
    tokio::time::sleep(2 * SECOND).await;
    assert!(
        server.log().tasks().is_empty(),
        "cancelled before it was a task"
    );

    client
        .request(
            2,
            "tools/call",
            json!({"name": "job", "_meta": declaring()}),
        )
        .await;
    let id = client.next().await["result"]["taskId"]
        .as_str()
        .unwrap()
        .to_owned();
    client.cancel(2).await;
    drop((client.reader, client.writer));
    client.served.await.unwrap();

    let mut client = Client::connect(&server);
    assert_eq!(client.get(&id).await["status"], "working");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(
        client.get(&id).await["result"]["content"][0]["text"],
        "done"
    );
    assert_eq!(server.log().executions("job"), 2);
}

#[tokio::test(start_paused = true)]
async fn questions_before_the_task_are_retries_and_those_within_are_not() {
    let script = Script::new()
        .ask("before", "roots/list", Value::Null)
        .become_task()
        .ask("within", "roots/list", Value::Null)
        .then_with(|answers| {
            Script::new().text(format!(
                "{} {}",
                answers.get("before"),
                answers.get("within")
            ))
        });
    let mut client = Client::connect(&hosting(script));
    let asked = client.modern("tools/call", json!({"name": "job"})).await;
    assert_eq!(asked["result"]["resultType"], "input_required");
    let state = asked["result"]["requestState"].clone();
    let retry =
        json!({"name": "job", "requestState": state, "inputResponses": {"before": {"n": 1}}});
    let created = client.modern("tools/call", retry).await;
    let id = created["result"]["taskId"].as_str().unwrap().to_owned();
    client
        .modern(
            "tasks/update",
            json!({"taskId": id, "inputResponses": {"within": {"n": 2}}}),
        )
        .await;
    let got = client.get(&id).await;
    assert_eq!(got["result"]["content"][0]["text"], r#"{"n":1} {"n":2}"#);
    assert_eq!(
        client.log.executions("job"),
        1,
        "one piece of work in three requests"
    );
}
