//! The stream that belongs to no request: what the server sends of its own accord (GET, handshake revisions).
//!
//! Owns keeping it open. It keeps no connection alive, and has no clocks. It must not know what the messages say.

use std::time::{Duration, Instant};

use super::backoff::Backoff;
use super::content::{is_passing, is_stream};
use super::link::{Link, ServerStream};
use super::reply::Reader;
use crate::client::clock;
use crate::error::Result;
use crate::session::stats::DiagnosticKind;
use crate::sync::Arc;

/// A stream that stayed open for so long was not closed at once.
const LASTING: Duration = Duration::from_secs(5);

/// Opens the stream, unless that was done before. A server may have none (2025-11-25, Streamable HTTP, "Listening for
/// Messages from the Server").
pub(super) fn open(link: &Arc<Link>) {
    let begins = link.stream.send_if_modified(|state| {
        let begins = *state == ServerStream::Idle;
        if begins {
            *state = ServerStream::Opening;
        }
        begins
    });
    if begins {
        let task = link.runtime.spawn(run(link.clone()));
        link.keep(task.abort_handle());
    }
}

async fn run(link: Arc<Link>) {
    loop {
        tokio::select! {
            biased;
            () = link.restart.notified() => {
                link.stream.send_replace(ServerStream::Opening);
            }
            () = keep_open(&link) => {
                // Refused: only another session can change that.
                link.restart.notified().await;
                link.stream.send_replace(ServerStream::Opening);
            }
        }
    }
}

/// Reads the stream, over as many connections as it takes, until the server has none.
async fn keep_open(link: &Link) {
    let mut reader = Reader::new(link, None);
    let mut backoff = Backoff::default();
    let mut lost_since: Option<Instant> = None;
    loop {
        let sent = link.channel.send(link.get(reader.last_event_id())).await;
        match sent {
            Ok(mut response) if response.status().is_success() && is_stream(response.headers()) => {
                if lost_since.is_some() {
                    note_resumed(link);
                }
                link.stream.send_replace(ServerStream::Open);
                let opened = clock::now();
                while step(&mut reader, &mut response)
                    .await
                    .is_ok_and(|more| more)
                {}
                if reader.bytes > 0 {
                    lost_since = None;
                }
                // A server that closes the stream as soon as it is open is asked less and less often.
                let lasted = clock::now().saturating_duration_since(opened);
                if reader.retry.is_some() || lasted >= LASTING {
                    backoff.succeeded();
                }
            }
            Ok(response) if is_passing(response.status()) => {
                tracing::debug!(status = %response.status(), "the server's own stream cannot be opened");
            }
            Ok(response) => {
                tracing::debug!(status = %response.status(), "the server has no stream of its own");
                link.stream.send_replace(ServerStream::Refused);
                link.orphan(
                    "the server's own stream, which was to bring the answer, is gone",
                    clock::now(),
                );
                return;
            }
            Err(error) => tracing::debug!(%error, "the server's own stream cannot be opened"),
        }
        reader.resume();
        if let Some(retry) = reader.retry.take() {
            backoff.want(retry);
        }
        let since = *lost_since.get_or_insert_with(clock::now);
        if clock::now().saturating_duration_since(since) > link.channel.resume_timeout {
            link.orphan(
                "the server's own stream, which was to bring the answer, cannot be opened again",
                clock::now(),
            );
        }
        tokio::time::sleep(backoff.next()).await;
    }
}

async fn step(reader: &mut Reader<'_>, response: &mut reqwest::Response) -> Result<bool> {
    let step = reader.step(response).await;
    if let Err(error) = &step {
        tracing::debug!(%error, "the server's own stream broke");
    }
    step
}

/// Calls whose answer this stream brings may have missed updates.
fn note_resumed(link: &Link) {
    for (flight, _) in link.adopted() {
        flight.slot.mark_gap();
    }
    link.session
        .counters
        .note(DiagnosticKind::Resumed, || "the server's own stream");
}
