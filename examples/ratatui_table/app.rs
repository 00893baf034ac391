//! The rows: what each call looks like, and the button that cancels it.

use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use mcp_progress::ui::{CallView, Mark};
use mcp_progress::{Canceller, Client};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The calls to their ends; whoever polls them runs them, and dropping them cancels what is left.
pub(crate) type Calls = FuturesUnordered<LocalBoxFuture<'static, ()>>;

pub(crate) struct Row {
    pub(crate) view: RefCell<CallView>,
    button: Canceller,
}

/// All in one task: cells are enough.
pub(crate) struct App {
    pub(crate) rows: Vec<Rc<Row>>,
    pub(crate) selected: Cell<usize>,
}

fn calls() -> [(&'static str, &'static str, Value); 8] {
    [
        ("build", "count", json!({"steps": 12, "delay_ms": 250})),
        ("download", "download", json!({"mib": 20, "delay_ms": 80})),
        ("index", "index", json!({"files": 30, "delay_ms": 120})),
        ("deploy", "fail", json!({"after": 5, "delay_ms": 300})),
        ("migrate", "hang", json!({})),
        ("typo", "cuont", json!({})),
        ("burst", "burst", json!({"n": 5000})),
        ("report", "job", json!({"steps": 8, "delay_ms": 400})),
    ]
}

impl App {
    pub(crate) fn start(client: &Client, now: Instant) -> (Self, Calls) {
        let running = Calls::new();
        let rows = calls().into_iter().map(|(name, tool, arguments)| {
            let mut call = client.call_tool(tool, arguments).start();
            let view = CallView::new(name, now).stalled_after(Duration::from_secs(1));
            let row = Rc::new(Row {
                view: RefCell::new(view),
                button: call.canceller(),
            });
            let shown = row.clone();
            running.push(Box::pin(async move {
                while let Some(update) = call.next().await {
                    shown.view.borrow_mut().update(&update, Instant::now());
                }
                let mark = Mark::of_result(&call.await);
                shown.view.borrow_mut().settle(mark, Instant::now());
            }) as LocalBoxFuture<'static, ()>);
            row
        });
        let app = Self {
            rows: rows.collect(),
            selected: Cell::new(0),
        };
        (app, running)
    }

    pub(crate) fn select(&self, by: isize) {
        let to = self.selected.get().saturating_add_signed(by);
        self.selected.set(to.min(self.rows.len() - 1));
    }

    pub(crate) fn cancel_selected(&self) {
        // False where the call is over: then there is nothing to cancel.
        self.rows[self.selected.get()]
            .button
            .cancel("the user chose to");
    }
}
