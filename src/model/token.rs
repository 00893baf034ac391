//! The progress token: what ties an update to the request that asked for it.
//!
//! Owns its two forms, minting and comparison. It must not know who is subscribed to it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::jsonrpc::{Key, MAX_SAFE_INTEGER};

/// A progress token: a string or an integer, unique among the requests in flight.
///
/// Revision 2026-07-28, "Progress", section 1. Tokens are cheap to clone. A string that looks like a number and
/// that number are two tokens.
///
/// ```
/// use mcp_progress::ProgressToken;
///
/// let minted = ProgressToken::generate();
/// assert_ne!(minted, ProgressToken::generate());
/// let chosen = ProgressToken::from("reindex-7");
/// assert_eq!(chosen.to_string(), "reindex-7");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProgressToken(Repr);

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Repr {
    Number(i64),
    String(Arc<str>),
}

impl ProgressToken {
    /// The largest integer that may serve as a token, 2^53 − 1; the smallest is its negative.
    pub const MAX_INTEGER: i64 = MAX_SAFE_INTEGER;

    /// Mints a token that no other process and no earlier call has.
    ///
    /// It is a string that starts with a letter, since servers that read a token as a number where they can are
    /// common: a random part of the process, then a count.
    #[must_use]
    pub fn generate() -> Self {
        static PROCESS: OnceLock<String> = OnceLock::new();
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let process = PROCESS.get_or_init(|| {
            let random = uuid::Uuid::new_v4().simple().to_string();
            random.chars().take(8).collect()
        });
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(Repr::String(format!("p{process}-{count}").into()))
    }

    /// An integer token, or nothing where the integer lies beyond ±(2^53 − 1), which JavaScript peers cannot
    /// carry.
    #[must_use]
    pub const fn from_integer(number: i64) -> Option<Self> {
        if number.unsigned_abs() <= MAX_SAFE_INTEGER.unsigned_abs() {
            Some(Self(Repr::Number(number)))
        } else {
            None
        }
    }

    /// The text of a string token.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Repr::String(text) => Some(text),
            Repr::Number(_) => None,
        }
    }

    /// The value of an integer token.
    #[must_use]
    pub const fn as_integer(&self) -> Option<i64> {
        match &self.0 {
            Repr::Number(number) => Some(*number),
            Repr::String(_) => None,
        }
    }

    pub(crate) fn shared_str(&self) -> Option<&Arc<str>> {
        match &self.0 {
            Repr::String(text) => Some(text),
            Repr::Number(_) => None,
        }
    }

    pub(crate) fn matches(&self, key: &Key<'_>) -> bool {
        match (&self.0, key) {
            (Repr::Number(own), Key::Number(other)) => own == other,
            (Repr::String(own), Key::String(other)) => **own == **other,
            _ => false,
        }
    }
}

impl From<&str> for ProgressToken {
    fn from(text: &str) -> Self {
        Self(Repr::String(text.into()))
    }
}

impl From<String> for ProgressToken {
    fn from(text: String) -> Self {
        Self(Repr::String(text.into()))
    }
}

impl From<i32> for ProgressToken {
    fn from(number: i32) -> Self {
        Self(Repr::Number(number.into()))
    }
}

impl From<u32> for ProgressToken {
    fn from(number: u32) -> Self {
        Self(Repr::Number(number.into()))
    }
}

/// An integer beyond ±(2^53 − 1), which JavaScript peers cannot carry as a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenOutOfRange;

impl fmt::Display for TokenOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the integer lies beyond ±(2^53 − 1), which not every peer can carry; use its text as the token")
    }
}

impl std::error::Error for TokenOutOfRange {}

impl TryFrom<i64> for ProgressToken {
    type Error = TokenOutOfRange;

    fn try_from(number: i64) -> Result<Self, TokenOutOfRange> {
        Self::from_integer(number).ok_or(TokenOutOfRange)
    }
}

impl TryFrom<u64> for ProgressToken {
    type Error = TokenOutOfRange;

    fn try_from(number: u64) -> Result<Self, TokenOutOfRange> {
        i64::try_from(number)
            .ok()
            .and_then(Self::from_integer)
            .ok_or(TokenOutOfRange)
    }
}

/// The token as it is to be shown: a string without quotes. See `Debug` for the form that keeps `1` and `"1"`
/// apart.
impl fmt::Display for ProgressToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Number(number) => number.fmt(f),
            Repr::String(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for ProgressToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Number(number) => number.fmt(f),
            Repr::String(text) => fmt::Debug::fmt(text, f),
        }
    }
}

impl Serialize for ProgressToken {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Repr::Number(number) => serializer.serialize_i64(*number),
            Repr::String(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for ProgressToken {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TokenVisitor;

        impl Visitor<'_> for TokenVisitor {
            type Value = ProgressToken;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string, or an integer within ±(2^53 − 1)")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
                ProgressToken::from_integer(number)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Signed(number), &self))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
                i64::try_from(number)
                    .ok()
                    .and_then(ProgressToken::from_integer)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(number), &self))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(text.into())
            }
        }

        deserializer.deserialize_any(TokenVisitor)
    }
}
