//! Rows: messages, ids, responses and requests of the server that are not as they should be.

use mcp_progress::DiagnosticKind::{
    ForeignResponse, LateResponse, LateUpdate, MalformedMessage, Retyped, UnservedRequest,
};
use mcp_progress::ErrorKind;
use serde_json::json;

use super::{Row, row};

/// JSON that is no message, and messages with members that nobody knows.
pub(super) fn shapes() -> Vec<Row> {
    let mut rows: Vec<Row> = [
        "{}",
        "123",
        "-1.5e3",
        "\"text\"",
        "null",
        "true",
        r#"{"jsonrpc":"2.0"}"#,
    ]
    .into_iter()
    .map(|line| row(format!("no message: {line}"), line).counts(MalformedMessage, 1))
    .collect();
    rows.extend([
        row(
            "a member that nobody knows",
            r#"{"jsonrpc":"2.0","x":[{}],"method":"notifications/x","y":"\ud800"}"#,
        ),
        row(
            "a notification that nobody knows",
            r#"{"jsonrpc":"2.0","method":"vendor/hello","params":{"a":1}}"#,
        ),
        row(
            "params that are an array",
            r#"{"jsonrpc":"2.0","method":"vendor/hello","params":[1,2]}"#,
        ),
        row(
            "params that are a number",
            r#"{"jsonrpc":"2.0","method":"vendor/hello","params":7}"#,
        ),
        row("an empty method", r#"{"jsonrpc":"2.0","method":""}"#),
        row(
            "a method that is a number",
            r#"{"jsonrpc":"2.0","method":5}"#,
        )
        .counts(MalformedMessage, 1),
        row(
            "no version",
            r#"{"method":"notifications/message","params":{"level":"info","data":1}}"#,
        ),
        row(
            "another version",
            r#"{"jsonrpc":"1.0","method":"notifications/x"}"#,
        ),
        row(
            "a version that is an object",
            r#"{"jsonrpc":{},"method":"notifications/x"}"#,
        ),
        row(
            "NaN",
            r#"{"jsonrpc":"2.0","method":"notifications/x","params":{"a":NaN}}"#,
        )
        .counts(MalformedMessage, 1),
        row(
            "a number beyond all bounds",
            r#"{"jsonrpc":"2.0","method":"notifications/x","params":{"a":1e400}}"#,
        ),
        row(
            "a member name with half a surrogate",
            r#"{"\ud800":1,"method":"notifications/x"}"#,
        )
        .counts(MalformedMessage, 1),
        row("two messages in a line", r#"{"method":"a"}{"method":"b"}"#)
            .counts(MalformedMessage, 1),
        row("a trailing comma", r#"{"method":"a",}"#).counts(MalformedMessage, 1),
        row("single quotes", "{'method':'a'}").counts(MalformedMessage, 1),
    ]);
    rows
}

/// `null` in each member of a response, an error, a notification and a request in turn.
pub(super) fn nulls() -> Vec<Row> {
    vec![
        row(
            "response: version",
            r#"{"jsonrpc":null,"id":$id,"result":{"a":1}}"#,
        )
        .ends(json!({"a": 1})),
        row(
            "response: id",
            r#"{"jsonrpc":"2.0","id":null,"result":{"a":1}}"#,
        )
        .counts(MalformedMessage, 1),
        row(
            "response: result",
            r#"{"jsonrpc":"2.0","id":$id,"result":null}"#,
        )
        .ends(json!(null)),
        row(
            "response: result and error",
            r#"{"jsonrpc":"2.0","id":$id,"result":null,"error":null}"#,
        )
        .ends(json!(null)),
        row(
            "response: every other member",
            r#"{"id":$id,"method":null,"params":null,"result":{"a":1},"error":null}"#,
        )
        .ends(json!({"a": 1})),
        row(
            "error: version",
            r#"{"jsonrpc":null,"id":$id,"error":{"code":-5,"message":"x"}}"#,
        )
        .rpc(-5),
        row(
            "error: id",
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-5,"message":"x"}}"#,
        )
        .counts(ForeignResponse, 1),
        row("error: error", r#"{"jsonrpc":"2.0","id":$id,"error":null}"#)
            .counts(MalformedMessage, 1)
            .fails(ErrorKind::Protocol, "neither a result nor an error"),
        row(
            "error: code",
            r#"{"jsonrpc":"2.0","id":$id,"error":{"code":null,"message":"x"}}"#,
        )
        .rpc(0),
        row(
            "error: message",
            r#"{"jsonrpc":"2.0","id":$id,"error":{"code":-5,"message":null}}"#,
        )
        .rpc(0),
        row(
            "error: data",
            r#"{"jsonrpc":"2.0","id":$id,"error":{"code":-5,"message":"x","data":null}}"#,
        )
        .rpc(-5),
        row(
            "error: result",
            r#"{"jsonrpc":"2.0","id":$id,"result":null,"error":{"code":-5,"message":"x"}}"#,
        )
        .rpc(-5),
        row(
            "notification: method",
            r#"{"jsonrpc":"2.0","method":null,"params":{}}"#,
        )
        .counts(MalformedMessage, 1),
        row(
            "notification: params",
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":null}"#,
        ),
        row(
            "notification: id",
            r#"{"jsonrpc":"2.0","id":null,"method":"notifications/message","params":{}}"#,
        )
        .counts(MalformedMessage, 1),
        row(
            "request: id",
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        )
        .counts(MalformedMessage, 1),
        row(
            "request: method",
            r#"{"jsonrpc":"2.0","id":"a","method":null}"#,
        )
        .counts(MalformedMessage, 1),
        row(
            "request: params",
            r#"{"jsonrpc":"2.0","id":"a","method":"ping","params":null}"#,
        )
        .modern_counts(UnservedRequest, 1)
        .answers(json!(["a"])),
    ]
}

/// Responses with an id that is not the one that was sent.
pub(super) fn ids() -> Vec<Row> {
    let response =
        |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"stolen":true}}}}"#);
    let mut rows: Vec<Row> = [
        "999999",
        "0",
        "-1",
        "-9223372036854775808",
        "9007199254740993",
        r#""""#,
        r#""abc""#,
        r#""0$id""#,
        r#""+$id""#,
    ]
    .into_iter()
    .map(|id| row(format!("never sent: {id}"), response(id)).counts(ForeignResponse, 1))
    .collect();
    let unusable = [
        "$id.5",
        "null",
        "true",
        "[$id]",
        r#"{"id":$id}"#,
        "9223372036854775808",
        "1e30",
        "-1e300",
    ];
    rows.extend(
        unusable.map(|id| row(format!("unusable: {id}"), response(id)).counts(MalformedMessage, 1)),
    );
    rows.extend([
        row("beyond what a number holds", response("1e400")).counts(MalformedMessage, 1),
        row("as a string", response(r#""$id""#))
            .counts(Retyped, 1)
            .ends(json!({"stolen": true})),
        row("as a float", response("$id.0")).ends(json!({"stolen": true})),
        row(
            "twice, the last counts",
            r#"{"id":999999,"result":{"a":1},"id":$id}"#,
        )
        .ends(json!({"a": 1})),
        row(
            "twice, the last is foreign",
            r#"{"id":$id,"result":{"a":1},"id":999999}"#,
        )
        .counts(ForeignResponse, 1),
    ]);
    rows
}

/// Responses that come twice, say two things, or nothing.
pub(super) fn responses() -> Vec<Row> {
    let twice = concat!(
        r#"{"jsonrpc":"2.0","id":$id,"result":{"a":1}}"#,
        "\n",
        r#"{"jsonrpc":"2.0","id":$id,"result":{"a":2}}"#
    );
    let late = concat!(
        r#"{"jsonrpc":"2.0","id":$id,"result":{"a":1}}"#,
        "\n",
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$token,"progress":9}}"#
    );
    let mut rows = vec![
        row("twice", twice)
            .counts(LateResponse, 1)
            .ends(json!({"a": 1})),
        row(
            "an error after the result",
            format!(
                "{}\n{}",
                r#"{"id":$id,"result":1}"#, r#"{"id":$id,"error":{"code":1}}"#
            ),
        )
        .counts(LateResponse, 1)
        .ends(json!(1)),
        row("an update after it", late)
            .counts(LateUpdate, 1)
            .ends(json!({"a": 1})),
        row(
            "result and error",
            r#"{"id":$id,"result":{},"error":{"code":-7,"message":"both"}}"#,
        )
        .rpc(-7),
        row(
            "error and result",
            r#"{"id":$id,"error":{"code":-7,"message":"both"},"result":{}}"#,
        )
        .rpc(-7),
        row("neither", r#"{"jsonrpc":"2.0","id":$id}"#)
            .counts(MalformedMessage, 1)
            .fails(ErrorKind::Protocol, "neither a result nor an error"),
        row("neither, to nobody", r#"{"jsonrpc":"2.0","id":999999}"#).counts(MalformedMessage, 1),
        row(
            "an error without an id",
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"?"}}"#,
        )
        .counts(ForeignResponse, 1),
        row("a result without an id", r#"{"jsonrpc":"2.0","result":{}}"#)
            .counts(MalformedMessage, 1),
        row(
            "an error that is a string",
            r#"{"id":$id,"error":"broken"}"#,
        )
        .rpc(0),
        row("an error that is true", r#"{"id":$id,"error":true}"#).rpc(0),
        row(
            "an error with a code in a string",
            r#"{"id":$id,"error":{"code":"1","message":"x"}}"#,
        )
        .rpc(0),
        row("a result that is a string", r#"{"id":$id,"result":"text"}"#).ends(json!("text")),
        row(
            "a result that is beyond all bounds",
            r#"{"id":$id,"result":[1e400]}"#,
        )
        .fails(ErrorKind::Decode, "range"),
        row(
            "a result with half a surrogate",
            r#"{"id":$id,"result":"\udc00"}"#,
        )
        .fails(ErrorKind::Decode, "form"),
        row(
            "a result that is no JSON",
            r#"{"id":$id,"result":{"a":undefined}}"#,
        )
        .counts(MalformedMessage, 1)
        .fails(ErrorKind::Protocol, "not valid JSON"),
        row(
            "no JSON before the id",
            r#"{"result":{"a":undefined},"id":$id}"#,
        )
        .counts(MalformedMessage, 1),
        row("an id that is a sum", r#"{"id":$id+5,"result":{}}"#).counts(MalformedMessage, 1),
        row(
            "a broken request with our id",
            r#"{"id":$id,"params":{"a":undefined},"method":"roots/list"}"#,
        )
        .counts(MalformedMessage, 1),
        row("garbage behind it", r#"{"id":$id,"result":{}} trailing"#)
            .counts(MalformedMessage, 1)
            .fails(ErrorKind::Protocol, "not valid JSON"),
    ];
    let members = [r#""jsonrpc":"2.0""#, r#""id":$id"#, r#""result":{"a":1}"#];
    rows.extend(permutations(&members).into_iter().map(|members| {
        row(format!("in the order {members}"), format!("{{{members}}}")).ends(json!({"a": 1}))
    }));
    rows
}

/// All orders of the members, each joined to the inside of an object.
pub(super) fn permutations(members: &[&str]) -> Vec<String> {
    if members.len() < 2 {
        return members.iter().map(ToString::to_string).collect();
    }
    let mut all = Vec::new();
    for (index, first) in members.iter().enumerate() {
        let mut others = members.to_vec();
        others.remove(index);
        all.extend(
            permutations(&others)
                .iter()
                .map(|rest| format!("{first},{rest}")),
        );
    }
    all
}

/// Requests that a client has to answer in the handshake era and only counts in the modern one.
pub(super) fn requests() -> Vec<Row> {
    let ping = |id: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
    let usable = [
        ("empty", json!("")),
        ("negative", json!(-5)),
        ("zero", json!(0)),
        ("text", json!("a \"quoted\" \u{2028} \n id")),
        ("huge", json!(9_223_372_036_854_775_807_i64)),
    ];
    let mut rows: Vec<Row> = usable
        .into_iter()
        .map(|(name, id)| {
            row(format!("ping, {name} id"), ping(&id.to_string()))
                .modern_counts(UnservedRequest, 1)
                .answers(json!([id]))
        })
        .collect();
    rows.extend(
        ["1.5", "null", "[1]", "{}", "true", "9223372036854775808"]
            .map(|id| row(format!("ping, unusable id {id}"), ping(id)).counts(MalformedMessage, 1)),
    );
    rows.push(
        row(
            "a request with the id of our call",
            r#"{"id":$id,"method":"sampling/createMessage","params":{}}"#,
        )
        .counts(UnservedRequest, 1)
        // The handshake took 1, the healthy call 2.
        .answers(json!([3])),
    );
    rows.push(
        row(
            "a request that says it is a response too",
            r#"{"id":"q","method":"roots/list","result":{}}"#,
        )
        .counts(UnservedRequest, 1)
        .answers(json!(["q"])),
    );
    rows
}
