//! Many calls as one progress: what holds in any order of events, the stream, and calls that feed a group.

use std::fmt::Debug;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Wake};
use std::thread;
use std::time::Duration;

use futures::future::join_all;
use futures::stream::{FusedStream, Stream};
use futures::task::noop_waker_ref;
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{
    Client, ErrorKind, GroupMember, GroupProgress, GroupUpdates, GroupedCall, GroupedResult,
    ProgressGroup,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::peer::{block_on, settle, spawn};

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
}

/// What happens to a group. Members are named by their place among those at work.
#[derive(Clone, Debug)]
enum Event {
    Join(f64),
    Raise(usize, f64),
    Finish(usize),
    Leave(usize),
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.0..=1.0,
        1 => prop::num::f64::ANY,
        1 => prop::sample::select(vec![0.0, 1.0, -1.0, 1e300, 1e-300, f64::NAN, f64::INFINITY]),
    ]
}

fn event(
    number: impl Strategy<Value = f64>,
    weight: impl Strategy<Value = f64>,
) -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => weight.prop_map(Event::Join),
        4 => (any::<usize>(), number).prop_map(|(who, so_far)| Event::Raise(who, so_far)),
        1 => any::<usize>().prop_map(Event::Finish),
        1 => any::<usize>().prop_map(Event::Leave),
    ]
}

/// The group as it is explained: a weighted share, mapped anew at each change of membership.
#[derive(Default)]
struct Explained {
    /// Weight and fraction of those at work.
    working: Vec<(f64, f64)>,
    finished_weight: f64,
    finished: usize,
    shown: f64,
    shown_then: f64,
    raw_then: f64,
}

impl Explained {
    fn raw(&self) -> f64 {
        let whole: f64 =
            self.finished_weight + self.working.iter().map(|(weight, _)| weight).sum::<f64>();
        let done: f64 = self
            .working
            .iter()
            .map(|(weight, fraction)| weight * fraction)
            .sum();
        if whole > 0.0 {
            (self.finished_weight + done) / whole
        } else {
            0.0
        }
    }

    fn show(&mut self) {
        if self.raw_then < 1.0 {
            let way = (self.raw() - self.raw_then) / (1.0 - self.raw_then);
            self.shown = self
                .shown
                .max(self.shown_then + (1.0 - self.shown_then) * way);
        }
    }

    fn rebase(&mut self) {
        (self.shown_then, self.raw_then) = (self.shown, self.raw());
    }

    fn happen(&mut self, event: &Event) {
        let at = |who: usize| (!self.working.is_empty()).then(|| who % self.working.len().max(1));
        match *event {
            Event::Join(weight) => {
                self.working.push((weight, 0.0));
                self.rebase();
            }
            Event::Raise(who, fraction) => {
                if let Some(who) = at(who) {
                    self.working[who].1 = self.working[who].1.max(fraction);
                    self.show();
                }
            }
            Event::Finish(who) => {
                if let Some(who) = at(who) {
                    self.finished_weight += self.working.remove(who).0;
                    self.finished += 1;
                    self.show();
                    if self.working.is_empty() {
                        self.shown = 1.0;
                    }
                }
            }
            Event::Leave(who) => {
                if let Some(who) = at(who) {
                    self.working.remove(who);
                    self.rebase();
                }
            }
        }
    }
}

/// The same for the real one.
fn happen(group: &ProgressGroup, members: &mut Vec<GroupMember>, event: &Event) {
    let at = |who: usize, members: &Vec<GroupMember>| {
        (!members.is_empty()).then(|| who % members.len().max(1))
    };
    match *event {
        Event::Join(weight) => members.push(group.join(weight)),
        Event::Raise(who, fraction) => {
            if let Some(who) = at(who, members) {
                members[who].set_fraction(fraction);
            }
        }
        Event::Finish(who) => {
            if let Some(who) = at(who, members) {
                members.remove(who).finish();
            }
        }
        Event::Leave(who) => {
            if let Some(who) = at(who, members) {
                drop(members.remove(who));
            }
        }
    }
}

proptest! {
    #[test]
    fn it_never_falls_and_ends_at_1_whatever_happens(
        events in prop::collection::vec(event(any_number(), any_number()), 0..80),
    ) {
        let (group, mut members) = (ProgressGroup::new(), Vec::new());
        let mut before = group.snapshot();
        prop_assert_eq!(before.fraction, 0.0);
        for event in &events {
            happen(&group, &mut members, event);
            let after = group.snapshot();
            // Not a number would compare as neither.
            prop_assert!(after.fraction >= before.fraction, "{:?} after {:?}", after, before);
            prop_assert!((0.0..=1.0).contains(&after.fraction));
            prop_assert_eq!(after.working(), members.len());
            if matches!(event, Event::Join(_) | Event::Leave(_)) {
                prop_assert_eq!(after.fraction, before.fraction, "{:?}", event);
            }
            if before.fraction < 1.0 && !members.is_empty() {
                prop_assert!(after.fraction < 1.0, "somebody is at work: {:?}", after);
            }
            before = after;
        }
        if members.is_empty() {
            members.push(group.join(1.0));
        }
        for member in members {
            member.finish();
        }
        let end = group.snapshot();
        prop_assert_eq!((end.fraction, end.working()), (1.0, 0));
        prop_assert_eq!(end.remaining, Some(Duration::ZERO));
    }

    #[test]
    fn it_is_what_the_formula_says(
        events in prop::collection::vec(event(0.0..=1.0, 0.1..10.0), 0..80),
    ) {
        let (group, mut members, mut explained) = (ProgressGroup::new(), Vec::new(), Explained::default());
        for event in &events {
            happen(&group, &mut members, event);
            explained.happen(event);
            let found = group.snapshot();
            prop_assert!((found.fraction - explained.shown).abs() < 1e-6, "{:?} is not {}", found, explained.shown);
            prop_assert_eq!(found.finished, explained.finished);
        }
    }
}

#[test]
fn handles_are_like_others() {
    fn like<T: Send + Sync + Unpin + Debug + 'static>() {}
    like::<ProgressGroup>();
    like::<GroupMember>();
    like::<GroupProgress>();
    like::<GroupedResult<()>>();
    fn stream<T: Send + Sync + Unpin + Debug + FusedStream + 'static>() {}
    stream::<GroupUpdates>();
    stream::<GroupedCall<()>>();
    fn grouped<T: IntoFuture<IntoFuture = GroupedResult<Value>>>() {}
    grouped::<GroupedCall<Value>>();
}

fn poll(updates: &mut GroupUpdates) -> Poll<Option<GroupProgress>> {
    Pin::new(updates).poll_next(&mut Context::from_waker(noop_waker_ref()))
}

fn shown(polled: Poll<Option<GroupProgress>>) -> f64 {
    match polled {
        Poll::Ready(Some(progress)) => progress.fraction,
        other => panic!("{other:?} is no progress"),
    }
}

#[test]
fn the_stream_has_the_newest_only_and_ends_with_the_last_that_could_change_it() {
    let group = ProgressGroup::new();
    let mut updates = group.updates();
    assert_eq!(shown(poll(&mut updates)), 0.0);
    assert!(poll(&mut updates).is_pending());
    let (one, two) = (group.join(1.0), group.join(1.0));
    one.set_fraction(0.25);
    one.set_fraction(0.5);
    assert_eq!(shown(poll(&mut updates)), 0.25);
    // Nothing new is nothing.
    one.set_fraction(0.5);
    one.set_fraction(f64::NAN);
    assert!(poll(&mut updates).is_pending());
    // Whoever comes later begins with the state of the moment.
    assert_eq!(shown(poll(&mut group.updates())), 0.25);
    let again = group.clone();
    drop(group);
    one.finish();
    drop(again);
    assert_eq!(shown(poll(&mut updates)), 0.5);
    assert!(poll(&mut updates).is_pending() && !updates.is_terminated());
    two.finish();
    assert_eq!(shown(poll(&mut updates)), 1.0);
    assert_eq!(poll(&mut updates), Poll::Ready(None));
    assert!(updates.is_terminated());
}

/// Looks at the group whenever it is woken, which would hang if the group's lock were held.
struct Looking {
    group: ProgressGroup,
    woken: AtomicUsize,
}

impl Wake for Looking {
    fn wake(self: Arc<Self>) {
        let _ = self.group.snapshot();
        self.group.join(1.0).finish();
        self.woken.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn whoever_is_woken_may_use_the_group() {
    let group = ProgressGroup::new();
    let member = group.join(1.0);
    let looking = Arc::new(Looking {
        group: group.clone(),
        woken: AtomicUsize::new(0),
    });
    let waker = Arc::clone(&looking).into();
    let mut updates = group.updates();
    let mut poll = || Pin::new(&mut updates).poll_next(&mut Context::from_waker(&waker));
    assert!(poll().is_ready() && poll().is_pending());
    member.set_fraction(0.5);
    assert_eq!(looking.woken.load(Ordering::Relaxed), 1);
    // Woken once for each look: what happens before the next one waits for it.
    member.finish();
    assert_eq!(looking.woken.load(Ordering::Relaxed), 1);
    assert!(poll().is_ready() && poll().is_pending());
    drop(updates);
    drop(group.join(1.0));
    assert_eq!(
        looking.woken.load(Ordering::Relaxed),
        1,
        "whoever is gone is not woken"
    );
}

#[test]
fn threads_feed_one_group() {
    let group = ProgressGroup::new();
    let members: Vec<_> = (0..4).map(|_| group.join(1.0)).collect();
    let begin = Arc::new(Barrier::new(members.len()));
    let mut updates = group.updates();
    let threads: Vec<_> = members
        .into_iter()
        .map(|member| {
            let (begin, group) = (Arc::clone(&begin), group.clone());
            thread::spawn(move || {
                begin.wait();
                for step in 1..=1_000 {
                    member.set_fraction(f64::from(step) / 1_000.0);
                    if step % 100 == 0 {
                        drop(group.join(3.0));
                    }
                }
                member.finish();
            })
        })
        .collect();
    drop(group);
    let mut seen = vec![0.0];
    let last = block_on(async {
        let mut last = None;
        while let Some(progress) = updates.next().await {
            seen.push(progress.fraction);
            last = Some(progress);
        }
        last.expect("there were changes")
    });
    for thread in threads {
        thread.join().expect("no thread failed");
    }
    assert!(seen.is_sorted(), "{seen:?}");
    assert_eq!((last.fraction, last.finished, last.left), (1.0, 4, 40));
}

async fn client() -> Client {
    let server = ScriptedServer::new()
        .tool("steps", |_| Script::new().every(secs(1), 4).text("done"))
        .tool("silent", |_| Script::new().wait(secs(10)).text("done"))
        .tool("failing", |_| {
            Script::new().progress(1, 2).wait(secs(1)).tool_error("no")
        })
        .tool("refused", |_| {
            Script::new()
                .progress(1, 2)
                .wait(secs(1))
                .error(-32_000, "no")
        });
    Client::connect(server).await.expect("connects")
}

#[tokio::test(start_paused = true)]
async fn calls_feed_their_group_without_a_task() {
    let client = client().await;
    let group = ProgressGroup::new();
    let mut updates = group.updates();
    let calls: Vec<_> = ["steps", "silent"]
        .map(|tool| {
            client
                .call_tool(tool, json!({}))
                .start()
                .in_group(&group, 1.0)
        })
        .into();
    drop(group);
    let watching = async {
        let mut shown = Vec::new();
        while let Some(progress) = updates.next().await {
            shown.push((
                progress.elapsed.as_secs(),
                progress.fraction,
                progress.remaining,
            ));
        }
        shown
    };
    let (results, shown) = tokio::join!(
        join_all(calls.into_iter().map(IntoFuture::into_future)),
        watching
    );
    assert!(results.iter().all(Result::is_ok));
    let figures: Vec<_> = shown
        .iter()
        .map(|&(at, fraction, _)| (at, fraction))
        .collect();
    // The one that says nothing counts when it is done.
    let expected = [
        (0, 0.0),
        (0, 0.125),
        (1, 0.25),
        (2, 0.375),
        (3, 0.5),
        (10, 1.0),
    ];
    assert_eq!(figures, expected);
    // An eighth of the way in each second.
    assert_eq!(shown[3].2, Some(secs(5)));
}

#[tokio::test(start_paused = true)]
async fn a_result_finishes_and_an_error_leaves() {
    let client = client().await;
    let group = ProgressGroup::new();
    let start = |tool| {
        client
            .call_tool(tool, json!({}))
            .start()
            .in_group(&group, 1.0)
    };
    let (failing, refused, silent) = (start("failing"), start("refused"), start("silent"));
    assert_eq!(group.snapshot().members, 3);
    let result = failing
        .result()
        .await
        .expect("the tool's own failure is a result");
    assert!(result.is_error);
    near(group.snapshot().fraction, 1.0 / 3.0);
    let error = refused.await.expect_err("the server refused");
    assert_eq!(error.kind(), ErrorKind::Rpc);
    let told = group.snapshot();
    assert_eq!((told.members, told.finished, told.left), (2, 1, 1));
    // It had done a half, which was shown, and so stays.
    near(told.fraction, 0.5);
    drop(silent);
    let told = group.snapshot();
    assert_eq!((told.working(), told.left), (0, 2));
    near(told.fraction, 0.5);
    assert_eq!(told.remaining, None);
}

#[tokio::test(start_paused = true)]
async fn a_grouped_call_is_a_stream_too() {
    let client = client().await;
    let group = ProgressGroup::new();
    let mut call = client
        .call_tool("steps", json!({}))
        .start()
        .in_group(&group, 2.0);
    assert!(call.call().token().is_some());
    let mut seen = Vec::new();
    while let Some(update) = call.next().await {
        seen.push((update.progress, group.snapshot().fraction));
    }
    assert_eq!(seen[..3], [(1.0, 0.25), (2.0, 0.5), (3.0, 0.75)]);
    assert!(call.is_terminated());
    // All is done but the result, which nobody has taken.
    let before = group.snapshot();
    assert!(before.fraction < 1.0 && before.working() == 1);
    call.await.expect("the result");
    assert_eq!(group.snapshot().fraction, 1.0);
}

#[tokio::test(start_paused = true)]
async fn what_is_fed_from_another_task_wakes_whoever_looks_on() {
    let group = ProgressGroup::new();
    let mut updates = group.updates();
    let woken = Arc::new(AtomicU64::new(0));
    let looking = spawn({
        let woken = Arc::clone(&woken);
        async move {
            while let Some(progress) = updates.next().await {
                woken.store(progress.percent() as u64, Ordering::Relaxed);
            }
        }
    });
    let member = group.join(1.0);
    for percent in [10_u32, 60] {
        sleep(secs(1)).await;
        member.set_fraction(f64::from(percent) / 100.0);
        settle().await;
        assert_eq!(woken.load(Ordering::Relaxed), u64::from(percent));
    }
    assert_eq!(group.snapshot().elapsed, secs(2));
    member.finish();
    drop(group);
    looking.await.expect("ends with the group");
    assert_eq!(woken.load(Ordering::Relaxed), 100);
}
