//! Messages that need no answer: notifications, answers to the server, and the word that it should stop.
//!
//! Owns their exchange and its time limit. It must not know calls.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Response, StatusCode};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::ask::{drain, refusal};
use super::link::Link;
use super::renewal;
use crate::error::Result;
use crate::sync::Arc;

/// How long the server may take to accept a message that needs no answer.
const ACCEPT: Duration = Duration::from_secs(10);

/// Posts a message that means something in this session only: an answer, or the word that a call should stop. What becomes
/// of it is logged, since nobody waits for it. Where the session is gone, so is what it was about.
pub(super) async fn tell(link: &Link, frame: Bytes) {
    let posted = async { accepted(link.channel.send(link.post_notice(frame)).await?).await };
    log(timeout(ACCEPT, posted).await);
}

/// Posts a notification, in a new session where the server has forgotten this one.
pub(super) async fn notify(link: &Arc<Link>, frame: Bytes) {
    let posted = async {
        let generation = link.generation();
        let response = link.channel.send(link.post_notice(frame.clone())).await?;
        let gone = response.status() == StatusCode::NOT_FOUND;
        let Some(generation) = generation.filter(|_| gone) else {
            return accepted(response).await;
        };
        renewal::renew(link, generation).await?;
        accepted(link.channel.send(link.post_notice(frame)).await?).await
    };
    log(timeout(ACCEPT, posted).await);
}

async fn accepted(response: Response) -> Result<()> {
    if response.status().is_success() {
        drain(response).await;
        return Ok(());
    }
    Err(refusal(response).await)
}

fn log(told: std::result::Result<Result<()>, Elapsed>) {
    match told {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the server did not take a message"),
        Err(_) => tracing::warn!("the server did not take a message in time"),
    }
}
