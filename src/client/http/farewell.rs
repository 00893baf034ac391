//! The end of an exchange.
//!
//! Owns what is done when the response is there, when it will not come, and when the exchange is dropped. It must not know
//! how the response is read.

use std::time::Duration;

use reqwest::Response;
use tokio::time::timeout;

use super::link::{Link, is_over};
use super::reply::Reader;
use crate::client::clock;
use crate::error::{Error, ErrorKind};
use crate::progress::end::StreamEnd;
use crate::session::flight::Flight;
use crate::sync::{Arc, AtomicU64, Ordering};

/// Once the response is there, its body is read on for so long, so that the connection can be used again: servers
/// close a stream a moment after its last event.
pub(super) const LINGER: Duration = Duration::from_millis(50);
/// And no further than this.
const LINGER_BYTES: u64 = 64 * 1024;

/// Ends the call where its exchange is dropped with the runtime, and takes the exchange off the list.
pub(super) struct Unanswered<'a> {
    pub(super) link: Arc<Link>,
    pub(super) flight: Arc<Flight>,
    pub(super) leg: u32,
    /// Under which id it is on the list.
    pub(super) id: &'a AtomicU64,
    pub(super) adopted: bool,
}

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if !self.adopted && !is_over(&self.flight, self.leg) {
            let error = Error::connect("the exchange with the server was dropped");
            fail(&self.link, &self.flight, self.leg, error);
        }
        drop(
            self.link
                .leave(self.id.load(Ordering::Relaxed).cast_signed()),
        );
    }
}

/// Ends the call with what became of its exchange. In its grace that is how the server says that it has stopped.
pub(super) fn fail(link: &Link, flight: &Arc<Flight>, leg: u32, error: Error) {
    let (error, end) = if flight.slot.grace_until().is_some() {
        (Error::cancelled().with_source(error), StreamEnd::Cancelled)
    } else if error.kind() == ErrorKind::ConnectionLost {
        (error, StreamEnd::Disconnected)
    } else {
        (error, StreamEnd::Failed)
    };
    link.session.fail(flight, leg, error, end, clock::now());
}

/// Reads on for a moment behind the response.
pub(super) async fn linger(reader: &mut Reader<'_>, mut response: Response) {
    let end = reader.bytes + LINGER_BYTES;
    let reading = async {
        while reader.bytes < end {
            if !reader.step(&mut response).await.unwrap_or(false) {
                return;
            }
        }
    };
    let _ = timeout(LINGER, reading).await;
}
