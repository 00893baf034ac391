//! Inside of async runtimes: an error where waiting would hold up tasks, and no error where it does not.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use mcp_progress::blocking::{Client, NextError, iter, wait};
use mcp_progress::model::ElicitResult;
use mcp_progress::testing::ScriptedServer;
use mcp_progress::transport::{Connection, Connector};
use mcp_progress::{Error, ErrorKind, ProgressToken, ProtocolVersion, Result};
use serde_json::json;
use tokio::runtime::{Handle, Id};
use tokio::task::{block_in_place, spawn_blocking};

use super::{connected, restless};

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T>) {
    let error = result.expect_err("this is a task");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let text = error.to_string();
    for word in [
        "inside of an async runtime",
        "async `Client`",
        "spawn_blocking",
    ] {
        assert!(text.contains(word), "{text}");
    }
}

/// Whatever waits is refused, and nothing panics.
fn assert_all_refused(client: &Client) {
    assert_refused(Client::connect(ScriptedServer::demo()).connect());
    assert_refused(client.list_tools().send());
    assert_refused(client.set_log_level(mcp_progress::model::LoggingLevel::Info));
    assert_refused(client.close());
    assert_refused(wait(async {}));

    let mut pages = client.tools();
    assert_refused(pages.next().expect("an error"));
    assert!(pages.next().is_none());
    assert_refused(client.tools().all());

    let mut call = client.call_tool("stalls", json!({})).start();
    assert!(call.next().is_none());
    let error = call
        .next_timeout(Duration::MAX)
        .expect_err("this is a task");
    assert_eq!(error, NextError::InRuntime);
    assert_refused(call.result());
    let subscribed = client.progress().subscribe(&ProgressToken::generate());
    assert!(iter(subscribed).next().is_none());
    assert!(client.notifications().next().is_none());
    assert!(!client.is_closed(), "nothing was closed");
}

#[test]
fn a_blocking_call_in_a_task_is_an_error() -> Result<()> {
    let (client, log) = connected(restless());
    let single = tokio::runtime::Builder::new_current_thread().build();
    single.expect("a runtime").block_on(async {
        assert_all_refused(&client);
        // Nor does a drop wait: the connection is closed in the background.
        drop(client.clone());
    });
    let several = tokio::runtime::Runtime::new().expect("a runtime");
    let task = {
        let client = client.clone();
        several.spawn(async move { assert_all_refused(&client) })
    };
    several.block_on(task).expect("no panic");
    assert!(log.requests("tools/list").is_empty(), "nothing was sent");
    client.list_tools().send().map(drop)
}

#[test]
fn the_last_handle_may_be_dropped_in_a_task() {
    let (client, log) = connected(restless());
    let mut over = client.notifications();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async move { drop(client) });
    assert!(over.next().is_none(), "it was closed in the background");
    assert_eq!(log.connections(), 1);
}

#[test]
fn a_thread_for_blocking_work_may_wait() -> Result<()> {
    let (client, _log) = connected(ScriptedServer::demo());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let listed = {
        let client = client.clone();
        let listed = async { spawn_blocking(move || client.list_tools().send()).await };
        runtime.block_on(listed).expect("no panic")
    };
    assert!(!listed?.tools.is_empty());
    let in_place = {
        let client = client.clone();
        runtime.spawn(async move { block_in_place(|| client.list_tools().send()) })
    };
    let in_place = runtime.block_on(in_place).expect("no panic");
    assert!(!in_place?.tools.is_empty());
    // A guard alone runs no tasks.
    let _entered = runtime.enter();
    assert!(!client.list_tools().send()?.tools.is_empty());
    Ok(())
}

/// In the same runtime as everything else of these clients.
#[test]
fn an_async_handler_is_refused_too_and_a_blocking_one_is_not() -> Result<()> {
    let (other, _log) = connected(ScriptedServer::demo());
    let version = ProtocolVersion::V2025_11_25;
    let inside = other.clone();
    let client = mcp_progress::Client::connect(ScriptedServer::demo())
        .protocol(version)
        .on_elicitation(move |_form, _context| {
            assert_refused(inside.list_tools().send());
            async { Ok(ElicitResult::accept().with("name", "Ada")) }
        })
        .connect_blocking()?;
    let greeting = client.call_tool("ask", json!({})).send()?;
    assert_eq!(greeting.as_text().as_deref(), Some("Hello, Ada!"));

    let client = Client::connect(ScriptedServer::demo())
        .protocol(version)
        .on_elicitation(move |_form, _context| {
            let tools = other.list_tools().send().expect("this thread may wait");
            Ok(ElicitResult::accept().with("name", tools.tools[0].name.as_str()))
        })
        .connect()?;
    let greeting = client.call_tool("ask", json!({})).send()?;
    assert_eq!(greeting.as_text().as_deref(), Some("Hello, count!"));
    Ok(())
}

/// Notes the runtimes in which it is asked to connect.
#[derive(Debug)]
struct Noting {
    server: ScriptedServer,
    runtimes: Arc<Mutex<Vec<Id>>>,
}

impl Connector for Noting {
    fn connect(&self) -> BoxFuture<'_, Result<Connection>> {
        let runtime = Handle::try_current().map_err(|error| Error::connect(error.to_string()));
        let noted = runtime.map(|runtime| {
            let mut runtimes = self.runtimes.lock().expect("not poisoned");
            runtimes.push(runtime.id());
        });
        Box::pin(async move {
            noted?;
            self.server.connect().await
        })
    }
}

#[test]
fn all_clients_live_on_one_runtime() -> Result<()> {
    let runtimes = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..3 {
        let noting = Noting {
            server: ScriptedServer::demo(),
            runtimes: runtimes.clone(),
        };
        std::thread::spawn(move || Client::connect(noting).connect().map(drop))
            .join()
            .expect("no panic")?;
    }
    let noted = runtimes.lock().expect("not poisoned").clone();
    assert_eq!(noted.len(), 3);
    assert!(
        noted.iter().all(|runtime| *runtime == noted[0]),
        "{noted:?}"
    );
    Ok(())
}

#[test]
fn any_future_can_be_waited_for() -> Result<()> {
    let (client, _log) = connected(ScriptedServer::demo());
    let client = client.as_async();
    let both = wait(async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let one = client.call_tool("count", json!({"steps": 2, "delay_ms": 1}));
        let two = client.call_tool("count", json!({"steps": 3, "delay_ms": 1}));
        tokio::join!(one.send(), two.send())
    })?;
    assert_eq!(both.0?.as_text().as_deref(), Some("counted to 2"));
    assert_eq!(both.1?.as_text().as_deref(), Some("counted to 3"));
    Ok(())
}

/// An async client on a runtime that runs by itself, seen from a thread that waits.
#[test]
fn the_two_clients_become_each_other() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let connect = mcp_progress::Client::connect(ScriptedServer::demo());
    let client = runtime.block_on(connect.into_future())?;
    let blocking = Client::from(client.clone());
    assert!(!blocking.list_tools().send()?.tools.is_empty());
    drop(blocking);
    assert!(!client.is_closed(), "it is not the blocking one's to close");

    let client = {
        let (blocking, _log) = connected(ScriptedServer::demo());
        mcp_progress::Client::from(blocking)
    };
    let listed = runtime.block_on(client.list_tools().send())?;
    assert!(!listed.tools.is_empty());
    let request = Client::from(client.clone()).list_tools().into_async();
    assert!(!runtime.block_on(request.send())?.tools.is_empty());
    Ok(())
}
