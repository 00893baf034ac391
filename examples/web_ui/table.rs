//! The calls of all visitors. They live here, not in a browser: a page that is loaded again finds them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{Stream, StreamExt, stream};
use mcp_progress::Canceller;
use mcp_progress::ui::sse::{SseEvent, SseEvents};
use tokio::sync::broadcast::{Sender, channel};

use crate::state::{Entry, State};

/// A browser that is so many events behind is sent away; it comes back and is told the newest of everything.
const BEHIND: usize = 1024;

pub(crate) struct Table(Mutex<State>);

impl Table {
    pub(crate) fn new() -> Self {
        let (calls, news) = (VecDeque::new(), Some(channel(BEHIND).0));
        Self(Mutex::new(State { calls, news }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in a call: `first` tells of it, `events` are what follows. Each call is followed once, however many look.
    pub(crate) fn follow(
        self: &Arc<Self>,
        id: String,
        canceller: Canceller,
        first: SseEvent,
        events: SseEvents,
    ) {
        let mut state = self.state();
        let Some(news) = state.news.clone() else {
            canceller.cancel("the program is stopping");
            return;
        };
        let kept = Vec::new();
        state.calls.push_back(Entry {
            id: id.clone(),
            canceller,
            kept,
        });
        state.tell(&news, &id, first);
        drop(state);
        let (table, mut events) = (self.clone(), events.retry(None));
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                table.state().tell(&news, &id, event);
            }
        });
    }

    /// Cancels a call that runs, forgets one that is over. Returns whether there is such a call.
    pub(crate) fn end(&self, id: &str) -> bool {
        self.state().end(id)
    }

    /// What there is, then what comes.
    pub(crate) fn watch(&self) -> impl Stream<Item = SseEvent> + Send + Unpin + 'static {
        // Under one lock, so that no event is missing between the two and none comes twice.
        let state = self.state();
        let (kept, news) = (state.kept(), state.news.as_ref().map(Sender::subscribe));
        let coming = stream::unfold(news, async |news| {
            let mut news = news?;
            Some((news.recv().await.ok()?, Some(news)))
        });
        stream::iter(kept).chain(coming.boxed())
    }

    /// No more calls. The streams of visitors end when the last call has.
    pub(crate) fn close(&self) {
        self.state().news = None;
    }
}
