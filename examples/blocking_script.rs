//! A script without async: a callback, a loop over updates, a call that another thread gives up, and an error that says how far it was.
//!
//! The program is its own server: it starts itself once more and talks to that process over a pipe.
#![expect(clippy::print_stdout, reason = "a program may print")]

use mcp_progress::ErrorKind;
use mcp_progress::blocking::{Client, NextError, wait};
use mcp_progress::testing::ScriptedServer;
use mcp_progress::transport::ServerCommand;
use mcp_progress::ui::printable_line;
use serde_json::json;
use std::time::Duration;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return Ok(wait(ScriptedServer::demo().serve_stdio())??);
    }
    let server = ServerCommand::new(std::env::current_exe()?).arg("serve");
    // Or a server from elsewhere: Client::stdio("npx", ["-y", "@modelcontextprotocol/server-everything"])
    let client = Client::connect(server).idle_timeout(ms(500)).connect()?;
    println!("connected, revision {}", client.server().protocol_version);
    for tool in client.tools().take(2) {
        println!("there is a tool {}", printable_line(&tool?.name));
    }

    // A callback, on this thread: it borrows what it likes.
    let mut furthest = 0.0;
    let result = client
        .call_tool("count", json!({"steps": 3, "delay_ms": 50}))
        .on_progress(|update| {
            furthest = update.progress;
            println!("count: {}", printable_line(&update.to_string()));
        })
        .send()?;
    println!("count: {:?} after {furthest} steps", result.as_text());

    // A loop that has something else to do while nothing comes.
    let mut call = client.read_resource("demo:///report").start();
    let report = loop {
        match call.next_timeout(ms(40)) {
            Ok(Some(update)) => println!("report: {}", printable_line(&update.to_string())),
            Err(NextError::TimedOut) => println!("report: .."),
            Ok(None) | Err(_) => break call.result()?,
        }
    };
    let text = report.contents[0].as_text().unwrap_or_default();
    println!("report: {}", printable_line(text));

    // The button for a handler of Ctrl-C, which runs on a thread of its own; here the thread is merely impatient.
    let mut call = client
        .call_tool("count", json!({"steps": 1000, "delay_ms": 20}))
        .start();
    let button = call.canceller();
    let impatient = std::thread::spawn(move || {
        std::thread::sleep(ms(100));
        button.cancel("the user pressed Ctrl-C")
    });
    let seen = call.by_ref().count();
    let error = call.result().expect_err("it was cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(impatient.join().ok(), Some(true));
    println!("given up after {seen} updates: {error}");

    // Neither a result nor an update: the clock of silence ends it.
    let error = client.call_tool("hang", json!({})).send();
    println!("hang: {}", error.expect_err("it never answers"));

    // A drop would do too. Either waits for the server's end, so that no process is left behind.
    Ok(client.close()?)
}
