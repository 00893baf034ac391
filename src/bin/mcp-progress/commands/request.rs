//! One request with its progress, or as many as a list has pages.
//!
//! Owns the order of what is shown: updates and log messages as they come, then what was asked for. It must not know
//! what that is.

use std::collections::HashSet;
use std::io;

use mcp_progress::model::Paginated;
use mcp_progress::ui::Mark;
use mcp_progress::{Client, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::args::output::Format;
use crate::commands::follow::{begin, follow, rest};
use crate::context::Context;
use crate::failure::Failure;
use crate::show::event::{Listed, Start, line};
use crate::show::meter::Meter;
use crate::show::screen::WITHDRAWN;
use crate::show::table::Table;

/// Asks for one thing, and gives what came as the server wrote it.
pub(crate) async fn one(
    client: &Client,
    method: &'static str,
    params: Value,
    name: &str,
    context: &Context,
) -> Result<Box<RawValue>, Failure> {
    let request = client.request(method, params);
    let mut meter = Meter::new(&context.screen, name);
    let answered = answer(client, request, context, &mut meter, true).await;
    end(meter, mark(&answered), context);
    answered
}

/// Asks for a list, page by page, and where lines are asked for writes each item as it comes.
pub(crate) async fn all<P>(
    client: &Client,
    kind: &'static str,
    ask: impl Fn() -> Request<P>,
    context: &Context,
) -> Result<Vec<P::Item>, Failure>
where
    P: Paginated + DeserializeOwned,
    P::Item: Serialize,
{
    let event = |item: &P::Item| context.output.event(&Listed::new(kind, item));
    gather(client, kind, ask, event, context).await
}

/// Asks for a list, page by page, and gives each item to `each` as it comes.
pub(crate) async fn gather<P>(
    client: &Client,
    kind: &'static str,
    ask: impl Fn() -> Request<P>,
    each: impl Fn(&P::Item) -> io::Result<()>,
    context: &Context,
) -> Result<Vec<P::Item>, Failure>
where
    P: Paginated + DeserializeOwned,
{
    let mut meter = Meter::new(&context.screen, &format!("{kind}s"));
    let mut items = Vec::new();
    let mut last: Option<String> = None;
    let mut seen = HashSet::new();
    let listed = loop {
        let request = match &last {
            None => ask(),
            Some(cursor) => ask().cursor(cursor.clone()),
        };
        let page = match answer(client, request, context, &mut meter, false).await {
            Ok(page) => page,
            Err(failure) => break Err(failure),
        };
        let next = page.next_cursor().map(str::to_owned);
        for item in page.into_items() {
            each(&item)?;
            items.push(item);
        }
        // Whatever cursor comes again leads round in a circle.
        if next.as_ref().is_some_and(|next| !seen.insert(next.clone())) {
            break Err(Failure::Endless(kind));
        }
        last = next;
        if last.is_none() {
            break Ok(());
        }
    };
    end(meter, mark(&listed), context);
    listed.map(|()| items)
}

/// Writes a list: as `table` for people, as one object for programs. Its lines are written already.
pub(crate) fn write<T: Serialize>(
    plural: &str,
    items: &[T],
    table: &Table,
    context: &Context,
) -> Result<(), Failure> {
    match context.output.format() {
        Format::Text if items.is_empty() => {
            context
                .screen
                .notice(&format!("the server has no {plural}"));
        }
        Format::Text => context.output.table(table)?,
        Format::Json => {
            // Put together by hand, since raw text inside, as schemas are, is to stay as the server wrote it.
            let items: Vec<String> = items.iter().map(line).collect();
            let name = Value::from(plural.replace(' ', "_"));
            context
                .output
                .document(&format!("{{{name}:[{}]}}", items.join(",")))?;
        }
        Format::Jsonl => {}
    }
    Ok(())
}

/// How it ended. What is no call's failure is that of the output, which cancels it.
const fn mark<T>(answer: &Result<T, Failure>) -> Mark {
    match answer {
        Ok(_) => Mark::Done,
        Err(Failure::Call(error)) => Mark::of_error(error),
        Err(_) => Mark::Cancelled,
    }
}

fn end(meter: Meter, mark: Mark, context: &Context) {
    context.interrupt.disarm();
    meter.settle(mark);
    meter.end();
    context.screen.release(Some(WITHDRAWN));
}

/// Shows what comes until the request is answered. Where it is one of several its start is no event.
async fn answer<T: DeserializeOwned>(
    client: &Client,
    request: Request<T>,
    context: &Context,
    meter: &mut Meter,
    announced: bool,
) -> Result<T, Failure> {
    // Before the request is sent: a message of the server may come as quickly as can be.
    let mut notifications = client.notifications();
    let mut call = request.start();
    context.interrupt.arm(call.canceller());
    let start = Start::new(client, &call);
    begin(start.as_ref(), context, meter, announced)?;
    follow(&mut notifications, &mut call, context, meter, |_| false).await?;
    let answer = call.await;
    rest(&mut notifications, context, meter)?;
    Ok(answer?)
}
