//! What a stream can show, from what the environment says.
//!
//! Owns `NO_COLOR` and `TERM`. It must not know what is shown.

use std::ffi::OsString;

/// What may be written to a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ability {
    /// Whether the cursor can go back to what was drawn.
    pub(super) bars: bool,
    pub(super) colors: bool,
}

impl Ability {
    /// Of a stream that is a terminal or not, with `variable` for a look into the environment.
    pub(super) fn of(terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let bars = terminal && variable("TERM").is_none_or(|term| term != "dumb");
        // As it is written at no-color.org: any value but an empty one.
        let plain = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            bars,
            colors: bars && !plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ability;

    fn of(terminal: bool, set: &[(&str, &str)]) -> (bool, bool) {
        let variable = |name: &str| {
            let found = set.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        };
        let ability = Ability::of(terminal, variable);
        (ability.bars, ability.colors)
    }

    #[test]
    fn bars_need_a_terminal_that_can_go_back() {
        assert_eq!(of(true, &[("TERM", "xterm-256color")]), (true, true));
        assert_eq!(of(true, &[]), (true, true));
        assert_eq!(of(true, &[("TERM", "dumb")]), (false, false));
        assert_eq!(of(false, &[("TERM", "xterm")]), (false, false));
    }

    #[test]
    fn no_color_is_any_value_but_an_empty_one() {
        assert_eq!(of(true, &[("NO_COLOR", "1")]), (true, false));
        assert_eq!(of(true, &[("NO_COLOR", "0")]), (true, false));
        assert_eq!(of(true, &[("NO_COLOR", "")]), (true, true));
    }
}
