//! What comes while a call is under way.
//!
//! Owns the order of what is shown: the start, then updates and log messages as they come. It must not know what was asked
//! for, nor formats.

use futures::FutureExt as _;
use mcp_progress::model::ElicitationComplete;
use mcp_progress::ui::json::ProgressEvent;
use mcp_progress::{Call, Notification, Notifications};
use serde::de::DeserializeOwned;

use crate::args::output::Format;
use crate::context::Context;
use crate::show::event::{Log, Start};
use crate::show::meter::Meter;

/// Says that a call has begun, if it could be sent. One that is not `announced` is no event on standard output: each line
/// there is an item of a list.
pub(crate) fn begin(
    start: Option<&Start<'_>>,
    context: &Context,
    meter: &Meter,
    announced: bool,
) -> std::io::Result<()> {
    let Some(start) = start else {
        return Ok(());
    };
    if announced {
        context.output.event(start)?;
    }
    meter.start(start);
    Ok(())
}

/// Shows what comes until the call is over, or `enough`. The error is that of standard output.
pub(crate) async fn follow<T: DeserializeOwned>(
    notifications: &mut Notifications,
    call: &mut Call<T>,
    context: &Context,
    meter: &mut Meter,
    enough: impl Fn(&Call<T>) -> bool,
) -> std::io::Result<()> {
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
    Ok(())
}

/// What the server had said before its response: it has arrived, so nothing is waited for.
pub(crate) fn rest(
    notifications: &mut Notifications,
    context: &Context,
    meter: &Meter,
) -> std::io::Result<()> {
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
