//! Owns the calls in which the server asks: how its questions are answered, and what is said about each call. Must not
//! know what a server should have asked.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mcp_progress::model::{
    CallToolResult, CreateMessageResult, ElicitForm, ElicitResult, Root, StopReason,
};
use mcp_progress::{Client, Connect, Progress, Request, UpdateKind};
use serde_json::{Value, json};

/// The trace that all requests belong to; the tool `trace` tells what the server saw of it.
const TRACE: [(&str, &str); 3] = [
    (
        "traceparent",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ),
    ("tracestate", "vendor=value"),
    ("baggage", "user=ada"),
];

/// Longer than any call here takes, so that one without an answer says so.
const PATIENCE: Duration = Duration::from_secs(20);

/// The kinds of questions that came, in order.
type Asked = Arc<Mutex<Vec<&'static str>>>;

fn note(asked: &Asked, kind: &'static str) {
    asked
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(kind);
}

/// The client's answers: a name, but no more of a form than it must; any page; a greeting; one root.
pub(crate) fn answering(connect: Connect, asked: &Asked) -> Connect {
    let (forms, urls, samples) = (asked.clone(), asked.clone(), asked.clone());
    connect
        .on_elicitation(move |form, _| {
            note(&forms, "form");
            async move { Ok(filled(&form)) }
        })
        .on_url_elicitation(move |_, _| {
            note(&urls, "url");
            async { Ok(ElicitResult::accept()) }
        })
        .on_sampling(move |_, _| {
            note(&samples, "sampling");
            async {
                let said = CreateMessageResult::text("probe", "Hello.");
                Ok(said.with_stop_reason(StopReason::EndTurn))
            }
        })
        .roots([Root::new("file:///work").named("work")])
        .trace_context(|trace| {
            let [parent, state, baggage] = TRACE.map(|(_, value)| Some(value.to_owned()));
            (trace.traceparent, trace.tracestate, trace.baggage) = (parent, state, baggage);
        })
}

fn filled(form: &ElicitForm) -> ElicitResult {
    let mut answer = ElicitResult::accept();
    for field in &form.requested_schema.fields {
        match field.name.as_str() {
            "name" => answer = answer.with("name", "Grace"),
            // The one required field of server-everything's task.
            "interpretation" => answer = answer.with("interpretation", "snake"),
            _ => {}
        }
    }
    answer
}

/// The request that `call` stands for: `[task:]TOOL [ARGUMENTS]`.
pub(crate) fn request(
    client: &Client,
    call: &str,
) -> Result<Request<CallToolResult>, Box<dyn Error>> {
    let (as_task, call) = match call.strip_prefix("task:") {
        Some(call) => (true, call),
        None => (false, call),
    };
    let (tool, arguments) = call.split_once(' ').unwrap_or((call, "{}"));
    let arguments: Value = serde_json::from_str(arguments)?;
    let mut request = client.call_tool(tool, arguments).total_timeout(PATIENCE);
    if as_task {
        request = request.as_task(Duration::from_secs(60));
    }
    Ok(request)
}

/// Makes the calls one after another, and writes a line for each.
pub(crate) async fn play(connect: Connect, calls: &[String]) -> Result<(), Box<dyn Error>> {
    let asked = Asked::default();
    let client = answering(connect, &asked).await?;
    // So that the client learns which tools are nothing but tasks.
    client.list_tools().await?;
    for call in calls {
        let (started, mut updates) = (Instant::now(), Vec::new());
        let result = request(&client, call)?
            .on_progress(|update| updates.push(told(&update)))
            .await;
        let questions = std::mem::take(&mut *asked.lock().unwrap_or_else(PoisonError::into_inner));
        let mut line = line(&client, call, &updates, &questions, &result);
        line["took_ms"] = json!(started.elapsed().as_millis());
        println!("{line}");
    }
    client.close().await;
    match client.stats() {
        stats if stats.live_calls == 0 && stats.registrations == 0 => Ok(()),
        stats => Err(format!("something is left behind: {stats:?}").into()),
    }
}

/// An update as the lines have it.
pub(crate) fn told(update: &Progress) -> Value {
    let kind = match update.kind {
        UpdateKind::Progress => "progress",
        UpdateKind::Status(status) => status.as_str(),
        _ => "unknown",
    };
    json!({
        "kind": kind,
        "leg": update.leg,
        "seq": update.seq,
        "progress": update.progress,
        "message": update.message.as_deref(),
        "gap": update.gap,
        "regressed": update.regressed,
    })
}

/// One call as a line.
pub(crate) fn line(
    client: &Client,
    call: &str,
    updates: &[Value],
    questions: &[&str],
    result: &mcp_progress::Result<CallToolResult>,
) -> Value {
    let mut line = json!({
        "call": call,
        "negotiated": client.server().protocol_version.to_string(),
        "updates": updates,
        "questions": questions,
    });
    match result {
        Ok(result) => {
            line["text"] = json!(result.as_text());
            line["failed"] = json!(result.is_error);
        }
        Err(error) => line["error"] = json!(error.to_string()),
    }
    line
}
