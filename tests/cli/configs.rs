//! Servers of configurations: whose folder they start in, what they are given, and which of two counts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::program::COMMAND;

/// A project and a home, new for each test.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir_all(dir.join("project/below")).expect("a folder");
        // The project ends here, whatever lies above.
        fs::create_dir_all(dir.join("project/.git")).expect("a folder");
        fs::create_dir_all(dir.join("home")).expect("a folder");
        Self(fs::canonicalize(dir).expect("it is there"))
    }

    fn path(&self, path: &str) -> String {
        self.0.join(path).to_str().expect("UTF-8").to_owned()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn run(&self, dir: &str, args: &[&str]) -> Output {
        let home = self.path("home");
        let mut command = Command::new(COMMAND);
        command.args(args).current_dir(self.0.join(dir));
        command.env("HOME", &home).env("USERPROFILE", &home);
        command.env_remove("XDG_CONFIG_HOME").env_remove("APPDATA");
        command.env("GIVEN", "from outside").env_remove("MISSING");
        command.output().expect("the command starts")
    }

    #[track_caller]
    fn says(&self, dir: &str, args: &[&str], expected: &str) {
        let output = self.run(dir, args);
        let stdout = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(
            stdout,
            expected,
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    #[track_caller]
    fn refuses(&self, args: &[&str], told: &[&str]) {
        let output = self.run("project", args);
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(
            (output.status.code(), output.stdout.len()),
            (Some(2), 0),
            "{stderr}"
        );
        for told in told {
            assert!(stderr.contains(told), "{told:?} is not in {stderr}");
        }
    }
}

/// A call of the server of this name.
fn call(name: &str) -> [&str; 9] {
    let protocol = "2025-11-25";
    [
        "call",
        "place",
        "--progress",
        "none",
        "--protocol",
        protocol,
        "--server",
        name,
        "--server-stderr=discard",
    ]
}

/// The shell server as a member of a configuration; its tool `place` tells `PEER_WORD` and its folder.
#[cfg(unix)]
fn shell(word: &str, further: &str) -> String {
    let script = serde_json::to_string(&crate::program::SHELL.replace("${", "$ {")).expect("sound");
    format!(
        r#"{{"command": "sh", "args": ["-c", {script}], "env": {{"PEER_WORD": "{word}"}}{further}}}"#
    )
}

#[cfg(unix)]
#[test]
fn a_server_starts_in_its_project_with_what_it_is_given() {
    let place = Place::new("configs-start");
    let one = shell("${GIVEN} ${MISSING:-else} ${workspaceFolderBasename}", "");
    let two = shell("two", r#", "cwd": "below""#);
    let three =
        shell("", r#", "envFile": "${workspaceFolder}/.env""#).replace(r#""PEER_WORD": """#, "");
    place.write("project/.env", "# words\nPEER_WORD='from a file'\n");
    place.write(
        "project/.vscode/mcp.json",
        &format!(
            "{{ // comment\n\"servers\": {{\"one\": {one}, \"two\": {two}, \"three\": {three},}}}}"
        ),
    );
    let project = place.path("project");
    let expected = format!("from outside else project {project}\n");
    place.says("project", &call("one"), &expected);
    // From a folder below it is the same server.
    place.says("project/below", &call("one"), &expected);
    place.says("project", &call("two"), &format!("two {project}/below\n"));
    place.says(
        "project",
        &call("three"),
        &format!("from a file {project}\n"),
    );
    let below = place.path("home");
    let given = ["--env", "PEER_WORD=mine", "--cwd", &below];
    place.says(
        "project",
        &[&call("one")[..], &given].concat(),
        &format!("mine {below}\n"),
    );
}

#[cfg(unix)]
#[test]
fn a_token_is_never_told() {
    use std::os::unix::ffi::OsStrExt as _;

    let args = [
        "ping",
        "--bearer-env",
        "TOKEN",
        "--url",
        "http://127.0.0.1:1/",
    ];
    let mut command = Command::new(COMMAND);
    command.args(args).env_remove("TOKEN");
    let told = |command: &mut Command| {
        let output = command.output().expect("the command starts");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    assert!(told(&mut command).contains("TOKEN gives no token: it is not set"));
    command.env("TOKEN", std::ffi::OsStr::from_bytes(b"\xffsecret"));
    let odd = told(&mut command);
    assert!(
        odd.contains("no text in UTF-8") && !odd.contains("secret"),
        "{odd}"
    );
}

#[cfg(unix)]
#[test]
fn a_folder_of_the_command_line_is_where_the_program_is() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::new("configs-cwd");
    let script = format!("#!/bin/sh\n{}", crate::program::SHELL);
    place.write("project/below/server", &script);
    let file = place.path("project/below/server");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("ours");
    place.write(
        "project/.mcp.json",
        r#"{"mcpServers": {"own": {"command": "./server", "env": {"PEER_WORD": "own"}, "url": null}}}"#,
    );
    let below = place.path("project/below");
    for dir in ["below", &below] {
        place.says(
            "project",
            &[&call("own")[..], &["--cwd", dir]].concat(),
            &format!("own {below}\n"),
        );
    }
}

#[cfg(unix)]
#[test]
fn what_is_nearest_counts() {
    let place = Place::new("configs-order");
    let servers = |word: &str| format!(r#"{{"mcpServers": {{"s": {}}}}}"#, shell(word, ""));
    let project = place.path("project");
    let says = |word: &str| place.says("project", &call("s"), &format!("{word} {project}\n"));
    place.write("home/.claude.json", &servers("user"));
    says("user");
    place.write("project/.cursor/mcp.json", &servers("cursor"));
    says("cursor");
    place.write("project/.mcp.json", &servers("project"));
    says("project");
    let mut file: serde_json::Value = serde_json::from_str(&servers("user")).unwrap();
    file["projects"][&project] = serde_json::from_str(&servers("local")).unwrap();
    place.write("home/.claude.json", &file.to_string());
    says("local");
    // Of all, the file that is named.
    let named = place.path("named.json");
    place.write("named.json", &servers("named"));
    let call = [&call("s")[..], &["--config", &named]].concat();
    place.says("project", &call, &format!("named {project}\n"));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let place = Place::new("configs-wrong");
    place.refuses(
        &["tools", "--server", "x"],
        &[
            "no configuration has a server x; looked into:\n",
            ".mcp.json\n",
        ],
    );
    place.write(
        "project/.mcp.json",
        r#"{"mcpServers": {"needy": {"command": "x", "args": ["${MISSING}"]}, "odd": {"type": "ws", "url": "ws://x"},
            "file": {"command": "x", "envFile": "none.env"}, "web": {"url": "http://x", "headers": {"A": "${input:key}"}}}}"#,
    );
    let file = place.path("project/.mcp.json");
    place.refuses(
        &["tools", "--server", "needy"],
        &[&file, "server needy: `args`: ", "MISSING is not set"],
    );
    place.refuses(
        &["tools", "--server", "odd"],
        &[&file, "server odd: ", "\"ws\""],
    );
    place.refuses(
        &["tools", "--server", "file"],
        &["server file: `envFile`: ", "none.env"],
    );
    place.refuses(
        &["tools", "--server", "web"],
        &["`headers.A`: ", "--input key=VALUE"],
    );
    place.refuses(
        &["tools", "--server", "need"],
        &["did you mean needy? There are: file, needy, odd, web"],
    );
    place.write("project/broken.json", "{\"mcpServers\": {\n  \"a\" 1}}");
    let broken = ["tools", "--config", "broken.json"];
    place.refuses(&broken, &["broken.json: not JSON: ", "line 2"]);
    place.write("project/other.json", "{\"theme\": \"dark\"}");
    place.refuses(
        &["tools", "--config", "other.json"],
        &["other.json: there are no servers in it"],
    );
}

#[test]
fn a_server_on_the_network_is_one_too() {
    let place = Place::new("configs-http");
    let mut serving = crate::program::start(&["serve-demo", "--http", "127.0.0.1:0"]);
    let line = serving.line();
    let url = line.rsplit(' ').next().expect("a URL").trim();
    place.write("servers.json", &format!(r#"{{"mcpServers": {{"demo": {{"type": "streamable-http", "url": "{url}", "headers": {{"X-Word": "${{GIVEN}}"}}}}}}}}"#));
    let config = place.path("servers.json");
    let call = [
        "call",
        "burst",
        "n:=1",
        "--progress",
        "none",
        "--config",
        &config,
    ];
    // Only one server is in the file, so it needs no name.
    place.says("project", &call, "1 updates in one write\n");
    let more = ["--header", "x-word: mine"];
    place.says(
        "project",
        &[&call[..], &more].concat(),
        "1 updates in one write\n",
    );
    #[cfg(unix)]
    serving.interrupt();
    #[cfg(unix)]
    assert_eq!(serving.finish().code, Some(130));
    #[cfg(not(unix))]
    serving.kill();
}

#[test]
fn a_header_of_the_command_line_takes_the_place_of_one_of_the_configuration() {
    use std::io::{BufRead as _, BufReader};

    let place = Place::new("configs-headers");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("bound"));
    place.write(
        "servers.json",
        &format!(r#"{{"mcpServers": {{"one": {{"url": "{url}", "headers": {{"X-Word": "theirs", "X-Kept": "${{GIVEN}}"}}}}}}}}"#),
    );
    // The head of the first request is all that is wanted: nobody answers it.
    let head = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a request");
        let lines = BufReader::new(stream)
            .lines()
            .map(|line| line.expect("text"));
        let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
        head
    });
    let config = place.path("servers.json");
    let header = "x-word: mine";
    let output = place.run(
        "project",
        &["ping", "--config", &config, "--header", header],
    );
    assert_ne!(output.status.code(), Some(0), "{output:?}");
    let mut head = head.join().expect("read");
    head.retain(|line| line.to_ascii_lowercase().starts_with("x-"));
    head.sort();
    assert_eq!(head, ["x-kept: from outside", "x-word: mine"]);
}
