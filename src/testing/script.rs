//! Owns what a server does with one request, as a list of steps. Must not know how steps are played.

use crate::reporter::{ProgressReporter, ReporterConfig};
use crate::testing::frame::Answer;
use crate::testing::input::answers::Answers;
use crate::testing::input::round::Round;
use crate::testing::report::Report;
use crate::testing::tasks::task::Task;
use crate::testing::update::Update;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One step of a script.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Update(Update),
    UpdateFor(Value, Update),
    Every(Duration, u64),
    Flood(u64),
    Notify(String, Value),
    Report(Report),
    Raw(Vec<u8>),
    Wait(Duration),
    BurstStart,
    BurstEnd,
    Answer(Answer),
    /// The empty result, unless there was an answer before.
    AnswerAtLeast,
    AnswerAgain,
    Silence,
    UntilCancelled,
    CloseStream,
    Crash,
    Ask(Round),
    Then(Next),
    BecomeTask,
    Status(String),
    PollInterval(Duration),
    Ttl(Option<Duration>),
    CallOff,
    Forget,
    /// The result of a task, once it is there.
    TaskResult(Arc<Task>),
}

/// What writes the steps that depend on answers.
#[derive(Clone)]
pub(crate) struct Next(Arc<dyn Fn(&Answers) -> Script + Send + Sync>);

impl Next {
    pub(crate) fn new(next: impl Fn(&Answers) -> Script + Send + Sync + 'static) -> Self {
        Self(Arc::new(next))
    }

    /// Puts the steps in front of those that are still to be played.
    pub(crate) fn go_on(&self, answers: &Answers, steps: &mut VecDeque<Step>) {
        for step in (self.0)(answers).steps.into_iter().rev() {
            steps.push_front(step);
        }
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Next")
    }
}

/// What a [`ScriptedServer`] does with one request, step by step.
///
/// Steps run in the order written; the scripts of several requests run at the same time. A script that has no
/// answer in it answers with an empty result after its last step. Updates carry the token of the request, with its
/// exact JSON type, and are left out where the request has none.
///
/// A `notifications/cancelled` for the request stops its script at once: nothing more is sent. Scripts with
/// [`until_cancelled`](Self::until_cancelled) or [`ignores_cancel`](Self::ignores_cancel) do otherwise.
///
/// ```
/// use mcp_progress::testing::Script;
/// use std::time::Duration;
///
/// let script = Script::new()
///     .progress_message(1.0, 3.0, "opening the archive")
///     .wait(Duration::from_millis(200))
///     .burst(|together| together.progress(2.0, 3.0).progress(3.0, 3.0).text("done"));
/// # let _ = script;
/// ```
///
/// [`ScriptedServer`]: crate::testing::ScriptedServer
#[derive(Clone, Debug, Default)]
#[must_use = "a script does nothing until a server plays it"]
pub struct Script {
    pub(crate) steps: Vec<Step>,
    pub(crate) ignores_cancel: bool,
    /// What was answered before this request, where it is a retry.
    pub(crate) answers: Answers,
    /// Whether it was begun by an earlier request.
    pub(crate) resumed: bool,
}

/// Updates.
impl Script {
    /// A script without steps: it answers with an empty result.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends one update. Numbers are written as given: `1` as an integer, `1.0` as a float.
    pub fn progress(self, progress: impl Into<Value>, total: impl Into<Value>) -> Self {
        self.progress_with(Update::new(progress).total(total))
    }

    /// Sends one update with a text.
    pub fn progress_message(
        self,
        progress: impl Into<Value>,
        total: impl Into<Value>,
        message: impl Into<String>,
    ) -> Self {
        self.progress_with(Update::new(progress).total(total).message(message))
    }

    /// Sends one update that may have any shape.
    ///
    /// ```
    /// use mcp_progress::testing::{Script, Update};
    ///
    /// let unknown_length = Script::new().progress_with(Update::new(17).message("17 files so far"));
    /// # let _ = unknown_length;
    /// ```
    pub fn progress_with(self, update: Update) -> Self {
        self.step(Step::Update(update))
    }

    /// Sends one update under a token of your choice: that of another request, one nobody has, or the request's own
    /// in another JSON type. It is sent also where the request has no token.
    ///
    /// ```
    /// use mcp_progress::testing::{Script, ScriptedServer, Update};
    ///
    /// let server = ScriptedServer::new().tool("retype", |request| {
    ///     let retyped = request.token().map_or_else(String::new, |token| token.to_string());
    ///     Script::new().progress_for(retyped, Update::new(1).total(2))
    /// });
    /// # let _ = server;
    /// ```
    pub fn progress_for(self, token: impl Into<Value>, update: Update) -> Self {
        self.step(Step::UpdateFor(token.into(), update))
    }

    /// Sends the updates 1 to `n` of `n`, each in a write of its own, with `pause` between two of them.
    /// Without a pause all are queued at once; for very many [`flood`](Self::flood) is kinder to the memory.
    pub fn every(self, pause: Duration, n: u64) -> Self {
        self.step(Step::Every(pause, n))
    }

    /// Sends the updates 1 to `n` of `n` as fast as the peer reads them, in writes of about 64 KiB.
    /// Does nothing where the request has no token.
    pub fn flood(self, n: u64) -> Self {
        self.step(Step::Flood(n))
    }
}

/// Reporting as real servers do.
impl Script {
    /// Runs `work` with a [`ProgressReporter`] for the request, and goes on when `work` has ended and the last update of
    /// its reporter is written. Where the request has no token, the reporter does nothing.
    ///
    /// Life-cycle events of the reporter are sent as log messages: in 2026-07-28 from the level that the request names, in
    /// the handshake revisions all of them.
    ///
    /// ```
    /// use mcp_progress::testing::{Script, ScriptedServer};
    /// use std::time::Duration;
    ///
    /// let server = ScriptedServer::new().tool("purge", |_request| {
    ///     Script::new()
    ///         .report(|reporter| async move {
    ///             let deleting = reporter.phase("Deleting", 0.0..0.9).total(100);
    ///             for _file in deleting.wrap(0..100) {
    ///                 tokio::time::sleep(Duration::from_millis(10)).await;
    ///             }
    ///             drop(deleting);
    ///             let _ = reporter.finish().await;
    ///         })
    ///         .text("purged")
    /// });
    /// # let _ = server;
    /// ```
    pub fn report<F, Fut>(self, work: F) -> Self
    where
        F: Fn(ProgressReporter) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.step(Step::Report(Report::new(None, work)))
    }

    /// As [`report`](Self::report), with options. Where they make no sense the reporter does nothing.
    pub fn report_with<F, Fut>(self, config: ReporterConfig, work: F) -> Self
    where
        F: Fn(ProgressReporter) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.step(Step::Report(Report::new(Some(config), work)))
    }
}

/// Other messages, time, and how they are written.
impl Script {
    /// Sends a log message (`notifications/message`). It is sent whatever level the client asked for.
    pub fn log(self, level: &str, data: impl Into<Value>) -> Self {
        self.notify(
            "notifications/message",
            json!({"level": level, "data": data.into()}),
        )
    }

    /// Sends a notification. With `Value::Null` as parameters it has none.
    pub fn notify(self, method: impl Into<String>, params: Value) -> Self {
        self.step(Step::Notify(method.into(), params))
    }

    /// Writes a line exactly as given, with a line feed behind it: something that is no JSON, another spelling of a
    /// message, a request to the client. Over HTTP the line is the data of an event.
    pub fn raw(self, line: impl AsRef<[u8]>) -> Self {
        let mut bytes = line.as_ref().to_vec();
        bytes.push(b'\n');
        self.step(Step::Raw(bytes))
    }

    /// Writes bytes exactly as given, without a line end: for a line that arrives in pieces. What other scripts
    /// write meanwhile may come between the pieces. Over HTTP the event is sent when its line is whole.
    pub fn raw_bytes(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.step(Step::Raw(bytes.into()))
    }

    /// Lets time pass on the clock of tokio.
    pub fn wait(self, time: Duration) -> Self {
        self.step(Step::Wait(time))
    }

    /// Holds back everything that the inner script writes until its end and then puts it into one write.
    ///
    /// The answer may be part of it, which shows whether a client delivers the updates that arrive together with the
    /// result. Inner pauses pass before the write, like in a server that buffers.
    ///
    /// ```
    /// use mcp_progress::testing::Script;
    ///
    /// let script = Script::new().burst(|together| together.progress(1, 2).progress(2, 2).text("done"));
    /// # let _ = script;
    /// ```
    pub fn burst(self, inner: impl FnOnce(Self) -> Self) -> Self {
        let inner = inner(Self::new());
        self.step(Step::BurstStart)
            .append(inner)
            .step(Step::BurstEnd)
    }
}

/// Answers and endings.
impl Script {
    /// Answers with this result. In a modern request (2026-07-28) the fields that the revision demands of every such
    /// result are added where they are missing: `resultType`, and for lists and contents `ttlMs` and `cacheScope`.
    pub fn result(self, result: Value) -> Self {
        self.step(Step::Answer(Answer::Result(result)))
    }

    /// Answers like a tool that succeeded, with one block of text.
    pub fn text(self, text: impl Into<String>) -> Self {
        self.result(json!({"content": [{"type": "text", "text": text.into()}]}))
    }

    /// Answers like a tool that failed (`isError`), with one block of text.
    pub fn tool_error(self, text: impl Into<String>) -> Self {
        self.result(json!({"content": [{"type": "text", "text": text.into()}], "isError": true}))
    }

    /// Answers with a JSON-RPC error.
    pub fn error(self, code: i64, message: impl Into<String>) -> Self {
        self.step(Step::Answer(Answer::error(code, message)))
    }

    /// Answers with a JSON-RPC error that carries data.
    pub fn error_with_data(self, code: i64, message: impl Into<String>, data: Value) -> Self {
        self.step(Step::Answer(Answer::Error {
            code,
            message: message.into(),
            data: Some(data),
        }))
    }

    /// Sends the last answer a second time; without an answer before it, the empty result twice.
    pub fn respond_twice(self) -> Self {
        self.step(Step::AnswerAtLeast).step(Step::AnswerAgain)
    }

    /// Goes on behind the answer, which the specification forbids and servers do. Without an answer before it, the
    /// empty result is sent first.
    ///
    /// ```
    /// use mcp_progress::testing::Script;
    ///
    /// let script = Script::new().progress(1, 2).text("done").then_late(|late| late.progress(2, 2));
    /// # let _ = script;
    /// ```
    pub fn then_late(self, late: impl FnOnce(Self) -> Self) -> Self {
        self.step(Step::AnswerAtLeast).append(late(Self::new()))
    }

    /// Never sends an answer by itself: the request stays open until it is cancelled or the connection ends. The steps
    /// behind this one still run.
    pub fn silence(self) -> Self {
        self.step(Step::Silence)
    }

    /// Closes the request's own stream over HTTP in good order while the script goes on: the connection stays.
    ///
    /// In the handshake revisions the client fetches what follows with `Last-Event-ID`; in 2026-07-28 it is lost and
    /// the request counts as cancelled. It does nothing over a byte stream, with JSON replies, and on a stream that
    /// other requests share.
    ///
    /// ```
    /// use mcp_progress::testing::Script;
    /// use std::time::Duration;
    ///
    /// let polled = Script::new().progress(1, 2).close_stream().wait(Duration::from_secs(1)).text("done");
    /// # let _ = polled;
    /// ```
    pub fn close_stream(self) -> Self {
        self.step(Step::CloseStream)
    }

    /// Closes the connection in mid-call, once what was written before has gone out (or a second has passed).
    /// The steps behind this one do not run.
    ///
    /// Over HTTP it breaks the connection that the request's stream is read on. A session lives on, but a client that
    /// resumes the stream waits there in vain, as with some servers.
    pub fn crash(self) -> Self {
        self.step(Step::Crash)
    }

    /// Waits until the request is cancelled, then goes on with the steps behind this one.
    ///
    /// A cancellation that comes earlier cuts short the steps before this one. From there on the script cannot be
    /// stopped, and it sends no answer that it does not spell out: the specification asks for none.
    ///
    /// ```
    /// use mcp_progress::testing::Script;
    /// use std::time::Duration;
    ///
    /// let cleans_up = Script::new()
    ///     .every(Duration::from_millis(100), 50)
    ///     .until_cancelled()
    ///     .progress_message(50, 50, "cancelled, all is undone");
    /// # let _ = cleans_up;
    /// ```
    pub fn until_cancelled(self) -> Self {
        self.step(Step::UntilCancelled)
    }

    /// Runs to the end and answers although the request is cancelled, like many servers do.
    pub fn ignores_cancel(mut self) -> Self {
        self.ignores_cancel = true;
        self
    }

    /// The same script, starting after `time`.
    pub(crate) fn delayed(self, time: Duration) -> Self {
        Self::new().wait(time).append(self)
    }

    pub(crate) fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    fn append(mut self, inner: Self) -> Self {
        self.steps.extend(inner.steps);
        self.ignores_cancel |= inner.ignores_cancel;
        self
    }
}
