//! Owns what one run reports: one JSON object on one line.

use serde::{Deserialize, Serialize};

use crate::judge::Verdict;

/// One client, one workload, one process. Fields that only one workload fills are absent from the others.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    pub client: String,
    pub workload: String,
    /// The divisor of the sizes; 1 is full size.
    pub scale: u64,
    /// Added by the orchestrator.
    #[serde(default)]
    pub round: u32,
    /// Units of work: updates for `a`, `b` and `e`, calls for the others.
    pub n: u64,
    /// Processor time of the client process during the work, until the last straggler was in.
    pub cpu_us: i64,
    /// From the first request to the last result.
    pub wall_us: i64,
    pub rss_before_kib: i64,
    pub rss_after_kib: i64,
    pub rss_peak_kib: i64,
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The server's processor time over its whole life; 0 when the client had not reaped it by the end.
    pub server_cpu_us: i64,
    /// `e`: what the second calls cost beside the slow consumer.
    #[serde(flatten)]
    pub second: Option<Second>,
    /// `hd` and `hd2`: what was seen while all calls were in flight.
    #[serde(flatten)]
    pub flight: Option<Flight>,
}

/// `hd` and `hd2`: seen twice, before the first update and after the second, and the same both times.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Flight {
    /// How many calls the server held.
    pub seen_by_server: u64,
    /// How many the client says it had, if it says so.
    pub seen_by_client: Option<u64>,
    /// How long it took to put all of them in flight.
    pub all_after_ms: u64,
    /// The larger reading of resident memory.
    pub resident_kib: i64,
}

/// `e`: plain calls timed on an idle connection, and while the slow consumer works.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Second {
    pub second_alone_us: f64,
    /// Of the calls that began while the flooding call was unresolved; absent when there was none.
    pub second_busy_us: Option<f64>,
    pub second_busy_max_us: Option<f64>,
    /// How many calls those were.
    pub second_beside: u64,
    /// How long the flooding call took to resolve.
    pub flood_resolved_us: i64,
}

impl Record {
    /// Processor time per unit of work, in microseconds.
    #[must_use]
    pub fn cpu_us_per_unit(&self) -> f64 {
        self.cpu_us as f64 / self.n.max(1) as f64
    }

    /// Growth of resident memory per unit of work, in bytes; what `d` is about.
    #[must_use]
    pub fn bytes_per_unit(&self) -> f64 {
        (self.rss_after_kib - self.rss_before_kib) as f64 * 1024.0 / self.n.max(1) as f64
    }

    /// Peak of resident memory over its start, in MiB; what `e` is about.
    #[must_use]
    pub fn peak_growth_mib(&self) -> f64 {
        (self.rss_peak_kib - self.rss_before_kib) as f64 / 1024.0
    }
}

/// Sorts, and takes the middle one, or the mean of the middle two.
pub fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = values.get(middle).copied()?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(values[middle - 1], upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
