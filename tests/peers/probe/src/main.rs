//! What only a program can do with a peer: `peer-probe MODE … --protocol REVISION -- COMMAND…`, with `--url URL` in place
//! of the command where the server is there already.
//!
//! * `drop`, `abort`, `cancel`, `panic`, `close`: call the tool `slow`, wait for two updates, end the call in that way,
//!   close the client and exit with 0. Whether the server was told, and how often, is for `peer-cancel` to judge.
//! * `read`: read a resource with progress.
//! * `asks --call CALL…`: make these calls, answer what the server asks, and write a line of JSON for each.
//! * `begin FILE CALL`: make the call as a task, write its handle to the file, and go on. To be killed.
//! * `resume FILE`: finish the call of that handle.
//! * `stop HOW CALL`: make the call as a task, and end it while it works: by `drop` or `cancel`.

mod asks;
mod endings;
mod tasks;

use std::error::Error;
use std::process::ExitCode;

use mcp_progress::{Client, ProtocolVersion};

/// What was asked for on the command line.
#[derive(Default)]
struct Wanted {
    mode: String,
    /// What stands between the mode and the first option.
    words: Vec<String>,
    calls: Vec<String>,
    version: Option<String>,
    url: Option<String>,
    command: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peer-probe: {error}");
            ExitCode::FAILURE
        }
    }
}

fn wanted() -> Result<Wanted, Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let mut wanted = Wanted {
        mode: args.next().ok_or("a mode is missing")?,
        ..Wanted::default()
    };
    while let Some(name) = args.next() {
        let mut value = || args.next().ok_or(format!("{name} needs a value"));
        match name.as_str() {
            "--protocol" => wanted.version = Some(value()?).filter(|version| version != "auto"),
            "--url" => wanted.url = Some(value()?),
            "--call" => wanted.calls.push(value()?),
            "--" => wanted.command = args.by_ref().collect(),
            option if option.starts_with("--") => {
                return Err(format!("unexpected argument {option:?}").into());
            }
            word => wanted.words.push(word.to_owned()),
        }
    }
    Ok(wanted)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let wanted = wanted()?;
    let mut connect = match (wanted.url, wanted.command.split_first()) {
        (Some(url), None) => Client::http(url),
        (None, Some((program, arguments))) => Client::stdio(program, arguments),
        _ => return Err("either the server's URL or its command is needed".into()),
    };
    if let Some(version) = wanted.version {
        connect = connect.protocol(version.parse::<ProtocolVersion>()?);
    }
    let words: Vec<_> = wanted.words.iter().map(String::as_str).collect();
    match (wanted.mode.as_str(), words.as_slice()) {
        ("asks", []) => asks::play(connect, &wanted.calls).await,
        ("begin", [file, call]) => tasks::begin(connect, file.as_ref(), call).await,
        ("resume", [file]) => tasks::resume(connect, file.as_ref()).await,
        ("stop", [how, call]) => tasks::stop(connect, how, call).await,
        ("read", []) => {
            let client = connect.await?;
            endings::read(&client).await?;
            client.close().await;
            Ok(())
        }
        (mode, []) => endings::play(mode, connect.await?).await,
        (mode, _) => Err(format!("too many words for {mode:?}").into()),
    }
}
