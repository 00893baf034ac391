//! Iterators and streams whose items are the steps of an operation.
//!
//! Owns the counting: an item is done when the next one is asked for. It must not know what the items are.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::Stream;

use super::handle::ProgressReporter;
use super::phase::{Lane, Phase};

/// An iterator that reports one step for each item, when the next one is asked for.
#[must_use = "an iterator does nothing until it is asked for items"]
pub struct WrapIter<I> {
    inner: I,
    steps: Steps,
}

/// A stream that reports one step for each item, when the next one is asked for.
#[must_use = "a stream does nothing until it is polled"]
pub struct WrapStream<S> {
    inner: Pin<Box<S>>,
    steps: Steps,
}

/// Whose steps are counted, and whether one is under way.
struct Steps {
    lane: Lane,
    open: bool,
}

impl ProgressReporter {
    /// Counts the items of an iterator as steps of the operation. Where there is no total and the iterator knows its
    /// length, the total is what is done plus that length.
    ///
    /// An operation that has ended meanwhile ends the counting, not the iterator. The adapter keeps the operation open.
    pub fn wrap<I: IntoIterator>(&self, items: I) -> WrapIter<I::IntoIter> {
        WrapIter::new(items.into_iter(), self.lane())
    }

    /// As [`wrap`](Self::wrap), for a stream.
    pub fn wrap_stream<S: Stream>(&self, items: S) -> WrapStream<S> {
        WrapStream::new(items, self.lane())
    }
}

impl Phase {
    /// Counts the items of an iterator as steps of this part; see [`ProgressReporter::wrap`].
    pub fn wrap<I: IntoIterator>(&self, items: I) -> WrapIter<I::IntoIter> {
        WrapIter::new(items.into_iter(), self.lane())
    }

    /// As [`wrap`](Self::wrap), for a stream.
    pub fn wrap_stream<S: Stream>(&self, items: S) -> WrapStream<S> {
        WrapStream::new(items, self.lane())
    }
}

impl Steps {
    fn new(lane: Lane, hint: (usize, Option<usize>)) -> Self {
        if let (least, Some(most)) = hint
            && least == most
        {
            said(lane.expect(least as f64));
        }
        Self { lane, open: false }
    }

    /// The item before is done.
    fn asked(&mut self) {
        if std::mem::take(&mut self.open) {
            said(self.lane.advance(1.0));
        }
    }

    fn given(&mut self, item: bool) {
        self.open = item;
    }
}

/// What goes wrong in counting must not stop the work.
fn said(result: Result<(), super::error::ReporterError>) {
    if let Err(error) = result {
        tracing::debug!(%error, "a step was not counted");
    }
}

impl<I: Iterator> WrapIter<I> {
    fn new(inner: I, lane: Lane) -> Self {
        let steps = Steps::new(lane, inner.size_hint());
        Self { inner, steps }
    }
}

impl<I: Iterator> Iterator for WrapIter<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.steps.asked();
        let item = self.inner.next();
        self.steps.given(item.is_some());
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for WrapIter<I> {}

impl<S: Stream> WrapStream<S> {
    fn new(inner: S, lane: Lane) -> Self {
        let steps = Steps::new(lane, inner.size_hint());
        let inner = Box::pin(inner);
        Self { inner, steps }
    }
}

impl<S: Stream> Stream for WrapStream<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.steps.asked();
        let polled = self.inner.as_mut().poll_next(cx);
        if let Poll::Ready(item) = &polled {
            self.steps.given(item.is_some());
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<I> fmt::Debug for WrapIter<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrapIter").finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for WrapStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrapStream").finish_non_exhaustive()
    }
}
