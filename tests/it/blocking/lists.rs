//! What comes piece by piece: lists in pages, subscriptions, notifications and diagnostics, as iterators.

use std::time::Duration;

use mcp_progress::blocking::NextError;
use mcp_progress::model::{LogMessage, LoggingLevel, SubscriptionFilter};
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{DiagnosticKind, ErrorKind, Result, StreamEnd, UpdatesExt as _};
use serde_json::{Value, json};

use super::{connected, restless};

fn five_of_each() -> ScriptedServer {
    (1..=5).fold(ScriptedServer::new().page_size(2), |server, n| {
        server
            .tool(&format!("tool-{n}"), |_| Script::new())
            .resource(&format!("file:///{n}"), |_| Script::new())
            .resource_template(&format!("log-{n}:///{{day}}"), |_| Script::new())
            .prompt(&format!("prompt-{n}"), |_| Script::new())
    })
}

#[test]
fn all_pages_of_all_lists() -> Result<()> {
    let (client, log) = connected(five_of_each());
    let tools: Result<Vec<_>> = client.tools().map(|tool| Ok(tool?.name)).collect();
    assert_eq!(tools?.last().map(String::as_str), Some("tool-5"));
    assert_eq!(client.resources().all()?.len(), 5);
    assert_eq!(client.resource_templates().all()?.len(), 5);
    assert_eq!(client.prompts().count(), 5);
    for method in [
        "tools/list",
        "resources/list",
        "resources/templates/list",
        "prompts/list",
    ] {
        assert_eq!(log.requests(method).len(), 3, "{method}");
    }
    // A page by itself, and the one after it.
    let first = client.list_tools().send()?;
    let next = first.next_cursor.expect("there are more");
    let second = client.list_tools().cursor(next).send()?;
    assert_eq!(second.tools[0].name, "tool-3");
    Ok(())
}

#[test]
fn a_list_ends_after_its_first_error() {
    let server = ScriptedServer::new().method("tools/list", |_| Script::new().error(-32000, "no"));
    let (client, _log) = connected(server);
    let mut tools = client.tools();
    let error = tools.next().expect("an error").expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Rpc);
    assert!(tools.next().is_none());
    // There is none in the revision.
    let error = client.tasks().all().expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn a_subscription_brings_what_it_asks_for_and_ends() -> Result<()> {
    let server = ScriptedServer::new();
    let (client, log) = connected(server.clone());
    let mut listen = client.listen(&SubscriptionFilter::new().with_tools())?;
    let first = listen.next().expect("the acknowledgement");
    assert_eq!(first.method, "notifications/subscriptions/acknowledged");
    let none = listen.next_timeout(Duration::from_millis(1));
    assert_eq!(none.expect_err("nothing yet"), NextError::TimedOut);
    assert_eq!(
        server.notify_subscribers("notifications/tools/list_changed", &Value::Null),
        1
    );
    let second = listen.next().expect("the tools have changed");
    assert_eq!(
        (&*second.method, listen.missed()),
        ("notifications/tools/list_changed", 0)
    );
    server.close_subscriptions();
    assert!(listen.next().is_none());
    listen.end()?;

    let mut listen = client.listen(&SubscriptionFilter::new().with_tools())?;
    assert!(listen.next().is_some());
    drop(listen);
    super::wait_for_cancels(&log, 1);
    Ok(())
}

#[test]
fn notifications_end_with_the_connection() -> Result<()> {
    let server =
        ScriptedServer::new().tool("talk", |_| Script::new().log("info", "hello").text("done"));
    let (client, _log) = connected(server);
    let mut notifications = client.notifications();
    client.set_log_level(LoggingLevel::Info)?;
    client.call_tool("talk", json!({})).send()?;
    let said = notifications.next().expect("a log message");
    assert_eq!(said.params::<LogMessage>().expect("JSON").data, "hello");
    assert_eq!(notifications.missed(), 0);
    // Not even a reader that waits keeps the connection open.
    let reader = std::thread::spawn(move || notifications.count());
    drop(client);
    assert_eq!(reader.join().expect("no panic"), 0);
    Ok(())
}

#[test]
fn diagnostics_tell_what_is_odd() -> Result<()> {
    let stray = mcp_progress::testing::Update::new(1);
    let server = ScriptedServer::new().tool("odd", move |_| {
        Script::new()
            .progress_for("nobody's", stray.clone())
            .text("done")
    });
    let (client, _log) = connected(server);
    let mut diagnostics = client.diagnostics();
    client.call_tool("odd", json!({})).send()?;
    let told = diagnostics.next().expect("told");
    assert_eq!(told.kind, DiagnosticKind::ForeignUpdate);
    assert_eq!(diagnostics.missed(), 0);
    client.close()?;
    assert!(client.is_closed() && diagnostics.next().is_none());
    Ok(())
}

/// A throttle holds an update until its time has come, for which it needs a timer.
#[test]
fn combinators_have_their_timer() -> Result<()> {
    let (client, _log) = connected(restless());
    let mut call = client.call_tool("stalls", json!({})).start();
    let mut thinned = mcp_progress::blocking::iter(call.as_stream().throttle(10.0));
    let mut stood_for = 0;
    while stood_for < 3 {
        let update = thinned.next_timeout(Duration::from_secs(60));
        let update = update.expect("within a minute").expect("it has no end");
        stood_for += 1 + update.merged;
    }
    assert_eq!(stood_for, 3);
    let mut updates = call.updates();
    call.canceller().cancel("enough");
    assert!(call.result().is_err());
    while updates.next().is_some() {}
    assert_eq!(updates.end(), Some(StreamEnd::Cancelled));
    Ok(())
}
