//! Owns the list of calls in which a server asks its client, works as a task, or shows what it was sent: which server is
//! asked for which, and what belongs to it. Must not know how a call is made or judged.

use crate::roster::{self, Peer, Wire};

const MODERN: &str = "2026-07-28";
const LAST_HANDSHAKE: &str = "2025-11-25";

/// The servers that cannot ask in the revisions with a handshake: they have no stream for a question while a call is
/// under way, or no session in which its answer would find it.
const CANNOT_ASK: [&str; 8] = [
    "ts1-stateless",
    "ts1-json",
    "py1-json",
    "py2-json",
    "ts2-http",
    "ts2-json",
    "ts2-keepalive",
    "rmcp-stateless",
];

/// Which updates of progress come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Updates {
    /// 1, 2, … with these legs.
    Legs(Vec<u64>),
    /// A rising part of 1, 2, … up to this: they have another stream than the result, which may overtake them.
    Some(u64),
}

/// One call, and what a faithful run of it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// As the probe wants it: `[task:]TOOL [ARGUMENTS]`.
    pub words: String,
    /// The kinds of questions, in order.
    pub questions: Vec<&'static str>,
    /// The updates of progress.
    pub updates: Updates,
    /// The statuses of the task that the call becomes, each once, in the order of their first coming. Empty where it
    /// becomes none.
    pub statuses: Vec<&'static str>,
    /// What the result says, without regard to spaces.
    pub says: Vec<&'static str>,
    /// What the call takes at most, in milliseconds, where that shows something.
    pub within_ms: Option<u64>,
}

const FORM: &str = r#"{"action":"accept","content":{"name":"Grace","number":2.5}}"#;

/// The call of a tool that asks `questions` in turn, with an update before each and one at the end.
fn asking(tool: &str, modern: bool, questions: &[&'static str], says: &'static str) -> Call {
    let steps = questions.len() as u64 + 1;
    Call {
        words: tool.to_owned(),
        questions: questions.to_vec(),
        updates: Updates::Legs(
            (1..=steps)
                .map(|leg| if modern { leg } else { 1 })
                .collect(),
        ),
        statuses: Vec::new(),
        says: vec![says],
        within_ms: None,
    }
}

fn trace() -> Call {
    Call {
        words: "trace".to_owned(),
        questions: Vec::new(),
        updates: Updates::Legs(Vec::new()),
        statuses: Vec::new(),
        says: vec![
            r#""traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01""#,
            r#""tracestate":"vendor=value""#,
            r#""baggage":"user=ada""#,
        ],
        within_ms: None,
    }
}

/// The questions of one server and revision.
fn questions(peer: Peer, revision: &str) -> Vec<Call> {
    let modern = revision == MODERN;
    let mut calls = Vec::new();
    if revision >= "2025-06-18" {
        calls.push(asking("ask", modern, &["form"], FORM));
        calls.push(asking("ask_twice", modern, &["form", "form"], FORM));
    }
    if revision >= LAST_HANDSHAKE {
        let accepted = r#"{"answers":[{"action":"accept"}]}"#;
        calls.push(asking("ask_url", modern, &["url"], accepted));
    }
    calls.push(asking(
        "sample",
        modern,
        &["sampling"],
        r#""text":"Hello.""#,
    ));
    if !peer.era(revision).updates {
        for call in &mut calls {
            call.updates = Updates::Legs(Vec::new());
        }
    }
    calls
}

/// A call that becomes a task of five steps; `words` may ask for more.
fn job(words: &str, updates: Updates, says: &'static str) -> Call {
    Call {
        words: words.to_owned(),
        questions: Vec::new(),
        updates,
        statuses: vec!["working", "completed"],
        says: vec![says],
        within_ms: None,
    }
}

/// The same with a question half-way.
fn asking_job(words: &str, updates: Updates) -> Call {
    Call {
        questions: vec!["form"],
        statuses: vec!["working", "input_required", "completed"],
        ..job(words, updates, FORM)
    }
}

const DONE: &str = r#""steps":5"#;

/// The tasks of one server and revision.
fn tasks(peer: Peer, revision: &str) -> Vec<Call> {
    let base = peer.name.split('-').next().unwrap_or_default();
    let none = || Updates::Legs(Vec::new());
    match (base, revision) {
        ("ts1" | "py1", LAST_HANDSHAKE) => {
            let updates = || match peer.wire {
                Wire::Stdio => Updates::Legs(vec![1; 5]),
                Wire::Http | Wire::HttpSse => Updates::Some(5),
            };
            let mut calls = vec![job("task:job", updates(), DONE)];
            if !CANNOT_ASK.contains(&peer.name) {
                calls.push(asking_job(r#"task:job {"ask":true}"#, updates()));
            }
            calls
        }
        ("rmcp", MODERN) => {
            let both = Call {
                questions: vec!["form"; 3],
                // One before each of the two questions, and one when they are answered.
                ..asking_job(
                    r#"job {"questions":2,"ask":true}"#,
                    Updates::Legs(vec![1, 2, 3]),
                )
            };
            vec![
                job("job", none(), DONE),
                asking_job(r#"job {"ask":true}"#, none()),
                both,
            ]
        }
        ("fm4", MODERN) => vec![
            job("job", none(), DONE),
            asking_job(r#"job {"ask":true}"#, none()),
        ],
        // It wants to be polled every two seconds: the client subscribes when it has looked once, and what it then knows
        // before it would look again came by `notifications/tasks`. There is progress as long as there is a stream for
        // it, whatever the specification says.
        ("tower", MODERN) => {
            let updates = |steps| match peer.wire {
                Wire::Stdio => Updates::Legs(vec![1; steps]),
                Wire::Http | Wire::HttpSse => none(),
            };
            let call = r#"job {"steps":26,"delay_ms":100}"#;
            let notified = Call {
                within_ms: Some(3300),
                ..job(call, updates(26), r#""steps":26"#)
            };
            let asking = Call {
                // It has no order of fields.
                says: vec![
                    r#""action":"accept""#,
                    r#""name":"Grace""#,
                    r#""number":2.5"#,
                ],
                ..asking_job(r#"job {"ask":true}"#, updates(5))
            };
            vec![notified, asking]
        }
        _ => Vec::new(),
    }
}

/// What the finished server offers.
fn finished(revision: &str) -> Vec<Call> {
    let call = |words: &str, questions: &[&'static str], says: &[&'static str]| Call {
        words: words.to_owned(),
        questions: questions.to_vec(),
        updates: Updates::Legs(Vec::new()),
        statuses: Vec::new(),
        says: says.to_vec(),
        within_ms: None,
    };
    let mut calls = vec![call(
        r#"trigger-sampling-request {"prompt":"hi"}"#,
        &["sampling"],
        &[r#""text":"Hello.""#],
    )];
    if revision >= "2025-06-18" {
        // All but the name is filled in from the defaults.
        let filled = [
            r#""name":"Grace""#,
            r#""integer":42"#,
            r#""number":3.14"#,
            r#""legacyTitledEnum":"pet-1""#,
        ];
        calls.push(call("trigger-elicitation-request", &["form"], &filled));
    }
    if revision >= LAST_HANDSHAKE {
        calls.push(call(
            r#"trigger-url-elicitation {"url":"https://example.com/sign-in"}"#,
            &["url"],
            &[r#"{"action":"accept"}"#],
        ));
        calls.push(Call {
            statuses: vec!["working", "input_required", "completed"],
            ..call(
                r#"simulate-research-query {"topic":"python","ambiguous":true}"#,
                &["form"],
                &["python(snake)"],
            )
        });
    }
    calls
}

/// The revisions in which a server is asked: both eras, and where it costs little the first that knew forms.
#[must_use]
pub fn revisions(peer: Peer) -> Vec<&'static str> {
    if roster::TASK_PEERS.contains(&peer) {
        return vec![MODERN];
    }
    let mut revisions = peer.eras();
    if peer.wire == Wire::Stdio {
        revisions.insert(0, "2025-06-18");
    }
    revisions
}

/// The calls made of one server in one revision.
#[must_use]
pub fn calls(peer: Peer, revision: &str) -> Vec<Call> {
    if !peer.ours {
        return finished(revision);
    }
    if roster::TASK_PEERS.contains(&peer) {
        return tasks(peer, revision);
    }
    let mut calls = Vec::new();
    if peer.is_modern(revision) || !CANNOT_ASK.contains(&peer.name) {
        calls.extend(questions(peer, revision));
    }
    calls.push(trace());
    calls.extend(tasks(peer, revision));
    calls
}

/// The servers to ask: those named in `only`, or all.
///
/// # Errors
///
/// A name that no server has.
pub fn chosen(only: &[String]) -> Result<Vec<Peer>, String> {
    roster::chosen_of(&[&roster::PEERS[..], &roster::TASK_PEERS].concat(), only)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(name: &str, revision: &str) -> Vec<String> {
        let peer = chosen(&[name.to_owned()]).unwrap()[0];
        let calls = calls(peer, revision);
        calls.into_iter().map(|call| call.words).collect()
    }

    #[test]
    fn what_each_is_asked_for() {
        let all = ["ask", "ask_twice", "ask_url", "sample", "trace"];
        assert_eq!(words("ts2", MODERN), all);
        assert_eq!(words("ts2-http", MODERN), all);
        assert_eq!(words("ts2-http", LAST_HANDSHAKE), ["trace"]);
        assert_eq!(words("py2-sse", "2024-11-05"), ["sample", "trace"]);
        assert_eq!(words("rmcp", LAST_HANDSHAKE), all);
        assert_eq!(words("rmcp", MODERN).len(), 8);
        assert_eq!(
            words("ts1-stateless", LAST_HANDSHAKE),
            ["trace", "task:job"]
        );
        assert_eq!(words("tower-http", MODERN).len(), 2);
        assert_eq!(words("everything", "2025-06-18").len(), 2);
        assert_eq!(words("everything-sse", "2024-11-05").len(), 1);
    }

    #[test]
    fn legs_are_of_the_modern_era() {
        let peer = |name: &str| chosen(&[name.to_owned()]).unwrap()[0];
        let updates = |name: &str, revision| calls(peer(name), revision)[1].updates.clone();
        assert_eq!(updates("py2", MODERN), Updates::Legs(vec![1, 2, 3]));
        assert_eq!(updates("py2", LAST_HANDSHAKE), Updates::Legs(vec![1, 1, 1]));
        assert_eq!(updates("py2-json", MODERN), Updates::Legs(Vec::new()));
    }
}
