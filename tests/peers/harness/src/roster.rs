//! Owns the list of servers, the revisions each of them serves, and the calls they are asked for.
//! Must not know how a command is run or judged.

/// The revisions that open with `initialize`, oldest first.
const HANDSHAKE: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
/// The revision without a handshake.
const MODERN: &str = "2026-07-28";
/// Lets the client find out.
const AUTO: &str = "auto";

/// One server, installed as `<peers dir>/bin/<name>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its name in tables and below `bin/`.
    pub name: &'static str,
    /// Whether it serves the revision without a handshake as well.
    pub modern: bool,
    /// Whether it is one of ours (tools `count` and `slow`), not a finished one from a registry.
    pub ours: bool,
    /// Whether it acts on what stood before the end of its input; rmcp 3.9.0 ends without, most of the time.
    pub acts_before_end: bool,
}

/// All servers, in the order of the table.
pub const PEERS: [Peer; 6] = [
    Peer {
        name: "everything",
        modern: false,
        ours: false,
        acts_before_end: true,
    },
    Peer {
        name: "ts1",
        modern: false,
        ours: true,
        acts_before_end: true,
    },
    Peer {
        name: "py1",
        modern: false,
        ours: true,
        acts_before_end: true,
    },
    Peer {
        name: "ts2",
        modern: true,
        ours: true,
        acts_before_end: true,
    },
    Peer {
        name: "py2",
        modern: true,
        ours: true,
        acts_before_end: true,
    },
    Peer {
        name: "rmcp",
        modern: true,
        ours: true,
        acts_before_end: false,
    },
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
        let mut asked = HANDSHAKE.to_vec();
        if self.modern {
            asked.push(MODERN);
        }
        asked.push(AUTO);
        asked
    }

    /// One revision of each era the server knows: enough where only the era matters.
    #[must_use]
    pub fn eras(self) -> Vec<&'static str> {
        let mut eras = vec![HANDSHAKE[3]];
        if self.modern {
            eras.push(MODERN);
        }
        eras
    }

    /// The calls made for one row of the table: a burst that outruns any terminal, and a slow walk.
    #[must_use]
    pub fn workloads(self) -> Vec<Workload> {
        if self.ours {
            vec![count(200, 0), count(5, 20)]
        } else {
            let call = ["trigger-long-running-operation", "duration:=1", "steps:=5"];
            vec![Workload {
                call: call.map(str::to_owned).to_vec(),
                updates: 5,
                messages: false,
                says: "Steps: 5".to_owned(),
            }]
        }
    }
}

fn count(steps: u64, delay_ms: u64) -> Workload {
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

/// The servers whose name is in `only`, or all of them if `only` is empty.
///
/// # Errors
///
/// A name that no server has.
pub fn chosen(only: &[String]) -> Result<Vec<Peer>, String> {
    if let Some(unknown) = only
        .iter()
        .find(|name| PEERS.iter().all(|peer| peer.name != *name))
    {
        return Err(format!("there is no server named {unknown}"));
    }
    Ok(PEERS
        .into_iter()
        .filter(|peer| only.is_empty() || only.iter().any(|o| o == peer.name))
        .collect())
}
