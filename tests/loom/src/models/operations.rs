//! Calls that go on after a response, beside their droppers and the end of the connection.

use loom::thread;
use serde_json::Map;

use super::{
    assert_empty, check_bounded, lost, now, receive, register_following, session, written,
};
use crate::model::version::ProtocolVersion;
use crate::progress::phase::Phase;
use crate::session::calls::Session;
use crate::session::flight::Follow;
use crate::session::guard::CallGuard;
use crate::session::wire::{Message, Wire};
use crate::sync::Arc;

const TASK: &str = r#"{"id":1,"result":{"task":{"taskId":"job"}}}"#;
const QUESTION: &str = r#"{"id":1,"result":{"resultType":"input_required","requestState":"s"}}"#;

fn augmented() -> Follow {
    Follow {
        augmented: true,
        ..Follow::default()
    }
}

fn count(lines: &[String], text: &str) -> usize {
    lines.iter().filter(|line| line.contains(text)).count()
}

/// The errand waits for its answer; nothing else may be left.
fn answer_errands(session: &Session) {
    for id in 2..4 {
        receive(session, &[format!(r#"{{"id":{id},"result":{{}}}}"#)]);
    }
}

/// Whichever comes first: the task is told to stop once.
#[test]
fn a_task_created_as_its_call_is_dropped_is_stopped_once() {
    check_bounded(3, || {
        let session = session();
        let flight = register_following(&session, augmented()).expect("connected");
        assert_eq!(written(&session).len(), 1);
        let reader = {
            let session = session.clone();
            thread::spawn(move || receive(&session, &[TASK.to_owned()]))
        };
        drop(CallGuard::new(session.clone(), flight.clone()));
        reader.join().unwrap();
        let lines = written(&session);
        assert_eq!(count(&lines, "tasks/cancel"), 1, "{lines:?}");
        assert!(flight.slot.is_dead());
        answer_errands(&session);
        assert_empty(&session);
    });
}

/// The same for a cancel from elsewhere, and with a grace.
#[test]
fn a_task_created_as_its_call_is_cancelled_with_a_grace_is_stopped_once() {
    check_bounded(3, || {
        let session = session();
        let flight = register_following(&session, augmented()).expect("connected");
        assert_eq!(written(&session).len(), 1);
        let button = {
            let (session, flight) = (session.clone(), flight.clone());
            thread::spawn(move || session.cancel_with_grace(&flight, now(), "button"))
        };
        receive(&session, &[TASK.to_owned()]);
        assert!(button.join().unwrap(), "it is under way all the time");
        let lines = written(&session);
        assert_eq!(count(&lines, "tasks/cancel"), 1, "{lines:?}");
        drop(CallGuard::new(session.clone(), flight.clone()));
        assert_eq!(count(&written(&session), "tasks/cancel"), 0);
        answer_errands(&session);
        assert_empty(&session);
    });
}

fn modern(session: &Session) {
    session.set_wire(Wire::modern(ProtocolVersion::LATEST, Map::new()));
}

/// A call that is dropped as it goes on is either not sent again, or cancelled under its new id.
#[test]
fn a_call_dropped_as_it_goes_on_leaves_nothing() {
    check_bounded(3, || {
        let session = session();
        modern(&session);
        let follow = Follow {
            input: true,
            ..Follow::default()
        };
        let flight = register_following(&session, follow).expect("connected");
        assert_eq!(written(&session).len(), 1);
        receive(&session, &[QUESTION.to_owned()]);
        assert_eq!(flight.slot.phase(), Phase::Between);
        let dropper = {
            let (session, flight) = (session.clone(), flight.clone());
            thread::spawn(move || drop(CallGuard::new(session, flight)))
        };
        let message = Message::new("m", &()).expect("no params");
        let _ = session.relaunch(&flight, &message);
        let first = written(&session);
        dropper.join().unwrap();
        let second = written(&session);
        let sent = count(&first, "\"method\":\"m\"") + count(&second, "\"method\":\"m\"");
        let told =
            count(&first, "notifications/cancelled") + count(&second, "notifications/cancelled");
        assert_eq!(sent, told, "{first:?} {second:?}");
        assert!(flight.slot.is_dead());
        assert_empty(&session);
    });
}

/// A call between two requests learns of the loss as others do.
#[test]
fn a_call_that_goes_on_as_the_connection_goes_does_not_hang() {
    check_bounded(3, || {
        let session = session();
        let flight = register_following(&session, augmented()).expect("connected");
        assert_eq!(written(&session).len(), 1);
        let driver = {
            let session: Arc<Session> = session.clone();
            thread::spawn(move || session.disconnect(lost(), now()))
        };
        receive(&session, &[TASK.to_owned()]);
        driver.join().unwrap();
        assert!(flight.slot.phase().is_over(), "{:?}", flight.slot.phase());
        assert_empty(&session);
    });
}
