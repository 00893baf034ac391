//! Twelve things that people do every day with a client, each written as they would write it.
#![allow(
    clippy::disallowed_methods,
    reason = "tests stand in for programs, which spawn tasks as they like"
)]

use mcp_progress::testing::{Script, ScriptedServer, Update};
use mcp_progress::{Client, Clock, Error, ErrorKind, ErrorObject, ProgressToken, Result};
use serde::Deserialize;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

async fn demo() -> Client {
    let client = Client::connect(ScriptedServer::demo()).await;
    client.expect("the demo server is there")
}

#[tokio::test(start_paused = true)]
async fn call_with_callback() -> Result<()> {
    let client = demo().await;

    let mut lines = Vec::new();
    let result = client
        .call_tool("count", json!({"steps": 3}))
        .on_progress(|update| lines.push(update.to_string()))
        .await?;

    let expected = [
        "1 of 3: step 1 of 3",
        "2 of 3: step 2 of 3",
        "3 of 3: step 3 of 3",
    ];
    assert_eq!(lines, expected);
    assert_eq!(result.as_text().as_deref(), Some("counted to 3"));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn two_calls_joined() -> Result<()> {
    let client = demo().await;

    let (mut counted, mut downloaded) = (0, 0.0);
    let (count, download) = tokio::try_join!(
        client
            .call_tool("count", json!({"steps": 4, "delay_ms": 10}))
            .on_progress(|_| counted += 1)
            .send(),
        client
            .call_tool("download", json!({"mib": 2, "delay_ms": 10}))
            .on_progress(|update| downloaded = update.progress)
            .send(),
    )?;

    assert_eq!((counted, downloaded), (4, 2.0 * 1024.0 * 1024.0));
    assert_eq!(count.as_text().as_deref(), Some("counted to 4"));
    assert_eq!(download.as_text().as_deref(), Some("downloaded 2 MiB"));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn stream_in_select_with_cancel() -> Result<()> {
    let server = ScriptedServer::new().tool("endless", |_| {
        Script::new().every(Duration::from_secs(1), 1000)
    });
    let log = server.log();
    let client = Client::connect(server).await?;
    let (press, mut pressed) = mpsc::channel(1);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        press.send("not today").await
    });

    let mut call = client.call_tool("endless", json!({})).start();
    let stop = call.canceller();
    let mut seen = Vec::new();
    loop {
        tokio::select! {
            update = call.next() => match update {
                Some(update) => seen.push(update.progress),
                None => break,
            },
            Some(reason) = pressed.recv() => assert!(stop.cancel(reason)),
        }
    }
    let error = call.await.expect_err("it was cancelled");

    assert_eq!(seen, [1.0, 2.0, 3.0]);
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(error.last_update().map(|last| last.progress), Some(3.0));
    client.close().await;
    let cancels = log.notifications("notifications/cancelled");
    assert_eq!(cancels.len(), 1);
    assert_eq!(cancels[0].params()["reason"], "not today");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn background_call_with_the_ui_in_another_task() -> Result<()> {
    let client = demo().await;

    let call = client.call_tool("count", json!({"steps": 5})).start();
    let mut for_the_bar = call.updates();
    let bar = tokio::spawn(async move {
        let mut shown = Vec::new();
        while let Some(update) = for_the_bar.next().await {
            shown.push(update.percent().expect("the total is known"));
        }
        (shown, for_the_bar.end())
    });
    let work = tokio::spawn(call.result());

    let result = work.await.expect("the task does not panic")?;
    let (shown, end) = bar.await.expect("the bar does not panic");
    assert_eq!(result.as_text().as_deref(), Some("counted to 5"));
    assert_eq!(shown, [20.0, 40.0, 60.0, 80.0, 100.0]);
    assert_eq!(end, Some(mcp_progress::StreamEnd::Completed));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn token_subscribed_before_the_request() -> Result<()> {
    let client = demo().await;
    let token = ProgressToken::from("upload-7");

    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let _guard = client.progress().register(&token, move |update| {
        sink.lock().expect("not poisoned").push(update.seq);
    });
    let mut updates = client.progress().subscribe(&token);
    client
        .call_tool("count", json!({"steps": 3}))
        .progress_token(token)
        .await?;

    assert_eq!(*seen.lock().expect("not poisoned"), [1, 2, 3]);
    for place in 1..=3 {
        assert_eq!(updates.next().await.map(|update| update.seq), Some(place));
    }
    assert!(updates.next().await.is_none());
    assert!(client.progress().is_empty());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn read_resource() -> Result<()> {
    let client = demo().await;

    let mut stages = Vec::new();
    let report = client
        .read_resource("demo:///report")
        .on_progress(|update| stages.extend(update.message))
        .await?;

    assert_eq!(stages.len(), 3);
    assert_eq!(&*stages[2], "writing it down");
    assert_eq!(report.contents[0].uri(), Some("demo:///report"));
    assert_eq!(report.contents[0].as_text(), Some("All is well."));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn typed_custom_request() -> Result<()> {
    #[derive(Debug, Deserialize)]
    struct Reindexed {
        files: u64,
        skipped: Vec<String>,
    }

    let server = ScriptedServer::new().method("vendor/reindex", |request| {
        let path = request.params()["path"].as_str().unwrap_or_default();
        Script::new()
            .progress_message(1, 2, format!("reading {path}"))
            .progress_message(2, 2, "writing")
            .result(json!({"files": 12, "skipped": [format!("{path}/core")]}))
    });
    let client = Client::connect(server).await?;

    let mut last = None;
    let reindexed: Reindexed = client
        .request("vendor/reindex", json!({"path": "/srv"}))
        .on_progress(|update| last = update.message)
        .await?;

    assert_eq!(reindexed.files, 12);
    assert_eq!(reindexed.skipped, ["/srv/core"]);
    assert_eq!(last.as_deref(), Some("writing"));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn retry_after_a_timeout() -> Result<()> {
    let attempts = AtomicUsize::new(0);
    let server = ScriptedServer::new().tool("flaky", move |_| {
        match attempts.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => Script::new().every(Duration::from_secs(4), 2).silence(),
            _ => Script::new().progress(1, 1).text("at last"),
        }
    });
    let log = server.log();
    let client = Client::connect(server).await?;

    let mut failures = Vec::new();
    let result = loop {
        let call = client
            .call_tool("flaky", json!({}))
            .idle_timeout(Duration::from_secs(5));
        match call.await {
            Err(error) if error.is_timeout() && failures.len() < 3 => failures.push(error),
            other => break other?,
        }
    };

    assert_eq!(result.as_text().as_deref(), Some("at last"));
    assert_eq!(failures.len(), 2);
    for failure in failures {
        assert_eq!(failure.timeout_clock(), Some(Clock::Idle));
        assert_eq!(failure.last_update().map(|last| last.progress), Some(2.0));
        assert_eq!(failure.elapsed().map(|elapsed| elapsed.as_secs()), Some(9));
    }
    client.close().await;
    assert_eq!(log.cancelled().len(), 2);
    Ok(())
}

#[tokio::test]
async fn matching_an_rpc_error() -> Result<()> {
    fn explain(error: &Error) -> String {
        match error.as_rpc() {
            Some(rpc) if rpc.code == ErrorObject::METHOD_NOT_FOUND => "not there".to_owned(),
            Some(rpc) if rpc.code == -32000 => match &rpc.data {
                Some(data) => format!("{}, try again in {} s", rpc.message, data["retryAfter"]),
                None => rpc.message.clone(),
            },
            _ => error.to_string(),
        }
    }

    let server = ScriptedServer::new()
        .tool("busy", |_| {
            Script::new()
                .progress(1, 9)
                .error_with_data(-32000, "Busy", json!({"retryAfter": 30}))
        })
        .tool("fails", |_| Script::new().tool_error("no such file"));
    let client = Client::connect(server).await?;

    let error = client
        .call_tool("busy", json!({}))
        .await
        .expect_err("it is busy");
    assert_eq!(error.kind(), ErrorKind::Rpc);
    assert_eq!(explain(&error), "Busy, try again in 30 s");
    assert_eq!(error.last_update().map(|last| last.progress), Some(1.0));

    let error = client.request::<()>("no/such", json!({})).await;
    assert_eq!(explain(&error.expect_err("nobody has it")), "not there");

    // A tool that fails has answered: that is a result.
    let result = client.call_tool("fails", json!({})).await?;
    assert!(result.is_error);
    assert_eq!(result.as_text().as_deref(), Some("no such file"));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn async_callback() -> Result<()> {
    let client = demo().await;
    let (sender, mut receiver) = mpsc::channel(1);

    let call = client
        .call_tool("burst", json!({"n": 4}))
        .drain_for(None)
        .on_progress_async(async |update| {
            // Slower than the server, and bounded: each update is waited for, one at a time.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let _ = sender.send(update.progress).await;
        });
    let (result, received) = tokio::join!(call.send(), async {
        let mut received = Vec::new();
        while received.len() < 4 {
            received.extend(receiver.recv().await);
        }
        received
    });

    assert_eq!(result?.as_text().as_deref(), Some("4 updates in one write"));
    assert_eq!(received, [1.0, 2.0, 3.0, 4.0]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn ui_test_on_a_paused_clock() -> Result<()> {
    let server = ScriptedServer::new().tool("import", |_| {
        Script::new()
            .progress_with(Update::new(10).message("rows"))
            .wait(Duration::from_secs(3600))
            .progress_message(3, 4, "indexing")
            .text("done")
    });
    let client = Client::connect(server).idle_timeout(None).await?;

    let mut screen = Vec::new();
    let mut call = client.call_tool("import", json!({})).start();
    loop {
        match timeout(Duration::from_secs(1500), call.next()).await {
            Err(_) => screen.push("no news".to_owned()),
            Ok(None) => break,
            Ok(Some(update)) => screen.push(match update.percent() {
                Some(percent) => format!("{percent} %"),
                None => update.progress.to_string(),
            }),
        }
    }

    assert_eq!(screen, ["10", "no news", "no news", "75 %"]);
    assert_eq!(call.await?.as_text().as_deref(), Some("done"));
    Ok(())
}

#[test]
fn current_thread_main() -> Result<()> {
    #[tokio::main(flavor = "current_thread")]
    async fn main() -> Result<Vec<f64>> {
        let client = Client::connect(ScriptedServer::demo()).await?;
        // Neither `Send` nor `'static`: all of it lives on this thread.
        let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
        client
            .call_tool("count", json!({"steps": 3, "delay_ms": 1}))
            .on_progress(|update| seen.borrow_mut().push(update.progress))
            .await?;
        client.close().await;
        Ok(seen.take())
    }

    assert_eq!(main()?, [1.0, 2.0, 3.0]);
    Ok(())
}
