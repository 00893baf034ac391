//! What can be done to a stream of updates, over real calls on a paused clock.
//!
//! The rules themselves have tables of their own beside the state machines; here are the timers, the streams, and what
//! holds for whatever a server sends.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures::stream::{self, FusedStream, Stream, StreamExt};
use mcp_progress::combinators::{
    Estimated, MilestoneEvent, Milestones, MinChange, Monotone, Monotonic, StallEvent, Stalled,
    Throttle, WithEstimate,
};
use mcp_progress::model::CallToolResult;
use mcp_progress::testing::{Script, ScriptedServer, Update};
use mcp_progress::{Call, Client, Progress, ProgressToken, StreamEnd, Updates, UpdatesExt};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use crate::peer::{block_on, now, settle};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A call of a tool that plays `script`.
async fn start(script: Script) -> (Client, Call<CallToolResult>) {
    let server = ScriptedServer::new().tool("work", move |_| script.clone());
    let client = Client::connect(server).await.expect("connects");
    let call = client.call_tool("work", json!({})).start();
    (client, call)
}

/// What came, when, and for how many.
async fn timed<S>(mut updates: S) -> Vec<(u64, f64, u64)>
where
    S: Stream<Item = Progress> + Unpin,
{
    let begin = now();
    let mut all = Vec::new();
    while let Some(update) = updates.next().await {
        let at = u64::try_from(begin.elapsed().as_millis()).expect("a short test");
        all.push((at, update.progress, update.merged));
    }
    all
}

#[test]
fn combinators_are_like_other_streams() {
    fn like<T: Send + Sync + Unpin + Debug + FusedStream + 'static>() {}
    like::<Throttle<Updates>>();
    like::<MinChange<Updates>>();
    like::<Monotone<Updates>>();
    like::<Milestones<Updates>>();
    like::<Stalled<Updates>>();
    like::<WithEstimate<Updates>>();
    fn send<T: Send + UpdatesExt>() {}
    send::<Throttle<Call<std::rc::Rc<()>>>>();
    send::<&mut Call<()>>();
    send::<stream::BoxStream<'static, Progress>>();
    fn item<T: Send + Sync + Clone + Debug>() {}
    item::<StallEvent>();
    item::<MilestoneEvent>();
    item::<Estimated>();
}

#[tokio::test(start_paused = true)]
async fn a_throttle_keeps_the_beat_the_first_and_the_last() {
    let script = Script::new().every(ms(30), 10).wait(ms(10)).text("done");
    let (_client, mut call) = start(script).await;
    let all = timed((&mut call).throttle(10.0)).await;
    assert_eq!(
        all,
        [
            (0, 1.0, 0),
            (100, 4.0, 2),
            (200, 7.0, 2),
            // The last does not wait for its turn, only for the end.
            (280, 10.0, 2),
        ]
    );
    let result = call.await.expect("the call is still there");
    assert_eq!(result.as_text().as_deref(), Some("done"));
}

#[tokio::test(start_paused = true)]
async fn a_held_update_goes_on_by_itself() {
    let script = Script::new()
        .burst(|both| both.progress(1, 9).progress(2, 9))
        .wait(secs(60))
        .text("done");
    let (_client, mut call) = start(script).await;
    let mut updates = (&mut call).throttle(8.0);
    let begin = now();
    assert_eq!(
        updates.next().await.map(|update| update.progress),
        Some(1.0)
    );
    assert_eq!(begin.elapsed(), ms(0));
    assert_eq!(
        updates.next().await.map(|update| update.progress),
        Some(2.0)
    );
    assert_eq!(begin.elapsed(), ms(125));
    assert!(updates.next().await.is_none());
    assert_eq!(begin.elapsed(), secs(60));
}

#[tokio::test(start_paused = true)]
async fn dropping_a_combinator_over_a_borrowed_call_leaves_the_call() {
    let (client, mut call) = start(Script::new().every(secs(1), 5).text("done")).await;
    let mut updates = (&mut call).throttle(1000.0).min_change(0.01);
    assert!(updates.next().await.is_some());
    drop(updates);
    settle().await;
    assert_eq!(client.stats().live_calls, 1);
    assert_eq!(call.next().await.map(|update| update.seq), Some(2));
    assert!(call.await.is_ok());
    // One that owns its call cancels it, as dropping the call does.
    let call = client.call_tool("work", json!({})).start();
    let mut updates = call.throttle(8.0);
    assert!(updates.next().await.is_some());
    drop(updates);
    settle().await;
    assert_eq!(client.stats().live_calls, 0);
}

/// Giving up on `next` again and again loses nothing and delays nothing.
#[tokio::test(start_paused = true)]
async fn impatience_loses_nothing() {
    let (_client, call) = start(Script::new().every(ms(7), 500).text("done")).await;
    let mut updates = call.throttle(10.0);
    let begin = now();
    let mut came = Vec::new();
    loop {
        match timeout(ms(3), updates.next()).await {
            Ok(Some(update)) => came.push((begin.elapsed(), update)),
            Ok(None) => break,
            Err(_) => {}
        }
    }
    let sum: u64 = came.iter().map(|(_, update)| 1 + update.merged).sum();
    assert_eq!(sum, 500);
    assert!(came.len() > 30, "{}", came.len());
    for (beat, (at, _)) in came[..came.len() - 1].iter().enumerate() {
        let due = ms(100) * u32::try_from(beat).expect("a short test");
        assert_eq!(*at, due);
    }
}

/// Streams end as those below them do, and stay ended.
#[tokio::test(start_paused = true)]
async fn an_end_is_an_end() {
    let (client, call) = start(Script::new().progress(1, 2).progress(2, 2).text("done")).await;
    let mut updates = call.updates().throttle(0.001).monotonic();
    drop(call);
    settle().await;
    assert!(!updates.is_terminated());
    while let Some(update) = updates.next().await {
        assert_eq!(update.merged, 0);
    }
    assert!(updates.is_terminated());
    assert!(updates.next().await.is_none());
    let throttle = updates.into_inner();
    assert_eq!(throttle.get_ref().end(), Some(StreamEnd::Cancelled));
    assert!(throttle.into_inner().is_terminated());
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn silences_are_told_when_they_last_and_when_they_end() {
    let script = Script::new()
        .wait(secs(15))
        .progress(1, 9)
        .wait(secs(9))
        .progress(2, 9)
        .wait(secs(100))
        .progress(3, 9)
        .wait(secs(20))
        .text("done");
    let (_client, mut call) = start(script).await;
    let mut events = (&mut call).stalled(secs(10));
    let begin = now();
    let mut told = Vec::new();
    while let Some(event) = events.next().await {
        let what = match event {
            StallEvent::Update(update) => update.to_string(),
            StallEvent::Stalled { silence, .. } => format!("stalled {}", silence.as_secs()),
            StallEvent::Resumed { silence, ended, .. } => {
                format!(
                    "{} {}",
                    if ended { "ended" } else { "resumed" },
                    silence.as_secs()
                )
            }
            other => format!("{other:?}"),
        };
        told.push((begin.elapsed().as_secs(), what));
    }
    let told: Vec<_> = told.iter().map(|(at, what)| (*at, what.as_str())).collect();
    assert_eq!(
        told,
        [
            (10, "stalled 10"),
            (15, "resumed 15"),
            (15, "1 of 9"),
            (24, "2 of 9"),
            (34, "stalled 10"),
            (124, "resumed 100"),
            (124, "3 of 9"),
            (134, "stalled 10"),
            (144, "ended 20"),
        ]
    );
    assert!(call.await.is_ok());
}

/// What is there already was not missing, however late its reader is.
#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_no_silence() {
    let (_client, call) = start(Script::new().every(secs(1), 5).text("done")).await;
    let mut events = call.updates().stalled(secs(2));
    let read = async {
        let mut updates = 0;
        while let Some(event) = events.next().await {
            assert!(matches!(event, StallEvent::Update(_)), "{event:?}");
            updates += 1;
            sleep(secs(60)).await;
        }
        updates
    };
    let (result, updates) = tokio::join!(call.result(), read);
    assert!(result.is_ok());
    assert_eq!(updates, 5);
}

#[tokio::test(start_paused = true)]
async fn milestones_come_once_and_say_what_they_stand_for() {
    let script = Script::new()
        .progress(1, 10)
        .progress(3, 10)
        .progress(2, 10)
        .progress(3, 10)
        .progress(8, 10)
        .progress(9, 10)
        .text("done");
    let (_client, call) = start(script).await;
    let mut quarters = call.milestones([0.75, 0.25, 0.5]);
    let mut reached = Vec::new();
    while let Some(event) = quarters.next().await {
        if let MilestoneEvent::Reached {
            milestones, update, ..
        } = event
        {
            reached.push((milestones, update.seq, update.merged));
        }
    }
    assert_eq!(reached, [(vec![0.25], 2, 1), (vec![0.5, 0.75], 5, 2)]);
    assert_eq!(quarters.left_out(), 1);
}

#[tokio::test(start_paused = true)]
async fn estimates_are_exact_where_the_work_is_steady() {
    let (client, call) = start(Script::new().every(secs(2), 10).text("done")).await;
    let mut estimates = call.with_estimate();
    let mut n = 0;
    while let Some(Estimated {
        update,
        rate,
        remaining,
        ..
    }) = estimates.next().await
    {
        n += 1;
        assert_eq!(update.seq, n);
        if n > 1 {
            assert!(
                rate.is_some_and(|rate| (rate - 0.5).abs() < 1e-9),
                "{rate:?}"
            );
            let left = remaining.expect("there is a total").as_secs_f64();
            let expected = 2.0 * (10.0 - update.progress);
            assert!(
                (left - expected).abs() < 1e-6,
                "{left}, expected {expected}"
            );
        } else {
            assert_eq!((rate, remaining), (None, None));
        }
    }
    assert_eq!(n, 10);
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn without_a_total_there_is_a_rate_and_no_end() {
    let script = Script::new()
        .progress_with(Update::new(10))
        .wait(secs(1))
        .progress_with(Update::new(40))
        .text("done");
    let (_client, call) = start(script).await;
    let estimates: Vec<_> = call.with_estimate().collect().await;
    let rates: Vec<_> = estimates.iter().map(|estimated| estimated.rate).collect();
    assert_eq!(rates, [None, Some(30.0)]);
    assert!(
        estimates
            .iter()
            .all(|estimated| estimated.remaining.is_none())
    );
}

/// A reader who comes an hour late reads the same estimates.
#[tokio::test(start_paused = true)]
async fn estimates_go_by_the_time_of_arrival() {
    let script = || {
        let slow = Script::new().every(secs(1), 20);
        slow.wait(secs(3))
            .progress(20, 25)
            .wait(secs(1))
            .progress(21, 25)
            .text("done")
    };
    let seen = |estimated: &Estimated| (estimated.rate, estimated.remaining);
    let (_client, call) = start(script()).await;
    let punctual: Vec<_> = call.with_estimate().collect().await;
    let (_client, call) = start(script()).await;
    sleep(secs(3600)).await;
    let late: Vec<_> = call.with_estimate().collect().await;
    assert_eq!(punctual.len(), 22);
    assert!(punctual[21].remaining > Some(secs(4)), "{:?}", punctual[21]);
    assert!(punctual.iter().map(seen).eq(late.iter().map(seen)));
}

/// A server that floods is read to its end while others on the thread have their turn.
#[tokio::test(start_paused = true)]
async fn a_flood_is_thinned_out_and_counted() {
    let (_client, mut call) = start(Script::new().flood(50_000).text("done")).await;
    let mut updates = (&mut call).min_change(0.1).throttle(1.0);
    let (mut came, mut stood_for) = (0, 0);
    while let Some(update) = updates.next().await {
        came += 1;
        stood_for += 1 + update.merged;
        assert_eq!(update.seq, stood_for);
    }
    // No time passes on this clock: the first and the last.
    assert_eq!((came, stood_for), (2, 50_000));
    assert!(call.await.is_ok());
}

/// One update, for streams made by hand.
async fn sample() -> Progress {
    let (_client, mut call) = start(Script::new().progress(1, 2).text("done")).await;
    call.next().await.expect("an update")
}

/// A stream that is always ready, and of which next to nothing goes on, leaves the thread to others now and then.
#[tokio::test]
async fn what_is_left_out_is_not_left_out_in_one_go() {
    let endless = stream::repeat(sample().await).take(200_000);
    let mut updates = endless.min_change(0.5).throttle(1e-6);
    let mut turns = 0;
    let others = async {
        loop {
            turns += 1;
            tokio::task::yield_now().await;
        }
    };
    let stood_for = tokio::select! {
        biased;
        stood_for = async {
            let mut stood_for = 0;
            while let Some(update) = updates.next().await {
                stood_for += 1 + update.merged;
            }
            stood_for
        } => stood_for,
        () = others => 0,
    };
    assert_eq!(stood_for, 200_000);
    assert!(turns > 1, "{turns}");
}

#[tokio::test]
async fn a_stream_that_comes_back_from_its_end_is_not_asked() {
    let update = sample().await;
    let mut asked = 0;
    let below = stream::poll_fn(|_| {
        asked += 1;
        Poll::Ready((asked != 2).then(|| update.clone()))
    });
    let mut updates = below.monotonic();
    assert!(!updates.is_terminated());
    assert!(updates.next().await.is_some());
    assert!(updates.next().await.is_none());
    assert!(updates.is_terminated());
    assert!(updates.next().await.is_none());
    drop(updates);
    assert_eq!(asked, 2);
}

/// The timer's clock is paused and runs ahead, that of the poll is not: the timer is believed.
#[test]
fn a_clock_that_runs_ahead_is_believed() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let update = runtime.block_on(sample());
    let below = stream::iter([update.clone(), update]).chain(stream::pending());
    // One in ten days.
    let updates = runtime.block_on(async move { below.throttle(1.2e-6) });
    let (stop, stopped) = oneshot::channel::<()>();
    let (said, came) = std::sync::mpsc::channel();
    // Its clock jumps from timer to timer while it has nothing to do.
    let driver = std::thread::spawn(move || runtime.block_on(stopped));
    std::thread::spawn(move || {
        let both = block_on(updates.take(2).collect::<Vec<_>>());
        said.send(both.len()).expect("it is waited for");
    });
    assert_eq!(came.recv_timeout(secs(30)), Ok(2));
    stop.send(()).expect("it runs");
    assert!(driver.join().is_ok());
}

/// Made on a runtime and polled elsewhere, the timer is that of the runtime.
#[test]
fn a_foreign_executor_may_poll() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let script = Script::new()
        .burst(|both| both.progress(1, 9).progress(2, 9))
        .silence();
    let (_client, mut updates) = runtime.block_on(async {
        let (client, call) = start(script).await;
        (client, call.throttle(100.0).stalled(ms(50)))
    });
    block_on(async {
        let mut updates_seen = 0;
        while let Some(event) = updates.next().await {
            match event {
                StallEvent::Update(_) => updates_seen += 1,
                StallEvent::Stalled { silence, .. } => {
                    assert!(silence >= ms(50), "{silence:?}");
                    // The second was held until the throttle's timer rang.
                    if updates_seen == 2 {
                        break;
                    }
                }
                _ => {}
            }
        }
        assert_eq!(updates_seen, 2);
    });
}

/// Without any runtime there are no timers; all else is as it was.
#[test]
fn no_runtime_no_timers() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let token = ProgressToken::generate();
    let updates = runtime.block_on(async {
        let server = ScriptedServer::new().tool("work", |_| {
            Script::new().burst(|all| {
                all.progress(1, 3)
                    .progress(2, 3)
                    .progress(3, 3)
                    .text("done")
            })
        });
        let client = Client::connect(server).await.expect("connects");
        let updates = client.progress().subscribe(&token);
        let call = client.call_tool("work", json!({})).progress_token(token);
        call.await.expect("a result");
        updates
    });
    drop(runtime);
    let events: Vec<_> = block_on(updates.throttle(1.0).stalled(ms(1)).collect());
    let places: Vec<_> = events
        .iter()
        .map(|event| match event {
            StallEvent::Update(update) => (update.progress, update.merged),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(places, [(1.0, 0), (3.0, 1)]);
}

/// The statuses of a task pass at once, and what was held goes before them.
#[tokio::test(start_paused = true)]
async fn a_status_passes_and_keeps_its_place() {
    let task = |status: &str, more: Value| {
        let mut task = json!({"taskId": "t", "status": status, "pollIntervalMs": 1000});
        let fields = task.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        task
    };
    let looks = Arc::new(AtomicU64::new(0));
    let server = ScriptedServer::new()
        .tool("work", move |_| {
            let created = task("working", json!({"resultType": "task"}));
            Script::new().burst(|all| {
                all.progress(1, 9)
                    .progress(2, 9)
                    .progress(3, 9)
                    .result(created)
            })
        })
        .method("tasks/get", move |_| {
            let state = match looks.fetch_add(1, Ordering::Relaxed) {
                0 => task("working", json!({"statusMessage": "sorting"})),
                _ => task("completed", json!({"result": {"content": []}})),
            };
            Script::new().result(state)
        });
    let client = Client::connect(server).await.expect("connects");
    let mut call = client.call_tool("work", json!({})).start();
    let mut updates = (&mut call).min_change(0.9).throttle(1e-3);
    let begin = now();
    let mut came = Vec::new();
    while let Some(update) = updates.next().await {
        came.push((update.to_string(), update.merged));
        // The interval is a quarter of an hour: whatever waited for it would be later.
        assert!(begin.elapsed() < secs(60), "{came:?}");
    }
    call.await.expect("a result");
    let firsts: Vec<_> = came
        .iter()
        .take(3)
        .map(|(text, merged)| (text.as_str(), *merged))
        .collect();
    assert_eq!(firsts, [("1 of 9", 0), ("3 of 9", 1), ("working", 0)]);
    assert!(
        came.contains(&("working: sorting".to_owned(), 0)),
        "{came:?}"
    );
}

/// A server's updates: milliseconds before each, how far, and of how much.
type Course = Vec<(u64, u32, Option<u32>)>;

fn course() -> impl Strategy<Value = Course> {
    let pause = prop_oneof![3 => Just(0), 2 => 1..40_u64, 1 => 100..2000_u64];
    let total =
        prop_oneof![1 => Just(None), 4 => Just(Some(100)), 1 => (1..150_u32).prop_map(Some)];
    proptest::collection::vec((pause, 0..=100_u32, total), 1..40)
}

/// One that mostly rises, as those of real servers do.
fn rising() -> impl Strategy<Value = Course> {
    (course(), 0..4_usize).prop_map(|(mut course, kept)| {
        let mut values: Vec<_> = course.iter().map(|step| step.1).collect();
        values[kept.min(course.len() - 1)..].sort_unstable();
        for (step, value) in course.iter_mut().zip(values) {
            (step.1, step.2) = (value, step.2.map(|_| 100));
        }
        course
    })
}

fn script(course: &Course) -> Script {
    let steps = course
        .iter()
        .fold(Script::new(), |script, (pause, value, total)| {
            let update = Update::new(*value);
            let update = match total {
                Some(total) => update.total(*total),
                None => update,
            };
            script.wait(ms(*pause)).progress_with(update)
        });
    steps.text("done")
}

/// Plays a course, through `combinator` and as it is, and gives what came with the time at which it did. The reader
/// pauses after each item.
fn play<S, I>(
    course: &Course,
    reader: Duration,
    combinator: impl FnOnce(Updates) -> S,
) -> (Vec<(Instant, I)>, S, Vec<Progress>)
where
    S: Stream<Item = I> + Unpin,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (_client, call) = start(script(course)).await;
        let mut combined = combinator(call.updates());
        let mut came = Vec::new();
        let read = async {
            while let Some(item) = combined.next().await {
                came.push((now(), item));
                if !reader.is_zero() {
                    sleep(reader).await;
                }
            }
        };
        let (plain, ()) = tokio::join!(call.collect::<Vec<_>>(), read);
        assert_eq!(plain.len(), course.len());
        (came, combined, plain)
    })
}

fn sum<'a>(updates: impl IntoIterator<Item = &'a Progress>) -> u64 {
    updates.into_iter().map(|update| 1 + update.merged).sum()
}

/// Each stands for itself and for all between it and the one before.
fn assert_counted(came: &[(Instant, Progress)]) {
    let mut place = 0;
    for (_, update) in came {
        place += 1 + update.merged;
        assert_eq!(update.seq, place);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_throttle_is_never_too_fast_and_loses_no_count(
        course in course(),
        hz in prop_oneof![Just(0.5), Just(8.0), 1.0..200.0_f64],
        reader in prop_oneof![Just(ms(0)), Just(ms(70))],
    ) {
        let (came, _, plain) = play(&course, reader, |updates| updates.throttle(hz));
        assert_counted(&came);
        prop_assert_eq!(came.first().map(|(_, update)| update.seq), Some(1));
        prop_assert_eq!(came.last().map(|(_, update)| update.seq), plain.last().map(|update| update.seq));
        let interval = Duration::from_secs_f64(1.0 / hz);
        let all_but_the_last = &came[..came.len() - 1];
        for pair in all_but_the_last.windows(2) {
            prop_assert!(pair[1].0 - pair[0].0 >= interval, "{:?}", pair);
        }
    }

    #[test]
    fn a_min_change_goes_by_what_was_shown_last(
        course in prop_oneof![course(), rising()],
        hundredths in 0..60_u32,
    ) {
        let step = f64::from(hundredths) / 100.0;
        let (came, _, plain) = play(&course, ms(0), |updates| updates.min_change(step));
        assert_counted(&came);
        prop_assert_eq!(sum(came.iter().map(|(_, update)| update)), plain.len() as u64);
        // The same rule, written down once more: which of all updates go on.
        let mut shown: Option<Option<f64>> = None;
        let mut expected = Vec::new();
        for update in &plain {
            let new = update.fraction();
            let goes_on = match (shown, new) {
                (Some(Some(old)), Some(new)) => {
                    (new - old).abs() > step - 1e-6 || (new == 1.0 && old < 1.0)
                }
                _ => true,
            };
            if goes_on {
                expected.push(update.seq);
                shown = Some(new);
            }
        }
        if expected.last() != Some(&(plain.len() as u64)) {
            expected.push(plain.len() as u64);
        }
        let seqs: Vec<_> = came.iter().map(|(_, update)| update.seq).collect();
        prop_assert_eq!(seqs, expected);
    }

    #[test]
    fn milestones_are_reached_once_each_and_in_order(
        course in prop_oneof![course(), rising()],
        milestones in proptest::collection::vec(0..=100_u32, 0..8),
    ) {
        let wanted: Vec<_> = milestones.iter().map(|milestone| f64::from(*milestone) / 100.0).collect();
        let (came, combined, plain) = play(&course, ms(0), |updates| updates.milestones(wanted.clone()));
        let mut reached = Vec::new();
        let mut counted = combined.left_out();
        for (_, event) in came {
            let MilestoneEvent::Reached { milestones, update, .. } = event else {
                return Err(TestCaseError::fail("no call here is a task"));
            };
            prop_assert!(!milestones.is_empty());
            prop_assert!(milestones.iter().all(|at| *at <= update.fraction().unwrap_or(-1.0) + 1e-6));
            counted += 1 + update.merged;
            reached.extend(milestones);
        }
        prop_assert_eq!(counted, plain.len() as u64);
        let highest = plain.iter().filter_map(Progress::fraction).fold(-1.0, f64::max);
        let mut expected: Vec<_> = wanted.into_iter().filter(|at| *at <= highest + 1e-9).collect();
        expected.sort_by(f64::total_cmp);
        expected.dedup();
        prop_assert_eq!(reached, expected);
    }

    #[test]
    fn monotonic_values_never_fall(course in course()) {
        let (dropped, combined, plain) = play(&course, ms(0), |updates| updates.monotonic());
        let updates: Vec<_> = dropped.iter().map(|(_, update)| update).collect();
        prop_assert!(updates.windows(2).all(|pair| pair[0].progress <= pair[1].progress));
        prop_assert_eq!(sum(updates) + combined.left_out(), plain.len() as u64);
        assert_counted(&dropped);

        let (raised, combined, plain) = play(&course, ms(0), |updates| updates.monotonic_by(Monotonic::Clamp));
        prop_assert_eq!(combined.left_out(), 0);
        let mut highest = f64::NEG_INFINITY;
        prop_assert_eq!(raised.len(), plain.len());
        for ((_, raised), plain) in raised.iter().zip(&plain) {
            highest = highest.max(plain.progress);
            prop_assert_eq!((raised.progress, raised.seq, raised.merged), (highest, plain.seq, 0));
            prop_assert_eq!(raised.regressed, plain.regressed);
        }
    }

    #[test]
    fn chains_count_what_every_part_leaves_out(course in rising(), hz in 1.0..100.0_f64) {
        let (came, chain, plain) = play(&course, ms(0), |updates| {
            updates.monotonic().min_change(0.05).throttle(hz)
        });
        assert_counted(&came);
        let left_out = chain.get_ref().get_ref().left_out();
        prop_assert_eq!(sum(came.iter().map(|(_, update)| update)) + left_out, plain.len() as u64);
    }

    #[test]
    fn silences_come_in_pairs_and_all_updates_between(course in course(), after in 1..300_u64) {
        let (came, _, plain) = play(&course, ms(0), |updates| updates.stalled(ms(after)));
        let mut stalled = false;
        let mut seqs = Vec::new();
        for (_, event) in &came {
            match event {
                StallEvent::Update(update) => {
                    prop_assert!(!stalled);
                    seqs.push(update.seq);
                }
                StallEvent::Stalled { silence, .. } => {
                    prop_assert!(!std::mem::replace(&mut stalled, true));
                    prop_assert!(*silence >= ms(after));
                }
                StallEvent::Resumed { silence, .. } => {
                    prop_assert!(std::mem::take(&mut stalled));
                    prop_assert!(*silence >= ms(after));
                }
                other => return Err(TestCaseError::fail(format!("{other:?}"))),
            }
        }
        prop_assert!(!stalled);
        prop_assert!(seqs.iter().copied().eq(1..=plain.len() as u64));
        let long = course.iter().filter(|(pause, ..)| *pause > after + 1).count();
        let told = came.iter().filter(|(_, event)| matches!(event, StallEvent::Stalled { .. })).count();
        let possible = course.iter().filter(|(pause, ..)| *pause + 1 >= after).count();
        prop_assert!((long..=possible).contains(&told), "{} in {}..={}", told, long, possible);
    }
}
