//! One client does one workload and prints what it cost as one line of JSON: `bench-client CLIENT WORKLOAD [--scale N]`.

use std::env;
use std::path::Path;

use compare_rig::Failure;
use compare_rig::client::NAMES;
use compare_rig::client_ours::OursClient;
use compare_rig::client_raw::RawClient;
use compare_rig::client_rmcp::RmcpClient;
use compare_rig::http::ours::OursClient as HttpOursClient;
use compare_rig::http::process::raise_file_limit;
use compare_rig::http::raw::RawClient as HttpRawClient;
use compare_rig::http::rmcp::{Fresh, Kept, RmcpClient as HttpRmcpClient};
use compare_rig::http::workload::{HttpWorkload, run as run_http};
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
    let program = env::current_exe()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    // On a worker like everything else: the thread that blocks here would be a third one.
    let record = runtime.block_on(async {
        tokio::spawn(async move {
            if let Some(workload) = Workload::by_name(&workload) {
                let server = program.with_file_name("bench-server");
                return measure(&client, &server, workload, scale).await;
            }
            let workload = HttpWorkload::by_name(&workload)
                .ok_or_else(|| format!("no workload {workload}"))?;
            raise_file_limit()?;
            let server = program.with_file_name("bench-http-server");
            measure_http(&client, &server, workload, scale).await
        })
        .await?
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

async fn measure_http(
    client: &str,
    server: &Path,
    workload: HttpWorkload,
    scale: u64,
) -> Result<Record, Failure> {
    match client {
        "raw" => run_http::<HttpRawClient>(client, server, workload, scale).await,
        "ours" => run_http::<HttpOursClient>(client, server, workload, scale).await,
        "rmcp" => run_http::<HttpRmcpClient<Kept>>(client, server, workload, scale).await,
        "rmcp-fresh" => run_http::<HttpRmcpClient<Fresh>>(client, server, workload, scale).await,
        _ => Err(format!("no client {client}, there are {NAMES:?} and rmcp-fresh").into()),
    }
}
