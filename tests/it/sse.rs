//! Updates as Server-Sent Events: what a browser would make of the text, by the rules of the HTML standard.

use std::convert::Infallible;
use std::fmt::Debug;
use std::future::pending;
use std::time::Duration;

use futures::stream::{self, FusedStream, Stream, StreamExt};
use mcp_progress::model::CallToolResult;
use mcp_progress::testing::{Script, ScriptedServer, Update};
use mcp_progress::ui::sse::{self, KeepAlive, SseEvent, SseEvents, SseExt, SseText};
use mcp_progress::{Call, Client, Detached, Updates, UpdatesExt};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::peer::{block_on, now, settle};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What a browser has read of a stream.
#[derive(Debug, Default)]
struct Browser {
    /// Type, data and last id of each event that was given to the page.
    seen: Vec<(String, String, String)>,
    retry: Option<String>,
    comments: usize,
}

impl Browser {
    /// "Parsing an event stream" and "Interpreting an event stream", written down once more and simply.
    fn read(text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut this = Self::default();
        let (mut kind, mut data, mut id) = (String::new(), String::new(), String::new());
        let mut lines: Vec<_> = text.split('\n').collect();
        // What is not ended by a line's end is no line.
        lines.pop();
        for line in lines {
            if line.is_empty() {
                let (kind, data) = (std::mem::take(&mut kind), std::mem::take(&mut data));
                if let Some(data) = data.strip_suffix('\n') {
                    this.seen.push((kind, data.to_owned(), id.clone()));
                }
                continue;
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "" => this.comments += 1,
                "event" => value.clone_into(&mut kind),
                "data" => data += &format!("{value}\n"),
                "id" if !value.contains('\0') => value.clone_into(&mut id),
                "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => {
                    this.retry = Some(value.to_owned());
                }
                _ => {}
            }
        }
        this
    }

    /// Reads a stream to its end.
    async fn of(events: impl Stream<Item = SseEvent> + Unpin) -> Self {
        let pieces = events.into_text().collect::<Vec<_>>().await;
        let text: String = pieces
            .into_iter()
            .map(|Ok::<_, Infallible>(piece)| piece)
            .collect();
        Self::read(&text)
    }

    fn kinds(&self) -> Vec<&str> {
        self.seen.iter().map(|(kind, ..)| kind.as_str()).collect()
    }

    fn data(&self, at: usize) -> Value {
        serde_json::from_str(&self.seen[at].1).expect("every event is JSON")
    }

    fn last(&self) -> Value {
        self.data(self.seen.len() - 1)
    }
}

/// A call of a tool that plays `script`.
async fn start(script: Script) -> (Client, Call<CallToolResult>) {
    let server = ScriptedServer::new().tool("work", move |_| script.clone());
    let client = Client::connect(server).await.expect("connects");
    let call = client.call_tool("work", json!({})).start();
    (client, call)
}

async fn outcome(call: Detached<CallToolResult>) -> Value {
    match call.await {
        Ok(result) => json!({"text": result.as_text()}),
        Err(error) => json!({"error": error.kind() == mcp_progress::ErrorKind::Rpc}),
    }
}

#[test]
fn streams_of_events_are_like_other_streams() {
    fn like<T: Send + Unpin + Debug + FusedStream + 'static>() {}
    like::<SseEvents>();
    like::<SseEvents<Call<()>>>();
    like::<KeepAlive<SseEvents>>();
    like::<SseText<KeepAlive<SseEvents<stream::Fuse<stream::BoxStream<'static, _>>>>>>();
    fn event<T: Send + Sync + Clone + Debug + Eq>() {}
    event::<SseEvent>();
}

#[tokio::test(start_paused = true)]
async fn a_call_in_events_from_the_first_update_to_the_result() {
    let script = Script::new()
        .progress_message(1, 4, "one")
        .wait(secs(1))
        .progress(2, 4)
        .wait(secs(1))
        .text("done");
    let (_client, call) = start(script).await;
    let token = call.token().expect("it has one").to_string();
    let call = call.detach();
    let browser = Browser::of(sse::events(call.updates()).end_with(outcome(call))).await;
    assert_eq!(browser.kinds(), ["progress", "progress", "end"]);
    assert_eq!(browser.retry.as_deref(), Some("2000"));
    let ids: Vec<_> = browser.seen.iter().map(|(_, _, id)| id.as_str()).collect();
    // An event without an id leaves the last one in force.
    assert_eq!(ids, ["1", "2", "2"]);
    let first = browser.data(0);
    assert_eq!(
        (
            &first["progress"],
            &first["total"],
            &first["message"],
            &first["token"]
        ),
        (&json!(1), &json!(4), &json!("one"), &json!(token))
    );
    assert!(first.get("rate").is_none());
    let second = browser.data(1);
    assert_eq!(
        (&second["rate"], &second["remaining_ms"]),
        (&json!(1), &json!(2000))
    );
    let end =
        json!({"event": "end", "token": token, "reason": "completed", "outcome": {"text": "done"}});
    assert_eq!(browser.last(), end);
}

#[tokio::test(start_paused = true)]
async fn who_comes_late_sees_the_last_value_first_and_others_see_it_too() {
    let script = Script::new().every(secs(1), 9).wait(secs(1)).text("done");
    let (_client, call) = start(script).await;
    let call = call.detach();
    let mut early = sse::events(call.updates());
    assert_eq!(early.next().await, Some(SseEvent::retry_after(secs(2))));
    tokio::time::sleep(ms(5500)).await;
    let late = Browser::of(sse::events(call.updates())).await;
    assert_eq!(late.data(0)["seq"], 6);
    assert_eq!(
        late.kinds(),
        ["progress"; 4]
            .into_iter()
            .chain(["end"])
            .collect::<Vec<_>>()
    );
    let early = Browser::of(early).await;
    // It was not read in between: the rest of what waited is one event.
    assert_eq!(early.kinds(), ["progress", "progress", "end"]);
    assert_eq!(
        (&early.data(1)["seq"], &early.data(1)["merged"]),
        (&json!(9), &json!(7))
    );
    // Too late: the page learns that there is nothing to wait for.
    let over = Browser::of(sse::events(call.updates())).await;
    assert_eq!(over.last()["reason"], "completed");
    assert!(over.last().get("outcome").is_none());
}

#[tokio::test(start_paused = true)]
async fn every_end_has_its_reason() {
    let run = async |script: Script, end: fn(&Client, &Detached<CallToolResult>)| {
        let server = ScriptedServer::new().tool("work", move |_| script.clone());
        let client = Client::connect(server).await.expect("connects");
        let call = client
            .call_tool("work", json!({}))
            .idle_timeout(secs(60))
            .start();
        let call = call.detach();
        let events = sse::events(call.updates());
        settle().await;
        end(&client, &call);
        Browser::of(events).await.last()["reason"].clone()
    };
    let begun = || Script::new().progress(1, 2);
    let nothing = |_: &Client, _: &Detached<_>| {};
    assert_eq!(run(begun().text("done"), nothing).await, "completed");
    assert_eq!(run(begun().tool_error("no"), nothing).await, "completed");
    assert_eq!(run(begun().error(-32000, "no"), nothing).await, "failed");
    assert_eq!(run(begun().silence(), nothing).await, "timed_out");
    assert_eq!(run(begun().crash(), nothing).await, "disconnected");
    let cancelled = run(begun().silence(), |_, call| {
        assert!(call.canceller().cancel("enough"));
    });
    assert_eq!(cancelled.await, "cancelled");
    let unregistered = run(begun().silence(), |client, call| {
        let updates = call.updates();
        assert!(client.progress().unregister(updates.token()));
    });
    assert_eq!(unregistered.await, "unregistered");
}

#[tokio::test(start_paused = true)]
async fn a_status_of_a_task_is_an_event_of_its_own() {
    let client = Client::connect(ScriptedServer::demo())
        .await
        .expect("connects");
    let call = client
        .call_tool("job", json!({"steps": 2}))
        .as_task(None)
        .start();
    let call = call.detach();
    let browser = Browser::of(sse::events(call.updates())).await;
    let at = browser.kinds().iter().position(|kind| *kind == "status");
    assert_eq!(
        browser.data(at.expect("the job is a task"))["status"],
        "working"
    );
    assert_eq!(browser.kinds().last(), Some(&"end"));
}

/// A message may hold whatever the server likes: it stays inside of its event, and arrives whole.
#[tokio::test(start_paused = true)]
async fn no_message_breaks_the_frame() {
    let hostile = [
        "\n\nevent: end\ndata: {}\n\n",
        "\r\rid: 9\rretry: 1\r\r",
        "a\r\nb\u{2028}c\u{85}d\0e",
        "<img src=x onerror=alert(1)>",
        "\u{feff}: \u{1b}[2J",
    ];
    let script = hostile.iter().fold(Script::new(), |script, text| {
        script
            .wait(secs(1))
            .progress_with(Update::new(1).message(*text))
    });
    let (_client, call) = start(script.error(-32000, hostile[0])).await;
    let call = call.detach();
    let events = sse::events(call.updates())
        .end_with(async { call.await.expect_err("the script fails").to_string() });
    let browser = Browser::of(events).await;
    assert_eq!(browser.seen.len(), 6);
    for (at, text) in hostile.iter().enumerate() {
        assert_eq!(browser.seen[at].0, "progress");
        assert_eq!(browser.data(at)["message"], **text);
    }
    assert_eq!(
        (browser.retry.as_deref(), browser.comments),
        (Some("2000"), 0)
    );
    let outcome = browser.last()["outcome"].clone();
    assert!(
        outcome
            .as_str()
            .is_some_and(|text| text.contains(hostile[0]))
    );
}

fn any_text() -> impl Strategy<Value = String> {
    // Many ends of lines and colons, which a string of any characters hardly has.
    prop::collection::vec(
        prop_oneof![
            Just("\n"),
            Just("\r"),
            Just(": "),
            Just("data"),
            Just("\0"),
            Just("é"),
            Just("")
        ],
        0..12,
    )
    .prop_map(|parts| parts.concat())
    .boxed()
    .prop_union(any::<String>().boxed())
}

proptest! {
    /// Whatever the fields hold, one event goes in and the same one comes out, and what stands around it is untouched.
    #[test]
    fn the_frame_holds(name in any_text(), id in any_text(), data in any_text(), comment in any_text()) {
        let event = SseEvent::named(name.clone()).id(id.clone()).data(data.clone());
        let text = format!(
            "{}{}{event}{}",
            SseEvent::named("before").data("1"),
            SseEvent::comment(comment),
            SseEvent::named("after").data("2"),
        );
        let browser = Browser::read(&text);
        let flat = |text: &str| text.replace(['\r', '\n', '\0'], " ");
        let lines = data.replace("\r\n", "\n").replace('\r', "\n");
        let of = |kind: &str, data: &str, id: &str| (kind.to_owned(), data.to_owned(), id.to_owned());
        prop_assert_eq!(browser.seen, [
            of("before", "1", ""),
            of(&flat(&name), &lines, &flat(&id)),
            of("after", "2", &flat(&id)),
        ]);
        prop_assert_eq!(browser.retry, None);
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_updates_a_second_are_ten() {
    let script = || Script::new().every(ms(1), 1000).text("done");
    let stood_for = |browser: &Browser| -> u64 {
        let updates = (0..browser.seen.len() - 1).map(|at| browser.data(at));
        updates
            .map(|update| 1 + update["merged"].as_u64().unwrap_or(0))
            .sum()
    };
    let (_client, mut call) = start(script()).await;
    let usual = Browser::of(sse::events_of(&mut call)).await;
    // At 0, 0.1, ... 0.9 seconds, and the last.
    assert_eq!((usual.seen.len(), stood_for(&usual)), (11 + 1, 1000));
    assert_eq!(usual.data(10)["progress"], 1000);
    let (_client, mut call) = start(script()).await;
    let slower = Browser::of(sse::events_of(&mut call).throttle(2.0)).await;
    assert_eq!((slower.seen.len(), stood_for(&slower)), (3 + 1, 1000));
    let (_client, mut call) = start(script()).await;
    let all = Browser::of(sse::events_of(&mut call).throttle(0.0).retry(None)).await;
    assert_eq!((all.seen.len(), stood_for(&all)), (1000 + 1, 1000));
    assert_eq!(all.retry, None);
    // Of any stream of updates it is not known why it ended, but whose they were.
    assert_eq!(all.last().get("reason"), None);
    assert_eq!(all.last()["token"], all.data(0)["token"]);
}

/// When each event came.
async fn timed(mut events: impl Stream<Item = SseEvent> + Unpin) -> Vec<(u64, String)> {
    let begin = now();
    let mut came = Vec::new();
    while let Some(event) = events.next().await {
        let what = event
            .name()
            .map_or_else(|| event.to_string(), str::to_owned);
        came.push((begin.elapsed().as_secs(), what.trim_end().to_owned()));
    }
    came
}

#[tokio::test(start_paused = true)]
async fn silences_are_filled_and_nothing_else() {
    let script = Script::new()
        .progress(1, 3)
        .wait(secs(48))
        .every(secs(10), 3)
        .wait(secs(20))
        .text("done");
    let (_client, call) = start(script).await;
    let call = call.detach();
    let came = timed(sse::events(call.updates()).keep_alive(secs(15))).await;
    let (progress, comment) = ("progress", ": keep-alive");
    let expected = [
        (0, "retry: 2000"),
        (0, progress),
        (15, comment),
        (30, comment),
        (45, comment),
        (48, progress),
        (58, progress),
        (68, progress),
        (83, comment),
        (88, "end"),
    ];
    assert_eq!(came, expected.map(|(at, what)| (at, what.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn the_outcome_is_waited_for_with_comments_and_left_out_where_it_is_no_json() {
    let slow = async {
        tokio::time::sleep(secs(20)).await;
        "at last"
    };
    let none = || stream::empty::<mcp_progress::Progress>();
    let came = Browser::of(sse::events_of(none()).end_with(slow).keep_alive(secs(15))).await;
    assert_eq!(came.comments, 1);
    assert_eq!(came.last(), json!({"event": "end", "outcome": "at last"}));
    let no_json = std::collections::BTreeMap::from([((1, 2), 3)]);
    let came = Browser::of(sse::events_of(none()).end_with(async { no_json })).await;
    assert_eq!(came.last(), json!({"event": "end"}));
}

#[tokio::test(start_paused = true)]
async fn an_end_is_an_end() {
    let mut events = sse::events_of(stream::empty())
        .retry(None)
        .keep_alive(secs(1));
    assert!(!events.is_terminated());
    assert!(
        events
            .next()
            .await
            .is_some_and(|event| event.name() == Some("end"))
    );
    assert!(events.next().await.is_none());
    assert!(events.is_terminated());
    assert!(events.next().await.is_none());
    assert!(events.into_inner().is_terminated());
}

/// Zero is never, and so is what no clock can say; without a runtime there is no timer and no panic.
#[test]
fn without_a_time_or_a_runtime_there_are_no_comments() {
    for every in [Duration::ZERO, Duration::MAX, secs(1)] {
        let mut events = stream::pending::<SseEvent>().keep_alive(every);
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(events.poll_next_unpin(&mut cx).is_pending());
    }
    let events = sse::events_of(stream::empty()).keep_alive(secs(1));
    assert_eq!(block_on(Browser::of(events)).kinds(), ["end"]);
}

/// The page is closed: what it held is let go. Over the call itself that cancels it, over a subscription it does not.
#[tokio::test(start_paused = true)]
async fn dropping_the_response() {
    let server =
        ScriptedServer::new().tool("work", |_| Script::new().progress(1, 2).until_cancelled());
    let log = server.log();
    let client = Client::connect(server).await.expect("connects");
    let call = client.call_tool("work", json!({})).start();
    let mut of_updates = sse::events(call.updates())
        .end_with(pending::<()>())
        .into_text();
    assert!(of_updates.next().await.is_some());
    drop(of_updates);
    settle().await;
    assert_eq!((client.stats().live_calls, log.cancelled().len()), (1, 0));
    let mut of_call = sse::events_of(call).into_text();
    assert!(of_call.next().await.is_some());
    drop(of_call);
    settle().await;
    assert_eq!((client.stats().live_calls, log.cancelled().len()), (0, 1));
}

/// What passed a combinator can be made events too.
#[tokio::test(start_paused = true)]
async fn a_stream_that_was_combined() {
    let (_client, call) = start(Script::new().every(secs(1), 9).text("done")).await;
    let call = call.detach();
    let updates: Updates = call.updates();
    let browser = Browser::of(sse::events_of(updates.monotonic())).await;
    assert_eq!(browser.seen.len(), 10);
}
