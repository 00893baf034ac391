//! A task that another run has left to its server.
//!
//! Owns how the task is named. It must not know how a call is shown.

use mcp_progress::model::TaskHandle;
use mcp_progress::{Client, Connect};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::args::watch::ResumeArgs;
use crate::commands::call;
use crate::context::Context;
use crate::failure::Failure;
use crate::input;

/// The task to take up.
#[derive(Debug)]
pub(crate) enum Left {
    /// All that is known of it.
    Handle(Box<TaskHandle>),
    /// Its id alone; the rest is taken from the connection.
    Id(String),
}

impl Left {
    /// Reads the handle, before any server is started.
    pub(crate) async fn read(args: &ResumeArgs, context: &Context) -> Result<Self, Failure> {
        let text = input::text("the task", &args.task, &context.interrupt).await?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Result<Self, Failure> {
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(Failure::Usage("the task is empty".to_owned()));
        }
        if !text.starts_with('{') {
            return Ok(Self::Id(text.to_owned()));
        }
        let wrong = |problem: &dyn std::fmt::Display| {
            Failure::Usage(format!(
                "the task: not what `call --leave` prints: {problem}"
            ))
        };
        let mut value: Value = serde_json::from_str(text).map_err(|error| wrong(&error))?;
        // The event of --output jsonl has it inside.
        if let Some(handle) = value.get_mut("handle") {
            value = handle.take();
        }
        let handle = serde_json::from_value(value).map_err(|error| wrong(&error))?;
        Ok(Self::Handle(Box::new(handle)))
    }

    /// Connects as the task wants it.
    pub(crate) fn connect(&self, connect: Connect) -> Connect {
        match self {
            Self::Handle(handle) => connect.resuming(handle),
            Self::Id(_) => connect,
        }
    }

    /// Waits for the task's result, and gives the exit code that it stands for.
    pub(crate) async fn run(&self, client: &Client, context: &Context) -> Result<u8, Failure> {
        let handle = match self {
            Self::Handle(handle) => (**handle).clone(),
            Self::Id(id) => {
                let revision = client.server().protocol_version.as_str();
                // When it was made is not known, so that nothing can be said of its end.
                let handle = json!({"taskId": id, "protocolVersion": revision, "notedAtMs": 0});
                serde_json::from_value(handle).map_err(Failure::Decode)?
            }
        };
        let request = client.resume_task(&handle).result_as::<Box<RawValue>>();
        call::show(client, request, &handle.task_id, context).await
    }
}

#[cfg(test)]
mod tests {
    use super::Left;

    #[test]
    fn a_handle_an_event_or_an_id() {
        let handle = r#"{"taskId":"t1","protocolVersion":"2025-11-25","notedAtMs":1}"#;
        let event = format!(r#"{{"event":"task","handle":{handle}}}"#);
        for text in [handle, &event, &format!("\u{feff} {handle}\n")] {
            let Left::Handle(handle) = Left::parse(text).unwrap() else {
                panic!("{text} is a handle");
            };
            assert_eq!(handle.task_id, "t1");
        }
        assert!(matches!(Left::parse("t-1\n").unwrap(), Left::Id(id) if id == "t-1"));
        for wrong in ["", " ", "{", "{}", r#"{"taskId":"t1"}"#] {
            assert!(Left::parse(wrong).is_err(), "{wrong}");
        }
    }
}
