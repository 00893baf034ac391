//! Which line may run when.
//!
//! Owns how lines hang together: who waits for whom, and who is skipped with whom. It must not know calls.

use std::collections::{BTreeSet, HashMap, VecDeque};

use crate::batch::line::{Id, Line};

/// Of a circle so many ids are told.
const TOLD: usize = 12;

/// The lines that may begin, and those that wait.
#[derive(Debug)]
pub(crate) struct Plan {
    nodes: Vec<Node>,
    ready: BTreeSet<usize>,
}

#[derive(Debug, Default)]
struct Node {
    /// So many lines must succeed first.
    waits_for: usize,
    children: Vec<usize>,
    /// Whether it has begun, or will not.
    gone: bool,
}

/// A line that is skipped, because another one did not succeed. Both are places in the list of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub(crate) line: usize,
    pub(crate) parent: usize,
}

impl Plan {
    /// Puts the lines in relation, or says what is wrong with their ids.
    pub(crate) fn new(lines: &[Line]) -> Result<Self, String> {
        let names = names(lines)?;
        let mut nodes: Vec<Node> = lines.iter().map(|_| Node::default()).collect();
        for (at, line) in lines.iter().enumerate() {
            let mut parents = BTreeSet::new();
            for id in &line.after {
                let parent = names.get(id).ok_or_else(|| {
                    format!(
                        "line {}: no line has the id `{id}` that it waits for",
                        line.number
                    )
                })?;
                // A parent that is named twice is one.
                parents.insert(*parent);
            }
            nodes[at].waits_for = parents.len();
            for parent in parents {
                nodes[parent].children.push(at);
            }
        }
        let ready = (0..nodes.len()).filter(|at| nodes[*at].waits_for == 0);
        let plan = Self {
            ready: ready.collect(),
            nodes,
        };
        match plan.cycle(lines) {
            Some(problem) => Err(problem),
            None => Ok(plan),
        }
    }

    /// The first line that may begin, which it does by this.
    pub(crate) fn begin(&mut self) -> Option<usize> {
        let line = self.ready.pop_first()?;
        self.nodes[line].gone = true;
        Some(line)
    }

    /// The line is done: those that waited for it only may begin.
    pub(crate) fn succeed(&mut self, line: usize) {
        for child in std::mem::take(&mut self.nodes[line].children) {
            let node = &mut self.nodes[child];
            node.waits_for -= 1;
            if node.waits_for == 0 && !node.gone {
                self.ready.insert(child);
            }
        }
    }

    /// The line has failed: gives those that waited for it, and those that waited for these, each with the one it waited for.
    pub(crate) fn fail(&mut self, line: usize) -> Vec<Skipped> {
        let mut skipped = Vec::new();
        let mut failed = VecDeque::from([line]);
        while let Some(parent) = failed.pop_front() {
            for line in std::mem::take(&mut self.nodes[parent].children) {
                if !std::mem::replace(&mut self.nodes[line].gone, true) {
                    skipped.push(Skipped { line, parent });
                    failed.push_back(line);
                }
            }
        }
        skipped
    }

    /// No other line will begin: gives all that have not.
    pub(crate) fn stop(&mut self) -> Vec<usize> {
        self.ready.clear();
        let rest = (0..self.nodes.len()).filter(|at| !self.nodes[*at].gone);
        let rest: Vec<_> = rest.collect();
        for line in &rest {
            self.nodes[*line].gone = true;
        }
        rest
    }

    /// What is wrong where lines wait for each other in a circle.
    fn cycle(&self, lines: &[Line]) -> Option<String> {
        let mut waits: Vec<usize> = self.nodes.iter().map(|node| node.waits_for).collect();
        let mut ready: Vec<usize> = self.ready.iter().copied().collect();
        let mut stuck = lines.len();
        while let Some(line) = ready.pop() {
            stuck -= 1;
            for child in &self.nodes[line].children {
                waits[*child] -= 1;
                if waits[*child] == 0 {
                    ready.push(*child);
                }
            }
        }
        if stuck == 0 {
            return None;
        }
        // Each stuck line waits for a stuck one: whoever walks from parent to parent comes by some line twice.
        let mut parents: Vec<Option<usize>> = vec![None; lines.len()];
        for at in (0..lines.len()).rev().filter(|at| waits[*at] > 0) {
            for child in &self.nodes[at].children {
                parents[*child] = Some(at);
            }
        }
        let mut walk = vec![(0..lines.len()).find(|at| waits[*at] > 0)?];
        let mut passed: Vec<Option<usize>> = vec![None; lines.len()];
        let circle = loop {
            let line = *walk.last()?;
            passed[line] = Some(walk.len() - 1);
            let parent = parents[line]?;
            if let Some(begin) = passed[parent] {
                break &walk[begin..];
            }
            walk.push(parent);
        };
        // Told from the line that comes first in the file.
        let first = (0..circle.len()).min_by_key(|at| circle[*at])?;
        let around = circle[first..].iter().chain(&circle[..=first]);
        let name = |line: &usize| lines[*line].id.as_ref().map(ToString::to_string);
        let mut ids: Vec<String> = around.filter_map(name).collect();
        if ids.len() > TOLD {
            // The end is the beginning again, by which it is seen to be a circle.
            let left_out = ids.len() - TOLD;
            ids.splice(TOLD - 1..ids.len() - 1, [format!("({left_out} more)")]);
        }
        Some(format!(
            "line {}: it waits for itself: {}",
            lines[circle[first]].number,
            ids.join(" after ")
        ))
    }
}

/// Where the line of each id is.
fn names(lines: &[Line]) -> Result<HashMap<&Id, usize>, String> {
    let mut names: HashMap<&Id, usize> = HashMap::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(id) = &line.id else {
            continue;
        };
        if let Some(earlier) = names.insert(id, at) {
            return Err(format!(
                "line {}: line {} has the id `{id}` already",
                line.number, lines[earlier].number
            ));
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::{Plan, Skipped};
    use crate::batch::line::{Line, parse_all};

    /// Lines of the form `id: parents`.
    fn lines(text: &str) -> Vec<Line> {
        let line = |line: &str| {
            let (id, after) = line.split_once(':').expect("a colon");
            let after: Vec<&str> = after.split_whitespace().collect();
            serde_json::json!({"tool": "t", "id": id, "after": after}).to_string() + "\n"
        };
        parse_all(&text.split(", ").map(line).collect::<String>()).unwrap()
    }

    fn plan(text: &str) -> Plan {
        Plan::new(&lines(text)).unwrap()
    }

    #[track_caller]
    fn wrong(text: &str, told: &str) {
        assert_eq!(Plan::new(&lines(text)).unwrap_err(), told);
    }

    const fn skipped(line: usize, parent: usize) -> Skipped {
        Skipped { line, parent }
    }

    #[test]
    fn lines_begin_in_order_once_their_parents_are_done() {
        let mut plan = plan("a: d, b:, c: b b, d:");
        assert_eq!(
            (plan.begin(), plan.begin(), plan.begin()),
            (Some(1), Some(3), None)
        );
        plan.succeed(1);
        assert_eq!((plan.begin(), plan.begin()), (Some(2), None));
        plan.succeed(3);
        assert_eq!(plan.begin(), Some(0));
        plan.succeed(0);
        plan.succeed(2);
        assert_eq!((plan.begin(), plan.stop()), (None, vec![]));
    }

    #[test]
    fn all_parents_are_waited_for() {
        let mut plan = plan("a:, b:, c: a b");
        assert_eq!((plan.begin(), plan.begin()), (Some(0), Some(1)));
        plan.succeed(1);
        assert_eq!(plan.begin(), None);
        plan.succeed(0);
        assert_eq!(plan.begin(), Some(2));
    }

    #[test]
    fn a_failure_takes_its_descendants_with_it() {
        let mut plan = plan("a:, b: a, c: b, d: a, e:, f: e c, g: e");
        assert_eq!((plan.begin(), plan.begin()), (Some(0), Some(4)));
        assert_eq!(
            plan.fail(0),
            [skipped(1, 0), skipped(3, 0), skipped(2, 1), skipped(5, 2)]
        );
        // Whoever is skipped does not begin, whatever else succeeds; and is skipped once.
        plan.succeed(4);
        assert_eq!((plan.begin(), plan.begin()), (Some(6), None));
        assert_eq!((plan.fail(6), plan.stop()), (vec![], vec![]));
        let mut plan = super::tests::plan("a:, b:, c: a b");
        assert_eq!((plan.begin(), plan.begin()), (Some(0), Some(1)));
        assert_eq!((plan.fail(1), plan.fail(0)), (vec![skipped(2, 1)], vec![]));
    }

    #[test]
    fn what_is_stopped_does_not_begin() {
        let mut plan = plan("a:, b:, c: a, d: c");
        assert_eq!(plan.begin(), Some(0));
        assert_eq!(plan.stop(), [1, 2, 3]);
        plan.succeed(0);
        assert_eq!((plan.begin(), plan.stop()), (None, vec![]));
    }

    #[test]
    fn ids_must_be_there_and_be_one() {
        wrong(
            "a:, b: x",
            "line 2: no line has the id `x` that it waits for",
        );
        wrong("a:, b:, a:", "line 3: line 1 has the id `a` already");
    }

    #[test]
    fn circles_are_told_with_their_way() {
        wrong("a: a", "line 1: it waits for itself: a after a");
        wrong(
            "x:, a: x c, b: a, c: b, d: c",
            "line 2: it waits for itself: a after c after b after a",
        );
        // Whoever hangs on a circle is none of it.
        wrong(
            "d: b, a: b, b: a, e: d",
            "line 2: it waits for itself: a after b after a",
        );
    }

    #[test]
    fn a_long_circle_is_told_in_short() {
        let line = |at: usize| format!("{at}: {}", (at + 1) % 50_000);
        let text: Vec<String> = (0..50_000).map(line).collect();
        let way: Vec<String> = (0..11).map(|at| at.to_string()).collect();
        wrong(
            &text.join(", "),
            &format!(
                "line 1: it waits for itself: {} after (49989 more) after 0",
                way.join(" after ")
            ),
        );
    }
}
