//! The requests of the protocol, one method each.
//!
//! Owns names and params. It must not know how a request is sent.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::handle::Client;
use super::pages::Pages;
use super::request::Request;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    CallToolResult, CompleteResult, CompletionReference, DiscoverResult, GetPromptResult,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
    LoggingLevel, Meta, ReadResourceResult,
};
use crate::session::wire::Message;

/// A result that says nothing but that it worked.
pub type Empty = Map<String, Value>;

impl Client {
    /// `tools/call`: runs a tool. `arguments` must serialise to a JSON object, or to null for none.
    ///
    /// A tool that fails says so in its result ([`CallToolResult::is_error`]); an error means that the call itself
    /// failed.
    pub fn call_tool(
        &self,
        name: impl AsRef<str>,
        arguments: impl Serialize,
    ) -> Request<CallToolResult> {
        self.named("tools/call", name.as_ref(), &arguments)
    }

    /// `tools/list`: the first page of the tools. See [`tools`](Self::tools) for all.
    pub fn list_tools(&self) -> Request<ListToolsResult> {
        Request::new(self, "tools/list", &Value::Null)
    }

    /// All tools, page by page as they are read.
    pub fn tools(&self) -> Pages<ListToolsResult> {
        Pages::new(self, "tools/list")
    }

    /// `resources/list`: the first page of the resources. See [`resources`](Self::resources) for all.
    pub fn list_resources(&self) -> Request<ListResourcesResult> {
        Request::new(self, "resources/list", &Value::Null)
    }

    /// All resources, page by page as they are read.
    pub fn resources(&self) -> Pages<ListResourcesResult> {
        Pages::new(self, "resources/list")
    }

    /// `resources/templates/list`: the first page of the resource templates.
    pub fn list_resource_templates(&self) -> Request<ListResourceTemplatesResult> {
        Request::new(self, "resources/templates/list", &Value::Null)
    }

    /// All resource templates, page by page as they are read.
    pub fn resource_templates(&self) -> Pages<ListResourceTemplatesResult> {
        Pages::new(self, "resources/templates/list")
    }

    /// `resources/read`: the contents of a resource.
    pub fn read_resource(&self, uri: impl AsRef<str>) -> Request<ReadResourceResult> {
        Request::new(self, "resources/read", &json!({ "uri": uri.as_ref() }))
    }

    /// `resources/subscribe`: asks to be told when a resource changes, through [`notifications`](Self::notifications).
    /// Handshake revisions only.
    pub fn subscribe_resource(&self, uri: impl AsRef<str>) -> Request<Empty> {
        Request::new(self, "resources/subscribe", &json!({ "uri": uri.as_ref() }))
            .without_progress()
    }

    /// `resources/unsubscribe`: the opposite. Handshake revisions only.
    pub fn unsubscribe_resource(&self, uri: impl AsRef<str>) -> Request<Empty> {
        Request::new(
            self,
            "resources/unsubscribe",
            &json!({ "uri": uri.as_ref() }),
        )
        .without_progress()
    }

    /// `prompts/list`: the first page of the prompts. See [`prompts`](Self::prompts) for all.
    pub fn list_prompts(&self) -> Request<ListPromptsResult> {
        Request::new(self, "prompts/list", &Value::Null)
    }

    /// All prompts, page by page as they are read.
    pub fn prompts(&self) -> Pages<ListPromptsResult> {
        Pages::new(self, "prompts/list")
    }

    /// `prompts/get`: a prompt, filled in. `arguments` must serialise to a JSON object of strings, or to null for none.
    pub fn get_prompt(
        &self,
        name: impl AsRef<str>,
        arguments: impl Serialize,
    ) -> Request<GetPromptResult> {
        self.named("prompts/get", name.as_ref(), &arguments)
    }

    /// `completion/complete`: what the argument `name` of a prompt or a resource template may go on with after `value`.
    pub fn complete(
        &self,
        reference: CompletionReference,
        name: impl AsRef<str>,
        value: impl AsRef<str>,
    ) -> Request<CompleteResult> {
        let argument = json!({ "name": name.as_ref(), "value": value.as_ref() });
        Request::new(
            self,
            "completion/complete",
            &json!({ "ref": reference, "argument": argument }),
        )
    }

    /// `server/discover`: what the server offers, asked anew. Revision 2026-07-28; see [`server`](Self::server) for what
    /// it said when the connection was made.
    pub fn discover(&self) -> Request<DiscoverResult> {
        Request::new(self, "server/discover", &Value::Null).without_progress()
    }

    /// `ping`: whether the server answers. Handshake revisions only.
    pub fn ping(&self) -> Request<Empty> {
        Request::new(self, "ping", &Value::Null).without_progress()
    }

    /// Any request, with a result of any type. `params` must serialise to a JSON object, or to null for none; a `_meta`
    /// among them is merged with what the client puts there.
    pub fn request<T: DeserializeOwned>(
        &self,
        method: impl Into<Cow<'static, str>>,
        params: impl Serialize,
    ) -> Request<T> {
        Request::new(self, method, &params)
    }

    /// Any notification, queued at once.
    ///
    /// # Errors
    ///
    /// Fails where the params are no JSON object, where too many notifications wait to be written, or where the
    /// connection is over.
    pub fn notify(
        &self,
        method: impl Into<Cow<'static, str>>,
        params: impl Serialize,
    ) -> Result<()> {
        let message = Message::new(method, &params)
            .map_err(|text| Error::new(ErrorKind::InvalidInput, text))?;
        self.session().notify(&message)
    }

    /// Asks for log messages from `level` up, which reach [`notifications`](Self::notifications): by
    /// `logging/setLevel`, or in revision 2026-07-28 as a member of `_meta` of every request from now on.
    ///
    /// # Errors
    ///
    /// Fails where the server refuses `logging/setLevel`, and as any request does.
    pub async fn set_log_level(&self, level: LoggingLevel) -> Result<()> {
        let wire = self.session().wire();
        if wire.is_modern() {
            self.session()
                .set_wire(wire.with_meta(Meta::LOG_LEVEL, json!(level)));
            return Ok(());
        }
        let request = Request::<Empty>::new(self, "logging/setLevel", &json!({ "level": level }));
        request.without_progress().await.map(drop)
    }

    fn named<T: DeserializeOwned>(
        &self,
        method: &'static str,
        name: &str,
        arguments: &impl Serialize,
    ) -> Request<T> {
        #[derive(Serialize)]
        struct Params<'a> {
            name: &'a str,
            #[serde(skip_serializing_if = "Value::is_null")]
            arguments: Value,
        }

        match serde_json::to_value(arguments) {
            Ok(arguments @ (Value::Object(_) | Value::Null)) => {
                Request::new(self, method, &Params { name, arguments })
            }
            Ok(other) => self.refused(
                method,
                format!("the arguments must be a JSON object, not {other}"),
            ),
            Err(error) => self.refused(method, format!("the arguments do not serialise: {error}")),
        }
    }

    fn refused<T: DeserializeOwned>(
        &self,
        method: &'static str,
        text: impl std::fmt::Display,
    ) -> Request<T> {
        Request::failed(
            self,
            Error::new(ErrorKind::InvalidInput, format!("{method}: {text}")),
        )
    }
}
