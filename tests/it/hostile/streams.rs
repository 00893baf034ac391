//! What a server does with the pipe itself: half lines, endless lines, an early end, floods, and not reading.

use std::time::Duration;

use mcp_progress::transport::memory;
use mcp_progress::{Client, Connect, DiagnosticKind, ErrorKind, Progress, ProtocolVersion};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};

/// A server of which the test writes every byte.
struct RawServer {
    lines: BufReader<ReadHalf<DuplexStream>>,
    writer: WriteHalf<DuplexStream>,
}

impl RawServer {
    /// A client in the handshake era and its server, over a pipe that holds `buffer` bytes each way.
    async fn connect(buffer: usize) -> (Client, Self) {
        Self::connect_with(buffer, |connect| connect).await
    }

    async fn connect_with(
        buffer: usize,
        options: impl FnOnce(Connect) -> Connect,
    ) -> (Client, Self) {
        let (io, server) = memory(buffer);
        let (reader, writer) = tokio::io::split(server);
        let mut server = Self {
            lines: BufReader::new(reader),
            writer,
        };
        let connect = options(Client::connect(io).protocol(ProtocolVersion::V2025_11_25));
        let (client, ()) = tokio::join!(connect.into_future(), server.shake_hands());
        (client.expect("the handshake was answered"), server)
    }

    async fn shake_hands(&mut self) {
        let request = self.read().await;
        let result = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "serverInfo": {"name": "raw", "version": "0"},
        });
        self.write(format!(
            "{}\n",
            json!({"id": request["id"], "result": result})
        ))
        .await;
        assert_eq!(self.read().await["method"], "notifications/initialized");
    }

    /// The next message of the client; null at its end.
    async fn read(&mut self) -> Value {
        let mut line = String::new();
        self.lines
            .read_line(&mut line)
            .await
            .expect("a duplex reads");
        serde_json::from_str(&line).unwrap_or_default()
    }

    /// The next request, and templates for its messages.
    async fn request(&mut self) -> Asked {
        let request = self.read().await;
        Asked {
            id: request["id"].clone(),
            token: request["params"]["_meta"]["progressToken"].clone(),
        }
    }

    async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.writer
            .write_all(bytes.as_ref())
            .await
            .expect("the client reads");
    }
}

struct Asked {
    id: Value,
    token: Value,
}

impl Asked {
    fn update(&self, progress: usize) -> String {
        let params = json!({"progressToken": self.token, "progress": progress});
        format!(
            "{}\n",
            json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})
        )
    }

    fn result(&self, result: Value) -> String {
        format!(
            "{}\n",
            json!({"jsonrpc": "2.0", "id": self.id, "result": result})
        )
    }
}

/// Lets everything that can run do so.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

fn steps(updates: &[Progress]) -> Vec<(f64, u64)> {
    updates
        .iter()
        .map(|update| (update.progress, update.merged))
        .collect()
}

/// The updates 1 to `n`, none merged.
fn complete(n: usize) -> Vec<(f64, u64)> {
    (1..=n).map(|n| (n as f64, 0)).collect()
}

#[tokio::test(start_paused = true)]
async fn lines_that_arrive_in_two_halves() {
    let (client, mut server) = RawServer::connect(1 << 20).await;
    let mut beside = Vec::new();
    let healthy = client
        .request::<Value>("vendor/healthy", json!({}))
        .on_progress(|update| beside.push(update));
    let playing = async {
        let healthy = server.request().await;
        let mut positions = 1..;
        loop {
            let position: usize = positions.next().expect("without end");
            let call = client.request::<Value>("vendor/split", json!({})).start();
            let asked = server.request().await;
            let bytes = format!(
                "{}{}{}",
                asked.update(1),
                healthy.update(position),
                asked.result(json!(position))
            );
            if position == bytes.len() {
                server
                    .write(asked.result(json!(null)) + &healthy.update(position))
                    .await;
                call.await.expect("answered");
                break position;
            }
            server.write(&bytes[..position]).await;
            settle().await;
            server.write(&bytes[position..]).await;
            let mut call = call;
            assert_eq!(
                call.next().await.map(|update| update.progress),
                Some(1.0),
                "at {position}"
            );
            assert_eq!(call.await.expect("answered"), json!(position));
        }
    };
    let (result, n) = {
        // The healthy call's own answer comes last.
        let healthy = healthy.send();
        tokio::pin!(healthy);
        let n = tokio::select! {
            ended = &mut healthy => panic!("{ended:?}"),
            n = playing => n,
        };
        server.write("{\"jsonrpc\":\"2.0\",\"id\":2,\"res").await;
        settle().await;
        for byte in b"ult\":\"whole\"}\n" {
            server.write([*byte]).await;
            settle().await;
        }
        (healthy.await, n)
    };
    assert_eq!(result.expect("answered"), json!("whole"));
    assert_eq!(steps(&beside), complete(n));
    assert_eq!(client.stats().diagnostics(), 0);
    client.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_end_in_the_middle_of_a_line() {
    // What stands behind the last newline, how the call under attack ends, and what is counted.
    type End = Result<Value, ErrorKind>;
    let table: [(&str, End, u64); 6] = [
        ("", Err(ErrorKind::ConnectionLost), 0),
        (
            r#"{"jsonrpc":"2.0","id":3,"result":{"a":1}}"#,
            Ok(json!({"a": 1})),
            0,
        ),
        (
            r#"{"jsonrpc":"2.0","id":3,"result":{"a""#,
            Err(ErrorKind::ConnectionLost),
            1,
        ),
        (
            r#"{"jsonrpc":"2.0","id":3"#,
            Err(ErrorKind::ConnectionLost),
            1,
        ),
        (
            r#"{"jsonrpc":"2.0","meth"#,
            Err(ErrorKind::ConnectionLost),
            1,
        ),
        ("\u{fffd}", Err(ErrorKind::ConnectionLost), 1),
    ];
    for (rest, expected, malformed) in table {
        let (client, mut server) = RawServer::connect(1 << 20).await;
        let mut healthy = client.request::<Value>("vendor/healthy", json!({})).start();
        let attacked = client
            .request::<Value>("vendor/attacked", json!({}))
            .start();
        let waiting = client.request::<Value>("vendor/waiting", json!({})).start();
        let asked = server.request().await;
        server
            .write(asked.update(1) + &asked.update(2) + &asked.result(json!("whole")))
            .await;
        server.write(rest).await;
        drop(server);
        let mut seen = Vec::new();
        while let Some(update) = healthy.next().await {
            seen.push(update);
        }
        assert_eq!(steps(&seen), complete(2), "{rest}");
        assert_eq!(
            healthy.await.expect("answered before the end"),
            json!("whole")
        );
        assert_eq!(
            attacked.await.map_err(|error| error.kind()),
            expected,
            "{rest}"
        );
        let lost = waiting.await.expect_err("never answered");
        assert_eq!(lost.kind(), ErrorKind::ConnectionLost, "{rest}");
        let stats = client.stats();
        assert_eq!(
            stats.count(DiagnosticKind::MalformedMessage),
            malformed,
            "{rest}"
        );
        assert_eq!(
            (stats.diagnostics(), stats.live_calls, stats.registrations),
            (malformed, 0, 0)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_that_differ_in_type_only() {
    let (client, mut server) = RawServer::connect(1 << 20).await;
    let mut number = client
        .request::<Value>("vendor/a", json!({}))
        .progress_token(7)
        .start();
    let mut text = client
        .request::<Value>("vendor/b", json!({}))
        .progress_token("7")
        .start();
    let (first, second) = (server.request().await, server.request().await);
    server
        .write(first.update(1) + &second.update(2) + &first.update(3))
        .await;
    server
        .write(first.result(json!(1)) + &second.result(json!(2)))
        .await;
    let (mut of_number, mut of_text) = (Vec::new(), Vec::new());
    while let Some(update) = number.next().await {
        of_number.push(update.progress);
    }
    while let Some(update) = text.next().await {
        of_text.push(update.progress);
    }
    assert_eq!((of_number, of_text), (vec![1.0, 3.0], vec![2.0]));
    assert_eq!(
        (number.await.unwrap(), text.await.unwrap()),
        (json!(1), json!(2))
    );
    assert_eq!(client.stats().diagnostics(), 0);
}

#[tokio::test(start_paused = true)]
async fn messages_for_calls_that_were_given_up() {
    let (client, mut server) = RawServer::connect(1 << 20).await;
    let healthy = client.request::<Value>("vendor/healthy", json!({})).start();
    let dropped = client.request::<Value>("vendor/dropped", json!({})).start();
    let (asked, gone) = (server.request().await, server.request().await);
    drop(dropped);
    server
        .write(gone.update(1) + &gone.result(json!({})) + &gone.result(json!({})))
        .await;
    server.write(asked.result(json!("whole"))).await;
    assert_eq!(healthy.await.expect("answered"), json!("whole"));
    let stats = client.stats();
    assert_eq!(stats.count(DiagnosticKind::LateUpdate), 1);
    assert_eq!(stats.count(DiagnosticKind::LateResponse), 2);
    assert_eq!(
        (stats.diagnostics(), stats.live_calls, stats.registrations),
        (3, 0, 0)
    );
    let cancel = server.read().await;
    assert_eq!(
        (&cancel["method"], &cancel["params"]["requestId"]),
        (&json!("notifications/cancelled"), &gone.id)
    );
}

#[tokio::test(start_paused = true)]
async fn notifications_that_nobody_knows_reach_the_user() {
    let (client, mut server) = RawServer::connect(1 << 20).await;
    let mut notifications = client.notifications();
    let healthy = client.request::<Value>("vendor/healthy", json!({})).start();
    let asked = server.request().await;
    server
        .write("{\"method\":\"vendor/a\",\"params\":[1e400]}\n{\"method\":\"\"}\n")
        .await;
    server.write(asked.result(json!("whole"))).await;
    assert_eq!(healthy.await.expect("answered"), json!("whole"));
    let first = notifications.next().await.expect("the first");
    assert_eq!(
        (first.method.as_str(), first.params.unwrap().get()),
        ("vendor/a", "[1e400]")
    );
    let second = notifications.next().await.expect("the second");
    assert_eq!(
        (second.method.as_str(), second.params.is_none()),
        ("", true)
    );
    assert_eq!(client.stats().diagnostics(), 0);
}

#[tokio::test(start_paused = true)]
async fn pings_whose_answers_nobody_reads_end_the_connection() {
    let (client, mut server) = RawServer::connect(4096).await;
    let mut healthy = client.request::<Value>("vendor/healthy", json!({})).start();
    let asked = server.request().await;
    server.write(asked.update(1) + &asked.update(2)).await;
    let other = client.request::<Value>("vendor/other", json!({})).start();
    let mut longest = 0;
    let flood = async {
        for id in 0..1_000_000 {
            let ping = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}\n");
            if server.writer.write_all(ping.as_bytes()).await.is_err() {
                return id;
            }
            longest = longest.max(client.stats().queued_frames);
        }
        panic!("the flood was taken in for ever")
    };
    let written = flood.await;
    assert!(
        (1000..5000).contains(&written),
        "{written} pings were taken in"
    );
    assert!(longest <= 1100, "{longest} answers were queued");

    let mut seen = Vec::new();
    while let Some(update) = healthy.next().await {
        seen.push(update);
    }
    assert_eq!(steps(&seen), complete(2));
    for call in [healthy, other] {
        let error = call.await.expect_err("the connection is over");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost);
        assert!(
            error.to_string().contains("reads none of the answers"),
            "{error}"
        );
    }
    let stats = client.stats();
    assert_eq!((stats.live_calls, stats.registrations), (0, 0));
}

#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "the paused clock")]
async fn a_server_that_stops_reading_hangs_nothing() {
    let (client, mut server) = RawServer::connect(4096).await;
    let mut healthy = client.request::<Value>("vendor/healthy", json!({})).start();
    let asked = server.request().await;
    let filler = "x".repeat(8192);
    let clogged = client
        .request::<Value>("vendor/clogged", json!({"a": filler}))
        .start();
    settle().await;
    let limit = Duration::from_secs(3);
    let timed = client
        .request::<Value>("vendor/timed", json!({"a": filler}))
        .total_timeout(limit);
    let dropped = client
        .request::<Value>("vendor/dropped", json!({"a": filler}))
        .start();
    let cancelled = client
        .request::<Value>("vendor/cancelled", json!({"a": filler}))
        .start();
    let begin = tokio::time::Instant::now();
    assert_eq!(
        timed.await.expect_err("never answered").kind(),
        ErrorKind::Timeout
    );
    assert_eq!(begin.elapsed().as_secs(), limit.as_secs());
    drop(dropped);
    assert!(cancelled.canceller().cancel("enough"));
    assert_eq!(
        cancelled.await.expect_err("cancelled").kind(),
        ErrorKind::Cancelled
    );
    // What was not written is withdrawn without a word.
    assert_eq!(
        (client.stats().live_calls, client.stats().queued_frames),
        (2, 0)
    );

    // What the server still writes is read all the same.
    server
        .write(asked.update(1) + &asked.update(2) + &asked.result(json!("whole")))
        .await;
    let mut seen = Vec::new();
    while let Some(update) = healthy.next().await {
        seen.push(update);
    }
    assert_eq!(steps(&seen), complete(2));
    assert_eq!(healthy.await.expect("answered"), json!("whole"));

    let begin = tokio::time::Instant::now();
    client.close().await;
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(4), "closing took {took:?}");
    assert_eq!(
        clogged.await.expect_err("closed").kind(),
        ErrorKind::Cancelled
    );
    assert_eq!(
        (client.stats().live_calls, client.stats().registrations),
        (0, 0)
    );
}

/// Of a line beyond the limit only the first 64 KiB are kept: an id that is cut there is not taken for another.
#[tokio::test(start_paused = true)]
async fn an_id_at_the_cut_of_a_long_line() {
    const KEPT: usize = 64 * 1024;
    let limit = |connect: Connect| connect.max_message_bytes(KEPT);
    let (client, mut server) = RawServer::connect_with(1 << 20, limit).await;
    let mut calls = Vec::new();
    let mut asked = Vec::new();
    for _ in 2..=20 {
        calls.push(client.request::<Value>("vendor/one", json!({})).start());
        asked.push(server.request().await);
    }
    // The cut lies between the digits of 20, and 2 is in flight too.
    let before = r#"{"result":""#.len() + r#"","id":2"#.len();
    let filler = "x".repeat(KEPT - before);
    server
        .write(format!(
            "{{\"result\":\"{filler}\",\"id\":20,\"more\":1}}\n"
        ))
        .await;
    settle().await;
    assert_eq!(client.stats().count(DiagnosticKind::OversizedMessage), 1);
    assert_eq!(client.stats().live_calls, 19);
    for (call, asked) in calls.into_iter().zip(asked) {
        server.write(asked.result(json!("whole"))).await;
        assert_eq!(call.await.expect("answered"), json!("whole"));
    }
    assert_eq!(client.stats().diagnostics(), 1);
}

/// Where the id of the endless line stands.
#[cfg(target_os = "linux")]
enum Place {
    Front,
    End,
    Nowhere,
}

/// Memory is measured in a process of its own: other tests run beside this one.
#[cfg(target_os = "linux")]
#[test]
fn a_line_of_100_mb_is_passed_over_in_bounded_memory() {
    const ALONE: &str = "MCP_PROGRESS_TEST_ALONE";
    let name = "hostile::streams::a_line_of_100_mb_is_passed_over_in_bounded_memory";
    if std::env::var_os(ALONE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        return runtime.expect("a runtime").block_on(endless_lines());
    }
    let program = std::env::current_exe().expect("this test has a path");
    let run = std::process::Command::new(program)
        .args(["--exact", name])
        .env(ALONE, "1")
        .output()
        .expect("this test can be started again");
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(
        run.status.success(),
        "{told}{}",
        String::from_utf8_lossy(&run.stderr)
    );
    assert!(told.contains("1 passed"), "{told}");
}

#[cfg(target_os = "linux")]
async fn endless_lines() {
    for place in [Place::Front, Place::End, Place::Nowhere] {
        let (client, mut server) = RawServer::connect(256 * 1024).await;
        let healthy = client.request::<Value>("vendor/healthy", json!({})).start();
        let attacked = client
            .request::<Value>("vendor/attacked", json!({}))
            .start();
        let (asked, target) = (server.request().await, server.request().await);
        let (front, end) = match place {
            Place::Front => (
                format!(r#"{{"jsonrpc":"2.0","id":{},"result":""#, target.id),
                "\"}".to_owned(),
            ),
            Place::End => (
                r#"{"jsonrpc":"2.0","result":""#.to_owned(),
                format!(r#"","id":{}}}"#, target.id),
            ),
            Place::Nowhere => (
                r#"{"method":"notifications/message","params":""#.to_owned(),
                "\"}".to_owned(),
            ),
        };
        let before = resident();
        let mut most = before;
        server.write(asked.update(1)).await;
        server.write(front).await;
        let chunk = vec![b'x'; 1_000_000];
        for _ in 0..100 {
            server.write(&chunk).await;
            most = most.max(resident());
        }
        server.write(end + "\n").await;
        server
            .write(asked.update(2) + &asked.result(json!("whole")))
            .await;
        assert!(most - before < 64 * 1024, "{} KiB more", most - before);

        let mut healthy = healthy;
        let mut seen = Vec::new();
        while let Some(update) = healthy.next().await {
            seen.push(update);
        }
        assert_eq!(steps(&seen), complete(2));
        assert_eq!(healthy.await.expect("answered"), json!("whole"));
        let stats = client.stats();
        assert_eq!(stats.count(DiagnosticKind::OversizedMessage), 1);
        assert_eq!(stats.diagnostics(), 1);
        if matches!(place, Place::Front) {
            let error = attacked.await.expect_err("too long");
            assert_eq!(error.kind(), ErrorKind::Protocol);
            assert!(
                error.to_string().contains("limit of 16777216 bytes"),
                "{error}"
            );
        } else {
            // Only counted: the call goes on.
            server.write(target.result(json!("survived"))).await;
            assert_eq!(attacked.await.expect("answered"), json!("survived"));
        }
        client.close().await;
    }
}

/// The memory of this process in KiB.
#[cfg(target_os = "linux")]
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .expect("a number of KiB")
        .parse()
        .expect("a number of KiB")
}
