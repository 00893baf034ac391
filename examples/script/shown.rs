//! The demonstration: the script run as a shell would run it, once for each way to end.

use crate::failure::Failure;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Command, Stdio};

/// What the script is called with, and the exit code that comes of it.
const RUNS: &[(&[&str], i32)] = &[
    (&["count", r#"{"steps": 2, "delay_ms": 20}"#], 0),
    (&["fail", r#"{"after": 2, "delay_ms": 20}"#], 1),
    (&["count", "steps=2"], 2),
    (&["cuont", "{}"], 3),
    (&["count", "{}", "no-such-server"], 4),
    (&["die", "{}"], 4),
    (&["hang", "{}"], 5),
];

pub(crate) fn all() -> Result<(), Failure> {
    for &(arguments, expected) in RUNS {
        check(arguments, false, expected)?;
    }
    // Ctrl-C is a signal, which Windows does not have.
    #[cfg(unix)]
    check(&["count", r#"{"steps": 1000, "delay_ms": 20}"#], true, 130)?;
    Ok(())
}

fn check(arguments: &[&str], interrupt: bool, expected: i32) -> Result<(), Failure> {
    println!("$ script {}", arguments.join(" "));
    let failed = |error: io::Error| Failure::Shown(error.to_string());
    let (code, stdout, stderr) = run(arguments, interrupt).map_err(failed)?;
    for (name, text) in [("stdout", stdout), ("stderr", stderr)] {
        for line in text.lines() {
            println!("  {name} | {line}");
        }
    }
    println!("  exit code {code}");
    if code != expected {
        return Err(Failure::Shown(format!("{expected} was expected")));
    }
    Ok(())
}

/// The exit code and both outputs; after the first update, Ctrl-C is pressed if it shall be.
fn run(arguments: &[&str], interrupt: bool) -> io::Result<(i32, String, String)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let (mut said, mut told) = (String::new(), String::new());
    if let Some(stderr) = child.stderr.take() {
        let mut stderr = BufReader::new(stderr);
        if interrupt {
            stderr.read_line(&mut told)?;
            let id = child.id().to_string();
            Command::new("kill").args(["-INT", &id]).status()?;
        }
        stderr.read_to_string(&mut told)?;
    }
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_string(&mut said)?;
    }
    Ok((child.wait()?.code().unwrap_or(-1), said, told))
}
