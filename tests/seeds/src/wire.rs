//! Owns a tap between a client and a server over HTTP. Must not know what passes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};

/// Something that the server sent.
#[derive(Clone, Debug)]
pub struct Said {
    /// On which connection, from 0.
    pub connection: u32,
    /// When it came: so long after the tap was made.
    pub at: Duration,
    /// What came in one read.
    pub text: String,
}

/// Passes on all that goes between clients and one server, and keeps what the server says.
#[derive(Debug)]
pub struct Tap {
    address: SocketAddr,
    path: String,
    said: Arc<Mutex<Vec<Said>>>,
}

impl Tap {
    /// A tap in front of the server at this URL.
    ///
    /// # Panics
    ///
    /// If the URL is not one of a loopback server, or no port is free.
    pub async fn before(url: &str) -> Self {
        let rest = url.strip_prefix("http://").expect("plain HTTP");
        let (server, path) = rest.split_at(rest.find('/').expect("a path"));
        let server: SocketAddr = server.parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let tap = Self {
            address: listener.local_addr().expect("bound"),
            path: path.to_owned(),
            said: Arc::default(),
        };
        let (said, began) = (tap.said.clone(), Instant::now());
        tokio::spawn(async move {
            let mut next = 0;
            while let Ok((client, _)) = listener.accept().await {
                let connection = next;
                next += 1;
                let said = said.clone();
                let keep = move |text| {
                    let at = began.elapsed();
                    let mut said = said.lock().expect("nobody panicked");
                    said.push(Said {
                        connection,
                        at,
                        text,
                    });
                };
                tokio::spawn(pass(client, server, keep));
            }
        });
        tap
    }

    /// The URL for clients.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }

    /// The HTTP response in which this text came, from its head on.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn response_with(&self, text: &str) -> Vec<Said> {
        let mut said = self.said.lock().expect("nobody panicked").clone();
        let with = said.iter().find(|said| said.text.contains(text));
        let connection = with.expect("the server has said so").connection;
        said.retain(|said| said.connection == connection);
        let mut heads = said.iter();
        let head = heads.rposition(|said| said.text.starts_with("HTTP/1.1 "));
        said.split_off(head.expect("every response has a head"))
    }
}

async fn pass(
    client: TcpStream,
    server: SocketAddr,
    keep: impl Fn(String) + Send,
) -> std::io::Result<()> {
    let server = TcpStream::connect(server).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = tokio::spawn(async move {
        let _ = copy(&mut from_client, &mut to_server).await;
        to_server.shutdown().await
    });
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from_server.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        keep(String::from_utf8_lossy(&buffer[..read]).into_owned());
        to_client.write_all(&buffer[..read]).await?;
    }
    to_client.shutdown().await?;
    up.abort();
    Ok(())
}
