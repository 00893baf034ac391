//! A proxy between the client and the server, which wants to know who asks.

use std::sync::{Arc, Mutex};

use mcp_progress::transport::HttpEndpoint;
use mcp_progress::{Client, ErrorKind, ProtocolVersion};
use tokio::io::{self, AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::certificate;
use super::front::Front;
use super::{Running, count, counting, refused, told};

const PASSWORD: &str = "open-sesame";
/// `me:open-sesame` as HTTP writes it.
const CREDENTIALS: &str = "Basic bWU6b3Blbi1zZXNhbWU=";
const WRONG: &str = "another-secret";
/// `me:another-secret`
const WRONG_WRITTEN: &str = "bWU6YW5vdGhlci1zZWNyZXQ=";

/// A proxy on a port of its own, until it is dropped. It forwards each connection to where its first request goes.
struct Proxy {
    port: u16,
    /// The first line of each first request.
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Proxy {
    #[expect(clippy::disallowed_methods, reason = "a test is a program")]
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let noted = asked.clone();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let noted = noted.clone();
                // A peer that goes away has ended its connection, as it may.
                connections.spawn(async move { drop(forward(socket, &noted).await) });
            }
        });
        Self { port, asked, task }
    }

    /// The way through it, for a user with this password.
    fn url(&self, password: &str) -> String {
        format!("http://me:{password}@127.0.0.1:{}", self.port)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic under it").clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(socket: TcpStream, noted: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut near = BufReader::new(socket);
    let (mut head, mut known) = (String::new(), false);
    loop {
        let from = head.len();
        if near.read_line(&mut head).await? == 0 {
            return Ok(());
        }
        let line = head[from..].trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("proxy-authorization")
        {
            known = value == CREDENTIALS;
            // It is meant for the proxy and goes no further.
            head.truncate(from);
        }
    }
    let first = head.lines().next().unwrap_or_default().to_owned();
    noted.lock().expect("no panic under it").push(first.clone());
    if !known {
        let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm=\"edge\"\r\n\
                       content-length: 0\r\nconnection: close\r\n\r\n";
        near.write_all(refusal.as_bytes()).await?;
        return near.shutdown().await;
    }
    let target = first.split(' ').nth(1).unwrap_or_default();
    let tunnel = first.starts_with("CONNECT ");
    let authority = target.strip_prefix("http://").unwrap_or(target);
    let authority = authority.split('/').next().unwrap_or_default();
    let mut far = TcpStream::connect(authority).await?;
    if tunnel {
        near.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?;
    } else {
        far.write_all(head.as_bytes()).await?;
    }
    io::copy_bidirectional(&mut near, &mut far).await.map(drop)
}

fn through(url: &str, proxy: &str) -> HttpEndpoint {
    let endpoint = HttpEndpoint::new(url).proxy(proxy);
    let shown = format!("{endpoint:?}");
    assert!(
        !shown.contains(PASSWORD) && !shown.contains(WRONG),
        "{shown}"
    );
    endpoint
}

#[tokio::test]
async fn plain_requests_go_through_the_proxy() {
    for version in [ProtocolVersion::LATEST, ProtocolVersion::LATEST_HANDSHAKE] {
        let (running, proxy) = (Running::start(&counting()).await, Proxy::start().await);
        let endpoint = through(&running.url, &proxy.url(PASSWORD));
        let client = Client::connect(endpoint).protocol(version).await;
        let client = client.expect("the proxy lets it through");
        count(&client).await;
        client.close().await;
        let asked = proxy.asked();
        let whole = format!("POST {} HTTP/1.1", running.url);
        assert!(asked.contains(&whole), "{asked:?}");
        assert_eq!(
            asked.len(),
            running.log.connections(),
            "none went around it"
        );
        assert_eq!(running.log.requests("tools/call").len(), 1);
    }
}

#[tokio::test]
async fn tls_goes_through_a_tunnel() {
    let certificate = certificate::self_signed(&["localhost"]);
    let front = Front::start(&counting(), &certificate, &["h2", "http/1.1"]).await;
    let proxy = Proxy::start().await;
    let url = format!("https://localhost:{}/mcp", front.port);
    let endpoint = through(&url, &proxy.url(PASSWORD)).root_certificates(&certificate.pem);
    let client = Client::connect(endpoint).await;
    count(&client.expect("the proxy lets it through")).await;
    assert_eq!(
        proxy.asked(),
        [format!("CONNECT localhost:{} HTTP/1.1", front.port)]
    );
    assert_eq!(front.agreed(), [Some("h2".to_owned())]);
    for request in front.log.http_requests() {
        assert_eq!(request.header("proxy-authorization"), None);
    }
}

#[tokio::test]
async fn wrong_credentials_are_told_and_not_shown() {
    let (running, proxy) = (Running::start(&counting()).await, Proxy::start().await);
    let error = refused(through(&running.url, &proxy.url(WRONG))).await;
    let plain = told(&error);
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Http, Some(407)),
        "{plain}"
    );
    assert!(plain.contains("the proxy wants credentials"), "{plain}");

    let secure = running.url.replace("http://", "https://");
    let error = refused(through(&secure, &proxy.url(WRONG))).await;
    let tunnel = told(&error);
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{tunnel}");
    assert!(tunnel.contains("proxy authorization required"), "{tunnel}");
    for told in [plain, tunnel] {
        assert!(
            !told.contains(WRONG) && !told.contains(WRONG_WRITTEN),
            "{told}"
        );
    }
    assert_eq!(running.log.connections(), 0);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_told_without_its_credentials() {
    let running = Running::start(&counting()).await;
    let gone = Proxy::start().await.url(PASSWORD);
    for url in [
        running.url.clone(),
        running.url.replace("http://", "https://"),
    ] {
        let error = refused(through(&url, &gone)).await;
        let told = told(&error);
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{told}");
        assert!(told.contains("cannot be reached"), "{told}");
        assert!(!told.contains(PASSWORD), "{told}");
    }
    // Nor are they shown where the address of the proxy makes no sense.
    let error = refused(through(&running.url, &format!("http://me:{PASSWORD}@/:no"))).await;
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(!told(&error).contains(PASSWORD), "{}", told(&error));
    assert_eq!(running.log.connections(), 0);
}
