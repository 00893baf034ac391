//! The tasks of one connection: reader, writer, and the one that sees both to their end.
//!
//! Owns reading, writing and closing. It runs no handler and must not know what messages mean.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinHandle};

use super::clock;
use super::turn::Reading;
use crate::codec::lines::{Line, Lines};
use crate::error::{Error, ErrorKind, Result};
use crate::session::calls::Session;
use crate::session::read::Read;
use crate::sync::Arc;
use crate::transport::connector::{ByteReader, ByteWriter, Kept};

/// A reader takes at most this much at once.
const READ_BYTES: usize = 64 * 1024;

/// How long what is queued may take to be written once the connection is closed,
const FLUSH: Duration = Duration::from_secs(1);
/// the server to close its side where it is no child process,
const LINGER: Duration = Duration::from_secs(2);
/// and a child process that has closed its output to exit, so that the error can say how.
#[cfg(feature = "stdio")]
const EXIT: Duration = Duration::from_millis(500);

/// The handle on a connection's tasks.
#[derive(Debug)]
pub(crate) struct Driver {
    closing: Arc<Notify>,
    done: watch::Receiver<bool>,
}

impl Driver {
    pub(crate) fn start(
        runtime: &Handle,
        session: &Arc<Session>,
        (reader, writer): (ByteReader, ByteWriter),
        kept: Kept,
        limit: usize,
    ) -> Self {
        Self::supervised(runtime, |closing| {
            let tasks = Tasks {
                reading: runtime.spawn(read(session.clone(), reader, limit)),
                writing: runtime.spawn(write(session.clone(), writer)),
                session: session.clone(),
                closing,
                #[cfg(feature = "stdio")]
                child: kept.child,
            };
            async move {
                tasks.supervise().await;
                drop(kept.guard);
            }
        })
    }

    /// The handle on a connection that `supervise` sees to its end; it is given what tells it to close.
    pub(super) fn supervised<F>(runtime: &Handle, supervise: impl FnOnce(Arc<Notify>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let closing = Arc::new(Notify::new());
        let (done, observed) = watch::channel(false);
        let supervise = supervise(closing.clone());
        runtime.spawn(async move {
            supervise.await;
            done.send_replace(true);
        });
        Self {
            closing,
            done: observed,
        }
    }

    /// Ends the connection once what is queued has been written; returns at once.
    pub(crate) fn close(&self) {
        self.closing.notify_one();
    }

    /// Waits until everything is closed and reaped.
    pub(crate) async fn closed(&self) {
        // An error means that the runtime has dropped the task: nothing is left to wait for.
        let _ = self.done.clone().wait_for(|done| *done).await;
    }
}

struct Tasks {
    session: Arc<Session>,
    reading: JoinHandle<Result<()>>,
    writing: JoinHandle<io::Result<()>>,
    closing: Arc<Notify>,
    #[cfg(feature = "stdio")]
    child: Option<crate::transport::process::guard::ChildGuard>,
}

/// Also when the runtime drops the tasks, no call is left waiting.
impl Drop for Tasks {
    fn drop(&mut self) {
        let error = Error::connect("the runtime that drove the connection has ended");
        self.session.disconnect(error, clock::now());
        self.session.outbox.abort();
    }
}

impl Tasks {
    async fn supervise(mut self) {
        let closing = self.closing.clone();
        tokio::select! {
            biased;
            ended = &mut self.reading => self.lost(ended).await,
            ended = &mut self.writing => self.broken(ended).await,
            () = closing.notified() => self.close().await,
        }
        self.session.outbox.abort();
        self.writing.abort();
        // Not awaited for ever: the child's end, just below, ends a reader that is still at it.
        #[cfg(feature = "stdio")]
        if let Some(child) = self.child.take() {
            child.shut_down().await;
        }
        self.reading.abort();
    }

    /// The server closed its side, or broke the protocol beyond repair.
    async fn lost(&mut self, ended: Result<Result<()>, JoinError>) {
        let error = match ended {
            Ok(Ok(())) => self.describe("the server closed the connection").await,
            Ok(Err(error)) => error,
            Err(error) => Error::connect("the reader failed").with_source(error),
        };
        self.session.disconnect(error, clock::now());
    }

    /// The server takes no more; what it has already written is read first.
    async fn broken(&mut self, ended: Result<io::Result<()>, JoinError>) {
        let _ = tokio::time::timeout(FLUSH, &mut self.reading).await;
        let error = self.describe("the server closed its input").await;
        let error = match ended {
            Ok(Ok(())) => error,
            Ok(Err(source)) => error.with_source(source),
            Err(source) => error.with_source(source),
        };
        self.session.disconnect(error, clock::now());
    }

    /// This side is done: write what is queued, which closes the server's input, then give it time to go.
    async fn close(&mut self) {
        self.session.outbox.close();
        let _ = tokio::time::timeout(FLUSH, &mut self.writing).await;
        self.writing.abort();
        #[cfg(feature = "stdio")]
        if let Some(child) = self.child.take() {
            child.shut_down().await;
        }
        let _ = tokio::time::timeout(LINGER, &mut self.reading).await;
        self.session
            .disconnect(Error::connect("the client was closed"), clock::now());
    }

    #[cfg(feature = "stdio")]
    async fn describe(&mut self, what: &str) -> Error {
        let Some(child) = &mut self.child else {
            return Error::connect(what);
        };
        let report = child.exit_report(EXIT).await;
        Error::connect(format!("{what}; the server process {report}"))
            .with_hint("run the command by hand to see what it says")
            .with_detail(report.last_lines())
    }

    #[cfg(not(feature = "stdio"))]
    #[expect(
        clippy::needless_pass_by_ref_mut,
        reason = "with `stdio` it waits for the child"
    )]
    async fn describe(&mut self, what: &str) -> Error {
        Error::connect(what)
    }
}

async fn read(session: Arc<Session>, mut reader: ByteReader, limit: usize) -> Result<()> {
    let mut turn = Reading::new();
    let mut lines = Lines::new(limit);
    let mut read = Read::new(clock::now());
    // What was taken in since others last had a chance to run.
    let mut intake = 0;
    loop {
        let buffer = lines.buffer();
        buffer.reserve(READ_BYTES);
        let mut limited = (&mut reader).take(READ_BYTES as u64);
        let mut reading = pin!(limited.read_buf(buffer));
        let taken = poll_fn(|cx| {
            let poll = reading.as_mut().poll(cx);
            if poll.is_pending() {
                read.finish();
                intake = 0;
            }
            poll
        });
        let taken = taken.await.map_err(|error| {
            Error::new(ErrorKind::ConnectionLost, "reading from the server failed")
                .with_source(error)
        })?;
        read.again(clock::now());
        let dispatched = if taken == 0 {
            match lines.finish() {
                Some(Line::Whole(frame)) => session.dispatch_last(frame, &mut read),
                line => line.map_or(Ok(()), |line| dispatch(&session, &line, limit, &mut read)),
            }
        } else {
            dispatch_all(&session, &mut lines, &mut read)
        };
        if taken == 0 || dispatched.is_err() {
            // Woken also when the connection cannot go on: what came before counts.
            read.finish();
            return dispatched;
        }
        read.wake_answered();
        intake += taken;
        if intake >= turn.bytes() || read.is_crowded() {
            read.finish();
            turn.give_way().await;
            intake = 0;
        }
    }
}

fn dispatch_all(session: &Session, lines: &mut Lines, read: &mut Read) -> Result<()> {
    let limit = lines.limit();
    while let Some(line) = lines.next() {
        dispatch(session, &line, limit, read)?;
    }
    Ok(())
}

fn dispatch(session: &Session, line: &Line<'_>, limit: usize, read: &mut Read) -> Result<()> {
    match line {
        Line::Whole(frame) => session.dispatch(frame, read),
        Line::TooLong { start, length } => {
            session.dispatch_oversized(start, *length, limit, read);
            Ok(())
        }
    }
}

async fn write(session: Arc<Session>, mut writer: ByteWriter) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let more = poll_fn(|cx| session.outbox.poll_take(&mut buffer, clock::now, cx)).await;
        if !more {
            return writer.shutdown().await;
        }
        writer.write_all(&buffer).await?;
        writer.flush().await?;
    }
}
