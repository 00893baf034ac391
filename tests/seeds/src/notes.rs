//! Owns what a server notes: lines of JSON in a file. Must not know what they mean.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;

/// Longer than any server here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// The notes of one server.
#[derive(Clone, Debug)]
pub struct Notes(PathBuf);

impl Notes {
    pub(crate) fn new(directory: &Path, name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        fs::create_dir_all(directory).expect("writable");
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let file = format!("{name}-{}-{number}.jsonl", std::process::id());
        let path = directory.join(file);
        fs::write(&path, "").expect("writable");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A file for what else the server says.
    pub(crate) fn beside(&self, extension: &str) -> File {
        File::create(self.0.with_extension(extension)).expect("writable")
    }

    /// All whole lines so far.
    #[must_use]
    pub fn all(&self) -> Vec<Value> {
        let text = fs::read_to_string(&self.0).expect("readable");
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let lines = whole.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().expect("lines of JSON")
    }

    /// Those of this event.
    #[must_use]
    pub fn of(&self, event: &str) -> Vec<Value> {
        let mut all = self.all();
        all.retain(|note| note["event"] == event);
        all
    }

    /// Waits until there are so many of this event, and gives them.
    ///
    /// # Panics
    ///
    /// If they do not come.
    pub async fn wait_for(&self, event: &str, count: usize) -> Vec<Value> {
        let looks = PATIENCE.as_millis() / LOOK.as_millis();
        for _ in 0..looks {
            let found = self.of(event);
            if found.len() >= count {
                return found;
            }
            tokio::time::sleep(LOOK).await;
        }
        panic!(
            "the server never noted {event:?} {count} times: {:?}",
            self.all()
        );
    }
}
