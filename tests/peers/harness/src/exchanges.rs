//! Owns the record of what passed through the proxy, and the judging of cancellation in it. Must not
//! know how the client was brought to cancel.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    http::Head,
    proxy::{End, Fate, Request, Watcher},
    sse::Event,
};

/// One request and its answer.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    /// When the request was there.
    pub at: Duration,
    /// Its method.
    pub method: String,
    /// The session it names.
    pub session: Option<String>,
    /// The event after which it wants to go on.
    pub last_event: Option<String>,
    /// The message it carries.
    pub message: Value,
    /// When the head of the answer was there, and its status.
    pub head: Option<(Duration, String)>,
    /// The messages of the answer.
    pub answers: Vec<(Duration, Value)>,
    /// When and how it ended.
    pub end: Option<(Duration, End)>,
}

impl Exchange {
    /// The method of the message that the request carries.
    #[must_use]
    pub fn calls(&self) -> &str {
        self.message["method"].as_str().unwrap_or_default()
    }

    /// One line for a log.
    #[must_use]
    pub fn line(&self) -> String {
        let ms = |at: Duration| at.as_millis();
        let answers = self.answers.iter();
        let answers: Vec<_> = answers
            .map(|(at, answer)| json!([ms(*at), answer]))
            .collect();
        json!({
            "ms": ms(self.at), "method": self.method, "session": self.session,
            "last_event": self.last_event, "message": self.message,
            "head": self.head.as_ref().map(|(at, status)| json!([ms(*at), status])),
            "answers": answers,
            "end": self.end.map(|(at, end)| json!([ms(at), format!("{end:?}")])),
        })
        .to_string()
    }
}

/// Writes down all that passes, and has all of it passed on.
#[derive(Debug)]
pub struct Recorder {
    started: Instant,
    exchanges: Mutex<Vec<(u64, Exchange)>>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            exchanges: Mutex::default(),
        }
    }
}

impl Recorder {
    /// The time on the clock of the record.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// All exchanges, in the order of their requests.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        let exchanges = self.exchanges.lock();
        let exchanges = exchanges.unwrap_or_else(PoisonError::into_inner);
        exchanges
            .iter()
            .map(|(_, exchange)| exchange.clone())
            .collect()
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Exchange, Duration)) {
        let exchanges = self.exchanges.lock();
        let mut exchanges = exchanges.unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        if let Some((_, exchange)) = exchanges.iter_mut().find(|(n, _)| *n == number) {
            change(exchange, now);
        }
    }
}

impl Watcher for Recorder {
    fn request(&self, exchange: u64, request: &Request) {
        let field = |name| request.head.field(name).map(str::to_owned);
        let exchanges = self.exchanges.lock();
        let mut exchanges = exchanges.unwrap_or_else(PoisonError::into_inner);
        let seen = Exchange {
            at: self.now(),
            method: request.head.first_word().to_owned(),
            session: field("mcp-session-id"),
            last_event: field("last-event-id"),
            message: serde_json::from_slice(&request.body).unwrap_or_default(),
            ..Exchange::default()
        };
        exchanges.push((exchange, seen));
    }

    fn head(&self, exchange: u64, head: &Head) {
        let status = head.second_word().to_owned();
        self.change(exchange, |exchange, now| {
            exchange.head = Some((now, status));
        });
    }

    fn event(&self, exchange: u64, event: &Event) -> Fate {
        if let Some(message) = event
            .data
            .as_ref()
            .and_then(|d| serde_json::from_str(d).ok())
        {
            self.change(exchange, |exchange, now| {
                exchange.answers.push((now, message));
            });
        }
        Fate::Pass
    }

    fn body(&self, exchange: u64, body: &[u8]) {
        if let Ok(message) = serde_json::from_slice(body) {
            self.change(exchange, |exchange, now| {
                exchange.answers.push((now, message));
            });
        }
    }

    fn end(&self, exchange: u64, end: End) {
        self.change(exchange, |exchange, now| exchange.end = Some((now, end)));
    }
}

/// How the revision in use tells a server that a call is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// With a notification of its own, posted once the server has begun to answer, or has had a
    /// second to.
    Notification,
    /// By closing the stream of the answer; if a time is given, so long before the client's end.
    Closing(Option<Duration>),
}

/// A request that has not been answered for so long may be cancelled all the same: a second on the
/// client's clock, which starts before the request is here.
const UNANSWERED: Duration = Duration::from_millis(950);

/// All that is wrong with how the one `tools/call` among `exchanges` was cancelled, given when the
/// client ended. Empty when all is well.
#[must_use]
pub fn judge_cancellation(
    exchanges: &[Exchange],
    telling: Telling,
    client_ended: Duration,
) -> Vec<String> {
    let calls: Vec<_> = of_method(exchanges, "tools/call");
    let [call] = calls[..] else {
        return vec![format!("{} tools/call requests on the wire", calls.len())];
    };
    let cancels = of_method(exchanges, "notifications/cancelled");
    match telling {
        Telling::Notification => by_notification(exchanges, call, &cancels),
        Telling::Closing(before) => {
            let latest = before.map(|before| client_ended.saturating_sub(before));
            by_closing(call, &cancels, latest)
        }
    }
}

/// The id of the one call, if there is one.
#[must_use]
pub fn id_of_call(exchanges: &[Exchange]) -> Value {
    let calls = of_method(exchanges, "tools/call");
    calls
        .first()
        .map(|call| call.message["id"].clone())
        .unwrap_or_default()
}

fn of_method<'a>(exchanges: &'a [Exchange], method: &str) -> Vec<&'a Exchange> {
    let named = |exchange: &&Exchange| exchange.calls() == method;
    exchanges.iter().filter(named).collect()
}

fn by_closing(call: &Exchange, cancels: &[&Exchange], latest: Option<Duration>) -> Vec<String> {
    let mut faults = Vec::new();
    if !cancels.is_empty() {
        faults.push(format!(
            "{} notifications/cancelled in a revision where closing says it",
            cancels.len()
        ));
    }
    match call.end {
        Some((at, End::ClientClosed)) => {
            if latest.is_some_and(|latest| at > latest) {
                let at = at.as_millis();
                faults.push(format!("the call's stream was closed late, at {at} ms"));
            }
        }
        other => faults.push(format!(
            "the call's stream was not closed by the client: {other:?}"
        )),
    }
    faults
}

/// `Value` equality keeps 7, "7" and 7.0 apart, which is what "the same type" asks for.
fn by_notification(exchanges: &[Exchange], call: &Exchange, cancels: &[&Exchange]) -> Vec<String> {
    let mut faults = Vec::new();
    if cancels.len() != 1 {
        faults.push(format!(
            "{} notifications/cancelled on the wire",
            cancels.len()
        ));
    }
    let id = &call.message["id"];
    let response = exchanges.iter().flat_map(|exchange| &exchange.answers);
    let mut response = response.filter(|(_, m)| m["id"] == *id && m["method"].is_null());
    let answered = response.next().map(|(at, _)| *at);
    let may_be_told = match call.head {
        Some((at, _)) => at.min(call.at + UNANSWERED),
        None => call.at + UNANSWERED,
    };
    for cancel in cancels {
        let cancelled = &cancel.message["params"]["requestId"];
        if cancelled != id {
            faults.push(format!("requestId is {cancelled}, the call's id is {id}"));
        }
        let opening = |e: &&Exchange| matches!(e.calls(), "initialize" | "server/discover");
        if exchanges
            .iter()
            .filter(opening)
            .any(|e| e.message["id"] == *cancelled)
        {
            faults.push("the opening request was cancelled".to_owned());
        }
        if cancel.message.get("id").is_some() {
            faults.push("the notification has an id".to_owned());
        }
        if cancel.session != call.session {
            faults.push("the notification names another session".to_owned());
        }
        if cancel.at < may_be_told {
            let early = (may_be_told - cancel.at).as_millis();
            faults.push(format!(
                "cancelled {early} ms before the server could know the call"
            ));
        }
        if answered.is_some_and(|at| at < cancel.at) {
            faults.push("cancelled after the response".to_owned());
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn sent(at: u64, message: Value) -> Exchange {
        Exchange {
            at: ms(at),
            method: "POST".to_owned(),
            session: Some("s".to_owned()),
            message,
            head: Some((ms(at + 10), "200".to_owned())),
            ..Exchange::default()
        }
    }

    fn opening() -> Exchange {
        sent(0, json!({"id": 1, "method": "initialize"}))
    }

    fn call() -> Exchange {
        let mut call = sent(100, json!({"id": 2, "method": "tools/call"}));
        call.end = Some((ms(800), End::ClientClosed));
        call
    }

    fn cancel(at: u64, id: Value) -> Exchange {
        let params = json!({"requestId": id});
        sent(
            at,
            json!({"method": "notifications/cancelled", "params": params}),
        )
    }

    fn told(exchanges: &[Exchange]) -> Vec<String> {
        judge_cancellation(exchanges, Telling::Notification, ms(1000))
    }

    fn closed(exchanges: &[Exchange]) -> Vec<String> {
        judge_cancellation(exchanges, Telling::Closing(Some(ms(100))), ms(1000))
    }

    fn the_fault(faults: &[String]) -> &str {
        assert_eq!(faults.len(), 1, "{faults:?}");
        &faults[0]
    }

    #[test]
    fn clean_cancellations() {
        assert_eq!(told(&[opening(), call(), cancel(500, json!(2))]), [""; 0]);
        assert_eq!(closed(&[opening(), call()]), [""; 0]);
        assert_eq!(id_of_call(&[opening(), call()]), 2);
    }

    #[test]
    fn none_two_or_no_call() {
        assert!(the_fault(&told(&[opening(), call()])).starts_with("0 notifications"));
        let two = [call(), cancel(500, json!(2)), cancel(501, json!(2))];
        assert!(the_fault(&told(&two)).starts_with("2 notifications"));
        assert!(the_fault(&told(&[opening()])).starts_with("0 tools/call"));
        assert!(the_fault(&closed(&[call(), call()])).starts_with("2 tools/call"));
    }

    #[test]
    fn the_id_keeps_its_type() {
        let faults = told(&[call(), cancel(500, json!("2"))]);
        assert!(the_fault(&faults).starts_with("requestId is \"2\""));
        let faults = told(&[opening(), call(), cancel(500, json!(1))]);
        assert!(faults.contains(&"the opening request was cancelled".to_owned()));
        let mut asking = cancel(500, json!(2));
        asking.message["id"] = json!(3);
        assert_eq!(
            the_fault(&told(&[call(), asking])),
            "the notification has an id"
        );
        let mut stranger = cancel(500, json!(2));
        stranger.session = None;
        assert!(the_fault(&told(&[call(), stranger])).contains("another session"));
    }

    #[test]
    fn not_before_the_server_knows_the_call() {
        let faults = told(&[call(), cancel(105, json!(2))]);
        assert!(the_fault(&faults).starts_with("cancelled 5 ms before"));
        let mut silent = call();
        silent.head = None;
        let faults = told(&[silent.clone(), cancel(1049, json!(2))]);
        assert!(the_fault(&faults).starts_with("cancelled 1 ms before"));
        assert_eq!(told(&[silent, cancel(1050, json!(2))]), [""; 0]);
    }

    #[test]
    fn not_after_the_response() {
        let mut stream = sent(50, Value::Null);
        stream.answers = vec![(ms(400), json!({"id": 2, "result": {}}))];
        let exchanges = [call(), stream, cancel(500, json!(2))];
        assert_eq!(the_fault(&told(&exchanges)), "cancelled after the response");
        // What the server asks with the same number is no response.
        let mut asked = sent(50, Value::Null);
        asked.answers = vec![(ms(400), json!({"id": 2, "method": "ping"}))];
        assert_eq!(told(&[call(), asked, cancel(500, json!(2))]), [""; 0]);
    }

    #[test]
    fn closing_is_by_the_client_in_time_and_without_words() {
        let faults = closed(&[call(), cancel(500, json!(2))]);
        assert!(the_fault(&faults).starts_with("1 notifications/cancelled in"));
        for end in [
            None,
            Some((ms(800), End::Complete)),
            Some((ms(800), End::ServerClosed)),
        ] {
            let mut other = call();
            other.end = end;
            assert!(the_fault(&closed(&[other])).contains("not closed by the client"));
        }
        let mut late = call();
        late.end = Some((ms(950), End::ClientClosed));
        let exchanges = [late];
        assert!(the_fault(&closed(&exchanges)).contains("closed late, at 950"));
        let any_time = judge_cancellation(&exchanges, Telling::Closing(None), ms(900));
        assert_eq!(any_time, [""; 0]);
    }

    #[test]
    fn the_record() {
        let recorder = Recorder::default();
        let head = |text: &str| Head::read(&mut text.as_bytes()).unwrap().unwrap();
        let request = Request {
            head: head("POST / HTTP/1.1\r\nMCP-Session-Id: s\r\n\r\n"),
            body: call().message.to_string().into_bytes(),
        };
        recorder.request(4, &request);
        recorder.head(4, &head("HTTP/1.1 200 OK\r\n\r\n"));
        let event = |data: &str| Event {
            data: Some(data.to_owned()),
            ..Event::default()
        };
        assert_eq!(recorder.event(4, &event("")), Fate::Pass);
        recorder.event(4, &event("{\"id\":2}"));
        recorder.body(9, b"{}");
        recorder.end(4, End::Complete);
        let seen = recorder.exchanges();
        assert_eq!(seen.len(), 1);
        assert_eq!(
            (seen[0].calls(), seen[0].session.as_deref()),
            ("tools/call", Some("s"))
        );
        assert_eq!(seen[0].head.as_ref().unwrap().1, "200");
        assert_eq!(seen[0].answers.len(), 1);
        assert_eq!(seen[0].end.unwrap().1, End::Complete);
        assert!(seen[0].line().contains("\"Complete\""));
    }
}
