//! Scripts that ask for input, in both eras: what goes over the wire, and where a retry goes on.

use super::client::{Client, SECOND, modern, tool};
use super::http_wire::{Wire, call};
use crate::testing::input::round::Round;
use crate::testing::script::Script;
use crate::testing::server::ScriptedServer;
use serde_json::{Map, Value, json};

const ELICIT: &str = "elicitation/create";

fn form(message: &str) -> Value {
    json!({"message": message, "requestedSchema": {"type": "object", "properties": {}}})
}

fn accept(name: &str) -> Value {
    json!({"action": "accept", "content": {"name": name}})
}

/// Two rounds, and a text that holds both answers.
fn two_rounds() -> Script {
    Script::new()
        .progress(1, 3)
        .ask("first", ELICIT, form("first?"))
        .progress(2, 3)
        .then_with(|answers| {
            let first = answers.content("first")["name"].as_str().unwrap_or("?");
            Script::new().ask("last", ELICIT, form(&format!("last of {first}?")))
        })
        .progress(3, 3)
        .then_with(|answers| {
            let name = |key| {
                answers.content(key)["name"]
                    .as_str()
                    .unwrap_or("?")
                    .to_owned()
            };
            Script::new().text(format!("{} {}", name("first"), name("last")))
        })
}

impl Client {
    /// A call of `it` in 2026-07-28 with these fields beside the usual ones; its token is its id.
    async fn try_it(&mut self, id: i64, fields: Value) {
        let mut params = fields;
        params["name"] = json!("it");
        params["_meta"] = modern("2026-07-28");
        params["_meta"]["progressToken"] = json!(id);
        self.request(id, "tools/call", params).await;
    }

    async fn result(&mut self, id: i64) -> Value {
        let answer = self.next().await;
        assert_eq!(answer["id"], id, "{answer}");
        answer["result"].clone()
    }
}

#[tokio::test(start_paused = true)]
async fn modern_questions_end_the_request_and_the_retry_goes_on_behind_them() {
    let mut client = Client::connect(&tool(two_rounds()));
    client.try_it(1, json!({})).await;
    assert_eq!(client.update(1).await, 1);
    let asked = client.result(1).await;
    assert_eq!(asked["resultType"], "input_required");
    assert_eq!(
        asked["inputRequests"],
        json!({"first": {"method": ELICIT, "params": form("first?")}})
    );
    let state = asked["requestState"].clone();
    assert!(state.is_string());

    client
        .try_it(
            2,
            json!({"requestState": state, "inputResponses": {"first": accept("Ada")}}),
        )
        .await;
    assert_eq!(client.update(2).await, 2, "under the token of the retry");
    let asked = client.result(2).await;
    assert_eq!(
        asked["inputRequests"]["last"]["params"]["message"],
        "last of Ada?"
    );
    assert_ne!(asked["requestState"], state);
    client.assert_quiet().await;

    let state = asked["requestState"].clone();
    client
        .try_it(
            3,
            json!({"requestState": state, "inputResponses": {"last": accept("Byron")}}),
        )
        .await;
    assert_eq!(client.update(3).await, 3);
    let done = client.result(3).await;
    assert_eq!(done["resultType"], "complete");
    assert_eq!(done["content"][0]["text"], "Ada Byron");
}

#[tokio::test(start_paused = true)]
async fn a_state_is_written_byte_by_byte_and_must_come_back_with_its_value() {
    let odd = r#""caf\u00E9 \/ \ud83d\ude00 \"q\"""#;
    let round = Round::new()
        .ask("a", "roots/list", Value::Null)
        .state_json(odd);
    let mut client = Client::connect(&tool(Script::new().ask_round(round).text("done")));
    client.try_it(1, json!({})).await;
    let line = client.line().await.unwrap();
    assert!(line.contains(&format!("\"requestState\":{odd}")), "{line}");
    let asked: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        asked["result"]["inputRequests"],
        json!({"a": {"method": "roots/list"}})
    );
    assert_eq!(asked["result"]["requestState"], "café / \u{1F600} \"q\"");

    let answers = json!({"a": {"roots": []}});
    let wrong = json!({"requestState": odd, "inputResponses": answers});
    client.try_it(2, wrong).await;
    assert_eq!(client.next().await["error"]["code"], -32602);
    let right = json!({"requestState": asked["result"]["requestState"], "inputResponses": answers});
    client.try_it(3, right).await;
    assert_eq!(client.result(3).await["content"][0]["text"], "done");
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_asked_for_again_and_more_than_was_asked_is_passed_over() {
    let round = Round::new()
        .ask("a", ELICIT, form("a?"))
        .ask("b", "sampling/createMessage", json!({"maxTokens": 1}))
        .no_state();
    let script = Script::new().ask_round(round).then_with(|answers| {
        assert!(answers.get("c").is_null(), "nobody asked for it");
        Script::new().text(format!(
            "{} {}",
            answers.content("a"),
            answers.get("b")["model"]
        ))
    });
    let mut client = Client::connect(&tool(script));
    client.try_it(1, json!({})).await;
    let asked = client.result(1).await;
    assert!(asked.get("requestState").is_none());
    let keys: Vec<_> = asked["inputRequests"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["a", "b"]);
    client
        .try_it(2, json!({"inputResponses": {"a": accept("x")}}))
        .await;
    assert_eq!(
        client.result(2).await["inputRequests"],
        asked["inputRequests"]
    );
    let answers = json!({"a": {"action": "decline"}, "b": {"model": "m"}, "c": {}});
    client.try_it(3, json!({"inputResponses": answers})).await;
    assert_eq!(client.result(3).await["content"][0]["text"], "null \"m\"");
}

#[tokio::test(start_paused = true)]
async fn what_the_specification_forbids_can_be_said() {
    let rounds = [
        ("state", Round::new().state("again")),
        ("neither", Round::new().no_state()),
        (
            "endless",
            Round::new()
                .ask("more", "vendor/unknown", json!({}))
                .endless(),
        ),
    ];
    let mut server = ScriptedServer::new().method("tools/list", |_| {
        Script::new().ask("why", "roots/list", json!({}))
    });
    for (name, round) in rounds {
        server = server.tool(name, move |_| {
            Script::new().ask_round(round.clone()).text("done")
        });
    }
    let mut client = Client::connect(&server);
    let with = |name: &str, more: Value| {
        let mut params = json!({"name": name, "_meta": modern("2026-07-28")});
        let more: Map<String, Value> = more.as_object().unwrap().clone();
        params.as_object_mut().unwrap().extend(more);
        params
    };
    let asked = client.ask("tools/call", with("state", json!({}))).await;
    assert_eq!(
        asked["result"],
        json!({"resultType": "input_required", "requestState": "again"})
    );
    let retry = with("state", json!({"requestState": "again"}));
    let done = client.ask("tools/call", retry).await;
    assert_eq!(done["result"]["content"][0]["text"], "done");
    for _ in 0..3 {
        let asked = client.ask("tools/call", with("neither", json!({}))).await;
        assert_eq!(asked["result"], json!({"resultType": "input_required"}));
    }
    let mut retry = json!({});
    for _ in 0..12 {
        let asked = client.ask("tools/call", with("endless", retry)).await["result"].clone();
        assert_eq!(asked["inputRequests"]["more"]["method"], "vendor/unknown");
        retry = json!({"requestState": asked["requestState"], "inputResponses": {"more": {}}});
    }
    let listed = client
        .ask("tools/list", json!({"_meta": modern("2026-07-28")}))
        .await;
    assert_eq!(listed["result"]["resultType"], "input_required");
}

#[tokio::test(start_paused = true)]
async fn retries_of_a_script_without_questions_are_its_closures_business() {
    let server = ScriptedServer::new().tool("it", |request| match request.params()["requestState"]
        .as_str()
    {
        Some(own) => Script::new().text(own),
        None => {
            Script::new().result(json!({"resultType": "input_required", "requestState": "mine"}))
        }
    });
    let mut client = Client::connect(&server);
    client.try_it(1, json!({})).await;
    assert_eq!(client.result(1).await["requestState"], "mine");
    client.try_it(2, json!({"requestState": "mine"})).await;
    assert_eq!(client.result(2).await["content"][0]["text"], "mine");
}

#[tokio::test(start_paused = true)]
async fn handshake_questions_are_requests_and_the_script_waits_for_the_answers() {
    let round =
        Round::new()
            .ask("name", ELICIT, form("name?"))
            .ask("roots", "roots/list", Value::Null);
    let script = Script::new()
        .progress(1, 2)
        .ask_round(round)
        .progress(2, 2)
        .then_with(|answers| {
            let refused = answers.error("roots").map(|error| error["code"].clone());
            Script::new().text(format!("{} {refused:?}", answers.content("name")["name"]))
        });
    let mut client = Client::connect(&tool(script));
    client.call(1, "it").await;
    assert_eq!(client.update(1).await, 1);
    let (name, roots) = (client.next().await, client.next().await);
    assert_eq!(
        (&name["method"], &name["params"]),
        (&json!(ELICIT), &form("name?"))
    );
    assert_eq!(roots["method"], "roots/list");
    assert!(roots.get("params").is_none() && name["id"] != roots["id"]);
    client.assert_quiet().await;

    // In any order; an id that nobody waits for means nothing.
    client
        .send(json!({"jsonrpc": "2.0", "id": 999, "result": {}}))
        .await;
    client.send(json!({"jsonrpc": "2.0", "id": roots["id"], "error": {"code": -32601, "message": "no"}})).await;
    client.assert_quiet().await;
    client
        .send(json!({"jsonrpc": "2.0", "id": name["id"], "result": accept("Ada")}))
        .await;
    assert_eq!(client.update(1).await, 2);
    let text = client.next().await["result"]["content"][0]["text"].clone();
    assert_eq!(text, "\"Ada\" Some(Number(-32601))");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_drops_its_questions_and_a_question_can_be_taken_back() {
    let patient = Script::new().ask("a", ELICIT, form("a?")).text("done");
    let hasty = Round::new()
        .ask("a", ELICIT, form("a?"))
        .give_up_after(2 * SECOND);
    let hasty = Script::new().ask_round(hasty).then_with(|answers| {
        Script::new().text(if answers.error("a").is_some() {
            "gone on"
        } else {
            "answered"
        })
    });
    let server = tool(patient).tool("hasty", move |_| hasty.clone());
    let mut client = Client::connect(&server);
    client.call(1, "it").await;
    let asked = client.next().await;
    client.cancel(1).await;
    client.logged(|log| log.stopped() == [1]).await;
    client
        .send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": accept("late")}))
        .await;
    client.assert_quiet().await;

    client.call(2, "hasty").await;
    let asked = client.next().await;
    let taken = client.next().await;
    assert_eq!(taken["method"], "notifications/cancelled");
    assert_eq!(taken["params"]["requestId"], asked["id"]);
    assert_eq!(
        client.next().await["result"]["content"][0]["text"],
        "gone on"
    );
    client.call(3, "hasty").await;
    let asked = client.next().await;
    client
        .send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": {}}))
        .await;
    assert_eq!(
        client.next().await["result"]["content"][0]["text"],
        "answered"
    );
}

#[tokio::test(start_paused = true)]
async fn a_burst_goes_out_with_the_question_in_it() {
    let ask = |round: Script| round.progress(1, 2).ask("a", "roots/list", json!({}));
    let script = Script::new().burst(|together| ask(together).progress(2, 2).text("done"));
    let mut client = Client::connect_with(&tool(script), 1 << 16);
    client.call(1, "it").await;
    assert_eq!(client.update(1).await, 1);
    let asked = client.next().await;
    client
        .send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": {}}))
        .await;
    assert_eq!(client.update(1).await, 2);
    assert_eq!(client.next().await["id"], 1);

    client.try_it(2, json!({})).await;
    assert_eq!(client.update(2).await, 1);
    let asked = client.result(2).await;
    client
        .try_it(
            3,
            json!({"requestState": asked["requestState"], "inputResponses": {"a": {}}}),
        )
        .await;
    assert_eq!(client.update(3).await, 2);
    assert_eq!(client.result(3).await["content"][0]["text"], "done");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_asks_can_still_clean_up_when_it_is_cancelled() {
    let script = Script::new()
        .ask("a", "roots/list", json!({}))
        .progress(1, 2)
        .until_cancelled()
        .progress(2, 2);
    let mut client = Client::connect(&tool(script));
    client.call(1, "it").await;
    let asked = client.next().await;
    client
        .send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": {}}))
        .await;
    assert_eq!(client.update(1).await, 1);
    client.assert_quiet().await;
    client.cancel(1).await;
    assert_eq!(client.update(1).await, 2);
    client.assert_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn over_http_the_question_comes_on_the_stream_and_the_answer_in_a_post() {
    let server = tool(two_rounds());
    let hosting = server.http();
    let (mut calls, mut answers) = (Wire::connect(&hosting), Wire::connect(&hosting));
    let session = calls.initialize("2025-06-18").await;
    let named = [("mcp-session-id", session.as_str())];
    assert_eq!(calls.post(&named, &call(7, "it")).await.status, 200);
    assert!(calls.block().await.unwrap().id.is_some());
    assert_eq!(calls.message().await["params"]["progress"], 1);
    for (step, name) in [(2, "Ada"), (3, "Byron")] {
        let asked = calls.message().await;
        assert_eq!(asked["method"], ELICIT);
        let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": accept(name)});
        assert_eq!(answers.post(&named, &answer).await.status, 202);
        assert_eq!(calls.message().await["params"]["progress"], step);
    }
    assert_eq!(
        calls.message().await["result"]["content"][0]["text"],
        "Ada Byron"
    );
    assert_eq!(calls.block().await, None);

    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "it"),
    ];
    let mut params = json!({"name": "it", "_meta": modern("2026-07-28")});
    for (id, answer) in [
        (1, None),
        (2, Some(("first", "Ada"))),
        (3, Some(("last", "Byron"))),
    ] {
        if let Some((key, name)) = answer {
            params["inputResponses"] = json!({key: accept(name)});
        }
        let body = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params});
        assert_eq!(calls.post(&headers, &body).await.status, 200);
        let result = calls.message().await["result"].clone();
        assert_eq!(calls.block().await, None, "the stream ends with each leg");
        params["requestState"] = result["requestState"].clone();
        if id == 3 {
            assert_eq!(result["content"][0]["text"], "Ada Byron");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_belongs_to_no_call_goes_everywhere_and_the_first_answer_counts() {
    let server = ScriptedServer::new();
    let (mut one, mut other) = (Client::connect(&server), Client::connect(&server));
    // Served, and so open, once they were answered.
    one.ask("ping", json!({})).await;
    other.ask("ping", json!({})).await;
    let mut wire = Wire::connect(&server.http());
    let session = wire.initialize("2025-06-18").await;
    let head = wire.get(&[("mcp-session-id", session.as_str())]).await;
    assert_eq!(head.status, 200);
    assert!(wire.block().await.unwrap().id.is_some());
    let asked = async {
        let asked = one.next().await;
        assert_eq!(asked["method"], "roots/list");
        assert_eq!(other.next().await, asked);
        assert_eq!(wire.message().await, asked);
        let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": {"roots": []}});
        other.send(answer.clone()).await;
        one.send(answer).await;
    };
    let (response, ()) = tokio::join!(server.request("roots/list", &Value::Null), asked);
    assert_eq!(response["result"], json!({"roots": []}));
    one.assert_quiet().await;
}
