//! `elicitation/create`: to the handler of its mode, and back as what the form allows.
//!
//! Owns the choice by mode, defaults and the check of what was filled in. It must not know how a user is asked.

use serde_json::Value;

use super::context::RequestContext;
use super::offer::asks_by_form;
use super::typed::{Typed, internal, json, not_offered, params};
use crate::jsonrpc::ErrorObject;
use crate::model::{
    ClientCapabilities, ElicitAction, ElicitForm, ElicitRequest, ElicitResult, ElicitUrl,
};
use crate::session::inbound::ServerRequest;

pub(super) const METHOD: &str = "elicitation/create";

/// The handlers of the two modes.
#[derive(Clone, Default)]
pub(crate) struct Elicitation {
    pub(super) form: Option<Typed<ElicitForm, ElicitResult>>,
    pub(super) url: Option<Typed<ElicitUrl, ElicitResult>>,
}

impl Elicitation {
    /// A mode that was not offered is refused (revision 2025-11-25, "Elicitation", error handling).
    pub(super) async fn answer(
        self,
        request: ServerRequest,
        context: RequestContext,
    ) -> Result<Value, ErrorObject> {
        let offers = |mode: fn(&ClientCapabilities) -> bool| mode(&context.offered);
        match params(&request)? {
            ElicitRequest::Form(form) => {
                let Some(handler) = self.form.filter(|_| offers(by_form)) else {
                    return Err(not_offered("this client does not show forms"));
                };
                let schema = form.requested_schema.clone();
                let mut result = handler(form, context).await?;
                if check_action(&result)? {
                    let content = result.content.get_or_insert_default();
                    schema.fill_defaults(content);
                    schema.check(content).map_err(|mismatch| {
                        tracing::error!(%mismatch, "what a handler filled in does not fit the form of the server");
                        internal("the handler of this client filled the form in wrongly")
                    })?;
                } else {
                    result.content = None;
                }
                json(&result)
            }
            ElicitRequest::Url(url) => {
                let Some(handler) = self.url.filter(|_| offers(by_url)) else {
                    return Err(not_offered("this client does not send the user to URLs"));
                };
                let mut result = handler(url, context).await?;
                check_action(&result)?;
                // There is nothing to fill in, so that nothing can be told.
                result.content = None;
                json(&result)
            }
        }
    }
}

fn by_form(offered: &ClientCapabilities) -> bool {
    offered.elicitation.as_ref().is_some_and(asks_by_form)
}

fn by_url(offered: &ClientCapabilities) -> bool {
    let elicitation = offered.elicitation.as_ref();
    elicitation.is_some_and(|elicitation| elicitation.url.is_some())
}

/// Whether the user accepted.
fn check_action(result: &ElicitResult) -> Result<bool, ErrorObject> {
    match &result.action {
        ElicitAction::Accept => Ok(true),
        ElicitAction::Decline | ElicitAction::Cancel => Ok(false),
        other => {
            tracing::error!(?other, "a handler gave an action that no revision knows");
            Err(internal(
                "the handler of this client gave an unknown action",
            ))
        }
    }
}
