//! Owns the work that every HTTP client does, and when it is measured. Knows no client.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Failure;
use crate::http::client::{Endpoint, HttpClient, Tool};
use crate::http::process::ServerProcess;
use crate::judge::Book;
use crate::measure;
use crate::record::{Flight, Record};

/// What every client does before anything is measured: buffers grow, code is paged in, a connection is made.
const WARM_UP_CALLS: u64 = 64;
const WARM_UP_UPDATES: u64 = 1_000;
/// What a lingering call sends, and how long after the first look at all of them the second one comes: it lasts 2 s.
const LINGER_UPDATES: u64 = 3;
const SECOND_LOOK: Duration = Duration::from_millis(1_200);
/// How long it may take to put all of them in flight.
const PATIENCE: Duration = Duration::from_secs(60);

/// The workloads, by the letters used everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpWorkload {
    /// One call, 200,000 updates, a chunk each.
    A,
    /// The same in chunks of 16 KiB.
    Aw,
    /// 100 concurrent calls of 1,000 updates.
    B,
    /// 20,000 calls one after the other, answered with JSON.
    C0,
    /// The same, answered with a stream of one update and the result.
    C1,
    /// 10,000 calls in flight for 2 s, with three updates each; HTTP/1.1.
    D,
    /// The same over one HTTP/2 connection.
    D2,
}

impl HttpWorkload {
    pub const ALL: [Self; 7] = [
        Self::A,
        Self::Aw,
        Self::B,
        Self::C0,
        Self::C1,
        Self::D,
        Self::D2,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "ha",
            Self::Aw => "haw",
            Self::B => "hb",
            Self::C0 => "hc0",
            Self::C1 => "hc1",
            Self::D => "hd",
            Self::D2 => "hd2",
        }
    }

    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|workload| workload.name() == name)
    }

    /// How many calls are made, and how many updates each of them gets.
    fn size(self, scale: u64) -> (u64, u64) {
        let scaled = |full: u64, least: u64| (full / scale.max(1)).max(least);
        match self {
            Self::A | Self::Aw => (1, scaled(200_000, 1)),
            Self::B => (scaled(100, 2), 1_000),
            Self::C0 => (scaled(20_000, 1), 0),
            Self::C1 => (scaled(20_000, 1), 1),
            Self::D | Self::D2 => (scaled(10_000, 1), LINGER_UPDATES),
        }
    }
}

/// Starts the server, warms up, does the work, closes, and reports.
pub async fn run<C: HttpClient>(
    name: &str,
    server: &Path,
    workload: HttpWorkload,
    scale: u64,
) -> Result<Record, Failure> {
    let (calls, updates) = workload.size(scale);
    let slots = usize::try_from(2 * WARM_UP_CALLS + 1 + calls)?;
    let book = Arc::new(Book::new(slots));
    let process = ServerProcess::start(server).await?;
    let endpoint = Endpoint {
        address: process.address,
        http2: workload == HttpWorkload::D2,
        at_once: usize::try_from(calls)?,
    };
    let client = Arc::new(C::connect(&endpoint, Arc::clone(&book)).await?);
    for _ in 0..WARM_UP_CALLS {
        client.call(Tool::Echo, 0, 0).await?;
        client.call(Tool::One, 1, 1).await?;
    }
    let flood = if workload == HttpWorkload::Aw {
        Tool::Wide
    } else {
        Tool::Flood
    };
    client.call(flood, WARM_UP_UPDATES, WARM_UP_UPDATES).await?;
    let warm_up = book.settle().await;

    let work = Work {
        client: &client,
        process: &process,
        calls,
        updates,
    };
    measure::forget_peak()?;
    let rss_before_kib = measure::resident_kib()?;
    let (cpu_before_us, begun) = (measure::own_cpu_us()?, Instant::now());
    let mut flight = None;
    match workload {
        HttpWorkload::A | HttpWorkload::Aw => client.call(flood, updates, updates).await?,
        HttpWorkload::B => work.fan().await?,
        HttpWorkload::C0 => work.sequence(Tool::Echo).await?,
        HttpWorkload::C1 => work.sequence(Tool::One).await?,
        HttpWorkload::D | HttpWorkload::D2 => flight = Some(work.in_flight().await?),
    }
    let wall_us = i64::try_from(begun.elapsed().as_micros())?;
    let verdict = book.settle().await.since(&warm_up);
    let cpu_us = measure::own_cpu_us()? - cpu_before_us;
    let rss_after_kib = match &flight {
        Some(flight) => flight.resident_kib,
        None => measure::resident_kib()?,
    };
    let rss_peak_kib = measure::peak_kib()?.max(rss_after_kib);
    Arc::into_inner(client)
        .ok_or("a task still uses the client")?
        .close()
        .await?;
    process.stop().await?;

    Ok(Record {
        client: name.to_owned(),
        workload: workload.name().to_owned(),
        scale,
        round: 0,
        n: match workload {
            HttpWorkload::A | HttpWorkload::Aw => updates,
            HttpWorkload::B => calls * updates,
            _ => calls,
        },
        cpu_us,
        wall_us,
        rss_before_kib,
        rss_after_kib,
        rss_peak_kib,
        verdict,
        server_cpu_us: measure::reaped_cpu_us()?,
        second: None,
        flight,
    })
}

struct Work<'a, C> {
    client: &'a Arc<C>,
    process: &'a ServerProcess,
    calls: u64,
    updates: u64,
}

impl<C: HttpClient> Work<'_, C> {
    /// Every call in a task of its own, all at once.
    fn spawn(&self, tool: Tool, n: u64) -> JoinSet<Result<(), Failure>> {
        let mut tasks = JoinSet::new();
        for _ in 0..self.calls {
            let (client, updates) = (Arc::clone(self.client), self.updates);
            tasks.spawn(async move { client.call(tool, n, updates).await });
        }
        tasks
    }

    async fn fan(&self) -> Result<(), Failure> {
        joined(self.spawn(Tool::Fan, self.updates)).await
    }

    async fn sequence(&self, tool: Tool) -> Result<(), Failure> {
        for _ in 0..self.calls {
            self.client.call(tool, self.updates, self.updates).await?;
        }
        Ok(())
    }

    /// Looks twice while all calls are in flight: once before the first update and once after the second.
    async fn in_flight(&self) -> Result<Flight, Failure> {
        let begun = Instant::now();
        let mut tasks = self.spawn(Tool::Linger, self.calls);
        while self.process.open_calls().await? < self.calls {
            if let Some(ended) = tasks.try_join_next() {
                ended??;
                return Err("a call ended before all were in flight".into());
            }
            if begun.elapsed() > PATIENCE {
                let open = self.process.open_calls().await?;
                return Err(format!("{open} of {} calls in flight", self.calls).into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let all_after_ms = u64::try_from(begun.elapsed().as_millis())?;
        let first = (self.client.live_calls(), measure::resident_kib()?);
        tokio::time::sleep(SECOND_LOOK).await;
        let seen_by_server = self.process.open_calls().await?;
        let second = (self.client.live_calls(), measure::resident_kib()?);
        let seen_by_client = first.0.min(second.0);
        if seen_by_server != self.calls || seen_by_client.is_some_and(|seen| seen != self.calls) {
            return Err(format!(
                "{} calls, but the server saw {seen_by_server} and the client {seen_by_client:?}",
                self.calls
            )
            .into());
        }
        joined(tasks).await?;
        Ok(Flight {
            seen_by_server,
            seen_by_client,
            all_after_ms,
            resident_kib: first.1.max(second.1),
        })
    }
}

async fn joined(mut tasks: JoinSet<Result<(), Failure>>) -> Result<(), Failure> {
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Workload;

    #[test]
    fn a_scaled_workload_is_never_empty_and_its_name_is_its_own() {
        for workload in HttpWorkload::ALL {
            assert!(workload.size(1_000_000).0 > 0);
            assert_eq!(HttpWorkload::by_name(workload.name()), Some(workload));
            assert_eq!(Workload::by_name(workload.name()), None);
        }
    }
}
