//! The revisions of the protocol, by their dates.
//!
//! Owns the list of known revisions and the line between the two eras; knows nothing of how one is agreed on.

use std::{error, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A revision of the Model Context Protocol. Ordered by date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProtocolVersion {
    /// 2024-11-05: the first; over HTTP with separate SSE and POST endpoints.
    V2024_11_05,
    /// 2025-03-26: streamable HTTP, batches, messages on progress.
    V2025_03_26,
    /// 2025-06-18: structured results, no batches.
    V2025_06_18,
    /// 2025-11-25: the last with a handshake; icons, tasks as an experiment.
    V2025_11_25,
    /// 2026-07-28: stateless; each request carries its own metadata.
    V2026_07_28,
}

impl ProtocolVersion {
    /// All known revisions, oldest first.
    pub const ALL: &'static [Self] = &[
        Self::V2024_11_05,
        Self::V2025_03_26,
        Self::V2025_06_18,
        Self::V2025_11_25,
        Self::V2026_07_28,
    ];

    /// The newest known revision.
    pub const LATEST: Self = Self::V2026_07_28;

    /// The newest revision that begins with an `initialize` handshake.
    pub const LATEST_HANDSHAKE: Self = Self::V2025_11_25;

    /// The revision as it stands on the wire, such as `2025-11-25`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// Whether there is no handshake and no session: 2026-07-28 and later.
    #[must_use]
    pub fn is_modern(self) -> bool {
        self > Self::LATEST_HANDSHAKE
    }
}

impl fmt::Display for ProtocolVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ProtocolVersion {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|version| version.as_str() == text)
            .ok_or_else(|| UnknownVersion::new(text))
    }
}

impl Serialize for ProtocolVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ProtocolVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = ProtocolVersion;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a protocol version such as \"2025-11-25\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

/// A string that names no revision this crate knows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownVersion {
    given: String,
}

impl UnknownVersion {
    /// What is kept of the string: a peer may send anything, and this ends up in logs.
    const KEPT_CHARS: usize = 40;

    fn new(text: &str) -> Self {
        Self {
            given: text.chars().take(Self::KEPT_CHARS).collect(),
        }
    }

    /// The string that was given, cut to 40 characters.
    #[must_use]
    pub fn given(&self) -> &str {
        &self.given
    }
}

impl fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown protocol version {:?}, known are ", self.given)?;
        for (index, version) in ProtocolVersion::ALL.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{version}")?;
        }
        Ok(())
    }
}

impl error::Error for UnknownVersion {}
