//! Owns the tool `job`, which is a task wherever the client knows tasks (2026-07-28), and the requests about tasks. Must
//! not know how questions are asked outside of a task.

use std::time::Duration;

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, CreateTaskResult,
    },
    service::RequestContext,
    task_manager::{TaskContext, TaskExit, TaskManager, TaskOptions},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    arguments,
    asks::{self, Answers, Questions},
    note, report,
};

/// How often a client is asked to ask.
const POLL_MS: u64 = 100;

/// How long a task is kept.
const TTL_MS: u64 = 60_000;

/// What `job` is asked to do.
#[derive(Clone, Deserialize)]
#[serde(default)]
pub(crate) struct Job {
    steps: u32,
    delay_ms: u64,
    /// Questions before it begins.
    questions: usize,
    /// Whether it asks one more, half-way.
    ask: bool,
}

impl Default for Job {
    fn default() -> Self {
        Self {
            steps: 5,
            delay_ms: 50,
            questions: 0,
            ask: false,
        }
    }
}

/// Calls `job`. The log gets a line when it begins and one when it ends, and no other.
pub(crate) async fn call(
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
    tasks: &TaskManager,
) -> Result<CallToolResponse, ErrorData> {
    let job: Job = arguments(request.arguments.clone())?;
    let mut answers = Vec::new();
    if job.questions > 0 {
        match asks::answers(Questions::Forms(job.questions), request, context).await? {
            Answers::All(all) => answers = all,
            Answers::Ask(asked) => return Ok(asked.into()),
        }
    }
    let knows = context.client_capabilities();
    if knows.is_some_and(|capabilities| capabilities.supports_tasks()) {
        let options = TaskOptions::new()
            .with_poll_interval_ms(POLL_MS)
            .with_ttl_ms(TTL_MS)
            .with_status_message("waiting");
        let task = tasks.spawn(options, |task| Box::pin(as_task(job, answers, task)));
        return Ok(CreateTaskResult::new(task).into());
    }
    note(&json!({"event": "job started", "request": context.id}));
    for i in 1..=job.steps {
        tokio::select! {
            () = context.ct.cancelled() => {
                note(&json!({"event": "job cancelled", "request": context.id}));
                return Err(ErrorData::internal_error("cancelled", None));
            }
            () = sleep(Duration::from_millis(job.delay_ms)) => {}
        }
        let total = Some(job.steps.into());
        report(context, i.into(), total, format!("step {i}")).await?;
    }
    note(&json!({"event": "job finished", "request": context.id}));
    Ok(done(&job, &answers).into())
}

async fn as_task(
    job: Job,
    mut answers: Vec<Value>,
    task: TaskContext,
) -> Result<CallToolResult, TaskExit> {
    let name = task.task_id().to_owned();
    note(&json!({"event": "job started", "task": name}));
    let ended = tokio::select! {
        () = task.cancelled() => Err(TaskExit::Cancelled),
        ended = steps(&job, &mut answers, &task) => ended,
    };
    let event = match ended {
        Ok(()) => "job finished",
        Err(TaskExit::Cancelled) => "job cancelled",
        Err(TaskExit::Error(_)) => "job failed",
    };
    note(&json!({"event": event, "task": name}));
    ended.map(|()| done(&job, &answers))
}

async fn steps(job: &Job, answers: &mut Vec<Value>, task: &TaskContext) -> Result<(), TaskExit> {
    for i in 1..=job.steps {
        sleep(Duration::from_millis(job.delay_ms)).await;
        task.set_status_message(format!("step {i} of {}", job.steps));
        if job.ask && i == job.steps.div_ceil(2) {
            answers.push(task.request_input("half-way", asks::form(1)?).await?);
        }
    }
    Ok(())
}

fn done(job: &Job, answers: &[Value]) -> CallToolResult {
    let said = json!({"steps": job.steps, "answers": answers});
    CallToolResult::success(vec![ContentBlock::text(said.to_string())])
}
