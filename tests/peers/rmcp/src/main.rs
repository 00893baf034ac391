//! A server on rmcp: `peer-rmcp [stdio | http | events | keepalive | stateless]`.

mod asks;
mod http;
mod jobs;

use std::{borrow::Cow, fs::OpenOptions, io::Write, sync::Arc, time::Duration};

use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, CancelTaskParams, ContentBlock,
        GetPromptRequestParams, GetPromptResponse, GetPromptResult, GetTaskParams, GetTaskResult,
        JsonObject, ListPromptsResult, ListResourcesResult, ListToolsResult,
        PaginatedRequestParams, ProgressNotificationParam, Prompt, PromptMessage,
        ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, Resource,
        ResourceContents, Role, ServerCapabilities, ServerConfig, Tool, UpdateTaskParams,
    },
    service::RequestContext,
    task_manager::TaskManager,
    transport::stdio,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use asks::Questions;

const REPORT: &str = "peer:///report";

#[derive(Deserialize)]
#[serde(default)]
struct Count {
    steps: u32,
    delay_ms: u64,
    burst: bool,
}

impl Default for Count {
    fn default() -> Self {
        Self {
            steps: 5,
            delay_ms: 20,
            burst: false,
        }
    }
}

#[derive(Deserialize)]
#[serde(default)]
struct Slow {
    ms: u64,
    silent: bool,
}

impl Default for Slow {
    fn default() -> Self {
        Self {
            ms: 1000,
            silent: false,
        }
    }
}

/// Notes what a call did, or what became of it, where the harness can read it.
fn note(entry: &Value) {
    if let Some(path) = std::env::var_os("PEER_LOG") {
        let written = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut log| writeln!(log, "{entry}"));
        if let Err(error) = written {
            eprintln!("cannot write {}: {error}", path.display());
        }
    }
}

/// Sends one update to whoever made this request, if they asked for updates.
async fn report(
    context: &RequestContext<RoleServer>,
    progress: f64,
    total: Option<f64>,
    message: String,
) -> Result<(), ErrorData> {
    let Some(token) = context.meta.get_progress_token() else {
        return Ok(());
    };
    let mut update = ProgressNotificationParam::new(token, progress).with_message(message);
    if let Some(total) = total {
        update = update.with_total(total);
    }
    let sent = context.peer.notify_progress(update).await;
    sent.map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

fn arguments<T: DeserializeOwned>(arguments: Option<JsonObject>) -> Result<T, ErrorData> {
    serde_json::from_value(Value::Object(arguments.unwrap_or_default()))
        .map_err(|error| ErrorData::invalid_params(error.to_string(), None))
}

fn schema(properties: Value) -> Arc<JsonObject> {
    let mut schema = JsonObject::new();
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), properties);
    Arc::new(schema)
}

fn text(text: String) -> CallToolResponse {
    CallToolResult::success(vec![ContentBlock::text(text)]).into()
}

/// The server. Every session has one of its own, but they share their tasks.
#[derive(Clone, Default)]
struct Peer {
    tasks: TaskManager,
}

impl Peer {
    async fn count(
        &self,
        count: Count,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        for i in 1..=count.steps {
            if !count.burst && count.delay_ms > 0 {
                sleep(Duration::from_millis(count.delay_ms)).await;
            }
            report(
                context,
                i.into(),
                Some(count.steps.into()),
                format!("step {i}"),
            )
            .await?;
            note(&json!({"event": "sent", "request": context.id, "progress": i}));
        }
        Ok(text(format!("counted {}", count.steps)))
    }

    async fn slow(
        &self,
        slow: Slow,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let end = Instant::now() + Duration::from_millis(slow.ms);
        let ending = Ending::of(context);
        let mut tick = 0_u32;
        while Instant::now() < end {
            tokio::select! {
                () = context.ct.cancelled() => {
                    return Err(ErrorData::internal_error("cancelled", None));
                }
                () = sleep(Duration::from_millis(slow.ms.min(50))) => {}
            }
            tick += 1;
            if !slow.silent {
                report(context, tick.into(), None, format!("tick {tick}")).await?;
            }
        }
        ending.finished();
        Ok(text(format!("took {} ms", slow.ms)))
    }
}

/// Notes how a call ended. rmcp cancels its token and then drops the call's future, or fails what it reports; whichever
/// the call sees first, it was ended from outside.
struct Ending(Option<Value>);

impl Ending {
    fn of(context: &RequestContext<RoleServer>) -> Self {
        Self(Some(json!(context.id)))
    }

    fn finished(mut self) {
        note(&json!({"event": "finished", "request": self.0.take()}));
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(request) = self.0.take() {
            note(&json!({"event": "aborted", "request": request}));
        }
    }
}

impl ServerHandler for Peer {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(
            ServerCapabilities::builder()
                .enable_tools()
                .enable_resources()
                .enable_prompts()
                .enable_tasks()
                .build(),
        )
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        Ok(GetTaskResult::new(self.tasks.get_task(&request.task_id)?))
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.tasks
            .update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.tasks.cancel_task(&request.task_id)
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let tool = |name: &'static str, about: &'static str, properties| {
            Tool::new(
                Cow::Borrowed(name),
                Cow::Borrowed(about),
                schema(properties),
            )
        };
        Ok(ListToolsResult::with_all_items(vec![
            tool(
                "count",
                "Counts to `steps`, reporting each step",
                json!({
                    "steps": {"type": "integer", "default": 5},
                    "delay_ms": {"type": "integer", "default": 20},
                    "burst": {"type": "boolean", "default": false},
                }),
            ),
            tool("ask", "Asks for a name and a number", json!({})),
            tool("ask_twice", "Asks so twice", json!({})),
            tool("ask_url", "Asks to open a page", json!({})),
            tool("sample", "Asks for a completion", json!({})),
            tool("trace", "Shows the metadata of its request", json!({})),
            tool(
                "job",
                "Works for `steps`, as a task if it may",
                json!({
                    "steps": {"type": "integer", "default": 5},
                    "delay_ms": {"type": "integer", "default": 50},
                    "questions": {"type": "integer", "default": 0},
                    "ask": {"type": "boolean", "default": false},
                }),
            ),
            tool(
                "slow",
                "Takes `ms` milliseconds and watches the request's cancellation token",
                json!({
                    "ms": {"type": "integer", "default": 1000},
                    "silent": {"type": "boolean", "default": false},
                }),
            ),
        ]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if let Some(questions) = Questions::of(&request.name) {
            return asks::call(questions, &request, &context).await;
        }
        match request.name.as_ref() {
            "job" => jobs::call(&request, &context, &self.tasks).await,
            "trace" => Ok(text(
                serde_json::to_string(&context.meta).map_err(asks::internal)?,
            )),
            "count" => self.count(arguments(request.arguments)?, &context).await,
            "slow" => self.slow(arguments(request.arguments)?, &context).await,
            other => Err(ErrorData::invalid_params(format!("no tool {other}"), None)),
        }
    }

    async fn list_resources(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(vec![Resource::new(
            REPORT, "report",
        )]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        if request.uri != REPORT {
            return Err(ErrorData::invalid_params(
                format!("no resource {}", request.uri),
                None,
            ));
        }
        for i in 1..=3_u8 {
            report(&context, i.into(), Some(3.0), format!("part {i}")).await?;
        }
        let contents = ResourceContents::text("report: all is well", REPORT);
        Ok(ReadResourceResult::new(vec![contents]).into())
    }

    async fn list_prompts(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let hello = Prompt::new("hello", Some("A greeting"), None);
        Ok(ListPromptsResult::with_all_items(vec![hello]))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if request.name != "hello" {
            return Err(ErrorData::invalid_params(
                format!("no prompt {}", request.name),
                None,
            ));
        }
        let message = PromptMessage::new_text(Role::User, "Say hello.");
        Ok(GetPromptResult::new(vec![message]).into())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mode = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "stdio".to_owned());
    if mode == "stdio" {
        Peer::default().serve(stdio()).await?.waiting().await?;
        return Ok(());
    }
    let config = http::config(&mode).ok_or_else(|| format!("no mode {mode}"))?;
    let peer = Peer::default();
    let served = http::serve(move || peer.clone(), config, mode == "events").await;
    // Standard input is read by a thread that nothing can stop.
    std::process::exit(match served {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("peer-rmcp: {error}");
            1
        }
    })
}
