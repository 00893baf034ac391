//! Plain lines, where there is no terminal.

use std::time::Duration;

use mcp_progress::model::TaskStatus;
use mcp_progress::ui::Mark;
use mcp_progress::ui::indicatif::{Bars, BarsStyle};
use mcp_progress::{ProgressGroup, UpdateKind};

use indicatif::InMemoryTerm;

use super::scene::{Paper, Scene};

async fn scene() -> (Paper, Scene) {
    let paper = Paper::default();
    let bars = Bars::plain(paper.clone());
    assert_eq!(bars.style(), BarsStyle::Plain);
    (paper, Scene::of(InMemoryTerm::new(1, 1), bars).await)
}

#[tokio::test(start_paused = true)]
async fn the_first_one_a_second_and_the_end() {
    let (paper, mut scene) = scene().await;
    let bar = scene.bars.add("count");
    let started = scene.bars.add("quiet");
    scene.at(0.0);
    paper.shows(&[]);
    for tenth in 1..=25 {
        let seconds = f64::from(tenth) / 10.0;
        scene.step(&bar, seconds, f64::from(tenth), 30.0, "counting");
    }
    bar.settle(Mark::Done);
    drop(started);
    paper.shows(&[
        "count    0.1s    3%  1/30  counting",
        "count    1.1s   33%  10/30  counting",
        "count    2.1s   66%  20/30  counting",
        "count done         2.5s   83%  25/30  counting",
        "quiet cancelled    2.5s",
    ]);
}

#[tokio::test(start_paused = true)]
async fn what_was_held_back_is_told_when_its_second_is_over() {
    let (paper, mut scene) = scene().await;
    let bar = scene.bars.add("count");
    scene.step(&bar, 1.0, 1.0, None, "all");
    scene.step(&bar, 1.5, 2.0, None, "all");
    scene.at(1.9);
    paper.shows(&["count    1.0s     -  1  all"]);
    scene.at(2.0);
    // Nothing new, no line.
    scene.at(5.0);
    paper.shows(&["count    1.0s     -  1  all", "count    2.0s     -  2  all"]);
}

/// Also where the value stays; but not a counter in words for ever.
#[tokio::test(start_paused = true)]
async fn each_new_message_is_a_line_as_long_as_they_are_no_flood() {
    let (paper, mut scene) = scene().await;
    let bar = scene.bars.add("deploy");
    for (tenth, words) in [(1, "powering on"), (2, "powering on"), (3, "testing")] {
        scene.step(&bar, f64::from(tenth) / 10.0, 25.0, 100.0, words);
    }
    let few = [
        "deploy    0.1s   25%  25/100  powering on",
        "deploy    0.3s   25%  25/100  testing",
    ];
    paper.shows(&few);
    for tenth in 4..=99 {
        scene.step(
            &bar,
            f64::from(tenth) / 10.0,
            25.0,
            100.0,
            &format!("machine {tenth}"),
        );
    }
    bar.settle(Mark::Done);
    // Twenty at once, one for each second, and the end.
    assert_eq!(paper.text().lines().count(), 20 + 10 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_told_once() {
    let (paper, mut scene) = scene().await;
    let bar = scene
        .bars
        .clone()
        .stalled_after(Duration::from_secs(3))
        .add("deploy");
    scene.step(&bar, 1.0, 1.0, 4.0, "uploading");
    for second in 2..10 {
        scene.at(f64::from(second));
    }
    scene.step(&bar, 10.0, 2.0, 4.0, "");
    scene.at(14.0);
    bar.settle(Mark::TimedOut);
    paper.shows(&[
        "deploy    1.0s   25%  1/4  uploading",
        "deploy    4.0s   25%  1/4  no update for 3s  uploading",
        "deploy   10.0s   50%  2/4  uploading",
        "deploy   14.0s   50%  2/4  no update for 4s  uploading",
        "deploy timed out   14.0s   50%  2/4  uploading",
    ]);
}

#[tokio::test(start_paused = true)]
async fn a_group_is_told_of_its_members_ends() {
    let (paper, mut scene) = scene().await;
    let group = ProgressGroup::new();
    let total = scene.bars.group(&group, "all");
    let (first, second) = (group.join(1.0), group.join(1.0));
    scene.at(0.0);
    first.set_fraction(0.5);
    scene.at(1.0);
    first.finish();
    scene.at(1.5);
    second.set_fraction(0.5);
    scene.at(3.0);
    second.finish();
    drop(total);
    paper.shows(&[
        "all    0.0s    0%  0/2 done",
        "all    0.0s   50%  1/2 done",
        "all done         0.0s  100%  2/2 done",
    ]);
}

#[tokio::test(start_paused = true)]
async fn no_escape_code_gets_through() {
    let (paper, mut scene) = scene().await;
    let bar = scene.bars.add("to\u{1b}[2Jol");
    scene.step(
        &bar,
        1.0,
        1.0,
        2.0,
        "\u{1b}[31mred\u{1b}[0m\nsecond\u{9b}1m",
    );
    scene.bars.println("between");
    bar.settle(Mark::ToolError);
    paper.shows(&[
        "tool    1.0s   50%  1/2  red second1m",
        "between",
        "tool tool error   1.0s   50%  1/2  red second1m",
    ]);
}

#[tokio::test(start_paused = true)]
async fn lines_wait_while_somebody_is_asked() {
    let (paper, mut scene) = scene().await;
    let bar = scene.bars.add("count");
    scene.step(&bar, 1.0, 1.0, 2.0, "");
    scene.bars.suspend(|| {
        scene.bars.println("later");
        bar.settle(Mark::Done);
        paper.shows(&["count    1.0s   50%  1/2"]);
    });
    paper.shows(&[
        "count    1.0s   50%  1/2",
        "later",
        "count done         1.0s   50%  1/2",
    ]);
}

/// Between two statuses of a task there may be updates: that is no other status.
#[tokio::test(start_paused = true)]
async fn a_status_among_updates_is_told_once() {
    let (paper, mut scene) = scene().await;
    let bar = scene.bars.add("job");
    for tenth in 0..9 {
        scene.at(f64::from(tenth) / 10.0);
        bar.update(&scene.update(f64::from(tenth), 9.0, ""));
        let mut status = scene.update(f64::from(tenth), 9.0, "");
        status.kind = UpdateKind::Status(match tenth {
            0..8 => TaskStatus::Working,
            _ => TaskStatus::InputRequired,
        });
        bar.update(&status);
    }
    bar.clear();
    paper.shows(&[
        "job    0.0s    0%  0/9",
        "job    0.0s    0%  working",
        "job    0.8s   88%  waits for an answer",
    ]);
}

/// Only so much of a text is looked at as there is room for, and marks without width take none of it.
#[tokio::test(start_paused = true)]
async fn a_message_without_end_or_width_is_cut() {
    let (paper, mut scene) = scene().await;
    let bar = scene.bars.add("flood");
    let piles = ["e\u{301}", "\u{200b}", "\u{200d}", "\u{e0041}"].map(|mark| mark.repeat(500_000));
    for (second, pile) in (0_u8..).zip(&piles) {
        scene.at(f64::from(second));
        bar.update(&scene.update(f64::from(second), 9.0, &format!("a{pile}")));
    }
    bar.settle(Mark::Done);
    let text = paper.text();
    assert_eq!(text.lines().count(), piles.len() + 1);
    assert!(text.len() < 5 * 5_000, "{} bytes", text.len());
}
