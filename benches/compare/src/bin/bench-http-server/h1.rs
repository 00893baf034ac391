//! Owns HTTP/1.1: as much of it as these clients send, and chunks written by hand.

use std::io::{self, Write};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::job::Job;
use crate::linger::Lingering;
use crate::reply::{Reply, reply};

const STREAM_HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
const NOT_ALLOWED: &[u8] =
    b"HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nContent-Length: 0\r\n\r\n";
/// A chunk's size before it is known.
const CHUNK_SIZE: &[u8] = b"0000\r\n";

/// One request that has been read whole.
struct Head {
    /// Where the body begins and ends.
    body: (usize, usize),
    verb: Verb,
}

enum Verb {
    Post,
    Open,
    Other,
}

/// Serves one connection until the client closes it.
pub async fn serve(mut socket: TcpStream, lingering: Arc<Lingering>) -> io::Result<()> {
    let (mut input, mut out) = (Vec::with_capacity(1024), Vec::with_capacity(1024));
    loop {
        let head = loop {
            if let Some(head) = parse(&input)? {
                break head;
            }
            if socket.read_buf(&mut input).await? == 0 {
                return Ok(());
            }
        };
        out.clear();
        match head.verb {
            Verb::Other => out.extend_from_slice(NOT_ALLOWED),
            Verb::Open => sized(
                "text/plain",
                lingering.open().to_string().as_bytes(),
                &mut out,
            )?,
            Verb::Post => match reply(&input[head.body.0..head.body.1], &lingering) {
                Reply::Accepted => out.extend_from_slice(ACCEPTED),
                Reply::Json(json) => sized("application/json", &json, &mut out)?,
                Reply::Stream(job) => stream(&mut socket, *job, &mut out).await?,
            },
        }
        socket.write_all(&out).await?;
        input.drain(..head.body.1);
        if matches!(head.verb, Verb::Open) {
            return Ok(());
        }
    }
}

fn sized(kind: &str, body: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    write!(
        out,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )?;
    out.extend_from_slice(body);
    Ok(())
}

/// Writes all but the last piece, which it leaves in `out`.
async fn stream(socket: &mut TcpStream, mut job: Job, out: &mut Vec<u8>) -> io::Result<()> {
    out.extend_from_slice(STREAM_HEAD);
    loop {
        if job.guest.is_some() {
            socket.write_all(out).await?;
            out.clear();
            job.due().await;
        }
        let start = out.len();
        out.extend_from_slice(CHUNK_SIZE);
        let last = loop {
            let last = job.event(out);
            if last || out.len() - start >= job.chunk {
                break last;
            }
        };
        let size = out.len() - start - CHUNK_SIZE.len();
        for (at, byte) in format!("{size:04x}").bytes().enumerate() {
            out[start + at] = byte;
        }
        out.extend_from_slice(b"\r\n");
        if last {
            out.extend_from_slice(b"0\r\n\r\n");
            return Ok(());
        }
        if out.len() >= job.write {
            socket.write_all(out).await?;
            out.clear();
            // A socket that takes everything would keep this task at work, and the other calls waiting.
            tokio::task::yield_now().await;
        }
    }
}

/// `None` while a part is missing.
fn parse(input: &[u8]) -> io::Result<Option<Head>> {
    let Some(end) = memchr::memmem::find(input, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = &input[..end];
    let verb = if head.starts_with(b"POST /mcp ") {
        Verb::Post
    } else if head.starts_with(b"GET /open ") {
        Verb::Open
    } else {
        Verb::Other
    };
    let mut length = 0;
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        const NAME: &[u8] = b"content-length:";
        if let Some((name, value)) = line.split_at_checked(NAME.len())
            && name.eq_ignore_ascii_case(NAME)
        {
            length = std::str::from_utf8(value)
                .ok()
                .and_then(|value| value.trim().parse().ok())
                .ok_or_else(|| io::Error::other("a length that is no number"))?;
        }
    }
    let body = (end + 4, end + 4 + length);
    Ok((input.len() >= body.1).then_some(Head { body, verb }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_whole_with_its_last_byte() {
        let request = b"POST /mcp HTTP/1.1\r\nHost: a\r\ncontent-LENGTH: 2\r\n\r\n{}";
        for end in 0..request.len() {
            assert!(parse(&request[..end]).unwrap().is_none());
        }
        let head = parse(request).unwrap().unwrap();
        assert_eq!(&request[head.body.0..head.body.1], b"{}");
        assert!(matches!(head.verb, Verb::Post));
    }
}
