//! The connection of a batch, made anew where it was lost and another attempt is wanted.
//!
//! Owns which client is the present one. It must not know lines.

use std::time::Duration;

use mcp_progress::{Client, Connect};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::failure::Failure;

/// How long a client that was made here may take to end.
const FLUSH: Duration = Duration::from_secs(1);

/// The way to the server.
pub(crate) struct Link<'a> {
    client: Mutex<Client>,
    /// Whether the client is another one than that of the beginning.
    renewed: std::sync::atomic::AtomicBool,
    connect: &'a (dyn Fn() -> Result<Connect, Failure> + Sync),
}

impl<'a> Link<'a> {
    pub(crate) fn new(
        client: &Client,
        connect: &'a (dyn Fn() -> Result<Connect, Failure> + Sync),
    ) -> Self {
        Self {
            client: Mutex::new(client.clone()),
            renewed: false.into(),
            connect,
        }
    }

    /// The client, dead or alive.
    pub(crate) async fn client(&self) -> Client {
        self.client.lock().await.clone()
    }

    /// A client whose connection is not over. Of many that find it over at once, one makes the new one.
    pub(crate) async fn renewed(&self) -> Result<Client, Failure> {
        let mut client = self.client.lock().await;
        if client.is_closed() {
            *client = (self.connect)()?.await?;
            self.renewed
                .store(true, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(client.clone())
    }

    /// Ends what was made here; the client of the beginning is somebody else's.
    pub(crate) async fn close(&self) {
        if self.renewed.load(std::sync::atomic::Ordering::Relaxed) {
            let client = self.client().await;
            // Whatever takes longer is ended with the runtime.
            let _ = timeout(FLUSH, client.close()).await;
        }
    }
}
