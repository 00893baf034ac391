//! What a handshake session was told that the next one must be told again.
//!
//! Owns those frames. It must not know when a session is lost.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Deserialize;

use crate::sync::Mutex;

/// What was told to a session that the next one must be told again.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<Frames>);

#[derive(Clone, Debug, Default)]
pub(super) struct Frames {
    pub(super) initialize: Option<Bytes>,
    pub(super) initialized: Option<Bytes>,
    /// The log level, and subscriptions by their resource.
    pub(super) settings: BTreeMap<String, Bytes>,
}

#[derive(Deserialize)]
struct Frame {
    #[serde(default)]
    id: i64,
    #[serde(default)]
    params: Params,
}

#[derive(Default, Deserialize)]
struct Params {
    #[serde(default)]
    uri: String,
}

impl Told {
    /// A request goes out.
    pub(super) fn request(&self, method: &str, frame: &[u8]) {
        let resource = || {
            let frame: Option<Frame> = serde_json::from_slice(frame).ok();
            format!(
                "resource {}",
                frame.map_or_else(String::new, |frame| frame.params.uri)
            )
        };
        let kept = || Bytes::copy_from_slice(frame);
        match method {
            "initialize" => self.0.lock().initialize = Some(kept()),
            "logging/setLevel" => drop(self.0.lock().settings.insert("level".to_owned(), kept())),
            "resources/subscribe" => drop(self.0.lock().settings.insert(resource(), kept())),
            "resources/unsubscribe" => drop(self.0.lock().settings.remove(&resource())),
            _ => {}
        }
    }

    /// `notifications/initialized` goes out.
    pub(super) fn initialized(&self, frame: Bytes) {
        self.0.lock().initialized = Some(frame);
    }

    pub(super) fn all(&self) -> Frames {
        self.0.lock().clone()
    }
}

/// The id of a request of ours.
pub(super) fn id_of(frame: &[u8]) -> i64 {
    serde_json::from_slice::<Frame>(frame).map_or(0, |frame| frame.id)
}
