//! Owns the requests about tasks: what each is answered with. Must not know who runs a task.

use super::hosting::{EXTENSION, Support, TaskHosting};
use super::ledger::{Ledger, Missing};
use super::task::Task;
use crate::testing::request::{CLIENT_CAPABILITIES, Request};
use crate::testing::script::{Script, Step};
use serde_json::json;
use std::sync::Arc;

const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;
const MISSING_CAPABILITY: i64 = -32021;

/// Whether a request of 2026-07-28 declares the extension.
pub(crate) fn declares(request: &Request) -> bool {
    request.meta()[CLIENT_CAPABILITIES]["extensions"][EXTENSION].is_object()
}

/// The refusal of a request that does not declare the extension.
fn undeclared() -> Script {
    Script::new().error_with_data(
        MISSING_CAPABILITY,
        "Missing required client capability",
        json!({"requiredCapabilities": {"extensions": {EXTENSION: {}}}}),
    )
}

/// Why a subscription is refused, if it is.
pub(crate) fn refuse_listening(request: &Request) -> Option<Script> {
    let wants = !request.field("notifications")["taskIds"].is_null();
    (wants && !declares(request)).then(undeclared)
}

/// The script of a call, with what hosting tasks makes of it.
pub(crate) fn call(
    hosting: &TaskHosting,
    request: &Request,
    modern: bool,
    script: Script,
) -> Script {
    let support = hosting.support(request.name().unwrap_or_default());
    let augmented = !request.field("task").is_null();
    match (modern, support) {
        (true, Support::Required) if !declares(request) => undeclared(),
        (false, Support::Required) if !augmented => {
            Script::new().error(METHOD_NOT_FOUND, "This tool has to be called as a task")
        }
        (false, Support::Forbidden) if augmented => {
            Script::new().error(METHOD_NOT_FOUND, "This tool cannot be called as a task")
        }
        // Who asks for a task gets one.
        (false, _) if augmented && !becomes(&script) => script.preceded_by(Step::BecomeTask),
        _ => script,
    }
}

fn becomes(script: &Script) -> bool {
    let mut steps = script.steps.iter();
    steps.any(|step| matches!(step, Step::BecomeTask))
}

/// Answers a request about tasks.
pub(crate) fn answer(ledger: &Ledger, request: &Request, modern: bool) -> Script {
    if modern && !declares(request) {
        return undeclared();
    }
    let id = request.field("taskId").as_str().unwrap_or_default();
    let task = match ledger.get(id) {
        Ok(task) => task,
        Err(Missing::Unknown) => return Script::new().error(INVALID_PARAMS, "Task not found"),
        Err(Missing::Expired) => return Script::new().error(INVALID_PARAMS, "Task has expired"),
    };
    match request.method() {
        "tasks/update" => {
            task.respond(request.field("inputResponses"));
            Script::new()
        }
        "tasks/cancel" => cancel(&task, modern),
        "tasks/result" => Script::new().step(Step::TaskResult(task)),
        _ if modern => Script::new().result(task.detailed()),
        _ => Script::new().result(task.view(false)),
    }
}

fn cancel(task: &Arc<Task>, modern: bool) -> Script {
    if modern {
        task.cancel().notify_one();
        return Script::new();
    }
    if task.is_terminal() {
        return Script::new().error(INVALID_PARAMS, "The task has ended");
    }
    task.cancel().notify_one();
    if !task.ignores_cancel() {
        // Before the answer, as the revision wants it; what still runs cannot change it any more.
        task.call_off();
    }
    Script::new().result(task.view(false))
}
