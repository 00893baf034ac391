//! One slot between the reader, the call and its droppers.

use std::collections::VecDeque;
use std::task::Poll;

use loom::future::block_on;
use loom::thread;

use super::{check, drive, now, outcome_now, token, update};
use crate::error::Error;
use crate::progress::delivery::Delivery;
use crate::progress::end::StreamEnd;
use crate::progress::mailbox::Overflow;
use crate::progress::phase::Phase;
use crate::progress::slot::{Next, Slot};
use crate::progress::tally::{News, Tally};
use crate::sync::Arc;

fn slot() -> Arc<Slot> {
    let slot = Slot::new(token(), Phase::Queued, Some(Overflow::default()));
    assert!(slot.mark_sent(now()));
    Arc::new(slot)
}

fn done() -> Result<Box<serde_json::value::RawValue>, Error> {
    Ok(serde_json::value::RawValue::NULL.to_owned())
}

#[test]
fn a_response_and_a_cancel_do_not_both_win() {
    check(|| {
        let slot = slot();
        let reader = {
            let slot = slot.clone();
            thread::spawn(move || {
                let won = slot.settle(done(), StreamEnd::Completed, now());
                slot.wake();
                won
            })
        };
        let killed = slot.kill(StreamEnd::Cancelled, Some(Err(Error::cancelled())));
        let settled = reader.join().unwrap();
        assert_ne!(settled, killed.is_some());
        let outcome = outcome_now(&slot).expect("one of them left an outcome");
        assert_eq!(outcome.is_ok(), settled);
        assert!(outcome_now(&slot).is_none(), "the outcome was there twice");
    });
}

#[test]
fn a_call_that_polls_misses_neither_update_nor_response() {
    check(|| {
        let slot = slot();
        let reader = {
            let slot = slot.clone();
            thread::spawn(move || {
                // Two reads: each wakes at its end.
                if let Delivery::Delivered { touched: true, .. } = slot.deliver(update(1), now()) {
                    slot.wake();
                }
                assert!(slot.settle(done(), StreamEnd::Completed, now()));
                slot.wake();
            })
        };
        // Loom reports a deadlock where a wake-up is lost.
        let (seen, outcome) = block_on(drive(&slot));
        assert_eq!(seen, [1.0]);
        assert!(outcome.is_ok());
        reader.join().unwrap();
    });
}

#[test]
fn a_call_that_only_watches_is_woken_for_what_is_to_be_told() {
    check(|| {
        let slot = Slot::new(token(), Phase::Queued, None);
        slot.watch(Tally::new(Arc::from([0.5]), true));
        assert!(slot.mark_sent(now()));
        let slot = Arc::new(slot);
        let reader = {
            let slot = slot.clone();
            thread::spawn(move || {
                if let Delivery::Delivered { touched: true, .. } = slot.deliver(update(1), now()) {
                    slot.wake();
                }
            })
        };
        // Nothing else ever wakes it: loom reports a deadlock where the wake-up is lost.
        let told = block_on(std::future::poll_fn(|cx| {
            let mut none = VecDeque::new();
            match slot.poll_call(&mut none, cx, false) {
                Next::News(news) => Poll::Ready(news),
                _ => Poll::Pending,
            }
        }));
        assert!(matches!(told[..], [News::FirstUpdate { .. }]), "{told:?}");
        reader.join().unwrap();
    });
}

#[test]
fn a_cancel_wakes_the_call_that_waits() {
    check(|| {
        let slot = slot();
        let canceller = {
            let slot = slot.clone();
            thread::spawn(move || slot.kill(StreamEnd::Cancelled, Some(Err(Error::cancelled()))))
        };
        let (_, outcome) = block_on(drive(&slot));
        assert!(outcome.is_err());
        assert_eq!(canceller.join().unwrap(), Some(Phase::Sent));
    });
}

#[test]
fn a_request_is_either_written_or_taken_back() {
    check(|| {
        let slot = Arc::new(Slot::new(token(), Phase::Queued, None));
        let writer = {
            let slot = slot.clone();
            thread::spawn(move || slot.mark_sent(now()))
        };
        let before = slot.kill(StreamEnd::Cancelled, None).expect("alive");
        let sent = writer.join().unwrap();
        assert_eq!(before == Phase::Sent, sent);
    });
}
