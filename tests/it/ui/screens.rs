//! Whole screens, drawn by hand from updates that are made by hand.

use std::time::Duration;

use mcp_progress::ProgressGroup;
use mcp_progress::ui::Mark;
use mcp_progress::ui::indicatif::BarsStyle;

use super::scene::Scene;

#[tokio::test(start_paused = true)]
async fn a_bar_from_the_first_update_to_the_end() {
    let mut scene = Scene::new(10, 80).await;
    let bar = scene.bars.add("count");
    assert_eq!(scene.bars.style(), BarsStyle::Bars);
    scene.at(0.0);
    scene.shows(&["count |    0s"]);
    scene.step(&bar, 1.0, 1.0, 5.0, "step 1");
    scene.shows(&["count [====>                   ]  20%  1/5  step 1"]);
    scene.step(&bar, 2.0, 2.0, 5.0, "step 2");
    scene.shows(&["count [=========>              ]  40%  2/5  step 2            1.0/s  3s left"]);
    // Between updates the rest runs down.
    scene.at(3.5);
    scene.shows(&["count [=========>              ]  40%  2/5  step 2            1.0/s  2s left"]);
    scene.step(&bar, 5.0, 5.0, 5.0, "step 5");
    bar.settle(Mark::Done);
    scene.shows(&["count done         5.0s  100%  5/5  step 5"]);
}

#[tokio::test(start_paused = true)]
async fn a_spinner_becomes_a_bar_when_the_total_appears() {
    let mut scene = Scene::new(10, 80).await;
    let bar = scene.bars.add("index");
    scene.step(&bar, 1.0, 120.0, None, "scanning");
    scene.shows(&["index /    1s  120  scanning"]);
    scene.at(1.2);
    scene.shows(&["index -    1s  120  scanning"]);
    scene.step(&bar, 2.0, 240.0, 480.0, "scanning");
    scene.shows(&["index [============>           ]  50%  240/480  scanning      120/s  2s left"]);
    // A total that is taken back, or cannot be one, is no share.
    scene.step(&bar, 3.0, 500.0, 480.0, "scanning");
    scene.shows(&["index \\    3s  500/480  scanning                                       192/s"]);
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_told_and_ends_with_the_next_update() {
    let mut scene = Scene::new(10, 80).await;
    let bar = scene
        .bars
        .clone()
        .stalled_after(Duration::from_secs(3))
        .add("deploy");
    let silent = scene.bars.add("silent");
    scene.step(&bar, 1.0, 1.0, 4.0, "uploading");
    scene.at(3.9);
    scene.shows(&[
        "deploy [======>                 ]  25%  1/4  uploading",
        "silent \\    3s",
    ]);
    scene.at(14.0);
    scene.shows(&[
        "deploy [======>                 ]  25%  1/4  uploading     no update for 13s",
        "silent -   14s                                             no update for 14s",
    ]);
    scene.step(&bar, 15.0, 2.0, 4.0, "");
    scene.shows(&[
        "deploy [============>           ]  50%  2/4  uploading      0.07/s  28s left",
        "silent \\   15s                                             no update for 15s",
    ]);
    drop(silent);
}

#[tokio::test(start_paused = true)]
async fn each_end_has_its_words() {
    let mut scene = Scene::new(12, 80).await;
    let ends = [
        Mark::Done,
        Mark::ToolError,
        Mark::Failed,
        Mark::Cancelled,
        Mark::TimedOut,
        Mark::Lost,
    ];
    for (at, mark) in ends.into_iter().enumerate() {
        let bar = scene.bars.add(format!("call {at}"));
        scene.step(&bar, at as f64, 2.0, 5.0, "step 2");
        bar.settle(mark);
        // The first end stays.
        bar.settle(Mark::Done);
    }
    drop(scene.bars.add("dropped"));
    scene.shows(&[
        "call 0 done         0.0s   40%  2/5  step 2",
        "call 1 tool error   1.0s   40%  2/5  step 2",
        "call 2 failed       1.0s   40%  2/5  step 2",
        "call 3 cancelled    1.0s   40%  2/5  step 2",
        "call 4 timed out    1.0s   40%  2/5  step 2",
        "call 5 connection lost   1.0s   40%  2/5  step 2",
        "dropped cancelled    0.0s",
    ]);
}

#[tokio::test(start_paused = true)]
async fn a_group_stands_below_its_calls() {
    let mut scene = Scene::new(10, 80).await;
    let group = ProgressGroup::new();
    let total = scene.bars.group(&group, "all");
    let (first, second) = (group.join(1.0), group.join(3.0));
    let one = scene.bars.add("one");
    let two = scene.bars.add("two");
    first.set_fraction(0.5);
    scene.step(&one, 1.0, 1.0, 2.0, "");
    scene.shows(&[
        "one [============>           ]  50%  1/2",
        "two /    1s",
        "all [===>                    ]  12%  0/2 done",
    ]);
    first.finish();
    one.settle(Mark::Done);
    second.set_fraction(0.5);
    scene.step(&two, 2.0, 3.0, 6.0, "");
    scene.shows(&[
        "one done         1.0s   50%  1/2",
        "two [============>           ]  50%  3/6",
        "all [===============>        ]  62%  1/2 done",
    ]);
    drop(second);
    drop(two);
    drop(total);
    scene.shows(&[
        "one done         1.0s   50%  1/2",
        "two cancelled    2.0s   50%  3/6",
        "all failed       0.0s   62%  1/2 done, 1 unfinished",
    ]);
}

#[tokio::test(start_paused = true)]
async fn forty_columns_keep_name_and_percentage() {
    let mut scene = Scene::new(10, 40).await;
    let bar = scene.bars.add("count");
    let long = scene.bars.add("a-tool-with-a-long-name");
    let index = scene.bars.add("index");
    scene.step(&bar, 1.0, 1.0, 5.0, "step 1");
    scene.step(&bar, 2.0, 2.0, 5.0, "step 2 of a long way");
    scene.step(&long, 2.0, 1234.0, 98765.0, "downloading");
    scene.step(&index, 2.0, 12.0, None, "scanning src");
    scene.shows(&[
        "count      [===>    ]  40%  step 2..",
        "a-tool-w.. [>       ]   1%  downlo..",
        "index      -    2s  12  scanning src",
    ]);
    scene.at(13.0);
    scene.shows(&[
        "count       40%  step..  stalled 11s",
        "a-tool-w..   1%  down..  stalled 11s",
        "index      /   13s  12   stalled 11s",
    ]);
    bar.settle(Mark::Done);
    long.settle(Mark::Lost);
    index.settle(Mark::ToolError);
    scene.shows(&[
        "count      done 40%  13.0s  step 2..",
        "a-tool-w.. connection lost 1%  13.0s",
        "index      tool error  13.0s  12",
    ]);
}

#[tokio::test(start_paused = true)]
async fn twenty_columns_still_name_and_count() {
    let mut scene = Scene::new(10, 20).await;
    let bar = scene.bars.add("count");
    scene.step(&bar, 1.0, 2.0, 5.0, "step 2");
    scene.shows(&["count  40%"]);
    bar.settle(Mark::Done);
    scene.shows(&["count done 40%"]);
}

#[tokio::test(start_paused = true)]
async fn long_and_wide_messages_are_cut_and_never_wrapped() {
    let mut scene = Scene::new(10, 60).await;
    let bar = scene.bars.add("count");
    scene.step(&bar, 1.0, 2.0, 5.0, &"long ".repeat(100));
    scene.shows(&["count [======>         ]  40%  long long long long lon.."]);
    scene.step(&bar, 2.0, 2.0, 5.0, &"漢字".repeat(100));
    scene.shows(&["count [======>         ]  40%  漢字漢字漢字漢字漢字漢.."]);
    scene.step(&bar, 3.0, 2.0, 5.0, &"🎉".repeat(100));
    scene.shows(&["count [======>         ]  40%  🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉.."]);
    scene.step(&bar, 4.0, 2.0, 5.0, "e\u{301}\u{301}\u{301}");
    bar.settle(Mark::Done);
    scene.shows(&["count done 40%  4.0s  é́́"]);
}

#[tokio::test(start_paused = true)]
async fn a_hostile_server_writes_nothing_but_text() {
    let mut scene = Scene::new(10, 80).await;
    let bar = scene.bars.add("\u{1b}]0;owned\u{7}to\u{1b}[2Jol\r\n");
    let hostile = "\u{1b}[31mred\u{1b}[0m\u{1b}[5A\u{9b}2J\rover\nline\u{8}\u{7}\u{202e}txt\tend\u{1b}]8;;x\u{1b}\\";
    scene.step(&bar, 1.0, 2.0, 5.0, hostile);
    scene.shows(&["tool [=========>              ]  40%  2/5  red2J over linetxt end"]);
    bar.settle(Mark::Done);
    scene.shows(&["tool done         1.0s   40%  2/5  red2J over linetxt end"]);
    let formatted = String::from_utf8(scene.term.contents_formatted()).expect("UTF-8");
    assert!(!formatted.contains("31m"), "{formatted:?}");
}

#[tokio::test(start_paused = true)]
async fn more_bars_than_lines() {
    let mut scene = Scene::new(6, 60).await;
    let group = ProgressGroup::new();
    let _total = scene.bars.group(&group, "all");
    let mut bars: Vec<_> = (0..20)
        .map(|at| scene.bars.add(format!("call {at}")))
        .collect();
    scene.at(0.0);
    scene.shows(&[
        "call 0  |    0s",
        "call 1  |    0s",
        "call 2  |    0s",
        "... and 17 more",
        "all     [>               ]   0%",
    ]);
    // What ends moves up and out, and others move in.
    bars.drain(..17);
    scene.at(0.0);
    scene.shows(&[
        "call 15 cancelled  0.0s",
        "call 16 cancelled  0.0s",
        "call 17 |    0s",
        "call 18 |    0s",
        "call 19 |    0s",
        "all     [>               ]   0%",
    ]);
}
