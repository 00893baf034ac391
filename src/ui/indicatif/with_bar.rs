//! A call that draws its own bar.
//!
//! Owns the way from a call's updates and its end to the bar. It must not know how bars are drawn.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::stream::Stream;
use serde::de::DeserializeOwned;

use super::bars::Bars;
use super::call_bar::CallBar;
use crate::client::call::{Call, CallResult};
use crate::client::request::Request;
use crate::client::turn::{self, Turn};
use crate::error::Result;
use crate::ui::mark::Mark;

impl<T: DeserializeOwned> Request<T> {
    /// Makes a future that sends the request, shows its progress as a bar, and gives its result.
    ///
    /// The bar is named after the tool, prompt or resource; see [`WithBar::named`]. It is there from the first poll on. It takes
    /// [`Bars`], a reference to them, or a reference to a `MultiProgress` of `indicatif`.
    ///
    /// # Cancel safety
    ///
    /// As awaiting the request: dropping the future cancels the call, and its bar says so.
    pub fn with_bar(self, bars: impl Into<Bars>) -> WithBar<T> {
        let name = self.name().to_owned();
        WithBar::new(State::Planned(Box::new(self)), name, bars.into())
    }
}

impl<T: DeserializeOwned> Call<T> {
    /// Makes a future that shows the rest of the call's progress as a bar and gives its result; as [`Request::with_bar`].
    pub fn with_bar(self, bars: impl Into<Bars>) -> WithBar<T> {
        let name = self.name().unwrap_or("call").to_owned();
        WithBar::new(State::Sent(self), name, bars.into())
    }
}

/// The future of a call with a bar; made by [`Request::with_bar`] and [`Call::with_bar`].
///
/// # Panics
///
/// Polling it after it has given its result panics, as with any future.
#[must_use = "futures do nothing unless polled"]
pub struct WithBar<T> {
    state: State<T>,
    name: String,
    bars: Bars,
    bar: Option<CallBar>,
}

enum State<T> {
    /// Boxed: most of a call lives elsewhere, and most of a request does not.
    Planned(Box<Request<T>>),
    Sent(Call<T>),
    /// With whether the tool reported a failure of its own.
    Over(CallResult<T>, bool),
    Done,
}

// Nothing is pinned in place.
impl<T> Unpin for WithBar<T> {}

impl<T> WithBar<T> {
    const fn new(state: State<T>, name: String, bars: Bars) -> Self {
        Self {
            state,
            name,
            bars,
            bar: None,
        }
    }

    /// Gives the bar another name.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

impl<T: DeserializeOwned> Future for WithBar<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let this = self.get_mut();
        let bar = this
            .bar
            .get_or_insert_with(|| this.bars.add(std::mem::take(&mut this.name)));
        let mut turn = Turn::default();
        loop {
            match &mut this.state {
                State::Sent(call) => match ready!(Pin::new(call).poll_next(cx)) {
                    Some(update) => bar.update(&update),
                    None => this.state = this.state.over(),
                },
                State::Over(result, tool_error) => {
                    let result = ready!(Pin::new(result).poll(cx));
                    bar.settle(match &result {
                        Ok(_) if *tool_error => Mark::ToolError,
                        Ok(_) => Mark::Done,
                        Err(error) => Mark::of_error(error),
                    });
                    this.state = State::Done;
                    return Poll::Ready(result);
                }
                State::Planned(_) => this.state = this.state.sent(),
                State::Done => panic!("a call was polled after it had given its result"),
            }
            if turn.is_over() {
                // Enough for one poll: others on this thread want to run too.
                turn::give_way(cx);
                return Poll::Pending;
            }
        }
    }
}

impl<T: DeserializeOwned> State<T> {
    fn sent(&mut self) -> Self {
        match std::mem::replace(self, Self::Done) {
            Self::Planned(request) => Self::Sent(request.start()),
            other => other,
        }
    }

    fn over(&mut self) -> Self {
        match std::mem::replace(self, Self::Done) {
            Self::Sent(call) => {
                let tool_error = call.is_tool_error();
                Self::Over(IntoFuture::into_future(call), tool_error)
            }
            other => other,
        }
    }
}

impl<T> fmt::Debug for WithBar<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithBar")
            .field("bar", &self.bar)
            .finish_non_exhaustive()
    }
}
