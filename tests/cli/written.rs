//! What servers write in odd ways: programs get it on one line, and terminals get nothing that they would obey.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::{Value, json};

use crate::program::{Run, run, start_with};
use crate::terminal;

/// The body of one request of HTTP, unless it is no POST.
fn message(stream: &TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        reader.read_line(&mut head).ok().filter(|read| *read > 0)?;
    }
    let head = head.to_ascii_lowercase();
    let length = head
        .split_once("content-length:")
        .filter(|_| head.starts_with("post"))?;
    let mut body = vec![0; length.1.lines().next()?.trim().parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// A server of 2025-06-18 on this machine whose JSON has a line for each member.
fn pretty_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.expect("a connection");
            let message = message(&stream);
            let result = match message
                .as_ref()
                .and_then(|message| message["method"].as_str())
            {
                Some("initialize") => json!({
                    "protocolVersion": "2025-06-18",
                    "capabilities": {"tools": {}, "resources": {}},
                    "serverInfo": {"name": "pretty", "version": "1"},
                }),
                Some("tools/list") => {
                    json!({"tools": [{"name": "a", "inputSchema": {"type": "object"}}]})
                }
                Some("resources/read") => {
                    json!({"contents": [{"uri": "a:1", "text": "  two\n  lines"}]})
                }
                _ => json!({"content": [{"type": "text", "text": "  two\n  lines"}]}),
            };
            let (status, body) = match message.as_ref().map(|message| message.get("id")) {
                None => ("405 Method Not Allowed", String::new()),
                Some(None) => ("202 Accepted", String::new()),
                Some(Some(id)) => {
                    let answer = json!({"jsonrpc": "2.0", "id": id, "result": result});
                    (
                        "200 OK",
                        serde_json::to_string_pretty(&answer).expect("sound"),
                    )
                }
            };
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            // A client that is gone meanwhile is none that is told.
            let _ = (&stream).write_all(head.as_bytes());
        }
    });
    url
}

#[test]
fn what_comes_on_many_lines_goes_out_on_one() {
    let url = pretty_server();
    let on = |args: &[&str]| -> Run {
        let server = ["--protocol", "2025-06-18", "--url", &url];
        start_with(
            &[args, &server].concat(),
            "{\"tool\": \"a\"}\n{\"tool\": \"a\"}\n",
        )
        .finish()
    };
    // Each line must be an object.
    let called = on(&["call", "a", "--output", "jsonl"]).last();
    assert_eq!(called["result"]["content"][0]["text"], "  two\n  lines");
    let read = on(&["read", "a:1", "--output", "jsonl"]).last();
    assert_eq!(read["result"]["contents"][0]["text"], "  two\n  lines");
    let tools = on(&["tools", "--output", "jsonl"]);
    assert_eq!(tools.names(), ["tool"]);
    let batch = on(&["run", "-"]);
    assert_eq!(batch.events().len(), 2, "{batch:?}");
    for args in [
        &["call", "a"][..],
        &["tools"],
        &["tools", "a"],
        &["read", "a:1"],
    ] {
        let run = on(&[args, &["--output", "json"]].concat());
        assert_eq!(
            (run.code, run.stdout.lines().count()),
            (Some(0), 1),
            "{run:?}"
        );
    }
    // An element on each line, between the brackets.
    let array = on(&["run", "-", "--output", "json"]);
    assert_eq!(array.stdout.lines().count(), 4, "{array:?}");
    let array: Vec<Value> = serde_json::from_str(&array.stdout).expect("one document");
    assert_eq!(array.len(), 2);
}

/// A server of 2025-11-25 that begins a control sequence with one character, which JSON lets pass, and turns the direction of
/// writing.
const STEERS: &str = r#"
odd=$(printf '\302\23331mred\342\200\256')
while IFS= read -r line; do
    id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
    token=$(printf '%s' "$line" | sed -n 's/.*"progressToken":"\([^"]*\)".*/\1/p')
    case $line in
    *'"method":"initialize"'*)
        result='{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"'$odd'","version":"1"}}' ;;
    *'"method":"tools/list"'*) result='{"tools":[{"name":"'$odd'","inputSchema":{"type":"'$odd'"}}]}' ;;
    *'"method":"tools/call"'*)
        printf '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"%s","progress":1,"message":"%s"}}\n' "$token" "$odd"
        result='{"content":[{"type":"text","text":"'$odd'"}]}' ;;
    *) continue ;;
    esac
    printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$result"
done
"#;

const SERVER: [&str; 5] = ["--protocol", "2025-11-25", "--", "sh", "-c"];

#[test]
fn json_cannot_steer_a_terminal_either() {
    let on = |args: &[&str]| {
        let args = [args, &SERVER, &[STEERS]].concat();
        let (code, _, written) = terminal::start_whole(&args).finish();
        assert_eq!(code, Some(0), "{args:?}: {written}");
        let steers = |c: char| c == '\u{9b}' || c == '\u{202e}';
        assert!(!written.contains(steers), "{args:?}: {written:?}");
        written
    };
    for output in ["json", "jsonl"] {
        for args in [
            &["call", "any", "--progress", "json"][..],
            &["tools"],
            &["info"],
        ] {
            let written = on(&[args, &["--output", output]].concat());
            assert!(written.contains(r"\u009b31mred\u202e"), "{written:?}");
        }
    }
    on(&["call", "any"]);
    on(&["tools"]);
    // What a server calls itself and its tools is one line, and harmless, also where no terminal is seen.
    for args in [&["info"][..], &["tools"]] {
        let run = run(&[args, &SERVER, &[STEERS]].concat());
        assert!(
            run.stdout.contains("31mred") && !run.stdout.contains(['\u{9b}', '\u{202e}']),
            "{run:?}"
        );
    }
    // It is the same text, and a program gets it as it was written.
    let args = [&["call", "any", "--output", "json"], &SERVER[..], &[STEERS]].concat();
    assert!(run(&args).stdout.contains("\"\u{9b}31mred\u{202e}\""));
}

/// A server of 2025-11-25 whose tool asks for sixty fields.
const CURIOUS: &str = r#"
fields=
n=10
while [ $n -lt 70 ]; do fields="$fields\"field$n\":{\"type\":\"string\"},"; n=$((n + 1)); done
while IFS= read -r line; do
    id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
    case $line in
    *'"method":"initialize"'*)
        result='{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"curious","version":"1"}}' ;;
    *'"method":"tools/call"'*)
        printf '{"jsonrpc":"2.0","id":"ask","method":"elicitation/create","params":{"message":"All","requestedSchema":{"type":"object","properties":{%s}}}}\n' "${fields%,}"
        IFS= read -r answer
        result='{"content":[]}' ;;
    *) continue ;;
    esac
    printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$result"
done
"#;

#[test]
fn a_form_of_many_fields_is_told_in_short() {
    let run = run(&[&["call", "any"], &SERVER[..], &[CURIOUS]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.stderr.contains("\n  field59: text\n  and 10 more\n"),
        "{run:?}"
    );
}
