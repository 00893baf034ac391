//! A sink that writes down what it is given and when, and fails when it is told to.
//!
//! Owns the receiving end of the tests. It must not know what should arrive.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::future::BoxFuture;
use mcp_progress::model::LoggingLevel;
use mcp_progress::reporter::{ProgressUpdate, ReporterBuilder, SinkError};
use mcp_progress::{ProgressReporter, ProgressSink, ProgressToken};
use serde_json::Value;
use tokio::time::Instant;

use crate::peer::now;

/// Clones write into the same book.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    begun: Instant,
    book: Arc<Mutex<Book>>,
}

#[derive(Debug, Default)]
struct Book {
    received: Vec<Received>,
    attempts: Vec<u64>,
    logs: Vec<(LoggingLevel, Value)>,
    /// What becomes of the next attempts; they succeed when this has run out.
    plan: VecDeque<Result<(), SinkError>>,
    takes: Duration,
    offers_logs: bool,
}

/// One update and its time in milliseconds since the beginning.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Received {
    pub(crate) at: u64,
    pub(crate) value: f64,
    pub(crate) total: Option<f64>,
    pub(crate) message: Option<String>,
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            begun: now(),
            book: Arc::default(),
        }
    }

    /// A recorder, and a reporter to it with these options and its life-cycle events kept to `tracing`.
    pub(crate) fn reporter(
        options: impl FnOnce(ReporterBuilder) -> ReporterBuilder,
    ) -> (ProgressReporter, Self) {
        let recorder = Self::new();
        let reporter = recorder.report(options);
        (reporter, recorder)
    }

    /// A reporter to this recorder under the token `t`.
    pub(crate) fn report(
        &self,
        options: impl FnOnce(ReporterBuilder) -> ReporterBuilder,
    ) -> ProgressReporter {
        let builder = ProgressReporter::builder(self.clone()).token(ProgressToken::from("t"));
        options(builder).build().expect("the options make sense")
    }

    pub(crate) fn fail_next(&self, errors: impl IntoIterator<Item = SinkError>) {
        self.book().plan.extend(errors.into_iter().map(Err));
    }

    /// Every send takes this long from now on.
    pub(crate) fn take_time(&self, takes: Duration) {
        self.book().takes = takes;
    }

    pub(crate) fn offer_logs(&self) {
        self.book().offers_logs = true;
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.book().received.clone()
    }

    /// The values alone.
    pub(crate) fn values(&self) -> Vec<f64> {
        self.received().iter().map(|update| update.value).collect()
    }

    /// When the sink was asked, in milliseconds, with success or without.
    pub(crate) fn attempts(&self) -> Vec<u64> {
        self.book().attempts.clone()
    }

    pub(crate) fn logs(&self) -> Vec<(LoggingLevel, Value)> {
        self.book().logs.clone()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("no test panics with the book open")
    }

    fn at(&self) -> u64 {
        let at = now().duration_since(self.begun).as_millis();
        u64::try_from(at).expect("a test is short")
    }
}

impl ProgressSink for Recorder {
    fn send(&self, update: ProgressUpdate) -> BoxFuture<'_, Result<(), SinkError>> {
        Box::pin(async move {
            assert_eq!(update.token, ProgressToken::from("t"));
            let takes = self.book().takes;
            if !takes.is_zero() {
                tokio::time::sleep(takes).await;
            }
            let at = self.at();
            let mut book = self.book();
            book.attempts.push(at);
            book.plan.pop_front().unwrap_or(Ok(()))?;
            book.received.push(Received {
                at,
                value: update.progress,
                total: update.total,
                message: update.message,
            });
            Ok(())
        })
    }

    fn log(
        &self,
        level: LoggingLevel,
        data: Value,
    ) -> Option<BoxFuture<'_, Result<(), SinkError>>> {
        let mut book = self.book();
        if !book.offers_logs {
            return None;
        }
        book.logs.push((level, data));
        Some(Box::pin(async { Ok(()) }))
    }
}

/// Lets so many milliseconds pass on the paused clock.
pub(crate) async fn pass(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    crate::peer::settle().await;
}
