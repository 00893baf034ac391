//! The machine by itself, on a clock of the test's own: what no order of calls, pauses and failures may break.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::config::ReporterConfig;
use super::machine::{Machine, Settled, Step};
use super::sink::SinkError;
use super::telemetry::Outcome;
use super::waiting::Entry;

#[derive(Clone, Debug)]
enum Call {
    Set(u8),
    Advance(u8),
    Message,
    Total(u8),
    Reach(u8),
    Pass(u16),
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        any::<u8>().prop_map(Call::Set),
        (0..9_u8).prop_map(Call::Advance),
        Just(Call::Message),
        any::<u8>().prop_map(Call::Total),
        (0..=100_u8).prop_map(Call::Reach),
        (0..300_u16).prop_map(Call::Pass),
    ]
}

/// A driver without a task: it is woken exactly when the machine wants it, and every send fails that the plan says.
struct World {
    machine: Machine,
    now: Instant,
    /// The driver sleeps until then, or until it is woken.
    asleep: Option<Option<Instant>>,
    failures: Vec<bool>,
    sent: Vec<(Instant, Entry)>,
    over: bool,
}

impl World {
    fn new(config: ReporterConfig, failures: Vec<bool>) -> Self {
        let mut machine = Machine::new(config).expect("the options make sense");
        let _ = machine.start(None);
        #[expect(clippy::disallowed_methods, reason = "any moment will do")]
        let now = Instant::now();
        Self {
            machine,
            now,
            asleep: None,
            failures,
            sent: Vec::new(),
            over: false,
        }
    }

    fn run(&mut self) {
        while !self.over && self.asleep.is_none() {
            match self.machine.step(self.now) {
                Step::Send(entry) => {
                    let fails = self.failures.pop().unwrap_or(false);
                    let result = if fails {
                        Err(SinkError::transient("busy"))
                    } else {
                        Ok(())
                    };
                    let settled = self.machine.settle(result, 0.5, self.now);
                    if matches!(settled, Some(Settled::Sent { .. })) {
                        self.sent.push((self.now, entry));
                    }
                }
                Step::Tell(_) => {}
                Step::Sleep(until) => self.asleep = Some(Some(until)),
                Step::Wait => self.asleep = Some(None),
                Step::Over => self.over = true,
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        self.run();
        while let Some(Some(until)) = self
            .asleep
            .filter(|until| until.is_some_and(|until| until <= end))
        {
            self.now = until;
            self.asleep = None;
            self.run();
        }
        self.now = end;
    }

    fn call(&mut self, call: &Call) {
        let effect = match *call {
            Call::Set(value) => self.machine.set(value.into()),
            Call::Advance(delta) => self.machine.advance(delta.into()),
            Call::Message => self.machine.message("text".to_owned()),
            Call::Total(total) => self.machine.set_total(total.into()),
            Call::Reach(percent) => self.machine.reach(f64::from(percent) / 100.0),
            Call::Pass(time) => return self.pass(Duration::from_millis(time.into())),
        };
        if effect.is_ok_and(|effect| effect.wake) {
            self.asleep = None;
            self.run();
        }
    }
}

proptest! {
    #[test]
    fn no_order_of_calls_breaks_the_rules(
        calls in prop::collection::vec(call(), 0..60),
        failures in prop::collection::vec(any::<bool>(), 0..12),
        hz in prop_oneof![Just(0.0), Just(8.0)],
        min_change in prop_oneof![Just(0.0), Just(0.05)],
        finish in any::<bool>(),
    ) {
        let config = ReporterConfig::new().emit_hz(hz).min_change(min_change);
        let fails = failures.iter().any(|fails| *fails);
        let mut world = World::new(config, failures);
        world.run();
        for call in &calls {
            world.call(call);
            // Whoever is not woken must not be needed: asked, the machine says what it said before.
            let expected = world.asleep.expect("asleep between calls");
            let step = world.machine.step(world.now);
            let said = match step {
                Step::Wait => None,
                Step::Sleep(until) => Some(until),
                step => return Err(TestCaseError::fail(format!("{step:?} is overdue"))),
            };
            prop_assert_eq!(said, expected);
        }
        let held = world.machine.figures();
        let paced = world.sent.len();
        let outcome = if finish { Outcome::Completed } else { Outcome::Cancelled };
        let effect = world.machine.close(outcome, None).expect("is open");
        prop_assert!(effect.wake);
        world.asleep = None;
        world.pass(Duration::from_secs(3_600));
        prop_assert!(world.over, "the driver comes to an end");
        prop_assert!(world.machine.set(1e9).is_err());

        let values: Vec<f64> = world.sent.iter().map(|(_, entry)| entry.value).collect();
        prop_assert!(values.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", values);
        if hz > 0.0 {
            for pair in world.sent[..paced].windows(2) {
                prop_assert!(pair[1].0 - pair[0].0 >= Duration::from_millis(125));
            }
        }
        let (_, counts, lost) = world.machine.summary();
        prop_assert_eq!(counts.accepted, counts.emitted + counts.merged + counts.given_up);
        prop_assert_eq!(counts.emitted, values.len() as u64);
        if hz == 0.0 && min_change == 0.0 && !fails {
            prop_assert_eq!(counts.merged, 0);
        }
        if lost.is_none() {
            // Whatever was held is out: the last value, or the total that finishing comes to.
            let goal = held.total().filter(|total| finish && Some(*total) > held.value());
            let expected = goal.or_else(|| held.value());
            let last = values.last().copied();
            prop_assert!(last >= expected, "{:?} {:?}", last, expected);
            let texts = world.sent.iter().filter(|(_, entry)| entry.message.is_some());
            let said = calls.iter().any(|call| matches!(call, Call::Message));
            prop_assert_eq!(said, texts.count() > 0);
        }
    }
}
