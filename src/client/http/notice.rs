//! Messages that need no answer: notifications, answers to the server, and the word that it should stop.
//!
//! Owns their exchange and its time limit. It must not know calls.

use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use tokio::time::timeout;

use super::ask::{drain, refusal};
use super::link::Link;
use super::renewal;
use crate::error::Result;
use crate::sync::Arc;

/// How long the server may take to accept a message that needs no answer.
const ACCEPT: Duration = Duration::from_secs(10);

/// Posts a message that needs no answer. What becomes of it is logged: nobody waits for it.
pub(super) async fn tell(link: &Arc<Link>, frame: Bytes) {
    match timeout(ACCEPT, accepted(link, frame)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the server did not take a message"),
        Err(_) => tracing::warn!("the server did not take a message in time"),
    }
}

async fn accepted(link: &Arc<Link>, frame: Bytes) -> Result<()> {
    let generation = link.generation();
    let mut response = link.channel.send(link.post_notice(frame.clone())).await?;
    if response.status() == StatusCode::NOT_FOUND
        && let Some(generation) = generation
    {
        renewal::renew(link, generation).await?;
        response = link.channel.send(link.post_notice(frame)).await?;
    }
    if response.status().is_success() {
        drain(response).await;
        return Ok(());
    }
    Err(refusal(response).await)
}
