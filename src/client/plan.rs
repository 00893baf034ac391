//! All of a request but its types: what to send, and under which options.
//!
//! Owns the step from plan to call. It must not know handlers or results.

use tracing::Span;

use super::clock;
use super::core::Core;
use super::follow;
use super::handle::Client;
use super::limits::Limits;
use super::operation::resume;
use super::revision;
use super::telemetry::watch::Beginning;
use crate::error::Result;
use crate::model::task::TaskHandle;
use crate::model::token::ProgressToken;
use crate::progress::mailbox::Overflow;
use crate::progress::tally::Tally;
use crate::session::calls::NewCall;
use crate::session::flight::{Flight, Kind};
use crate::session::wire::Message;
use crate::sync::Arc;

/// A request before it is sent.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) client: Client,
    pub(super) message: Result<Message>,
    pub(super) token: Token,
    pub(super) limits: Limits,
    /// The task that is taken up, in place of a request.
    pub(super) resumes: Option<TaskHandle>,
}

/// Which token the request carries.
#[derive(Debug)]
pub(super) enum Token {
    Minted,
    Chosen(ProgressToken),
    None,
}

impl Plan {
    /// Registers and queues; `listens` says whether the call wants updates for itself.
    pub(super) fn begin(self, listens: bool) -> Result<Core> {
        let message = self.message?;
        let token = match self.token {
            Token::Minted => {
                let known = self.resumes.as_ref();
                let known = known.and_then(|handle| handle.progress_token.clone());
                Some(known.unwrap_or_else(ProgressToken::generate))
            }
            Token::Chosen(token) => Some(token),
            Token::None => None,
        };
        let beginning = self.client.telemetry().begin(&message);
        let span = beginning.as_ref().map_or_else(Span::none, Beginning::span);
        let _entered = span.enter();
        let (client, limits) = (self.client, self.limits);
        // A task has its status to tell, token or not.
        let hears = token.is_some() || self.resumes.is_some();
        let own = (listens && hears).then_some(limits.overflow);
        let tally = beginning.as_ref().map(Beginning::tally);
        let flight = match &self.resumes {
            Some(handle) => resume::adopt(&client, handle, token, own, tally),
            None => register(&client, message, token, own, tally, limits),
        };
        let flight = flight.inspect_err(|error| {
            if let Some(beginning) = &beginning {
                beginning.refused(error);
            }
        })?;
        let session = client.session().clone();
        let core = match self.resumes {
            Some(_) => Core::resumed(client, session, flight.clone(), limits),
            None => Core::new(client, session, flight.clone(), limits),
        };
        Ok(core.watched(beginning.map(|beginning| beginning.watch(&flight))))
    }
}

fn register(
    client: &Client,
    mut message: Message,
    token: Option<ProgressToken>,
    own: Option<Overflow>,
    tally: Option<Tally>,
    limits: Limits,
) -> Result<Arc<Flight>> {
    let session = client.session();
    let wire = session.wire();
    revision::check(&message.method, wire.version)?;
    let follow = follow::of(client, &wire, &mut message, &limits)?;
    client.telemetry().put_trace(&mut message);
    let call = NewCall {
        message,
        token,
        own,
        kind: Kind::Call,
        follow,
        reissues: limits.reissues.into(),
    };
    session.register_watched(call, tally, clock::now())
}
