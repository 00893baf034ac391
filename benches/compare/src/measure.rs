//! Owns the readings of this process's own costs: processor time and resident memory. Linux only, by way of `/proc`.

use std::fs;

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::Failure;

/// User and system time of this process so far, in microseconds, all threads.
pub fn own_cpu_us() -> Result<i64, Failure> {
    Ok(cpu_us(&getrusage(UsageWho::RUSAGE_SELF)?))
}

/// User and system time of the children that have ended and been waited for, in microseconds.
pub fn reaped_cpu_us() -> Result<i64, Failure> {
    Ok(cpu_us(&getrusage(UsageWho::RUSAGE_CHILDREN)?))
}

fn cpu_us(usage: &Usage) -> i64 {
    usage.user_time().num_microseconds() + usage.system_time().num_microseconds()
}

/// Memory of this process that is in RAM now, in KiB, counted page by page: `VmRSS` lags behind by some pages per thread.
pub fn resident_kib() -> Result<i64, Failure> {
    field("/proc/self/smaps_rollup", "Rss:")
}

/// The most that was in RAM since [`forget_peak`], in KiB.
pub fn peak_kib() -> Result<i64, Failure> {
    field("/proc/self/status", "VmHWM:")
}

/// Lets the peak start again from what is resident now.
pub fn forget_peak() -> Result<(), Failure> {
    Ok(fs::write("/proc/self/clear_refs", "5")?)
}

fn field(file: &str, name: &str) -> Result<i64, Failure> {
    let text = fs::read_to_string(file)?;
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .ok_or_else(|| format!("no {name} in {file}"))?;
    Ok(value.trim().trim_end_matches("kB").trim().parse()?)
}
