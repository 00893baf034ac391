//! Owns the log that `wire-tee` writes: its format, its reading, and the judging of cancellation
//! in it. Must not know how the client was brought to cancel.

use serde_json::{Value, json};

/// Who said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The client, on its way to the server's standard input.
    Client,
    /// The server, on its way to the client.
    Server,
}

impl Side {
    const fn word(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// The log's text for a line that passed, `t_us` microseconds after the proxy started.
#[must_use]
pub fn passed(t_us: u128, from: Side, line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    json!({"t_us": t_us, "from": from.word(), "line": line.trim_end_matches(['\n', '\r'])})
        .to_string()
}

/// The log's text for the end of what one side says.
#[must_use]
pub fn ended(t_us: u128, from: Side) -> String {
    json!({"t_us": t_us, "from": from.word(), "end": true}).to_string()
}

/// The log's text for the end of the server.
#[must_use]
pub fn exited(t_us: u128, code: i32) -> String {
    json!({"t_us": t_us, "exit": code}).to_string()
}

/// Whether the log says that the server has ended.
#[must_use]
pub fn is_complete(log: &str) -> bool {
    entries(log).iter().any(|entry| !entry["exit"].is_null())
}

/// All that is wrong with how the one `tools/call` in `log` was cancelled, given what the server
/// noted about its own signal, which it may only leave out unless `must_note`. Empty when all is well.
#[must_use]
pub fn judge_cancellation(log: &str, server_notes: &str, must_note: bool) -> Vec<String> {
    let messages = messages(log);
    let calls: Vec<_> = messages
        .iter()
        .filter(|m| m.client && m.method() == "tools/call")
        .collect();
    let [call] = calls[..] else {
        return vec![format!("{} tools/call requests on the wire", calls.len())];
    };
    let id = &call.body["id"];
    let mut faults = on_the_wire(&messages, id);
    faults.extend(judge_notes(server_notes, id, must_note));
    faults
}

struct Message {
    at: usize,
    client: bool,
    body: Value,
}

impl Message {
    fn method(&self) -> &str {
        self.body["method"].as_str().unwrap_or_default()
    }
}

fn entries(log: &str) -> Vec<Value> {
    log.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

fn messages(log: &str) -> Vec<Message> {
    let mut messages = Vec::new();
    for (at, entry) in entries(log).into_iter().enumerate() {
        let client = entry["from"] == Side::Client.word();
        let body = entry["line"]
            .as_str()
            .and_then(|line| serde_json::from_str(line).ok());
        messages.extend(body.map(|body| Message { at, client, body }));
    }
    messages
}

/// `Value` equality keeps 7, "7" and 7.0 apart, which is what "the same type" asks for.
fn on_the_wire(messages: &[Message], id: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let opening = |m: &&Message| m.client && matches!(m.method(), "initialize" | "server/discover");
    let openings: Vec<_> = messages
        .iter()
        .filter(opening)
        .map(|m| &m.body["id"])
        .collect();
    let cancels: Vec<_> = messages
        .iter()
        .filter(|m| m.client && m.method() == "notifications/cancelled")
        .collect();
    if cancels.len() != 1 {
        faults.push(format!(
            "{} notifications/cancelled on the wire",
            cancels.len()
        ));
    }
    let answered = messages
        .iter()
        .find(|m| !m.client && m.method().is_empty() && m.body["id"] == *id);
    for cancel in cancels {
        let cancelled = &cancel.body["params"]["requestId"];
        if cancelled != id {
            faults.push(format!("requestId is {cancelled}, the call's id is {id}"));
        }
        if openings.contains(&cancelled) {
            faults.push("the opening request was cancelled".to_owned());
        }
        if cancel.body.get("id").is_some() {
            faults.push("the notification has an id".to_owned());
        }
        if answered.is_some_and(|answer| answer.at < cancel.at) {
            faults.push("cancelled after the response".to_owned());
        }
    }
    faults
}

/// All that is wrong with what the server noted about its signal for the call `id`, which the
/// notification should have fired.
#[must_use]
pub fn judge_notes(notes: &str, id: &Value, must_note: bool) -> Vec<String> {
    if notes.trim().is_empty() && !must_note {
        return Vec::new();
    }
    let mut faults = judge_closing_notes(notes, id);
    // An SDK that aborts what is left when its input closes says so in the signal's reason; such an
    // abort proves nothing about the notification.
    let closed = |note: &Value| {
        let reason = note["reason"].as_str();
        reason.is_some_and(|reason| reason.contains("onnection closed"))
    };
    if entries(notes).iter().any(closed) {
        faults.push("only the end of the connection fired the server's signal".to_owned());
    }
    faults
}

/// The same where the end of the connection is what should have fired it.
#[must_use]
pub fn judge_closing_notes(notes: &str, id: &Value) -> Vec<String> {
    let notes = entries(notes);
    let [note] = &notes[..] else {
        return vec![format!(
            "the server noted {} ends of the call, not one: {notes:?}",
            notes.len()
        )];
    };
    let mut faults = Vec::new();
    if note["event"] != "aborted" {
        faults.push(format!("the server noted {note}"));
    }
    if note["request"] != *id {
        faults.push(format!(
            "the server's signal was for {}, the call's id is {id}",
            note["request"]
        ));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;
    const CALL: &str = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"slow"}}"#;
    const CANCEL: &str =
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#;
    const ANSWER: &str = r#"{"jsonrpc":"2.0","id":2,"result":{}}"#;
    const ABORTED: &str = r#"{"event":"aborted","request":2,"reason":"user"}"#;

    fn log(lines: &[(Side, &str)]) -> String {
        let lines = lines.iter().enumerate();
        lines
            .map(|(t, (from, line))| passed(t as u128, *from, line.as_bytes()) + "\n")
            .collect()
    }

    fn sent(lines: &[&str]) -> String {
        log(&lines
            .iter()
            .map(|&line| (Side::Client, line))
            .collect::<Vec<_>>())
    }

    fn the_fault(log: &str, notes: &str) -> String {
        let faults = judge_cancellation(log, notes, true);
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.concat()
    }

    #[test]
    fn a_clean_cancellation() {
        assert_eq!(
            judge_cancellation(&sent(&[OPEN, CALL, CANCEL]), ABORTED, true),
            [""; 0]
        );
        let error_after = log(&[
            (Side::Client, CALL),
            (Side::Client, CANCEL),
            (Side::Server, ANSWER),
        ]);
        assert_eq!(judge_cancellation(&error_after, ABORTED, true), [""; 0]);
        assert_eq!(judge_cancellation(&error_after, "", false), [""; 0]);
        assert_eq!(judge_cancellation(&error_after, "", true).len(), 1);
    }

    #[test]
    fn none_or_two() {
        assert!(the_fault(&sent(&[OPEN, CALL]), ABORTED).starts_with("0 notifications"));
        assert!(the_fault(&sent(&[CALL, CANCEL, CANCEL]), ABORTED).starts_with("2 notifications"));
        assert!(the_fault(&sent(&[OPEN]), ABORTED).starts_with("0 tools/call"));
    }

    #[test]
    fn the_id_keeps_its_type() {
        let string = CANCEL.replace("\"requestId\":2", "\"requestId\":\"2\"");
        assert!(the_fault(&sent(&[CALL, &string]), ABORTED).starts_with("requestId is \"2\""));
        let opening = CANCEL.replace("\"requestId\":2", "\"requestId\":1");
        let faults = judge_cancellation(&sent(&[OPEN, CALL, &opening]), ABORTED, true);
        assert!(
            faults.contains(&"the opening request was cancelled".to_owned()),
            "{faults:?}"
        );
        let asking = CANCEL.replace("\"method\"", "\"id\":3,\"method\"");
        assert_eq!(
            the_fault(&sent(&[CALL, &asking]), ABORTED),
            "the notification has an id"
        );
    }

    #[test]
    fn not_after_the_response() {
        let late = log(&[
            (Side::Client, CALL),
            (Side::Server, ANSWER),
            (Side::Client, CANCEL),
        ]);
        assert_eq!(the_fault(&late, ABORTED), "cancelled after the response");
    }

    #[test]
    fn the_server_must_notice_once() {
        let wire = sent(&[CALL, CANCEL]);
        assert!(the_fault(&wire, "").contains("0 ends"));
        assert!(the_fault(&wire, &format!("{ABORTED}\n{ABORTED}")).contains("2 ends"));
        assert!(the_fault(&wire, r#"{"event":"finished","request":2}"#).contains("finished"));
        assert!(the_fault(&wire, &ABORTED.replace('2', "\"2\"")).contains("signal was for \"2\""));
        assert!(
            the_fault(&wire, &ABORTED.replace("user", "Error: Connection closed"))
                .contains("end of")
        );
        let closed = ABORTED.replace("user", "Error: Connection closed");
        assert_eq!(judge_closing_notes(&closed, &json!(2)), [""; 0]);
        assert_eq!(judge_closing_notes("", &json!(2)).len(), 1);
    }

    #[test]
    fn the_log_round_trips() {
        let line = "{\"text\":\"a\\nb\u{2028}\"}";
        let log = passed(7, Side::Server, format!("{line}\r\n").as_bytes());
        assert_eq!(
            entries(&log),
            [json!({"t_us": 7, "from": "server", "line": line})]
        );
        assert!(!is_complete(&ended(8, Side::Client)) && is_complete(&exited(9, 0)));
    }
}
