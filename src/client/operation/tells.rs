//! What the server tells of a task without being asked.
//!
//! Owns the subscription of the extension (`subscriptions/listen` with `taskIds`, then `notifications/tasks`) and the
//! notifications of revision 2025-11-25 (`notifications/tasks/status`). It must not know what follows from a state.

use std::task::{Context, Poll};

use serde::Deserialize;
use serde_json::json;

use super::scene::Scene;
use super::task::TaskState;
use crate::client::clock;
use crate::model::SubscriptionFilter;
use crate::session::calls::{NewCall, Session};
use crate::session::feed::{Feed, Receiver};
use crate::session::flight::{Follow, Kind};
use crate::session::guard::CallGuard;
use crate::session::notification::Notification;
use crate::session::wire::Message;
use crate::sync::{Arc, Ordering};

/// So many subscriptions for tasks are open at once on a connection: over HTTP each holds a connection of its own.
const AT_ONCE: u64 = 8;

#[derive(Debug)]
pub(super) enum Tells {
    Subscribed {
        receiver: Receiver<Notification>,
        /// Ends the subscription when dropped, and gives the place back.
        _held: (CallGuard, Place),
    },
    Heard(Receiver<Notification>),
}

/// One of those that may be open.
#[derive(Debug)]
pub(super) struct Place(Arc<Session>);

/// What the server said.
#[derive(Debug)]
pub(super) enum Told {
    /// It will tell of this task.
    Agreed,
    State(Box<TaskState>),
    /// It tells nothing any more.
    Over,
}

impl Place {
    fn take(session: &Arc<Session>) -> Option<Self> {
        let taken = session.task_listens.fetch_add(1, Ordering::Relaxed);
        let place = Self(session.clone());
        let limit = session.task_listens_at_most.load(Ordering::Relaxed);
        (taken < AT_ONCE.min(limit)).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.task_listens.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Tells {
    /// Listens from now on, if it may.
    pub(super) fn of(scene: &Scene, task: &str) -> Option<Self> {
        let session = &scene.session;
        if !session.wire().is_modern() {
            return Some(Self::Heard(session.notifications.receiver()));
        }
        let place = Place::take(session)?;
        let filter = SubscriptionFilter::new().with_task(task);
        let params = json!({ "notifications": filter });
        let feed = Arc::new(Feed::new());
        let receiver = feed.receiver();
        let mut message = Message::new("subscriptions/listen", &params).ok()?;
        scene.client.telemetry().put_trace(&mut message);
        let call = NewCall {
            message,
            token: None,
            own: None,
            kind: Kind::Listen(feed),
            follow: Follow::default(),
            reissues: 0,
        };
        let flight = session.register(call, clock::now()).ok()?;
        let guard = CallGuard::new(session.clone(), flight);
        Some(Self::Subscribed {
            receiver,
            _held: (guard, place),
        })
    }

    /// The next word on this task.
    pub(super) fn poll(&mut self, task: &str, cx: &Context<'_>) -> Poll<Told> {
        loop {
            let receiver = match self {
                Self::Subscribed { receiver, .. } | Self::Heard(receiver) => receiver,
            };
            let told = std::task::ready!(receiver.poll_next(cx));
            let told = told.map(|told| read(&told, task));
            match told {
                None => return Poll::Ready(Told::Over),
                Some(Some(told)) => return Poll::Ready(told),
                // It is not about this task.
                Some(None) => {}
            }
        }
    }
}

fn read(told: &Notification, task: &str) -> Option<Told> {
    let params = told.params.as_ref()?.get();
    // Many tasks of a connection hear what is told of each: only one of them has to read it. An id that is spelled with
    // escapes is missed here, and found out by the next look.
    if !params.contains(task) {
        return None;
    }
    match told.method.as_str() {
        "notifications/tasks" | "notifications/tasks/status" => {
            let state = TaskState::of(params).ok()?;
            state.names(task).then(|| Told::State(Box::new(state)))
        }
        "notifications/subscriptions/acknowledged" => {
            let agreed: Acknowledged = serde_json::from_str(params).ok()?;
            let tasks = agreed.notifications.task_ids;
            tasks
                .iter()
                .any(|agreed| agreed == task)
                .then_some(Told::Agreed)
        }
        _ => None,
    }
}

#[derive(Deserialize)]
struct Acknowledged {
    notifications: SubscriptionFilter,
}
