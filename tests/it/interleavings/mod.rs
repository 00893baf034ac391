//! Any interleaving of what a client, a server, time and subscribers may do leaves nothing behind, loses nothing and
//! ends every call once: the real client against a model, on a paused clock and one thread.

mod model;
mod world;

use std::time::Duration;

use mcp_progress::{DiagnosticKind, ProgressToken};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};

use model::{Frame, Model};
use world::{Member, Seen, World, drain};

/// The tokens that calls and subscribers share; the last two differ in their JSON type only.
const TOKENS: usize = 3;

fn token(index: usize) -> ProgressToken {
    [
        ProgressToken::from("alpha"),
        ProgressToken::from(7),
        ProgressToken::from("7"),
    ][index]
        .clone()
}

/// How a call's user takes updates.
#[derive(Clone, Copy, Debug)]
enum Form {
    Stream,
    Callback,
    AsyncCallback,
    /// Not at all.
    Plain,
}

impl Form {
    const fn listens(self) -> bool {
        !matches!(self, Self::Plain)
    }
}

/// One thing that happens. Calls and members are chosen among those that there are.
#[derive(Clone, Debug)]
enum Op {
    Start(usize, Form),
    StartAndDrop(usize, Form),
    StartAndCancel(usize),
    Update(usize),
    Respond(usize, bool),
    Cancel(usize),
    Drop(usize),
    Subscribe(usize),
    Get(usize),
    Register(usize),
    Leave(usize),
    Read(usize),
    Unregister(usize),
    /// Until then nothing is read or written, and no call is polled.
    Pass(u64),
    Disconnect,
}

/// How it all ends.
#[derive(Clone, Copy, Debug)]
enum Finish {
    Disconnect,
    Close,
    DropAll,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let form = || {
        prop_oneof![
            Just(Form::Stream),
            Just(Form::Callback),
            Just(Form::AsyncCallback),
            Just(Form::Plain)
        ]
    };
    let token = || 0..TOKENS;
    let op = prop_oneof![
        8 => (token(), form()).prop_map(|(token, form)| Op::Start(token, form)),
        1 => (token(), form()).prop_map(|(token, form)| Op::StartAndDrop(token, form)),
        1 => token().prop_map(Op::StartAndCancel),
        16 => token().prop_map(Op::Update),
        5 => (0..64_usize, any::<bool>()).prop_map(|(call, error)| Op::Respond(call, error)),
        3 => (0..64_usize).prop_map(Op::Cancel),
        3 => (0..64_usize).prop_map(Op::Drop),
        4 => token().prop_map(Op::Subscribe),
        1 => token().prop_map(Op::Get),
        4 => token().prop_map(Op::Register),
        3 => (0..64_usize).prop_map(Op::Leave),
        3 => (0..64_usize).prop_map(Op::Read),
        1 => token().prop_map(Op::Unregister),
        6 => Just(Op::Pass(1)),
        4 => (500..7_000_u64).prop_map(Op::Pass),
        1 => Just(Op::Disconnect),
    ];
    vec(op, 1..50)
}

/// Both sides of the comparison.
struct Run {
    model: Model,
    world: World,
    wire: Vec<Frame>,
    values: f64,
}

impl Run {
    async fn apply(&mut self, op: &Op) {
        let now = self.world.now();
        match *op {
            Op::Start(token, form) => {
                self.model.start(token, form, now);
                self.world.start(token, form);
                self.check_tables();
                self.pass(1).await;
            }
            Op::StartAndDrop(token, form) => {
                let call = self.model.start(token, form, now);
                self.world.start(token, form);
                self.check_tables();
                self.model.drop_call(call);
                self.world.drop_call(call);
            }
            Op::StartAndCancel(token) => {
                let call = self.model.start(token, Form::Stream, now);
                self.world.start(token, Form::Stream);
                self.cancel(call);
            }
            Op::Update(token) => {
                self.values += 1.0;
                let value = self.values;
                self.wire.push(Frame::Update { token, value });
            }
            Op::Respond(call, is_error) => {
                if let Some(call) = self
                    .call(call)
                    .filter(|call| self.model.calls[*call].written)
                {
                    self.wire.push(Frame::Response { call, is_error });
                }
            }
            Op::Cancel(call) => {
                if let Some(call) = self.call(call) {
                    self.cancel(call);
                }
            }
            Op::Drop(call) => {
                if let Some(call) = self.call(call) {
                    self.model.drop_call(call);
                    self.world.drop_call(call);
                }
            }
            Op::Pass(time) => self.pass(time).await,
            Op::Disconnect => self.disconnect().await,
            _ => self.subscribe(op),
        }
        self.check_tables();
    }

    fn subscribe(&mut self, op: &Op) {
        let registry = self.world.client.progress();
        match *op {
            Op::Subscribe(index) => {
                self.model.join(index, true, true);
                let updates = registry.subscribe(&token(index));
                self.world.members.push(Member::Stream(Box::new(updates)));
            }
            Op::Get(index) => {
                let updates = registry.get(&token(index));
                let joined = self.model.join(index, true, false);
                assert_eq!(updates.is_some(), joined.is_some());
                let streams = updates.map(|updates| Member::Stream(Box::new(updates)));
                self.world.members.extend(streams);
            }
            Op::Register(index) => {
                self.model.join(index, false, true);
                self.world.register(index);
            }
            Op::Leave(member) if !self.world.members.is_empty() => {
                let member = member % self.world.members.len();
                self.model.leave(member);
                self.world.leave(member);
            }
            Op::Read(member) if !self.world.members.is_empty() => {
                self.read_stream(member % self.world.members.len());
            }
            Op::Unregister(index) => {
                assert_eq!(
                    registry.unregister(&token(index)),
                    self.model.unregister(index)
                );
            }
            _ => {}
        }
    }

    fn call(&self, call: usize) -> Option<usize> {
        call.checked_rem(self.model.calls.len())
    }

    fn cancel(&mut self, call: usize) {
        // Only the forms with a handle have a button.
        if let Some(canceller) = &self.world.calls[call].canceller {
            assert_eq!(canceller.cancel("enough"), self.model.cancel(call));
        }
    }

    async fn pass(&mut self, time: u64) {
        let now = self.world.now();
        let ids: Vec<i64> = self.model.calls.iter().map(|call| call.id).collect();
        let frames = std::mem::take(&mut self.wire);
        self.model.write(now);
        let heard = if self.model.connected {
            &frames[..]
        } else {
            &[]
        };
        self.model.read(heard, now);
        self.world
            .pass(&frames, &ids, Duration::from_millis(time))
            .await;
        self.model.pass(self.world.now());
        // What a time-out has to say to the server is written now.
        self.world.pass(&[], &ids, Duration::ZERO).await;
        self.check_tables();
        self.check_calls();
        self.check_wire();
    }

    async fn disconnect(&mut self) {
        self.pass(1).await;
        if self.model.connected {
            self.world.disconnect();
            self.model.disconnect(false);
        }
        self.pass(1).await;
    }

    fn check_tables(&self) {
        let stats = self.world.client.stats();
        let expected = (self.model.live(), self.model.registrations());
        assert_eq!(
            (stats.live_calls, stats.registrations),
            expected,
            "live calls, registrations"
        );
        assert_eq!(self.world.client.progress().len(), stats.registrations);
    }

    fn check_calls(&self) {
        for (index, (call, running)) in self.model.calls.iter().zip(&self.world.calls).enumerate() {
            check_seen(&running.seen.borrow(), &call.seen, &format!("call {index}"));
            let outcome = running.outcome.borrow();
            assert_eq!(
                *outcome,
                call.outcome.clone().filter(|_| !call.dropped),
                "call {index}"
            );
        }
        for (index, (member, model)) in self
            .world
            .members
            .iter()
            .zip(&self.model.members)
            .enumerate()
        {
            if let Member::Callback(_, seen) | Member::Gone(seen) = member {
                check_seen(
                    &seen.lock().expect("no callback panics"),
                    &model.seen,
                    &format!("callback {index}"),
                );
            }
        }
        let stats = self.world.client.stats();
        let counts = &self.model.counts;
        let expected = [
            (DiagnosticKind::LateUpdate, counts.late_updates),
            (DiagnosticKind::ForeignUpdate, counts.foreign_updates),
            (DiagnosticKind::LateResponse, counts.late_responses),
            (DiagnosticKind::Retyped, counts.retyped),
        ];
        for (kind, count) in expected {
            assert_eq!(stats.count(kind), count, "{kind}");
        }
        assert_eq!(stats.updates, counts.delivered, "delivered updates");
        assert_eq!(
            stats.diagnostics(),
            expected.map(|(_, count)| count).iter().sum::<u64>()
        );
    }

    fn check_wire(&self) {
        let named =
            |method: &str, member: fn(&serde_json::Value) -> &serde_json::Value, id: i64| {
                let messages = self.world.received.iter();
                let named = messages
                    .filter(|message| message["method"] == method && *member(message) == id);
                named.count()
            };
        for (index, call) in self.model.calls.iter().enumerate() {
            let requests = named("vendor/work", |message| &message["id"], call.id);
            assert_eq!(
                requests,
                usize::from(call.written),
                "requests of call {index}"
            );
            let cancelled = "notifications/cancelled";
            let cancels = named(
                cancelled,
                |message| &message["params"]["requestId"],
                call.id,
            );
            assert_eq!(cancels, call.cancels, "cancels of call {index}");
        }
        let expected: usize = self
            .model
            .calls
            .iter()
            .map(|call| usize::from(call.written) + call.cancels)
            .sum();
        assert_eq!(
            self.world.received.len(),
            expected,
            "{:?}",
            self.world.received
        );
    }

    fn read_stream(&mut self, member: usize) {
        let model = &mut self.model.members[member];
        if let Member::Stream(updates) = &mut self.world.members[member] {
            let seen = drain(updates);
            check_seen(
                &seen,
                &std::mem::take(&mut model.pending),
                &format!("stream {member}"),
            );
            assert_eq!(updates.end(), model.end, "stream {member}");
        }
    }

    async fn finish(mut self, finish: Finish) {
        self.pass(1).await;
        match finish {
            Finish::Disconnect => self.disconnect().await,
            Finish::Close => {
                self.model.disconnect(true);
                self.world.close().await;
                self.pass(1).await;
            }
            Finish::DropAll => {
                for call in 0..self.model.calls.len() {
                    self.model.drop_call(call);
                    self.world.drop_call(call);
                    self.check_tables();
                }
                self.pass(1).await;
            }
        }
        assert_eq!(self.model.live(), 0);
        for member in 0..self.world.members.len() {
            self.read_stream(member);
            self.model.leave(member);
            self.world.leave(member);
            self.check_tables();
        }
        assert_eq!(self.model.registrations(), 0);
    }
}

/// Everything, in order, nothing merged.
fn check_seen(seen: &Seen, expected: &[f64], who: &str) {
    let values: Vec<f64> = seen.iter().map(|update| update.progress).collect();
    assert_eq!(values, expected, "{who}");
    assert!(
        seen.iter()
            .all(|update| update.merged == 0 && !update.regressed),
        "{who}: {seen:?}"
    );
    assert!(seen.is_sorted_by(|a, b| a.seq < b.seq), "{who}: {seen:?}");
}

async fn run(ops: &[Op], finish: Finish) {
    let mut run = Run {
        // The handshake took the first id.
        model: Model::new(2),
        world: World::new().await,
        wire: Vec::new(),
        values: 0.0,
    };
    for op in ops {
        run.apply(op).await;
    }
    run.finish(finish).await;
}

#[test]
fn any_interleaving_ends_every_call_once_and_leaves_nothing() {
    let finish = prop_oneof![
        Just(Finish::Disconnect),
        Just(Finish::Close),
        Just(Finish::DropAll)
    ];
    let default = Config::default();
    let config = Config {
        // More by `PROPTEST_CASES`.
        cases: default.cases.max(1024),
        failure_persistence: None,
        ..default
    };
    let tested = TestRunner::new(config).run(&(ops(), finish), |(ops, finish)| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime");
        // Polled by the test itself, so that what a poll may do is not rationed.
        runtime.block_on(tokio::task::unconstrained(run(&ops, finish)));
        Ok(())
    });
    if let Err(error) = tested {
        panic!("{error}");
    }
}
