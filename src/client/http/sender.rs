//! The task that takes messages out of the outbox and gives each its exchange.
//!
//! Owns their order: cancels and answers first, requests while there is a connection to be had, and nothing behind a
//! notification before the server has taken that. It must not know replies.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::link::{Exchange, Link};
use super::notice;
use super::pump::Pump;
use super::server_stream;
use crate::client::clock;
use crate::error::Error;
use crate::progress::end::StreamEnd;
use crate::session::flight::Flight;
use crate::session::outbox::Departure;
use crate::sync::Arc;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs until the outbox is closed and empty.
pub(super) async fn run(link: Arc<Link>) {
    let connections = Arc::new(Semaphore::new(link.channel.max_connections));
    let mut permit: Option<OwnedSemaphorePermit> = None;
    // What is posted before anything else that has an order goes out.
    let mut notification: Option<Work> = None;
    loop {
        if permit.is_none() {
            permit = connections.clone().try_acquire_owned().ok();
        }
        let ordered = notification.is_none() && permit.is_some();
        let next = tokio::select! {
            biased;
            next = poll_fn(|cx| link.session.outbox.poll_next(ordered, clock::now, cx)) => next,
            () = finished(&mut notification) => continue,
            acquired = connections.clone().acquire_owned(), if permit.is_none() => {
                permit = acquired.ok();
                continue;
            }
        };
        match next {
            None => break,
            Some(Departure::Request { frame, flight }) => {
                begin(&link, flight, frame, permit.take());
            }
            Some(Departure::Notification(frame)) => {
                notification = Some(Box::pin(notify(link.clone(), frame.into())));
            }
            Some(Departure::Reply(frame)) => {
                let link = link.clone();
                let runtime = link.runtime.clone();
                runtime.spawn(async move { notice::tell(&link, frame.into()).await });
            }
            Some(Departure::Cancel { frame, id }) => cancel(&link, id, frame),
        }
    }
    if let Some(notification) = notification {
        notification.await;
    }
}

/// Waits for the notification that is being posted, and takes it away; for ever where there is none.
async fn finished(notification: &mut Option<Work>) {
    poll_fn(|cx| match notification {
        Some(work) => work.as_mut().poll(cx),
        None => Poll::Pending,
    })
    .await;
    *notification = None;
}

fn begin(
    link: &Arc<Link>,
    flight: Arc<Flight>,
    mut frame: Vec<u8>,
    permit: Option<OwnedSemaphorePermit>,
) {
    // The newline that ends a frame on byte streams has no place in a body.
    frame.pop_if(|last| *last == b'\n');
    link.told.request(&flight.method, &frame);
    let id = flight.id();
    let (abandon, abandoned) = oneshot::channel();
    let pump = Pump::new(link.clone(), flight.clone(), frame, permit);
    // Race: the exchange may be over before it is on the list, and would then stay there. So it waits until it is.
    let (entered, entry) = oneshot::channel::<()>();
    let task = link.runtime.spawn(async move {
        let _ = entry.await;
        pump.run(abandoned).await;
    });
    let exchange = Exchange {
        flight,
        task: task.abort_handle(),
        abandon,
    };
    link.enter(id, exchange);
    let _ = entered.send(());
}

fn cancel(link: &Arc<Link>, id: i64, frame: Vec<u8>) {
    let exchange = link.leave(id);
    if link.session.wire().is_modern() {
        // Closing the response stream is the signal (2026-07-28, Streamable HTTP, "Cancellation").
        if let Some(exchange) = exchange {
            // With its stream a call in its grace loses all that it still waits for.
            let (flight, now) = (&exchange.flight, clock::now());
            let end = StreamEnd::Cancelled;
            link.session.fail(flight, Error::cancelled(), end, now);
            exchange.task.abort();
        }
        return;
    }
    let left = match exchange {
        Some(exchange) => exchange.abandon.send(frame).err(),
        None => Some(frame),
    };
    // No exchange is there any more: the answer was to come on the server's own stream.
    if let Some(frame) = left {
        let link = link.clone();
        let runtime = link.runtime.clone();
        let told = runtime.spawn({
            let link = link.clone();
            async move { notice::tell(&link, frame.into()).await }
        });
        link.keep(told.abort_handle());
    }
}

async fn notify(link: Arc<Link>, frame: Bytes) {
    let begins = is_initialized(&frame);
    if begins {
        link.told.initialized(frame.clone());
    }
    notice::tell(&link, frame).await;
    if begins && !link.is_sse() {
        server_stream::open(&link);
    }
}

fn is_initialized(frame: &[u8]) -> bool {
    // The frame is ours, with the method right behind the version.
    frame.starts_with(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"")
}
