//! Owns the judging and printing of what the two clients received. Must not know how they did.

use crate::{Era, Received, Seen};

/// The default interval in milliseconds, and how much closer two updates may be seen for the ways that they took.
const INTERVAL: u128 = 125;
const JITTER: u128 = 50;

pub(crate) fn print(era: Era, tool: &str, theirs: &Seen, ours: &Seen) {
    println!("{era:?} {tool}");
    for (name, seen) in [("rmcp", theirs), ("ours", ours)] {
        let (head, tail) = seen.updates.split_at(seen.updates.len().min(12));
        let shown: Vec<String> = head.iter().map(text).collect();
        let rest = match tail.last() {
            Some(last) => format!(", … {} more, {}", tail.len(), text(last)),
            None => String::new(),
        };
        let count = seen.updates.len();
        println!(
            "  {name}: {count} updates, {:?}: {}{rest}",
            seen.result,
            shown.join(", ")
        );
    }
}

fn text(update: &Received) -> String {
    let mut text = update.progress.to_string();
    if let Some(total) = update.total {
        text += &format!("/{total}");
    }
    if let Some(message) = &update.message {
        text += &format!(" {message:?}");
    }
    text
}

/// What an update says, without its time.
fn content(update: &Received) -> (f64, Option<f64>, Option<&str>) {
    (update.progress, update.total, update.message.as_deref())
}

pub(crate) fn faults(era: Era, tool: &str, theirs: &Seen, ours: &Seen) -> Vec<String> {
    let mut found = Vec::new();
    let mut fault = |what: String| found.push(format!("{era:?} {tool}: {what}"));
    if theirs.result != ours.result {
        fault(format!(
            "the results differ: {:?} and {:?}",
            theirs.result, ours.result
        ));
    }
    for (name, seen) in [("rmcp", theirs), ("ours", ours)] {
        let rises = |pair: &[Received]| pair[0].progress < pair[1].progress;
        if !seen.updates.windows(2).all(rises) {
            fault(format!("{name} saw a value that does not rise"));
        }
        let count = seen.updates.len();
        let expected = match tool {
            // Four items of a phase and its name, what a hundred calls set, and the end.
            "each" => 106..=106,
            // Something more than a second of work, an eighth between two, and the end.
            "paced" => 7..=12,
            _ => 2..=2,
        };
        if !expected.contains(&count) {
            fault(format!("{name} saw {count} updates, not {expected:?}"));
        }
        if tool == "paced" {
            // The last one goes out with the end, at once.
            let paced = &seen.updates[..count.saturating_sub(1)];
            let early = |pair: &[Received]| pair[1].at - pair[0].at + JITTER < INTERVAL;
            for pair in paced.windows(2).filter(|pair| early(pair)) {
                fault(format!(
                    "{name} saw {} after {} ms",
                    text(&pair[1]),
                    pair[1].at - pair[0].at
                ));
            }
        }
    }
    let same = match tool {
        // Which steps fall together is a matter of time.
        "paced" => {
            let last = |seen: &Seen| seen.updates.last().map(|update| update.progress);
            last(theirs) == Some(100.0) && last(ours) == Some(100.0)
        }
        _ => theirs
            .updates
            .iter()
            .map(content)
            .eq(ours.updates.iter().map(content)),
    };
    if !same {
        fault("the two clients received different updates".to_owned());
    }
    found
}
