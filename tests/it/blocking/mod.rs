//! The client without async: that it keeps what the async one promises, where it may be used, how it ends, and that nothing of the
//! async client is missing.

mod ends;
mod forwarding;
mod lists;
#[cfg(unix)]
mod process;
mod promises;
mod runtimes;
mod servers;
mod threads;

use std::time::Duration;

use mcp_progress::blocking::{Client, wait};
use mcp_progress::testing::{Log, Script, ScriptedServer};

/// A server, its log, and a client of it.
fn connected(server: ScriptedServer) -> (Client, Log) {
    let log = server.log();
    let client = Client::connect(server).connect().expect("connects");
    (client, log)
}

/// A server with a tool that reports for ever, and one that reports three times and then is silent.
fn restless() -> ScriptedServer {
    let pause = Duration::from_millis(1);
    ScriptedServer::new()
        .tool("endless", move |_| Script::new().every(pause, 1_000_000))
        .tool("stalls", move |_| Script::new().every(pause, 3).silence())
}

/// Waits until the server was told of `count` cancellations.
fn wait_for_cancels(log: &Log, count: usize) {
    wait(log.wait_for(|log| log.cancelled().len() >= count)).expect("no runtime here");
    assert_eq!(log.cancelled().len(), count);
}
