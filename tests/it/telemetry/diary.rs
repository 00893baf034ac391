//! An observer that writes down all that it is told, and when.
//!
//! Owns the lines that the tests compare. It must not know what a test is about.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use mcp_progress::model::TaskStatus;
use mcp_progress::testing::ScriptedServer;
use mcp_progress::{CallClosed, CallObserver, CallStarted, Client, Connect, ProtocolVersion};

#[derive(Clone, Default)]
pub(super) struct Diary(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    lines: Vec<String>,
    closed: Vec<CallClosed>,
    started: Vec<CallStarted>,
}

impl Diary {
    pub(super) fn note(&self, line: impl Into<String>) {
        self.entries().lines.push(line.into());
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.entries().lines.clone()
    }

    /// How the only call ended.
    pub(super) fn closed(&self) -> CallClosed {
        let entries = self.entries();
        assert_eq!(entries.closed.len(), 1, "{:?}", entries.lines);
        entries.closed[0].clone()
    }

    pub(super) fn ends(&self) -> Vec<String> {
        let entries = self.entries();
        let ends = entries.closed.iter().map(|one| one.outcome.to_string());
        ends.collect()
    }

    pub(super) fn started(&self) -> Vec<CallStarted> {
        self.entries().started.clone()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().expect("not poisoned")
    }
}

fn ms(time: Duration) -> u128 {
    time.as_millis()
}

impl CallObserver for Diary {
    fn started(&self, call: &CallStarted) {
        let tool = call.tool.as_deref().unwrap_or("-");
        self.note(format!("started {} {tool}", call.method));
        self.entries().started.push(call.clone());
    }

    fn first_update(&self, _: &CallStarted, after: Duration) {
        self.note(format!("first after {}", ms(after)));
    }

    fn milestone(&self, _: &CallStarted, fraction: f64, after: Duration) {
        self.note(format!("{fraction} after {}", ms(after)));
    }

    fn leg(&self, _: &CallStarted, leg: u32) {
        self.note(format!("leg {leg}"));
    }

    fn status(&self, _: &CallStarted, status: TaskStatus) {
        self.note(format!("status {status}"));
    }

    fn closed(&self, _: &CallStarted, closed: &CallClosed) {
        self.note(format!("closed: {}", closed.outcome));
        self.entries().closed.push(closed.clone());
    }
}

/// A client of this server whose calls are written down.
pub(super) async fn observed(server: ScriptedServer) -> (Client, Diary) {
    observed_with(server, |connect| {
        connect.protocol(ProtocolVersion::V2025_11_25)
    })
    .await
}

pub(super) async fn observed_with(
    server: ScriptedServer,
    options: impl FnOnce(Connect) -> Connect,
) -> (Client, Diary) {
    let diary = Diary::default();
    let connect = options(Client::connect(server)).observer(diary.clone());
    (connect.await.expect("connects"), diary)
}
