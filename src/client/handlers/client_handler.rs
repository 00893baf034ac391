//! All handlers in one type.
//!
//! Owns the trait. It must not know how requests arrive or how a client is made.

use std::future::{Future, ready};

use super::context::RequestContext;
use crate::jsonrpc::ErrorObject;
use crate::model::{
    ClientCapabilities, CreateMessageRequest, CreateMessageResult, ElicitForm, ElicitResult,
    ElicitUrl, Root,
};

/// What a client answers a server that asks, as one type; set by [`Connect::handler`](crate::Connect::handler).
///
/// [`capabilities`](Self::capabilities) says which of the methods are there. Methods may be written as `async fn`.
///
/// ```
/// use mcp_progress::model::{ClientCapabilities, ElicitForm, ElicitResult};
/// use mcp_progress::{ClientHandler, ErrorObject, RequestContext};
///
/// struct Terminal;
///
/// impl ClientHandler for Terminal {
///     fn capabilities(&self) -> ClientCapabilities {
///         ClientCapabilities::default().with_elicitation_form()
///     }
///
///     async fn elicit(
///         &self,
///         form: ElicitForm,
///         _context: RequestContext,
///     ) -> Result<ElicitResult, ErrorObject> {
///         tracing::info!("the server asks: {}", form.message);
///         Ok(ElicitResult::decline())
///     }
/// }
/// ```
pub trait ClientHandler: Send + Sync + 'static {
    /// Which requests this answers: [`elicit`](Self::elicit) with
    /// [`with_elicitation_form`](ClientCapabilities::with_elicitation_form), [`elicit_url`](Self::elicit_url) with
    /// [`with_elicitation_url`](ClientCapabilities::with_elicitation_url), and so on. It is asked once, and said to the
    /// server as far as [`Connect::capabilities`](crate::Connect::capabilities) says nothing else.
    fn capabilities(&self) -> ClientCapabilities;

    /// As [`Connect::on_elicitation`](crate::Connect::on_elicitation).
    fn elicit(
        &self,
        form: ElicitForm,
        context: RequestContext,
    ) -> impl Future<Output = Result<ElicitResult, ErrorObject>> + Send {
        drop(form);
        ready(Err(missing(&context)))
    }

    /// As [`Connect::on_url_elicitation`](crate::Connect::on_url_elicitation).
    fn elicit_url(
        &self,
        url: ElicitUrl,
        context: RequestContext,
    ) -> impl Future<Output = Result<ElicitResult, ErrorObject>> + Send {
        drop(url);
        ready(Err(missing(&context)))
    }

    /// As [`Connect::on_sampling`](crate::Connect::on_sampling).
    fn create_message(
        &self,
        request: CreateMessageRequest,
        context: RequestContext,
    ) -> impl Future<Output = Result<CreateMessageResult, ErrorObject>> + Send {
        drop(request);
        ready(Err(missing(&context)))
    }

    /// As [`Connect::on_roots`](crate::Connect::on_roots).
    fn list_roots(
        &self,
        context: RequestContext,
    ) -> impl Future<Output = Result<Vec<Root>, ErrorObject>> + Send {
        ready(Err(missing(&context)))
    }
}

/// It was offered, but nobody wrote it.
fn missing(context: &RequestContext) -> ErrorObject {
    tracing::error!(
        method = context.method,
        "a handler offers what it does not have"
    );
    let text = format!("this client does not answer {}", context.method);
    ErrorObject::new(ErrorObject::METHOD_NOT_FOUND, text)
}
