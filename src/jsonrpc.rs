//! The JSON-RPC 2.0 envelope: decoded in one pass, borrowing from the read buffer.
//!
//! Owns ids, the shape of a message and the error object. Params and results stay raw until somebody knows their
//! type; the one exception is the params type `P` of a caller's choice, which is decoded in the same pass when
//! the method stands before the params, as every server seen writes it. It must not know any MCP method.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// The largest integer that JavaScript peers carry exactly, 2^53 − 1.
///
/// Beyond it an id or a token kills the request on every TypeScript server.
pub(crate) const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;

/// The error object of a JSON-RPC response.
///
/// JSON-RPC 2.0, section 5.1; the codes of MCP are listed in revision 2026-07-28, "Error Codes".
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct ErrorObject {
    /// What kind of error, as a number.
    pub code: i64,
    /// What the server says of it.
    #[serde(default)]
    pub message: String,
    /// Whatever else the server sent along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl ErrorObject {
    /// `-32601`: the server does not know the method.
    pub const METHOD_NOT_FOUND: i64 = -32601;
    /// `-32602`: the params do not fit.
    pub const INVALID_PARAMS: i64 = -32602;
    /// `-32603`: something went wrong inside the one that was asked.
    pub const INTERNAL_ERROR: i64 = -32603;
    /// `-32022`: the server does not speak the revision of the request (revision 2026-07-28).
    pub const UNSUPPORTED_PROTOCOL_VERSION: i64 = -32022;

    /// `-32020`: the headers of an HTTP request do not fit its body (revision 2026-07-28).
    pub const HEADER_MISMATCH: i64 = -32020;
    /// `-32021`: the request needs a capability that the client did not declare (revision 2026-07-28).
    pub const MISSING_REQUIRED_CLIENT_CAPABILITY: i64 = -32021;

    /// The codes that only a server of the modern era gives.
    #[cfg(feature = "http")]
    pub(crate) const MODERN: [i64; 3] = [
        Self::HEADER_MISMATCH,
        Self::MISSING_REQUIRED_CLIENT_CAPABILITY,
        Self::UNSUPPORTED_PROTOCOL_VERSION,
    ];

    /// An error object with a code and a message.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }

    /// Reads the error member of a response; one that is not of the form becomes code 0 with its text.
    pub(crate) fn from_raw(raw: &RawValue) -> Self {
        serde_json::from_str(raw.get()).unwrap_or_else(|_| {
            let mut text: String = raw.get().chars().take(1_000).collect();
            text.insert_str(0, "malformed error object: ");
            Self::new(0, text)
        })
    }
}

impl fmt::Display for ErrorObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code)
    }
}

impl std::error::Error for ErrorObject {}

/// A string or integer as it stands on the wire, for ids and for progress tokens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Key<'a> {
    Number(i64),
    String(Cow<'a, str>),
}

impl Key<'_> {
    /// The same key without a borrow.
    pub(crate) fn into_owned(self) -> Key<'static> {
        match self {
            Self::Number(number) => Key::Number(number),
            Self::String(text) => Key::String(Cow::Owned(text.into_owned())),
        }
    }

    /// The same key in the other JSON type: `"1"` for `1` and the other way, where there is one.
    pub(crate) fn retyped(&self) -> Option<Key<'static>> {
        match self {
            Self::Number(number) => Some(Key::String(Cow::Owned(number.to_string()))),
            Self::String(text) => {
                let number: i64 = text.parse().ok()?;
                // Only the canonical form: "01" and "+1" are strings of their own.
                (number.to_string() == **text).then_some(Key::Number(number))
            }
        }
    }
}

/// The id member of a message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Id<'a> {
    Absent,
    /// `null`, or something that is no id at all.
    Invalid,
    Key(Key<'a>),
}

/// The params member: typed where they are of the awaited method, raw otherwise.
#[derive(Debug)]
pub(crate) enum Params<'a, P> {
    Absent,
    Raw(&'a RawValue),
    Typed(P),
}

/// Params that are decoded in the same pass as the envelope.
pub(crate) trait OnePass<'a>: Deserialize<'a> {
    /// The method whose params these are.
    const METHOD: &'static str;
}

/// One message.
#[derive(Debug)]
pub(crate) struct Envelope<'a, P> {
    pub(crate) id: Id<'a>,
    pub(crate) method: Option<Cow<'a, str>>,
    pub(crate) params: Params<'a, P>,
    pub(crate) result: Option<&'a RawValue>,
    pub(crate) error: Option<&'a RawValue>,
}

impl<'a, P: OnePass<'a>> Envelope<'a, P> {
    /// Decodes one message. Unknown members are passed over; of a repeated member the last one counts.
    pub(crate) fn decode(frame: &'a [u8]) -> Result<Self, serde_json::Error> {
        // Once for all, instead of string by string: that takes a sixth of the whole time of an update.
        let frame = str::from_utf8(frame).map_err(serde::de::Error::custom)?;
        if let Some(params) = usual_params(frame) {
            return Ok(Self {
                method: Some(Cow::Borrowed(P::METHOD)),
                params: Params::Typed(params),
                ..Self::EMPTY
            });
        }
        let mut deserializer = serde_json::Deserializer::from_str(frame);
        let envelope = deserializer.deserialize_map(EnvelopeVisitor(PhantomData))?;
        deserializer.end()?;
        Ok(envelope)
    }

    const EMPTY: Self = Self {
        id: Id::Absent,
        method: None,
        params: Params::Absent,
        result: None,
        error: None,
    };
}

/// What stands before the method and after the params of a notification as servers write it, the common ones first.
const USUAL: [(&str, &str); 2] = [
    (r#"{"jsonrpc":"2.0","method":""#, "}"),
    (r#"{"method":""#, r#","jsonrpc":"2.0"}"#),
];

/// The params of the awaited method, where the rest of the frame is spelled as most servers do: compared as a whole, it
/// costs half of what reading it member by member does.
///
/// Nothing is guessed. The params must be one JSON value that reaches exactly up to the known end, so that no further
/// member can hide behind them; anything else is left to the general way.
fn usual_params<'a, P: OnePass<'a>>(frame: &'a str) -> Option<P> {
    USUAL.iter().find_map(|(before, after)| {
        let rest = frame.strip_prefix(before)?.strip_prefix(P::METHOD)?;
        let params = rest.strip_prefix(r#"","params":"#)?.strip_suffix(after)?;
        serde_json::from_str(params).ok()
    })
}

/// The messages of a batch (revision 2025-03-26), each still raw.
pub(crate) fn split_batch(frame: &[u8]) -> Result<Vec<&RawValue>, serde_json::Error> {
    serde_json::from_slice(frame)
}

struct EnvelopeVisitor<P>(PhantomData<P>);

impl<'de, P: OnePass<'de>> Visitor<'de> for EnvelopeVisitor<P> {
    type Value = Envelope<'de, P>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC message")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut envelope = Envelope::EMPTY;
        while let Some(member) = map.next_key::<Text<'de>>()? {
            match &*member.0 {
                "id" => envelope.id = map.next_value()?,
                // Peers that write every member of a class write `"method": null` into responses.
                "method" => {
                    envelope.method = map.next_value::<Option<Text<'de>>>()?.map(|text| text.0);
                }
                "params" if envelope.method.as_deref() == Some(P::METHOD) => {
                    envelope.params = Params::Typed(map.next_value()?);
                }
                "params" => envelope.params = Params::Raw(map.next_value()?),
                "result" => envelope.result = Some(map.next_value()?),
                "error" => envelope.error = present(map.next_value()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(envelope)
    }
}

/// `"error": null` beside a result is no error.
fn present(raw: &RawValue) -> Option<&RawValue> {
    (raw.get() != "null").then_some(raw)
}

/// A string that borrows from the input where it holds no escapes.
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

impl<'de> Deserialize<'de> for Id<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl<'de> Visitor<'de> for IdVisitor {
    type Value = Id<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an integer")
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Id::Key(Key::Number(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Id::Invalid, |number| Id::Key(Key::Number(number))))
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be a whole number within 2^53"
    )]
    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        // A peer without integers may write 1 as 1.0.
        let whole = number.fract() == 0.0 && number.abs() <= MAX_SAFE_INTEGER as f64;
        Ok(if whole {
            Id::Key(Key::Number(number as i64))
        } else {
            Id::Invalid
        })
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Id::Key(Key::String(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Id::Key(Key::String(Cow::Owned(text.to_owned()))))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Id::Invalid)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Id::Invalid)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Id::Invalid)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Id::Invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Step {
        n: u32,
    }

    impl OnePass<'_> for Step {
        const METHOD: &'static str = "step";
    }

    /// The step of a notification that is one and nothing else.
    fn step(frame: &str) -> Option<u32> {
        match Envelope::<Step>::decode(frame.as_bytes()) {
            Ok(Envelope {
                id: Id::Absent,
                params: Params::Typed(step),
                result: None,
                error: None,
                ..
            }) => Some(step.n),
            _ => None,
        }
    }

    #[test]
    fn however_it_is_spelled_a_notification_is_the_same() {
        for frame in [
            r#"{"jsonrpc":"2.0","method":"step","params":{"n":1}}"#,
            r#"{"method":"step","params":{"n":1},"jsonrpc":"2.0"}"#,
            r#"{ "jsonrpc": "2.0", "method": "step", "params": {"n": 1} }"#,
            r#"{"jsonrpc":"2.0","method":"step","params":{"n":1} }"#,
            r#"{"jsonrpc":"2.0","method":"step","params":{"n":1,"x":{"y":"}"}}}"#,
            r#"{"jsonrpc":"2.0","method":"st\u0065p","params":{"n":1},"z":{}}"#,
        ] {
            assert_eq!(step(frame), Some(1), "{frame}");
        }
    }

    #[test]
    fn what_stands_behind_the_params_is_seen() {
        // A request, a repeated member of which the last one counts, and a message that begins as another one.
        for (frame, expected) in [
            (
                r#"{"jsonrpc":"2.0","method":"step","params":{"n":1},"id":{"n":2}}"#,
                None,
            ),
            (
                r#"{"jsonrpc":"2.0","method":"step","params":{"n":1},"id":7}"#,
                None,
            ),
            (
                r#"{"jsonrpc":"2.0","method":"step","params":{"n":1},"params":{"n":2}}"#,
                Some(2),
            ),
            (
                r#"{"method":"step","params":{"n":1},"params":{"n":2},"jsonrpc":"2.0"}"#,
                Some(2),
            ),
            (
                r#"{"jsonrpc":"2.0","method":"steps","params":{"n":1}}"#,
                None,
            ),
        ] {
            assert_eq!(step(frame), expected, "{frame}");
        }
    }

    #[test]
    fn a_broken_notification_is_an_error() {
        for frame in [
            r#"{"jsonrpc":"2.0","method":"step","params":{"n":1}"#,
            r#"{"jsonrpc":"2.0","method":"step","params":{"n":1}}}"#,
            r#"{"jsonrpc":"2.0","method":"step","params":{"n":"1"}}"#,
            r#"{"jsonrpc":"2.0","method":"step","params":}"#,
        ] {
            assert!(
                Envelope::<Step>::decode(frame.as_bytes()).is_err(),
                "{frame}"
            );
        }
        let not_utf8 = b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}";
        assert!(Envelope::<Step>::decode(not_utf8).is_err());
    }
}
