//! Every way to a server, and what servers ask: handlers that block, those that are async, and tasks that are left and taken up.

use std::time::Duration;

use mcp_progress::blocking::{Client, wait};
use mcp_progress::model::{ElicitResult, Root};
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{ProtocolVersion, Result, UpdateKind};
use serde_json::{Value, json};

use super::connected;

#[test]
fn a_closure_that_blocks_answers_in_every_revision_that_asks() -> Result<()> {
    for version in [ProtocolVersion::V2025_11_25, ProtocolVersion::V2026_07_28] {
        let client = Client::connect(ScriptedServer::demo())
            .protocol(version)
            .on_elicitation(|form, _context| {
                std::thread::sleep(Duration::from_millis(1));
                assert_eq!(form.message, "What is your name?");
                Ok(ElicitResult::accept().with("name", "Ada"))
            })
            .connect()?;
        let mut messages = Vec::new();
        let greeting = client
            .call_tool("ask", json!({}))
            .on_progress(|update| messages.extend(update.message))
            .send()?;
        assert_eq!(
            greeting.as_text().as_deref(),
            Some("Hello, Ada!"),
            "{version}"
        );
        assert_eq!(messages.len(), 2, "{version}");
    }
    Ok(())
}

/// In 2026-07-28 the call's own future runs them, on a thread that has no runtime of its own.
#[test]
fn an_async_handler_has_its_timers() -> Result<()> {
    for version in [ProtocolVersion::V2025_11_25, ProtocolVersion::V2026_07_28] {
        let client = mcp_progress::Client::connect(ScriptedServer::demo())
            .protocol(version)
            .on_elicitation(|_form, _context| async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                Ok(ElicitResult::accept().with("name", "Ada"))
            })
            .connect_blocking()?;
        let greeting = client.call_tool("ask", json!({})).send()?;
        assert_eq!(
            greeting.as_text().as_deref(),
            Some("Hello, Ada!"),
            "{version}"
        );
    }
    Ok(())
}

#[test]
fn a_handler_that_panics_is_answered_for() -> Result<()> {
    let server = ScriptedServer::new();
    let client = Client::connect(server.clone())
        .protocol(ProtocolVersion::V2025_11_25)
        .on_request("vendor/panic", |_request| panic!("on purpose"))
        .on_request("vendor/echo", |request| {
            Ok(json!({"said": request.params::<Value>().ok()}))
        })
        .on_roots(|_context| Ok(vec![Root::new("file:///work")]))
        .connect()?;
    let answer = wait(server.request("vendor/panic", &json!({})))?;
    assert_eq!(answer["error"]["code"], -32603, "{answer}");
    let answer = wait(server.request("vendor/echo", &json!({"a": 1})))?;
    assert_eq!(answer["result"]["said"]["a"], 1, "{answer}");
    let answer = wait(server.request("roots/list", &Value::Null))?;
    assert_eq!(
        answer["result"]["roots"][0]["uri"], "file:///work",
        "{answer}"
    );
    client.notify_roots_changed()
}

#[test]
fn a_task_is_left_and_taken_up() -> Result<()> {
    let server = ScriptedServer::demo();
    let (client, log) = connected(server.clone());
    let mut call = client
        .call_tool("job", json!({"steps": 3, "delay_ms": 20}))
        .start();
    let is_status = |update: &mcp_progress::Progress| matches!(update.kind, UpdateKind::Status(_));
    assert!(call.by_ref().any(|update| is_status(&update)));
    let handle = call.leave().expect("it is a task");
    assert_eq!(
        client.get_task(&handle.task_id).send()?.task_id,
        handle.task_id
    );
    drop(client);

    let client = Client::connect(server).resuming(&handle).connect()?;
    let result = client.resume_task(&handle).send()?;
    assert_eq!(result.as_text().as_deref(), Some("did 3 steps"));
    assert!(log.stopped_tasks().is_empty());
    Ok(())
}

#[cfg(feature = "http")]
#[test]
fn a_server_over_http() -> Result<()> {
    let (url, serving) = wait(async {
        let listening = ScriptedServer::demo().http().bind("127.0.0.1:0").await;
        let listening = listening.expect("listens");
        (listening.url(), crate::peer::spawn(listening.serve()))
    })?;
    for version in [ProtocolVersion::V2025_11_25, ProtocolVersion::V2026_07_28] {
        let client = Client::http(&url).protocol(version).connect()?;
        assert_eq!(client.server().protocol_version, version);
        let mut seen = Vec::new();
        let result = client
            .call_tool("count", json!({"steps": 3, "delay_ms": 1}))
            .on_progress(|update| seen.push(update.progress))
            .send()?;
        assert_eq!((seen, result.is_error), (vec![1.0, 2.0, 3.0], false));
        client.close()?;
    }
    serving.abort();
    Ok(())
}

#[test]
fn a_stream_that_is_open_already() -> Result<()> {
    let (io, served) = mcp_progress::transport::memory(1 << 16);
    let server = ScriptedServer::new().tool("t", |_| Script::new().text("hello"));
    let serving = std::thread::spawn(move || {
        let (reader, writer) = tokio::io::split(served);
        wait(async move { server.serve(reader, writer).await })
    });
    let client = Client::connect(io).connect()?;
    let result = client.call_tool("t", Value::Null).send()?;
    assert_eq!(result.as_text().as_deref(), Some("hello"));
    drop(client);
    serving.join().expect("no panic")
}
