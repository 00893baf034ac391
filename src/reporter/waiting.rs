//! What is to be sent and is not yet.
//!
//! Owns the merging of updates that wait. It must not know when they go out.

use std::collections::VecDeque;

/// How much waits where each update is to go out.
const MAX_ENTRIES: usize = 16_384;
const MAX_TEXT: usize = 1024 * 1024;

/// One update that waits.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) value: f64,
    pub(super) total: Option<f64>,
    pub(super) message: Option<String>,
    /// The value of the update before it, from which its change is counted.
    pub(super) base: Option<f64>,
    /// Whether it brings a total that was not sent before.
    pub(super) new_total: bool,
    /// How many updates were merged into it.
    pub(super) merged: u64,
}

impl Entry {
    /// Whether it changes enough, as a fraction of the total.
    pub(super) fn is_worth(&self, min_change: f64) -> bool {
        let (Some(base), Some(total)) = (self.base, self.total) else {
            return true;
        };
        min_change == 0.0
            || self.new_total
            || self.message.is_some()
            || self.value >= total
            || self.value - base >= min_change * total
    }

    fn text(&self) -> usize {
        self.message.as_ref().map_or(0, String::len)
    }

    /// Puts a later update in the place of this one. A text that has no successor stays.
    fn merge(&mut self, later: Self) {
        self.value = later.value;
        self.total = later.total;
        self.new_total |= later.new_total;
        self.merged += 1 + later.merged;
        if later.message.is_some() {
            self.message = later.message;
        }
    }
}

/// The updates that wait: one where they are paced, a queue where each goes out.
#[derive(Debug)]
pub(super) struct Waiting {
    each: bool,
    min_change: f64,
    entries: VecDeque<Entry>,
    text: usize,
}

impl Waiting {
    pub(super) const fn new(each: bool, min_change: f64) -> Self {
        Self {
            each,
            min_change,
            entries: VecDeque::new(),
            text: 0,
        }
    }

    pub(super) fn front(&self) -> Option<&Entry> {
        self.entries.front()
    }

    /// Adds an update; true where it went into one that waits already.
    pub(super) fn put(&mut self, entry: Entry) -> bool {
        let full = self.entries.len() >= MAX_ENTRIES || self.text + entry.text() > MAX_TEXT;
        match self.entries.back_mut() {
            Some(last) if !self.each || full || !last.is_worth(self.min_change) => {
                self.text -= last.text();
                last.merge(entry);
                self.text += last.text();
                true
            }
            _ => {
                self.text += entry.text();
                self.entries.push_back(entry);
                false
            }
        }
    }

    /// Gives a text to the update that waits last; gives it back where there is none, or one whose own text would be lost
    /// although each update is to go out.
    pub(super) fn attach(&mut self, text: String) -> Result<(), String> {
        match self.entries.back_mut() {
            Some(last) if !self.each || last.message.is_none() => {
                self.text = self.text - last.text() + text.len();
                last.message = Some(text);
                Ok(())
            }
            _ => Err(text),
        }
    }

    /// Gives a total to the update that waits last; false where there is none.
    pub(super) fn set_total(&mut self, total: f64) -> bool {
        let Some(last) = self.entries.back_mut() else {
            return false;
        };
        last.total = Some(total);
        last.new_total = true;
        true
    }

    pub(super) fn take(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        self.text -= entry.text();
        Some(entry)
    }

    /// Puts an update back that could not be sent; true where it went into one that came meanwhile.
    pub(super) fn put_back(&mut self, mut entry: Entry) -> bool {
        if self.each {
            self.text += entry.text();
            self.entries.push_front(entry);
            return false;
        }
        let newer = self.take();
        let merged = newer.is_some();
        if let Some(newer) = newer {
            entry.merge(newer);
        }
        self.text += entry.text();
        self.entries.push_front(entry);
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(value: f64, message: Option<&str>) -> Entry {
        Entry {
            value,
            total: Some(100.0),
            message: message.map(str::to_owned),
            base: Some(0.0),
            new_total: false,
            merged: 0,
        }
    }

    #[test]
    fn paced_updates_merge_and_keep_the_last_text() {
        let mut waiting = Waiting::new(false, 0.0);
        assert_eq!(waiting.attach("x".to_owned()), Err("x".to_owned()));
        assert!(!waiting.put(entry(1.0, Some("a"))));
        assert!(waiting.put(entry(2.0, None)));
        assert!(waiting.put(entry(3.0, Some("b"))));
        assert!(waiting.set_total(200.0));
        let taken = waiting.take().expect("one waits");
        assert_eq!((taken.value, taken.merged), (3.0, 2));
        assert_eq!(taken.message.as_deref(), Some("b"));
        assert_eq!((taken.total, taken.new_total), (Some(200.0), true));
        assert!(waiting.front().is_none() && waiting.text == 0);
    }

    #[test]
    fn a_failed_update_goes_into_the_newer_one() {
        let mut waiting = Waiting::new(false, 0.0);
        assert!(!waiting.put_back(entry(1.0, Some("a"))));
        let first = waiting.take().expect("one waits");
        waiting.put(entry(2.0, None));
        assert!(waiting.put_back(first));
        let taken = waiting.take().expect("one waits");
        assert_eq!(taken.message.as_deref(), Some("a"));
        assert_eq!((taken.value, taken.merged), (2.0, 1));
        assert_eq!(waiting.text, 0);
    }

    #[test]
    fn where_each_goes_out_none_is_lost_until_too_many_wait() {
        let mut waiting = Waiting::new(true, 0.0);
        for value in 0..MAX_ENTRIES {
            assert!(!waiting.put(entry(value as f64, None)));
        }
        assert!(waiting.put(entry(1e6, None)));
        assert_eq!(waiting.attach("x".to_owned()), Ok(()));
        assert_eq!(waiting.attach("y".to_owned()), Err("y".to_owned()));
        let mut texts = Waiting::new(true, 0.0);
        let long = "z".repeat(MAX_TEXT / 2);
        assert!(!texts.put(entry(1.0, Some(&long))));
        assert!(!texts.put(entry(2.0, Some(&long))));
        assert!(texts.put(entry(3.0, Some("!"))));
        assert_eq!(texts.entries.len(), 2);
    }

    #[test]
    fn small_changes_are_worth_nothing_by_themselves() {
        let worth = |entry: &Entry| entry.is_worth(0.01);
        assert!(!worth(&entry(0.9, None)));
        assert!(worth(&entry(1.0, None)));
        assert!(worth(&entry(0.1, Some("a"))));
        let changed = |change: fn(&mut Entry)| {
            let mut entry = entry(0.1, None);
            change(&mut entry);
            entry
        };
        assert!(worth(&changed(|entry| entry.base = None)));
        assert!(worth(&changed(|entry| entry.total = None)));
        assert!(worth(&changed(|entry| entry.new_total = true)));
        assert!(worth(&changed(|entry| entry.total = Some(0.1))));
        assert!(changed(|_| ()).is_worth(0.0));
        let mut waiting = Waiting::new(true, 0.01);
        waiting.put(entry(0.5, None));
        assert!(waiting.put(entry(0.7, None)), "merged though each goes out");
    }
}
