//! The lower bound over HTTP: hyper's own connections, its body frames split into lines as they come, each `data` line parsed by serde_json
//! into a borrowed struct.
//!
//! It trusts the server: one `data` line an event, no `retry`, no ids, no redirects, no time-outs, no cancellation.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::net::TcpStream;

use crate::Failure;
use crate::http::client::{Endpoint, HttpClient, Tool};
use crate::judge::Book;

/// See the module.
#[derive(Debug)]
pub struct RawClient {
    endpoint: Endpoint,
    host: String,
    book: Arc<Book>,
    /// The slot, the id and the token of the next call.
    next: AtomicU64,
    /// Connections whose last reply has been read to its end.
    idle: Mutex<Vec<http1::SendRequest<Full<Bytes>>>>,
    /// The one connection of HTTP/2.
    shared: Option<http2::SendRequest<Full<Bytes>>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    method: Option<&'a str>,
    #[serde(borrow)]
    params: Option<Params<'a>>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(rename = "progressToken")]
    token: u64,
    progress: f64,
    #[expect(dead_code, reason = "parsed because a client has to")]
    total: Option<f64>,
    #[serde(borrow)]
    #[expect(dead_code, reason = "parsed because a client has to")]
    message: Option<&'a str>,
}

/// One call that is being read.
struct Reading<'a> {
    book: &'a Book,
    slot: u64,
    updates: u64,
    succeeded: bool,
    /// The start of a line whose end has not come yet.
    rest: Vec<u8>,
}

impl Reading<'_> {
    /// Splits one piece of the body into lines.
    fn piece(&mut self, mut bytes: &[u8]) -> Result<(), Failure> {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (line, after) = (&bytes[..end], &bytes[end + 1..]);
            if self.rest.is_empty() {
                self.line(line)?;
            } else {
                let mut whole = std::mem::take(&mut self.rest);
                whole.extend_from_slice(line);
                self.line(&whole)?;
            }
            bytes = after;
        }
        self.rest.extend_from_slice(bytes);
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<(), Failure> {
        match line.strip_prefix(b"data: ") {
            Some(data) => self.message(data),
            None => Ok(()),
        }
    }

    fn message(&mut self, data: &[u8]) -> Result<(), Failure> {
        match serde_json::from_slice::<Message<'_>>(data)? {
            Message {
                method: Some("notifications/progress"),
                params: Some(update),
                ..
            } => self.book.seen(update.token, update.progress, 1),
            Message { result, .. } => {
                self.book.resolved(self.slot, self.updates);
                self.succeeded = result.is_some();
            }
        }
        Ok(())
    }
}

impl RawClient {
    fn request(&self, slot: u64, tool: Tool, n: u64) -> Result<Request<Full<Bytes>>, Failure> {
        let name = tool.name();
        let body = format!(
            concat!(
                r#"{{"jsonrpc":"2.0","id":{slot},"method":"tools/call","params":{{"name":"{name}","arguments":{{"n":{n}}},"#,
                r#""_meta":{{"progressToken":{slot},"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
                r#""io.modelcontextprotocol/clientInfo":{{"name":"raw","version":"0"}},"io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
            ),
            slot = slot,
            name = name,
            n = n,
        );
        let path = if self.endpoint.http2 {
            self.endpoint.url()
        } else {
            "/mcp".to_owned()
        };
        let mut request = Request::post(path)
            .header(header::ACCEPT, "application/json, text/event-stream")
            .header(header::CONTENT_TYPE, "application/json")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", name);
        if !self.endpoint.http2 {
            request = request.header(header::HOST, &self.host);
        }
        Ok(request.body(Full::new(Bytes::from(body)))?)
    }

    /// A connection that is free, or a new one.
    async fn connection(&self) -> Result<http1::SendRequest<Full<Bytes>>, Failure> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        if let Some(mut idle) = idle {
            idle.ready().await?;
            return Ok(idle);
        }
        let (sender, connection) =
            http1::handshake(TokioIo::new(open(&self.endpoint).await?)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn read(
        &self,
        response: Response<Incoming>,
        reading: &mut Reading<'_>,
    ) -> Result<(), Failure> {
        let kind = response.headers().get(header::CONTENT_TYPE);
        let streamed = kind.is_some_and(|kind| kind == "text/event-stream");
        let mut body = response.into_body();
        if !streamed {
            return reading.message(&body.collect().await?.to_bytes());
        }
        while let Some(frame) = body.frame().await {
            if let Some(bytes) = frame?.data_ref() {
                reading.piece(bytes)?;
            }
        }
        Ok(())
    }
}

async fn open(endpoint: &Endpoint) -> Result<TcpStream, Failure> {
    let socket = TcpStream::connect(endpoint.address).await?;
    socket.set_nodelay(true)?;
    Ok(socket)
}

impl HttpClient for RawClient {
    async fn connect(endpoint: &Endpoint, book: Arc<Book>) -> Result<Self, Failure> {
        let mut shared = None;
        if endpoint.http2 {
            let io = TokioIo::new(open(endpoint).await?);
            let (sender, connection) = http2::Builder::new(TokioExecutor::new())
                .initial_max_send_streams(endpoint.at_once)
                .handshake(io)
                .await?;
            tokio::spawn(connection);
            shared = Some(sender);
        }
        Ok(Self {
            endpoint: endpoint.clone(),
            host: endpoint.address.to_string(),
            book,
            next: AtomicU64::new(0),
            idle: Mutex::default(),
            shared,
        })
    }

    async fn call(&self, tool: Tool, n: u64, updates: u64) -> Result<(), Failure> {
        let slot = self.next.fetch_add(1, Relaxed);
        let request = self.request(slot, tool, n)?;
        let mut reading = Reading {
            book: &self.book,
            slot,
            updates,
            succeeded: false,
            rest: Vec::new(),
        };
        if let Some(shared) = &self.shared {
            let response = shared.clone().send_request(request).await?;
            self.read(response, &mut reading).await?;
        } else {
            let mut connection = self.connection().await?;
            let response = connection.send_request(request).await?;
            self.read(response, &mut reading).await?;
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
        if reading.succeeded {
            Ok(())
        } else {
            Err("no result".into())
        }
    }

    fn live_calls(&self) -> Option<u64> {
        None
    }

    async fn close(self) -> Result<(), Failure> {
        Ok(())
    }
}
