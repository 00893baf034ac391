//! Owns the figures that are drawn from the records, and the page that shows them. Judges nothing.

use std::fmt::Write;

use crate::record::{Record, median};

/// One figure of one workload: what is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    pub workload: &'static str,
    pub kind: Kind,
}

/// What a record is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    CpuPerUnit,
    BytesPerCall,
    SecondAlone,
    SecondBusy,
    PeakGrowth,
    FloodResolved,
}

const fn figure(workload: &'static str, kind: Kind) -> Figure {
    Figure { workload, kind }
}

/// Every figure, in the order of the table.
pub const FIGURES: &[Figure] = &[
    figure("a", Kind::CpuPerUnit),
    figure("b", Kind::CpuPerUnit),
    figure("c0", Kind::CpuPerUnit),
    figure("c1", Kind::CpuPerUnit),
    figure("d", Kind::BytesPerCall),
    figure("e", Kind::SecondAlone),
    figure("e", Kind::SecondBusy),
    figure("e", Kind::PeakGrowth),
    figure("e", Kind::FloodResolved),
    figure("ha", Kind::CpuPerUnit),
    figure("haw", Kind::CpuPerUnit),
    figure("hb", Kind::CpuPerUnit),
    figure("hc0", Kind::CpuPerUnit),
    figure("hc1", Kind::CpuPerUnit),
    figure("hd", Kind::BytesPerCall),
    figure("hd", Kind::CpuPerUnit),
    figure("hd2", Kind::BytesPerCall),
    figure("hd2", Kind::CpuPerUnit),
];

impl Figure {
    /// The figure in words, with its unit.
    #[must_use]
    pub fn title(self) -> String {
        let what = match (self.workload, self.kind) {
            ("a", _) => "one call, 200,000 updates: CPU µs per update",
            ("b", _) => "1,000 calls at once, 100 updates each: CPU µs per update",
            ("c0", _) => "20,000 calls in turn, no update: CPU µs per call",
            ("c1", _) => "20,000 calls in turn, one update: CPU µs per call",
            ("ha", _) => "HTTP, one call, 200,000 updates, a chunk each: CPU µs per update",
            ("haw", _) => "HTTP, one call, 200,000 updates, chunks of 16 KiB: CPU µs per update",
            ("hb", _) => "HTTP, 100 calls at once, 1,000 updates each: CPU µs per update",
            ("hc0", _) => "HTTP, 20,000 calls in turn, JSON: CPU µs per call",
            ("hc1", _) => "HTTP, 20,000 calls in turn, one update: CPU µs per call",
            ("hd", Kind::BytesPerCall) => "10,000 calls in flight over HTTP/1.1: bytes per call",
            ("hd2", Kind::BytesPerCall) => "10,000 calls in flight over HTTP/2: bytes per call",
            ("hd" | "hd2", Kind::CpuPerUnit) => "the same: CPU µs per call",
            (_, Kind::CpuPerUnit) => "CPU µs per unit",
            (_, Kind::BytesPerCall) => "10,000 calls in flight: bytes per call",
            (_, Kind::SecondAlone) => "a second call on an idle connection: µs",
            (_, Kind::SecondBusy) => "a second call beside a consumer of 1 ms: µs",
            (_, Kind::PeakGrowth) => "memory growth beside that consumer: MiB",
            (_, Kind::FloodResolved) => "that consumer's own call resolves after: ms",
        };
        format!("({}) {what}", self.workload)
    }

    fn of(self, record: &Record) -> Option<f64> {
        match self.kind {
            Kind::CpuPerUnit => Some(record.cpu_us_per_unit()),
            Kind::BytesPerCall => Some(record.bytes_per_unit()),
            Kind::SecondAlone => Some(record.second?.second_alone_us),
            Kind::SecondBusy => record.second?.second_busy_us,
            Kind::PeakGrowth => Some(record.peak_growth_mib()),
            Kind::FloodResolved => Some(record.second?.flood_resolved_us as f64 / 1_000.0),
        }
    }

    /// The median over a client's rounds, if it has any.
    #[must_use]
    pub fn median(self, records: &[Record], client: &str) -> Option<f64> {
        let mine = records
            .iter()
            .filter(|record| record.client == client && record.workload == self.workload);
        median(
            &mut mine
                .filter_map(|record| self.of(record))
                .collect::<Vec<_>>(),
        )
    }
}

/// The page: the figures' medians, then what was late, lost or out of order, summed over the rounds.
#[must_use]
pub fn markdown(records: &[Record], clients: &[String]) -> String {
    let mut page = String::from("| median of the rounds |");
    for client in clients {
        let _ = write!(page, " {client} |");
    }
    page.push_str(" ours / raw | ours / rmcp |\n|---|");
    page.push_str(&"--:|".repeat(clients.len() + 2));
    page.push('\n');
    for figure in FIGURES.iter().filter(|figure| {
        records
            .iter()
            .any(|record| record.workload == figure.workload)
    }) {
        let _ = write!(page, "| {} |", figure.title());
        for client in clients {
            let _ = write!(page, " {} |", number(figure.median(records, client)));
        }
        let ours = figure.median(records, "ours");
        for other in ["raw", "rmcp"] {
            let ratio = ours
                .zip(figure.median(records, other))
                .map(|(ours, other)| ours / other);
            let _ = write!(page, " {} |", number(ratio));
        }
        page.push('\n');
    }
    page.push('\n');
    page.push_str(&delivery(records, clients));
    page
}

fn delivery(records: &[Record], clients: &[String]) -> String {
    let mut page = String::from("| late / lost / reordered / surplus, all rounds |");
    for client in clients {
        let _ = write!(page, " {client} |");
    }
    let _ = write!(page, "\n|---|{}\n", "--:|".repeat(clients.len()));
    let mut workloads: Vec<&str> = FIGURES.iter().map(|figure| figure.workload).collect();
    workloads.dedup();
    for workload in workloads
        .into_iter()
        .filter(|name| records.iter().any(|record| record.workload == *name))
    {
        let _ = write!(page, "| ({workload}) |");
        for client in clients {
            let mut sums = [0; 4];
            for record in records
                .iter()
                .filter(|record| record.client == *client && record.workload == workload)
            {
                let verdict = record.verdict;
                let counts = [
                    verdict.late,
                    verdict.lost,
                    verdict.reordered,
                    verdict.surplus,
                ];
                sums = std::array::from_fn(|index| sums[index] + counts[index]);
            }
            let _ = write!(
                page,
                " {} / {} / {} / {} |",
                sums[0], sums[1], sums[2], sums[3]
            );
        }
        page.push('\n');
    }
    page
}

fn number(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) if value.abs() >= 10.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.2}"),
    }
}
