//! Guards and streams of a token, beside a call that carries it, or comes, or goes.

use futures::StreamExt;
use loom::future::block_on;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::{
    assert_empty, check, check_bounded, drive, lost, now, progress, receive, register, response,
    session, token, update, written,
};
use crate::jsonrpc::Key;
use crate::progress::end::StreamEnd;
use crate::progress::mailbox::Overflow;
use crate::progress::registry::ProgressRegistry;
use crate::sync::Arc;

/// At most one invocation may still be running when the guard's drop returns; none starts afterwards.
#[test]
fn no_callback_starts_after_its_guard_was_dropped() {
    check_bounded(3, || {
        let registry = ProgressRegistry::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = runs.clone();
        let guard = registry.register(&token(), move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
        });
        let slot = registry
            .tokens()
            .claim(&token(), None)
            .expect("nobody has it");
        slot.deliver(update(1), now());
        slot.deliver(update(2), now());
        let call = {
            let slot = slot.clone();
            thread::spawn(move || drop(super::outcome_now(&slot)))
        };
        drop(guard);
        let at_drop = runs.load(Ordering::SeqCst);
        call.join().unwrap();
        let after = runs.load(Ordering::SeqCst);
        assert!(
            after - at_drop <= 1,
            "{at_drop} at the drop, {after} in the end"
        );
    });
}

/// The same for the step before: the call has the callback in its hand already.
#[test]
fn a_callback_in_the_hand_of_the_call_does_not_start_either() {
    check(|| {
        let registry = ProgressRegistry::new();
        let dropped = Arc::new(AtomicUsize::new(0));
        let seen = dropped.clone();
        let guard = registry.register(&token(), move |_| {
            assert_eq!(seen.load(Ordering::SeqCst), 0, "started after the drop");
        });
        let slot = registry
            .tokens()
            .claim(&token(), None)
            .expect("nobody has it");
        slot.deliver(update(1), now());
        let mut spare = std::collections::VecDeque::new();
        let cx = std::task::Context::from_waker(futures::task::noop_waker_ref());
        let next = slot.poll_call(&mut spare, &cx, false);
        let crate::progress::slot::Next::Callback(cell, update) = next else {
            panic!("{next:?}");
        };
        let user = thread::spawn(move || drop(guard));
        user.join().unwrap();
        dropped.store(1, Ordering::SeqCst);
        cell.invoke(update.of(slot.token().clone()));
    });
}

#[test]
fn a_callback_that_comes_late_wakes_the_call_for_the_last_value() {
    check_bounded(3, || {
        let session = session();
        let flight = register(&session).expect("connected");
        receive(&session, &[progress(1)]);
        let runs = Arc::new(AtomicUsize::new(0));
        let user = {
            let session = session.clone();
            let runs = runs.clone();
            thread::spawn(move || {
                session.registry.register(&token(), move |_| {
                    runs.fetch_add(1, Ordering::SeqCst);
                })
            })
        };
        let ran = runs.clone();
        // Polls until the callback has run: a lost wake-up is a deadlock.
        let mut driven = Box::pin(drive(&flight.slot));
        block_on(std::future::poll_fn(|cx| {
            assert!(driven.as_mut().poll(cx).is_pending());
            match ran.load(Ordering::SeqCst) {
                0 => std::task::Poll::Pending,
                _ => std::task::Poll::Ready(()),
            }
        }));
        drop(driven);
        drop(user.join().unwrap());
        session.abandon(&flight, StreamEnd::Cancelled, "", None);
        flight.slot.forget_call();
        assert_empty(&session);
    });
}

#[test]
fn a_stream_misses_neither_update_nor_end() {
    check_bounded(3, || {
        let session = session();
        let mut updates = session.registry.subscribe(&token());
        let flight = register(&session).expect("connected");
        let reader = {
            let session = session.clone();
            thread::spawn(move || {
                receive(&session, &[progress(1)]);
                receive(&session, &[progress(2), response(1)]);
            })
        };
        let mut seen = Vec::new();
        block_on(async {
            while let Some(update) = updates.next().await {
                seen.push(update.progress);
            }
        });
        assert_eq!(seen, [1.0, 2.0]);
        assert_eq!(updates.end(), Some(StreamEnd::Completed));
        reader.join().unwrap();
        drop(flight);
        assert_empty(&session);
    });
}

/// Whoever subscribes while the call ends sees its end; nobody waits for a call that has been.
#[test]
fn a_subscriber_that_comes_as_the_call_ends_is_told() {
    check_bounded(3, || {
        let session = session();
        let _flight = register(&session).expect("connected");
        let reader = {
            let session = session.clone();
            thread::spawn(move || receive(&session, &[progress(1), response(1)]))
        };
        let mut updates = session.registry.subscribe(&token());
        let mut seen = Vec::new();
        block_on(async {
            while let Some(update) = updates.next().await {
                seen.push(update.progress);
            }
        });
        assert!(seen.is_empty() || seen == [1.0], "{seen:?}");
        assert_eq!(updates.end(), Some(StreamEnd::Completed));
        reader.join().unwrap();
        drop(updates);
        assert_empty(&session);
    });
}

#[test]
fn a_subscriber_that_comes_as_the_call_is_dropped_is_told() {
    check_bounded(3, || {
        let session = session();
        let flight = register(&session).expect("connected");
        let owner = {
            let session = session.clone();
            thread::spawn(move || {
                session.abandon(&flight, StreamEnd::Cancelled, "", None);
                flight.slot.forget_call();
            })
        };
        let mut updates = session.registry.subscribe(&token());
        assert!(block_on(updates.next()).is_none());
        assert_eq!(updates.end(), Some(StreamEnd::Cancelled));
        owner.join().unwrap();
        drop(updates);
        assert_empty(&session);
    });
}

#[test]
fn a_subscriber_that_comes_as_the_connection_goes_is_told() {
    check_bounded(3, || {
        let session = session();
        let driver = {
            let session = session.clone();
            thread::spawn(move || session.disconnect(lost(), now()))
        };
        let mut updates = session.registry.subscribe(&token());
        assert!(block_on(updates.next()).is_none());
        assert_eq!(updates.end(), Some(StreamEnd::Disconnected));
        driver.join().unwrap();
        drop(updates);
        assert_empty(&session);
    });
}

/// The last subscriber leaves a waiting token while a call claims it: the call's token stays in the table.
#[test]
fn a_token_is_not_vacated_under_the_call_that_claims_it() {
    check(|| {
        let registry = ProgressRegistry::new();
        let updates = registry.subscribe(&token());
        let user = thread::spawn(move || drop(updates));
        let slot = registry
            .tokens()
            .claim(&token(), Some(Overflow::default()))
            .expect("free");
        user.join().unwrap();
        let found = registry
            .tokens()
            .lookup(&Key::String("t".into()))
            .expect("live");
        assert!(Arc::ptr_eq(&found, &slot));
        registry.tokens().retire(&slot, StreamEnd::Completed);
        assert_eq!(registry.len(), 0);
    });
}

/// One leaves a waiting token while another joins it: who joined is in the table.
#[test]
fn a_token_is_not_vacated_under_the_subscriber_that_joins() {
    check(|| {
        let registry = ProgressRegistry::new();
        let first = registry.subscribe(&token());
        let user = thread::spawn(move || drop(first));
        let second = registry.subscribe(&token());
        user.join().unwrap();
        let slot = registry
            .tokens()
            .lookup(&Key::String("t".into()))
            .expect("waited for");
        slot.deliver(update(1), now());
        let mut second = second;
        assert_eq!(
            block_on(second.next()).map(|update| update.progress),
            Some(1.0)
        );
        drop(second);
        assert_eq!(registry.len(), 0);
    });
}

#[test]
fn streams_that_are_dropped_together_leave_nothing() {
    check(|| {
        let registry = ProgressRegistry::new();
        let first = registry.subscribe(&token());
        let second = registry.register(&token(), |_| {});
        let user = thread::spawn(move || drop(first));
        drop(second);
        user.join().unwrap();
        assert_eq!(registry.len(), 0);
    });
}

/// `unregister` beside a reader: the stream ends, the call goes on.
#[test]
fn a_stream_that_is_unregistered_ends() {
    check_bounded(3, || {
        let session = session();
        let mut updates = session.registry.subscribe(&token());
        let flight = register(&session).expect("connected");
        assert_eq!(written(&session).len(), 1);
        let user = {
            let session = session.clone();
            thread::spawn(move || assert!(session.registry.unregister(&token())))
        };
        assert!(block_on(updates.next()).is_none());
        assert_eq!(updates.end(), Some(StreamEnd::Unregistered));
        user.join().unwrap();
        assert_eq!(session.stats().registrations, 1);
        receive(&session, &[response(1)]);
        drop((updates, flight));
        assert_empty(&session);
    });
}
