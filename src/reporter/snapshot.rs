//! What of an operation's progress survives a restart.
//!
//! Owns its form. It must not know how it is taken or kept.

use serde::{Deserialize, Serialize};

use crate::model::ProgressToken;

/// The figures of a reporter, to be kept anywhere and given to
/// [`resume`](crate::reporter::ReporterBuilder::resume) in another process.
///
/// ```
/// # async fn example(sink: impl mcp_progress::ProgressSink, json: &str) -> Result<(), Box<dyn std::error::Error>> {
/// use mcp_progress::ProgressReporter;
/// use mcp_progress::reporter::Snapshot;
///
/// let snapshot: Snapshot = serde_json::from_str(json)?;
/// let reporter = ProgressReporter::builder(sink).resume(snapshot).build()?; // with the token of the snapshot
/// # let _ = reporter; Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Snapshot {
    /// The token that updates carried.
    #[serde(rename = "progressToken")]
    pub token: ProgressToken,
    /// The newest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<f64>,
    /// The total.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
    /// A text that was not sent yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The largest value that the sink was given. Whoever listens under the same token is sent larger ones only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<f64>,
    /// The milestones that were told, one bit each.
    #[serde(default)]
    pub(super) milestones: u8,
}
