//! Owns what the library has to reach. The figures are the table's, the measuring is others'.

use crate::record::Record;
use crate::table::{Figure, Kind};

/// What a figure of `ours` is held against.
#[derive(Debug, Clone, Copy)]
enum Limit {
    Absolute(f64),
    /// Times the same figure of another client.
    Client(f64, &'static str),
    /// Times another figure of `ours`.
    Own(f64, Kind),
}

const TARGETS: &[(&str, Kind, Limit)] = &[
    ("a", Kind::CpuPerUnit, Limit::Client(1.5, "raw")),
    ("a", Kind::CpuPerUnit, Limit::Client(1.0 / 12.0, "rmcp")),
    ("b", Kind::CpuPerUnit, Limit::Client(1.5, "raw")),
    ("b", Kind::CpuPerUnit, Limit::Client(1.0 / 12.0, "rmcp")),
    ("c0", Kind::CpuPerUnit, Limit::Client(0.5, "rmcp")),
    ("c1", Kind::CpuPerUnit, Limit::Client(0.5, "rmcp")),
    ("d", Kind::BytesPerCall, Limit::Absolute(1_536.0)),
    ("e", Kind::SecondBusy, Limit::Own(2.0, Kind::SecondAlone)),
    ("e", Kind::PeakGrowth, Limit::Absolute(32.0)),
    ("ha", Kind::CpuPerUnit, Limit::Client(1.5, "raw")),
    ("haw", Kind::CpuPerUnit, Limit::Client(1.5, "raw")),
    ("hb", Kind::CpuPerUnit, Limit::Client(1.5, "raw")),
    ("hc0", Kind::CpuPerUnit, Limit::Client(0.5, "rmcp")),
    ("hc1", Kind::CpuPerUnit, Limit::Client(0.5, "rmcp")),
];

/// One target, and whether it is reached.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub text: String,
    pub met: bool,
}

/// Holds the medians of `ours` against the targets. A figure that was not measured is a target that was missed.
#[must_use]
pub fn outcomes(records: &[Record]) -> Vec<Outcome> {
    TARGETS
        .iter()
        .map(|&(workload, kind, limit)| {
            let figure = Figure { workload, kind };
            let value = figure.median(records, "ours");
            let (at_most, why) = match limit {
                Limit::Absolute(most) => (Some(most), String::new()),
                Limit::Client(times, client) => (
                    figure.median(records, client).map(|other| other * times),
                    format!(" ({times:.3} × {client})"),
                ),
                Limit::Own(times, kind) => {
                    let alone = Figure { workload, kind }.median(records, "ours");
                    (
                        alone.map(|alone| alone * times),
                        format!(" ({times} × alone)"),
                    )
                }
            };
            match value.zip(at_most) {
                Some((value, most)) => Outcome {
                    text: format!("{}: {value:.3}, at most {most:.3}{why}", figure.title()),
                    met: value <= most,
                },
                None => Outcome {
                    text: format!("{}: not measured{why}", figure.title()),
                    met: false,
                },
            }
        })
        .collect()
}

/// The runs of `ours` that delivered an update late, twice, out of order or not at all. There must be none, at any size.
#[must_use]
pub fn unclean(records: &[Record]) -> Vec<&Record> {
    records
        .iter()
        .filter(|record| record.client == "ours" && !record.verdict.is_clean())
        .collect()
}

/// Whether `ours` did this workload at all. One that did not has delivered nothing wrong, and nothing right.
#[must_use]
pub fn is_missing(records: &[Record], workload: &str) -> bool {
    !records
        .iter()
        .any(|record| record.client == "ours" && record.workload == workload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Verdict;

    fn record(client: &str, workload: &str, cpu_us: i64) -> Record {
        Record {
            client: client.to_owned(),
            workload: workload.to_owned(),
            scale: 1,
            round: 0,
            n: 100,
            cpu_us,
            wall_us: 1,
            rss_before_kib: 0,
            rss_after_kib: 0,
            rss_peak_kib: 0,
            verdict: Verdict::default(),
            server_cpu_us: 0,
            second: None,
            flight: None,
        }
    }

    #[test]
    fn a_target_is_held_against_the_right_client() {
        let met = |ours| {
            let records = [
                record("raw", "a", 100),
                record("rmcp", "a", 1_800),
                record("ours", "a", ours),
            ];
            outcomes(&records)[..2]
                .iter()
                .map(|outcome| outcome.met)
                .collect::<Vec<_>>()
        };
        assert_eq!(met(150), [true, true]);
        assert_eq!(met(151), [false, false]);
    }

    #[test]
    fn what_was_not_measured_is_missed() {
        assert!(
            outcomes(&[record("raw", "a", 1)])
                .iter()
                .all(|outcome| !outcome.met)
        );
    }

    #[test]
    fn a_run_of_others_is_no_run_of_ours() {
        assert!(is_missing(
            &[record("raw", "a", 1), record("ours", "b", 1)],
            "a"
        ));
        assert!(!is_missing(&[record("ours", "a", 1)], "a"));
    }

    #[test]
    fn only_our_own_faults_fail() {
        let mut rmcp = record("rmcp", "a", 1);
        rmcp.verdict.late = 1;
        let mut ours = record("ours", "a", 1);
        assert!(unclean(&[rmcp.clone(), ours.clone()]).is_empty());
        ours.verdict.surplus = 1;
        assert_eq!(unclean(&[rmcp, ours]).len(), 1);
    }
}
