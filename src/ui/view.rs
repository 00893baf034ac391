//! What a call looks like at a moment.
//!
//! Owns the picture that updates make of a call: how far, how fast, how long still, how silent, how it ended. Time is an
//! argument. It must not know where the picture is shown.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::figure::{Figure, percent};
use super::mark::Mark;
use super::printable::{is_printable, printable_line};
use crate::model::progress::{Progress, UpdateKind};
use crate::model::status::TaskStatus;
use crate::progress::combine::estimate::Measuring;

/// Silence that is told of, unless [`CallView::stalled_after`] says otherwise.
const STALLED_AFTER: Duration = Duration::from_secs(10);

/// What a call looks like at a moment: what a bar, a table row or a web page shows of it.
///
/// It is fed with the updates of a call and, at last, with its end. It has no clock: whoever holds it says what time it is,
/// so the same picture can be drawn again a second later with the times moved on.
///
/// ```
/// use std::time::{Duration, Instant};
/// use mcp_progress::ui::{CallView, Mark};
///
/// # #[cfg(feature = "testing")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> mcp_progress::Result<()> {
/// # use mcp_progress::{Client, testing::ScriptedServer};
/// # use serde_json::json;
/// # let client = Client::connect(ScriptedServer::demo()).await?;
/// let mut view = CallView::new("count", Instant::now());
/// let mut call = client.call_tool("count", json!({"steps": 2, "delay_ms": 1})).start();
/// while let Some(update) = call.next().await {
///     view.update(&update, Instant::now());
/// }
/// view.settle(Mark::of_result(&call.await), Instant::now());
///
/// assert_eq!(view.figures().as_deref(), Some("2/2"));
/// assert_eq!(view.percentage().as_deref(), Some("100%"));
/// assert_eq!(view.mark(), Some(Mark::Done));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "testing"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug)]
pub struct CallView {
    name: String,
    stalled_after: Duration,
    began: Instant,
    /// When there was a sign of life last.
    heard: Instant,
    last: Option<Progress>,
    /// Whether there has been an update of kind progress: a status before that has no figures of its own.
    counted: bool,
    message: Option<Message>,
    measuring: Measuring,
    /// When the estimate was made.
    estimated: Instant,
    settled: Option<(Mark, Instant)>,
}

/// The words of an update, and what may be shown of them.
#[derive(Clone, Debug)]
struct Message {
    raw: Arc<str>,
    /// None where the raw text can be shown as it is.
    cleaned: Option<String>,
}

impl Message {
    fn new(raw: Arc<str>) -> Self {
        // Most messages have nothing to be cleaned of, and there may be thousands of them in a second.
        let cleaned = (!is_printable(&raw)).then(|| printable_line(&raw));
        Self { raw, cleaned }
    }

    fn text(&self) -> &str {
        self.cleaned.as_deref().unwrap_or(&self.raw)
    }
}

impl CallView {
    /// A call that has just begun. `name` is what people know it by; control characters in it are taken out.
    #[must_use]
    pub fn new(name: impl Into<String>, now: Instant) -> Self {
        Self {
            name: printable_line(&name.into()),
            stalled_after: STALLED_AFTER,
            began: now,
            heard: now,
            last: None,
            counted: false,
            message: None,
            measuring: Measuring::default(),
            estimated: now,
            settled: None,
        }
    }

    /// How long nothing may come before the call counts as stalled. Default 10 seconds; zero for never.
    #[must_use]
    pub const fn stalled_after(mut self, limit: Duration) -> Self {
        self.stalled_after = limit;
        self
    }

    /// Takes an update in. One that comes after the end changes nothing.
    pub fn update(&mut self, update: &Progress, now: Instant) {
        if self.settled.is_some() {
            return;
        }
        self.heard = now;
        self.measuring.observe(update, now);
        if update.kind == UpdateKind::Progress {
            self.counted = true;
            self.estimated = now;
        }
        if let Some(message) = &update.message
            && self
                .message
                .as_ref()
                .is_none_or(|known| known.raw != *message)
        {
            self.message = Some(Message::new(message.clone()));
        }
        self.last = Some(update.clone());
    }

    /// Says how the call ended. The first end stays.
    pub fn settle(&mut self, mark: Mark, now: Instant) {
        self.settled.get_or_insert((mark, now));
    }

    /// The name that it was given, on one line.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the server said last, on one line and without control characters. It stays until the server says something
    /// else: an update without a message does not take it back.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message
            .as_ref()
            .map(Message::text)
            .filter(|text| !text.is_empty())
    }

    /// The done part of the whole, from 0 to 1; none where there is no honest one ([`Progress::fraction`]).
    #[must_use]
    pub fn fraction(&self) -> Option<f64> {
        self.last.as_ref()?.fraction()
    }

    /// The done part as people read it: `40%`. It is cut and not rounded, so that nothing is at 100 % before it is done.
    #[must_use]
    pub fn percentage(&self) -> Option<String> {
        self.last.as_ref().and_then(percentage)
    }

    /// What is done of how much, as the server counts: `2/5`, or `2` where it does not say of how much. None before the first
    /// update that counts.
    #[must_use]
    pub fn figures(&self) -> Option<String> {
        self.counted
            .then_some(self.last.as_ref())
            .flatten()
            .map(figures)
    }

    /// How much `progress` grows in a second, on a fading average; none until two updates have come that lie apart in time.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.measuring.rate()
    }

    /// How long the rest will take if it goes on like this. It counts down between updates, and stands at zero where it has
    /// run out and the work is not done. None where nobody can say, and once the call is over.
    #[must_use]
    pub fn remaining(&self, now: Instant) -> Option<Duration> {
        if self.settled.is_some() {
            return None;
        }
        let since = now.saturating_duration_since(self.estimated);
        Some(self.measuring.remaining()?.saturating_sub(since))
    }

    /// Time from the beginning until now, or until the end where it has ended.
    #[must_use]
    pub fn elapsed(&self, now: Instant) -> Duration {
        self.until(now).saturating_duration_since(self.began)
    }

    /// Time since the last update, or since the beginning where none has come; at the end it stands still.
    #[must_use]
    pub fn silence(&self, now: Instant) -> Duration {
        self.until(now).saturating_duration_since(self.heard)
    }

    /// Whether nothing has come for so long that people should be told. Never once the call is over.
    #[must_use]
    pub fn is_stalled(&self, now: Instant) -> bool {
        let limit = self.stalled_after;
        self.settled.is_none() && !limit.is_zero() && self.silence(now) >= limit
    }

    /// How the call ended, once it has.
    #[must_use]
    pub fn mark(&self) -> Option<Mark> {
        self.settled.map(|(mark, _)| mark)
    }

    /// The newest update, as it came.
    #[must_use]
    pub const fn last(&self) -> Option<&Progress> {
        self.last.as_ref()
    }

    /// What the task is doing that the call has become, where that is the newest that is known.
    #[must_use]
    pub fn status(&self) -> Option<TaskStatus> {
        match self.last.as_ref()?.kind {
            UpdateKind::Status(status) => Some(status),
            UpdateKind::Progress => None,
        }
    }

    fn until(&self, now: Instant) -> Instant {
        self.settled.map_or(now, |(_, end)| end)
    }
}

fn percentage(update: &Progress) -> Option<String> {
    let exact = update.percent()?;
    Some(format!("{:.0}%", percent(exact).floor()))
}

fn figures(update: &Progress) -> String {
    let done = Figure::new(update.progress);
    update.total.map_or_else(
        || done.to_string(),
        |total| format!("{done}/{}", Figure::new(total)),
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::mark::Mark;
    use super::CallView;
    use crate::model::progress::Progress;
    use crate::model::status::TaskStatus;
    use crate::progress::combine::sample::{in_leg, of, progress, start, status};

    const SECOND: Duration = Duration::from_secs(1);

    fn saying(message: &str, update: Progress) -> Progress {
        Progress {
            message: Some(message.into()),
            ..update
        }
    }

    /// A view, and the moment in which it began.
    fn begun() -> (CallView, Instant) {
        let began = start();
        (CallView::new("count", began), began)
    }

    #[test]
    fn nothing_is_known_before_the_first_update() {
        let (view, began) = begun();
        assert_eq!(
            (view.name(), view.message(), view.fraction(), view.mark()),
            ("count", None, None, None)
        );
        assert_eq!((view.figures(), view.percentage()), (None, None));
        assert_eq!((view.rate(), view.remaining(began)), (None, None));
        assert!(view.last().is_none() && view.status().is_none());
        assert_eq!(view.elapsed(began + SECOND), SECOND);
    }

    #[test]
    fn figures_and_percentages_are_cut() {
        let (mut view, now) = begun();
        view.update(&of(2.0, 5.0), now);
        assert_eq!(view.figures().as_deref(), Some("2/5"));
        assert_eq!(view.percentage().as_deref(), Some("40%"));
        view.update(&of(999.9, 1000.0), now);
        assert_eq!(view.percentage().as_deref(), Some("99%"));
        view.update(&of(0.29, 1.0), now);
        assert_eq!(view.percentage().as_deref(), Some("29%"));
        view.update(&progress(7.0), now);
        assert_eq!(
            (
                view.figures().as_deref(),
                view.percentage(),
                view.fraction()
            ),
            (Some("7"), None, None)
        );
        // What is more than all of it is shown, but not as a share.
        view.update(&of(7.0, 5.0), now);
        assert_eq!(
            (view.figures().as_deref(), view.percentage()),
            (Some("7/5"), None)
        );
    }

    #[test]
    fn a_message_stays_until_there_is_another() {
        let (mut view, now) = begun();
        view.update(&saying("loading", progress(1.0)), now);
        view.update(&progress(2.0), now);
        assert_eq!(view.message(), Some("loading"));
        view.update(&saying("saving", progress(2.0)), now);
        assert_eq!(view.message(), Some("saving"));
        view.update(&saying("", progress(3.0)), now);
        assert_eq!(view.message(), None);
    }

    #[test]
    fn nothing_of_a_server_steers_a_terminal() {
        let now = start();
        let mut view = CallView::new("a\u{1b}[2Jb\nc", now);
        view.update(
            &saying("\u{1b}]0;x\u{7}one\ttwo\r\nthree", progress(1.0)),
            now,
        );
        assert_eq!(
            (view.name(), view.message()),
            ("ab c", Some("one two three"))
        );
    }

    #[test]
    fn the_rest_counts_down_between_updates() {
        let (mut view, now) = begun();
        view.update(&of(1.0, 5.0), now);
        view.update(&of(2.0, 5.0), now + SECOND);
        assert_eq!(view.rate(), Some(1.0));
        let remaining = |view: &CallView, at: u32| view.remaining(now + SECOND * at);
        assert_eq!(remaining(&view, 1), Some(SECOND * 3));
        assert_eq!(remaining(&view, 3), Some(SECOND));
        assert_eq!(remaining(&view, 9), Some(Duration::ZERO));
        // A status of the task says nothing new of it, and does not set it back.
        view.update(&status(TaskStatus::Working, 2.0), now + SECOND * 2);
        assert_eq!(remaining(&view, 3), Some(SECOND));
        view.settle(Mark::Done, now + SECOND * 3);
        assert_eq!(remaining(&view, 3), None);
    }

    #[test]
    fn silence_becomes_a_stall_and_ends_with_an_update() {
        let (view, now) = begun();
        let mut view = view.stalled_after(SECOND * 3);
        assert!(!view.is_stalled(now + SECOND * 2));
        assert!(view.is_stalled(now + SECOND * 3));
        view.update(&progress(1.0), now + SECOND * 4);
        assert_eq!(view.silence(now + SECOND * 6), SECOND * 2);
        assert!(!view.is_stalled(now + SECOND * 6));
        assert!(view.is_stalled(now + SECOND * 7));
        view.settle(Mark::TimedOut, now + SECOND * 7);
        assert!(!view.is_stalled(now + SECOND * 9));
        assert_eq!(view.silence(now + SECOND * 9), SECOND * 3);
    }

    #[test]
    fn silence_is_ten_seconds_unless_it_is_never() {
        let (view, now) = begun();
        assert!(!view.is_stalled(now + Duration::from_millis(9_999)));
        assert!(view.is_stalled(now + SECOND * 10));
        assert!(
            !view
                .stalled_after(Duration::ZERO)
                .is_stalled(now + SECOND * 1_000)
        );
    }

    #[test]
    fn the_first_end_stays_and_ends_everything() {
        let (mut view, now) = begun();
        view.update(&of(1.0, 2.0), now + SECOND);
        view.settle(Mark::Failed, now + SECOND * 2);
        view.settle(Mark::Cancelled, now + SECOND * 3);
        view.update(&of(2.0, 2.0), now + SECOND * 4);
        assert_eq!(view.mark(), Some(Mark::Failed));
        assert_eq!(view.figures().as_deref(), Some("1/2"));
        assert_eq!(view.elapsed(now + SECOND * 9), SECOND * 2);
    }

    #[test]
    fn a_task_shows_its_status_and_keeps_its_figures() {
        let (mut view, now) = begun();
        view.update(&saying("queued", status(TaskStatus::Working, 0.0)), now);
        assert_eq!((view.figures(), view.message()), (None, Some("queued")));
        assert_eq!(view.status(), Some(TaskStatus::Working));
        view.update(&of(2.0, 5.0), now);
        assert_eq!(view.status(), None);
        let asked = Progress {
            total: Some(5.0),
            ..status(TaskStatus::InputRequired, 2.0)
        };
        view.update(&asked, now);
        assert_eq!(
            (view.figures().as_deref(), view.fraction()),
            (Some("2/5"), Some(0.4))
        );
        assert_eq!(view.status(), Some(TaskStatus::InputRequired));
        // Another request of the call begins anew, and so does what is shown.
        view.update(&in_leg(2, of(0.0, 5.0)), now);
        assert_eq!(view.percentage().as_deref(), Some("0%"));
    }
}
