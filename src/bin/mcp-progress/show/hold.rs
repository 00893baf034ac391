//! What waits while somebody is asked at the terminal.
//!
//! Owns the open prompt and the lines that come meanwhile. It must not know what is asked, nor streams.

use std::collections::VecDeque;

/// So many lines are kept; of more, the oldest go and are counted.
const KEPT: usize = 1_000;

/// An open question: its prompt, and what is to be written once it is over.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    open: Option<Open>,
}

#[derive(Debug, Default)]
struct Open {
    prompt: String,
    lines: VecDeque<String>,
    left_out: u64,
}

impl Waiting {
    /// From now on lines wait.
    pub(crate) fn begin(&mut self) {
        self.open.get_or_insert_default();
    }

    pub(crate) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// This stands on the terminal now, with the cursor behind it.
    pub(crate) fn prompted(&mut self, prompt: &str) {
        if let Some(open) = &mut self.open {
            prompt.clone_into(&mut open.prompt);
        }
    }

    /// What stands on the line of the cursor; empty where nothing does.
    pub(crate) fn prompt(&self) -> &str {
        self.open.as_ref().map_or("", |open| &open.prompt)
    }

    /// Keeps a line for later; gives it back where nobody is asked.
    pub(crate) fn keep(&mut self, line: String) -> Option<String> {
        let Some(open) = &mut self.open else {
            return Some(line);
        };
        if open.lines.len() == KEPT {
            open.lines.pop_front();
            open.left_out += 1;
        }
        open.lines.push_back(line);
        None
    }

    /// Ends the question, and gives what is to be written now.
    pub(crate) fn end(&mut self) -> Vec<String> {
        let Some(open) = self.open.take() else {
            return Vec::new();
        };
        let mut lines = Vec::with_capacity(open.lines.len() + 1);
        if open.left_out > 0 {
            lines.push(format!("({} lines were left out)", open.left_out));
        }
        lines.extend(open.lines);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Waiting};

    #[test]
    fn lines_wait_for_the_end() {
        let mut waiting = Waiting::default();
        assert_eq!(waiting.keep("now".to_owned()), Some("now".to_owned()));
        waiting.begin();
        waiting.prompted("name: ");
        assert_eq!(waiting.keep("later".to_owned()), None);
        assert_eq!((waiting.is_open(), waiting.prompt()), (true, "name: "));
        assert_eq!(waiting.end(), ["later"]);
        assert_eq!((waiting.is_open(), waiting.prompt()), (false, ""));
        assert!(waiting.end().is_empty());
    }

    #[test]
    fn the_oldest_go_first() {
        let mut waiting = Waiting::default();
        waiting.begin();
        for number in 0..KEPT + 2 {
            waiting.keep(number.to_string());
        }
        let lines = waiting.end();
        assert_eq!(lines.len(), KEPT + 1);
        assert_eq!(lines[0], "(2 lines were left out)");
        assert_eq!(lines[1], "2");
    }
}
