//! The id of a response whose text is broken or cut off.
//!
//! Owns the tolerant look at a frame's start, so that the call can fail instead of hanging. It must not know calls.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::jsonrpc::{Id, Key, Text};

/// The id at the top level of what begins a response: a message without a method.
pub(crate) fn salvage_response_id(start: &[u8]) -> Option<Key<'static>> {
    let seen = RefCell::new(Seen::default());
    let mut deserializer = serde_json::Deserializer::from_slice(start);
    // It fails where the frame is broken; what it saw until then stays.
    let _ = Look(&seen).deserialize(&mut deserializer);
    let seen = seen.into_inner();
    if seen.method { None } else { seen.id }
}

#[derive(Default)]
struct Seen {
    id: Option<Key<'static>>,
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
        while let Some(member) = map.next_key::<Text<'de>>()? {
            match &*member.0 {
                "id" => {
                    if let Id::Key(key) = map.next_value::<Id<'de>>()? {
                        self.0.borrow_mut().id = Some(key.into_owned());
                    }
                }
                "method" => {
                    let method = map.next_value::<Option<IgnoredAny>>()?;
                    self.0.borrow_mut().method = method.is_some();
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}
