//! Owns the list of servers, the revisions each of them serves, and the calls they are asked for.
//! Must not know how a command is run or judged.

/// The revisions that open with `initialize`, oldest first.
const HANDSHAKE: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
/// The revision without a handshake.
const MODERN: &str = "2026-07-28";
/// Lets the client find out.
const AUTO: &str = "auto";

/// What lies between the client and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// Standard input and output.
    Stdio,
    /// Streamable HTTP.
    Http,
    /// The transport of 2024-11-05, with two addresses.
    HttpSse,
}

/// What a server makes of a cancellation over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notices {
    /// It acts on the notification.
    Word,
    /// It acts on the end of the connection.
    Closing,
    /// The call runs on.
    Nothing,
}

/// What a server does in the revisions with a handshake, or in the one without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Era {
    /// Whether it sends updates. One that answers with plain JSON has no way to.
    pub updates: bool,
    /// What it makes of a cancellation.
    pub notices: Notices,
    /// Whether it shows every few milliseconds that it is alive.
    pub keeps_alive: bool,
}

/// One server, installed as `<peers dir>/bin/<name>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its name in tables and below `bin/`.
    pub name: &'static str,
    /// What lies between.
    pub wire: Wire,
    /// Whether it is one of ours (tools `count` and `slow`), not a finished one from a registry.
    pub ours: bool,
    /// Whether it acts on what stood before the end of its input or of the session; rmcp 3.9.0 ends
    /// without, most of the time.
    pub acts_before_end: bool,
    /// With a handshake.
    pub handshake: Era,
    /// Without, if it serves that revision.
    pub modern: Option<Era>,
}

const fn era(notices: Notices) -> Era {
    Era {
        updates: true,
        notices,
        keeps_alive: false,
    }
}

/// Of a server that answers with plain JSON.
const fn json(notices: Notices) -> Era {
    Era {
        updates: false,
        ..era(notices)
    }
}

/// Of a server that keeps its streams alive.
const fn alive(notices: Notices) -> Era {
    Era {
        keeps_alive: true,
        ..era(notices)
    }
}

const WORD: Era = era(Notices::Word);
const CLOSING: Era = era(Notices::Closing);

const fn peer(name: &'static str, wire: Wire, handshake: Era, modern: Option<Era>) -> Peer {
    Peer {
        name,
        wire,
        ours: true,
        acts_before_end: true,
        handshake,
        modern,
    }
}

const fn stdio(name: &'static str, modern: Option<Era>) -> Peer {
    peer(name, Wire::Stdio, WORD, modern)
}

const fn http(name: &'static str, handshake: Era, modern: Option<Era>) -> Peer {
    peer(name, Wire::Http, handshake, modern)
}

const fn http_sse(name: &'static str) -> Peer {
    peer(name, Wire::HttpSse, WORD, None)
}

const fn finished(peer: Peer) -> Peer {
    Peer {
        ours: false,
        ..peer
    }
}

const fn hasty(peer: Peer) -> Peer {
    Peer {
        acts_before_end: false,
        ..peer
    }
}

/// All servers, in the order of the table.
pub const PEERS: [Peer; 24] = [
    finished(stdio("everything", None)),
    stdio("ts1", None),
    stdio("py1", None),
    stdio("ts2", Some(WORD)),
    stdio("py2", Some(WORD)),
    hasty(stdio("rmcp", Some(WORD))),
    finished(http("everything-http", WORD, None)),
    finished(http_sse("everything-sse")),
    http("ts1-http", WORD, None),
    http("ts1-stateless", era(Notices::Nothing), None),
    http("ts1-json", json(Notices::Word), None),
    http_sse("ts1-sse"),
    http("py1-http", WORD, None),
    http("py1-json", json(Notices::Word), None),
    http_sse("py1-sse"),
    http("ts2-http", CLOSING, Some(CLOSING)),
    http("ts2-json", CLOSING, Some(json(Notices::Closing))),
    http(
        "ts2-keepalive",
        alive(Notices::Closing),
        Some(alive(Notices::Closing)),
    ),
    http("py2-http", WORD, Some(CLOSING)),
    http(
        "py2-json",
        json(Notices::Word),
        Some(json(Notices::Nothing)),
    ),
    http_sse("py2-sse"),
    hasty(http("rmcp-http", WORD, Some(CLOSING))),
    hasty(http("rmcp-keepalive", alive(Notices::Word), Some(CLOSING))),
    hasty(http("rmcp-stateless", CLOSING, Some(CLOSING))),
];

/// Servers that have tasks of 2026-07-28, and no tool but `job`: only `peer-asks` and `peer-tasks` know them.
pub const TASK_PEERS: [Peer; 4] = [
    stdio("fm4", Some(WORD)),
    stdio("tower", Some(WORD)),
    http("fm4-http", WORD, Some(CLOSING)),
    http("tower-http", WORD, Some(CLOSING)),
];

/// One call the client is told to make, and what a faithful run of it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Tool and arguments, as the command line wants them.
    pub call: Vec<String>,
    /// How many updates the server sends: 1, 2, … of this total.
    pub updates: u64,
    /// Whether update `i` carries the message `step i`.
    pub messages: bool,
    /// A text that the result contains.
    pub says: String,
}

impl Peer {
    /// The values of `--protocol` this server is asked with.
    #[must_use]
    pub fn asked(self) -> Vec<&'static str> {
        let mut asked = match self.wire {
            Wire::Stdio | Wire::Http => HANDSHAKE.to_vec(),
            Wire::HttpSse => HANDSHAKE[..1].to_vec(),
        };
        if self.modern.is_some() {
            asked.push(MODERN);
        }
        asked.push(AUTO);
        asked
    }

    /// One revision of each era the server knows: enough where only the era matters.
    #[must_use]
    pub fn eras(self) -> Vec<&'static str> {
        let mut eras = match self.wire {
            Wire::Stdio | Wire::Http => vec![HANDSHAKE[3]],
            Wire::HttpSse => vec![HANDSHAKE[0]],
        };
        if self.modern.is_some() {
            eras.push(MODERN);
        }
        eras
    }

    /// Whether this server and a client that asks for `asked` end up without a handshake.
    #[must_use]
    pub fn is_modern(self, asked: &str) -> bool {
        self.modern.is_some() && (asked == MODERN || asked == AUTO)
    }

    /// What it does for a client that asks for `asked`.
    #[must_use]
    pub fn era(self, asked: &str) -> Era {
        match self.modern {
            Some(modern) if self.is_modern(asked) => modern,
            _ => self.handshake,
        }
    }

    /// The calls made for one row of the table: a burst that outruns any terminal, a slow walk, and,
    /// where the server keeps streams alive, a silence longer than the client would bear.
    #[must_use]
    pub fn workloads(self, asked: &str) -> Vec<Workload> {
        let mut workloads = if self.ours {
            vec![count(200, 0), count(5, 20)]
        } else {
            vec![long_running(1, 5)]
        };
        let era = self.era(asked);
        if !era.updates {
            for workload in &mut workloads {
                workload.updates = 0;
            }
        }
        if era.keeps_alive {
            workloads.push(silence(900, 300));
        }
        workloads
    }
}

/// The tool of the servers that are ours.
#[must_use]
pub fn count(steps: u64, delay_ms: u64) -> Workload {
    Workload {
        call: vec![
            "count".to_owned(),
            format!("steps:={steps}"),
            format!("delay_ms:={delay_ms}"),
        ],
        updates: steps,
        messages: true,
        says: format!("counted {steps}"),
    }
}

/// A call without an update, of which the client knows by keep-alives only that it goes on.
fn silence(ms: u64, idle_ms: u64) -> Workload {
    Workload {
        call: vec![
            "slow".to_owned(),
            format!("ms:={ms}"),
            "silent:=true".to_owned(),
            "--idle-timeout".to_owned(),
            format!("{idle_ms}ms"),
        ],
        updates: 0,
        messages: false,
        says: format!("took {ms} ms"),
    }
}

/// The tool of server-everything.
#[must_use]
pub fn long_running(seconds: u64, steps: u64) -> Workload {
    Workload {
        call: vec![
            "trigger-long-running-operation".to_owned(),
            format!("duration:={seconds}"),
            format!("steps:={steps}"),
        ],
        updates: steps,
        messages: false,
        says: format!("Steps: {steps}"),
    }
}

/// The servers whose name is in `only`, or all of them if `only` is empty.
///
/// # Errors
///
/// A name that no server has.
pub fn chosen(only: &[String]) -> Result<Vec<Peer>, String> {
    chosen_of(&PEERS, only)
}

/// The servers of `peers` whose name is in `only`, or all of them if `only` is empty.
///
/// # Errors
///
/// A name that no server has.
pub fn chosen_of(peers: &[Peer], only: &[String]) -> Result<Vec<Peer>, String> {
    if let Some(unknown) = only
        .iter()
        .find(|name| peers.iter().all(|peer| peer.name != *name))
    {
        return Err(format!("there is no server named {unknown}"));
    }
    Ok(peers
        .iter()
        .copied()
        .filter(|peer| only.is_empty() || only.iter().any(|o| o == peer.name))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(name: &str) -> Peer {
        chosen(&[name.to_owned()]).unwrap()[0]
    }

    #[test]
    fn what_is_asked() {
        assert_eq!(peer("ts1-sse").asked(), ["2024-11-05", "auto"]);
        assert_eq!(
            peer("ts2-http").asked(),
            [
                "2024-11-05",
                "2025-03-26",
                "2025-06-18",
                "2025-11-25",
                "2026-07-28",
                "auto"
            ]
        );
        assert_eq!(peer("ts1").asked().len(), 5);
        assert_eq!(peer("py2-sse").eras(), ["2024-11-05"]);
        assert!(chosen(&["ts9".to_owned()]).is_err());
    }

    #[test]
    fn plain_json_has_no_updates() {
        let updates = |name: &str, asked: &str| peer(name).workloads(asked)[0].updates;
        assert_eq!(updates("ts2-json", "2025-11-25"), 200);
        assert_eq!(updates("ts2-json", "2026-07-28"), 0);
        assert_eq!(updates("ts2-json", "auto"), 0);
        assert_eq!(updates("ts1-json", "auto"), 0);
        assert_eq!(updates("py2-json", "2025-03-26"), 0);
        assert_eq!(updates("py2-http", "auto"), 200);
        assert_eq!(peer("rmcp-keepalive").workloads("2025-11-25").len(), 3);
        assert_eq!(peer("rmcp-keepalive").workloads("auto").len(), 2);
    }
}
