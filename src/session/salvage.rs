//! The id of a response whose text is broken or cut off.
//!
//! Owns the tolerant look at a frame's start, so that the call can fail instead of hanging. It must not know calls.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::jsonrpc::{Id, Key, Text};

/// The id at the top level of what begins a response: a message with a result or an error, and without a method.
///
/// Only what is certain counts, since it ends a call: not an id that may go on behind the cut, nor that of a request.
pub(crate) fn salvage_response_id(start: &[u8]) -> Option<Key<'static>> {
    let seen = RefCell::new(Seen::default());
    let mut deserializer = serde_json::Deserializer::from_slice(start);
    // It fails where the frame is broken; what it saw until then stays.
    let _ = Look(&seen).deserialize(&mut deserializer);
    let seen = seen.into_inner();
    seen.id.filter(|_| seen.response && !seen.method)
}

#[derive(Default)]
struct Seen {
    id: Option<Key<'static>>,
    response: bool,
    method: bool,
}

struct Look<'a>(&'a RefCell<Seen>);

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut id = None;
        while let Some(member) = map.next_key::<Text<'de>>()? {
            let mut seen = self.0.borrow_mut();
            // Whole only now: a number that stands at the cut may have lost digits.
            if id.is_some() {
                seen.id = id.take();
            }
            seen.response |= matches!(&*member.0, "result" | "error");
            drop(seen);
            match &*member.0 {
                "id" => {
                    if let Id::Key(key) = map.next_value::<Id<'de>>()? {
                        id = Some(key.into_owned());
                    }
                }
                "method" => {
                    let method = map.next_value::<Option<IgnoredAny>>()?;
                    self.0.borrow_mut().method = method.is_some();
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if id.is_some() {
            self.0.borrow_mut().id = id;
        }
        Ok(())
    }
}
