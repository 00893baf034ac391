//! Owns the call that outlives the program which made it. Must not know what ends the program.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mcp_progress::model::TaskHandle;
use mcp_progress::{Connect, ErrorKind};

use crate::asks::{self, answering};

/// Makes a call, writes the handle of its task to `file` as soon as there is one, and goes on to the end. Each update is
/// a line, the result too.
pub(crate) async fn begin(connect: Connect, file: &Path, call: &str) -> Result<(), Box<dyn Error>> {
    let client = answering(connect, &Default::default()).await?;
    let mut running = asks::request(&client, call)?.start();
    let mut saved = false;
    while let Some(update) = running.next().await {
        if let Some(handle) = running.task().filter(|_| !saved) {
            // Another name first: whoever sees the file sees all of it.
            let part = file.with_extension("part");
            fs::write(&part, serde_json::to_vec(&handle)?)?;
            fs::rename(&part, file)?;
            saved = true;
        }
        let mut told = asks::told(&update);
        told["saved"] = saved.into();
        println!("{told}");
    }
    let result = running.await;
    println!("{}", asks::line(&client, call, &[], &[], &result));
    client.close().await;
    Ok(())
}

/// Makes a call, and ends it once its task has shown that it works: by `drop` or `cancel`.
pub(crate) async fn stop(connect: Connect, how: &str, call: &str) -> Result<(), Box<dyn Error>> {
    let client = answering(connect, &Default::default()).await?;
    let mut running = asks::request(&client, call)?.start();
    let mut updates = 0;
    while running.task().is_none() || updates < 2 {
        running.next().await.ok_or("the call ended by itself")?;
        updates += 1;
    }
    match how {
        "drop" => drop(running),
        "cancel" => {
            running.canceller().cancel("enough");
            match running.await {
                Err(error) if error.kind() == ErrorKind::Cancelled => {}
                other => return Err(format!("expected a cancelled call, got {other:?}").into()),
            }
        }
        other => return Err(format!("no way to stop is called {other:?}").into()),
    }
    // With the session some servers end its tasks, and they do not say so.
    tokio::time::sleep(Duration::from_millis(300)).await;
    client.close().await;
    match client.stats() {
        stats if stats.live_calls == 0 && stats.registrations == 0 => Ok(()),
        stats => Err(format!("something is left behind: {stats:?}").into()),
    }
}

/// Finishes the call of the handle in `file`.
pub(crate) async fn resume(connect: Connect, file: &Path) -> Result<(), Box<dyn Error>> {
    let handle: TaskHandle = serde_json::from_slice(&fs::read(file)?)?;
    let client = answering(connect.resuming(&handle), &Default::default()).await?;
    let updates = Mutex::new(Vec::new());
    let result = client
        .resume_task(&handle)
        .on_progress(|update| {
            let mut updates = updates.lock().unwrap_or_else(PoisonError::into_inner);
            updates.push(asks::told(&update));
        })
        .await;
    let updates = updates.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("{}", asks::line(&client, "resumed", &updates, &[], &result));
    client.close().await;
    Ok(())
}
