//! The events of one call: its updates, then how it ended.
//!
//! Owns what is said when. It must not know where the events go.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FusedStream, Stream, StreamExt};
use serde::Serialize;
use serde_json::value::RawValue;

use super::event::SseEvent;
use crate::client::combinators::{Estimated, Throttle, UpdatesExt, WithEstimate};
use crate::model::progress::Progress;
use crate::model::token::ProgressToken;
use crate::progress::end::StreamEnd;
use crate::progress::updates::Updates;
use crate::ui::json::ProgressEvent;

/// Updates a second where nothing else is said: a bar that moves ten times a second moves smoothly, and no server
/// drowns a browser.
const USUAL_RATE: f64 = 10.0;

/// How long a browser is told to wait before it connects again.
const USUAL_RETRY: Duration = Duration::from_secs(2);

/// The events of a subscription, or of any other stream of updates; made by [`events`] and [`events_of`].
///
/// | event | data |
/// |---|---|
/// | none | first, and without data: `retry`, how long to wait before connecting again |
/// | `progress` | [`ProgressEvent`] with rate and remaining time; the id is `seq` |
/// | `status` | the same, where the call became a task and tells its status |
/// | `end` | last: `event`, `token`, `reason`, `outcome` |
///
/// `reason` is `completed`, `failed`, `timed_out`, `cancelled`, `disconnected` or `unregistered`
/// ([`StreamEnd`]), and is left out where it is not known. `outcome` is what [`end_with`](Self::end_with) gave.
///
/// At most ten updates a second go on, the newest of each tenth ([`throttle`](Self::throttle)); a status and the end
/// come at once.
#[must_use = "streams do nothing unless polled"]
pub struct SseEvents<S = Updates> {
    updates: WithEstimate<Throttle<S>>,
    reason: fn(&S) -> Option<StreamEnd>,
    token: Option<ProgressToken>,
    retry: Option<Duration>,
    ending: Option<Ending>,
    over: bool,
}

/// What the last event waits for: the outcome as JSON.
type Ending = BoxFuture<'static, Option<Box<RawValue>>>;

/// The last word.
#[derive(Debug, Serialize)]
struct End<'a> {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a ProgressToken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Box<RawValue>>,
}

/// The events of a subscription. Dropping them unsubscribes, and does not cancel the call.
///
/// A subscription that comes late begins with the last value; one to a call that is over ends at once.
pub fn events(updates: Updates) -> SseEvents {
    let token = updates.token().clone();
    SseEvents {
        reason: Updates::end,
        token: Some(token),
        ..events_of(updates)
    }
}

/// The events of any stream of updates, for instance of one that passed a combinator. Why it ended is not known of it.
///
/// Over a [`Call`](crate::Call) itself the browser holds the call: it is cancelled when the response is dropped, that is
/// when the page is closed.
pub fn events_of<S>(updates: S) -> SseEvents<S>
where
    S: Stream<Item = Progress> + Unpin,
{
    SseEvents {
        updates: updates.throttle(USUAL_RATE).with_estimate(),
        reason: |_| None,
        token: None,
        retry: Some(USUAL_RETRY),
        ending: None,
        over: false,
    }
}

impl<S: Stream<Item = Progress> + Unpin> SseEvents<S> {
    /// At most `hz` updates a second, the newest; zero for all of them. Default 10. To be set before events are taken.
    ///
    /// Each event that goes on says how many updates it stands for (`merged`).
    pub fn throttle(self, hz: f64) -> Self {
        Self {
            updates: self
                .updates
                .into_inner()
                .into_inner()
                .throttle(hz)
                .with_estimate(),
            ..self
        }
    }

    /// How long a browser is told to wait before it connects again; `None` leaves it to the browser. Default 2 seconds.
    pub fn retry(self, wait: impl Into<Option<Duration>>) -> Self {
        Self {
            retry: wait.into(),
            ..self
        }
    }

    /// Waits for `outcome` when the updates have ended, and puts it into the last event. What cannot be written as JSON is left
    /// out, with a warning in the log.
    ///
    /// ```
    /// # async fn example(client: mcp_progress::Client) {
    /// use mcp_progress::ui::sse;
    /// use serde_json::json;
    ///
    /// let call = client.call_tool("count", json!({"steps": 5})).start().detach();
    /// let events = sse::events(call.updates()).end_with(async {
    ///     match call.await {
    ///         Ok(result) => json!({"result": result}),
    ///         Err(error) => json!({"error": error.to_string()}),
    ///     }
    /// });
    /// # let _ = events;
    /// # }
    /// ```
    pub fn end_with<F>(self, outcome: F) -> Self
    where
        F: Future<Output: Serialize> + Send + 'static,
    {
        let written = async move {
            let json = serde_json::value::to_raw_value(&outcome.await);
            json.inspect_err(|error| tracing::warn!(%error, "an outcome is no JSON"))
                .ok()
        };
        Self {
            ending: Some(Box::pin(written)),
            ..self
        }
    }

    /// The next event, or nothing after the last.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<SseEvent> {
        StreamExt::next(self).await
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<SseEvent> {
        let outcome = match &mut self.ending {
            Some(ending) => ready!(ending.as_mut().poll(cx)),
            None => None,
        };
        self.ending = None;
        self.over = true;
        let end = End {
            event: "end",
            token: self.token.as_ref(),
            reason: (self.reason)(self.updates.get_ref().get_ref()).map(reason),
            outcome,
        };
        Poll::Ready(with_json(SseEvent::named(end.event), &end))
    }
}

impl<S: Stream<Item = Progress> + Unpin> Stream for SseEvents<S> {
    type Item = SseEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<SseEvent>> {
        let this = self.get_mut();
        // At once, so that the response begins and the browser knows that it is connected.
        if let Some(wait) = this.retry.take() {
            return Poll::Ready(Some(SseEvent::retry_after(wait)));
        }
        if this.over {
            return Poll::Ready(None);
        }
        if !this.updates.is_terminated()
            && let Some(update) = ready!(this.updates.poll_next_unpin(cx))
        {
            if this.token.is_none() {
                this.token = Some(update.update.token.clone());
            }
            return Poll::Ready(Some(SseEvent::from(&update)));
        }
        this.poll_end(cx).map(Some)
    }
}

impl<S: Stream<Item = Progress> + Unpin> FusedStream for SseEvents<S> {
    fn is_terminated(&self) -> bool {
        self.over && self.retry.is_none()
    }
}

/// What an update says, without rate and remaining time.
impl From<&Progress> for SseEvent {
    fn from(update: &Progress) -> Self {
        of(&ProgressEvent::of(update), update)
    }
}

/// What an update says.
impl From<&Estimated> for SseEvent {
    fn from(estimated: &Estimated) -> Self {
        of(&ProgressEvent::of_estimate(estimated), &estimated.update)
    }
}

fn of(event: &ProgressEvent<'_>, update: &Progress) -> SseEvent {
    with_json(SseEvent::named(event.name()), event).id(update.seq.to_string())
}

/// Strings, numbers, flags and JSON that is written already: none of them can fail.
fn with_json(event: SseEvent, value: &impl Serialize) -> SseEvent {
    event.data(serde_json::to_string(value).unwrap_or_default())
}

const fn reason(end: StreamEnd) -> &'static str {
    match end {
        StreamEnd::Completed => "completed",
        StreamEnd::Failed => "failed",
        StreamEnd::TimedOut => "timed_out",
        StreamEnd::Cancelled => "cancelled",
        StreamEnd::Disconnected => "disconnected",
        StreamEnd::Unregistered => "unregistered",
    }
}

impl<S> fmt::Debug for SseEvents<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SseEvents")
            .field("token", &self.token)
            .field("over", &self.over)
            .finish_non_exhaustive()
    }
}
