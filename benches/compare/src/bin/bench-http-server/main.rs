//! The server of the comparison over HTTP: MCP 2026-07-28 and the handshake of 2025-11-25 without a session, one thread, every byte written by
//! hand for HTTP/1.1, hyper for HTTP/2 with prior knowledge.
//!
//! It prints its address, and ends when its standard input does. `GET /open` says how many lingering calls it holds.

mod h1;
mod h2;
mod job;
mod linger;
mod reply;

use std::io::{self, Write};
use std::sync::Arc;
use std::{process, thread};

use tokio::net::{TcpSocket, TcpStream};

use crate::linger::Lingering;

/// What one connection is opened with when it speaks HTTP/2.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    let listener = socket.listen(16_384)?;
    writeln!(io::stdout(), "{}", listener.local_addr()?)?;
    thread::spawn(|| {
        // Whoever started it has gone, or wants it to go.
        drop(io::copy(&mut io::stdin(), &mut io::sink()));
        process::exit(0);
    });
    let lingering = Arc::new(Lingering::default());
    loop {
        let (socket, _) = listener.accept().await?;
        let lingering = Arc::clone(&lingering);
        // A connection that breaks is the client's to report.
        tokio::spawn(async move { drop(serve(socket, lingering).await) });
    }
}

async fn serve(socket: TcpStream, lingering: Arc<Lingering>) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut start = [0; 4];
    let peeked = socket.peek(&mut start).await?;
    if peeked > 0 && PREFACE.starts_with(&start[..peeked]) {
        h2::serve(socket, lingering).await
    } else {
        h1::serve(socket, lingering).await
    }
}
