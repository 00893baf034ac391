//! One call with its progress.
//!
//! Owns the order of what is shown: the start, updates and log messages as they come, the result. It must not know
//! formats.

use futures::stream::FusedStream as _;
use mcp_progress::model::CallToolResult;
use mcp_progress::ui::Mark;
use mcp_progress::{Call, Client, Notifications, Request};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::args::cli::CallArgs;
use crate::args::output::Format;
use crate::commands::follow::{begin, follow, rest};
use crate::context::{Context, code_of};
use crate::failure::{Failure, code};
use crate::input;
use crate::show::event::{Left, Start};
use crate::show::meter::Meter;
use crate::show::screen::WITHDRAWN;

/// What is called, and how.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) tool: String,
    pub(crate) arguments: Map<String, Value>,
    /// Whether it should run as a task.
    pub(crate) task: bool,
    /// Whether the task is left to the server.
    pub(crate) leave: bool,
}

impl Job {
    /// Reads the arguments of the tool, before any server is started.
    pub(crate) async fn prepare(args: &CallArgs, context: &Context) -> Result<Self, Failure> {
        let given = args.args.as_deref();
        Ok(Self {
            tool: args.tool.clone(),
            arguments: input::arguments(given, &args.pairs, &context.interrupt).await?,
            task: args.task || args.leave,
            leave: args.leave,
        })
    }

    /// Calls the tool, and gives the exit code that its result stands for.
    pub(crate) async fn run(&self, client: &Client, context: &Context) -> Result<u8, Failure> {
        // Raw, so that the result is passed on as the server wrote it.
        let params = json!({"name": self.tool, "arguments": self.arguments});
        let request = client.request::<Box<RawValue>>("tools/call", params);
        let request = if self.task {
            request.as_task(None)
        } else {
            request
        };
        if self.leave {
            leave(client, request, &self.tool, context).await
        } else {
            show(client, request, &self.tool, context).await
        }
    }
}

/// Shows a call under this name to its end, and gives the exit code that its result stands for.
pub(crate) async fn show(
    client: &Client,
    request: Request<Box<RawValue>>,
    name: &str,
    context: &Context,
) -> Result<u8, Failure> {
    let mut meter = Meter::new(&context.screen, name);
    let (mut call, mut notifications) = started(client, request, context);
    let outcome = async {
        begin(Start::new(client, &call).as_ref(), context, &meter, true)?;
        follow(&mut notifications, &mut call, context, &mut meter, |_| {
            false
        })
        .await?;
        let outcome = call.await;
        rest(&mut notifications, context, &meter)?;
        Ok(outcome)
    };
    let outcome = outcome.await;
    context.interrupt.disarm();
    meter.settle(mark(&outcome));
    meter.end();
    finished(&outcome??, context)
}

/// Follows the call until it has become a task, prints the handle of that, and leaves the task to the server.
async fn leave(
    client: &Client,
    request: Request<Box<RawValue>>,
    name: &str,
    context: &Context,
) -> Result<u8, Failure> {
    let mut meter = Meter::new(&context.screen, name);
    let (mut call, mut notifications) = started(client, request, context);
    let is_task = |call: &Call<Box<RawValue>>| call.task().is_some();
    let followed = async {
        begin(Start::new(client, &call).as_ref(), context, &meter, true)?;
        follow(&mut notifications, &mut call, context, &mut meter, is_task).await?;
        rest(&mut notifications, context, &meter)
    };
    let followed = followed.await;
    context.interrupt.disarm();
    meter.end();
    followed?;
    if call.is_terminated() {
        let raw = call.await?;
        context
            .screen
            .notice("the server made no task of it; this is the result");
        return finished(&raw, context);
    }
    let Some(handle) = call.leave() else {
        // It is a task, or `follow` had gone on. A call that is none would be cancelled by this.
        return Err(Failure::Interrupted);
    };
    match context.output.format() {
        Format::Text | Format::Json => context.output.json(&handle)?,
        Format::Jsonl => context.output.event(&Left::new(&handle))?,
    }
    Ok(code::OK)
}

/// Sends the request, which an interrupt cancels from now on. Messages of the server are heard from before that: they may come
/// as quickly as can be.
fn started(
    client: &Client,
    request: Request<Box<RawValue>>,
    context: &Context,
) -> (Call<Box<RawValue>>, Notifications) {
    let notifications = client.notifications();
    let call = request.start();
    context.interrupt.arm(call.canceller());
    (call, notifications)
}

/// How the call ended. An output that nobody reads any more cancels it.
fn mark(outcome: &std::io::Result<mcp_progress::Result<Box<RawValue>>>) -> Mark {
    match outcome {
        Ok(Ok(raw)) => match serde_json::from_str::<CallToolResult>(raw.get()) {
            Ok(result) if result.is_error => Mark::ToolError,
            Ok(_) => Mark::Done,
            Err(_) => Mark::Failed,
        },
        Ok(Err(error)) => Mark::of_error(error),
        Err(_) => Mark::Cancelled,
    }
}

/// Prints the result.
fn finished(raw: &RawValue, context: &Context) -> Result<u8, Failure> {
    let result: CallToolResult = serde_json::from_str(raw.get()).map_err(Failure::Decode)?;
    context.screen.release(Some(WITHDRAWN));
    context.output.result(raw, &result)?;
    Ok(code_of(result.is_error))
}
