//! Rows: bytes that are no text, lines that are no message, batches, nesting.

use mcp_progress::DiagnosticKind::{
    ForeignResponse, ForeignUpdate, InvalidUtf8, LateUpdate, MalformedMessage, MalformedUpdate,
};
use mcp_progress::{DiagnosticKind, ErrorKind};
use serde_json::json;

use super::{Row, row};

/// How deep the nested rows go: far beyond what a parser that recurses survives.
const DEPTH: usize = 100_000;

/// Joins text and bytes: `bytes` stands where the text says `@`.
fn with(text: &str, bytes: &[u8]) -> Vec<u8> {
    let (before, after) = text.split_once('@').expect("a place for the bytes");
    [before.as_bytes(), bytes, after.as_bytes()].concat()
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

pub(super) fn encodings() -> Vec<Row> {
    let update = r#"{"method":"notifications/progress","params":{"progressToken":$token,"progress":1,"message":"@"}}"#;
    let result = r#"{"id":$id,"result":{"a":"@"}}"#;
    vec![
        row("bad UTF-8 in an update", with(update, b"\xff\xfe")).counts(InvalidUtf8, 1).sees(&["1"]),
        row("half a character in an update", with(update, b"\xe2\x82")).counts(InvalidUtf8, 1).sees(&["1"]),
        row("a surrogate as bytes in an update", with(update, b"\xed\xa0\x80")).counts(InvalidUtf8, 1).sees(&["1"]),
        row("bad UTF-8 in a result", with(result, b"\xc0\xaf"))
            .counts(InvalidUtf8, 1)
            .ends(json!({"a": "\u{fffd}\u{fffd}"})),
        row("bad UTF-8 in an error", with(r#"{"id":$id,"error":{"code":-3,"message":"@"}}"#, b"\x80"))
            .counts(InvalidUtf8, 1)
            .rpc(-3),
        row("bad UTF-8 in a method", with(r#"{"method":"notifications/@"}"#, b"\xf8")).counts(InvalidUtf8, 1),
        row("bad UTF-8 in a foreign token", with(r#"{"method":"notifications/progress","params":{"progressToken":"@","progress":1}}"#, b"\xff"))
            .counts(InvalidUtf8, 1)
            .counts(ForeignUpdate, 1),
        row("bad UTF-8 in garbage", b"\xff\xfe\xfd{\x80").counts(MalformedMessage, 1),
        row("bad UTF-8 between members", with(r#"{"method":"a",@"id":1}"#, b"\xff")).counts(MalformedMessage, 1),
        row("UTF-16", wide(r#"{"id":$id,"result":1}"#)).counts(MalformedMessage, 1),
        row("a byte order mark before a result", with("@{\"id\":$id,\"result\":1}", b"\xef\xbb\xbf")).ends(json!(1)),
        row("NUL bytes alone", b"\0\0\0\0").counts(MalformedMessage, 1),
        row("a NUL byte in an update", with(update, b"\0")).counts(MalformedMessage, 1),
        row("a NUL byte in a result", with(result, b"\0"))
            .counts(MalformedMessage, 1)
            .fails(ErrorKind::Protocol, "not valid JSON"),
        row("a NUL byte behind a result", with(r#"{"id":$id,"result":1}@"#, b"\0"))
            .counts(MalformedMessage, 1)
            .fails(ErrorKind::Protocol, "not valid JSON"),
        row("a bell and colours", b"\x1b[31m\x07red\x1b[0m").counts(MalformedMessage, 1),
    ]
}

pub(super) fn lines() -> Vec<Row> {
    let noise = [
        "Secure MCP Filesystem Server running on stdio",
        "npm warn deprecated inflight@1.0.6",
        "[info] started",
        "{ config: 'loaded' }",
        "Traceback (most recent call last):",
        "Content-Length: 52",
        "data: {\"jsonrpc\":\"2.0\"}",
        "]",
        "}",
        "\"",
    ];
    let mut rows: Vec<Row> = noise
        .into_iter()
        .map(|line| row(format!("noise: {line}"), line).counts(MalformedMessage, 1))
        .collect();
    rows.extend([
        row("empty lines", "\n\n\n"),
        row("blank lines", " \n\t\r\n  \r"),
        row(
            "line ends of Windows",
            "\r\n{\"id\":$id,\"result\":{\"a\":1}}\r",
        )
        .ends(json!({"a": 1})),
        row("space around", " \t{\"id\":$id,\"result\":{\"a\":1}} \t ").ends(json!({"a": 1})),
        row(
            "a message over two lines",
            "{\"id\":$id,\n\"result\":{\"a\":1}}",
        )
        .counts(MalformedMessage, 2),
        row(
            "a request echoed",
            r#"{"jsonrpc":"2.0","id":$id,"method":"vendor/attacked","params":{}}"#,
        )
        .counts(DiagnosticKind::UnservedRequest, 1)
        .answers(json!([3])),
        row("two thousand lines of noise", "x\n".repeat(2000)).counts(MalformedMessage, 2000),
    ]);
    rows
}

pub(super) fn batches() -> Vec<Row> {
    let update = |n: u32| {
        format!(
            r#"{{"method":"notifications/progress","params":{{"progressToken":$token,"progress":{n}}}}}"#
        )
    };
    let result = r#"{"id":$id,"result":{"a":1}}"#;
    vec![
        row("empty", "[]").counts(MalformedMessage, 1),
        row("empty with space", " [ ] ").counts(MalformedMessage, 1),
        row(
            "updates and response in order",
            format!("[{},{},{result}]", update(1), update(2)),
        )
        .sees(&["1", "2"])
        .ends(json!({"a": 1})),
        row(
            "an update behind the response",
            format!("[{},{result},{}]", update(1), update(2)),
        )
        .sees(&["1"])
        .counts(LateUpdate, 1)
        .ends(json!({"a": 1})),
        row(
            "garbage inside",
            format!(
                r#"[1,{},"x",null,{{}},{},{{"id":999999,"result":1}}]"#,
                update(1),
                update(2)
            ),
        )
        .sees(&["1", "2"])
        .counts(MalformedMessage, 4)
        .counts(ForeignResponse, 1),
        row(
            "a malformed update inside",
            format!(
                r#"[{},{{"method":"notifications/progress","params":[]}}]"#,
                update(1)
            ),
        )
        .sees(&["1"])
        .counts(MalformedUpdate, 1),
        row(
            "a batch inside",
            format!("[{},[{}],[]]", update(1), update(2)),
        )
        .sees(&["1"])
        .counts(MalformedMessage, 2),
        row("no JSON inside", format!("[{},{{a}}]", update(1))).counts(MalformedMessage, 1),
        row("no end", format!("[{}", update(1))).counts(MalformedMessage, 1),
        row(
            "bad UTF-8 inside",
            with(&format!("[{},\"@\"]", update(1)), b"\xff"),
        )
        .counts(MalformedMessage, 1),
        row(
            "a thousand updates",
            format!("[{}]", (1..=1000).map(update).collect::<Vec<_>>().join(",")),
        )
        .sees(
            &(1..=1000)
                .map(|n: u32| n.to_string())
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
        ),
    ]
}

pub(super) fn nesting() -> Vec<Row> {
    let deep = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let objects = format!("{}1{}", r#"{"a":"#.repeat(DEPTH), "}".repeat(DEPTH));
    let unclosed = "[".repeat(DEPTH);
    vec![
        row("in a result", format!(r#"{{"id":$id,"result":{deep}}}"#)).fails(ErrorKind::Decode, "recursion"),
        row("objects in a result", format!(r#"{{"id":$id,"result":{objects}}}"#)).fails(ErrorKind::Decode, "recursion"),
        row("in an error", format!(r#"{{"id":$id,"error":{deep}}}"#)).rpc(0),
        row("in the data of an error", format!(r#"{{"id":$id,"error":{{"code":-4,"message":"x","data":{deep}}}}}"#)).rpc(0),
        row("in params", format!(r#"{{"method":"vendor/x","params":{deep}}}"#)),
        row("in the params of an update", format!(r#"{{"method":"notifications/progress","params":{deep}}}"#))
            .counts(MalformedUpdate, 1),
        row("in a token", format!(r#"{{"method":"notifications/progress","params":{{"progressToken":{deep},"progress":1}}}}"#))
            .counts(MalformedUpdate, 1),
        row("in the _meta of an update", format!(r#"{{"method":"notifications/progress","params":{{"progressToken":$token,"progress":1,"_meta":{objects}}}}}"#))
            .sees(&["1 truncated"]),
        row("in a member that nobody knows", format!(r#"{{"x":{deep},"id":$id,"result":{{"a":1}}}}"#)).ends(json!({"a": 1})),
        row("in an id", format!(r#"{{"id":{deep},"result":{{}}}}"#)).counts(MalformedMessage, 1),
        row("alone", deep.clone()).counts(MalformedMessage, 1),
        row("never closed, in a result", format!(r#"{{"id":$id,"result":{unclosed}"#))
            .counts(MalformedMessage, 1)
            .fails(ErrorKind::Protocol, "not valid JSON"),
        row("never closed, alone", unclosed).counts(MalformedMessage, 1),
    ]
}
