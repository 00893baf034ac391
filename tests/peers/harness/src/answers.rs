//! Owns the judging of one call from the probe's line about it. Must not know who was called.

use serde_json::Value;

use crate::asks::{Call, Updates};

/// What one call showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The revision that was spoken.
    pub negotiated: String,
    /// The kinds of questions, in order.
    pub questions: Vec<String>,
    /// The legs of the updates of progress, in order.
    pub legs: Vec<u64>,
    /// The statuses, each once, in the order of their first coming.
    pub statuses: Vec<String>,
    /// All that is wrong, in words.
    pub faults: Vec<String>,
}

fn texts(value: &Value) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten();
    texts
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

/// Servers write JSON with and without spaces.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

/// Judges what the probe said of `call`, which was to be made in `revision`.
#[must_use]
pub fn judge(line: &Value, call: &Call, revision: &str) -> Answer {
    let mut answer = Answer {
        negotiated: line["negotiated"].as_str().unwrap_or_default().to_owned(),
        questions: texts(&line["questions"]),
        ..Answer::default()
    };
    if line["call"] != call.words.as_str() {
        let fault = format!("the line is about {}, not {}", line["call"], call.words);
        answer.faults.push(fault);
    }
    if answer.negotiated != revision {
        answer.faults.push(format!("spoken: {}", answer.negotiated));
    }
    if answer.questions != call.questions {
        answer.faults.push(format!("asked: {:?}", answer.questions));
    }
    judge_updates(&mut answer, line, call);
    judge_result(&mut answer, line, call);
    answer
}

fn judge_updates(answer: &mut Answer, line: &Value, call: &Call) {
    let updates = line["updates"].as_array().into_iter().flatten();
    let (mut last, mut values) = ((0, 0), Vec::new());
    for update in updates {
        let place = (
            update["leg"].as_u64().unwrap_or(0),
            update["seq"].as_u64().unwrap_or(0),
        );
        if place.0 < last.0 || place.1 <= last.1 || update["regressed"] == true {
            answer.faults.push(format!("out of order: {update}"));
        }
        last = place;
        if update["gap"] == true {
            answer.faults.push(format!("a gap: {update}"));
        }
        match update["kind"].as_str().unwrap_or_default() {
            "progress" => {
                answer.legs.push(place.0);
                values.push(update["progress"].as_f64().unwrap_or(f64::NAN));
            }
            status if !answer.statuses.iter().any(|known| known == status) => {
                answer.statuses.push(status.to_owned());
            }
            _ => {}
        }
    }
    let whole = |count: usize| (1..=count).map(|i| i as f64).collect::<Vec<_>>();
    let right = match &call.updates {
        Updates::Legs(legs) => answer.legs == *legs && values == whole(legs.len()),
        Updates::Some(most) => {
            values
                .iter()
                .all(|value| (1.0..=*most as f64).contains(value))
                && values.is_sorted_by(|one, other| one < other)
        }
    };
    if !right {
        let fault = format!("updates {values:?} of the legs {:?}", answer.legs);
        answer.faults.push(fault);
    }
    if answer.statuses != call.statuses {
        let fault = format!("statuses {:?}", answer.statuses);
        answer.faults.push(fault);
    }
}

fn judge_result(answer: &mut Answer, line: &Value, call: &Call) {
    if let Some(error) = line["error"].as_str() {
        answer.faults.push(error.to_owned());
        return;
    }
    let text = line["text"].as_str().unwrap_or_default();
    if line["failed"] != false {
        answer.faults.push(format!("the tool failed: {text}"));
    }
    let took = line["took_ms"].as_u64().unwrap_or(u64::MAX);
    if call.within_ms.is_some_and(|most| took > most) {
        answer.faults.push(format!("it took {took} ms"));
    }
    for wanted in &call.says {
        if !squeezed(text).contains(wanted) {
            answer.faults.push(format!("no {wanted} in {text}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn call() -> Call {
        Call {
            words: "ask".to_owned(),
            questions: vec!["form"],
            updates: Updates::Legs(vec![1, 2]),
            statuses: Vec::new(),
            says: vec![r#""name":"Grace""#],
            within_ms: Some(100),
        }
    }

    fn line() -> Value {
        json!({
            "call": "ask",
            "negotiated": "2026-07-28",
            "questions": ["form"],
            "updates": [
                {"kind": "progress", "leg": 1, "seq": 1, "progress": 1.0, "gap": false},
                {"kind": "progress", "leg": 2, "seq": 2, "progress": 2.0, "gap": false},
            ],
            "text": r#"{"name": "Grace"}"#,
            "failed": false,
            "took_ms": 100,
        })
    }

    fn faults(line: &Value) -> usize {
        judge(line, &call(), "2026-07-28").faults.len()
    }

    #[test]
    fn a_good_line() {
        let answer = judge(&line(), &call(), "2026-07-28");
        assert_eq!(answer.faults, [""; 0]);
        assert_eq!((answer.legs, answer.questions.len()), (vec![1, 2], 1));
    }

    #[test]
    fn each_member_counts() {
        let changes = [
            ("/call", json!("other")),
            ("/negotiated", json!("2025-11-25")),
            ("/questions", json!([])),
            ("/text", json!("nothing")),
            ("/failed", json!(true)),
            ("/took_ms", json!(101)),
            ("/updates/0/gap", json!(true)),
            ("/updates/1/progress", json!(3.0)),
            ("/updates/1/kind", json!("working")),
        ];
        for (member, value) in changes {
            let mut line = line();
            *line.pointer_mut(member).unwrap() = value;
            assert_ne!(faults(&line), 0, "{member}");
        }
        let mut failed = line();
        failed["error"] = json!("timed out");
        assert_eq!(faults(&failed), 1);
    }

    #[test]
    fn order_counts() {
        for (member, value) in [("seq", 1), ("leg", 0)] {
            let mut line = line();
            line["updates"][1][member] = json!(value);
            assert_ne!(faults(&line), 0, "{member}");
        }
    }

    #[test]
    fn some_updates_of_many() {
        let some = Call {
            updates: Updates::Some(2),
            ..call()
        };
        let faults = |line: &Value| judge(line, &some, "2026-07-28").faults.len();
        assert_eq!(faults(&line()), 0);
        let mut none = line();
        none["updates"] = json!([]);
        assert_eq!(faults(&none), 0);
        let mut falling = line();
        falling["updates"][1]["progress"] = json!(0.5);
        assert_ne!(faults(&falling), 0);
    }
}
