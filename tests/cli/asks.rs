//! What servers ask, and who answers.

use serde_json::{Value, json};

use crate::program::{COMMAND, Run, demo, run};

const BOTH: [&str; 2] = ["2025-11-25", "2026-07-28"];

fn ask(further: &[&str]) -> Run {
    demo(&[&["call", "ask"], further].concat())
}

#[test]
fn the_command_line_answers() {
    for revision in BOTH {
        let run = ask(&[
            "--answer",
            "name=Ada",
            "--protocol",
            revision,
            "--output",
            "jsonl",
        ]);
        assert_eq!(run.code, Some(0), "{run:?}");
        // Before 2026-07-28 questions come beside the call, and so before or after its updates.
        let mut events = run.events();
        events.retain(|event| event["event"] != "progress");
        let names = ["start", "question", "answer", "result"];
        assert_eq!(crate::program::names(&events), names);
        assert_eq!(events[1]["message"], "What is your name?");
        assert_eq!(events[1]["schema"]["properties"]["name"]["type"], "string");
        assert_eq!(events[2], json!({"event": "answer", "action": "accept"}));
        assert!(
            run.stdout.contains("Hello, Ada!") && !run.stderr.contains("declined"),
            "{run:?}"
        );
    }
}

#[test]
fn without_an_answer_it_is_declined_and_said_how_to_answer() {
    for revision in BOTH {
        let run = ask(&["--protocol", revision]);
        assert_eq!(
            (run.code, run.stdout.as_str()),
            (Some(1), "Nobody gave a name.\n")
        );
        // The server is named as it was called, up to a limit.
        let told = format!("mcp-progress: {}", &COMMAND[..COMMAND.len().min(20)]);
        assert!(run.stderr.contains(&told), "{run:?}");
        let told = " asks: What is your name?\n  name*: text\n";
        assert!(run.stderr.contains(told), "{run:?}");
        assert!(run.stderr.contains("declined: ") && run.stderr.contains("--answer name=VALUE"));
    }
    let run = ask(&["--answer", "nmae=Ada", "--output", "jsonl"]);
    let mut events = run.events();
    events.retain(|event| event["event"] == "answer");
    let answer = &events[0];
    assert_eq!((run.code, &answer["action"]), (Some(1), &json!("decline")));
    assert!(
        answer["reason"]
            .as_str()
            .unwrap()
            .contains("--answer name=VALUE")
    );
}

#[test]
fn each_field_has_one_answer() {
    let run = ask(&["--answer", "a=1", "--answer", "a:=2"]);
    assert_eq!(run.code, Some(2));
    assert!(
        run.stderr
            .contains("--answer: the field `a` is given twice"),
        "{run:?}"
    );
    assert_eq!(ask(&["--answer", "a"]).code, Some(2));
    let run = ask(&["--root", "no/such/path"]);
    assert!(
        run.code == Some(2) && run.stderr.contains("--root: no/such/path"),
        "{run:?}"
    );
}

/// A server of a few lines of shell, of revision 2025-11-25 only. Its tools send a request to the client, and answer with
/// what came back: `form` asks for several kinds of fields, `page` for a visit,
/// `busy` for a name while it goes on talking once there is a file `$GO`, `sample` for a text, `roots` for roots.
/// `told` answers with what the client can do.
#[cfg(unix)]
const ASKER: &str = r#"
field() { printf '%s' "$line" | sed -n "s/.*\"$1\":\"*\([^\",}]*\).*/\1/p"; }
answer() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$1" "$2"; }
request() {
    call=$(field id)
    printf '{"jsonrpc":"2.0","id":"q","method":"%s","params":%s}\n' "$1" "$2"
    while IFS= read -r line; do case $line in *'"id":"q"'*) break ;; esac; done
    answer "$call" '{"content":[],"structuredContent":'"$line"'}'
}
while IFS= read -r line; do
    case $line in
    *'"method":"initialize"'*)
        told=$line
        answer "$(field id)" '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"asker","version":"1"}}' ;;
    *'"name":"told"'*) answer "$(field id)" '{"content":[],"structuredContent":'"$told"'}' ;;
    *'"name":"form"'*) request elicitation/create '{"message":"Who\u001b[2J?","requestedSchema":{"type":"object","properties":{"name":{"type":"string","minLength":2},"age":{"type":"integer"},"sure":{"type":"boolean","default":true},"colours":{"type":"array","items":{"anyOf":[{"const":"r","title":"Red"},{"const":"g","title":"Green"}]}}},"required":["name","age"]}}' ;;
    *'"name":"busy"'*)
        call=$(field id); token=$(field progressToken)
        printf '{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"Who?","requestedSchema":{"type":"object","properties":{"name":{"type":"string"}}}}}\n'
        while [ ! -e "$GO" ]; do sleep 0.02; done
        for step in 1 2 3; do
            printf '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"%s","progress":%s,"total":3}}\n' "$token" "$step"
        done
        printf '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"while you are asked"}}\n'
        echo 'still here' >&2
        printf '{"jsonrpc":"2.0","id":"p","method":"ping"}\n'
        while IFS= read -r line; do case $line in *'"id":"q"'*) break ;; *'"id":"p"'*) : >"$SEEN" ;; esac; done
        answer "$call" '{"content":[{"type":"text","text":"thanks"}]}' ;;
    *'"name":"page"'*) request elicitation/create '{"mode":"url","message":"Sign in","url":"https://example.com@evil.example/in","elicitationId":"1"}' ;;
    *'"name":"first"'*)
        printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32042,"message":"sign in first","data":{"elicitations":[{"mode":"url","message":"Sign in","url":"https://example.com/in","elicitationId":"1"}]}}}\n' "$(field id)" ;;
    *'"name":"sample"'*) request sampling/createMessage '{"messages":[],"maxTokens":1}' ;;
    *'"name":"roots"'*) request roots/list '{}' ;;
    esac
done
"#;

#[cfg(unix)]
fn on_asker<'a>(args: &[&'a str]) -> Vec<&'a str> {
    let fixed = ["--protocol", "2025-11-25", "--", "sh", "-c", ASKER];
    [&["call"], args, &fixed].concat()
}

/// What the client answered, or what the tool told of it.
#[cfg(unix)]
fn answered(args: &[&str]) -> (Value, Run) {
    let run = run(&on_asker(&[args, &["--output", "json"]].concat()));
    assert_eq!(run.code, Some(0), "{run:?}");
    let result: Value = serde_json::from_str(&run.stdout).expect("JSON");
    (result["structuredContent"].clone(), run)
}

#[cfg(unix)]
#[test]
fn answers_have_the_types_of_the_form() {
    let given = [
        "--answer",
        "name=42",
        "--answer",
        "age=36",
        "--answer",
        "colours=Green,r",
    ];
    let (answer, _) = answered(&[&["form"], &given[..]].concat());
    assert_eq!(
        answer["result"],
        json!({"action": "accept", "content": {"name": "42", "age": 36, "sure": true, "colours": ["g", "r"]}})
    );
    let given = [
        "--answer",
        "name=Ada",
        "--answer",
        "age:=36",
        "--answer",
        "sure:=null",
    ];
    let (answer, _) = answered(&[&["form"], &given[..]].concat());
    assert_eq!(
        answer["result"]["content"],
        json!({"name": "Ada", "age": 36})
    );
}

#[cfg(unix)]
#[test]
fn what_does_not_fit_is_named_and_the_form_declined() {
    for (given, told) in [
        (
            &["--answer", "name=Ada"][..],
            "the field `age` must be filled in",
        ),
        (
            &["--answer", "name=A", "--answer", "age=1"],
            "the field `name` must have at least 2 characters",
        ),
        (
            &["--answer", "name=Ada", "--answer", "age=x"],
            "the field `age` must be a number",
        ),
        (
            &["--answer", "colours=Blue"],
            "the field `colours` must be one of the values",
        ),
    ] {
        let (answer, run) = answered(&[&["form"], given].concat());
        assert_eq!(answer["result"], json!({"action": "decline"}));
        assert!(
            run.stderr.contains("declined: ") && run.stderr.contains(told),
            "{run:?}"
        );
        assert!(!run.stderr.contains('\u{1b}'), "{run:?}");
    }
}

#[cfg(unix)]
#[test]
fn pages_are_shown_and_agreed_to_by_host() {
    let (answer, run) = answered(&["page"]);
    assert_eq!(answer["result"], json!({"action": "decline"}));
    assert!(
        run.stderr
            .contains("  https://example.com@evil.example/in\n  host: evil.example\n"),
        "{run:?}"
    );
    assert!(run.stderr.contains("--accept-url HOST"), "{run:?}");
    let (answer, _) = answered(&["page", "--accept-url", "example.com", "--answer", "url=yes"]);
    assert_eq!(answer["result"], json!({"action": "decline"}));
    let (answer, run) = answered(&["page", "--accept-url", "EVIL.example"]);
    assert_eq!(answer["result"], json!({"action": "accept"}));
    assert!(
        run.stderr
            .contains("Sign in\n  https://example.com@evil.example/in\n"),
        "{run:?}"
    );
}

#[cfg(unix)]
#[test]
fn a_call_that_needs_a_page_first_shows_it() {
    let run = run(&on_asker(&["first", "--output", "jsonl"]));
    assert_eq!(run.code, Some(3), "{run:?}");
    let told = "\n  first visit a page: Sign in\n  https://example.com/in\n  host: example.com\n";
    assert!(run.stderr.contains(told), "{run:?}");
    let page = &run.last()["data"]["elicitations"][0];
    assert_eq!(page["url"], "https://example.com/in");
}

#[cfg(unix)]
#[test]
fn only_what_can_be_done_is_offered() {
    let (told, _) = answered(&["told"]);
    assert_eq!(
        told["params"]["capabilities"],
        json!({"elicitation": {"form": {}, "url": {}}})
    );
    let (answer, _) = answered(&["sample"]);
    assert_eq!(answer["error"]["code"], -32601);
    let directory = env!("CARGO_TARGET_TMPDIR");
    let (told, _) = answered(&["told", "--root", directory]);
    assert!(told["params"]["capabilities"]["roots"].is_object());
    let (answer, _) = answered(&["roots", "--root", directory, "--root", "file:///a"]);
    let roots = answer["result"]["roots"].as_array().expect("roots");
    assert!(
        roots[0]["uri"]
            .as_str()
            .is_some_and(|uri| uri.starts_with("file:///"))
    );
    assert_eq!(roots[1], json!({"uri": "file:///a"}));
}

#[cfg(unix)]
mod at_a_terminal {
    use std::fs;
    use std::path::Path;

    use super::{BOTH, on_asker};
    use crate::program::on_demo;
    use crate::terminal::start;

    #[test]
    fn somebody_answers() {
        for revision in BOTH {
            let mut run = start(&on_demo(&["call", "ask", "--protocol", revision]));
            run.expect(" asks: What is your name?");
            run.answer("name [stranger]> ", "Grace");
            let (code, stdout, screen) = run.finish();
            assert_eq!(
                (code, stdout.as_str()),
                (Some(0), "Hello, Grace!\n"),
                "{screen}"
            );
        }
    }

    #[test]
    fn a_form_is_filled_in_line_by_line() {
        let mut run = start(&on_asker(&["form", "--output", "json"]));
        run.expect("asks: Who?");
        run.answer("name> ", "A");
        run.expect("! must have at least 2 characters");
        run.answer("name> ", "Ada");
        run.answer("age> ", "36");
        run.answer("sure [yes]> ", "n");
        run.expect("1) Red");
        run.answer("colours> ", "2");
        run.expect("colours: Green");
        run.answer("[n]o> ", "");
        let (code, stdout, screen) = run.finish();
        let content = r#""content":{"age":36,"colours":["g"],"name":"Ada","sure":false}"#;
        assert!(
            code == Some(0) && stdout.contains(content),
            "{stdout}{screen}"
        );
        assert!(!screen.contains("\u{1b}[2J"), "{screen:?}");
    }

    #[test]
    fn only_what_was_not_given_is_asked_for() {
        let given = [
            "--answer", "name=Ada", "--answer", "age=old", "--output", "json",
        ];
        let mut run = start(&on_asker(&[&["form"], &given[..]].concat()));
        run.expect("name: \"Ada\" (given)");
        run.expect("! --answer: the field `age` must be a number");
        run.answer("age> ", "36");
        run.answer("sure [yes]> ", ":d");
        let (_, stdout, screen) = run.finish();
        assert!(
            stdout.contains(r#"{"action":"decline"}"#),
            "{stdout}{screen}"
        );
        let whole = [
            "--answer", "name=Ada", "--answer", "age=36", "--output", "json",
        ];
        let (_, stdout, screen) = start(&on_asker(&[&["form"], &whole[..]].concat())).finish();
        assert!(
            stdout.contains(r#""action":"accept""#) && !screen.contains("> "),
            "{stdout}{screen}"
        );
    }

    #[test]
    fn the_end_of_input_is_no_answer() {
        let mut run = start(&on_asker(&["form", "--output", "json"]));
        run.expect("name> ");
        run.keys("\u{4}");
        let (_, stdout, screen) = run.finish();
        assert!(
            stdout.contains(r#"{"action":"cancel"}"#),
            "{stdout}{screen}"
        );
    }

    #[test]
    fn a_page_needs_a_yes() {
        for (line, action) in [("", "decline"), ("y", "accept")] {
            let mut run = start(&on_asker(&["page", "--output", "json"]));
            run.expect("host: evil.example");
            run.answer("[y/N]> ", line);
            let (_, stdout, screen) = run.finish();
            assert!(
                stdout.contains(&format!(r#"{{"action":"{action}"}}"#)),
                "{stdout}{screen}"
            );
        }
    }

    #[test]
    fn an_interrupt_cancels_the_call() {
        for revision in BOTH {
            let mut run = start(&on_demo(&["call", "ask", "--protocol", revision]));
            run.expect("name [stranger]> ");
            run.interrupt();
            run.expect("\n");
            run.expect("mcp-progress: interrupted: the call is cancelled");
            let (code, stdout, screen) = run.finish();
            assert_eq!((code, stdout.as_str()), (Some(130), ""), "{screen}");
            assert!(!screen.contains("withdrawn"), "{screen}");
        }
    }

    #[test]
    fn the_end_of_the_call_is_the_end_of_the_prompt() {
        for revision in BOTH {
            let limits = ["--timeout", "1s", "--protocol", revision];
            let mut run = start(&on_demo(&[&["call", "ask"], &limits[..]].concat()));
            run.expect("name [stranger]> ");
            run.keys("Gra");
            run.expect("\nmcp-progress: the question is withdrawn\r\n");
            run.expect("error: tools/call: not finished after 1s");
            assert_eq!(run.finish().0, Some(5));
        }
    }

    /// What comes meanwhile would tear the prompt: updates, which are drawn as a bar, log messages, and what the server
    /// writes to standard error.
    #[test]
    fn nothing_is_written_into_a_prompt() {
        let seen = Path::new(env!("CARGO_TARGET_TMPDIR")).join("busy-seen");
        let go = seen.with_file_name("busy-go");
        let _ = (fs::remove_file(&seen), fs::remove_file(&go));
        let (file, begin) = (
            format!("SEEN={}", seen.display()),
            format!("GO={}", go.display()),
        );
        let mut run = start(&on_asker(&["busy", "--env", &file, "--env", &begin]));
        run.expect("name> ");
        // Only now does the server go on talking: before the prompt, its words would stand above it.
        fs::write(&go, "").expect("a file of ours");
        // The client has answered a ping that came behind all the rest.
        run.wait_for(&seen);
        run.keys("Grace\n");
        run.expect("[info] while you are asked");
        let (code, stdout, screen) = run.finish();
        assert_eq!((code, stdout.as_str()), (Some(0), "thanks\n"), "{screen}");
        assert!(screen.contains("name> Grace\r\n"), "{screen:?}");
        assert!(screen.contains("still here\r"), "{screen:?}");
    }
}

/// Each line of a batch's output is the result of a line of its input, whatever was asked in between.
#[test]
fn a_batch_is_answered_too() {
    for (given, status) in [(&["--answer", "name=Ada"][..], "ok"), (&[], "tool_error")] {
        let args = [&["run", "-"], given, &["--", COMMAND, "serve-demo"]].concat();
        let run = crate::program::start_with(&args, "{\"tool\":\"ask\"}\n").finish();
        let lines = run.events();
        assert_eq!(lines.len(), 1, "{run:?}");
        assert_eq!(lines[0]["status"], status, "{run:?}");
    }
}
