//! Whose update it is.
//!
//! Owns the judgement of progress notifications: the call they are for, how sure that is, and what is told where there
//! is none. It must not know how frames are read.

use super::calls::Session;
use super::read::{Read, Scope};
use super::stats::DiagnosticKind;
use crate::jsonrpc::Key;
use crate::model::progress::ProgressParams;
use crate::progress::delivery::Delivery;
use crate::progress::slot::Slot;
use crate::sync::{Arc, Ordering};

/// By what an update found its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Token,
    Retyped,
    Stream,
}

impl Session {
    pub(super) fn on_progress(&self, params: &ProgressParams<'_>, read: &mut Read) {
        let mut owner = Owner::Token;
        if !read
            .last
            .as_ref()
            .is_some_and(|slot| slot.token().matches(&params.token))
        {
            (read.last, owner) = self.owner(&params.token, &read.scope);
        }
        let Some(slot) = &read.last else {
            let retired = self.registry.tokens().is_late(&params.token);
            let kind = if retired {
                DiagnosticKind::LateUpdate
            } else {
                DiagnosticKind::ForeignUpdate
            };
            self.counters.note(kind, || {
                format!("token {:?}, progress {}", params.token, params.progress)
            });
            return;
        };
        let mut update = params.to_update();
        update.retyped = owner == Owner::Retyped;
        update.by_stream = owner == Owner::Stream;
        let detail = || format!("token {:?}, progress {}", slot.token(), params.progress);
        match slot.deliver(update, read.now) {
            Delivery::Late => self.counters.note(DiagnosticKind::LateUpdate, detail),
            Delivery::Delivered {
                touched,
                regressed,
                crowded,
            } => {
                self.counters.update();
                if regressed {
                    self.counters.note(DiagnosticKind::RegressingUpdate, detail);
                }
                match owner {
                    Owner::Token => {}
                    Owner::Retyped => self.counters.note(DiagnosticKind::Retyped, detail),
                    Owner::Stream => self.counters.note(DiagnosticKind::ByStream, || {
                        format!(
                            "token {:?} on the stream of {:?}",
                            params.token,
                            slot.token()
                        )
                    }),
                }
                let slot = touched.then(|| slot.clone());
                if let Some(slot) = slot {
                    read.updated(slot);
                }
                if crowded {
                    read.crowded();
                }
            }
        }
    }

    /// Whose update it is: that of the exact live token; else, unless tokens are taken strictly, that of the token in
    /// the other JSON type, or of the call on whose stream it came. Where a stream is for one call alone, that call's.
    fn owner(&self, token: &Key<'_>, scope: &Scope) -> (Option<Arc<Slot>>, Owner) {
        let tokens = self.registry.tokens();
        let call = scope.call().filter(|(flight, _)| flight.tracked);
        let exact = match call {
            Some((flight, true)) => {
                let own = flight.slot.token().matches(token);
                own.then(|| flight.slot.clone())
            }
            _ => tokens.lookup(token),
        };
        if exact.is_some() || self.strict_tokens.load(Ordering::Relaxed) {
            return (exact, Owner::Token);
        }
        let retyped = token.retyped();
        let retyped = retyped.and_then(|key| match call {
            Some((flight, true)) => flight
                .slot
                .token()
                .matches(&key)
                .then(|| flight.slot.clone()),
            _ => tokens.lookup(&key),
        });
        match (retyped, call) {
            (Some(slot), _) => (Some(slot), Owner::Retyped),
            // A token that is over was this client's own: its update is late, and not this call's.
            (None, Some((flight, alone))) if alone || !tokens.is_retired(token) => {
                (Some(flight.slot.clone()), Owner::Stream)
            }
            (None, _) => (None, Owner::Token),
        }
    }
}
