//! All of a request but its types: what to send, and under which options.
//!
//! Owns the step from plan to call. It must not know handlers or results.

use super::clock;
use super::core::Core;
use super::handle::Client;
use super::limits::Limits;
use super::revision;
use crate::error::Result;
use crate::model::token::ProgressToken;
use crate::session::calls::NewCall;
use crate::session::flight::Kind;
use crate::session::wire::Message;

/// A request before it is sent.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) client: Client,
    pub(super) message: Result<Message>,
    pub(super) token: Token,
    pub(super) limits: Limits,
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
        let session = self.client.session().clone();
        revision::check(&message.method, session.wire().version)?;
        let token = match self.token {
            Token::Minted => Some(ProgressToken::generate()),
            Token::Chosen(token) => Some(token),
            Token::None => None,
        };
        let own = (listens && token.is_some()).then_some(self.limits.overflow);
        let call = NewCall {
            message,
            token,
            own,
            kind: Kind::Call,
            reissues: self.limits.reissues.into(),
        };
        let flight = session.register(call, clock::now())?;
        Ok(Core::new(self.client, session, flight, self.limits))
    }
}
