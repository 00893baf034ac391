//! One call with its progress.
//!
//! Owns the order of what is shown: the start, updates and log messages as they come, the result. It must not know
//! formats.

use futures::stream::FusedStream as _;
use mcp_progress::model::{CallToolResult, ElicitationComplete};
use mcp_progress::ui::Mark;
use mcp_progress::ui::json::ProgressEvent;
use mcp_progress::{Call, Client, Notification, Notifications};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::args::cli::CallArgs;
use crate::args::output::Format;
use crate::context::{Context, code_of};
use crate::failure::{Failure, code};
use crate::input;
use crate::show::event::{Left, Log, Start};
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
        let call = if self.task {
            request.as_task(None).start()
        } else {
            request.start()
        };
        if self.leave {
            leave(client, call, &self.tool, context).await
        } else {
            show(client, call, &self.tool, context).await
        }
    }
}

/// Shows a call under this name to its end, and gives the exit code that its result stands for.
pub(crate) async fn show(
    client: &Client,
    call: Call<Box<RawValue>>,
    name: &str,
    context: &Context,
) -> Result<u8, Failure> {
    let mut meter = Meter::new(&context.screen, name);
    let mut call = call;
    let followed = follow(client, &mut call, context, &mut meter, |_| false).await;
    let outcome = match followed {
        Ok(mut notifications) => {
            let outcome = call.await;
            rest(&mut notifications, context, &meter).map(|()| outcome)
        }
        Err(error) => Err(error),
    };
    context.interrupt.disarm();
    meter.settle(mark(&outcome));
    meter.end();
    finished(&outcome??, context)
}

/// Follows the call until it has become a task, prints the handle of that, and leaves the task to the server.
async fn leave(
    client: &Client,
    call: Call<Box<RawValue>>,
    name: &str,
    context: &Context,
) -> Result<u8, Failure> {
    let mut meter = Meter::new(&context.screen, name);
    let mut call = call;
    let is_task = |call: &Call<Box<RawValue>>| call.task().is_some();
    let followed = follow(client, &mut call, context, &mut meter, is_task).await;
    let followed = followed.and_then(|mut notifications| rest(&mut notifications, context, &meter));
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

/// Shows what comes until the call is over, or `enough`. The error is that of standard output.
async fn follow(
    client: &Client,
    call: &mut Call<Box<RawValue>>,
    context: &Context,
    meter: &mut Meter,
    enough: impl Fn(&Call<Box<RawValue>>) -> bool,
) -> std::io::Result<Notifications> {
    let mut notifications = client.notifications();
    context.interrupt.arm(call.canceller());
    if let Some(start) = Start::new(client, call) {
        context.output.event(&start)?;
        meter.start(&start);
    }
    while !enough(call) {
        tokio::select! {
            Some(notification) = notifications.next() => log(&notification, context, meter)?,
            update = call.next() => match update {
                Some(update) => {
                    context.output.event(&ProgressEvent::of(&update))?;
                    meter.update(&update);
                }
                None => break,
            },
        }
    }
    Ok(notifications)
}

/// What the server had said before its response: it has arrived, so nothing is waited for.
fn rest(
    notifications: &mut Notifications,
    context: &Context,
    meter: &Meter,
) -> std::io::Result<()> {
    use futures::FutureExt as _;
    while let Some(Some(notification)) = notifications.next().now_or_never() {
        log(&notification, context, meter)?;
    }
    Ok(())
}

fn log(notification: &Notification, context: &Context, meter: &Meter) -> std::io::Result<()> {
    if notification.method == ElicitationComplete::METHOD {
        context
            .screen
            .notice("what the server sent you to a page for is done");
    }
    let Some(log) = Log::new(notification) else {
        return Ok(());
    };
    if context.output.format() == Format::Jsonl {
        context.output.event(&log)
    } else {
        meter.log(&log);
        Ok(())
    }
}
