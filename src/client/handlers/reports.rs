//! The progress of a handler, to the server that asked for it.
//!
//! Owns the one reporter of a request, its sending beside the handler, and its end before the answer. It must not know what
//! the handler does, nor over what updates go.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Waker};
use std::time::Duration;

use crate::jsonrpc::ErrorObject;
use crate::model::ProgressToken;
use crate::reporter::{ProgressReporter, ReporterBuilder, ReporterDriver, ReporterError};
use crate::sync::{Arc, Mutex, wake};

/// How long an answer waits for the last update, where the server does not read.
const LAST_UPDATE: Duration = Duration::from_secs(1);

/// How often it is looked whether the last update has left.
const LOOK: Duration = Duration::from_millis(1);

/// The way of progress to the server of one connection.
pub(crate) trait Way: Send + Sync {
    /// What a reporter is made of; none where the client sends no progress in this revision.
    fn reporter(&self, token: ProgressToken) -> Option<ReporterBuilder>;

    /// Whether all that was to be sent has left. What is still there may be overtaken by an answer.
    fn is_clear(&self) -> bool;
}

/// The reporter of one request that brought a token, made when the handler first asks for it.
///
/// It has no task: its updates are sent in the handler's turns. So nothing goes out any more when the server has
/// cancelled its request and the handler is dropped, and what is held goes out before the answer.
pub(crate) struct Reports {
    token: ProgressToken,
    way: Arc<dyn Way>,
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    reporter: Option<ProgressReporter>,
    /// Its sending, until it is taken over.
    driver: Option<ReporterDriver>,
    /// Who takes it over.
    waker: Option<Waker>,
}

impl Reports {
    pub(super) fn new(token: ProgressToken, way: Arc<dyn Way>) -> Self {
        Self {
            token,
            way,
            made: Mutex::default(),
        }
    }

    /// The reporter; the first one to ask says how it is made.
    pub(super) fn reporter(
        &self,
        options: impl FnOnce(ReporterBuilder) -> ReporterBuilder,
    ) -> Result<ProgressReporter, ReporterError> {
        if let Some(reporter) = self.made.lock().reporter.clone() {
            return Ok(reporter);
        }
        let Some(builder) = self.way.reporter(self.token.clone()) else {
            return Ok(ProgressReporter::noop());
        };
        // Not under the lock (L2): options and telemetry are the user's.
        let (reporter, driver) = options(builder).build_with_driver()?;
        let waker = {
            let mut made = self.made.lock();
            // Race: another clone of the context was quicker. Its reporter counts, and this one has said nothing.
            if let Some(first) = made.reporter.clone() {
                return Ok(first);
            }
            made.reporter = Some(reporter.clone());
            made.driver = Some(driver);
            made.waker.take()
        };
        wake(waker);
        Ok(reporter)
    }

    /// Runs a handler and sends what it reports; then ends the reporter, as the handler has ended.
    pub(crate) async fn beside<T>(
        &self,
        handler: impl Future<Output = Result<T, ErrorObject>>,
    ) -> Result<T, ErrorObject> {
        let mut handler = pin!(handler);
        let mut sending = Sending::Nothing;
        let answer = poll_fn(|cx| {
            let answer = handler.as_mut().poll(cx);
            if answer.is_pending() {
                // After the handler, which may just have made it.
                self.send(&mut sending, cx);
            }
            answer
        })
        .await;
        let (reporter, driver) = {
            let mut made = self.made.lock();
            (made.reporter.clone(), made.driver.take())
        };
        if let Some(reporter) = reporter {
            // Refused where the handler has done it already.
            drop(match &answer {
                Ok(_) => reporter.finish(),
                Err(error) => reporter.fail(&error.message),
            });
        }
        let last = async {
            match (sending, driver) {
                (Sending::Reporter(driver), _) | (Sending::Nothing, Some(driver)) => driver.await,
                (Sending::Over | Sending::Nothing, _) => {}
            }
            // Answers go ahead of notifications: one that waits is let out first, also where the handler sent it under the
            // token by other means.
            while !self.way.is_clear() {
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(LAST_UPDATE, last).await.is_err() {
            tracing::warn!(token = %self.token, "the answer goes ahead of what a handler reported last");
        }
        answer
    }

    fn send(&self, sending: &mut Sending, cx: &mut Context<'_>) {
        if let Sending::Nothing = sending {
            let mut waker = Some(cx.waker().clone());
            let driver = {
                let mut made = self.made.lock();
                let driver = made.driver.take();
                if driver.is_none() {
                    std::mem::swap(&mut made.waker, &mut waker);
                }
                driver
            };
            drop(waker);
            if let Some(driver) = driver {
                *sending = Sending::Reporter(driver);
            }
        }
        if let Sending::Reporter(driver) = sending
            && Pin::new(driver).poll(cx).is_ready()
        {
            *sending = Sending::Over;
        }
    }
}

/// What is sent beside a handler.
enum Sending {
    /// It has not asked for a reporter yet.
    Nothing,
    Reporter(ReporterDriver),
    /// The handler has ended it itself, and all is sent.
    Over,
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reports")
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}
