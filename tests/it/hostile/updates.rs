//! Rows: updates whose token, values or shape are not as they should be.

use mcp_progress::DiagnosticKind::{
    ForeignUpdate, MalformedMessage, MalformedUpdate, RegressingUpdate, Retyped,
};

use super::messages::permutations;
use super::{Row, row};

fn update(params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{params}}}"#)
}

/// Updates for the token of the call under attack.
fn own(values: &[&str]) -> String {
    let lines: Vec<_> = values
        .iter()
        .map(|value| update(&format!(r#"{{"progressToken":$token,{value}}}"#)))
        .collect();
    lines.join("\n")
}

pub(super) fn tokens() -> Vec<Row> {
    let with = |token: &str| update(&format!(r#"{{"progressToken":{token},"progress":1}}"#));
    let unusable = [
        "null",
        "true",
        "[$token]",
        r#"{"a":$token}"#,
        "7.5",
        "9223372036854775808",
        "1e30",
        "1e400",
    ];
    let mut rows: Vec<Row> = unusable
        .into_iter()
        .map(|token| row(format!("unusable: {token}"), with(token)).counts(MalformedUpdate, 1))
        .collect();
    let foreign = [
        "7",
        "-7",
        "0",
        "9007199254740993",
        r#""""#,
        r#""7""#,
        r#""nobody's""#,
        r#""\u0000""#,
        r#"" $token""#,
    ];
    rows.extend(foreign.map(|token| {
        // In the last one the quotes of the token itself make it no JSON at all.
        let kind = if token.contains('$') {
            MalformedMessage
        } else {
            ForeignUpdate
        };
        row(format!("foreign: {token}"), with(token)).counts(kind, 1)
    }));
    rows.extend([
        row("none", update(r#"{"progress":1}"#)).counts(MalformedUpdate, 1),
        row(r#""7" for 7"#, with(r#""7""#))
            .token(7)
            .counts(Retyped, 1)
            .sees(&["1 retyped"]),
        row(r#"7 for "7""#, with("7"))
            .token("7")
            .counts(Retyped, 1)
            .sees(&["1 retyped"]),
        row("7.0 for 7", with("7.0")).token(7).sees(&["1"]),
        row("07 for 7", with(r#""07""#))
            .token(7)
            .counts(ForeignUpdate, 1),
        row(
            "7 and \"7\" in turn",
            [with("7"), with(r#""7""#), with("7")].join("\n"),
        )
        .token(7)
        .counts(Retyped, 1)
        .sees(&["1", "1 retyped", "1"]),
        row("escaped", with(r#""a\u0062\/c""#))
            .token("ab/c")
            .sees(&["1"]),
        row(
            "twice, the last counts",
            update(r#"{"progressToken":"nobody's","progress":1,"progressToken":$token}"#),
        )
        .sees(&["1"]),
    ]);
    rows
}

pub(super) fn shapes() -> Vec<Row> {
    let malformed = [
        r#""progress":"5""#,
        r#""progress":[5]"#,
        r#""progress":true"#,
        r#""progress":1e400"#,
        r#""progress":1,"total":"ten""#,
        r#""progress":1,"total":-1e999"#,
        r#""progress":1,"message":5"#,
        r#""progress":1,"message":["a"]"#,
        r#""progress":1,"message":"half a surrogate: \ud800""#,
        r#""total":1"#,
    ];
    let mut rows: Vec<Row> = malformed
        .into_iter()
        .map(|params| row(params, own(&[params])).counts(MalformedUpdate, 1))
        .collect();
    rows.extend(
        ["[]", "7", "\"text\"", "{}", "[\"t\",1]"].map(|params| {
            row(format!("params {params}"), update(params)).counts(MalformedUpdate, 1)
        }),
    );
    let big = format!(r#""progress":1,"message":"{}""#, "x".repeat(200_000));
    rows.extend([
        row(
            "no params",
            r#"{"jsonrpc":"2.0","method":"notifications/progress"}"#,
        )
        .counts(MalformedUpdate, 1),
        row("NaN", own(&[r#""progress":NaN"#])).counts(MalformedMessage, 1),
        row("infinity", own(&[r#""progress":Infinity"#])).counts(MalformedMessage, 1),
        row(
            "falling",
            own(&[5, 3, 4, 5, 6]
                .map(|n| format!(r#""progress":{n}"#))
                .each_ref()
                .map(String::as_str)),
        )
        .counts(RegressingUpdate, 2)
        .sees(&["5", "3 regressed", "4 regressed", "5", "6"]),
        row(
            "below zero",
            own(&[r#""progress":-3"#, r#""progress":-0.5,"total":-1"#]),
        )
        .sees(&["-3", "-0.5"]),
        row(
            "beyond the total",
            own(&[r#""progress":5,"total":2"#, r#""progress":6,"total":0"#]),
        )
        .sees(&["5", "6"]),
        row(
            "huge and tiny",
            own(&[
                r#""progress":-1e300"#,
                r#""progress":1e-300"#,
                r#""progress":0.1"#,
            ]),
        )
        .sees(&[&(-1e300_f64).to_string(), &1e-300_f64.to_string(), "0.1"]),
        row(
            "the same again",
            own(&[
                r#""progress":2,"message":"a""#,
                r#""progress":2,"message":"b""#,
            ]),
        )
        .sees(&["2", "2"]),
        row(
            "values twice, the last counts",
            own(&[r#""progress":8,"progress":2"#]),
        )
        .sees(&["2"]),
        row(
            "escapes",
            own(&[r#""\u0070rogress":2,"message":"\u0000\ud83d\ude00""#]),
        )
        .sees(&["2"]),
        row(
            "members that nobody knows",
            own(&[r#""progress":2,"x":[[]],"":null,"_meta":{"a":[1e999]}"#]),
        )
        .sees(&["2"]),
        row("a text beyond 64 KiB", own(&[&big])).sees(&["1 truncated"]),
    ]);
    rows.push(orders());
    rows
}

/// The members of message and params in every order: `params` before `method`, the token last.
fn orders() -> Row {
    let mut lines = Vec::new();
    let mut seen = Vec::new();
    for outer in permutations(&[
        r#""jsonrpc":"2.0""#,
        r#""method":"notifications/progress""#,
        "PARAMS",
    ]) {
        let members = [
            r#""progressToken":$token"#,
            r#""progress":NUMBER"#,
            r#""total":999"#,
            r#""message":"m""#,
        ];
        for inner in permutations(&members) {
            let number = (seen.len() + 1).to_string();
            let params = format!(r#""params":{{{}}}"#, inner.replace("NUMBER", &number));
            lines.push(format!("{{{}}}", outer.replace("PARAMS", &params)));
            seen.push(number);
        }
    }
    let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
    row("members in every order", lines.join("\n")).sees(&seen)
}

/// `null` in each member of an update in turn.
pub(super) fn nulls() -> Vec<Row> {
    vec![
        row("version", r#"{"jsonrpc":null,"method":"notifications/progress","params":{"progressToken":$token,"progress":1}}"#)
            .sees(&["1"]),
        row("method", r#"{"method":null,"params":{"progressToken":$token,"progress":1}}"#).counts(MalformedMessage, 1),
        row("params", update("null")).counts(MalformedUpdate, 1),
        row("progress", own(&[r#""progress":null"#])).counts(MalformedUpdate, 1),
        row("total", own(&[r#""progress":1,"total":null"#])).sees(&["1"]),
        row("message", own(&[r#""progress":1,"message":null"#])).sees(&["1"]),
        row("_meta", own(&[r#""progress":1,"_meta":null"#])).sees(&["1"]),
        row("a member that nobody knows", own(&[r#""progress":1,"x":null"#])).sees(&["1"]),
        row("result and error beside it", r#"{"method":"notifications/progress","params":{"progressToken":$token,"progress":1},"result":null,"error":null}"#)
            .sees(&["1"]),
    ]
}
