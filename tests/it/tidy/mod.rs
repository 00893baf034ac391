//! The rules of this repository, as tests. Each rule is a function from sources to findings, shown on made-up sources that it can fail.
//!
//! `source` and `tree` read, `floors`, `budgets` and `package` judge. Only the standard library is used, so that no tool
//! has to be installed to learn that a rule is broken.

mod budgets;
mod floors;
mod package;
mod source;
mod tree;

/// Compares what a rule found on a made-up source.
#[track_caller]
fn expect(found: Vec<String>, expected: &[&str]) {
    assert_eq!(found, expected);
}
