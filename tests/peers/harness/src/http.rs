//! Owns HTTP/1.1 as the proxy needs it: heads, and bodies in pieces. Must not know what a body says
//! or who sends it.

use std::io::{self, BufRead, Read, Write};

/// The first line and the fields of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The first line, without its end.
    pub start: String,
    /// The fields in their order, as they were written.
    pub fields: Vec<(String, String)>,
}

/// How much of a head is read before the peer is told off.
const LONGEST_HEAD: u64 = 64 * 1024;

impl Head {
    /// Reads a head. `None` if the peer closes instead of saying anything.
    ///
    /// # Errors
    ///
    /// The connection fails, ends within the head, or says what is not HTTP.
    pub fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut from = from.take(LONGEST_HEAD);
        let Some(start) = line(&mut from)? else {
            return Ok(None);
        };
        let mut fields = Vec::new();
        loop {
            let line = line(&mut from)?.ok_or(io::ErrorKind::UnexpectedEof)?;
            if line.is_empty() {
                return Ok(Some(Self { start, fields }));
            }
            let (name, value) = line.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
            fields.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    /// The value of the first field with this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let named = |(n, _): &&(String, String)| n.eq_ignore_ascii_case(name);
        self.fields
            .iter()
            .find(named)
            .map(|(_, value)| value.as_str())
    }

    /// Replaces all fields with this name by one.
    pub fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    /// Removes all fields with this name.
    pub fn remove(&mut self, name: &str) {
        self.fields.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// The method of a request, or the version of a response.
    #[must_use]
    pub fn first_word(&self) -> &str {
        self.start.split(' ').next().unwrap_or_default()
    }

    /// The target of a request, or the status of a response.
    #[must_use]
    pub fn second_word(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    /// Whether the body is a stream of events.
    #[must_use]
    pub fn is_events(&self) -> bool {
        self.field("content-type")
            .is_some_and(|kind| kind.starts_with("text/event-stream"))
    }

    /// How the body of a request with this head ends.
    ///
    /// # Errors
    ///
    /// The length is not a number.
    pub fn request_body(&self) -> io::Result<Body> {
        self.framing().map(|body| body.unwrap_or(Body::Length(0)))
    }

    /// How the body of a response with this head ends.
    ///
    /// # Errors
    ///
    /// The length is not a number.
    pub fn response_body(&self) -> io::Result<Body> {
        match self.second_word() {
            "204" | "304" => Ok(Body::Length(0)),
            _ => self.framing().map(|body| body.unwrap_or(Body::Connection)),
        }
    }

    fn framing(&self) -> io::Result<Option<Body>> {
        if self
            .field("transfer-encoding")
            .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
        {
            return Ok(Some(Body::Chunks));
        }
        let length = self.field("content-length").map(str::parse).transpose();
        let length = length.map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(length.map(Body::Length))
    }

    /// The head as it goes on the wire.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.start);
        for (name, value) in &self.fields {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        text.into_bytes()
    }
}

/// How much of a body is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// So many bytes.
    Length(u64),
    /// Chunks, the next thing being the size of one.
    Chunks,
    /// Everything until the peer closes.
    Connection,
}

/// How much of a body is read at once.
const PIECE: u64 = 16 * 1024;

impl Body {
    /// The next bytes of the body, without framing; empty at its orderly end.
    ///
    /// # Errors
    ///
    /// The connection fails or ends before the body does, or the framing is wrong.
    pub fn piece(&mut self, from: &mut impl BufRead) -> io::Result<Vec<u8>> {
        match self {
            Self::Connection => some(from, PIECE),
            Self::Length(0) => Ok(Vec::new()),
            Self::Length(left) => {
                let piece = some(from, PIECE.min(*left))?;
                if piece.is_empty() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                *left -= piece.len() as u64;
                Ok(piece)
            }
            Self::Chunks => {
                let piece = chunk(from)?;
                if piece.is_empty() {
                    *self = Self::Length(0);
                }
                Ok(piece)
            }
        }
    }

    /// All that is left of the body.
    ///
    /// # Errors
    ///
    /// As for [`Body::piece`].
    pub fn rest(&mut self, from: &mut impl BufRead) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let piece = self.piece(from)?;
            if piece.is_empty() {
                return Ok(all);
            }
            all.extend(piece);
        }
    }
}

/// Writes a chunk of a body, or its end if `bytes` are empty.
///
/// # Errors
///
/// The connection fails.
pub fn write_chunk(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    // One write: a chunk in several small packets would wait for acknowledgements.
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend(bytes);
    chunk.extend(b"\r\n");
    to.write_all(&chunk)?;
    to.flush()
}

fn line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if from.read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

/// At least one byte and at most `limit`, as they come; none at the end of the connection.
fn some(from: &mut impl BufRead, limit: u64) -> io::Result<Vec<u8>> {
    let here = from.fill_buf()?;
    let taken = here.len().min(usize::try_from(limit).unwrap_or(usize::MAX));
    let piece = here[..taken].to_vec();
    from.consume(taken);
    Ok(piece)
}

fn chunk(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let size = line(from)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let size = size.split(';').next().unwrap_or_default().trim();
    let size = u64::from_str_radix(size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
    let mut bytes = Vec::new();
    from.take(size).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    // The end of the chunk; after the last one, the fields that may follow and an empty line.
    loop {
        let after = line(from)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if after.is_empty() {
            return Ok(bytes);
        }
        if size > 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(text: &str) -> io::Result<(Head, Vec<u8>)> {
        let mut from = text.as_bytes();
        let head = Head::read(&mut from)?.ok_or(io::ErrorKind::NotFound)?;
        let body = head.response_body()?.rest(&mut from)?;
        Ok((head, body))
    }

    #[test]
    fn bodies_of_every_kind() {
        let bodies = [
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n2;x=y\r\nbc\r\n0\r\n\r\nHTTP",
            "HTTP/1.1 200 OK\n\nabc",
        ];
        for text in bodies {
            assert_eq!(response(text).unwrap().1, b"abc", "{text}");
        }
        let empty = "HTTP/1.1 204 No Content\r\n\r\nabc";
        assert_eq!(response(empty).unwrap().1, b"");
        let request = Head::read(&mut &b"GET /mcp HTTP/1.1\r\nHost: x\r\n\r\n"[..]).unwrap();
        let request = request.unwrap();
        assert_eq!(request.request_body().unwrap(), Body::Length(0));
        assert_eq!(
            (request.first_word(), request.second_word()),
            ("GET", "/mcp")
        );
    }

    #[test]
    fn bodies_that_end_too_early() {
        let bodies = [
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
            "HTTP/1.1 200 OK\r\nContent-",
        ];
        for text in bodies {
            let error = response(text).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{text}");
        }
        assert_eq!(Head::read(&mut &b""[..]).unwrap(), None);
    }

    #[test]
    fn what_is_not_http() {
        for text in [
            "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
        ] {
            let error = response(text).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{text}");
        }
    }

    #[test]
    fn fields_are_replaced_and_written() {
        let mut head = Head::read(&mut &b"HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\nB: 3\r\n\r\n"[..])
            .unwrap()
            .unwrap();
        head.set("a", "4");
        head.remove("b");
        assert_eq!(head.bytes(), b"HTTP/1.1 200 OK\r\na: 4\r\n\r\n");
        assert_eq!(head.field("A"), Some("4"));
    }

    #[test]
    fn chunks_round_trip() {
        let mut wire = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
        for piece in [&b"ab"[..], b"\r\n0\r\n\r\n", b""] {
            write_chunk(&mut wire, piece).unwrap();
        }
        let wire = String::from_utf8(wire).unwrap();
        assert_eq!(response(&wire).unwrap().1, b"ab\r\n0\r\n\r\n");
    }
}
