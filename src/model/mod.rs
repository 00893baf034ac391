//! MCP payloads as plain data: what the params and results of the protocol say, for every revision from
//! 2024-11-05 to 2026-07-28.
//!
//! One set of types serves all revisions. A field that some revision lacks is optional, a field that no
//! revision knows is kept in `other` and written back, and `null` in an optional field reads as absent.
//! This layer knows serde and, for tokens and updates, the one-pass reader of envelopes below it: no
//! connections, no clock, no error of the crate.

pub(crate) mod annotations;
pub(crate) mod cache;
pub(crate) mod capabilities;
pub(crate) mod completion;
pub(crate) mod content;
pub(crate) mod elicitation;
pub(crate) mod filling;
pub(crate) mod form;
pub(crate) mod implementation;
pub(crate) mod input;
pub(crate) mod introduction;
mod lenient;
pub(crate) mod logging;
pub(crate) mod meta;
pub(crate) mod pagination;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod resource;
pub(crate) mod root;
pub(crate) mod sampling;
pub(crate) mod schema;
pub(crate) mod status;
pub(crate) mod subscription;
pub(crate) mod task;
pub(crate) mod text;
pub(crate) mod token;
pub(crate) mod tool;
pub(crate) mod version;

#[cfg(test)]
mod asking_tests;
#[cfg(test)]
mod form_tests;
#[cfg(test)]
mod tests;

pub use annotations::{Annotations, Role};
pub use cache::CacheScope;
pub use capabilities::{
    ClientCapabilities, ElicitationCapability, PromptsCapability, ResourcesCapability,
    RootsCapability, SamplingCapability, ServerCapabilities, ToolsCapability,
};
pub use completion::{CompleteResult, Completion, CompletionReference};
pub use content::{AudioContent, ContentBlock, EmbeddedResource, ImageContent, TextContent};
pub use elicitation::{
    ElicitAction, ElicitForm, ElicitRequest, ElicitResult, ElicitUrl, ElicitationComplete,
    UrlElicitationRequired,
};
pub use filling::FormMismatch;
pub use form::{Choice, FieldKind, FormField, FormSchema};
pub use implementation::{Icon, Implementation};
pub use input::{InputRequest, InputRequired};
pub use introduction::{DiscoverResult, InitializeResult};
pub use logging::{LogMessage, LoggingLevel};
pub use meta::Meta;
pub use pagination::Paginated;
pub use progress::{Progress, UpdateKind};
pub use prompt::{GetPromptResult, ListPromptsResult, Prompt, PromptArgument, PromptMessage};
pub use resource::{
    BlobResourceContents, ListResourceTemplatesResult, ListResourcesResult, ReadResourceResult,
    Resource, ResourceContents, ResourceTemplate, TextResourceContents,
};
pub use root::{ListRootsResult, Root};
pub use sampling::{
    CreateMessageRequest, CreateMessageResult, IncludeContext, ModelHint, ModelPreferences,
    SamplingContent, SamplingMessage, StopReason, ToolChoice, ToolChoiceMode, ToolResultContent,
    ToolUseContent,
};
pub use schema::Schema;
pub use status::TaskStatus;
pub use subscription::SubscriptionFilter;
pub use task::{ListTasksResult, Task, TaskHandle};
pub use token::{ProgressToken, TokenOutOfRange};
pub use tool::{CallToolResult, ListToolsResult, Tool, ToolAnnotations};
pub use version::{ProtocolVersion, UnknownVersion};
