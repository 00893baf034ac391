//! Hostile input: whatever a server writes, it is judged as the table says, and a call beside it stays complete.
//!
//! Owns the table's form and its runner. The rows are in `messages`, `updates` and `framing`; what needs a server
//! that no script can play (long lines, floods, silence on the pipe) is in `streams`.

mod framing;
mod messages;
mod streams;
mod updates;

use std::time::Duration;

use mcp_progress::testing::{Eras, Request, Script, ScriptedServer};
use mcp_progress::{Client, DiagnosticKind, Error, ErrorKind, ProgressToken, ProtocolVersion};
use serde_json::{Value, json};

/// One input, and all that it may do.
struct Row {
    name: String,
    /// What is written; `$id` and `$token` stand for those of the call under attack, as JSON.
    bytes: Vec<u8>,
    token: ProgressToken,
    /// Every other counter must stay at 0.
    counts: Vec<(DiagnosticKind, u64)>,
    /// What counts instead on a connection of the modern era.
    modern_counts: Option<Vec<(DiagnosticKind, u64)>>,
    /// The updates that reach the call under attack, with their flags.
    updates: Vec<String>,
    end: End,
    /// The ids of the answers that the server gets in the handshake era; in the modern era none.
    answers: Vec<Value>,
}

/// What becomes of the call under attack.
#[derive(Clone)]
enum End {
    /// It lives on: one more update and its result are written afterwards, and arrive.
    Lives,
    Result(Value),
    Rpc(i64),
    Fails(ErrorKind, &'static str),
}

fn row(name: impl Into<String>, bytes: impl AsRef<[u8]>) -> Row {
    Row {
        name: name.into(),
        bytes: bytes.as_ref().to_vec(),
        token: ProgressToken::generate(),
        counts: Vec::new(),
        modern_counts: None,
        updates: Vec::new(),
        end: End::Lives,
        answers: Vec::new(),
    }
}

impl Row {
    fn token(mut self, token: impl Into<ProgressToken>) -> Self {
        self.token = token.into();
        self
    }

    fn counts(mut self, kind: DiagnosticKind, count: u64) -> Self {
        self.counts.push((kind, count));
        self
    }

    fn modern_counts(mut self, kind: DiagnosticKind, count: u64) -> Self {
        self.modern_counts
            .get_or_insert_default()
            .push((kind, count));
        self
    }

    /// `"3"`, or with flags: `"3 regressed"`.
    fn sees(mut self, updates: &[&str]) -> Self {
        self.updates = updates.iter().map(ToString::to_string).collect();
        self
    }

    fn ends(mut self, result: Value) -> Self {
        self.end = End::Result(result);
        self
    }

    fn rpc(mut self, code: i64) -> Self {
        self.end = End::Rpc(code);
        self
    }

    fn fails(mut self, kind: ErrorKind, text: &'static str) -> Self {
        self.end = End::Fails(kind, text);
        self
    }

    fn answers(mut self, ids: Value) -> Self {
        self.answers = ids.as_array().cloned().unwrap_or_default();
        self
    }

    /// The script of the call under attack.
    fn script(&self, request: &Request) -> Script {
        let script = Script::new()
            .wait(Duration::from_millis(10))
            .raw(fill(&self.bytes, request))
            .wait(Duration::from_millis(20));
        match self.end {
            End::Lives => script
                .progress(1_000_000, 1_000_000)
                .result(json!({"survived": true})),
            _ => script.silence(),
        }
    }
}

/// Puts id and token of the request in.
fn fill(template: &[u8], request: &Request) -> Vec<u8> {
    let token = request.token().cloned().unwrap_or_default().to_string();
    let values = [("$id", request.id().to_string()), ("$token", token)];
    let mut rest = template;
    let mut filled = Vec::with_capacity(template.len());
    while let Some((first, tail)) = rest.split_first() {
        let known = values
            .iter()
            .find(|(name, _)| rest.starts_with(name.as_bytes()));
        if let Some((name, value)) = known {
            filled.extend_from_slice(value.as_bytes());
            rest = &rest[name.len()..];
        } else {
            filled.push(*first);
            rest = tail;
        }
    }
    filled
}

/// Runs one row; the differences from what it says.
async fn differences(row: &Row, version: ProtocolVersion) -> Vec<String> {
    let server = server(row, version);
    let client = Client::connect(server.clone())
        .protocol(version)
        .await
        .expect("the server answers");
    let mut diagnostics = client.diagnostics();
    let mut found = Vec::new();

    let mut seen = Vec::new();
    let healthy = client
        .request::<Value>("vendor/healthy", json!({}))
        .on_progress(|update| seen.push((update.progress, update.merged)));
    let (result, (updates, end)) = tokio::join!(healthy.send(), attacked(&client, row));
    let healthy_result = result.map(|result| result["healthy"].clone());
    if seen != [(1.0, 0), (2.0, 0), (3.0, 0)] || !matches!(healthy_result, Ok(Value::Bool(true))) {
        found.push(format!("the healthy call saw {seen:?}, {healthy_result:?}"));
    }
    found.extend(end_differs(&row.end, end));
    let mut expected = row.updates.clone();
    if matches!(row.end, End::Lives) {
        expected.push("1000000".to_owned());
    }
    if updates != expected {
        found.push(format!("updates {updates:?} instead of {expected:?}"));
    }
    let again = client.request::<Value>("vendor/healthy", json!({})).await;
    if let Err(error) = again {
        found.push(format!("the connection did not stay: {error}"));
    }
    found.extend(counters_differ(&client, row, version));
    client.close().await;

    let mut told = Vec::new();
    while let Some(diagnostic) = diagnostics.next().await {
        told.push(diagnostic.kind);
    }
    let counted = expected_counts(row, version)
        .map(|(_, count)| count)
        .sum::<u64>();
    if told.len() as u64 != counted.min(1024) {
        found.push(format!("{counted} diagnostics, told of {told:?}"));
    }
    let answers = answered(&server);
    if answers
        != if version.is_modern() {
            vec![]
        } else {
            row.answers.clone()
        }
    {
        found.push(format!("answers to {answers:?}"));
    }
    if !server.log().cancelled().is_empty() {
        found.push(format!("cancels of {:?}", server.log().cancelled()));
    }
    found
}

fn server(row: &Row, version: ProtocolVersion) -> ScriptedServer {
    let eras = if version.is_modern() {
        Eras::Modern
    } else {
        Eras::Handshake
    };
    let pause = Duration::from_millis(20);
    let healthy = move |_: &Request| {
        Script::new()
            .progress(1, 3)
            .wait(pause)
            .progress(2, 3)
            .wait(pause)
            .progress(3, 3)
            .result(json!({"healthy": true}))
    };
    let attack = Row {
        name: row.name.clone(),
        bytes: row.bytes.clone(),
        token: row.token.clone(),
        counts: Vec::new(),
        modern_counts: None,
        updates: Vec::new(),
        end: row.end.clone(),
        answers: Vec::new(),
    };
    ScriptedServer::new()
        .eras(eras)
        .method("vendor/healthy", healthy)
        .method("vendor/attacked", move |request| attack.script(request))
}

/// The call under attack, as a stream: its updates with their flags, and its end.
async fn attacked(client: &Client, row: &Row) -> (Vec<String>, Result<Value, Error>) {
    let mut call = client
        .request::<Value>("vendor/attacked", json!({}))
        .progress_token(row.token.clone())
        .start();
    let mut updates = Vec::new();
    while let Some(update) = call.next().await {
        let mut text = update.progress.to_string();
        for (flag, name) in [
            (update.regressed, " regressed"),
            (update.retyped, " retyped"),
            (update.truncated, " truncated"),
            (update.merged > 0, " merged"),
        ] {
            text.push_str(if flag { name } else { "" });
        }
        updates.push(text);
    }
    (updates, call.await)
}

fn end_differs(expected: &End, end: Result<Value, Error>) -> Option<String> {
    let as_expected = match (expected, &end) {
        (End::Lives, Ok(result)) => result["survived"] == json!(true),
        (End::Result(expected), Ok(result)) => result == expected,
        (End::Rpc(code), Err(error)) => error.as_rpc().is_some_and(|rpc| rpc.code == *code),
        (End::Fails(kind, text), Err(error)) => {
            error.kind() == *kind && error.to_string().contains(text)
        }
        _ => false,
    };
    (!as_expected).then(|| format!("ended with {end:?}"))
}

fn expected_counts(
    row: &Row,
    version: ProtocolVersion,
) -> impl Iterator<Item = (DiagnosticKind, u64)> {
    let modern = row.modern_counts.as_ref().filter(|_| version.is_modern());
    modern.unwrap_or(&row.counts).iter().copied()
}

fn counters_differ(client: &Client, row: &Row, version: ProtocolVersion) -> Vec<String> {
    let stats = client.stats();
    let mut found = Vec::new();
    let mut sum = 0;
    for (kind, count) in expected_counts(row, version) {
        sum += count;
        if stats.count(kind) != count {
            found.push(format!("{kind}: {} instead of {count}", stats.count(kind)));
        }
    }
    if stats.diagnostics() != sum {
        found.push(format!("other counters moved: {stats:?}"));
    }
    if (stats.live_calls, stats.registrations, stats.queued_frames) != (0, 0, 0) {
        found.push(format!("something is left: {stats:?}"));
    }
    found
}

/// The ids of the responses that the server got.
fn answered(server: &ScriptedServer) -> Vec<Value> {
    let messages = server.log().messages();
    let responses = messages.iter().filter(|message| message.method().is_none());
    responses
        .map(|response| response.id().cloned().unwrap_or_default())
        .collect()
}

async fn check(rows: Vec<Row>) {
    let mut found = Vec::new();
    for row in &rows {
        for version in [ProtocolVersion::V2025_11_25, ProtocolVersion::V2026_07_28] {
            for difference in differences(row, version).await {
                found.push(format!("{} ({version}): {difference}", row.name));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn messages_of_any_shape() {
    check(messages::shapes()).await;
    check(messages::nulls()).await;
}

#[tokio::test(start_paused = true)]
async fn ids_that_are_wrong() {
    check(messages::ids()).await;
}

#[tokio::test(start_paused = true)]
async fn responses_that_are_odd() {
    check(messages::responses()).await;
}

#[tokio::test(start_paused = true)]
async fn requests_of_the_server() {
    check(messages::requests()).await;
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_wrong() {
    check(updates::tokens()).await;
}

#[tokio::test(start_paused = true)]
async fn updates_of_any_shape() {
    check(updates::shapes()).await;
    check(updates::nulls()).await;
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_no_text() {
    check(framing::encodings()).await;
}

#[tokio::test(start_paused = true)]
async fn lines_that_are_odd() {
    check(framing::lines()).await;
}

#[tokio::test(start_paused = true)]
async fn batches() {
    check(framing::batches()).await;
}

#[tokio::test(start_paused = true)]
async fn nesting() {
    check(framing::nesting()).await;
}
