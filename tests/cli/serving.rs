//! The demo server as a program, over HTTP.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::program::{Running, run, start};

/// Starts the server; returns it with the URLs that it names.
pub(crate) fn serve() -> (Running, [String; 2]) {
    let mut running = start(&["serve-demo", "--http", "127.0.0.1:0"]);
    let named = ["Streamable HTTP: ", "HTTP+SSE: "].map(|name| {
        let line = running.line();
        let url = line.strip_prefix(name);
        let url = url.unwrap_or_else(|| panic!("{name:?} is not where {line:?} begins"));
        url.trim().to_owned()
    });
    (running, named)
}

/// Sends one request and returns what was read when the server closed the connection or `until` came.
fn exchange(url: &str, head: &str, body: &str, until: &str) -> String {
    let rest = url.strip_prefix("http://").expect("plain HTTP");
    let (address, path) = rest.split_once('/').expect("a path");
    let mut stream = TcpStream::connect(address).expect("it listens");
    let limit = Some(Duration::from_secs(60));
    stream.set_read_timeout(limit).expect("not zero");
    let (method, headers) = head.split_once('\n').expect("a method and headers");
    let length = body.len();
    let request = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{}\r\n\r\n{body}",
        headers.replace('\n', "\r\n"),
    );
    stream.write_all(request.as_bytes()).expect("written");
    let mut seen = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let n = stream.read(&mut chunk).expect("readable");
        seen.extend_from_slice(&chunk[..n]);
        let text = String::from_utf8_lossy(&seen);
        if n == 0 || text.contains(until) {
            return text.into_owned();
        }
    }
}

#[test]
fn the_demo_is_served_at_the_urls_it_names() {
    let (running, [url, sse]) = serve();
    assert!(
        url.starts_with("http://127.0.0.1:") && url.ends_with("/mcp"),
        "{url}"
    );
    assert!(sse.ends_with("/sse"), "{sse}");
    let head = "POST\nAccept: application/json, text/event-stream\nContent-Type: application/json\n\
        MCP-Protocol-Version: 2026-07-28\nMcp-Method: tools/call\nMcp-Name: test_tool_with_progress";
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"test_tool_with_progress","_meta":{
        "progressToken":"t","io.modelcontextprotocol/protocolVersion":"2026-07-28",
        "io.modelcontextprotocol/clientCapabilities":{}}}}"#;
    let answer = exchange(&url, head, body, "\r\n0\r\n");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let places: Vec<_> = [
        r#""progress":0,"#,
        r#""progress":50,"#,
        r#""progress":100,"#,
        r#""result""#,
    ]
    .iter()
    .map(|part| answer.find(part))
    .collect();
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{answer}"
    );
    let answer = exchange(&sse, "GET\nAccept: text/event-stream", "", "\n\n");
    assert!(
        answer.contains("event: endpoint\ndata: /messages?session_id="),
        "{answer}"
    );
    end(running);
}

/// Ends the server as Ctrl-C does, where there is a signal for that.
pub(crate) fn end(running: Running) {
    #[cfg(unix)]
    {
        running.interrupt();
        let run = running.finish();
        assert_eq!(run.code, Some(130), "{run:?}");
    }
    #[cfg(not(unix))]
    running.kill();
}

#[test]
fn addresses_that_others_reach_are_refused() {
    for address in ["0.0.0.0:0", "192.0.2.1:80"] {
        let run = run(&["serve-demo", "--http", address]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(4), ""), "{run:?}");
        let told =
            format!("error: cannot listen on {address}: {address} is not a loopback address");
        assert!(run.stderr.contains(&told), "{run:?}");
    }
    let run = run(&["serve-demo", "--http", "nonsense"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(
        run.stderr.contains("error: cannot listen on nonsense"),
        "{run:?}"
    );
}
