//! Any interleaving of rounds, tasks, cancels, drops and the loss of the connection ends every call once, stops each task
//! that is given up exactly once, and leaves nothing behind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mcp_progress::model::CallToolResult;
use mcp_progress::{Call, Canceller, Client, Error, ProtocolVersion};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::hand::{reply, shaken};
use super::tasks::{HANDSHAKE, MODERN, answering, question};
use crate::peer::{Peer, settle, spawn, update};

const GRACE: Duration = Duration::from_secs(2);

/// What a server may say to the request that is chosen among the open ones.
#[derive(Clone, Copy, Debug)]
enum Word {
    Done,
    Refused,
    /// A task, or that it still works.
    Task,
    Asks,
    CalledOff,
    Nonsense,
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Start {
        grace: bool,
    },
    Say(usize, Word),
    /// The same response once more.
    Repeat(usize),
    Update(usize),
    Cancel(usize),
    Drop(usize),
    Pass(u64),
}

#[derive(Clone, Copy, Debug)]
enum Finish {
    Close,
    Disconnect,
    DropAll,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let word = prop_oneof![
        3 => Just(Word::Done),
        1 => Just(Word::Refused),
        5 => Just(Word::Task),
        4 => Just(Word::Asks),
        1 => Just(Word::CalledOff),
        1 => Just(Word::Nonsense),
    ];
    let op = prop_oneof![
        4 => proptest::bool::ANY.prop_map(|grace| Op::Start { grace }),
        12 => (0..64_usize, word).prop_map(|(open, word)| Op::Say(open, word)),
        2 => (0..64_usize).prop_map(Op::Repeat),
        3 => (0..64_usize).prop_map(Op::Update),
        2 => (0..64_usize).prop_map(Op::Cancel),
        2 => (0..64_usize).prop_map(Op::Drop),
        3 => Just(Op::Pass(60)),
        2 => (500..3_000_u64).prop_map(Op::Pass),
    ];
    vec(op, 1..40)
}

struct Running {
    work: JoinHandle<Result<CallToolResult, Error>>,
    canceller: Canceller,
    token: Value,
    dropped: bool,
    cancelled: bool,
    /// Whether it had no end when it was given up.
    given_up: bool,
}

struct World {
    version: ProtocolVersion,
    client: Client,
    peer: Peer,
    calls: Vec<Running>,
    /// Requests that have no answer yet.
    open: Vec<Value>,
    written: Vec<Value>,
    said: Vec<String>,
    /// The tasks that were created, with the token of their call.
    created: BTreeMap<String, Value>,
    /// Those whose end was told.
    over: BTreeSet<String>,
}

impl World {
    async fn new(version: ProtocolVersion) -> Self {
        let (client, peer) = shaken(version, answering).await;
        Self {
            version,
            client,
            peer,
            calls: Vec::new(),
            open: Vec::new(),
            written: Vec::new(),
            said: Vec::new(),
            created: BTreeMap::new(),
            over: BTreeSet::new(),
        }
    }

    async fn apply(&mut self, op: Op) {
        match op {
            Op::Start { grace } => {
                let request = self.client.call_tool("work", json!({})).as_task(None);
                let request = request.idle_timeout(None).total_timeout(None);
                let grace = if grace { GRACE } else { Duration::ZERO };
                let call: Call<CallToolResult> = request.cancel_grace(grace).start();
                let running = Running {
                    canceller: call.canceller(),
                    token: json!(call.token()),
                    work: spawn(call.result()),
                    dropped: false,
                    cancelled: false,
                    given_up: false,
                };
                self.calls.push(running);
            }
            Op::Say(open, word) if !self.open.is_empty() => {
                let request = self.open.remove(open % self.open.len());
                self.say(&request, word).await;
            }
            Op::Repeat(said) if !self.said.is_empty() => {
                let again = self.said[said % self.said.len()].clone();
                self.peer.send_text(&again).await;
            }
            Op::Update(call) => {
                let calls: Vec<_> = self
                    .written
                    .iter()
                    .filter(|message| message["method"] == "tools/call")
                    .collect();
                if let Some(call) = call.checked_rem(calls.len()) {
                    let update = update(calls[call], 1);
                    self.peer.send(&update).await;
                }
            }
            Op::Cancel(call) => {
                if let Some(call) = call.checked_rem(self.calls.len()) {
                    let call = &mut self.calls[call];
                    let was = call.canceller.cancel("enough");
                    call.given_up |= was;
                    call.cancelled = true;
                }
            }
            Op::Drop(call) => {
                if let Some(call) = call.checked_rem(self.calls.len()) {
                    self.drop_call(call);
                }
            }
            Op::Pass(time) => tokio::time::sleep(Duration::from_millis(time)).await,
            Op::Say(..) | Op::Repeat(_) => {}
        }
        self.read().await;
    }

    fn drop_call(&mut self, call: usize) {
        let call = &mut self.calls[call];
        call.given_up |= !call.work.is_finished();
        call.dropped = true;
        call.work.abort();
    }

    async fn say(&mut self, request: &Value, word: Word) {
        let modern = self.version.is_modern();
        let task = &request["params"]["taskId"];
        let result = match (request["method"].as_str().unwrap_or_default(), word) {
            (_, Word::Refused) => {
                self.peer.refuse(request, -32603, "refused").await;
                return;
            }
            (_, Word::Nonsense) => json!([1]),
            ("tools/call", Word::Task) => {
                let name = format!("task-{}", request["id"]);
                self.created.insert(
                    name.clone(),
                    request["params"]["_meta"]["progressToken"].clone(),
                );
                let state = json!({"taskId": name, "status": "working", "pollIntervalMs": 50, "pollInterval": 50});
                if modern {
                    let mut state = state;
                    state["resultType"] = json!("task");
                    state
                } else {
                    json!({ "task": state })
                }
            }
            ("tools/call", Word::Asks) if modern => json!({
                "resultType": "input_required", "requestState": request["id"],
                "inputRequests": {"a": {"method": "elicitation/create", "params": question()}},
            }),
            ("tools/call", _) => json!({"content": []}),
            ("tasks/get", Word::Done) => {
                let mut state = json!({"taskId": task, "status": "completed"});
                if modern {
                    state["result"] = json!({"content": []});
                    self.over
                        .insert(task.as_str().unwrap_or_default().to_owned());
                }
                state
            }
            ("tasks/get", Word::CalledOff) => {
                self.over
                    .insert(task.as_str().unwrap_or_default().to_owned());
                json!({"taskId": task, "status": "cancelled"})
            }
            ("tasks/get", Word::Asks) => json!({
                "taskId": task, "status": "input_required",
                "inputRequests": {"a": {"method": "elicitation/create", "params": question()}},
            }),
            ("tasks/get", _) => json!({"taskId": task, "status": "working"}),
            _ => json!({"content": []}),
        };
        let line = format!("{}\n", reply(request, &result.to_string()));
        self.peer.send_text(&line).await;
        self.said.push(line);
    }

    /// Takes in what the client has written, and answers at once what only tells something.
    async fn read(&mut self) {
        settle().await;
        loop {
            let line = tokio::time::timeout(Duration::from_millis(1), self.peer.line()).await;
            let Ok(Some(message)) = line else {
                return;
            };
            self.written.push(message.clone());
            match message["method"].as_str().unwrap_or_default() {
                // Nobody reads the answers any more.
                _ if self.client.is_closed() => {}
                "tasks/update" | "tasks/cancel" => self.peer.answer(&message, json!({})).await,
                _ if message["id"].is_null() => {
                    self.open
                        .retain(|open| open["id"] != message["params"]["requestId"]);
                }
                _ => self.open.push(message),
            }
            settle().await;
        }
    }

    async fn finish(mut self, finish: Finish) {
        match finish {
            Finish::DropAll => (0..self.calls.len()).for_each(|call| self.drop_call(call)),
            Finish::Close => {
                for call in &mut self.calls {
                    call.given_up |= !call.work.is_finished();
                }
                self.client.close().await;
            }
            Finish::Disconnect => {}
        }
        self.read().await;
        if let Finish::Disconnect = finish {
            let (_, other) = Peer::pair(1);
            self.peer = other;
        }
        settle().await;
        let stats = self.client.stats();
        let left = (stats.live_calls, stats.registrations, stats.queued_frames);
        assert_eq!(left, (0, 0, 0), "live calls, registrations, frames");
        self.check_signals();
        for call in self.calls {
            assert!(call.work.is_finished(), "a call has no end");
            match call.work.await {
                Ok(_) => {}
                Err(error) => assert!(error.is_cancelled() && call.dropped, "{error}"),
            }
        }
    }

    fn check_signals(&self) {
        let mut ids = BTreeSet::new();
        let mut stopped: BTreeMap<&str, usize> = BTreeMap::new();
        let mut answered = BTreeSet::new();
        for message in &self.written {
            let method = message["method"].as_str().unwrap_or_default();
            if let Some(id) = message["id"].as_i64() {
                assert!(ids.insert((false, id)), "an id is used once: {message}");
            }
            match method {
                "notifications/cancelled" => {
                    let id = message["params"]["requestId"]
                        .as_i64()
                        .expect("an id of ours");
                    assert!(ids.insert((true, id)), "it is told once: {message}");
                }
                "tasks/cancel" => {
                    *stopped
                        .entry(message["params"]["taskId"].as_str().expect("a name"))
                        .or_default() += 1;
                }
                "tasks/update" => {
                    assert!(
                        answered.insert(message["params"].to_string()),
                        "it is answered once"
                    );
                }
                _ => {}
            }
        }
        for (task, token) in &self.created {
            let call = self
                .calls
                .iter()
                .find(|call| call.token == *token)
                .expect("it is of a call");
            let expected = usize::from(call.given_up);
            let told = stopped.remove(&**task).unwrap_or_default();
            let over = self.over.contains(task);
            // A call in its grace may see the end of its task before anything else is to be told.
            assert!(
                told == expected || (told == 1 && call.cancelled) || (told == 0 && over),
                "{task}: {told} times, given up: {expected}"
            );
        }
        assert!(stopped.is_empty(), "{stopped:?} were never created");
    }
}

async fn run(version: ProtocolVersion, ops: &[Op], finish: Finish) {
    let mut world = World::new(version).await;
    for op in ops {
        world.apply(*op).await;
    }
    world.finish(finish).await;
}

#[test]
fn any_interleaving_of_legs_and_tasks_ends_every_call_once_and_stops_each_task_once() {
    let finish = prop_oneof![
        Just(Finish::Disconnect),
        Just(Finish::Close),
        Just(Finish::DropAll)
    ];
    let version = prop_oneof![Just(MODERN), Just(HANDSHAKE)];
    let default = Config::default();
    let config = Config {
        cases: default.cases.max(256),
        failure_persistence: None,
        ..default
    };
    let tested =
        TestRunner::new(config).run(&(version, ops(), finish), |(version, ops, finish)| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .start_paused(true)
                .build()
                .expect("a runtime");
            runtime.block_on(tokio::task::unconstrained(run(version, &ops, finish)));
            Ok(())
        });
    if let Err(error) = tested {
        panic!("{error}");
    }
}
