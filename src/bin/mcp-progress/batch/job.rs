//! A batch from its file to its exit code.
//!
//! Owns which line begins when, and what the end of one means for the others. It must not know how a call is made.

use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt as _};
use mcp_progress::{Client, Connect, GroupMember, Notifications, ProgressGroup};

use crate::args::batch::{BatchArgs, RetryOn};
use crate::batch::attempt::Crew;
use crate::batch::display::Display;
use crate::batch::line::{self, Line};
use crate::batch::link::Link;
use crate::batch::outcome::{End, Outcome, Reason, Status};
use crate::batch::plan::Plan;
use crate::batch::report::{self, Report};
use crate::batch::tally::Tally;
use crate::context::Context;
use crate::failure::{Failure, code};
use crate::input;

/// While so many bytes of results wait for one before them, no other line begins.
const HELD: usize = 64 * 1024 * 1024;

/// What is to be done, and how.
#[derive(Debug)]
pub(crate) struct Job {
    lines: Vec<Line>,
    plan: Plan,
    concurrency: usize,
    keep_going: bool,
    as_finished: bool,
    retries: u32,
    retry_on: Vec<RetryOn>,
}

impl Job {
    /// Reads all lines, and finds what is wrong with them, before any server is started.
    pub(crate) async fn prepare(args: &BatchArgs, context: &Context) -> Result<Self, Failure> {
        let (given, name) = match args.file.as_str() {
            "-" => ("-".to_owned(), "standard input"),
            file => (format!("@{file}"), file),
        };
        let text = input::text("run", &given, &context.interrupt).await?;
        let wrong = |problem| Failure::Usage(format!("{name}, {problem}"));
        let lines = line::parse_all(&text).map_err(wrong)?;
        let plan = Plan::new(&lines).map_err(wrong)?;
        Ok(Self {
            lines,
            plan,
            concurrency: args.concurrency.into(),
            keep_going: args.keep_going,
            as_finished: args.as_finished,
            retries: args.retries,
            retry_on: args.retry_on.clone(),
        })
    }

    /// Makes all calls, and gives the exit code.
    pub(crate) async fn run(
        self,
        client: &Client,
        connect: &(dyn Fn() -> Result<Connect, Failure> + Sync),
        context: &Context,
    ) -> Result<u8, Failure> {
        let group = ProgressGroup::new();
        let crew = Crew {
            link: Link::new(client, connect),
            display: Display::new(
                &context.screen,
                &group,
                self.lines.len(),
                context.output.format(),
            ),
            interrupt: &context.interrupt,
            retries: self.retries,
            retry_on: &self.retry_on,
        };
        // All at once, so that the first to finish do not bring the whole to its end.
        let members = self.lines.iter().map(|line| Some(group.join(line.weight)));
        let mut batch = Batch {
            lines: &self.lines,
            plan: self.plan,
            members: members.collect(),
            report: Report::new(&context.output, self.as_finished),
            tally: Tally::default(),
            keep_going: self.keep_going,
            stopped: None,
            cut_short: false,
        };
        batch.work(&crew, client, self.concurrency, context).await?;
        batch.report.finish()?;
        crew.link.close().await;
        crew.display.summary(&batch.tally);
        Ok(batch.code())
    }
}

/// A batch in the making.
struct Batch<'a> {
    lines: &'a [Line],
    plan: Plan,
    /// The part of each line in the whole, until it begins.
    members: Vec<Option<GroupMember>>,
    report: Report,
    tally: Tally,
    keep_going: bool,
    /// Why no other line begins.
    stopped: Option<Reason>,
    /// Whether an interrupt kept lines from beginning.
    cut_short: bool,
}

impl<'a> Batch<'a> {
    /// Lets lines begin, and waits for their ends, until none is left.
    async fn work(
        &mut self,
        crew: &Crew<'a>,
        client: &Client,
        concurrency: usize,
        context: &Context,
    ) -> Result<(), Failure> {
        let mut logs = Some(client.notifications());
        let mut running = FuturesUnordered::new();
        loop {
            if context.interrupt.is_set() {
                self.stop(Reason::Interrupted, &crew.display)?;
            }
            while has_room(running.len(), concurrency, self.report.held())
                && let Some(at) = self.plan.begin()
            {
                let (line, member) = (&self.lines[at], self.members[at].take());
                running.push(async move {
                    // Each line begins once; its member is kept until its end.
                    let member = member?;
                    let outcome = crew.make(line, &member).await;
                    Some((at, outcome, member))
                });
            }
            tokio::select! {
                ended = running.next() => match ended {
                    Some(Some((at, outcome, member))) => {
                        settle(member, outcome.end.status());
                        self.end(at, &outcome, &crew.display)?;
                        renew(&mut logs, crew).await;
                    }
                    Some(None) => {}
                    None => return Ok(()),
                },
                log = next(&mut logs) => match log {
                    Some(log) => crew.display.log(&log),
                    None => logs = None,
                },
                () = context.interrupt.happened(), if self.stopped != Some(Reason::Interrupted) => {}
            }
        }
    }

    /// A line has come to its end.
    fn end(&mut self, at: usize, outcome: &Outcome, display: &Display<'_>) -> Result<(), Failure> {
        self.tell(at, outcome, display)?;
        if outcome.end.status() == Status::Ok {
            self.plan.succeed(at);
            return Ok(());
        }
        if outcome.end.status() == Status::Cancelled {
            // Race: the call may hear of the interrupt before this loop does. Whatever waits is left out for that reason, and
            // not because a line failed.
            return self.stop(Reason::Interrupted, display);
        }
        for skipped in self.plan.fail(at) {
            self.skip(skipped.line, Reason::After(skipped.parent), display)?;
        }
        if !self.keep_going {
            self.stop(Reason::Stopped, display)?;
        }
        Ok(())
    }

    /// No other line begins from now on.
    fn stop(&mut self, reason: Reason, display: &Display<'_>) -> Result<(), Failure> {
        for at in self.plan.stop() {
            self.skip(at, reason, display)?;
        }
        self.stopped = Some(reason);
        Ok(())
    }

    fn skip(&mut self, at: usize, reason: Reason, display: &Display<'_>) -> Result<(), Failure> {
        self.cut_short |= reason == Reason::Interrupted;
        // Leaves the whole, which goes no further by that.
        self.members[at] = None;
        let outcome = Outcome {
            end: End::Skipped(reason),
            attempts: 0,
            elapsed: Duration::ZERO,
        };
        self.tell(at, &outcome, display)
    }

    fn tell(&mut self, at: usize, outcome: &Outcome, display: &Display<'_>) -> Result<(), Failure> {
        let status = outcome.end.status();
        self.tally.count(at, status, outcome.end.code());
        self.report.add(self.lines, at, outcome)?;
        // That the rest was left out is said once, in the counts at the end.
        let is_news = !matches!(
            outcome.end,
            End::Skipped(Reason::Stopped | Reason::Interrupted)
        );
        let words = is_news.then(|| report::words(self.lines, at, outcome));
        display.over(&self.lines[at], status, words.as_deref(), &self.tally);
        Ok(())
    }

    fn code(&self) -> u8 {
        if self.cut_short || self.tally.cancelled > 0 {
            code::INTERRUPTED
        } else {
            self.tally.code(self.keep_going)
        }
    }
}

/// Whether another line may begin beside so many others, while so many bytes of results wait for their turn. One may always,
/// or the result that all wait for might never come.
const fn has_room(running: usize, concurrency: usize, held: usize) -> bool {
    running < concurrency && (running == 0 || held < HELD)
}

/// Whatever has come to an end counts in full, if it was not taken away.
fn settle(member: GroupMember, status: Status) {
    if !matches!(status, Status::Cancelled | Status::Skipped) {
        member.finish();
    }
}

/// The next word of the server beside the calls; none once there can be none.
async fn next(logs: &mut Option<Notifications>) -> Option<mcp_progress::Notification> {
    match logs {
        Some(logs) => logs.next().await,
        None => std::future::pending().await,
    }
}

/// Listens to the server that is there now, where the one before is gone.
async fn renew(logs: &mut Option<Notifications>, crew: &Crew<'_>) {
    if logs.is_none() {
        let client = crew.link.client().await;
        if !client.is_closed() {
            *logs = Some(client.notifications());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HELD, has_room};

    #[test]
    fn results_that_wait_are_bounded() {
        assert!(has_room(0, 1, 0) && has_room(3, 4, HELD - 1) && !has_room(4, 4, 0));
        assert!(!has_room(1, 4, HELD) && has_room(0, 4, HELD));
    }
}
