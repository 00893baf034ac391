//! The server: the words of a command, or else this program once more.

use crate::failure::Failure;
use mcp_progress::Error;
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::transport::ServerCommand;

pub(crate) fn command(words: &[&str]) -> Result<ServerCommand, Failure> {
    if let [program, arguments @ ..] = words {
        return Ok(ServerCommand::new(*program).args(arguments.iter().copied()));
    }
    let program = std::env::current_exe();
    let program = program.map_err(|error| Error::connect("who am I?").with_source(error))?;
    Ok(ServerCommand::new(program).arg("serve"))
}

pub(crate) async fn serve() -> Result<(), Failure> {
    let server = ScriptedServer::demo().tool("die", |_| Script::new().progress(1, 2).crash());
    let served = server.serve_stdio().await;
    Ok(served.map_err(|error| Error::connect("cannot serve").with_source(error))?)
}
