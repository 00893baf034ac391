//! Owns the reading of command line options. Knows nothing of what they mean.

use std::{collections::VecDeque, ffi::OsString, path::PathBuf};

/// The arguments not yet consumed.
#[derive(Debug)]
pub struct Options {
    rest: VecDeque<OsString>,
}

impl Options {
    /// The arguments of this process, without its name.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            rest: std::env::args_os().skip(1).collect(),
        }
    }

    /// The next option's name, or `None` at the end.
    ///
    /// # Errors
    ///
    /// The argument is not Unicode.
    pub fn name(&mut self) -> Result<Option<String>, String> {
        self.rest
            .pop_front()
            .map(OsString::into_string)
            .transpose()
            .map_err(|bad| format!("what is {bad:?}?"))
    }

    /// The value that belongs to the option `name`.
    ///
    /// # Errors
    ///
    /// There is none, or it is not Unicode.
    pub fn text(&mut self, name: &str) -> Result<String, String> {
        self.name()?.ok_or_else(|| format!("{name} needs a value"))
    }

    /// The path that belongs to the option `name`.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn path(&mut self, name: &str) -> Result<PathBuf, String> {
        let value = self.rest.pop_front();
        value
            .map(PathBuf::from)
            .ok_or_else(|| format!("{name} needs a path"))
    }

    /// Everything that is left, as it is.
    pub fn remaining(&mut self) -> Vec<OsString> {
        self.rest.drain(..).collect()
    }
}
