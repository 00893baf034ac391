//! The task that takes messages out of the outbox and gives each its exchange.
//!
//! Owns their order: cancels and answers first, requests while there is a connection to be had, and nothing behind a
//! notification before the server has taken that. It must not know replies.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::task::JoinSet;

use super::link::{Exchange, Link};
use super::notice;
use super::pump::Pump;
use super::server_stream;
use crate::client::clock;
use crate::error::Error;
use crate::progress::end::StreamEnd;
use crate::session::flight::{Flight, Kind};
use crate::session::outbox::{Departure, Room};
use crate::sync::Arc;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// So many answers are on their way to the server at once. One that asks faster than it takes them finds the outbox full,
/// and no more connections than these.
const ANSWERS: usize = 16;

/// Runs until the outbox is closed and empty.
pub(super) async fn run(link: Arc<Link>) {
    let connections = link.connections.clone();
    let mut permit: Option<OwnedSemaphorePermit> = None;
    // What is posted before anything else that has an order goes out.
    let mut notification: Option<Work> = None;
    let mut answers = JoinSet::new();
    loop {
        if permit.is_none() {
            permit = connections.clone().try_acquire_owned().ok();
        }
        let room = Room {
            replies: answers.len() < ANSWERS,
            ordered: notification.is_none() && permit.is_some(),
            errands: permit.is_some() || link.has_room_for_errands(),
        };
        let next = tokio::select! {
            biased;
            next = poll_fn(|cx| link.session.outbox.poll_next(room, clock::now, cx)) => next,
            Some(_) = answers.join_next() => continue,
            () = finished(&mut notification) => {
                link.session.outbox.posted();
                continue;
            }
            acquired = connections.clone().acquire_owned(), if permit.is_none() => {
                permit = acquired.ok();
                continue;
            }
        };
        match next {
            None => break,
            Some(Departure::Request { frame, flight }) => {
                // What finds out the era goes ahead of what waits for a connection, and beside a probe without an answer.
                let counts = !matches!(flight.kind, Kind::Negotiation);
                let permit = permit.take_if(|_| counts);
                begin(&link, flight, frame, permit);
            }
            Some(Departure::Notification(frame)) => {
                notification = Some(Box::pin(notify(link.clone(), frame.into())));
            }
            Some(Departure::Reply(frame)) => {
                let link = link.clone();
                let runtime = link.runtime.clone();
                let told = async move { notice::tell(&link, frame.into()).await };
                answers.spawn_on(told, &runtime);
            }
            Some(Departure::Cancel { frame, id }) => cancel(&link, id, frame),
        }
    }
    if let Some(notification) = notification {
        notification.await;
    }
    while answers.join_next().await.is_some() {}
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

/// Begins the exchange of the one request that waits, in the caller's turn. False where the task must see to it: other
/// messages wait, a notification is being posted, or no connection is free.
pub(super) fn begin_now(link: &Arc<Link>) -> bool {
    let Ok(permit) = link.connections.clone().try_acquire_owned() else {
        return false;
    };
    let Some((frame, flight)) = link.session.outbox.take_only(clock::now()) else {
        return false;
    };
    let counts = !matches!(flight.kind, Kind::Negotiation);
    begin(link, flight, frame, Some(permit).filter(|_| counts));
    true
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
    let (id, leg) = (flight.id(), flight.slot.leg());
    let (abandon, abandoned) = oneshot::channel();
    let pump = Pump::new(link.clone(), flight.clone(), frame, permit);
    // Race: the exchange may be over before it is on the list, and would then stay there. So it waits until it is.
    let (entered, entry) = oneshot::channel::<()>();
    let task = link.runtime.spawn(async move {
        let _ = entry.await;
        pump.run(abandoned).await;
    });
    let exchange = Exchange {
        leg,
        flight,
        task: task.abort_handle(),
        abandon: Some(abandon),
    };
    link.enter(id, exchange);
    let _ = entered.send(());
}

fn cancel(link: &Arc<Link>, id: i64, frame: Vec<u8>) {
    if link.session.wire().is_modern() {
        // Closing the response stream is the signal (2026-07-28, Streamable HTTP, "Cancellation").
        if let Some(exchange) = link.leave(id) {
            // With its stream a call in its grace loses all that it still waits for.
            let (flight, now) = (&exchange.flight, clock::now());
            let end = StreamEnd::Cancelled;
            let error = Error::cancelled();
            link.session.fail(flight, exchange.leg, error, end, now);
            exchange.task.abort();
        }
        return;
    }
    let left = match link.abandon(id) {
        Some(abandon) => abandon.send(Some(frame)).err().flatten(),
        None => Some(frame),
    };
    // No exchange is there any more: the answer was to come on the server's own stream.
    if let Some(frame) = left {
        let telling = link.telling();
        let told = link.runtime.spawn({
            let link = link.clone();
            async move {
                let _telling = telling;
                notice::tell(&link, frame.into()).await;
            }
        });
        link.keep(told.abort_handle());
    }
}

async fn notify(link: Arc<Link>, frame: Bytes) {
    let begins = is_initialized(&frame);
    if begins {
        link.told.initialized(frame.clone());
    }
    notice::notify(&link, frame).await;
    if begins && !link.is_sse() {
        server_stream::open(&link);
    }
}

fn is_initialized(frame: &[u8]) -> bool {
    // The frame is ours, with the method right behind the version.
    frame.starts_with(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"")
}
