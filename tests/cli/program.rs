//! Owns the running of the command: its lines, its exit code, a deadline. It must not know what the lines mean, but
//! for their being JSON.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// The command.
pub(crate) const COMMAND: &str = env!("CARGO_BIN_EXE_mcp-progress");

/// Longer than anything below takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// What a run said and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Standard output, line by line, each of which must be a JSON object.
    pub(crate) fn events(&self) -> Vec<Value> {
        objects(&self.stdout)
    }

    /// The `event` members of standard output.
    pub(crate) fn names(&self) -> Vec<String> {
        names(&self.events())
    }

    /// The one event that may stand at the end.
    pub(crate) fn last(&self) -> Value {
        self.events().pop().unwrap_or_default()
    }
}

pub(crate) fn objects(text: &str) -> Vec<Value> {
    let parse = |line: &str| {
        let value: Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(value.is_object(), "{line}");
        value
    };
    text.lines().map(parse).collect()
}

pub(crate) fn names(events: &[Value]) -> Vec<String> {
    let name = |event: &Value| {
        event["event"]
            .as_str()
            .expect("every event has a name")
            .to_owned()
    };
    events.iter().map(name).collect()
}

/// A run that is still going on.
pub(crate) struct Running {
    child: Child,
    /// None once taken, to let the pipe fill or break.
    pub(crate) stdout: Option<BufReader<ChildStdout>>,
    stderr: Receiver<String>,
}

/// Starts the command with nothing on its standard input.
pub(crate) fn start(args: &[&str]) -> Running {
    start_with(args, "")
}

/// Starts the command with this on its standard input.
pub(crate) fn start_with(args: &[&str], input: &str) -> Running {
    let mut child = Command::new(COMMAND)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("piped");
    // A run that does not read it is none that misses it.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let stdout = child.stdout.take().map(BufReader::new);
    let stderr = rest_of(child.stderr.take().expect("piped"));
    Running {
        child,
        stdout,
        stderr,
    }
}

impl Running {
    /// The next line of standard output.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        let stdout = self.stdout.as_mut().expect("still there");
        stdout.read_line(&mut line).expect("readable");
        line
    }

    /// Sends SIGINT, as Ctrl-C does.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-INT", &id]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Ends the run where there is no signal to ask for it.
    #[cfg(not(unix))]
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("ours to kill");
        self.child.wait().expect("ours to wait for");
    }

    /// Reads the rest and waits for the end, unless it takes too long.
    pub(crate) fn finish(mut self) -> Run {
        let rest = self.stdout.take().map(rest_of);
        let code = wait(&mut self.child);
        let text =
            |stream: &Receiver<String>| stream.recv_timeout(DEADLINE).expect("the stream ends");
        Run {
            code,
            stdout: rest.as_ref().map(text).unwrap_or_default(),
            stderr: text(&self.stderr),
        }
    }

    /// As [`finish`](Self::finish), but leaves standard output unread, and open, until the end.
    #[cfg(unix)]
    pub(crate) fn finish_unread(mut self) -> Option<i32> {
        wait(&mut self.child)
    }
}

/// Polls, because the standard library has no wait with a deadline.
pub(crate) fn wait(child: &mut Child) -> Option<i32> {
    let pause = Duration::from_millis(5);
    for _ in 0..DEADLINE.as_millis() / pause.as_millis() {
        if let Some(status) = child.try_wait().expect("ours to wait for") {
            return status.code();
        }
        thread::sleep(pause);
    }
    child.kill().expect("ours to kill");
    panic!("the command does not end");
}

fn rest_of(mut stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("readable");
        // A test that has failed meanwhile listens no more.
        let _ = sender.send(String::from_utf8(bytes).expect("UTF-8"));
    });
    receiver
}

/// Runs the command to its end.
pub(crate) fn run(args: &[&str]) -> Run {
    start(args).finish()
}

/// Runs the command on the demo server.
pub(crate) fn demo(args: &[&str]) -> Run {
    run(&on_demo(args))
}

/// The arguments with the demo server behind them.
pub(crate) fn on_demo<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &["--", COMMAND, "serve-demo"]].concat()
}

/// A server of a few lines of shell, of revision 2025-11-25 only. Its tools:
///
/// `talk` logs, sends two updates with odd messages, and answers with numbers and an order of keys that no parser may
/// touch; `die` says a last word on its standard error and exits with code 9; `place` tells `PEER_WORD` and its
/// directory.
#[cfg(unix)]
pub(crate) const SHELL: &str = r#"
field() { printf '%s' "$line" | sed -n "s/.*\"$1\":\"*\([^\",}]*\).*/\1/p"; }
answer() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$(field id)" "$1"; }
notify() { printf '{"jsonrpc":"2.0","method":"notifications/%s","params":%s}\n' "$1" "$2"; }
echo 'shell server starts' >&2
while IFS= read -r line; do
    case $line in
    *'"method":"initialize"'*)
        answer '{"protocolVersion":"2025-11-25","capabilities":{"tools":{},"logging":{}},"serverInfo":{"name":"shell","version":"1"}}' ;;
    *'"method":"logging/setLevel"'*) LEVEL=$(field level); answer '{}' ;;
    *'"name":"talk"'*)
        notify message '{"level":"info","logger":"sh","data":"level '$LEVEL'"}'
        notify progress '{"progressToken":"'$(field progressToken)'","progress":0.5,"message":"\u001b[31mred\u001b[0m\nsecond"}'
        notify progress '{"progressToken":"'$(field progressToken)'","progress":2.0,"total":3.0}'
        notify message '{"level":"warning","data":{"z":1,"a":2}}'
        notify tools/list_changed '{}'
        answer '{"structuredContent":{"z":18446744073709551616,"a":1.50},"content":[{"type":"text","text":"said"}]}' ;;
    *'"name":"die"'*) echo 'last word' >&2; exit 9 ;;
    *'"name":"place"'*) answer '{"content":[{"type":"text","text":"'"$PEER_WORD $(pwd)"'"}]}' ;;
    *'"id":'*) printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no","data":{"why":"shell"}}}\n' "$(field id)" ;;
    esac
done
"#;

/// The arguments with the shell server behind them.
#[cfg(unix)]
pub(crate) fn on_shell<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &["--", "sh", "-c", SHELL]].concat()
}
