//! Questions in the result, answers in the next request (revision 2026-07-28, "Multi Round-Trip Requests").

use std::time::Duration;

use mcp_progress::model::{ElicitResult, InputRequired};
use mcp_progress::testing::{Round, Script, ScriptedServer};
use mcp_progress::{Client, Connect, ErrorKind, ProtocolVersion};
use serde_json::{Map, Value, json};

use crate::peer::spawn;

const MODERN: ProtocolVersion = ProtocolVersion::V2026_07_28;

fn question() -> Value {
    json!({"message": "Name?", "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}}})
}

/// Asks twice, with updates before, between and after, each leg from 1.
fn curious() -> ScriptedServer {
    ScriptedServer::new().tool("curious", |_| {
        Script::new()
            .progress(1, 9)
            .progress(2, 9)
            .ask("first", "elicitation/create", question())
            .progress(1, 9)
            .ask("second", "elicitation/create", question())
            .progress(1, 9)
            .progress(2, 9)
            .progress(3, 9)
            .then_with(|answers| {
                let (first, second) = (answers.content("first"), answers.content("second"));
                Script::new().text(format!("{} {}", first["name"], second["name"]))
            })
    })
}

fn answering(server: ScriptedServer) -> Connect {
    Client::connect(server).on_elicitation(|_request, _context| async {
        Ok(ElicitResult::accept().with("name", "Ada"))
    })
}

#[tokio::test]
async fn one_call_answers_two_rounds_in_one_stream() {
    let server = curious();
    let log = server.log();
    let client = answering(server).protocol(MODERN).await.expect("connected");
    let mut call = client.call_tool("curious", json!({"n": 1})).start();
    let mut seen = Vec::new();
    while let Some(update) = call.next().await {
        assert!(!update.regressed, "each leg begins anew: {update:?}");
        seen.push((update.leg, update.progress, update.seq));
    }
    let result = call.await.expect("it has a result");
    assert_eq!(result.as_text().as_deref(), Some("\"Ada\" \"Ada\""));
    assert_eq!(
        seen,
        [
            (1, 1.0, 1),
            (1, 2.0, 2),
            (2, 1.0, 3),
            (3, 1.0, 4),
            (3, 2.0, 5),
            (3, 3.0, 6)
        ]
    );
    let sent = log.requests("tools/call");
    assert_eq!(sent.len(), 3);
    let ids: std::collections::BTreeSet<_> = sent
        .iter()
        .map(|sent| sent.id().expect("it has one").to_string())
        .collect();
    assert_eq!(ids.len(), 3, "each request has an id of its own");
    let tokens: std::collections::BTreeSet<_> = sent
        .iter()
        .map(|sent| sent.params()["_meta"]["progressToken"].to_string())
        .collect();
    assert_eq!(tokens.len(), 1, "and all have one token");
    assert_eq!(sent[0].params().get("inputResponses"), None);
    assert_eq!(sent[2].params()["arguments"], json!({"n": 1}));
    let stats = client.stats();
    assert_eq!((stats.live_calls, stats.registrations), (0, 0));
}

#[tokio::test]
async fn the_state_goes_back_byte_for_byte_and_only_when_there_is_one() {
    // Escapes that a parser would write in another way.
    let odd = r#""\u0041\/ \ud83d\ude00 é""#;
    for state in [Some(odd), None] {
        let server = ScriptedServer::new().tool("state", move |_| {
            let round = Round::new().ask("a", "elicitation/create", question());
            let round = match state {
                Some(state) => round.state_json(state),
                None => round.no_state(),
            };
            Script::new().ask_round(round).text("done")
        });
        let log = server.log();
        let client = answering(server).protocol(MODERN).await.expect("connected");
        client
            .call_tool("state", json!({}))
            .await
            .expect("it has a result");
        let sent = log.requests("tools/call").pop().expect("it was sent");
        let retry = String::from_utf8_lossy(sent.raw());
        assert!(retry.contains("inputResponses"), "{retry}");
        match state {
            Some(state) => assert!(
                retry.contains(&format!("\"requestState\":{state}")),
                "{retry}"
            ),
            None => assert!(!retry.contains("requestState"), "{retry}"),
        }
    }
}

#[tokio::test]
async fn what_cannot_go_on_fails_with_a_clear_error() {
    let rows: [(&str, Round, ErrorKind, &str); 3] = [
        (
            "neither",
            Round::new().no_state(),
            ErrorKind::Protocol,
            "neither",
        ),
        (
            "endless",
            Round::new()
                .ask("a", "elicitation/create", question())
                .endless(),
            ErrorKind::Protocol,
            "10 rounds",
        ),
        (
            "unknown",
            Round::new().ask("a", "vendor/unknown", json!({})),
            ErrorKind::InputRequired,
            "vendor/unknown",
        ),
    ];
    for (name, round, kind, text) in rows {
        let server = ScriptedServer::new().tool("bad", move |_| {
            Script::new().ask_round(round.clone()).text("done")
        });
        let client = answering(server).protocol(MODERN).await.expect("connected");
        let error = client.call_tool("bad", json!({})).await.expect_err(name);
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert!(error.to_string().contains(text), "{name}: {error}");
        let stats = client.stats();
        assert_eq!((stats.live_calls, stats.registrations), (0, 0), "{name}");
    }
}

#[tokio::test]
async fn without_a_handler_the_error_says_what_to_set() {
    let client = Client::connect(curious())
        .protocol(MODERN)
        .await
        .expect("connected");
    let error = client
        .call_tool("curious", json!({}))
        .await
        .expect_err("nobody answers");
    assert_eq!(error.kind(), ErrorKind::InputRequired);
    assert!(error.to_string().contains("on_elicitation"), "{error}");
    assert_eq!(client.stats().live_calls, 0);
}

#[tokio::test]
async fn the_question_can_be_taken_as_it_is_and_answered_by_hand() {
    let server = curious();
    let client = answering(server).protocol(MODERN).await.expect("connected");
    let mut request = client.request::<Value>("tools/call", json!({"name": "curious"}));
    for key in ["first", "second"] {
        let asked: Value = request.allow_input_required().await.expect("it is asked");
        let asked: InputRequired = serde_json::from_value(asked).expect("it is a question");
        assert!(asked.is_asking());
        assert_eq!(asked.input_requests.keys().collect::<Vec<_>>(), [key]);
        let answers = Map::from_iter([(
            key.to_owned(),
            json!({"action": "accept", "content": {"name": key}}),
        )]);
        request = client
            .request("tools/call", json!({"name": "curious"}))
            .input_responses(&asked, answers);
    }
    let result = request.await.expect("it has a result");
    assert_eq!(result["content"][0]["text"], "\"first\" \"second\"");
}

#[tokio::test(start_paused = true)]
async fn the_idle_clock_stands_still_while_somebody_is_asked() {
    let server = curious();
    let client = Client::connect(server)
        .protocol(MODERN)
        .on_elicitation(|_request, _context| async {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok(ElicitResult::accept().with("name", "slow"))
        })
        .await
        .expect("connected");
    let call = client
        .call_tool("curious", json!({}))
        .idle_timeout(Duration::from_secs(5));
    let result = call.await.expect("the human was slow, not the server");
    assert_eq!(result.as_text().as_deref(), Some("\"slow\" \"slow\""));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_or_cancelled_while_asking_ends_its_handler() {
    struct Gone(tokio::sync::mpsc::UnboundedSender<()>);
    impl Drop for Gone {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    for cancelled in [true, false] {
        let server = curious();
        let log = server.log();
        let (asked, mut is_asked) = tokio::sync::mpsc::unbounded_channel();
        let (gone, mut is_gone) = tokio::sync::mpsc::unbounded_channel();
        let client = Client::connect(server)
            .protocol(MODERN)
            .on_elicitation(move |_request, _context| {
                let gone = Gone(gone.clone());
                let _ = asked.send(());
                async move {
                    std::future::pending::<()>().await;
                    drop(gone);
                    Ok(ElicitResult::decline())
                }
            })
            .await
            .expect("connected");
        let call = client.call_tool("curious", json!({})).start();
        let canceller = call.canceller();
        let mut running = spawn(call.result());
        is_asked.recv().await.expect("it was asked");
        if cancelled {
            assert!(canceller.cancel("enough"));
            let error = (&mut running)
                .await
                .expect("no panic")
                .expect_err("it was cancelled");
            assert_eq!(error.kind(), ErrorKind::Cancelled);
        } else {
            running.abort();
        }
        is_gone.recv().await.expect("the handler is gone");
        let stats = client.stats();
        assert_eq!((stats.live_calls, stats.registrations), (0, 0));
        client.close().await;
        // No request was open at the server that could have been cancelled.
        assert_eq!(log.notifications("notifications/cancelled").len(), 0);
    }
}
