//! The counts of a call: what came, what was given, merged, and came too late.

use mcp_progress::testing::{Script, ScriptedServer, Update};
use mcp_progress::{CallOutcome, Overflow};
use serde_json::json;

use super::diary::observed;
use crate::peer::settle;

#[tokio::test(start_paused = true)]
async fn what_is_merged_is_counted_in_what_is_delivered() {
    let server = ScriptedServer::new().tool("count", |_| {
        Script::new().burst(|together| (1..=10).fold(together, |script, n| script.progress(n, 10)))
    });
    let (client, diary) = observed(server).await;
    let mut call = client
        .call_tool("count", json!({}))
        .overflow(Overflow::Latest)
        .start();
    settle().await;
    let update = call.next().await.expect("the newest");
    assert_eq!(update.merged, 9);
    assert!(call.next().await.is_none());
    let closed = diary.closed();
    assert_eq!(
        (closed.received, closed.delivered, closed.merged),
        (10, 1, 9)
    );
    // The handle is told before it is awaited, and once.
    call.await.expect("it has a result");
    assert_eq!(diary.ends(), ["completed"]);
}

#[tokio::test(start_paused = true)]
async fn a_backlog_that_a_cancel_discards_came_but_was_not_delivered() {
    let server = ScriptedServer::new().tool("count", |_| {
        (1..=10)
            .fold(Script::new(), |script, n| script.progress(n, 10))
            .silence()
    });
    let (client, diary) = observed(server).await;
    let mut call = client.call_tool("count", json!({})).start();
    call.next().await.expect("the first");
    settle().await;
    call.canceller().cancel("enough");
    call.await.expect_err("cancelled");
    let closed = diary.closed();
    assert_eq!(closed.outcome, CallOutcome::Cancelled);
    assert_eq!(
        (closed.received, closed.delivered, closed.merged),
        (10, 1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_handle_that_is_awaited_takes_no_more_updates() {
    let server = ScriptedServer::new().tool("count", |_| {
        (1..=10)
            .fold(Script::new(), |script, n| script.progress(n, 10))
            .text("done")
    });
    let (client, diary) = observed(server).await;
    let mut call = client.call_tool("count", json!({})).start();
    call.next().await.expect("the first");
    settle().await;
    call.await.expect("it has a result");
    let closed = diary.closed();
    assert_eq!((closed.received, closed.delivered), (10, 1));
}

#[tokio::test]
async fn late_and_regressing_updates_are_counted_with_their_call() {
    let server = ScriptedServer::new().tool("sloppy", |_| {
        Script::new().burst(|together| {
            together
                .progress(5, 10)
                .progress(3, 10)
                .progress(4, 10)
                .progress_for("nobody's", Update::new(1))
                .text("done")
                .then_late(|late| late.progress(6, 10).progress(7, 10))
        })
    });
    let (client, diary) = observed(server).await;
    let result = client
        .call_tool("sloppy", json!({}))
        .on_progress(|_| ())
        .await;
    result.expect("it has a result");
    let closed = diary.closed();
    assert_eq!((closed.received, closed.delivered), (3, 3));
    assert_eq!((closed.regressed, closed.rejected), (2, 2));
}
