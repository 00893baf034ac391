//! How bytes are grouped into writes, peers that do not read, and blocking streams.

use super::client::{Client, SECOND, now, tool};
use crate::testing::script::Script;
use crate::testing::server::ScriptedServer;
use crate::testing::stdio;
use serde_json::{Value, json};
use std::io::{self, BufRead, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Takes each write whole and keeps it apart from the others.
#[derive(Clone, Default)]
struct Writes(Arc<Mutex<Vec<Vec<u8>>>>);

impl AsyncWrite for Writes {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.lock().unwrap().push(buf.to_vec());
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Serves one call of `script`, with a token, until `done` holds for the writes.
async fn writes_of(script: Script, done: impl Fn(&[Vec<u8>]) -> bool) -> Vec<Vec<u8>> {
    let request = json!({"id": 1, "method": "tools/call", "params": {"name": "it", "_meta": {"progressToken": 1}}});
    let (mut input, reader) = tokio::io::duplex(1024);
    input
        .write_all(format!("{request}\n").as_bytes())
        .await
        .unwrap();
    let writes = Writes::default();
    let server = tool(script);
    let serving = server.serve(reader, writes.clone());
    let mut serving = std::pin::pin!(serving);
    while !done(&writes.0.lock().unwrap()) {
        assert!(
            timeout(Duration::from_millis(1), &mut serving)
                .await
                .is_err(),
            "ended early"
        );
    }
    drop(input);
    serving.await;
    let writes = writes.0.lock().unwrap();
    writes.clone()
}

fn lines(bytes: &[u8]) -> usize {
    assert_eq!(bytes.last(), Some(&b'\n'), "a torn write");
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_one_write_and_anything_else_one_each() {
    let script = Script::new().every(SECOND, 2).burst(|held| {
        held.every(SECOND, 3)
            .burst(|inner| inner.flood(2))
            .text("done")
    });
    let writes = writes_of(script, |writes| writes.len() >= 3).await;
    assert_eq!(
        writes.iter().map(|write| lines(write)).collect::<Vec<_>>(),
        [1, 1, 6]
    );
    assert!(String::from_utf8_lossy(&writes[2]).contains("done"));
}

#[tokio::test(start_paused = true)]
async fn a_flood_comes_in_large_whole_writes() {
    let script = Script::new().flood(10_000).text("done");
    let writes = writes_of(script, |writes| {
        writes
            .last()
            .is_some_and(|last| String::from_utf8_lossy(last).contains("done"))
    })
    .await;
    assert_eq!(
        writes.iter().map(|write| lines(write)).sum::<usize>(),
        10_001
    );
    let (last, flood) = writes[..writes.len() - 1].split_last().unwrap();
    assert!(last.len() <= 66_000);
    assert!(
        flood.len() > 10
            && flood
                .iter()
                .all(|write| (65_536..66_000).contains(&write.len()))
    );
    let update: Value =
        serde_json::from_slice(last.split(|byte| *byte == b'\n').nth_back(1).unwrap()).unwrap();
    assert_eq!(
        update["params"],
        json!({"progressToken": 1, "progress": 10_000, "total": 10_000})
    );
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_reads_is_still_heard_and_its_end_is_the_end() {
    let server =
        tool(Script::new().flood(1_000_000)).tool("more", |_| Script::new().every(SECOND, 1_000));
    let mut client = Client::connect_with(&server, 4096);
    client.call(1, "it").await;
    client.logged(|log| log.messages().len() == 1).await;
    // The first write of the flood has filled the buffer by now and waits.
    client.call(2, "more").await;
    client.cancel(1).await;
    client.logged(|log| log.stopped() == [1]).await;
    let end = now();
    client.writer.shutdown().await.unwrap();
    client.served.await.unwrap(); // `reader` is still there, unread
    assert_eq!(now() - end, SECOND);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_input_lets_go_out_what_was_asked_before() {
    let server = tool(Script::new().progress(1, 1).text("done"));
    let mut client = Client::connect(&server);
    client.call(1, "it").await;
    client.writer.shutdown().await.unwrap();
    assert_eq!(client.update(1).await, 1);
    assert_eq!(client.next().await["id"], 1);
    client.assert_closed().await;
}

#[tokio::test]
async fn blocking_streams_are_bridged_by_threads() {
    let (from_client, mut to_server) = io::pipe().unwrap();
    let (from_server, to_client) = io::pipe().unwrap();
    let server = ScriptedServer::demo();
    let reader = stdio::reader(from_client).unwrap();
    let writer = stdio::writer(to_client).unwrap();
    let client = std::thread::spawn(move || {
        let call = json!({"id": 1, "method": "tools/call", "params": {
            "name": "burst", "arguments": {"n": 10_000}, "_meta": {"progressToken": 1},
        }});
        writeln!(to_server, "{call}").unwrap();
        let mut lines = io::BufReader::new(from_server).lines();
        let received = lines
            .by_ref()
            .take(10_001)
            .map(Result::unwrap)
            .collect::<Vec<_>>();
        drop(to_server);
        (received, lines.next().is_none())
    });
    server.serve(reader, writer).await;
    let (received, ended) = client.join().unwrap();
    assert!(received[9_999].contains(r#""progress":10000"#));
    assert!(received[10_000].contains(r#""result""#) && ended);
}
