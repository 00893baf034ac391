//! Servers as child processes, over their standard input and output.
//!
//! Owns turning a command into connections. It must not know the protocol.

use std::time::Duration;

use futures::future::BoxFuture;

use super::connector::{Connection, Connector};
use super::process::command::ServerCommand;
use crate::error::{Error, Result};

/// Starts a server for each connection and speaks over its standard input and output.
impl Connector for ServerCommand {
    fn connect(&self) -> BoxFuture<'_, Result<Connection>> {
        Box::pin(async {
            let server = self.spawn().map_err(|error| {
                Error::connect("the server process could not be started").with_source(error)
            })?;
            let mut connection = Connection::new(server.stdout, server.stdin);
            connection.kept.child = Some(server.child);
            Ok(connection)
        })
    }

    /// `npx` and its like may still be installing.
    fn probe_timeout(&self) -> Duration {
        Duration::from_secs(30)
    }
}
