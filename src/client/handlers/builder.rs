//! Setting typed handlers on the builder of a client.
//!
//! Owns what each of them offers to servers. It must not know what becomes of a request.

use std::future::Future;

use futures::FutureExt;

use super::client_handler::ClientHandler;
use super::context::RequestContext;
use super::offer::{asks_by_form, together};
use super::typed::Typed;
use super::{elicitation, roots, sampling};
use crate::client::connect::Connect;
use crate::jsonrpc::ErrorObject;
use crate::model::{
    ClientCapabilities, CreateMessageRequest, CreateMessageResult, ElicitForm, ElicitResult,
    ElicitUrl, Root,
};
use crate::sync::{Arc, Mutex};

impl Connect {
    /// Answers forms (`elicitation/create` in form mode, since 2025-06-18), and offers to: the capability
    /// `elicitation.form`. Default: such a request is refused.
    ///
    /// The fields that an accepted form lacks get their defaults from the server's schema; one that the user has emptied is
    /// given as `null`, and left out. What does not fit the schema then is logged and not sent; the server gets the error
    /// -32603. An `Err` goes to the server as it is.
    ///
    /// Handlers run as those of [`on_request`](Self::on_request) do: beside calls and each other, up to 16 at once, and
    /// dropped where the server cancels its request. While one works, idle clocks stand still. In revision 2026-07-28
    /// they answer what a result asks for.
    ///
    /// ```
    /// # async fn example() -> mcp_progress::Result<()> {
    /// use mcp_progress::Client;
    /// use mcp_progress::model::ElicitResult;
    ///
    /// let client = Client::stdio("my-server", ["--stdio"])
    ///     .on_elicitation(|form, _context| async move {
    ///         tracing::info!("{}", form.message);
    ///         Ok(ElicitResult::accept().with("name", "Ada"))
    ///     })
    ///     .await?;
    /// # let _ = client; Ok(()) }
    /// ```
    pub fn on_elicitation<F, Fut>(self, handler: F) -> Self
    where
        F: Fn(ElicitForm, RequestContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ElicitResult, ErrorObject>> + Send + 'static,
    {
        self.set_form(boxed(handler))
    }

    /// Sends the user to pages (`elicitation/create` in URL mode, since 2025-11-25), and offers to: the capability
    /// `elicitation.url`. Default: such a request is refused.
    ///
    /// Accepting means that the user agreed to go there; content is not sent. For the rest as
    /// [`on_elicitation`](Self::on_elicitation).
    pub fn on_url_elicitation<F, Fut>(self, handler: F) -> Self
    where
        F: Fn(ElicitUrl, RequestContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<ElicitResult, ErrorObject>> + Send + 'static,
    {
        self.set_url(boxed(handler))
    }

    /// Asks the user's language model (`sampling/createMessage`), and offers to: the capability `sampling`. Default: such
    /// a request is refused. Deprecated by the specification since 2026-07-28.
    ///
    /// A request with tools is refused; [`on_sampling_with_tools`](Self::on_sampling_with_tools) takes them. The error for a user who
    /// says no is [`CreateMessageResult::USER_REJECTED`]. For the rest as [`on_elicitation`](Self::on_elicitation).
    pub fn on_sampling<F, Fut>(self, handler: F) -> Self
    where
        F: Fn(CreateMessageRequest, RequestContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<CreateMessageResult, ErrorObject>> + Send + 'static,
    {
        self.set_sampling(boxed(handler))
            .offer(ClientCapabilities::default().with_sampling())
    }

    /// As [`on_sampling`](Self::on_sampling), for a model that uses tools: the capability `sampling.tools`, since
    /// 2025-11-25.
    pub fn on_sampling_with_tools<F, Fut>(self, handler: F) -> Self
    where
        F: Fn(CreateMessageRequest, RequestContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<CreateMessageResult, ErrorObject>> + Send + 'static,
    {
        self.set_sampling(boxed(handler))
            .offer(ClientCapabilities::default().with_sampling_tools())
    }

    /// Lists these roots (`roots/list`), and offers to: the capability `roots`. Others can be set with
    /// [`Client::set_roots`](crate::Client::set_roots). Default: such a request is refused. Deprecated by the
    /// specification since 2026-07-28.
    ///
    /// ```
    /// # async fn example() -> mcp_progress::Result<()> {
    /// use mcp_progress::Client;
    /// use mcp_progress::model::Root;
    ///
    /// let client = Client::stdio("my-server", ["--stdio"])
    ///     .roots([Root::new("file:///work").named("work")])
    ///     .await?;
    /// client.set_roots([Root::new("file:///elsewhere")])?;
    /// # Ok(()) }
    /// ```
    pub fn roots(mut self, roots: impl IntoIterator<Item = Root>) -> Self {
        let listed = Arc::new(Mutex::new(roots.into_iter().collect()));
        let handlers = &mut self.options.handlers;
        handlers.asks.roots = Some(listed.clone());
        handlers.set(roots::METHOD.to_owned(), move |_request, _context| {
            std::future::ready(roots::listed(&listed))
        });
        self.offer(ClientCapabilities::default().with_roots(true))
    }

    /// Lists the roots that a handler gives; say with
    /// [`Client::notify_roots_changed`](crate::Client::notify_roots_changed) when they are others. For the rest as
    /// [`roots`](Self::roots) and [`on_elicitation`](Self::on_elicitation).
    pub fn on_roots<F, Fut>(self, handler: F) -> Self
    where
        F: Fn(RequestContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Vec<Root>, ErrorObject>> + Send + 'static,
    {
        self.set_roots(boxed(move |(), context| handler(context)))
            .offer(ClientCapabilities::default().with_roots(true))
    }

    /// Answers by all the handlers of a type; it says itself which it has. Of several handlers of one kind the last
    /// counts.
    pub fn handler(mut self, handler: impl ClientHandler) -> Self {
        let offered = handler.capabilities();
        let handler = Arc::new(handler);
        if offered.elicitation.as_ref().is_some_and(asks_by_form) {
            let handler = handler.clone();
            self = self.on_elicitation(move |form, context| {
                let handler = handler.clone();
                async move { handler.elicit(form, context).await }
            });
        }
        let elicitation = offered.elicitation.as_ref();
        if elicitation.is_some_and(|elicitation| elicitation.url.is_some()) {
            let handler = handler.clone();
            self = self.on_url_elicitation(move |url, context| {
                let handler = handler.clone();
                async move { handler.elicit_url(url, context).await }
            });
        }
        if offered.sampling.is_some() {
            let handler = handler.clone();
            self = self.set_sampling(boxed(move |request, context| {
                let handler = handler.clone();
                async move { handler.create_message(request, context).await }
            }));
        }
        if offered.roots.is_some() {
            self = self.set_roots(boxed(move |(), context| {
                let handler = handler.clone();
                async move { handler.list_roots(context).await }
            }));
        }
        self.offer(ClientCapabilities {
            elicitation: None,
            ..offered
        })
    }

    fn set_form(mut self, handler: Typed<ElicitForm, ElicitResult>) -> Self {
        let asks = &mut self.options.handlers.asks;
        asks.elicitation.form = Some(handler);
        asks.offered = std::mem::take(&mut asks.offered).with_elicitation_form();
        self.set_elicitation()
    }

    fn set_url(mut self, handler: Typed<ElicitUrl, ElicitResult>) -> Self {
        let asks = &mut self.options.handlers.asks;
        asks.elicitation.url = Some(handler);
        asks.offered = std::mem::take(&mut asks.offered).with_elicitation_url();
        self.set_elicitation()
    }

    fn set_elicitation(mut self) -> Self {
        let handlers = &mut self.options.handlers;
        let elicitation = handlers.asks.elicitation.clone();
        handlers.set(elicitation::METHOD.to_owned(), move |request, context| {
            elicitation.clone().answer(request, context)
        });
        self
    }

    fn set_sampling(mut self, handler: Typed<CreateMessageRequest, CreateMessageResult>) -> Self {
        let handlers = &mut self.options.handlers;
        handlers.set(sampling::METHOD.to_owned(), move |request, context| {
            sampling::answer(handler.clone(), request, context)
        });
        self
    }

    fn set_roots(mut self, handler: Typed<(), Vec<Root>>) -> Self {
        let handlers = &mut self.options.handlers;
        handlers.asks.roots = None;
        handlers.set(roots::METHOD.to_owned(), move |_request, context| {
            roots::answer(handler.clone(), context)
        });
        self
    }

    /// Offers this too; what is said now counts more than what handlers that were set before have said.
    fn offer(mut self, offered: ClientCapabilities) -> Self {
        let asks = &mut self.options.handlers.asks;
        asks.offered = together(&offered, &asks.offered);
        self
    }
}

fn boxed<Q, A, F, Fut>(handler: F) -> Typed<Q, A>
where
    F: Fn(Q, RequestContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<A, ErrorObject>> + Send + 'static,
{
    Arc::new(move |request, context| handler(request, context).boxed())
}
