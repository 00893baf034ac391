//! All of a request but its types: what to send, and under which options.
//!
//! Owns the step from plan to call. It must not know handlers or results.

use super::clock;
use super::core::Core;
use super::follow;
use super::handle::Client;
use super::limits::Limits;
use super::operation::resume;
use super::revision;
use crate::error::Result;
use crate::model::task::TaskHandle;
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
        let mut message = self.message?;
        let session = self.client.session().clone();
        let token = match self.token {
            Token::Minted => {
                let known = self.resumes.as_ref();
                let known = known.and_then(|handle| handle.progress_token.clone());
                Some(known.unwrap_or_else(ProgressToken::generate))
            }
            Token::Chosen(token) => Some(token),
            Token::None => None,
        };
        if let Some(handle) = &self.resumes {
            return resume::begin(self.client, handle, token, listens, self.limits);
        }
        let wire = session.wire();
        revision::check(&message.method, wire.version)?;
        let follow = follow::of(&self.client, &wire, &mut message, &self.limits)?;
        let own = (listens && token.is_some()).then_some(self.limits.overflow);
        let call = NewCall {
            message,
            token,
            own,
            kind: Kind::Call,
            follow,
            reissues: self.limits.reissues.into(),
        };
        let flight = session.register(call, clock::now())?;
        Ok(Core::new(self.client, session, flight, self.limits))
    }
}
