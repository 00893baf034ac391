//! Calls in flight beside the reader, the writer, their droppers and the end of the connection.

use loom::future::block_on;
use loom::thread;

use super::{
    assert_empty, check_bounded, drive, lost, now, outcome_now, progress, receive, register,
    response, session, written,
};
use crate::error::{Error, ErrorKind};
use crate::progress::end::StreamEnd;
use crate::session::calls::Session;
use crate::session::flight::Flight;
use crate::session::guard::CallGuard;
use crate::session::stats::DiagnosticKind;
use crate::sync::Arc;

fn drop_call(session: &Arc<Session>, flight: &Arc<Flight>) {
    drop(CallGuard::new(session.clone(), flight.clone()));
}

fn cancels(lines: &[String]) -> usize {
    lines
        .iter()
        .filter(|line| line.contains("notifications/cancelled"))
        .count()
}

/// Each call either is refused or learns of the loss.
#[test]
fn a_call_registered_as_the_connection_goes_does_not_hang() {
    check_bounded(3, || {
        let session = session();
        let driver = {
            let session = session.clone();
            thread::spawn(move || session.disconnect(lost(), now()))
        };
        let kind = match register(&session) {
            Ok(flight) => block_on(drive(&flight.slot))
                .1
                .expect_err("no response")
                .kind(),
            Err(refused) => refused.kind(),
        };
        assert_eq!(kind, ErrorKind::ConnectionLost);
        driver.join().unwrap();
        assert_empty(&session);
    });
}

/// The client's `close` refuses new calls, then cancels those in flight: none slips between the two.
#[test]
fn a_call_registered_as_the_client_closes_does_not_hang() {
    check_bounded(3, || {
        let session = session();
        let closer = {
            let session = session.clone();
            thread::spawn(move || {
                session.refuse(lost());
                for flight in session.flights() {
                    let error = Some(Error::cancelled());
                    session.abandon(&flight, StreamEnd::Cancelled, "closing", error);
                }
            })
        };
        let registered = register(&session);
        closer.join().unwrap();
        if let Ok(flight) = registered {
            let outcome = outcome_now(&flight.slot).expect("the call has its end");
            assert_eq!(
                outcome.expect_err("no response").kind(),
                ErrorKind::Cancelled
            );
        }
        assert_empty(&session);
        assert!(
            written(&session).is_empty(),
            "a request after its call had ended"
        );
    });
}

/// A request that is written is cancelled; one that is not is never written.
#[test]
fn a_dropped_call_is_either_withdrawn_or_cancelled() {
    check_bounded(3, || {
        let session = session();
        let flight = register(&session).expect("connected");
        let writer = {
            let session = session.clone();
            thread::spawn(move || written(&session))
        };
        drop_call(&session, &flight);
        let mut lines = writer.join().unwrap();
        lines.extend(written(&session));
        assert_empty(&session);
        match lines.len() {
            0 => {}
            2 => {
                assert!(lines[0].contains(r#""method":"m""#), "{lines:?}");
                assert_eq!(cancels(&lines[1..]), 1, "{lines:?}");
            }
            _ => panic!("{lines:?}"),
        }
    });
}

#[test]
fn a_call_that_is_dropped_as_it_is_answered_is_cancelled_only_if_it_lost() {
    check_bounded(3, || {
        let session = session();
        let flight = register(&session).expect("connected");
        assert_eq!(written(&session).len(), 1);
        let reader = {
            let session = session.clone();
            thread::spawn(move || receive(&session, &[response(1)]))
        };
        drop_call(&session, &flight);
        reader.join().unwrap();
        let dropped = flight.slot.is_dead();
        assert_eq!(cancels(&written(&session)), usize::from(dropped));
        let late = session.stats().count(DiagnosticKind::LateResponse);
        assert_eq!(late, u64::from(dropped));
        assert_empty(&session);
    });
}

#[test]
fn a_call_that_is_cancelled_twice_is_cancelled_once() {
    check_bounded(3, || {
        let session = session();
        let flight = register(&session).expect("connected");
        assert_eq!(written(&session).len(), 1);
        let button = {
            let (session, flight) = (session.clone(), flight.clone());
            thread::spawn(move || {
                let error = Some(Error::cancelled());
                session.abandon(&flight, StreamEnd::Cancelled, "button", error)
            })
        };
        drop_call(&session, &flight);
        button.join().unwrap();
        assert!(flight.slot.is_dead());
        assert_eq!(cancels(&written(&session)), 1);
        assert_empty(&session);
    });
}

/// With a grace, the cancel is told first and the call ended later, perhaps from two sides.
#[test]
fn a_grace_and_a_drop_tell_the_server_once() {
    check_bounded(3, || {
        let session = session();
        let flight = register(&session).expect("connected");
        assert_eq!(written(&session).len(), 1);
        let button = {
            let (session, flight) = (session.clone(), flight.clone());
            thread::spawn(move || session.cancel_with_grace(&flight, now(), "button"))
        };
        drop_call(&session, &flight);
        button.join().unwrap();
        assert_eq!(cancels(&written(&session)), 1);
        assert_empty(&session);
    });
}

#[test]
fn a_response_and_the_loss_of_the_connection_end_a_call_once() {
    check_bounded(3, || {
        let session = session();
        let flight = register(&session).expect("connected");
        let reader = {
            let session = session.clone();
            thread::spawn(move || receive(&session, &[progress(1), response(1)]))
        };
        session.disconnect(lost(), now());
        let (seen, outcome) = block_on(drive(&flight.slot));
        reader.join().unwrap();
        match outcome {
            Ok(_) => assert_eq!(seen, [1.0]),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionLost),
        }
        assert!(outcome_now(&flight.slot).is_none(), "a second outcome");
        assert_empty(&session);
    });
}

/// The writer sleeps until something is queued.
#[test]
fn the_writer_misses_no_request() {
    check_bounded(3, || {
        let session = session();
        let caller = {
            let session = session.clone();
            thread::spawn(move || register(&session).expect("connected"))
        };
        let mut buffer = Vec::new();
        assert!(block_on(std::future::poll_fn(|cx| session
            .outbox
            .poll_take(&mut buffer, now, cx))));
        assert!(buffer.ends_with(b"}\n"));
        drop_call(&session, &caller.join().unwrap());
        assert_eq!(cancels(&written(&session)), 1);
        assert_empty(&session);
    });
}
