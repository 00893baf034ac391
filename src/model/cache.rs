//! Who may share a cached answer.

use serde::{Deserialize, Serialize};

/// Where an answer may be reused (`cacheScope`). Since 2026-07-28.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CacheScope {
    /// For anybody: it holds nothing of one user.
    Public,
    /// Only under the same authorization.
    Private,
    /// A scope that no known revision names. Treat it as [`Private`](Self::Private).
    #[serde(untagged)]
    Other(String),
}
