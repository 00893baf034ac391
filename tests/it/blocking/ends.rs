//! How a connection ends that nobody closes: with the last handle, whatever that is, and before its drop returns.

use mcp_progress::blocking::Client;
use mcp_progress::testing::{Log, ScriptedServer};
use mcp_progress::{ErrorKind, ProgressToken, StreamEnd};
use serde_json::json;

use super::{connected, restless};

/// Whether the connection is over, asked of something that does not keep it open.
struct Watched {
    over: mcp_progress::Notifications,
}

impl Watched {
    fn of(client: &Client) -> Self {
        Self {
            over: client.as_async().notifications(),
        }
    }

    fn is_over(&mut self) -> bool {
        use futures::FutureExt;
        matches!(self.over.next().now_or_never(), Some(None))
    }
}

fn opened() -> (Client, Log, Watched) {
    let (client, log) = connected(restless());
    let watched = Watched::of(&client);
    (client, log, watched)
}

#[test]
fn the_last_client_waits_for_the_end() {
    let (client, _log, mut watched) = opened();
    let clone = client.clone();
    drop(client);
    assert!(!watched.is_over(), "there is a clone");
    drop(clone);
    assert!(watched.is_over());
}

#[test]
fn so_does_a_call_that_is_the_last() {
    let (client, log, mut watched) = opened();
    let mut call = client.call_tool("endless", json!({})).start();
    drop(client);
    assert!(call.next().is_some() && !watched.is_over());
    drop(call);
    assert!(watched.is_over());
    // It was cancelled before, and that was written.
    assert_eq!(log.cancelled().len(), 1);
}

#[test]
fn so_do_a_request_a_result_and_a_list() {
    let (client, _log, mut watched) = opened();
    let request = client.call_tool("endless", json!({}));
    drop(client);
    assert!(!watched.is_over());
    drop(request);
    assert!(watched.is_over());

    let (client, _log, mut watched) = opened();
    let call = client.call_tool("no such tool", json!({})).start();
    drop(client);
    let error = call.result().expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Rpc);
    assert!(watched.is_over());

    let (client, _log, mut watched) = opened();
    let mut tools = client.tools();
    drop(client);
    assert!(tools.next().is_some() && !watched.is_over());
    assert_eq!(tools.all().expect("listed").len(), 1);
    assert!(watched.is_over());
}

/// The clients that are not blocking go on with it.
#[test]
fn an_async_handle_keeps_the_connection() {
    let (client, _log, mut watched) = opened();
    let kept = client.as_async().clone();
    drop(client);
    assert!(!watched.is_over() && !kept.is_closed());
    let again = Client::from(kept);
    assert_eq!(again.list_tools().send().expect("listed").tools.len(), 2);
}

#[test]
fn closing_cancels_what_is_in_flight_elsewhere() {
    let (client, log) = connected(ScriptedServer::demo());
    let token = ProgressToken::generate();
    let updates = mcp_progress::blocking::iter(client.progress().subscribe(&token));
    let call = client.call_tool("hang", json!({})).progress_token(token);
    let call = call.start();
    let waiting = std::thread::spawn(move || call.result());
    client.close().expect("closed");
    let error = waiting.join().expect("no panic").expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let mut updates = updates;
    assert!(updates.next().is_none());
    assert_eq!(updates.end(), Some(StreamEnd::Cancelled));
    assert!(log.cancelled().len() <= 1, "told at most once");
    // Once more is no harm.
    client.close().expect("closed already");
    let late = client.list_tools().send().expect_err("closed");
    assert_eq!(late.kind(), ErrorKind::ConnectionLost);
}
