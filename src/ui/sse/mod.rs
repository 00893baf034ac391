//! Updates as Server-Sent Events, for any web framework: a browser reads them with `EventSource`.
//!
//! Owns the way from a stream of updates to the text of a response. It must not know who serves it, nor how updates get
//! here.
//!
//! On the server, here with axum; in others the two middle lines are the same:
//!
//! ```
//! # struct Body;
//! # impl Body { fn from_stream(stream: impl futures::Stream<Item = Result<String, std::convert::Infallible>> + Send + 'static) -> Self { drop(stream); Body } }
//! use mcp_progress::ui::sse::{self, SseExt as _};
//! use mcp_progress::{Client, ProgressToken};
//! use std::time::Duration;
//!
//! async fn progress(client: Client, token: ProgressToken) -> ([(&'static str, &'static str); 3], Body) {
//!     let updates = client.progress().subscribe(&token);
//!     let events = sse::events(updates).keep_alive(Duration::from_secs(15));
//!     (sse::HEADERS, Body::from_stream(events.into_text()))
//! }
//! # let _ = progress;
//! ```
//!
//! In the browser. An `EventSource` connects again whenever a response ends, also after the last word, so the page closes
//! it then:
//!
//! ```js
//! const events = new EventSource("/progress");
//! events.addEventListener("progress", ({ data }) => {
//!   const { progress, total, message, remaining_ms } = JSON.parse(data);
//!   bar.value = progress;
//!   bar.max = total;
//!   label.textContent = message; // never innerHTML: it is the server's text
//! });
//! events.addEventListener("end", ({ data }) => {
//!   events.close();
//!   label.textContent = JSON.parse(data).reason;
//! });
//! ```
//!
//! # Connecting again
//!
//! A browser whose connection broke waits as long as the first event of the response said (`retry`), and asks again. Nothing has to be
//! looked up then: who subscribes to a call under way is given the last value first. Where there is no such call any more, answer
//! with status 204, which makes a browser stop asking. The id of an event is the update's [`seq`](crate::Progress::seq); in a page,
//! `event.lastEventId`.
//!
//! # What stands between
//!
//! [`HEADERS`] keep caches from storing the response, and nginx from collecting it. Proxies cut connections that are silent, most after
//! 30 to 100 seconds: [`keep_alive`](SseExt::keep_alive). Over HTTP/1.1 a browser opens six connections to a server, and each
//! `EventSource` holds one, so a page that shows many calls has one stream for all of them: every event names its token.
//! Compression must be off for the response, or events wait in the compressor.

mod event;
mod events;
mod extension;
mod keep_alive;
mod text;

pub use event::SseEvent;
pub use events::{SseEvents, events, events_of};
pub use extension::SseExt;
pub use keep_alive::KeepAlive;
pub use text::SseText;

/// The media type of such a response.
pub const CONTENT_TYPE: &str = "text/event-stream";

/// The headers of such a response: its type; that nothing may store it; and that nginx hands events on as they come.
pub const HEADERS: [(&str, &str); 3] = [
    ("content-type", CONTENT_TYPE),
    ("cache-control", "no-store"),
    ("x-accel-buffering", "no"),
];
