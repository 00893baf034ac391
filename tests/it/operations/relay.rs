//! A relay before a server, whose connections can be broken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Listens on a port of its own and passes on what comes, until it is dropped.
pub(super) struct Relay {
    port: u16,
    broken: Arc<AtomicBool>,
    cut: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
}

impl Relay {
    #[expect(clippy::disallowed_methods, reason = "a test is a program")]
    pub(super) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let own = listener.local_addr().expect("it is bound").port();
        let broken = Arc::new(AtomicBool::new(false));
        let cut = Arc::new(Notify::new());
        let (is_broken, is_cut) = (broken.clone(), cut.clone());
        let task = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                if is_broken.load(Ordering::Relaxed) {
                    continue;
                }
                let cut = is_cut.clone();
                tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await else {
                        return;
                    };
                    tokio::select! {
                        _ = io::copy_bidirectional(&mut near, &mut far) => {}
                        () = cut.notified() => {}
                    }
                });
            }
        });
        Self {
            port: own,
            broken,
            cut,
            task,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/mcp", self.port)
    }

    /// Closes every connection, and takes none until it is mended.
    pub(super) fn cut(&self) {
        self.broken.store(true, Ordering::Relaxed);
        self.cut.notify_waiters();
    }

    pub(super) fn mender(&self) -> Mender {
        Mender(self.broken.clone())
    }
}

/// What mends a relay.
pub(super) struct Mender(Arc<AtomicBool>);

impl Mender {
    pub(super) fn mend(&self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
        self.cut.notify_waiters();
    }
}
