//! Owns the server's process: starting it, asking it how many calls it holds, and ending it.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::Failure;

/// A server of its own for one run. It ends when its standard input does.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    pub address: SocketAddr,
}

/// Lets this process and the ones that it starts have as many sockets as the system permits.
pub fn raise_file_limit() -> Result<(), Failure> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, most, most)?)
}

impl ServerProcess {
    /// Starts it and reads its address from its first line.
    pub async fn start(server: &Path) -> Result<Self, Failure> {
        let mut child = Command::new(server)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no stdout")?)
            .read_line(&mut line)
            .await?;
        let address = line.trim().parse()?;
        Ok(Self { child, address })
    }

    /// How many calls of the tool `linger` are open at this moment.
    pub async fn open_calls(&self) -> Result<u64, Failure> {
        let mut socket = TcpStream::connect(self.address).await?;
        socket
            .write_all(b"GET /open HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        Ok(body.trim().parse()?)
    }

    /// Ends it and waits, so that its processor time is known.
    pub async fn stop(mut self) -> Result<(), Failure> {
        drop(self.child.stdin.take());
        self.child.wait().await?;
        Ok(())
    }
}
