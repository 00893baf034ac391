//! Servers as child processes: none is left behind, however it and the program behave.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use mcp_progress::blocking::Client;
use mcp_progress::transport::{ServerCommand, Stderr};
use mcp_progress::{ErrorKind, ProtocolVersion, Result};
use serde_json::json;

use crate::peer::initialized;

/// A directory for one test, removed at its end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mcp-progress-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap_or_default()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server that notes its process, answers the handshake, and goes on with `script`.
fn server(directory: &Path, script: &str) -> ServerCommand {
    let response = json!({"jsonrpc": "2.0", "id": 1, "result": initialized("2025-11-25")});
    let script = format!(
        "echo $$ > pid; read -r initialize; echo '{response}'; read -r initialized\n{script}"
    );
    ServerCommand::new("sh")
        .args(["-c", script.as_str()])
        .current_dir(directory)
        .stderr(Stderr::Discard)
}

fn connect(server: ServerCommand) -> Result<Client> {
    let connect = Client::connect(server).protocol(ProtocolVersion::V2025_11_25);
    connect.connect()
}

/// Whether the process is there: it is nobody's child any more, or was reaped.
fn is_alive(pid: &str) -> bool {
    let asked = Command::new("kill").args(["-0", pid.trim()]).output();
    asked.expect("kill is there").status.success()
}

#[test]
fn a_call_over_a_real_pipe() -> Result<()> {
    let directory = Directory::new("pipe");
    let script = r#"
        read -r call
        for n in 1 2 3; do
            echo '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":'$n',"total":3}}'
        done
        echo '{"jsonrpc":"2.0","id":2,"result":{"content":[{"type":"text","text":"done"}]}}'
        cat > rest
    "#;
    let client = connect(server(&directory.0, script))?;
    let mut seen = Vec::new();
    let result = client
        .call_tool("work", json!({}))
        .progress_token("t")
        .on_progress(|update| seen.push(update.progress))
        .send()?;
    assert_eq!(
        (seen, result.as_text().as_deref()),
        (vec![1.0, 2.0, 3.0], Some("done"))
    );
    Ok(())
}

/// What is queued is written, the cancel of the last call included, and the server's end awaited.
#[test]
fn the_last_drop_leaves_no_process() -> Result<()> {
    let directory = Directory::new("drop");
    let client = connect(server(&directory.0, "cat > rest; echo bye >> rest"))?;
    let call = client.call_tool("work", json!({})).start();
    while client.stats().queued_frames > 0 {
        std::thread::yield_now();
    }
    drop(client);
    drop(call);
    let rest = directory.read("rest");
    let lines: Vec<&str> = rest.lines().collect();
    assert_eq!(lines.len(), 3, "{rest}");
    assert!(lines[1].contains("notifications/cancelled"), "{rest}");
    assert_eq!(lines[2], "bye");
    assert!(!is_alive(&directory.read("pid")));
    Ok(())
}

/// It neither reads nor ends: it gets SIGTERM, which it does not take, and SIGKILL.
#[test]
fn a_server_that_does_not_end_is_ended() -> Result<()> {
    let directory = Directory::new("stubborn");
    let stubborn = "trap '' TERM; while :; do sleep 0.01; done";
    let grace = Duration::from_millis(20);
    let command = server(&directory.0, stubborn);
    let client = connect(command.close_grace(grace).kill_grace(grace))?;
    assert!(is_alive(&directory.read("pid")));
    drop(client);
    assert!(!is_alive(&directory.read("pid")));
    Ok(())
}

#[test]
fn a_server_that_dies_is_described() -> Result<()> {
    let directory = Directory::new("dies");
    let client = connect(server(
        &directory.0,
        "read -r call; echo 'the disk is full' >&2; exit 7",
    ))?;
    let error = client.call_tool("work", json!({})).send();
    let error = error.expect_err("it died");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    let text = error.to_string();
    assert!(
        text.contains("exited with code 7") && text.contains("the disk is full"),
        "{text}"
    );
    assert!(client.is_closed());
    let missing = Client::stdio("no-such-program-anywhere", ["--flag"]).connect();
    let missing = missing.expect_err("it is not there");
    assert_eq!(missing.kind(), ErrorKind::ConnectionLost);
    Ok(())
}

/// Where the program of the test below says what it has to do.
const PROGRAM: &str = "MCP_PROGRESS_TEST_DIRECTORY";

/// The test runs itself once more, as the program: that one returns with a call in flight, and a server that ignores the end of its
/// input, and has a client dropped while a panic unwinds.
#[test]
fn a_program_that_returns_leaves_no_process() -> Result<()> {
    let stubborn = "trap '' TERM; while :; do sleep 0.01; done";
    if let Some(directory) = std::env::var_os(PROGRAM) {
        let grace = Duration::from_millis(20);
        let command = server(Path::new(&directory), stubborn);
        let client = connect(command.close_grace(grace).kill_grace(grace))?;
        let _call = client.call_tool("work", json!({})).start();
        panic!("the program fails with a client alive");
    }
    let directory = Directory::new("program");
    let run = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "--nocapture"])
        .arg("blocking::process::a_program_that_returns_leaves_no_process")
        .env(PROGRAM, &directory.0)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(
        !run.status.success() && said.contains("with a client alive"),
        "{said}"
    );
    let pid = directory.read("pid");
    assert!(!pid.is_empty() && !is_alive(&pid), "{pid}");
    Ok(())
}
