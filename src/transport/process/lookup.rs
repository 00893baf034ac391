//! Where a program is found.
//!
//! Owns the look-up on Windows: the standard library looks only for `.exe` files, and the launchers of Node.js are
//! `.cmd` files. It must not know how a program is started.

use std::ffi::OsStr;
#[cfg(windows)]
use std::ffi::OsString;
use std::path::Path;
#[cfg(any(windows, test))]
use std::path::PathBuf;

/// The file that `program` stands for, or `program` as it is.
#[cfg(windows)]
pub(crate) fn program(program: &OsStr, env: &[(OsString, OsString)]) -> OsString {
    let var = |wanted: &str| {
        let mut set = env.iter().rev();
        set.find(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.clone())
            .or_else(|| std::env::var_os(wanted))
    };
    let path = var("PATH").unwrap_or_default();
    let extensions = var("PATHEXT").unwrap_or_else(|| ".COM;.EXE;.BAT;.CMD".into());
    find(program, &path, &extensions, |file| file.is_file())
        .map_or_else(|| program.to_owned(), PathBuf::into_os_string)
}

/// Walks `path` and, in each directory, `extensions` (separated by semicolons). A name with an
/// extension is left to the system. The working directory is not searched: it may not be
/// trusted.
#[cfg(any(windows, test))]
pub(crate) fn find(
    program: &OsStr,
    path: &OsStr,
    extensions: &OsStr,
    is_file: impl Fn(&Path) -> bool,
) -> Option<PathBuf> {
    if Path::new(program).extension().is_some() {
        return None;
    }
    let mut dirs: Vec<PathBuf> = std::env::split_paths(path).collect();
    dirs.retain(|dir| !dir.as_os_str().is_empty());
    if has_directory(program) {
        dirs = vec![PathBuf::new()];
    }
    let extensions = extensions.to_string_lossy();
    let extensions = extensions.split(';').filter(|text| !text.is_empty());
    dirs.iter()
        .flat_map(|dir| extensions.clone().map(move |text| (dir, text)))
        .map(|(dir, extension)| {
            let mut file = dir.join(program).into_os_string();
            file.push(extension);
            PathBuf::from(file)
        })
        .find(|file| is_file(file))
}

/// Whether a program is named with its directory.
pub(super) fn has_directory(program: &OsStr) -> bool {
    Path::new(program).components().nth(1).is_some()
}
