//! `consume` and `memory`: one consumer against the raw receive, insert and delete, over a backlog of the same size.
//!
//! The raw time runs from the first receive to the last delete, with connections opened before. The consumer's time runs from just
//! before its exec, so it includes the start, until its metrics say that all messages are deleted; the metrics are read every 20
//! ms, which also counts against the consumer.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use hyper::Method;
use serde::Deserialize;

use crate::args::Sizes;
use crate::figures::{Figure, median, rounds};
use crate::http::{Call, Connection};
use crate::process::{self, Process, Used};
use crate::raw;
use crate::storage::{Place, Storage};

/// The smallest share of the raw rate that one consumer must reach.
const RATE_TARGET: f64 = 0.8;

/// The largest resident memory of the consumer.
const MEMORY_TARGET_KIB: u64 = 16 * 1024;

/// Time between two looks at the consumer's metrics: 1 % of the shortest useful round.
const LOOK: Duration = Duration::from_millis(20);

/// The most rows of one write: the default of entity group transactions, and 1 for none.
const GROUPED: u16 = 100;
const ALONE: u16 = 1;

pub(crate) async fn measure(storage: &mut Storage, sizes: Sizes) -> anyhow::Result<Vec<Figure>> {
    let (mut raw, mut grouped, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    let mut peak_kib = 0;
    for _ in 0..sizes.rounds {
        let (place, batch) = storage.filled(sizes.backlog, sizes.concurrency).await?;
        let took = raw::consume(storage, &place, batch.inserts()?, sizes.concurrency)
            .await
            .context("consume over raw HTTP")?;
        raw.push(sizes.backlog as f64 / took.as_secs_f64());
        storage.clear(&place).await?;

        for (rates, insert_batch) in [(&mut grouped, GROUPED), (&mut alone, ALONE)] {
            let (place, _) = storage.filled(sizes.backlog, sizes.concurrency).await?;
            let (took, used) = timed(storage, &place, sizes, insert_batch).await?;
            rates.push(sizes.backlog as f64 / took.as_secs_f64());
            peak_kib = peak_kib.max(used.peak_kib);
            storage.clear(&place).await?;
        }
    }
    let (of_raw, of_grouped, of_alone) = (median(&raw), median(&grouped), median(&alone));
    let sizes = format!("backlog {}, {} in flight", sizes.backlog, sizes.concurrency);
    Ok(vec![
        Figure::new("consume, raw HTTP", rate(of_raw), rounds(&raw)),
        Figure::new("consume, consumer", rate(of_grouped), rounds(&grouped)),
        Figure::new(
            "consume, consumer, --insert-batch 1",
            rate(of_alone),
            rounds(&alone),
        ),
        Figure::new(
            "consume, consumer / raw",
            format!("ratio {:.2}", of_grouped / of_raw),
            sizes.clone(),
        )
        .held_to(">= 0.80", of_grouped / of_raw >= RATE_TARGET),
        Figure::new(
            "consume, --insert-batch 1 / raw",
            format!("ratio {:.2}", of_alone / of_raw),
            sizes,
        ),
        Figure::new(
            "memory, consumer's peak (VmHWM)",
            format!("{:.1} MiB", peak_kib as f64 / 1_024.0),
            "largest of all rounds of consume".to_owned(),
        )
        .held_to("< 16 MiB", peak_kib < MEMORY_TARGET_KIB),
    ])
}

fn rate(rate: f64) -> String {
    format!("{rate:.0}/s")
}

/// Measures the time until all messages are deleted, and the resources that the consumer used until it ended.
async fn timed(
    storage: &Storage,
    place: &Place,
    sizes: Sizes,
    insert_batch: u16,
) -> anyhow::Result<(Duration, Used)> {
    let mut command = command(storage, place, sizes, insert_batch)?;
    command.args(["--listen", "127.0.0.1:0"]);
    let mut process = Process::start("consumer", &mut command)?;
    let mut metrics = None;
    let took = loop {
        tokio::time::sleep(LOOK).await;
        ensure!(
            process.look()?.is_none(),
            "watch the consumer: it ended too early; it said: {}",
            process.log()?
        );
        if metrics.is_none()
            && let Some(address) = lines(&process.log()?).find_map(|line| line.address)
        {
            metrics = Some(Connection::open(&address).await?);
        }
        if let Some(metrics) = &mut metrics
            && deleted(metrics).await? >= sizes.backlog
        {
            break process.began().elapsed();
        }
    };
    let used = finish(process, sizes.backlog).await?;
    Ok((took, used))
}

/// Lets a consumer work through a backlog of `messages`, without reading its metrics. Returns the resources that it used.
pub(crate) async fn untimed(
    storage: &Storage,
    place: &Place,
    messages: u64,
    sizes: Sizes,
    insert_batch: u16,
) -> anyhow::Result<Used> {
    let mut command = command(storage, place, sizes, insert_batch)?;
    finish(Process::start("consumer", &mut command)?, messages).await
}

/// Waits for the consumer's end, and checks that it did the work that was measured.
async fn finish(process: Process, messages: u64) -> anyhow::Result<Used> {
    let log = process.log_path();
    let used = process.end().await?;
    let log = process::read(&log)?;
    let done = lines(&log)
        .find_map(|line| Some((line.inserted?, line.deleted?)))
        .with_context(|| format!("find the consumer's last words in its log: {log}"))?;
    ensure!(
        done == (messages, messages),
        "consume {messages} messages: {} were inserted and {} deleted; the log: {log}",
        done.0,
        done.1
    );
    Ok(used)
}

fn command(
    storage: &Storage,
    place: &Place,
    sizes: Sizes,
    insert_batch: u16,
) -> anyhow::Result<Command> {
    let mut command = process::command(&process::binary("consumer")?);
    command
        .args(["--queue", &place.queue, "--table", &place.table])
        .args(["--queue-endpoint", &storage.queue_url])
        .args(["--table-endpoint", &storage.table_url])
        .args(["--concurrency", &sizes.concurrency.to_string()])
        .args(["--insert-batch", &insert_batch.to_string()])
        .args(["--work", "none", "--exit-when-idle", "200ms"])
        .args(["--log-format", "json"])
        .env("AZURE_STORAGE_SAS_TOKEN", &storage.sas);
    Ok(command)
}

/// The fields of a line of the consumer's log that are used here.
#[derive(Debug, Deserialize)]
struct Line {
    address: Option<String>,
    inserted: Option<u64>,
    deleted: Option<u64>,
}

/// The lines so far; an incomplete last line is left out.
fn lines(log: &str) -> impl Iterator<Item = Line> {
    log.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
}

async fn deleted(metrics: &mut Connection) -> anyhow::Result<u64> {
    let call = Call {
        method: Method::GET,
        target: "/metrics",
        headers: &[],
        body: Bytes::new(),
    };
    let text = metrics
        .call(call)
        .await
        .context("read the consumer's metrics")?;
    let text = std::str::from_utf8(&text)?;
    text.lines()
        .find_map(|line| line.strip_prefix("consumer_deleted_total ")?.parse().ok())
        .context("find consumer_deleted_total in the consumer's metrics")
}
