//! Owns a reverse proxy in front of one server: it takes every exchange apart, shows it to a
//! [`Watcher`], and passes it on, or breaks it where the watcher says so. Must not know MCP.
//!
//! Every request goes to the server on a connection of its own. So the end of the client's
//! connection in mid-answer is passed on as what it is, and an answer that is cut does not harm
//! others.

use std::{
    io::{self, BufReader, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use crate::{
    http::{Body, Head, write_chunk},
    sse::{Event, Events},
};

/// A request, read to its end.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its head.
    pub head: Head,
    /// Its body.
    pub body: Vec<u8>,
}

/// What becomes of an event on its way to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is passed on as it is.
    Pass,
    /// It is passed on byte by byte, each in a packet and a chunk of its own.
    Split,
    /// So many of its bytes are passed on, then the answer ends.
    Cut(usize, Manner),
}

/// How an answer is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// The connection is closed in the middle of the body.
    Close,
    /// The sending half of the connection is closed; the proxy goes on listening.
    HalfClose,
    /// The body ends in good order, as when a server lets its client go.
    End,
}

/// How an exchange came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The server said all of its answer.
    Complete,
    /// The client closed the connection before that.
    ClientClosed,
    /// The server did.
    ServerClosed,
    /// The watcher had the answer cut.
    Cut,
}

/// Sees all that passes. Called from many threads, for each exchange in the order of events.
pub trait Watcher: Send + Sync + 'static {
    /// A request came. It is passed on when this returns.
    fn request(&self, exchange: u64, request: &Request);
    /// The head of its answer came.
    fn head(&self, exchange: u64, head: &Head);
    /// An event of the answer came.
    fn event(&self, exchange: u64, event: &Event) -> Fate;
    /// The answer came, and is not a stream of events.
    fn body(&self, exchange: u64, body: &[u8]);
    /// The exchange is over. Told before the client can know.
    fn end(&self, exchange: u64, end: End);
}

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Proxy {
    /// Starts a proxy on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// It cannot listen.
    pub fn start(server: SocketAddr, watcher: Arc<impl Watcher>) -> Result<Self, String> {
        let said = |error: io::Error| format!("the proxy cannot listen: {error}");
        let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(said)?;
        let address = listener.local_addr().map_err(said)?;
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let exchanges = Arc::new(AtomicU64::new(0));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::Acquire) {
                    break;
                }
                let (watcher, exchanges) = (Arc::clone(&watcher), Arc::clone(&exchanges));
                // An error here is a client or a server that went away, which the watcher was told.
                thread::spawn(move || {
                    let _ = serve(client, server, &*watcher, &exchanges);
                });
            }
        });
        Ok(Self { address, stopped })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        // The thread waits for a connection: this is one. If it fails, the thread has gone already.
        let _ = TcpStream::connect(self.address);
    }
}

/// One connection of the client: any number of exchanges, one after the other.
fn serve(
    client: TcpStream,
    server: SocketAddr,
    watcher: &impl Watcher,
    exchanges: &AtomicU64,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut input = BufReader::new(client.try_clone()?);
    while let Some(head) = Head::read(&mut input)? {
        let body = head.request_body()?.rest(&mut input)?;
        let number = exchanges.fetch_add(1, Ordering::Relaxed);
        let request = Request { head, body };
        watcher.request(number, &request);
        if !exchange(&client, server, watcher, number, request) {
            break;
        }
    }
    Ok(())
}

/// Passes on one request and its answer. Says whether the connection is of further use.
fn exchange(
    client: &TcpStream,
    server: SocketAddr,
    watcher: &impl Watcher,
    number: u64,
    request: Request,
) -> bool {
    let over = Arc::new(AtomicBool::new(false));
    let gone = Arc::new(AtomicBool::new(false));
    let relayed = TcpStream::connect(server).and_then(|server| {
        watch_client(client, &server, &over, &gone)?;
        let answer = relay(client, &server, watcher, number, request);
        over.store(true, Ordering::Release);
        // The server must not believe that anybody still reads.
        let _ = server.shutdown(Shutdown::Both);
        answer
    });
    let (end, last) = match relayed {
        Ok(Relayed::Whole(last)) => (End::Complete, Ok(last)),
        Ok(Relayed::Cut(manner)) => (End::Cut, Err(manner)),
        Err(_) if gone.load(Ordering::Acquire) => (End::ClientClosed, Err(Manner::Close)),
        Err(_) => (End::ServerClosed, Err(Manner::Close)),
    };
    watcher.end(number, end);
    let mut client = client;
    match last {
        Ok(last) => client.write_all(&last).is_ok(),
        Err(Manner::End) => write_chunk(&mut client, b"").is_ok(),
        Err(Manner::HalfClose) => {
            half_close(client);
            false
        }
        Err(Manner::Close) => {
            let _ = client.shutdown(Shutdown::Both);
            false
        }
    }
}

/// Waits for the end of the client's connection while its request is served, and passes it on.
fn watch_client(
    client: &TcpStream,
    server: &TcpStream,
    over: &Arc<AtomicBool>,
    gone: &Arc<AtomicBool>,
) -> io::Result<()> {
    let (client, server) = (client.try_clone()?, server.try_clone()?);
    let (over, gone) = (Arc::clone(over), Arc::clone(gone));
    thread::spawn(move || {
        // The next request comes after the answer, so whatever can be read now is the end, or the
        // answer is over and the thread of the connection reads the same.
        let ended = !matches!(client.peek(&mut [0]), Ok(1..));
        if ended && !over.load(Ordering::Acquire) {
            gone.store(true, Ordering::Release);
            let _ = server.shutdown(Shutdown::Both);
        }
    });
    Ok(())
}

/// Ends what is sent, and waits until the client has understood.
fn half_close(client: &TcpStream) {
    let _ = client.shutdown(Shutdown::Write);
    let _ = client.set_read_timeout(Some(Duration::from_secs(5)));
    let _ = io::copy(&mut &*client, &mut io::sink());
}

enum Relayed {
    /// Up to these last bytes.
    Whole(Vec<u8>),
    /// Up to the place of the cut.
    Cut(Manner),
}

fn relay(
    mut client: &TcpStream,
    mut server: &TcpStream,
    watcher: &impl Watcher,
    number: u64,
    mut request: Request,
) -> io::Result<Relayed> {
    server.set_nodelay(true)?;
    request.head.set("host", &server.peer_addr()?.to_string());
    request.head.set("connection", "close");
    request.head.remove("transfer-encoding");
    if request.head.first_word() == "POST" {
        let length = request.body.len().to_string();
        request.head.set("content-length", &length);
    }
    let mut bytes = request.head.bytes();
    bytes.extend(&request.body);
    server.write_all(&bytes)?;

    let mut from = BufReader::new(server);
    let mut head = Head::read(&mut from)?.ok_or(io::ErrorKind::UnexpectedEof)?;
    let mut body = head.response_body()?;
    watcher.head(number, &head);
    head.remove("connection");
    head.remove("keep-alive");
    head.remove("transfer-encoding");
    head.remove("content-length");
    if head.is_events() {
        head.set("transfer-encoding", "chunked");
        client.write_all(&head.bytes())?;
        return relay_events(client, from, body, watcher, number);
    }
    let body = body.rest(&mut from)?;
    watcher.body(number, &body);
    if head.second_word() != "204" {
        head.set("content-length", &body.len().to_string());
    }
    let mut bytes = head.bytes();
    bytes.extend(&body);
    Ok(Relayed::Whole(bytes))
}

fn relay_events(
    mut client: &TcpStream,
    mut from: BufReader<&TcpStream>,
    mut body: Body,
    watcher: &impl Watcher,
    number: u64,
) -> io::Result<Relayed> {
    let mut events = Events::default();
    loop {
        let piece = body.piece(&mut from)?;
        if piece.is_empty() {
            let (rest, mut last) = (events.rest(), Vec::new());
            if !rest.is_empty() {
                write_chunk(&mut last, &rest)?;
            }
            write_chunk(&mut last, b"")?;
            return Ok(Relayed::Whole(last));
        }
        for (event, bytes) in events.feed(&piece) {
            match watcher.event(number, &event) {
                Fate::Pass => write_chunk(&mut client, &bytes)?,
                Fate::Split => {
                    for byte in bytes.chunks(1) {
                        write_chunk(&mut client, byte)?;
                    }
                }
                Fate::Cut(length, manner) => {
                    let kept = &bytes[..length.min(bytes.len())];
                    if !kept.is_empty() {
                        write_chunk(&mut client, kept)?;
                    }
                    return Ok(Relayed::Cut(manner));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read,
        sync::{
            Mutex,
            mpsc::{Receiver, Sender, channel},
        },
    };

    use super::*;

    /// Gives every event the same fate, and tells how exchanges end.
    struct Same {
        fate: Fate,
        ends: Mutex<Sender<End>>,
    }

    impl Watcher for Same {
        fn request(&self, _: u64, _: &Request) {}
        fn head(&self, _: u64, _: &Head) {}
        fn event(&self, _: u64, _: &Event) -> Fate {
            self.fate
        }
        fn body(&self, _: u64, _: &[u8]) {}
        fn end(&self, _: u64, end: End) {
            self.ends.lock().unwrap().send(end).unwrap();
        }
    }

    /// A proxy, where exchanges are told to have ended, and a client that has sent a request.
    fn asked(server: SocketAddr, fate: Fate) -> (Proxy, Receiver<End>, TcpStream) {
        let (sender, ends) = channel();
        let ends_of = Mutex::new(sender);
        let watcher = Same {
            fate,
            ends: ends_of,
        };
        let proxy = Proxy::start(server, Arc::new(watcher)).unwrap();
        let mut client = TcpStream::connect(proxy.address()).unwrap();
        client.write_all(REQUEST).unwrap();
        (proxy, ends, client)
    }

    const REQUEST: &[u8] = b"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}";
    const EVENT: &[u8] = b"data: abc\n\n";

    /// A server that answers one request with `body`, and then waits for the end of the connection.
    fn server(head: &'static str, body: &'static [u8]) -> (SocketAddr, thread::JoinHandle<Head>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut from = BufReader::new(stream.try_clone().unwrap());
            let head_of_request = Head::read(&mut from).unwrap().unwrap();
            assert_eq!(
                head_of_request
                    .request_body()
                    .unwrap()
                    .rest(&mut from)
                    .unwrap(),
                b"{}"
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(body).unwrap();
            assert_eq!(
                from.read(&mut [0]).unwrap_or(0),
                0,
                "nothing comes after the request"
            );
            head_of_request
        });
        (address, served)
    }

    const STREAM: &str =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

    /// One request through the proxy: what comes back, how the exchange ended, whether the
    /// connection was closed after it.
    fn through(head: &'static str, body: &'static [u8], fate: Fate) -> (Vec<u8>, End, bool) {
        let (address, served) = server(head, body);
        let (_proxy, ends, client) = asked(address, fate);
        let mut from = BufReader::new(client.try_clone().unwrap());
        let head = Head::read(&mut from).unwrap().unwrap();
        let mut body = head.response_body().unwrap();
        let mut got = Vec::new();
        let whole = loop {
            match body.piece(&mut from) {
                Ok(piece) if piece.is_empty() => break true,
                Ok(piece) => got.extend(piece),
                Err(_) => break false,
            }
        };
        if !whole {
            assert_eq!(from.read(&mut [0]).unwrap_or(0), 0);
        }
        drop((client, from));
        let request = served.join().unwrap();
        assert_eq!(request.field("host"), Some(address.to_string().as_str()));
        (got, ends.recv().unwrap(), !whole)
    }

    #[test]
    fn answers_pass_whole_or_byte_by_byte() {
        let body = b"b\r\ndata: abc\n\n\r\n4\r\n: ko\r\n0\r\n\r\n";
        let whole = b"data: abc\n\n: ko".to_vec();
        let passed = through(STREAM, body, Fate::Pass);
        assert_eq!(passed, (whole.clone(), End::Complete, false));
        let split = through(STREAM, body, Fate::Split);
        assert_eq!(split, (whole, End::Complete, false));
        let plain = "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n";
        assert_eq!(
            through(plain, b"ok", Fate::Pass),
            (b"ok".to_vec(), End::Complete, false)
        );
    }

    #[test]
    fn answers_are_cut() {
        let body = b"b\r\ndata: abc\n\n\r\n";
        for (kept, manner, broken) in [
            (EVENT.len(), Manner::Close, true),
            (4, Manner::HalfClose, true),
            (EVENT.len(), Manner::End, false),
        ] {
            let cut = through(STREAM, body, Fate::Cut(kept, manner));
            assert_eq!(
                cut,
                (EVENT[..kept].to_vec(), End::Cut, broken),
                "{manner:?}"
            );
        }
    }

    #[test]
    fn whoever_breaks_off_is_told_apart() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();

        let (_proxy, ends, mut client) = asked(address, Fate::Pass);
        drop(listener.accept().unwrap());
        assert_eq!(client.read(&mut [0]).unwrap_or(0), 0);
        assert_eq!(ends.recv().unwrap(), End::ServerClosed);

        let (_proxy, ends, client) = asked(address, Fate::Pass);
        let (mut served, _) = listener.accept().unwrap();
        Head::read(&mut BufReader::new(&served)).unwrap().unwrap();
        drop(client);
        assert_eq!(ends.recv().unwrap(), End::ClientClosed);
        assert_eq!(served.read(&mut [0; 64]).unwrap_or(0), 0);
    }
}
