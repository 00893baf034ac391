//! Owns the scripts of the demo server. Must not know more of the server than its users do.

use crate::testing::request::Request;
use crate::testing::script::Script;
use crate::testing::server::ScriptedServer;
use crate::testing::tasks::hosting::TaskHosting;
use crate::testing::update::Update;
use serde_json::{Value, json};
use std::time::Duration;

/// The most steps, updates or half mebibytes that one call of the demo may ask for: a script is built before it is
/// played.
const MOST: u64 = 10_000;

/// One mebibyte in bytes, as a float like the updates of `download`.
const MIB: f64 = 1_048_576.0;

impl ScriptedServer {
    /// A server to look at progress with, also a neighbour for tests of whole programs.
    ///
    /// | | arguments and defaults | what it does |
    /// |---|---|---|
    /// | tool `count` | `steps` 5, `delay_ms` 200 | counts, a message for each step |
    /// | tool `download` | `mib` 8, `delay_ms` 100 | bytes as floats, half a MiB at a time |
    /// | tool `index` | `files` 20, `delay_ms` 100 | no total until half of it is done |
    /// | tool `burst` | `n` 10 | all updates and the result in one write |
    /// | tool `fail` | `after` 3, `delay_ms` 200 | updates, then a tool error |
    /// | tool `hang` | | never answers |
    /// | tool `test_tool_with_progress` | | 0, 50 and 100 of 100, 50 ms apart |
    /// | tool `test_reconnection` | | closes its stream over HTTP, answers 100 ms later |
    /// | tool `ask` | | asks for a name in a form, then greets |
    /// | tool `job` | `steps` 5, `delay_ms` 500 | a task with status words; a call with updates where there is none |
    /// | resource `demo:///report` | | three updates, then text |
    /// | prompt `summary` | `topic` | three updates, then a message |
    ///
    /// The tools `test_..` are those that the official conformance suite asks a server for.
    ///
    /// ```
    /// use mcp_progress::testing::{Script, ScriptedServer};
    ///
    /// let server = ScriptedServer::demo().tool("mine", |_request| Script::new().progress(1, 1));
    /// # let _ = server;
    /// ```
    pub fn demo() -> Self {
        let steps = ("steps", "How many steps to count");
        let delay = ("delay_ms", "Milliseconds between two updates");
        let mib = ("mib", "Size of the download in MiB");
        let files = ("files", "How many files to index");
        let n = ("n", "How many updates to send at once");
        let after = ("after", "How many updates to send before failing");
        Self::new()
            .tool_with(tool("count", "Counts step by step", &[steps, delay]), count)
            .tool_with(
                tool("download", "Downloads in half mebibytes", &[mib, delay]),
                download,
            )
            .tool_with(
                tool(
                    "index",
                    "Indexes files whose number is known late",
                    &[files, delay],
                ),
                index,
            )
            .tool_with(
                tool(
                    "burst",
                    "Sends all updates and the result in one write",
                    &[n],
                ),
                burst,
            )
            .tool_with(
                tool("fail", "Fails after some updates", &[after, delay]),
                fail,
            )
            .tool_with(tool("hang", "Never answers", &[]), |_request| {
                Script::new().silence()
            })
            .tool_with(
                tool("test_tool_with_progress", "Three updates", &[]),
                three_updates,
            )
            .tool_with(
                tool("test_reconnection", "Closes its stream", &[]),
                reconnection,
            )
            .interactive(&[steps, delay])
            .contents()
    }

    /// The tools that ask and that become tasks.
    fn interactive(self, arguments: &[(&str, &str)]) -> Self {
        self.tool_with(tool("ask", "Asks for a name and greets", &[]), ask)
            .tool_with(tool("job", "Works as a task", arguments), job)
            .tasks(
                TaskHosting::new()
                    .poll_interval(Duration::from_millis(250))
                    .optional("job")
                    .forbidden_others(),
            )
    }

    /// What is read instead of called.
    fn contents(self) -> Self {
        self.resource_with(
            json!({"uri": "demo:///report", "name": "report", "mimeType": "text/plain"}),
            report,
        )
        .prompt_with(
            json!({
                "name": "summary",
                "description": "Asks for a summary",
                "arguments": [{"name": "topic", "description": "What to summarise"}],
            }),
            summary,
        )
    }
}

/// What `tools/list` says about a tool whose arguments are all optional integers.
fn tool(name: &str, description: &str, arguments: &[(&str, &str)]) -> Value {
    let properties = arguments.iter().map(|(name, description)| {
        let schema = json!({"type": "integer", "minimum": 0, "description": description});
        ((*name).to_owned(), schema)
    });
    json!({
        "name": name,
        "description": description,
        "inputSchema": {"type": "object", "properties": Value::Object(properties.collect())},
    })
}

fn number(request: &Request, name: &str, default: u64) -> u64 {
    request.arguments()[name].as_u64().unwrap_or(default)
}

fn amount(request: &Request, name: &str, default: u64) -> u64 {
    number(request, name, default).min(MOST)
}

fn delay(request: &Request, default: u64) -> Duration {
    Duration::from_millis(number(request, "delay_ms", default))
}

fn count(request: &Request) -> Script {
    let (steps, pause) = (amount(request, "steps", 5), delay(request, 200));
    let script = (1..=steps).fold(Script::new(), |script, step| {
        script
            .wait(pause)
            .progress_message(step, steps, format!("step {step} of {steps}"))
    });
    script.text(format!("counted to {steps}"))
}

fn download(request: &Request) -> Script {
    let pause = delay(request, 100);
    let mib = number(request, "mib", 8).min(MOST / 2);
    let total = half_mib(mib * 2) * MIB;
    let script = (1..=mib * 2).fold(Script::new(), |script, half| {
        let done = half_mib(half);
        script
            .wait(pause)
            .progress_message(done * MIB, total, format!("{done:.1} of {mib} MiB"))
    });
    script.text(format!("downloaded {mib} MiB"))
}

/// So many half mebibytes in MiB. The number is at most [`MOST`], so nothing is lost.
fn half_mib(halves: u64) -> f64 {
    u32::try_from(halves).map_or(f64::MAX, f64::from) / 2.0
}

fn index(request: &Request) -> Script {
    let (files, pause) = (amount(request, "files", 20), delay(request, 100));
    let script = (1..=files).fold(Script::new(), |script, file| {
        let update = Update::new(file);
        let update = if file > files / 2 {
            update
                .total(files)
                .message(format!("{file} of {files} files"))
        } else {
            update.message(format!("{file} files so far"))
        };
        script.wait(pause).progress_with(update)
    });
    script.text(format!("indexed {files} files"))
}

fn burst(request: &Request) -> Script {
    let n = amount(request, "n", 10);
    Script::new().burst(|together| {
        together
            .every(Duration::ZERO, n)
            .text(format!("{n} updates in one write"))
    })
}

fn fail(request: &Request) -> Script {
    let (after, pause) = (amount(request, "after", 3), delay(request, 200));
    let script = (1..=after).fold(Script::new(), |script, step| {
        script.wait(pause).progress_message(
            step,
            after + 2,
            format!("step {step} of {}", after + 2),
        )
    });
    script
        .wait(pause)
        .tool_error(format!("failed after {after} steps"))
}

fn ask(request: &Request) -> Script {
    let capabilities = &request.meta()["io.modelcontextprotocol/clientCapabilities"];
    if capabilities.is_object() && capabilities["elicitation"].is_null() {
        // The error that 2026-07-28 has for it; before, the client says no by itself.
        let required = json!({"requiredCapabilities": {"elicitation": {}}});
        return Script::new().error_with_data(
            -32021,
            "Missing required client capability",
            required,
        );
    }
    let form = json!({
        "message": "What is your name?",
        "requestedSchema": {
            "type": "object",
            "properties": {"name": {"type": "string", "title": "Your name", "default": "stranger"}},
            "required": ["name"],
        },
    });
    Script::new()
        .progress_message(1, 2, "asking for your name")
        .ask("name", "elicitation/create", form)
        .progress_message(2, 2, "thinking of a greeting")
        .then_with(|answers| match answers.content("name")["name"].as_str() {
            Some(name) => Script::new().text(format!("Hello, {name}!")),
            None => Script::new().tool_error("Nobody gave a name."),
        })
}

fn job(request: &Request) -> Script {
    let (steps, pause) = (amount(request, "steps", 5), delay(request, 500));
    let script = (1..=steps).fold(Script::new().become_task(), |script, step| {
        let words = format!("step {step} of {steps}");
        script
            .wait(pause)
            .status(words.as_str())
            .progress_message(step, steps, words)
    });
    script.text(format!("did {steps} steps"))
}

fn three_updates(_request: &Request) -> Script {
    let pause = Duration::from_millis(50);
    let script = [0, 50, 100]
        .into_iter()
        .fold(Script::new(), |script, done| {
            script
                .progress_message(done, 100, format!("{done} of 100"))
                .wait(pause)
        });
    script.text("all three are sent")
}

fn reconnection(_request: &Request) -> Script {
    let pause = Duration::from_millis(100);
    Script::new()
        .wait(pause)
        .close_stream()
        .wait(pause)
        .text("answered after the stream was closed")
}

fn three_steps(messages: [&str; 3]) -> Script {
    let script = Script::new();
    (1..).zip(messages).fold(script, |script, (step, message)| {
        script
            .wait(Duration::from_millis(100))
            .progress_message(step, 3, message)
    })
}

fn report(_request: &Request) -> Script {
    three_steps([
        "gathering the numbers",
        "drawing the charts",
        "writing it down",
    ])
    .result(json!({
        "contents": [{"uri": "demo:///report", "mimeType": "text/plain", "text": "All is well."}],
    }))
}

fn summary(request: &Request) -> Script {
    let topic = request.arguments()["topic"]
        .as_str()
        .unwrap_or("the report");
    let text = format!("Please summarise {topic} in three sentences.");
    three_steps(["reading", "choosing", "phrasing"]).result(json!({
        "description": "Asks for a summary",
        "messages": [{"role": "user", "content": {"type": "text", "text": text}}],
    }))
}
