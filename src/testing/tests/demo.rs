//! The demo server does what its table says.

use super::client::{Client, SECOND, modern, now};
use crate::testing::server::ScriptedServer;
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn the_demo_does_what_it_says() {
    let mut client = Client::connect(&ScriptedServer::demo());
    let start = now();
    client.call(1, "count").await;
    for step in 1..=5 {
        let params = client.next().await["params"].clone();
        assert_eq!(
            (&params["progress"], &params["total"]),
            (&json!(step), &json!(5))
        );
        assert_eq!(params["message"], format!("step {step} of 5"));
    }
    assert_eq!(
        client.next().await["result"]["content"][0]["text"],
        "counted to 5"
    );
    assert_eq!(now() - start, SECOND);

    client.call(2, "download").await;
    let updates: Vec<Value> = collect(&mut client, 16).await;
    assert_eq!(updates[6]["message"], "3.5 of 8 MiB");
    assert_eq!(
        (&updates[6]["progress"], &updates[6]["total"]),
        (&json!(3_670_016.0), &json!(8_388_608.0))
    );
    assert_eq!(updates[15]["progress"], updates[15]["total"]);

    client.call(3, "index").await;
    let updates = collect(&mut client, 20).await;
    assert_eq!(
        (&updates[9]["total"], &updates[10]["total"]),
        (&Value::Null, &json!(20))
    );

    client.call(4, "burst").await;
    assert_eq!(collect(&mut client, 10).await[9]["progress"], 10);

    client.call(5, "fail").await;
    for step in 1..=3 {
        assert_eq!(client.update(5).await, step);
    }
    assert_eq!(client.next().await["result"]["isError"], true);

    let meta = json!({"progressToken": "t"});
    client
        .request(
            6,
            "resources/read",
            json!({"uri": "demo:///report", "_meta": meta}),
        )
        .await;
    assert_eq!(collect(&mut client, 3).await[2]["progress"], 3);
    let arguments = json!({"topic": "bees"});
    client
        .request(
            7,
            "prompts/get",
            json!({"name": "summary", "arguments": arguments, "_meta": meta}),
        )
        .await;
    assert_eq!(collect(&mut client, 3).await[0]["message"], "reading");

    client.call(10, "job").await;
    assert_eq!(collect(&mut client, 5).await[4]["message"], "step 5 of 5");
    let params = json!({"name": "job", "arguments": {"steps": 2}, "task": {}});
    let task = client.ask("tools/call", params).await["result"]["task"].clone();
    let id = json!({"taskId": task["taskId"]});
    tokio::time::sleep(SECOND * 3 / 4).await;
    let task = client.ask("tasks/get", id.clone()).await["result"].clone();
    assert_eq!(task["statusMessage"], "step 1 of 2");
    let done = client.ask("tasks/result", id).await["result"].clone();
    assert_eq!(done["content"][0]["text"], "did 2 steps");
    let refused = client.ask("tools/call", json!({"name": "count", "task": {}}));
    assert_eq!(refused.await["error"]["code"], -32601);

    client.call(8, "hang").await;
    client.assert_quiet().await;
    let huge = json!({"name": "count", "arguments": {"steps": u64::MAX, "delay_ms": 0}});
    client.request(9, "tools/call", huge).await;
    assert_eq!(
        client.next().await["result"]["content"][0]["text"],
        "counted to 10000"
    );
}

#[tokio::test(start_paused = true)]
async fn the_demo_asks_for_a_name() {
    let mut client = Client::connect(&ScriptedServer::demo());
    let accept = json!({"action": "accept", "content": {"name": "Ada"}});
    for (answer, said) in [
        (json!({"result": accept}), "Hello, Ada!"),
        (
            json!({"result": {"action": "decline"}}),
            "Nobody gave a name.",
        ),
        (
            json!({"error": {"code": -32601, "message": "no"}}),
            "Nobody gave a name.",
        ),
    ] {
        client.call(1, "ask").await;
        assert_eq!(client.update(1).await, 1);
        let mut answer = answer;
        answer["id"] = client.next().await["id"].clone();
        answer["jsonrpc"] = json!("2.0");
        client.send(answer).await;
        assert_eq!(client.update(1).await, 2);
        assert_eq!(client.next().await["result"]["content"][0]["text"], said);
    }
    let mut params = json!({"name": "ask", "_meta": modern("2026-07-28")});
    let refused = client.ask("tools/call", params.clone()).await;
    assert_eq!(refused["error"]["code"], -32021);
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"]["elicitation"] = json!({});
    let asked = client.ask("tools/call", params).await;
    assert_eq!(asked["result"]["resultType"], "input_required");
}

/// The parameters of the next `n` updates, and then a result.
async fn collect(client: &mut Client, n: usize) -> Vec<Value> {
    let mut updates = Vec::new();
    for _ in 0..n {
        let message = client.next().await;
        assert_eq!(message["method"], "notifications/progress", "{message}");
        updates.push(message["params"].clone());
    }
    let answer = client.next().await;
    assert!(answer["result"].is_object(), "{answer}");
    updates
}
