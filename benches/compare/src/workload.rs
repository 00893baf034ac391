//! Owns the work that every client does, and when it is measured. Knows no client.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::Failure;
use crate::client::{Client, Setup, Tool};
use crate::judge::Book;
use crate::measure;
use crate::record::{Record, Second, median};

/// What every connection does before anything is measured: buffers grow, code is paged in.
const WARM_UP_CALLS: u64 = 64;
const WARM_UP_UPDATES: u64 = 1_000;
/// What the slow consumer waits per update.
const PAUSE: Duration = Duration::from_millis(1);

/// The workloads, by the letters used everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// One call, 200,000 updates.
    A,
    /// 1,000 concurrent calls of 100 updates.
    B,
    /// 20,000 calls one after the other, without an update.
    C0,
    /// The same with one update each, right before the result.
    C1,
    /// 10,000 calls in flight.
    D,
    /// 20,000 updates to a consumer that takes 1 ms for each, and 200 second calls meanwhile.
    E,
}

impl Workload {
    pub const ALL: [Self; 6] = [Self::A, Self::B, Self::C0, Self::C1, Self::D, Self::E];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
            Self::C0 => "c0",
            Self::C1 => "c1",
            Self::D => "d",
            Self::E => "e",
        }
    }

    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|workload| workload.name() == name)
    }

    /// How many calls are made, and how many updates each of them asks for.
    fn size(self, scale: u64) -> (u64, u64) {
        let scaled = |full: u64, least: u64| (full / scale.max(1)).max(least);
        match self {
            Self::A => (1, scaled(200_000, 1)),
            Self::B => (scaled(1_000, 2), 100),
            Self::C0 => (scaled(20_000, 1), 0),
            Self::C1 => (scaled(20_000, 1), 1),
            Self::D => (scaled(10_000, 1), 0),
            Self::E => (scaled(200, 10), scaled(20_000, 20)),
        }
    }
}

/// What the clocks and the memory said when the work began.
struct Start {
    cpu_us: i64,
    rss_kib: i64,
    at: Instant,
}

impl Start {
    fn now() -> Result<Self, Failure> {
        measure::forget_peak()?;
        let rss_kib = measure::resident_kib()?;
        Ok(Self {
            cpu_us: measure::own_cpu_us()?,
            rss_kib,
            at: Instant::now(),
        })
    }

    fn wall_us(&self) -> i64 {
        micros(self.at.elapsed())
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// Connects, warms up, does the work, closes, and reports.
pub async fn run<C: Client>(
    name: &str,
    server: &Path,
    workload: Workload,
    scale: u64,
) -> Result<Record, Failure> {
    let (calls, updates) = workload.size(scale);
    // The warm-up's calls and the odd ones of `d` and `e` have slots too.
    let slots = usize::try_from(WARM_UP_CALLS + 2 * calls + 4)?;
    let book = Arc::new(Book::new(slots));
    let client = Arc::new(
        C::connect(
            server,
            Setup {
                book: Arc::clone(&book),
                pause: PAUSE,
            },
        )
        .await?,
    );
    for _ in 0..WARM_UP_CALLS {
        client.call(Tool::Echo, 0).await?;
    }
    client.call(Tool::Flood, WARM_UP_UPDATES).await?;
    let warm_up = book.settle().await;

    let mut work = Work {
        client: &client,
        book: &book,
        calls,
        updates,
        second: None,
        resident_kib: None,
    };
    let mut start = Start::now()?;
    match workload {
        Workload::A => work.client.call(Tool::Flood, updates).await?,
        Workload::B => work.fan().await?,
        Workload::C0 => work.sequence(Tool::Echo).await?,
        Workload::C1 => work.sequence(Tool::One).await?,
        Workload::D => work.in_flight().await?,
        Workload::E => start = work.slow().await?,
    }
    let wall_us = start.wall_us();
    let (second, resident_kib) = (work.second, work.resident_kib);
    let verdict = book.settle().await.since(&warm_up);
    let cpu_us = measure::own_cpu_us()? - start.cpu_us;
    let rss_after_kib = resident_kib.map_or_else(measure::resident_kib, Ok)?;
    let rss_peak_kib = measure::peak_kib()?.max(rss_after_kib);
    Arc::into_inner(client)
        .ok_or("a task still uses the client")?
        .close()
        .await?;

    Ok(Record {
        client: name.to_owned(),
        workload: workload.name().to_owned(),
        scale,
        round: 0,
        n: match workload {
            Workload::A | Workload::E => updates,
            Workload::B => calls * updates,
            Workload::C0 | Workload::C1 | Workload::D => calls,
        },
        cpu_us,
        wall_us,
        rss_before_kib: start.rss_kib,
        rss_after_kib,
        rss_peak_kib,
        verdict,
        server_cpu_us: measure::reaped_cpu_us()?,
        second,
        flight: None,
    })
}

struct Work<'a, C> {
    client: &'a Arc<C>,
    book: &'a Book,
    calls: u64,
    updates: u64,
    second: Option<Second>,
    /// Set where memory has to be read before the work is over.
    resident_kib: Option<i64>,
}

impl<C: Client> Work<'_, C> {
    /// Every call in a task of its own, all at once.
    async fn fan(&self) -> Result<(), Failure> {
        let mut tasks = JoinSet::new();
        for _ in 0..self.calls {
            let (client, updates) = (Arc::clone(self.client), self.updates);
            tasks.spawn(async move { client.call(Tool::Fan, updates).await });
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        Ok(())
    }

    async fn sequence(&self, tool: Tool) -> Result<(), Failure> {
        for _ in 0..self.calls {
            self.client.call(tool, self.updates).await?;
        }
        Ok(())
    }

    /// Reads the memory while all calls are in flight. No task per call: only what the client itself keeps is counted.
    async fn in_flight(&mut self) -> Result<(), Failure> {
        let mut held = Vec::with_capacity(usize::try_from(self.calls)?);
        for _ in 0..self.calls {
            held.push(self.client.hold().await?);
        }
        // The server answers in order, so that its answer to one more call says that it has read all the others.
        self.client.call(Tool::Echo, 0).await?;
        self.resident_kib = Some(measure::resident_kib()?);
        drop(held);
        Ok(())
    }

    /// Times the second calls alone first, then beside the slow consumer; the work that is reported is the latter.
    async fn slow(&mut self) -> Result<Start, Failure> {
        let mut alone = Vec::new();
        for _ in 0..self.calls {
            alone.push(self.second_call().await?);
        }
        let start = Start::now()?;
        let covered = self.book.covered();
        let (client, updates) = (Arc::clone(self.client), self.updates);
        let flood = tokio::spawn(async move {
            let begun = Instant::now();
            client
                .slow_call(updates)
                .await
                .map(|()| micros(begun.elapsed()))
        });
        // Second calls count only once the consumer is at work.
        while self.book.covered() == covered && !flood.is_finished() {
            tokio::task::yield_now().await;
        }
        // One that begins after the flood has resolved is beside nothing, so that only those before are worth a median.
        let mut busy = Vec::new();
        for _ in 0..self.calls {
            let beside = !flood.is_finished();
            let took = self.second_call().await?;
            if beside {
                busy.push(took);
            }
        }
        let flood_resolved_us = flood.await??;
        self.second = Some(Second {
            second_alone_us: median(&mut alone).unwrap_or_default(),
            second_busy_us: median(&mut busy),
            second_busy_max_us: busy.last().copied(),
            second_beside: busy.len() as u64,
            flood_resolved_us,
        });
        Ok(start)
    }

    async fn second_call(&self) -> Result<f64, Failure> {
        let begun = Instant::now();
        self.client.call(Tool::Echo, 0).await?;
        Ok(begun.elapsed().as_secs_f64() * 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_workload_is_never_empty() {
        for workload in Workload::ALL {
            assert!(workload.size(1_000_000).0 > 0);
            assert_eq!(Workload::by_name(workload.name()), Some(workload));
        }
    }
}
