//! What a call is doing between two requests.
//!
//! Owns the choice of what follows a response, and the future that does it. It must not know what that does.

use std::fmt;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::value::RawValue;

use super::rounds;
use super::scene::{Scene, Step};
use super::watch;
use crate::client::handle::Client;
use crate::client::limits::Limits;
use crate::progress::slot::Outcome;
use crate::session::calls::Session;
use crate::session::flight::Flight;
use crate::sync::{Arc, Mutex};

/// The course of one call: how often it was asked, and what it is doing about it.
#[derive(Default)]
pub(crate) struct Course {
    rounds: u32,
    // In a lock, which is never taken, so that a call may be shared between threads; in a box, since most calls have none.
    work: Option<Box<Mutex<BoxFuture<'static, Step>>>>,
}

impl Course {
    /// Takes up the work that a response asks for.
    pub(crate) fn go_on(
        &mut self,
        client: &Client,
        session: &Arc<Session>,
        flight: &Arc<Flight>,
        limits: Limits,
        response: Box<RawValue>,
    ) {
        let scene = Scene {
            client: client.clone(),
            session: session.clone(),
            flight: flight.clone(),
            limits,
        };
        let work = if flight.task.get().is_some() {
            watch::run(scene).boxed()
        } else {
            self.rounds = self.rounds.saturating_add(1);
            rounds::answer(scene, response, self.rounds).boxed()
        };
        self.work = Some(Box::new(Mutex::new(work)));
    }

    /// The outcome of the call, once the work has one.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        let Some(work) = &mut self.work else {
            return Poll::Pending;
        };
        match work.get_mut().poll_unpin(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(step) => {
                self.work = None;
                match step {
                    // Its response comes as the first did.
                    Step::Relaunched => Poll::Pending,
                    Step::Over(outcome) => Poll::Ready(outcome),
                }
            }
        }
    }

    /// Drops the work, and with it the handlers that are at it.
    pub(crate) fn stop(&mut self) {
        self.work = None;
    }
}

impl fmt::Debug for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Course")
            .field("rounds", &self.rounds)
            .field("busy", &self.work.is_some())
            .finish()
    }
}
