//! A handshake session that the server has forgotten, and the one that takes its place.
//!
//! Owns the one re-initialisation for all who find the session gone (2025-11-25, Streamable HTTP, "Session
//! Management"). It must not know calls.

use super::ask;
use super::link::Link;
use super::told::id_of;
use crate::error::{Error, Result};
use crate::transport::http::header::SESSION_ID;

/// Opens a new session in place of the one that was `gone`; whoever comes second finds it done.
pub(super) async fn renew(link: &Link, gone: u64) -> Result<()> {
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
        .send(link.post(initialize.clone(), Some("initialize")))
        .await
        .map_err(failed)?;
    let session = response.headers().get(SESSION_ID).cloned();
    ask::answer(link, response, id_of(&initialize))
        .await
        .map_err(failed)?;
    link.begin_session(session.as_ref());
    if let Some(initialized) = told.initialized {
        let posted = link.channel.send(link.post(initialized, None)).await;
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
