//! An `rmcp` server whose tools report by our reporter, seen by rmcp's own client and by ours: `rmcp-reporter [serve]`.
//!
//! Without an argument it starts itself as the server, once for each client and era, calls each tool, prints what arrived,
//! and ends with 1 where the two clients differ or an update breaks a rule.

mod ours;
mod server;
mod theirs;
mod verdict;

use std::process::ExitCode;

/// Whatever went wrong; this program only ever says it and stops.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// One update as a client received it.
#[derive(Clone, Debug, PartialEq)]
struct Received {
    progress: f64,
    total: Option<f64>,
    message: Option<String>,
    /// Since the call began, in milliseconds.
    at: u128,
}

/// What one client received of one tool: the updates that came before the result, and the text of the result.
#[derive(Clone, Debug)]
struct Seen {
    updates: Vec<Received>,
    result: String,
}

/// The eras that both clients speak with this server.
#[derive(Clone, Copy, Debug)]
enum Era {
    Handshake,
    Modern,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Failure> {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        server::serve().await?;
        return Ok(ExitCode::SUCCESS);
    }
    let program = std::env::current_exe()?;
    let mut faults = Vec::new();
    for era in [Era::Handshake, Era::Modern] {
        for tool in server::TOOLS {
            let theirs = theirs::call(&program, era, tool).await?;
            let ours = ours::call(&program, era, tool).await?;
            verdict::print(era, tool, &theirs, &ours);
            faults.extend(verdict::faults(era, tool, &theirs, &ours));
        }
    }
    for fault in &faults {
        eprintln!("rmcp-reporter: {fault}");
    }
    println!("{} faults", faults.len());
    Ok(if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
