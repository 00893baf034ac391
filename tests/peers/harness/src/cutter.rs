//! Owns the plan of cuts: which answers break, after how many events, how, and how long the client
//! is kept away; and the judging of how it comes back. Must not know what the client makes of it.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    exchanges::{Exchange, Recorder},
    http::Head,
    proxy::{End, Fate, Manner, Request, Watcher},
    sse::Event,
};

/// Where the stream of a call breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// After so many updates that the client has not seen yet.
    pub every: u64,
    /// At most so often.
    pub at_most: usize,
    /// How.
    pub manner: Manner,
    /// If set, so many bytes of the update that would come next are sent as well; more each time, by
    /// as many as the second number says.
    pub partly: Option<(usize, usize)>,
    /// Whether the updates that are passed on go byte by byte.
    pub split: bool,
}

/// One end of a stream without the result, by plan or because the server wanted it, and what the
/// client could know by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// How many updates had been passed on by then, all connections together, repeated ones once.
    pub delivered: u64,
    /// When.
    pub at: Duration,
    /// How many updates the server had sent by then, as far as it noted.
    pub sent: u64,
    /// When the client came back and how many updates had been sent when it was let in.
    pub back: Option<(Duration, u64)>,
    /// How long the server had asked clients to wait.
    pub retry: Duration,
}

/// Counts what the server sends. Given by whoever can read its notes.
pub type Sent = Box<dyn Fn() -> u64 + Send + Sync>;

/// How many updates the server sends while the client is kept away.
const MISSED: u64 = 2;

/// How long it is kept away at most: not every server says what it sends.
const AWAY: Duration = Duration::from_millis(400);

/// Breaks the streams of one call by plan, and writes down all that passes.
pub struct Cutter {
    plan: Plan,
    total: u64,
    sent: Sent,
    record: Recorder,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The exchanges that carry the call, and have not answered it.
    streams: HashSet<u64>,
    call: Value,
    /// New updates passed on since the last cut.
    since_cut: u64,
    /// The last one passed on: the servers count 1, 2, 3, …
    delivered: u64,
    cuts: usize,
    retry: Duration,
    breaks: Vec<Break>,
}

impl std::fmt::Debug for Cutter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cutter")
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

impl Cutter {
    /// A cutter for one call, in which the server has `total` updates to send.
    #[must_use]
    pub fn new(plan: Plan, total: u64, sent: Sent) -> Self {
        Self {
            plan,
            total,
            sent,
            record: Recorder::default(),
            state: Mutex::default(),
        }
    }

    /// How often the plan has cut.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.state().cuts
    }

    /// The breaks so far, the cuts among them.
    #[must_use]
    pub fn breaks(&self) -> Vec<Break> {
        self.state().breaks.clone()
    }

    /// Everything that passed.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.record.exchanges()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client wants to go on: it waits until the server has sent more than it knows.
    fn keep_away(&self) {
        let Some(last) = self.state().breaks.last().copied() else {
            return;
        };
        let came = self.record.now();
        let end = Instant::now() + AWAY;
        let enough = (last.sent + MISSED).min(self.total);
        while (self.sent)() < enough && Instant::now() < end {
            thread::sleep(Duration::from_millis(2));
        }
        let sent = (self.sent)();
        if let Some(last) = self.state().breaks.last_mut() {
            last.back.get_or_insert((came, sent));
        }
    }

    fn update(&self, event: &Event, progress: u64) -> Fate {
        let mut state = self.state();
        let pass = if self.plan.split {
            Fate::Split
        } else {
            Fate::Pass
        };
        if progress <= state.delivered || state.cuts >= self.plan.at_most {
            state.delivered = state.delivered.max(progress);
            return pass;
        }
        if state.since_cut < self.plan.every {
            state.since_cut += 1;
            state.delivered = progress;
            if state.since_cut < self.plan.every || self.plan.partly.is_some() {
                return pass;
            }
        }
        // Either this was the last one to be passed on, or it is the first that is not.
        let kept = match self.plan.partly {
            None => event.length,
            Some((first, step)) => (first + step * state.cuts) % event.length,
        };
        state.since_cut = 0;
        state.cuts += 1;
        Fate::Cut(kept, self.plan.manner)
    }
}

impl Watcher for Cutter {
    fn request(&self, exchange: u64, request: &Request) {
        let message: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let resumes = request.head.field("last-event-id").is_some();
        if message["method"] == "tools/call" {
            self.state().call = message["id"].clone();
        }
        if message["method"] == "tools/call" || resumes {
            self.state().streams.insert(exchange);
        }
        if resumes {
            self.keep_away();
        }
        self.record.request(exchange, request);
    }

    fn head(&self, exchange: u64, head: &Head) {
        self.record.head(exchange, head);
    }

    fn event(&self, exchange: u64, event: &Event) -> Fate {
        self.record.event(exchange, event);
        let mut state = self.state();
        if !state.streams.contains(&exchange) {
            return Fate::Pass;
        }
        if let Some(retry) = event.retry {
            state.retry = Duration::from_millis(retry);
        }
        let message = event.data.as_deref().unwrap_or_default();
        let message: Value = serde_json::from_str(message).unwrap_or_default();
        if message["id"] == state.call && message["method"].is_null() {
            state.streams.remove(&exchange);
        }
        drop(state);
        match message["params"]["progress"].as_f64() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the servers count from 1"
            )]
            Some(progress) => self.update(event, progress as u64),
            None => Fate::Pass,
        }
    }

    fn body(&self, exchange: u64, body: &[u8]) {
        self.record.body(exchange, body);
    }

    fn end(&self, exchange: u64, end: End) {
        self.record.end(exchange, end);
        let sent = (self.sent)();
        let mut state = self.state();
        if state.streams.remove(&exchange) && end != End::ClientClosed {
            let broken = Break {
                delivered: state.delivered,
                at: self.record.now(),
                sent,
                back: None,
                retry: state.retry,
            };
            state.breaks.push(broken);
        }
    }
}

/// All that is wrong with how the client came back after `breaks`: not at all, sooner than it was
/// asked to, or without anything to miss. The last is a fault of the harness, as long as the server
/// had `total` updates to send.
#[must_use]
pub fn judge_returns(breaks: &[Break], total: u64) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, broken) in breaks.iter().enumerate() {
        let Some((back, sent)) = broken.back else {
            faults.push(format!("the client did not come back after break {number}"));
            continue;
        };
        let waited = back.saturating_sub(broken.at);
        // The server's timer and the client's may disagree about a millisecond.
        if waited + Duration::from_millis(5) < broken.retry {
            faults.push(format!(
                "the client came back {} ms after break {number}, asked to wait {}",
                waited.as_millis(),
                broken.retry.as_millis()
            ));
        }
        if sent < (broken.sent + MISSED).min(total) {
            faults.push(format!(
                "only {sent} updates sent at the end of break {number}"
            ));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: Plan = Plan {
        every: 2,
        at_most: usize::MAX,
        manner: Manner::Close,
        partly: None,
        split: false,
    };

    fn request(text: &str, body: &str) -> Request {
        Request {
            head: Head::read(&mut text.as_bytes()).unwrap().unwrap(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn cutter(plan: Plan) -> Cutter {
        let cutter = Cutter::new(plan, 12, Box::new(|| 9));
        let call = r#"{"id":2,"method":"tools/call"}"#;
        cutter.request(1, &request("POST / HTTP/1.1\r\n\r\n", call));
        cutter
    }

    fn event(data: &str) -> Event {
        Event {
            length: 100,
            data: Some(data.to_owned()),
            ..Event::default()
        }
    }

    fn update(progress: u64) -> Event {
        event(&format!(r#"{{"params":{{"progress":{progress}}}}}"#))
    }

    #[test]
    fn only_new_updates_of_the_call_count() {
        let cutter = cutter(PLAN);
        let mut priming = event("");
        priming.retry = Some(150);
        assert_eq!(cutter.event(1, &priming), Fate::Pass);
        for i in 1..6 {
            assert_eq!(cutter.event(2, &update(i)), Fate::Pass);
        }
        assert_eq!(cutter.event(1, &update(1)), Fate::Pass);
        assert_eq!(cutter.event(1, &update(1)), Fate::Pass);
        assert_eq!(cutter.event(1, &update(2)), Fate::Cut(100, Manner::Close));
        assert_eq!(cutter.breaks(), []);
        cutter.end(1, End::Cut);
        cutter.end(2, End::Complete);
        let breaks = cutter.breaks();
        assert_eq!(
            (breaks.len(), breaks[0].delivered, breaks[0].sent),
            (1, 2, 9)
        );
        assert_eq!(breaks[0].retry, Duration::from_millis(150));
        assert_eq!((breaks[0].back, cutter.cuts()), (None, 1));

        let back = request("GET / HTTP/1.1\r\nLast-Event-ID: 7\r\n\r\n", "");
        cutter.request(3, &back);
        assert_eq!(cutter.breaks()[0].back.unwrap().1, 9);
        // A server may repeat what the client has seen.
        assert_eq!(cutter.event(3, &update(2)), Fate::Pass);
        assert_eq!(cutter.event(3, &update(3)), Fate::Pass);
        cutter.event(3, &event(r#"{"id":2,"result":{}}"#));
        cutter.end(3, End::Complete);
        assert_eq!(cutter.breaks().len(), 1);
    }

    #[test]
    fn a_server_may_let_its_client_go_and_a_client_may_leave() {
        let cutter = cutter(PLAN);
        cutter.event(1, &update(1));
        cutter.end(1, End::Complete);
        let breaks = cutter.breaks();
        assert_eq!(
            (breaks.len(), breaks[0].delivered, cutter.cuts()),
            (1, 1, 0)
        );
        let cutter = self::cutter(PLAN);
        cutter.end(1, End::ClientClosed);
        assert_eq!(cutter.breaks(), []);
    }

    #[test]
    fn in_the_middle_of_the_next_and_not_too_often() {
        let plan = Plan {
            partly: Some((95, 7)),
            split: true,
            at_most: 2,
            ..PLAN
        };
        let cutter = cutter(plan);
        let updates = [1, 2, 3, 2, 3, 4, 5, 5, 6, 7, 8];
        let fates: Vec<_> = updates.map(|i| cutter.event(1, &update(i))).to_vec();
        let split = Fate::Split;
        let cut = |at| Fate::Cut(at, Manner::Close);
        let expected = [
            split,
            split,
            cut(95),
            split,
            split,
            split,
            cut(2),
            split,
            split,
            split,
            split,
        ];
        assert_eq!(fates, expected);
        assert_eq!(cutter.cuts(), 2);
    }

    #[test]
    fn returns() {
        let ms = Duration::from_millis;
        let broken = |back| Break {
            delivered: 2,
            at: ms(1000),
            sent: 3,
            back,
            retry: ms(150),
        };
        assert_eq!(judge_returns(&[broken(Some((ms(1150), 5)))], 12), [""; 0]);
        assert_eq!(judge_returns(&[broken(Some((ms(1150), 4)))], 4), [""; 0]);
        let fault = |back| judge_returns(&[broken(back)], 12).concat();
        assert!(fault(None).starts_with("the client did not come back"));
        assert!(fault(Some((ms(1140), 5))).contains("140 ms after break 0, asked to wait 150"));
        assert!(fault(Some((ms(1150), 4))).starts_with("only 4 updates sent"));
    }
}
