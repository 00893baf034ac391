//! What is written to both streams, to the letter: the cases are in `cmd/`, the configurations in `config/`.
//!
//! `TRYCMD=overwrite` writes the cases anew; times and tokens must then be made `[..]` again by hand. On Linux only,
//! since the folders of configurations are those of Linux.

use std::env;
use std::path::{Path, PathBuf};

use crate::program::COMMAND;

#[test]
fn every_case_is_as_it_is_written() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/config/home");
    let home = home.to_str().expect("UTF-8").to_owned();
    let cases = trycmd::TestCases::new();
    cases
        .env("HOME", &home)
        .env("XDG_CONFIG_HOME", format!("{home}/.config"))
        .env("PATH", path())
        .env("TERM", "dumb")
        .env("COLUMNS", "80")
        .env("NO_COLOR", "1")
        .env("DEMO_PROGRAM", "mcp-progress")
        .env("REMOTE_TOKEN", "not to be shown")
        .timeout(std::time::Duration::from_secs(60))
        .register_bin("mcp-progress", Path::new(COMMAND));
    cases
        .insert_var("[HOME]", home)
        .expect("a name in brackets");
    cases.case("tests/cli/cmd/*.trycmd");
}

/// The servers of the cases are this command again, by its name.
fn path() -> String {
    let own = Path::new(COMMAND).parent().map(Path::to_path_buf);
    let all = env::var_os("PATH").unwrap_or_default();
    let folders = own.into_iter().chain(env::split_paths(&all));
    let joined = env::join_paths(folders.collect::<Vec<PathBuf>>());
    joined
        .expect("no separator in a folder")
        .into_string()
        .expect("UTF-8")
}
