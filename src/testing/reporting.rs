//! Owns the playing of work that reports. Must not know what the work is.

use crate::testing::report::{Report, Reporting, Sent};
use crate::testing::runner::Runner;
use futures::future::join;
use std::future::{Future, poll_fn};
use std::pin::pin;

impl Runner {
    /// Runs the work, and writes what its reporter sends until that has ended.
    pub(crate) async fn report(&mut self, report: &Report) {
        let Reporting {
            work,
            driver,
            written,
        } = report.begin(&self.request);
        let mut whole = pin!(join(work, driver));
        poll_fn(|cx| {
            let over = whole.as_mut().poll(cx);
            // Whatever was sent in this turn, before it can be seen that the work has ended.
            for sent in written.take() {
                match sent {
                    Sent::Update(update) => self.update(&update),
                    Sent::Log(params) => self.notify("notifications/message", &params),
                }
            }
            over.map(drop)
        })
        .await;
    }
}
