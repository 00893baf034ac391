//! TLS in front of the embedded server.
//!
//! Owns the socket, the handshake and what was agreed in it. It must not know MCP.

use std::sync::{Arc, Mutex};

use mcp_progress::testing::{Log, ScriptedServer};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

use super::certificate::Certificate;

/// A server behind TLS on a port of its own, until it is dropped.
pub(super) struct Front {
    pub(super) port: u16,
    pub(super) log: Log,
    /// What was agreed on by ALPN, for each connection whose handshake succeeded.
    agreed: Arc<Mutex<Vec<Option<String>>>>,
    task: JoinHandle<()>,
}

impl Front {
    /// `protocols` are those that the server offers by ALPN, the best first.
    #[expect(clippy::disallowed_methods, reason = "a test is a program")]
    pub(super) async fn start(
        server: &ScriptedServer,
        certificate: &Certificate,
        protocols: &[&str],
    ) -> Self {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let mut config = builder
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .with_no_client_auth()
            .with_single_cert(certificate.chain.clone(), certificate.key.clone_key())
            .expect("key and certificate belong together");
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let agreed = Arc::<Mutex<Vec<Option<String>>>>::default();
        let noted = agreed.clone();
        let (hosting, log) = (server.http(), server.log());
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, hosting, noted) = (acceptor.clone(), hosting.clone(), noted.clone());
                connections.spawn(async move {
                    // A client that does not trust the certificate leaves here.
                    let Ok(stream) = acceptor.accept(socket).await else {
                        return;
                    };
                    let protocol = stream.get_ref().1.alpn_protocol();
                    let protocol = protocol.map(|name| String::from_utf8_lossy(name).into_owned());
                    noted.lock().expect("no panic under it").push(protocol);
                    hosting.serve_connection(stream).await;
                });
            }
        });
        Self {
            port,
            log,
            agreed,
            task,
        }
    }

    pub(super) fn agreed(&self) -> Vec<Option<String>> {
        self.agreed.lock().expect("no panic under it").clone()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}
