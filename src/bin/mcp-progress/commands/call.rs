//! One call with its progress.
//!
//! Owns the order of what is shown: the start, updates and log messages as they come, the result. It must not know
//! formats.

use mcp_progress::model::CallToolResult;
use mcp_progress::ui::json::ProgressEvent;
use mcp_progress::{Client, Notification, Notifications, Result};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::args::cli::CallArgs;
use crate::context::{Context, code_of};
use crate::failure::Failure;
use crate::input;
use crate::show::event::{Log, Start};
use crate::show::meter::Meter;

/// What is called, and how.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) tool: String,
    pub(crate) arguments: Map<String, Value>,
    /// Whether it should run as a task.
    pub(crate) task: bool,
}

impl Job {
    /// Reads the arguments of the tool, before any server is started.
    pub(crate) async fn prepare(
        args: &CallArgs,
        context: &Context,
    ) -> std::result::Result<Self, Failure> {
        let given = args.args.as_deref();
        Ok(Self {
            tool: args.tool.clone(),
            arguments: input::arguments(given, &args.pairs, &context.interrupt).await?,
            task: args.task,
        })
    }

    /// Calls the tool, and gives the exit code that its result stands for.
    pub(crate) async fn run(
        &self,
        client: &Client,
        context: &Context,
    ) -> std::result::Result<u8, Failure> {
        let mut meter = Meter::new(&context.screen, &self.tool);
        let outcome = follow(client, self, context, &mut meter).await;
        context.interrupt.disarm();
        meter.end();
        let raw = outcome??;
        let result: CallToolResult = serde_json::from_str(raw.get()).map_err(Failure::Decode)?;
        context.output.result(&raw, &result)?;
        Ok(code_of(result.is_error))
    }
}

/// Shows what comes until the call is over. The outer error is that of standard output.
async fn follow(
    client: &Client,
    job: &Job,
    context: &Context,
    meter: &mut Meter,
) -> std::io::Result<Result<Box<RawValue>>> {
    let mut notifications = client.notifications();
    // Raw, so that the result is passed on as the server wrote it.
    let params = json!({"name": job.tool, "arguments": job.arguments});
    let request = client.request::<Box<RawValue>>("tools/call", params);
    let mut call = if job.task {
        request.as_task(None).start()
    } else {
        request.start()
    };
    context.interrupt.arm(call.canceller());
    if let Some(start) = Start::new(client, &call) {
        context.output.event(&start)?;
        meter.start(&start);
    }
    loop {
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
    let outcome = call.await;
    rest(&mut notifications, context, meter)?;
    Ok(outcome)
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
    use crate::args::output::Format;
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
