//! Why a reply brought no response.
//!
//! Owns the words of these errors, and what they say about the request: whether the server acted on it is unknown. It
//! must not know streams.

use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// How reading a reply ended, where the call is not over.
#[derive(Debug)]
pub(super) enum Broken {
    /// The body ended in order.
    Ended,
    Failed(Error),
}

/// The stream broke and cannot be taken up again.
pub(super) fn unresumed(text: &str, why: Error) -> Error {
    Error::connect(text)
        .with_source(why)
        .with_hint("the request was written; whether the server acted on it is unknown")
}

pub(super) fn lost(how: Broken, modern: bool) -> Error {
    let hint = if modern {
        "whether the server acted on the request is unknown; `reissue` sends such a call again"
    } else {
        "whether the server acted on the request is unknown; its stream has no event ids to take it up by"
    };
    match how {
        Broken::Ended => {
            Error::connect("the server ended the reply without a response").with_hint(hint)
        }
        Broken::Failed(error) => Error::connect("the reply broke off")
            .with_source(error)
            .with_hint(hint),
    }
}

/// Something came that is longer than a message may be, and no response.
pub(super) fn too_long(length: u64, limit: usize) -> Error {
    let text = format!(
        "the reply holds a message of {length} bytes, beyond the limit of {limit} bytes for one, and no response"
    );
    Error::new(ErrorKind::Protocol, text)
        .with_hint("raise `max_message_bytes` if responses of this size are expected")
}

pub(super) fn silent(limit: Duration) -> Error {
    let text =
        format!("the reply was taken up again after a break, and brought nothing for {limit:?}");
    Error::connect(text).with_hint(
        "the server may have lost the response; raise `resume_timeout` if it may be silent for so long",
    )
}
