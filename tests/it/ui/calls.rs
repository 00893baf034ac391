//! Calls of a scripted server with a bar each.

use std::time::Duration;

use futures::future::join_all;
use indicatif::{InMemoryTerm, MultiProgress, ProgressDrawTarget};
use mcp_progress::model::CallToolResult;
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::ui::indicatif::{Bars, WithBar};
use mcp_progress::{Client, ErrorKind, ProgressGroup};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::scene::{Paper, Scene};

const SECOND: Duration = Duration::from_secs(1);

async fn client() -> Client {
    let steps = |script: Script| {
        script
            .progress_message(1, 3, "step 1")
            .wait(SECOND)
            .progress_message(2, 3, "step 2")
            .wait(SECOND)
    };
    let server = ScriptedServer::new()
        .tool("good", move |_| {
            steps(Script::new())
                .progress_message(3, 3, "step 3")
                .text("done")
        })
        .tool("bad", move |_| steps(Script::new()).tool_error("broke"))
        .tool("refused", move |_| steps(Script::new()).error(-32000, "no"))
        .tool("gone", move |_| steps(Script::new()).crash())
        .tool("silent", |_| Script::new().silence())
        .resource("demo:///report", |_| {
            Script::new().progress(1, 1).result(json!({"contents": []}))
        });
    Client::connect(server).await.expect("connects")
}

#[tokio::test(start_paused = true)]
async fn a_call_draws_its_bar_while_it_is_awaited() {
    let client = client().await;
    let mut scene = Scene::new(10, 80).await;
    let call = client.call_tool("good", json!({})).with_bar(&scene.bars);
    // It has done nothing yet.
    scene.at(0.0);
    scene.shows(&[""]);
    let mut call = Box::pin(call);
    assert!(timeout(SECOND / 2, &mut call).await.is_err());
    scene.at(0.5);
    scene.shows(&["good [========>               ]  33%  1/3  step 1"]);
    assert!(timeout(SECOND, &mut call).await.is_err());
    scene.at(1.5);
    scene.shows(&["good [================>       ]  66%  2/3  step 2             1.0/s  0s left"]);
    let result: CallToolResult = call.await.expect("it is good");
    assert!(!result.is_error);
    scene.shows(&["good done         1.5s  100%  3/3  step 3"]);
}

#[tokio::test(start_paused = true)]
async fn each_end_of_a_call_is_marked() {
    let client = client().await;
    let scene = Scene::new(10, 80).await;
    let bars = &scene.bars;
    let tool = |name: &'static str| client.call_tool(name, json!({}));
    assert!(tool("good").with_bar(bars).await.is_ok());
    assert!(
        tool("bad")
            .with_bar(bars)
            .named("bad one")
            .await
            .is_ok_and(|result| result.is_error)
    );
    // Also where the result is taken as it is.
    let raw = client.request::<Value>("tools/call", json!({"name": "bad", "arguments": {}}));
    assert!(raw.start().with_bar(bars).await.is_ok());
    assert!(tool("refused").with_bar(bars).await.is_err());
    let late = tool("silent").total_timeout(SECOND).with_bar(bars).await;
    assert!(late.is_err_and(|error| error.is_timeout()));
    let call = tool("silent").start();
    let canceller = call.canceller();
    let (cancelled, _) = tokio::join!(call.with_bar(bars), async { canceller.cancel("enough") });
    assert!(cancelled.is_err_and(|error| error.kind() == ErrorKind::Cancelled));
    drop(timeout(SECOND, tool("silent").with_bar(bars)).await);
    assert!(
        client
            .read_resource("demo:///report")
            .with_bar(bars)
            .await
            .is_ok()
    );
    assert!(tool("gone").with_bar(bars).await.is_err());
    // One that cannot be sent any more.
    assert!(tool("good").start().with_bar(bars).await.is_err());
    scene.shows(&[
        "bad one tool error   0.0s   66%  2/3  step 2",
        "bad     tool error   0.0s   66%  2/3  step 2",
        "refused failed       0.0s   66%  2/3  step 2",
        "silent  timed out    0.0s",
        "silent  cancelled    0.0s",
        "silent  cancelled    0.0s",
        "demo:///report done         0.0s  100%  1/1",
        "gone           connection lost   0.0s   66%  2/3  step 2",
        "call           connection lost   0.0s",
    ]);
}

#[tokio::test(start_paused = true)]
async fn a_result_of_another_form_has_failed() {
    let client = client().await;
    let scene = Scene::new(10, 80).await;
    let request = client.request::<Vec<u8>>("tools/call", json!({"name": "good", "arguments": {}}));
    let error = request.with_bar(&scene.bars).await.expect_err("no bytes");
    assert_eq!(error.kind(), ErrorKind::Decode);
    scene.shows(&["good failed       0.0s  100%  3/3  step 3"]);
}

#[tokio::test(start_paused = true)]
async fn many_calls_and_their_group() {
    let client = client().await;
    let mut scene = Scene::new(12, 80).await;
    let group = ProgressGroup::new();
    let total = scene.bars.group(&group, "all");
    let names = ["good", "bad", "good", "refused"];
    let calls = join_all(names.map(|name| {
        let (member, bar) = (group.join(1.0), scene.bars.add(name));
        let request = client.call_tool(name, json!({}));
        async move {
            let result = request
                .on_progress(|update| {
                    member.update(&update);
                    bar.update(&update);
                })
                .await;
            bar.settle(mcp_progress::ui::Mark::of_result(&result));
            if result.is_ok() {
                member.finish();
            }
        }
    }));
    let mut calls = Box::pin(calls);
    assert!(timeout(SECOND * 3 / 2, &mut calls).await.is_err());
    scene.at(1.5);
    scene.shows(&[
        "good    [================>       ]  66%  2/3  step 2          1.0/s  0s left",
        "bad     [================>       ]  66%  2/3  step 2          1.0/s  0s left",
        "good    [================>       ]  66%  2/3  step 2          1.0/s  0s left",
        "refused [================>       ]  66%  2/3  step 2          1.0/s  0s left",
        "all     [================>       ]  66%  0/4 done                    1s left",
    ]);
    calls.await;
    scene.at(2.0);
    drop(total);
    scene.shows(&[
        "good    done         1.5s  100%  3/3  step 3",
        "bad     tool error   1.5s   66%  2/3  step 2",
        "good    done         1.5s  100%  3/3  step 3",
        "refused failed       1.5s   66%  2/3  step 2",
        "all     failed       2.0s   91%  3/4 done, 1 unfinished",
    ]);
}

#[tokio::test(start_paused = true)]
async fn a_multi_progress_is_enough() {
    let client = client().await;
    let term = InMemoryTerm::new(10, 60);
    let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
    let multi = MultiProgress::with_draw_target(target);
    let call: WithBar<_> = client.call_tool("good", json!({})).with_bar(&multi);
    assert!(call.await.is_ok());
    let shown = term.contents();
    assert!(
        shown.starts_with("good done ") && shown.ends_with("100%  3/3  step 3"),
        "{shown}"
    );
}

/// The thread that draws goes by the clock of the machine, so this looks only at what must come whatever it does.
#[tokio::test]
async fn the_painter_tells_what_no_update_brings_up() {
    let client = client().await;
    let paper = Paper::default();
    let bars = Bars::plain(paper.clone());
    let call = client.call_tool("good", json!({})).with_bar(&bars);
    assert!(call.await.is_ok());
    let text = paper.text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].contains("33%  1/3  step 1"), "{text}");
    assert!(
        lines
            .last()
            .is_some_and(|line| line.starts_with("good done ") && line.ends_with("3/3  step 3")),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'));
    assert_eq!(
        text.lines().filter(|line| line.contains("done")).count(),
        1,
        "{text}"
    );
}

#[tokio::test]
async fn the_painter_draws_without_being_told() {
    let term = InMemoryTerm::new(10, 60);
    let bars = Bars::on(term.clone());
    let bar = bars.add("count");
    // As long as it takes: the painter is a thread of its own.
    for _ in 0..500 {
        if term.contents().contains("count") {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    assert!(term.contents().starts_with("count "), "{}", term.contents());
    bar.clear();
    assert_eq!(term.contents(), "");
}
