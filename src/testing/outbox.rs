//! Owns the one ordered channel to the peer. Must not know what the bytes mean.

use std::io;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};

/// One entry of the channel.
#[derive(Debug)]
enum Item {
    /// Bytes for one write, and whom to tell once they are written.
    Write(Vec<u8>, Option<oneshot::Sender<()>>),
    /// The last entry: whatever is queued behind it is never written.
    End,
}

/// The end of the channel that scripts put their bytes into.
#[derive(Clone, Debug)]
pub(crate) struct Outbox {
    items: mpsc::UnboundedSender<Item>,
}

/// The end of the channel that writes.
#[derive(Debug)]
pub(crate) struct Writing {
    items: mpsc::UnboundedReceiver<Item>,
}

pub(crate) fn channel() -> (Outbox, Writing) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Outbox { items: sender }, Writing { items: receiver })
}

impl Outbox {
    /// Whether what is queued now will be written.
    pub(crate) fn is_open(&self) -> bool {
        !self.items.is_closed()
    }

    /// Queues `bytes` as one write. Once the connection is over this does nothing.
    pub(crate) fn write(&self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            // The receiver is gone only when the connection is, and then nobody misses the bytes.
            let _ = self.items.send(Item::Write(bytes, None));
        }
    }

    /// Queues `bytes` as one write and waits until they are written, so that a flood does not fill the memory.
    /// Dropping the future does not take the bytes back.
    pub(crate) async fn write_through(&self, bytes: Vec<u8>) {
        let (written, done) = oneshot::channel();
        if self.items.send(Item::Write(bytes, Some(written))).is_ok() {
            let _ = done.await;
        }
    }

    /// Queues the end of the connection.
    pub(crate) fn end(&self) {
        let _ = self.items.send(Item::End);
    }
}

impl Writing {
    /// Writes what is queued until the end of the channel, each entry in one `write_all`.
    pub(crate) async fn run(mut self, writer: impl AsyncWrite) -> io::Result<()> {
        let mut writer = Box::pin(writer);
        while let Some(Item::Write(bytes, written)) = self.items.recv().await {
            writer.write_all(&bytes).await?;
            writer.flush().await?;
            if let Some(written) = written {
                // A flood that was cancelled meanwhile no longer listens.
                let _ = written.send(());
            }
        }
        writer.shutdown().await
    }
}
