//! Owns a server that serves HTTP: its start, where it listens, what it noted, and its end. Must
//! not know who calls it.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::channel,
    thread,
    time::Duration,
};

/// How long a server may take until it listens: a cold Python on a busy machine takes several
/// seconds.
const START: Duration = Duration::from_secs(30);

/// A running server. Dropping it ends it; it also ends by itself when this process does, since it
/// watches its standard input.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    path: String,
    notes: PathBuf,
}

impl Server {
    /// Starts what `launcher` launches and waits until it listens. Its notes and its standard error
    /// go into files in `directory`.
    ///
    /// # Errors
    ///
    /// It cannot be started, ends, or does not say in time where it listens.
    pub fn start(launcher: &Path, directory: &Path) -> Result<Self, String> {
        let name = launcher.file_name().unwrap_or_default().to_string_lossy();
        let said = |error: std::io::Error| format!("{name}: {error}");
        fs::create_dir_all(directory).map_err(said)?;
        let notes = directory.join(format!("{name}.server.jsonl"));
        let stderr = directory.join(format!("{name}.stderr.txt"));
        fs::write(&notes, "").map_err(said)?;
        let mut child = Command::new(launcher)
            .env("PEER_PORT", "0")
            .env("PEER_LOG", &notes)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&stderr).map_err(said)?)
            .spawn()
            .map_err(said)?;
        match listening(&mut child) {
            Some((address, path)) => Ok(Self {
                child,
                address,
                path,
                notes,
            }),
            None => {
                // The error that matters is that it does not listen.
                let _ = child.kill();
                let _ = child.wait();
                let stderr = fs::read_to_string(stderr).unwrap_or_default();
                Err(format!("{name} does not listen: {stderr}"))
            }
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL for a client, at `address` instead of the server's own if something stands between.
    #[must_use]
    pub fn url(&self, address: Option<SocketAddr>) -> String {
        format!("http://{}{}", address.unwrap_or(self.address), self.path)
    }

    /// What it noted since it had noted `from` bytes.
    #[must_use]
    pub fn notes(&self, from: usize) -> String {
        let notes = fs::read_to_string(&self.notes).unwrap_or_default();
        notes.get(from..).unwrap_or_default().to_owned()
    }

    /// The file with its notes.
    #[must_use]
    pub fn notes_file(&self) -> &Path {
        &self.notes
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for the line that says where the server listens; whatever follows is read and forgotten,
/// so that the server never waits for its output.
fn listening(child: &mut Child) -> Option<(SocketAddr, String)> {
    let stdout = child.stdout.take()?;
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some(place) = place(&line) {
                // Nobody waits for a second one.
                let _ = sender.send(place);
            }
        }
    });
    receiver.recv_timeout(START).ok()
}

fn place(line: &str) -> Option<(SocketAddr, String)> {
    let rest = line.strip_prefix("listening http://")?;
    let (address, path) = rest.split_at(rest.find('/')?);
    Some((address.parse().ok()?, path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_read() {
        let (address, path) = place("listening http://127.0.0.1:4567/mcp").unwrap();
        assert_eq!((address.port(), path.as_str()), (4567, "/mcp"));
        for other in [
            "listening",
            "listening http://127.0.0.1/mcp",
            "http://127.0.0.1:1/",
        ] {
            assert_eq!(place(other), None, "{other}");
        }
    }
}
