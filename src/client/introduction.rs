//! What the server said of itself when the connection was made.
//!
//! Owns the one form of it that serves both eras. It must not know how it was asked for.

use crate::model::{
    DiscoverResult, Implementation, InitializeResult, ProtocolVersion, ServerCapabilities,
};

/// What the server said of itself, and the revision that is spoken.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Introduction {
    /// The negotiated revision.
    pub protocol_version: ProtocolVersion,
    /// The server's name and version, for display only; a server of revision 2026-07-28 may leave it out.
    pub server_info: Option<Implementation>,
    /// What the server offers.
    pub capabilities: ServerCapabilities,
    /// How to use the server, in words for a model.
    pub instructions: Option<String>,
}

impl Introduction {
    pub(super) fn of_handshake(version: ProtocolVersion, result: InitializeResult) -> Self {
        Self {
            protocol_version: version,
            server_info: Some(result.server_info),
            capabilities: result.capabilities,
            instructions: result.instructions,
        }
    }

    /// Where the server was introduced to another client.
    #[cfg(feature = "http")]
    pub(super) fn unknown(version: ProtocolVersion) -> Self {
        Self {
            protocol_version: version,
            server_info: None,
            capabilities: ServerCapabilities::default(),
            instructions: None,
        }
    }

    pub(super) fn of_discovery(version: ProtocolVersion, result: DiscoverResult) -> Self {
        Self {
            protocol_version: version,
            server_info: result.server_info(),
            capabilities: result.capabilities,
            instructions: result.instructions,
        }
    }
}
