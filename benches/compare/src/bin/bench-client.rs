//! One client does one workload and prints what it cost as one line of JSON: `bench-client CLIENT WORKLOAD [--scale N]`.

use std::env;
use std::path::Path;

use compare_rig::Failure;
use compare_rig::client::NAMES;
use compare_rig::client_ours::OursClient;
use compare_rig::client_raw::RawClient;
use compare_rig::client_rmcp::RmcpClient;
use compare_rig::record::Record;
use compare_rig::workload::{Workload, run};

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (client, workload, scale) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..]
    {
        [client, workload] => (client.to_owned(), workload.to_owned(), 1),
        [client, workload, "--scale", scale] => {
            (client.to_owned(), workload.to_owned(), scale.parse()?)
        }
        _ => return Err("bench-client CLIENT WORKLOAD [--scale N]".into()),
    };
    let workload = Workload::by_name(&workload).ok_or_else(|| format!("no workload {workload}"))?;
    let server = env::current_exe()?.with_file_name("bench-server");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    // On a worker like everything else: the thread that blocks here would be a third one.
    let record = runtime.block_on(async {
        tokio::spawn(async move { measure(&client, &server, workload, scale).await }).await?
    });
    println!("{}", serde_json::to_string(&record?)?);
    Ok(())
}

async fn measure(
    client: &str,
    server: &Path,
    workload: Workload,
    scale: u64,
) -> Result<Record, Failure> {
    match client {
        "raw" => run::<RawClient>(client, server, workload, scale).await,
        "ours" => run::<OursClient>(client, server, workload, scale).await,
        "rmcp" => run::<RmcpClient>(client, server, workload, scale).await,
        _ => Err(format!("no client {client}, there are {NAMES:?}").into()),
    }
}
