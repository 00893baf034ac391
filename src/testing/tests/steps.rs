//! What the steps of a script put on the wire, and what a cancellation does to them.

use super::client::{Client, SECOND, now, tool};
use crate::testing::script::Script;
use crate::testing::server::ScriptedServer;
use crate::testing::update::Update;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

#[tokio::test(start_paused = true)]
async fn updates_come_in_order_with_the_pause_between_them_and_then_the_result() {
    let mut client = Client::connect(&tool(Script::new().every(SECOND, 3).text("done")));
    let start = now();
    client.call("t", "it").await;
    for step in 1..=3 {
        assert_eq!(client.update("t").await, step);
        assert_eq!((now() - start).as_secs(), step - 1);
    }
    let answer = client.next().await;
    assert_eq!(answer["id"], "t");
    assert_eq!(
        answer["result"],
        json!({"content": [{"type": "text", "text": "done"}]})
    );
}

#[tokio::test(start_paused = true)]
async fn tokens_and_numbers_keep_their_json_type() {
    let script = Script::new()
        .progress(1, 2)
        .progress(1.0, 2.0)
        .progress_with(
            Update::new(2)
                .message("two")
                .meta(json!({"k": 1}))
                .other("x", true),
        )
        .progress_for(json!("7"), Update::new(3));
    let mut client = Client::connect(&tool(script));
    client.call(7, "it").await;
    let line = client.line().await.unwrap();
    assert!(
        line.contains(r#""progress":1,"progressToken":7,"total":2}"#),
        "{line}"
    );
    let line = client.line().await.unwrap();
    assert!(
        line.contains(r#""progress":1.0,"progressToken":7,"total":2.0}"#),
        "{line}"
    );
    let params =
        json!({"progressToken": 7, "progress": 2, "message": "two", "_meta": {"k": 1}, "x": true});
    assert_eq!(client.next().await["params"], params);
    assert_eq!(client.update("7").await, 3);
    assert_eq!(
        client.next().await,
        json!({"jsonrpc": "2.0", "id": 7, "result": {}})
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_token_only_fabricated_updates_are_sent() {
    let script = Script::new()
        .progress(1, 2)
        .every(SECOND, 2)
        .flood(10)
        .progress_for("other", Update::new(9))
        .error_with_data(-32000, "no", json!([1]));
    let mut client = Client::connect(&tool(script));
    client.request(1, "tools/call", json!({"name": "it"})).await;
    assert_eq!(client.update("other").await, 9);
    let error = json!({"code": -32000, "message": "no", "data": [1]});
    assert_eq!(client.next().await["error"], error);
}

#[tokio::test(start_paused = true)]
async fn scripts_of_several_requests_run_at_the_same_time() {
    let server = ScriptedServer::new()
        .tool("slow", |_| Script::new().wait(3 * SECOND).text("slow"))
        .tool("quick", |_| Script::new().wait(SECOND).text("quick"));
    let mut client = Client::connect(&server);
    client.call(1, "slow").await;
    client.call(2, "quick").await;
    assert_eq!(client.next().await["id"], 2);
    assert_eq!(client.next().await["id"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_script_stops_at_once_and_is_recorded() {
    let mut client = Client::connect(&tool(Script::new().every(SECOND, 10).text("done")));
    client.call(1, "it").await;
    assert_eq!(client.update(1).await, 1);
    client.cancel("1").await; // another id, in another JSON type
    assert_eq!(client.update(1).await, 2);
    client.cancel(1).await;
    client.assert_quiet().await;
    assert_eq!(client.log.cancelled(), [json!("1"), json!(1)]);
    assert_eq!(client.log.stopped(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_in_the_same_read_comes_before_the_first_step() {
    let mut client = Client::connect(&tool(Script::new().progress(1, 1).text("done")));
    let request = json!({"id": 1, "method": "tools/call", "params": {"name": "it", "_meta": {"progressToken": 1}}});
    let cancel = json!({"method": "notifications/cancelled", "params": {"requestId": 1}});
    client
        .writer
        .write_all(format!("{request}\n{cancel}\n").as_bytes())
        .await
        .unwrap();
    client.assert_quiet().await;
    assert_eq!(client.log.stopped(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_that_comes_too_late_stops_nothing() {
    let mut client = Client::connect(&tool(Script::new()));
    client.call(1, "it").await;
    assert_eq!(client.next().await["id"], 1);
    client.cancel(1).await;
    client.logged(|log| log.cancelled() == [1]).await;
    client.assert_quiet().await;
    assert!(client.log.stopped().is_empty());
}

#[tokio::test(start_paused = true)]
async fn until_cancelled_cuts_short_what_is_before_and_answers_only_what_is_spelt_out() {
    let script = Script::new()
        .burst(|held| held.progress(1, 9).wait(100 * SECOND))
        .until_cancelled()
        .wait(SECOND)
        .burst(|held| held.progress_message(9, 9, "cancelled"));
    let mut client = Client::connect(&tool(script));
    client.call(1, "it").await;
    client.logged(|log| log.messages().len() == 1).await;
    client.cancel(1).await;
    assert_eq!(client.update(1).await, 9); // the half burst is gone
    client.assert_quiet().await;
    assert_eq!(client.log.stopped(), [1]);

    let answers = Script::new()
        .progress(1, 9)
        .until_cancelled()
        .error(-32800, "cancelled");
    let mut client = Client::connect(&tool(answers));
    client.call(2, "it").await;
    assert_eq!(client.update(2).await, 1);
    client.cancel(2).await;
    assert_eq!(client.next().await["error"]["code"], -32800);
}

#[tokio::test(start_paused = true)]
async fn ignores_cancel_runs_to_its_answer() {
    let mut client = Client::connect(&tool(
        Script::new().every(SECOND, 2).text("done").ignores_cancel(),
    ));
    client.call(1, "it").await;
    assert_eq!(client.update(1).await, 1);
    client.cancel(1).await;
    assert_eq!(client.update(1).await, 2);
    assert_eq!(client.next().await["id"], 1);
    assert!(client.log.stopped().is_empty());
}

#[tokio::test(start_paused = true)]
async fn silence_never_answers_and_can_be_cancelled() {
    let mut client = Client::connect(&tool(Script::new().progress(1, 2).silence().progress(2, 2)));
    client.call(1, "it").await;
    assert_eq!(client.update(1).await, 1);
    assert_eq!(client.update(1).await, 2);
    client.assert_quiet().await;
    client.cancel(1).await;
    client.logged(|log| log.stopped() == [1]).await;
}

#[tokio::test(start_paused = true)]
async fn answers_can_come_twice_and_updates_late() {
    let script = Script::new()
        .text("once")
        .respond_twice()
        .then_late(|late| late.wait(SECOND).progress(2, 2));
    let server = tool(script).tool("bare", |_| Script::new().respond_twice());
    let mut client = Client::connect(&server);
    client.call(1, "it").await;
    let first = client.next().await;
    assert_eq!(first["result"]["content"][0]["text"], "once");
    assert_eq!(client.next().await, first);
    assert_eq!(client.update(1).await, 2);

    client.call(2, "bare").await;
    let empty = json!({"jsonrpc": "2.0", "id": 2, "result": {}});
    assert_eq!(
        (client.next().await, client.next().await),
        (empty.clone(), empty)
    );
    client.assert_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn crash_writes_what_was_before_and_closes() {
    let script = Script::new()
        .burst(|held| held.progress(1, 2).crash())
        .text("never");
    let mut client = Client::connect(&tool(script));
    client.call(1, "it").await;
    assert_eq!(client.update(1).await, 1);
    client.assert_closed().await;
}

#[tokio::test(start_paused = true)]
async fn raw_bytes_and_other_messages_are_written_as_given() {
    let script = Script::new()
        .raw("not json")
        .raw_bytes(&b"{\"torn\""[..])
        .wait(SECOND)
        .raw_bytes(&b":1}\n"[..])
        .log("info", "text")
        .notify("vendor/bare", Value::Null)
        .tool_error("bad");
    let mut client = Client::connect(&tool(script));
    client.call(1, "it").await;
    assert_eq!(client.line().await.unwrap(), "not json");
    assert_eq!(client.next().await, json!({"torn": 1}));
    assert_eq!(
        client.next().await["params"],
        json!({"level": "info", "data": "text"})
    );
    assert_eq!(
        client.next().await,
        json!({"jsonrpc": "2.0", "method": "vendor/bare"})
    );
    assert_eq!(client.next().await["result"]["isError"], true);
}
