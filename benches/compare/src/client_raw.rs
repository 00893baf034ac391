//! The lower bound: what the work costs when it is written by hand for exactly this server.
//!
//! One task reads at most 64 KiB at a time, splits lines and has serde_json parse each into a borrowed struct; requests are formatted
//! by hand. It has no time-outs, no cancellation, no other message than the ones below, and it trusts the server.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};

use crate::Failure;
use crate::client::{Client, Setup, Tool};
use crate::judge::Book;

const READ_SIZE: usize = 64 * 1024;
/// How long a slow consumer may work on after its result has come, before the rest is merged into the newest.
const DRAIN_FOR: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug)]
pub struct RawClient {
    child: Child,
    writer: tokio::sync::Mutex<Writer>,
    calls: Arc<Mutex<HashMap<u64, Entry>>>,
    setup: Setup,
}

#[derive(Debug)]
struct Writer {
    stdin: ChildStdin,
    next_id: u64,
    line: Vec<u8>,
}

/// What the reader needs of one call in flight. Its id is its token and its slot in the book.
#[derive(Debug)]
struct Entry {
    updates: u64,
    done: oneshot::Sender<bool>,
    /// Where the updates go when the consumer is slow; otherwise the reader hands them over itself.
    backlog: Option<mpsc::UnboundedSender<f64>>,
}

#[derive(Deserialize)]
struct Line<'a> {
    id: Option<u64>,
    #[serde(borrow)]
    method: Option<&'a str>,
    #[serde(borrow)]
    params: Option<Params<'a>>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(rename = "progressToken")]
    token: u64,
    progress: f64,
    #[expect(dead_code, reason = "parsed because a client has to")]
    total: Option<f64>,
    #[serde(borrow)]
    #[expect(dead_code, reason = "parsed because a client has to")]
    message: Option<&'a str>,
}

impl RawClient {
    /// Writes one request, its entry in place before the first byte.
    async fn send(
        &self,
        tool: Tool,
        updates: u64,
        backlog: Option<mpsc::UnboundedSender<f64>>,
    ) -> Result<(u64, oneshot::Receiver<bool>), Failure> {
        use std::io::Write;

        let (done, result) = oneshot::channel();
        let mut writer = self.writer.lock().await;
        let Writer {
            stdin,
            next_id,
            line,
        } = &mut *writer;
        let id = *next_id;
        *next_id += 1;
        lock(&self.calls).insert(
            id,
            Entry {
                updates,
                done,
                backlog,
            },
        );
        line.clear();
        writeln!(
            line,
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{}","arguments":{{"n":{updates}}},"_meta":{{"progressToken":{id}}}}}}}"#,
            tool.name()
        )?;
        stdin.write_all(line).await?;
        Ok((id, result))
    }
}

impl Client for RawClient {
    type Held = oneshot::Receiver<bool>;

    async fn connect(server: &Path, setup: Setup) -> Result<Self, Failure> {
        let mut child = Command::new(server)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().ok_or("no stdin")?;
        let mut stdout = child.stdout.take().ok_or("no stdout")?;
        stdin
            .write_all(
                concat!(
                    r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","#,
                    r#""capabilities":{},"clientInfo":{"name":"raw","version":"0"}}}"#,
                    "\n"
                )
                .as_bytes(),
            )
            .await?;
        let mut answer = Vec::new();
        while answer.last() != Some(&b'\n') {
            if stdout.read_buf(&mut answer).await? == 0 {
                return Err("the server ended during the handshake".into());
            }
        }
        let answer: Line<'_> = serde_json::from_slice(&answer)?;
        answer.result.ok_or("initialize failed")?;
        stdin
            .write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n")
            .await?;

        let calls = Arc::new(Mutex::new(HashMap::new()));
        tokio::spawn(read(stdout, Arc::clone(&calls), Arc::clone(&setup.book)));
        let writer = tokio::sync::Mutex::new(Writer {
            stdin,
            next_id: 0,
            line: Vec::new(),
        });
        Ok(Self {
            child,
            writer,
            calls,
            setup,
        })
    }

    async fn call(&self, tool: Tool, updates: u64) -> Result<(), Failure> {
        let (_, result) = self.send(tool, updates, None).await?;
        succeeded(result.await)
    }

    async fn slow_call(&self, updates: u64) -> Result<(), Failure> {
        let (backlog, mut arrived) = mpsc::unbounded_channel();
        let (id, result) = self.send(Tool::Flood, updates, Some(backlog)).await?;
        let mut drain_until = None;
        while let Some(progress) = arrived.recv().await {
            self.setup.book.seen(id, progress, 1);
            tokio::time::sleep(self.setup.pause).await;
            // The reader drops its end when the result is in.
            if arrived.is_closed()
                && Instant::now() >= *drain_until.get_or_insert_with(|| Instant::now() + DRAIN_FOR)
            {
                break;
            }
        }
        let (mut newest, mut merged) = (0.0, 0);
        while let Ok(progress) = arrived.try_recv() {
            newest = progress;
            merged += 1;
        }
        if merged > 0 {
            self.setup.book.seen(id, newest, merged);
        }
        let result = result.await;
        self.setup.book.resolved(id, updates);
        succeeded(result)
    }

    async fn hold(&self) -> Result<Self::Held, Failure> {
        Ok(self.send(Tool::Hang, 0, None).await?.1)
    }

    async fn close(self) -> Result<(), Failure> {
        let Self {
            mut child, writer, ..
        } = self;
        drop(writer);
        child.wait().await?;
        Ok(())
    }
}

fn succeeded(result: Result<bool, oneshot::error::RecvError>) -> Result<(), Failure> {
    if result? {
        Ok(())
    } else {
        Err("the server answered with an error".into())
    }
}

fn lock(calls: &Mutex<HashMap<u64, Entry>>) -> std::sync::MutexGuard<'_, HashMap<u64, Entry>> {
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads until the server ends. A broken line ends the connection, and with it every call.
async fn read(mut stdout: ChildStdout, calls: Arc<Mutex<HashMap<u64, Entry>>>, book: Arc<Book>) {
    let mut buffer = vec![0; 2 * READ_SIZE];
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..filled + READ_SIZE) {
        match stdout.read(room).await {
            Ok(read) if read > 0 => filled += read,
            _ => break,
        }
        let Some(end) = memchr::memrchr(b'\n', &buffer[..filled]) else {
            continue;
        };
        // One lock per read, not one per line.
        if dispatch(&buffer[..=end], &mut lock(&calls), &book).is_err() {
            break;
        }
        buffer.copy_within(end + 1..filled, 0);
        filled -= end + 1;
    }
    lock(&calls).clear();
}

fn dispatch(
    lines: &[u8],
    calls: &mut HashMap<u64, Entry>,
    book: &Book,
) -> Result<(), serde_json::Error> {
    let mut rest = lines;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        let line: Line<'_> = serde_json::from_slice(&rest[..end])?;
        rest = &rest[end + 1..];
        match line {
            Line {
                method: Some("notifications/progress"),
                params: Some(update),
                ..
            } => {
                match calls
                    .get(&update.token)
                    .and_then(|entry| entry.backlog.as_ref())
                {
                    None => book.seen(update.token, update.progress, 1),
                    // A closed backlog is a call that gave up; then nobody waits for the update.
                    Some(backlog) => drop(backlog.send(update.progress)),
                }
            }
            Line {
                id: Some(id),
                result,
                ..
            } => {
                if let Some(Entry {
                    updates,
                    done,
                    backlog,
                }) = calls.remove(&id)
                {
                    if backlog.is_none() {
                        book.resolved(id, updates);
                    }
                    drop(backlog);
                    // Likewise: whoever dropped the call does not want the result.
                    let _ = done.send(result.is_some());
                }
            }
            _ => {}
        }
    }
    Ok(())
}
