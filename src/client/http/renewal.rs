//! A handshake session that the server has forgotten, and the one that takes its place.
//!
//! Owns the one re-initialisation for all who find the session gone (2025-11-25, Streamable HTTP, "Session
//! Management"). It must not know calls.

use std::time::Duration;

use serde::Deserialize;
use tokio::time::timeout;

use super::ask;
use super::link::Link;
use super::told::id_of;
use crate::error::{Error, Result};
use crate::sync::Arc;
use crate::transport::http::header::SESSION_ID;

/// How long a new session may take, all in all.
const LIMIT: Duration = Duration::from_secs(60);

/// What is looked at of the answer to `initialize`.
#[derive(Deserialize)]
struct Agreed {
    #[serde(rename = "protocolVersion")]
    version: String,
}

/// Opens a new session in place of the one that was `gone`; whoever comes second finds it done.
///
/// In a task of its own: the call that finds the session gone may be dropped in the middle, and others would then speak
/// in a session that was begun by half.
pub(super) async fn renew(link: &Arc<Link>, gone: u64) -> Result<()> {
    let renewing = link.runtime.spawn({
        let link = link.clone();
        async move { timeout(LIMIT, renewed(&link, gone)).await }
    });
    link.keep(renewing.abort_handle());
    match renewing.await {
        Ok(Ok(renewed)) => renewed,
        Ok(Err(_)) => Err(Error::connect(
            "the server has ended the session, and a new one is not opened in time",
        )),
        Err(_) => Err(Error::connect("the connection was closed")),
    }
}

async fn renewed(link: &Link, gone: u64) -> Result<()> {
    let _turn = link.renewing.lock().await;
    if link.generation() != Some(gone) {
        return Ok(());
    }
    let told = link.told.all();
    let Some(initialize) = told.initialize else {
        return Err(Error::connect(
            "the server has ended the session before it began",
        ));
    };
    tracing::debug!("the server has forgotten the session; a new one is opened");
    let failed = |error: Error| {
        Error::connect("the server has ended the session, and a new one cannot be opened")
            .with_source(error)
    };
    let response = link
        .channel
        .send(link.post(initialize.clone(), "initialize", None))
        .await
        .map_err(failed)?;
    let session = response.headers().get(SESSION_ID).cloned();
    let result = ask::answer(link, response, id_of(&initialize))
        .await
        .map_err(failed)?;
    let agreed = serde_json::from_str::<Agreed>(result.get()).ok();
    // Calls under way, and whoever asked the client what it speaks, go by the revision of the old session.
    if agreed.and_then(|agreed| agreed.version.parse().ok()) != link.session.wire().version {
        return Err(Error::connect(
            "the server has ended the session, and speaks another revision now",
        )
        .with_hint("connect again"));
    }
    link.begin_session(session.as_ref());
    if let Some(initialized) = told.initialized {
        let posted = link.channel.send(link.post_notice(initialized)).await;
        posted.map_err(failed)?;
    }
    for (what, frame) in told.settings {
        // Told to the log only: the session works without.
        if let Err(error) = ask::ask(link, frame.clone(), id_of(&frame), "").await {
            tracing::warn!(%error, what, "the new session did not take over a setting of the old one");
        }
    }
    // The server's own stream belongs to the old session.
    link.restart.notify_one();
    Ok(())
}
