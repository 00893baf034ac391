//! Owns the bridge from blocking streams to asynchronous ones, a thread for each direction. Must not know MCP.
//!
//! Tokio's own standard input keeps a runtime from ending until one more line is read. A server that crashes by
//! script must end at once, so the thread that reads is one that nobody waits for.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::thread;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{mpsc, oneshot};

/// How much one read takes, in bytes.
const READ: usize = 64 * 1024;

/// The asynchronous end of a blocking reader.
#[derive(Debug)]
pub(crate) struct Reader {
    chunks: mpsc::Receiver<Vec<u8>>,
    chunk: Vec<u8>,
    taken: usize,
}

/// Starts a thread that reads `source` to its end. A failed read is an end.
pub(crate) fn reader(mut source: impl Read + Send + 'static) -> io::Result<Reader> {
    // One chunk ahead: a server that does not read must let its peer feel it.
    let (sender, chunks) = mpsc::channel(1);
    thread::Builder::new()
        .name("scripted-server-in".to_owned())
        .spawn(move || {
            let mut buffer = vec![0; READ];
            loop {
                match source.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(n) => {
                        if sender.blocking_send(buffer[..n].to_vec()).is_err() {
                            return;
                        }
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return,
                }
            }
        })?;
    Ok(Reader {
        chunks,
        chunk: Vec::new(),
        taken: 0,
    })
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.taken == self.chunk.len() {
            match ready!(self.chunks.poll_recv(cx)) {
                Some(chunk) => {
                    self.chunk = chunk;
                    self.taken = 0;
                }
                None => return Poll::Ready(Ok(())),
            }
        }
        let rest = &self.chunk[self.taken..];
        let n = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..n]);
        self.taken += n;
        Poll::Ready(Ok(()))
    }
}

/// Bytes for one write, and where its outcome goes.
type Job = (Vec<u8>, oneshot::Sender<io::Result<()>>);

/// The asynchronous end of a blocking writer. Each write is one write of the blocking side.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: mpsc::UnboundedSender<Job>,
    pending: Option<oneshot::Receiver<io::Result<()>>>,
}

/// Starts a thread that writes to `target` until the writer is dropped.
pub(crate) fn writer(mut target: impl Write + Send + 'static) -> io::Result<Writer> {
    let (jobs, mut queue) = mpsc::unbounded_channel::<Job>();
    thread::Builder::new()
        .name("scripted-server-out".to_owned())
        .spawn(move || {
            while let Some((bytes, outcome)) = queue.blocking_recv() {
                // Nobody listens any more when the connection was dropped in mid-write.
                let _ = outcome.send(target.write_all(&bytes).and_then(|()| target.flush()));
            }
        })?;
    Ok(Writer {
        jobs,
        pending: None,
    })
}

impl AsyncWrite for Writer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.as_mut().poll_flush(cx))?;
        let (outcome, pending) = oneshot::channel();
        if self.jobs.send((buf.to_vec(), outcome)).is_err() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        self.pending = Some(pending);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(pending) = self.pending.as_mut() else {
            return Poll::Ready(Ok(()));
        };
        let outcome = ready!(Pin::new(pending).poll(cx));
        self.pending = None;
        Poll::Ready(outcome.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into())))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}
