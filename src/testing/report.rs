//! Owns the step of a script that reports progress as a real server does. Must not know how it is played.

use crate::model::{LoggingLevel, ProgressToken};
use crate::reporter::{
    ProgressReporter, ProgressSink, ProgressUpdate, ReporterConfig, ReporterDriver, SinkError,
    default_config,
};
use crate::testing::request::Request;
use crate::testing::update::Update;
use futures::future::{BoxFuture, ready};
use serde_json::{Value, json};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// `_meta` key with the level from which a modern request wants log messages (2026-07-28, `RequestMetaObject`).
const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

type Work = dyn Fn(ProgressReporter) -> BoxFuture<'static, ()> + Send + Sync;

/// The work of such a step, and how its reporter is set.
#[derive(Clone)]
pub(crate) struct Report {
    work: Arc<Work>,
    /// None for the process-wide default at the time of playing.
    config: Option<ReporterConfig>,
}

impl Report {
    pub(crate) fn new<F, Fut>(config: Option<ReporterConfig>, work: F) -> Self
    where
        F: Fn(ProgressReporter) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let work = Arc::new(move |reporter| Box::pin(work(reporter)) as BoxFuture<'static, ()>);
        Self { work, config }
    }
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Report")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// One playing of the step: to be polled until both futures are over.
pub(crate) struct Reporting {
    /// The script's own work.
    pub(crate) work: BoxFuture<'static, ()>,
    /// The sending, which ends when every handle of the reporter is gone and all is sent.
    pub(crate) driver: ReporterDriver,
    pub(crate) written: Written,
}

/// What the reporter has sent and the script has not yet written.
#[derive(Clone, Default)]
pub(crate) struct Written(Arc<Mutex<Vec<Sent>>>);

/// One thing that a reporter has sent.
pub(crate) enum Sent {
    Update(Update),
    /// The parameters of a log message.
    Log(Value),
}

impl Written {
    /// Takes all of it.
    pub(crate) fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut *self.lock())
    }

    fn push(&self, sent: Sent) {
        self.lock().push(sent);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Sent>> {
        // Nothing in here can panic half-way through a change, so a poisoned list is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Report {
    pub(crate) fn begin(&self, request: &Request) -> Reporting {
        let written = Written::default();
        let sink = ScriptSink {
            written: written.clone(),
            log_from: log_from(request),
        };
        let token = request
            .token()
            .and_then(|token| serde_json::from_value::<ProgressToken>(token.clone()).ok());
        let built = ProgressReporter::builder(sink)
            .token(token)
            .or_noop()
            .config(self.config.clone().unwrap_or_else(default_config))
            .build_with_driver();
        let (reporter, driver) = match built {
            Ok(built) => built,
            Err(error) => {
                tracing::warn!(%error, "a script does not report");
                (ProgressReporter::noop(), ReporterDriver::idle())
            }
        };
        Reporting {
            work: (self.work)(reporter),
            driver,
            written,
        }
    }
}

/// From which severity on the request wants log messages; none for none at all.
fn log_from(request: &Request) -> Option<LoggingLevel> {
    if request.protocol_version().is_none() {
        return Some(LoggingLevel::Debug);
    }
    serde_json::from_value(request.meta().get(LOG_LEVEL)?.clone()).ok()
}

/// Collects what is sent for the script, which writes it in its own order and form.
struct ScriptSink {
    written: Written,
    log_from: Option<LoggingLevel>,
}

impl ProgressSink for ScriptSink {
    fn send(&self, update: ProgressUpdate) -> BoxFuture<'_, Result<(), SinkError>> {
        let sent = serde_json::to_value(&update).map(|params| {
            let fields = params.as_object().into_iter().flatten();
            // Updates carry the request's own token, as the request spelt it.
            let update = fields
                .filter(|(name, _)| *name != "progressToken")
                .fold(Update::empty(), |update, (name, value)| {
                    update.other(name, value.clone())
                });
            self.written.push(Sent::Update(update));
        });
        Box::pin(ready(
            sent.map_err(|error| SinkError::permanent(error.to_string())),
        ))
    }

    fn log(
        &self,
        level: LoggingLevel,
        data: Value,
    ) -> Option<BoxFuture<'_, Result<(), SinkError>>> {
        self.log_from.filter(|from| level >= *from)?;
        let params = json!({"level": level, "logger": "progress", "data": data});
        self.written.push(Sent::Log(params));
        Some(Box::pin(ready(Ok(()))))
    }
}
