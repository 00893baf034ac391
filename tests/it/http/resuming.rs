//! Replies of the handshake revisions that break off, and are taken up where they did.
//!
//! Revision 2025-11-25, Streamable HTTP, "Resumability and Redelivery".

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_progress::{Client, DiagnosticKind, ErrorKind, ProtocolVersion};

use super::calls::{assert_idle, count, text, told, values, within};
use super::got::Got;
use super::reply::Reply;
use super::server::{Server, says, step};
use crate::peer::now;

/// A server whose call is answered by `first`, and the further legs by `then`, which is given the call, the GET, and
/// how many of those there were.
async fn server(
    first: impl Fn(&Got) -> Reply + Send + Sync + 'static,
    then: impl Fn(&Got, &Got, usize) -> Reply + Send + Sync + 'static,
) -> Server {
    let call: Arc<Mutex<Option<Got>>> = Arc::default();
    let legs = Mutex::new(0);
    Server::handshake(move |got| match got.kind() {
        "tools/call" => {
            *call.lock().expect("not poisoned") = Some(got.clone());
            Some(first(got))
        }
        // The first GET is that of the server's own stream, which it does not have.
        "GET" if got.header("last-event-id").is_some() => {
            let mut leg = legs.lock().expect("not poisoned");
            *leg += 1;
            let call = call.lock().expect("not poisoned").clone().expect("a call");
            Some(then(&call, got, *leg - 1))
        }
        _ => None,
    })
    .await
}

async fn connect(server: &Server, resume_timeout: u64) -> Client {
    let endpoint = server
        .endpoint()
        .resume_timeout(Duration::from_millis(resume_timeout));
    let connecting = Client::connect(endpoint).protocol(ProtocolVersion::V2025_11_25);
    connecting.await.expect("connects")
}

fn legs(server: &Server) -> Vec<Got> {
    let mut gets = server.seen().all("GET");
    gets.retain(|got| got.header("last-event-id").is_some());
    gets
}

#[tokio::test]
async fn a_broken_stream_is_taken_up_again_with_what_was_replayed_left_out() {
    let server = server(
        |got| {
            let begun = Reply::sse()
                .priming("a_0", 20)
                .event_id("a_1", &step(got, 1));
            begun.event_id("a_2", &step(got, 2)).cut()
        },
        // It replays more than it was asked for.
        |call, _, _| {
            let replayed = Reply::sse()
                .event_id("a_1", &step(call, 1))
                .event_id("a_2", &step(call, 2));
            let new = replayed
                .event_id("a_3", &step(call, 3))
                .event_id("a_4", &step(call, 4));
            new.event_id("a_5", &says(call, "done"))
        },
    )
    .await;
    let client = connect(&server, 5000).await;
    let (updates, result) = within(count(&client)).await;
    assert_eq!(text(&result.expect("a result")), "done");
    assert_eq!(values(&updates), [1.0, 2.0, 3.0, 4.0]);
    let gaps: Vec<_> = updates.iter().map(|update| update.gap).collect();
    assert_eq!(gaps, [false, false, true, false]);
    let legs = legs(&server);
    assert_eq!(legs.len(), 1);
    assert_eq!(legs[0].header("last-event-id"), Some("a_2"));
    assert_eq!(legs[0].header("mcp-session-id"), Some("session-0"));
    assert_eq!(legs[0].header("mcp-protocol-version"), Some("2025-11-25"));
    assert_eq!(legs[0].header("accept"), Some("text/event-stream"));
    assert_eq!(told(&client, DiagnosticKind::Resumed), (1, 0));
    assert_eq!(server.seen().all("tools/call").len(), 1);
    assert_idle(&client);
}

#[tokio::test]
async fn the_pause_that_the_server_wants_is_kept_on_every_leg() {
    let server = server(
        |_| Reply::sse().priming("a_0", 60),
        |call, _, leg| match leg {
            0 => Reply::sse()
                .priming("a_1", 80)
                .event_id("a_2", &step(call, 1)),
            _ => Reply::sse().event_id("a_3", &says(call, "done")),
        },
    )
    .await;
    let client = connect(&server, 5000).await;
    let begun = now();
    let (updates, result) = within(count(&client)).await;
    let elapsed = begun.elapsed();
    assert_eq!(text(&result.expect("a result")), "done");
    assert_eq!(values(&updates), [1.0]);
    assert!(elapsed >= Duration::from_millis(140), "{elapsed:?}");
}

/// Cut after every event, with the event cut too, and once closed on purpose.
#[tokio::test]
async fn several_breaks_lose_and_double_nothing() {
    let server = server(
        |got| {
            let begun = Reply::sse()
                .priming("a_0", 1)
                .event_id("a_1", &step(got, 1));
            begun.part("id: a_2\ndata: {\"jsonrpc\":\"2.0\",").cut()
        },
        |call, got, leg| {
            let last = got.header("last-event-id").expect("an id");
            let last: u32 = last.trim_start_matches("a_").parse().expect("a number");
            let next = last + 1;
            let id = format!("a_{next}");
            match (next, leg % 3) {
                (10, _) => Reply::sse().event_id(&id, &says(call, "done")),
                (_, 0) => Reply::sse().event_id(&id, &step(call, next)),
                (_, 1) => Reply::sse().event_id(&id, &step(call, next)).cut(),
                _ => {
                    let begun = Reply::sse().event_id(&format!("a_{last}"), &step(call, last));
                    begun
                        .event_id(&id, &step(call, next))
                        .part("id: a_99\n")
                        .cut()
                }
            }
        },
    )
    .await;
    let client = connect(&server, 5000).await;
    let (updates, result) = within(count(&client)).await;
    assert_eq!(text(&result.expect("a result")), "done");
    let expected: Vec<f64> = (1..10).map(f64::from).collect();
    assert_eq!(values(&updates), expected);
    assert!(updates[1..].iter().all(|update| update.gap));
    let seqs: Vec<_> = updates.iter().map(|update| update.seq).collect();
    assert_eq!(seqs, (1..10).collect::<Vec<u64>>());
    assert_eq!(client.stats().count(DiagnosticKind::Resumed), 9);
    assert_idle(&client);
}

/// The break comes at every byte of the stream in turn.
#[tokio::test]
async fn a_break_at_any_byte_loses_and_doubles_nothing() {
    fn whole(call: &Got, from: usize) -> String {
        let messages = [step(call, 1), step(call, 2), says(call, "done")];
        let event = |(at, message)| format!("id: a_{}\r\ndata: {message}\r\n\r\n", at + 1);
        messages.iter().enumerate().skip(from).map(event).collect()
    }
    let at = Arc::new(Mutex::new(0_usize));
    let server = server(
        {
            let at = at.clone();
            move |got| {
                let at = *at.lock().expect("not poisoned");
                let text = whole(got, 0);
                Reply::sse()
                    .priming("a_0", 1)
                    .part(&text[..at.min(text.len())])
                    .cut()
            }
        },
        |call, got, _| {
            let last = got.header("last-event-id").expect("an id");
            let last = last.trim_start_matches("a_").parse().expect("a number");
            Reply::sse().part(whole(call, last))
        },
    )
    .await;
    let client = connect(&server, 5000).await;
    // Every third, from before the first byte to behind the response.
    for cut in (0..420).step_by(3) {
        *at.lock().expect("not poisoned") = cut;
        let (updates, result) = within(count(&client)).await;
        let result = result.unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
        assert_eq!(text(&result), "done", "cut at {cut}");
        assert_eq!(values(&updates), [1.0, 2.0], "cut at {cut}");
    }
    assert_idle(&client);
    assert_eq!(client.stats().count(DiagnosticKind::ForeignResponse), 0);
}

#[tokio::test]
async fn a_resume_that_is_refused_ends_the_call() {
    for status in [405, 404, 400, 401] {
        let server = server(
            |got| {
                Reply::sse()
                    .priming("a_0", 1)
                    .event_id("a_1", &step(got, 1))
                    .cut()
            },
            move |_, _, _| Reply::status(status),
        )
        .await;
        let client = connect(&server, 5000).await;
        let (updates, result) = within(count(&client)).await;
        let error = result.expect_err("refused");
        assert_eq!(values(&updates), [1.0]);
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        assert!(error.to_string().contains("unknown"), "{error}");
        let source = std::error::Error::source(&error).expect("why");
        assert!(source.to_string().contains(&status.to_string()), "{source}");
        assert_eq!(legs(&server).len(), 1);
        assert_idle(&client);
    }
}

/// A server that fails for a moment is tried again, within the limit.
#[tokio::test]
async fn a_resume_that_fails_is_tried_again() {
    let server = server(
        |got| {
            Reply::sse()
                .priming("a_0", 5)
                .event_id("a_1", &step(got, 1))
                .cut()
        },
        |call, _, leg| match leg {
            0 => Reply::status(503),
            1 => Reply::none(),
            // The server has not yet seen that the first connection is gone.
            2 => Reply::status(409),
            _ => Reply::sse().event_id("a_2", &says(call, "done")),
        },
    )
    .await;
    let client = connect(&server, 5000).await;
    let (_, result) = within(count(&client)).await;
    assert_eq!(text(&result.expect("a result")), "done");
    assert_eq!(legs(&server).len(), 4);
}

#[tokio::test]
async fn a_server_that_stays_away_is_given_up() {
    let server = server(
        |got| {
            Reply::sse()
                .priming("a_0", 5)
                .event_id("a_1", &step(got, 1))
                .cut()
        },
        |_, _, _| Reply::status(503),
    )
    .await;
    let client = connect(&server, 60).await;
    let error = within(count(&client)).await.1.expect_err("given up");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    assert!(
        error.to_string().contains("unknown") || error.to_string().contains("60ms"),
        "{error}"
    );
    assert!(legs(&server).len() > 1);
    assert_idle(&client);
}

/// Quirk 30: it takes the stream up, and then nothing comes, or not even the head does.
#[tokio::test]
async fn a_resume_that_hangs_ends_by_its_limit() {
    for headless in [false, true] {
        let server = server(
            |got| {
                Reply::sse()
                    .priming("a_0", 1)
                    .event_id("a_1", &step(got, 1))
                    .cut()
            },
            move |call, _, _| {
                if headless {
                    Reply::silence()
                } else {
                    Reply::sse().event_id("a_2", &step(call, 2)).hold()
                }
            },
        )
        .await;
        let client = connect(&server, 60).await;
        let (updates, result) = within(count(&client)).await;
        let error = result.expect_err("it hangs");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        assert!(error.to_string().contains("60ms"), "{error}");
        assert!(error.to_string().contains("resume_timeout"), "{error}");
        assert_eq!(values(&updates).len(), if headless { 1 } else { 2 });
        assert_idle(&client);
    }
}

/// A server that closes on purpose says when to come back; that wait is not silence.
#[tokio::test]
async fn a_pause_longer_than_the_limit_is_no_break() {
    let server = server(
        |got| {
            Reply::sse()
                .priming("a_0", 150)
                .event_id("a_1", &step(got, 1))
        },
        |call, _, _| Reply::sse().event_id("a_2", &says(call, "done")),
    )
    .await;
    let client = connect(&server, 50).await;
    let begun = now();
    let (_, result) = within(count(&client)).await;
    let result = result.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(text(&result), "done");
    assert!(begun.elapsed() >= Duration::from_millis(150));
}

/// Without an event id there is nothing to take it up by.
#[tokio::test]
async fn a_stream_without_ids_is_not_taken_up_again() {
    let server = server(
        |got| Reply::sse().event(&step(got, 1)).cut(),
        |_, _, _| Reply::none(),
    )
    .await;
    let client = connect(&server, 5000).await;
    let error = within(count(&client)).await.1.expect_err("it broke off");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_eq!(legs(&server).len(), 0);
    assert_eq!(server.seen().all("tools/call").len(), 1);
}

/// Two updates that are alike are two, unless they were replayed.
#[tokio::test]
async fn events_that_are_alike_are_told_apart_by_their_ids() {
    let server = server(
        |got| {
            let begun = Reply::sse()
                .priming("a_0", 1)
                .event_id("a_1", &step(got, 1));
            begun
                .event_id("a_2", &step(got, 1))
                .event_id("a_2", &step(got, 1))
                .cut()
        },
        |call, _, _| {
            let replayed = Reply::sse().event_id("a_2", &step(call, 1));
            let new = replayed.event_id("a_3", &step(call, 1));
            new.event_id("a_4", &says(call, "done"))
        },
    )
    .await;
    let client = connect(&server, 5000).await;
    let (updates, result) = within(count(&client)).await;
    result.expect("a result");
    assert_eq!(values(&updates), [1.0; 4]);
}

/// A limit without end is no overflow.
#[tokio::test]
async fn an_endless_limit_is_one() {
    let server = server(
        |got| {
            Reply::sse()
                .priming("a_0", 1)
                .event_id("a_1", &step(got, 1))
                .cut()
        },
        |call, _, _| Reply::sse().event_id("a_2", &says(call, "done")),
    )
    .await;
    let endpoint = server.endpoint().resume_timeout(Duration::MAX);
    let connecting = Client::connect(endpoint).protocol(ProtocolVersion::V2025_11_25);
    let client = connecting.await.expect("connects");
    let (_, result) = within(count(&client)).await;
    let result = result.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(text(&result), "done");
}

/// What becomes of the connection behind the response is of no interest.
#[tokio::test]
async fn a_stream_that_breaks_behind_its_response_is_not_taken_up_again() {
    let server = server(
        |got| {
            let begun = Reply::sse()
                .priming("a_0", 1)
                .event_id("a_1", &step(got, 1));
            begun.event_id("a_2", &says(got, "done")).cut().glued()
        },
        |_, _, _| Reply::status(405),
    )
    .await;
    let client = connect(&server, 5000).await;
    for _ in 0..20 {
        let (updates, result) = within(count(&client)).await;
        assert_eq!(values(&updates), [1.0]);
        assert_eq!(text(&result.expect("a result")), "done");
    }
    // A pause and a GET would have come by now.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(legs(&server).len(), 0);
    assert_eq!(client.stats().count(DiagnosticKind::Resumed), 0);
}
