//! Many bars at once, from many threads: no end is missing on the paper.

use std::sync::Barrier;
use std::thread;

use mcp_progress::ui::Mark;
use mcp_progress::ui::indicatif::Bars;

use super::scene::Paper;

/// The last two end in the same moment. Either may be the one that draws, and nobody comes after it.
#[test]
fn ends_of_one_moment_are_all_told() {
    const THREADS: usize = 2;
    for round in 0..3_000 {
        let paper = Paper::default();
        let bars = Bars::plain(paper.clone());
        let together = Barrier::new(THREADS);
        thread::scope(|scope| {
            for number in 0..THREADS {
                let bar = bars.add(format!("call {number}"));
                let together = &together;
                scope.spawn(move || {
                    together.wait();
                    bar.settle(Mark::Done);
                });
            }
        });
        assert_eq!(paper.text().lines().count(), THREADS, "round {round}");
    }
}

/// They wait a moment, so as to be drawn together, but none goes for want of room. The clock stands: all end in one moment.
#[tokio::test(start_paused = true)]
async fn thousands_of_ends_are_all_told() {
    const CALLS: usize = 1_500;
    let paper = Paper::default();
    let bars = Bars::plain(paper.clone());
    let calls: Vec<_> = (0..CALLS)
        .map(|number| bars.add(format!("call {number}")))
        .collect();
    drop(calls);
    let text = paper.text();
    assert_eq!(text.lines().count(), CALLS);
    assert!(!text.contains("left out"));
}
