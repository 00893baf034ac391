//! What else is on the screen: logs, other bars, another width, questions.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use indicatif::{
    InMemoryTerm, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike,
};
use mcp_progress::ui::Mark;
use mcp_progress::ui::indicatif::{Bars, BarsStyle};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use super::scene::{Scene, some_moment};

#[tokio::test(start_paused = true)]
async fn lines_stand_above_the_bars() {
    let mut scene = Scene::new(10, 60).await;
    let bar = scene.bars.add("count");
    scene.step(&bar, 1.0, 1.0, 2.0, "");
    scene.bars.println("one\ntwo");
    scene.bars.println("");
    scene.bars.println(&format!("{}wraps", "long ".repeat(12)));
    scene.shows(&[
        "one",
        "two",
        "",
        "long long long long long long long long long long long long",
        "wraps",
        "count [========>       ]  50%  1/2",
    ]);
    bar.settle(Mark::Done);
    scene.bars.println("after");
    scene.shows(&[
        "one",
        "two",
        "",
        "long long long long long long long long long long long long",
        "wraps",
        "count done 50%  1.0s",
        "after",
    ]);
}

#[tokio::test(start_paused = true)]
async fn logs_are_whole_lines_above_the_bars() {
    let mut scene = Scene::new(10, 60).await;
    let bar = scene.bars.add("count");
    scene.step(&bar, 1.0, 1.0, 2.0, "");
    let mut writer = scene.bars.log_writer();
    write!(writer, "half a ").expect("never fails");
    writer.flush().expect("never fails");
    scene.at(1.0);
    scene.shows(&["count [========>       ]  50%  1/2"]);
    writeln!(writer, "line").expect("never fails");
    write!(writer, "two\nthree\nand the re").expect("never fails");
    write!(writer, "st").expect("never fails");
    drop(writer);
    scene.shows(&[
        "half a line",
        "two",
        "three",
        "and the rest",
        "count [========>       ]  50%  1/2",
    ]);
}

/// Writes each event as a line, as the formatting layers do.
struct Lines<F>(F);

impl<S, F, W> Layer<S> for Lines<F>
where
    S: tracing::Subscriber,
    F: Fn() -> W + 'static,
    W: io::Write,
{
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let level = event.metadata().level();
        writeln!((self.0)(), "{level} {}", event.metadata().target()).expect("never fails");
    }
}

#[tokio::test(start_paused = true)]
async fn events_are_logged_among_bars_and_also_while_they_are_gone() {
    let mut scene = Scene::new(10, 60).await;
    let bar = scene.bars.add("count");
    scene.step(&bar, 1.0, 1.0, 2.0, "");
    let writer = scene.bars.log_writer();
    let logs = tracing_subscriber::registry().with(Lines(move || writer.clone()));
    let term = scene.term.clone();
    tracing::subscriber::with_default(logs, || {
        tracing::info!(target: "first", "said");
        scene.bars.suspend(|| {
            // It waits, instead of waiting for itself.
            tracing::warn!(target: "second", "said");
            bar.update(&scene.update(2.0, 2.0, ""));
            term.write_line("by hand\r").expect("never fails");
            term.flush().expect("never fails");
            scene.shows(&["INFO first", "by hand"]);
        });
    });
    scene.shows(&[
        "INFO first",
        "by hand",
        "WARN second",
        "count [================] 100%  2/2",
    ]);
}

#[tokio::test(start_paused = true)]
async fn a_question_has_the_screen_for_itself() {
    let mut scene = Scene::new(10, 60).await;
    let bar = scene.bars.add("count");
    let other = scene.bars.add("other");
    scene.step(&bar, 1.0, 1.0, 2.0, "");
    let hold = scene.bars.hold();
    let inner = scene.bars.hold();
    scene.bars.println("later");
    other.settle(Mark::Done);
    drop(inner);
    scene.step(&bar, 2.0, 2.0, 2.0, "");
    scene.shows(&[""]);
    for line in 0..1_000 {
        scene.bars.println(&format!("line {line}"));
    }
    drop(hold);
    scene.shows(&[
        "line 991",
        "line 992",
        "line 993",
        "line 994",
        "line 995",
        "line 996",
        "line 997",
        "line 998",
        "line 999",
        "count [================] 100%  2/2",
    ]);
}

#[tokio::test(start_paused = true)]
async fn a_bar_that_is_cleared_leaves_nothing() {
    let mut scene = Scene::new(10, 60).await;
    let bar = scene.bars.add("count");
    let other = scene.bars.add("other");
    scene.step(&bar, 1.0, 1.0, 2.0, "");
    bar.clear();
    scene.shows(&["other /    1s"]);
    other.clear();
    scene.shows(&[""]);
}

/// A terminal whose width changes. In memory it keeps the first width, so only smaller ones can be told.
#[derive(Clone, Debug)]
struct Window(InMemoryTerm, Arc<AtomicU16>);

impl TermLike for Window {
    fn width(&self) -> u16 {
        self.1.load(Ordering::Relaxed)
    }
    fn height(&self) -> u16 {
        self.0.height()
    }
    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }
    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }
    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }
    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }
    fn write_line(&self, s: &str) -> io::Result<()> {
        self.0.write_line(s)
    }
    fn write_str(&self, s: &str) -> io::Result<()> {
        self.0.write_str(s)
    }
    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }
    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}

#[tokio::test(start_paused = true)]
async fn another_width_is_another_layout() {
    let term = InMemoryTerm::new(10, 100);
    let width = Arc::new(AtomicU16::new(100));
    let bars = Bars::on(Window(term.clone(), width.clone()));
    let mut scene = Scene::of(term, bars).await;
    let bar = scene.bars.add("count");
    scene.step(&bar, 1.0, 1.0, 5.0, "one of a few steps");
    scene.step(&bar, 2.0, 2.0, 5.0, "two of a few steps");
    scene.shows(&["count [=========>              ]  40%  2/5  two of a few steps                    1.0/s  3s left"]);
    let widths = [
        (60, "count [======>         ]  40%  2/5  two of a few steps"),
        (40, "count [===>    ]  40%  two of a fe.."),
        (1, "."),
        (
            80,
            "count [=========>              ]  40%  two of a few steps     1.0/s  3s left",
        ),
    ];
    for (columns, line) in widths {
        width.store(columns, Ordering::Relaxed);
        scene.at(2.0);
        scene.shows(&[line]);
    }
    width.store(50, Ordering::Relaxed);
    bar.settle(Mark::Done);
    scene.shows(&["count done 40%  2.0s  two of a few steps"]);
}

/// A terminal that is gone.
#[derive(Debug)]
struct Gone;

impl TermLike for Gone {
    fn width(&self) -> u16 {
        0
    }
    fn height(&self) -> u16 {
        0
    }
    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn write_line(&self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn write_str(&self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn clear_line(&self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

#[test]
fn a_terminal_that_is_gone_breaks_nothing() {
    let now = some_moment();
    let bars = Bars::on(Gone).by_hand(now);
    let bar = bars.add("count");
    bars.paint(now);
    bars.println("line");
    assert_eq!(bars.suspend(|| 7), 7);
    bar.settle(Mark::Done);
}

#[tokio::test(start_paused = true)]
async fn bars_among_those_of_the_program() {
    let term = InMemoryTerm::new(10, 40);
    let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
    let multi = MultiProgress::with_draw_target(target);
    let style = ProgressStyle::with_template("mine {pos}").expect("never fails");
    let mine = multi.add(ProgressBar::new(10).with_style(style));
    mine.inc(3);
    mine.tick();
    let mut scene = Scene::of(term, Bars::from(&multi)).await;
    let bar = scene.bars.add("count");
    scene.step(&bar, 1.0, 1.0, 2.0, "step 1 with a long message");
    scene.shows(&["mine 3", "count [============>           ]  50%  1"]);
    mine.inc(1);
    mine.tick();
    scene.bars.suspend(|| scene.shows(&[""]));
    bar.settle(Mark::Done);
    scene.shows(&[
        "count done         1.0s   50%  1/2  step",
        " 1 with a long message",
        "mine 4",
    ]);
    let hidden = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
    assert_eq!(Bars::from(&hidden).style(), BarsStyle::Hidden);
}

/// A question inside of another: the `MultiProgress` holds a lock while it is off the screen, for which nobody may wait twice.
#[test]
fn who_has_the_screen_may_ask_for_it_again() {
    let term = InMemoryTerm::new(10, 40);
    let target = ProgressDrawTarget::term_like(Box::new(term));
    let bars = Bars::from(&MultiProgress::with_draw_target(target));
    let (say, said) = mpsc::channel();
    thread::spawn(move || {
        let answer = bars.suspend(|| bars.suspend(|| 3) + bars.suspend(|| 4));
        // And afterwards it is off the screen once more.
        say.send(bars.suspend(|| answer))
    });
    assert_eq!(said.recv_timeout(Duration::from_secs(20)), Ok(7));
}
