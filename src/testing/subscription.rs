//! Owns an open `subscriptions/listen` request: what it wants, and how it is told. Must not know connections.
//! Source: 2026-07-28 `basic/patterns/subscriptions`.

use crate::testing::frame;
use crate::testing::request::Request;
use serde_json::{Value, json};

/// `_meta` key that ties a notification to the `subscriptions/listen` request it belongs to.
const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";

/// An open `subscriptions/listen` request.
#[derive(Debug)]
pub(crate) struct Subscription {
    request: Request,
    /// What of its filter the server agrees to.
    agreed: Value,
}

impl Subscription {
    /// A subscription for what the request asks for, but only for those tasks that are agreed to.
    pub(crate) fn new(request: Request, agrees: impl Fn(&str) -> bool) -> Self {
        let mut agreed = request.field("notifications").clone();
        if let Some(tasks) = agreed.get_mut("taskIds").and_then(Value::as_array_mut) {
            tasks.retain(|task| task.as_str().is_some_and(&agrees));
        }
        Self { request, agreed }
    }

    pub(crate) fn request(&self) -> &Request {
        &self.request
    }

    /// Whether the client asked for such notifications. Those the specification does not name go to everyone.
    pub(crate) fn wants(&self, method: &str, params: &Value) -> bool {
        let filter = &self.agreed;
        match method {
            "notifications/tools/list_changed" => filter["toolsListChanged"] == true,
            "notifications/prompts/list_changed" => filter["promptsListChanged"] == true,
            "notifications/resources/list_changed" => filter["resourcesListChanged"] == true,
            "notifications/resources/updated" => {
                let uris = filter["resourceSubscriptions"].as_array();
                uris.is_some_and(|uris| uris.contains(&params["uri"]))
            }
            "notifications/tasks" => {
                let tasks = filter["taskIds"].as_array();
                tasks.is_some_and(|tasks| tasks.contains(&params["taskId"]))
            }
            _ => true,
        }
    }

    /// The first message of the subscription.
    pub(crate) fn acknowledgement(&self) -> Vec<u8> {
        let agreed = json!({"notifications": self.agreed});
        self.notification("notifications/subscriptions/acknowledged", &agreed)
    }

    pub(crate) fn notification(&self, method: &str, params: &Value) -> Vec<u8> {
        let mut params = if params.is_object() {
            params.clone()
        } else {
            json!({})
        };
        if !params["_meta"].is_object() {
            params["_meta"] = json!({});
        }
        params["_meta"][SUBSCRIPTION_ID] = self.request.id().clone();
        frame::notification(method, &params)
    }

    /// The result that ends the subscription in good order.
    pub(crate) fn result(&self) -> Value {
        json!({"_meta": {SUBSCRIPTION_ID: self.request.id()}})
    }
}
