//! A line from its first attempt to its end.
//!
//! Owns the attempts and the pauses between them. It must not know which lines there are.

use std::time::Duration;

use mcp_progress::{Call, Client, GroupMember};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::sleep;

use crate::args::batch::RetryOn;
use crate::batch::backoff;
use crate::batch::display::{Display, now};
use crate::batch::line::Line;
use crate::batch::link::Link;
use crate::batch::outcome::{End, Outcome};
use crate::failure::Failure;
use crate::interrupt::Interrupt;

/// What every line is made with.
pub(crate) struct Crew<'a> {
    pub(crate) link: Link<'a>,
    pub(crate) display: Display<'a>,
    pub(crate) interrupt: &'a Interrupt,
    /// So many attempts more than one, unless the line says otherwise.
    pub(crate) retries: u32,
    pub(crate) retry_on: &'a [RetryOn],
}

#[derive(Serialize)]
struct Params<'a> {
    name: &'a str,
    arguments: &'a RawValue,
}

impl Crew<'_> {
    /// Makes the call of the line, again where it is worth it. An interrupt ends pauses; the calls are cancelled with it.
    pub(crate) async fn make(&self, line: &Line, member: &GroupMember) -> Outcome {
        let began = now();
        let retries = line.retries.unwrap_or(self.retries);
        let mut attempts = 0;
        let end = loop {
            attempts += 1;
            let end = self.attempt(line, member, attempts).await;
            if attempts > retries || !end.is_worth_another(self.retry_on) {
                break end;
            }
            let pause = backoff::pause(attempts, fastrand::f64());
            if !self.rest(line, &end, pause).await {
                break End::Failed(Failure::Interrupted);
            }
        };
        Outcome {
            end,
            attempts,
            elapsed: now().duration_since(began),
        }
    }

    /// Waits before the next attempt; false where there is to be none.
    async fn rest(&self, line: &Line, end: &End, pause: Duration) -> bool {
        if self.interrupt.is_set() {
            return false;
        }
        let problem = match end {
            End::Failed(failure) => failure.message(),
            End::Result(_, result) => result.as_text().unwrap_or_default(),
            End::Skipped(_) => String::new(),
        };
        self.display.again(line, &problem, pause);
        tokio::select! {
            () = sleep(pause) => true,
            () = self.interrupt.happened() => false,
        }
    }

    async fn attempt(&self, line: &Line, member: &GroupMember, attempt: u32) -> End {
        let client = if attempt == 1 {
            self.link.client().await
        } else {
            let renewed = tokio::select! {
                client = self.link.renewed() => client,
                () = self.interrupt.happened() => Err(Failure::Interrupted),
            };
            match renewed {
                Ok(client) => client,
                Err(failure) => return End::Failed(failure),
            }
        };
        let mut call = start(&client, line);
        let guard = self.interrupt.guard(call.canceller());
        let mut shown = self.display.begin(line, &call, attempt);
        while let Some(update) = call.next().await {
            member.update(&update);
            shown.update(&update);
        }
        let end = End::of(call.await);
        drop(guard);
        shown.end();
        end
    }
}

fn start(client: &Client, line: &Line) -> Call<Box<RawValue>> {
    let params = Params {
        name: &line.tool,
        arguments: &line.args,
    };
    // Raw, so that the result is passed on as the server wrote it.
    let mut request = client.request::<Box<RawValue>>("tools/call", params);
    if let Some(limit) = line.timeout {
        request = request.total_timeout(limit.0);
    }
    if let Some(limit) = line.idle_timeout {
        request = request.idle_timeout(limit.0);
    }
    if line.task {
        request = request.as_task(None);
    }
    request.start()
}
