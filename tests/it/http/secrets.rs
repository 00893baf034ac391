//! No secret is shown: not in `Debug`, not in errors, not in what is logged.

use std::fmt::Write;
use std::sync::{Arc, Mutex};

use mcp_progress::transport::HttpEndpoint;
use mcp_progress::{Client, ProtocolVersion};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::calls::{count, within};
use super::reply::Reply;
use super::server::Server;

/// Every secret of these tests.
const SECRETS: [&str; 7] = [
    "t0ken-secret",
    "header-secret",
    "provided-secret",
    "user-secret",
    "pass-secret",
    "query-secret",
    "session-secret",
];

/// Writes down all that is logged, at every level.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<String>>);

impl Notes {
    fn text(&self) -> String {
        self.0.lock().expect("not poisoned").clone()
    }

    fn note(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut dyn Visit)) {
        let mut line = Line(format!("\n{} {}:", metadata.target(), metadata.name()));
        record(&mut line);
        self.0.lock().expect("not poisoned").push_str(&line.0);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Subscriber for Notes {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.note(span.metadata(), |line| span.record(line));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.note(event.metadata(), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn endpoint(server: &Server) -> HttpEndpoint {
    let url = server
        .url()
        .replace("http://", "http://user-secret:pass-secret@");
    HttpEndpoint::new(url + "?key=query-secret")
        .no_proxy()
        .header("x-key", "header-secret")
        .bearer("t0ken-secret")
        .header_provider(|_| async {
            Ok(vec![(
                "x-provided".to_owned(),
                "provided-secret".to_owned(),
            )])
        })
}

#[track_caller]
fn assert_hidden(shown: &str) {
    for secret in SECRETS {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[tokio::test]
async fn nothing_that_is_shown_holds_a_secret() {
    let server = Server::handshake(|got| match got.kind() {
        "initialize" => {
            let hello = crate::peer::initialized("2025-11-25");
            let hello = super::server::result(got, &hello);
            Some(Reply::json(&hello).header("Mcp-Session-Id", "session-secret"))
        }
        "tools/call" => Some(match got.nth {
            0 => Reply::none(),
            1 => Reply::status(401),
            2 => Reply::status(404),
            3 => Reply::status(302).header("Location", "/elsewhere?key=query-secret"),
            4 => Reply::status(307).header("Location", "http://127.0.0.2:1/?key=query-secret"),
            5 => Reply::with(500, "text/plain", "out of order"),
            6 => Reply::sse().cut(),
            _ => Reply::status(202),
        }),
        "notifications/initialized" => Some(Reply::status(500)),
        _ => None,
    })
    .await;
    let notes = Notes::default();
    let guard = tracing::subscriber::set_default(notes.clone());
    let endpoint = endpoint(&server);
    assert_hidden(&format!("{endpoint:?} {endpoint:#?}"));
    let connecting = Client::connect(endpoint).protocol(ProtocolVersion::V2025_11_25);
    assert_hidden(&format!("{connecting:?}"));
    let client = within(connecting.into_future()).await.expect("connects");
    assert_hidden(&format!("{client:?}"));
    for _ in 0..9 {
        let call = client.call_tool("count", json!({}));
        assert_hidden(&format!("{call:?}"));
        let error = within(call.into_future())
            .await
            .expect_err("refused in some way");
        let mut shown = format!("{error} {error:?} {error:#?}");
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            shown.push_str(&format!(" {error} {error:?}"));
            source = error.source();
        }
        assert_hidden(&shown);
    }
    let _ = count(&client).await;
    within(client.close()).await;
    drop(guard);
    let text = notes.text();
    // It was written down: the refused notification is logged.
    assert!(text.contains("did not take a message"), "{text}");
    assert_hidden(&text);
    // And the secrets were in force.
    let got = server.seen().all("tools/call");
    let sent = format!("{:?}", got[0]);
    for secret in [
        "header-secret",
        "t0ken-secret",
        "provided-secret",
        "query-secret",
        "session-secret",
    ] {
        assert!(sent.contains(secret), "{secret} in {sent}");
    }
}

/// Nobody is there: the error names no URL.
#[tokio::test]
async fn an_error_of_the_connection_holds_no_secret() {
    let url = "http://user-secret:pass-secret@127.0.0.1:1/mcp?key=query-secret";
    let endpoint = HttpEndpoint::new(url).no_proxy().bearer("t0ken-secret");
    let error = within(Client::connect(endpoint).into_future())
        .await
        .expect_err("nobody");
    let mut shown = format!("{error} {error:?}");
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        shown.push_str(&format!(" {error} {error:?}"));
        source = error.source();
    }
    assert_hidden(&shown);
}
