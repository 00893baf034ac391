//! No bytes make the reader of messages panic, and none end a call but its own response.

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Instant;

use futures::task::noop_waker_ref;
use serde_json::Value;

use crate::jsonrpc::Envelope;
use crate::model::progress::ProgressParams;
use crate::model::token::ProgressToken;
use crate::progress::mailbox::Overflow;
use crate::progress::registry::ProgressRegistry;
use crate::progress::slot::{Next, Slot};
use crate::session::calls::{NewCall, Session};
use crate::session::flight::Kind;
use crate::session::read::Read;
use crate::session::wire::{Message, Wire};
use crate::sync::Arc;

/// The id of the one call in flight, which the session mints, and its token.
const ID: i64 = 1;
const TOKEN: &str = "t";

/// Each line of `data` is a frame; the first byte chooses the era and how a frame arrives.
pub fn check(data: &[u8]) {
    let Some((&mode, data)) = data.split_first() else {
        return;
    };
    let session = Session::new(ProgressRegistry::new());
    if mode & 1 == 1 {
        session.set_wire(Wire::modern(
            "2026-07-28".parse().expect("known"),
            Default::default(),
        ));
    }
    let call = NewCall {
        message: Message::new("m", &()).expect("no params"),
        token: Some(ProgressToken::from(TOKEN)),
        own: Some(Overflow::Buffer(4)),
        kind: Kind::Call,
        reissues: 0,
        follow: crate::session::flight::Follow::default(),
    };
    let now = now();
    let flight = session.register(call, now).expect("the session is open");
    let diagnostics = session.counters.feed.receiver();
    let notifications = session.notifications.receiver();
    let frames: Vec<&[u8]> = data.split(|byte| *byte == b'\n').collect();
    let mut read = Read::new(now);
    let mut may_end = false;
    for frame in frames {
        assert_one_reading(frame);
        may_end |= mentions_id(frame);
        let fate = match mode >> 1 & 3 {
            0 | 1 => session.dispatch(frame, &mut read),
            2 => session.dispatch_last(frame, &mut read),
            _ => {
                session.dispatch_oversized(frame, frame.len() as u64 + 1, frame.len(), &mut read);
                Ok(())
            }
        };
        if fate.is_err() {
            break;
        }
    }
    read.finish();
    let settled = settled(&flight.slot);
    assert_eq!(session.stats().live_calls, usize::from(!settled));
    assert_eq!(session.stats().registrations, usize::from(!settled));
    assert!(
        may_end || !settled,
        "a call was ended by a frame without its id"
    );
    let mut cx = Context::from_waker(noop_waker_ref());
    while let Poll::Ready(Some(_)) = diagnostics.poll_next(&mut cx) {}
    while let Poll::Ready(Some(_)) = notifications.poll_next(&mut cx) {}
}

/// The usual spelling of an update has a short cut; a space in front leads past it, and changes nothing.
fn assert_one_reading(frame: &[u8]) {
    let spaced = [b" ", frame].concat();
    let read = |frame| {
        let envelope = Envelope::<'_, ProgressParams<'_>>::decode(frame).ok();
        format!("{envelope:?}")
    };
    assert_eq!(read(frame), read(&spaced));
}

fn now() -> Instant {
    static NOW: OnceLock<Instant> = OnceLock::new();
    *NOW.get_or_init(Instant::now)
}

/// Whether the call's id stands in the frame, in any spelling: `1`, `1.0`, `10e-1`, `"1"`, `"\u0031"`.
///
/// An `id` written with escapes counts as one that stands there.
fn mentions_id(frame: &[u8]) -> bool {
    let frame = String::from_utf8_lossy(frame);
    if frame.contains('\\') {
        return true;
    }
    let behind = frame
        .match_indices("\"id\"")
        .map(|(at, name)| &frame[at + name.len()..]);
    behind.into_iter().any(|rest| {
        let rest = rest
            .trim_start()
            .trim_start_matches(':')
            .trim_start()
            .trim_start_matches('"');
        let number: String = rest
            .chars()
            .take_while(|c| c.is_ascii_digit() || "+-.eE".contains(*c))
            .collect();
        number
            .parse::<f64>()
            .is_ok_and(|number| number == ID as f64)
    })
}

/// Takes all that waits for the call; whether it is over.
fn settled(slot: &Arc<Slot>) -> bool {
    let cx = Context::from_waker(noop_waker_ref());
    let mut spare = VecDeque::new();
    let mut last = 0;
    loop {
        match slot.poll_call(&mut spare, &cx, false) {
            Next::Batch => {
                for update in spare.drain(..) {
                    let update = update.of(slot.token().clone());
                    assert!(update.seq > last + update.merged, "{update:?} after {last}");
                    last = update.seq;
                    assert!(
                        update
                            .fraction()
                            .is_none_or(|part| (0.0..=1.0).contains(&part))
                    );
                    let _ = (update.to_string(), update.other().count());
                }
            }
            Next::Callback(..) => unreachable!("nobody registered one"),
            Next::News(_) => unreachable!("nobody watches"),
            Next::Interim(_) => unreachable!("the call follows nothing"),
            Next::Settled(outcome) => {
                match outcome {
                    Ok(result) => drop(serde_json::from_str::<Value>(result.get())),
                    Err(error) => drop(error.to_string()),
                }
                return true;
            }
            Next::Nothing { .. } => return false,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    pub(crate) fn for_each_seed(target: &str, check: impl Fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("seeds")
            .join(target);
        let mut played = 0;
        for seed in std::fs::read_dir(&folder).expect("the folder is there") {
            let path = seed.expect("it can be listed").path();
            check(&std::fs::read(&path).expect("it can be read"));
            played += 1;
        }
        assert!(played > 0, "{} has no seed", folder.display());
    }

    #[test]
    fn seeds() {
        for_each_seed("jsonrpc", super::check);
    }

    #[test]
    fn the_id_is_found_in_every_spelling() {
        for there in ["1", "\"1\"", "1.0", "10e-1", " 1 ", "0.1e+1"] {
            assert!(
                super::mentions_id(format!(r#"{{"id" :{there}}}"#).as_bytes()),
                "{there}"
            );
        }
        for elsewhere in ["2", "\"2\"", "null", "11", "-1", "[1]"] {
            assert!(
                !super::mentions_id(format!(r#"{{"id":{elsewhere}}}"#).as_bytes()),
                "{elsewhere}"
            );
        }
    }
}
