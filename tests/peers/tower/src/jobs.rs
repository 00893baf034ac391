//! Owns the tool `job`, which is nothing but a task. Must not know how it is served.

use std::{fs::OpenOptions, io::Write, sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;
use tower_mcp::{
    CallToolResult, Error, RequestContext, Result, TaskContext, TaskOutcome, Tool, ToolBuilder,
    async_task::{MemoryTaskStore, TaskStore},
    protocol::{ElicitFormParams, ElicitRequestParams, InputRequest, InputRequests, TaskStatus},
    schemars::{self, JsonSchema},
};

/// What it is asked to do.
#[derive(Deserialize, JsonSchema)]
#[serde(default)]
struct Job {
    steps: u32,
    delay_ms: u64,
    /// Whether it asks for a name and a number half-way.
    ask: bool,
}

impl Default for Job {
    fn default() -> Self {
        Self {
            steps: 5,
            delay_ms: 50,
            ask: false,
        }
    }
}

/// Notes what a job did where the harness can read it.
fn note(event: &str, task: &TaskContext) {
    if let Some(path) = std::env::var_os("PEER_LOG") {
        let entry = json!({"event": event, "task": task.task_id()});
        let written = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut log| writeln!(log, "{entry}"));
        if let Err(error) = written {
            eprintln!("cannot write {}: {error}", path.display());
        }
    }
}

/// The question, with defaults for both fields.
fn question() -> Result<InputRequests> {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "default": "Ada"},
            "number": {"type": "number", "default": 2.5},
        },
    });
    let form = ElicitFormParams {
        mode: None,
        message: "Question 1: who are you?".to_owned(),
        requested_schema: serde_json::from_value(schema).map_err(Error::from)?,
        meta: None,
    };
    let mut requests = InputRequests::default();
    let form = InputRequest::Elicit(ElicitRequestParams::Form(form));
    requests.insert("half-way".to_owned(), form);
    Ok(requests)
}

/// Works for `steps`, with an update and a status for each.
async fn work(
    context: &RequestContext,
    task: &TaskContext,
    job: &Job,
    store: &MemoryTaskStore,
) -> Result<Vec<Value>> {
    let mut answers = Vec::new();
    for i in 1..=job.steps {
        sleep(Duration::from_millis(job.delay_ms)).await;
        if task.is_cancelled() {
            return Err(Error::TaskCancelled);
        }
        let status = format!("step {i} of {}", job.steps);
        // A task that is over has no status to change.
        let _ = store
            .set_status(task.task_id(), TaskStatus::Working, Some(&status))
            .await;
        let (done, all) = (f64::from(i), f64::from(job.steps));
        context
            .report_progress(done, Some(all), Some(&status))
            .await;
        if job.ask && i == job.steps.div_ceil(2) {
            let answered = task.require_input(question()?).await?;
            for answer in answered.into_values() {
                answers.push(serde_json::to_value(answer).map_err(Error::from)?);
            }
        }
    }
    Ok(answers)
}

/// The tool. The log gets a line when it begins and one when it ends, and no other.
pub(crate) fn job(store: Arc<MemoryTaskStore>) -> Tool {
    ToolBuilder::new("job")
        .description("Works for `steps`, as a task")
        .live_task_handler_with_context(move |context: RequestContext, task, job: Job| {
            let store = store.clone();
            async move {
                note("job started", &task);
                let ended = work(&context, &task, &job, &store).await;
                note(
                    match ended {
                        Ok(_) => "job finished",
                        Err(Error::TaskCancelled) => "job cancelled",
                        Err(_) => "job failed",
                    },
                    &task,
                );
                let said = json!({"steps": job.steps, "answers": ended?});
                Ok(TaskOutcome::Completed(CallToolResult::text(
                    said.to_string(),
                )))
            }
        })
        .build()
}
