//! `put`: a burst of the producer against raw Put Message, with the same number of connections, each into a fresh queue.

use anyhow::{Context as _, ensure};

use crate::args::Sizes;
use crate::figures::{Figure, median, rounds};
use crate::messages::Batch;
use crate::process;
use crate::raw;
use crate::storage::{Place, Storage};

/// The smallest share of the raw rate that the producer must reach.
const TARGET: f64 = 0.9;

/// Measures both sides in turns. The raw time runs from the first request to the last answer, with connections opened before; the
/// producer's is that of its own summary, whose rate counts from the start of the schedule, including the connecting.
pub(crate) async fn measure(storage: &mut Storage, sizes: Sizes) -> anyhow::Result<Vec<Figure>> {
    let (mut raw, mut producer) = (Vec::new(), Vec::new());
    for _ in 0..sizes.rounds {
        let place = storage.place().await?;
        let bodies = Batch::new(&place.run, sizes.puts)?.puts();
        let took = raw::put(storage, &place, bodies, sizes.concurrency)
            .await
            .context("put over raw HTTP")?;
        raw.push(sizes.puts as f64 / took.as_secs_f64());
        storage.clear(&place).await?;

        let place = storage.place().await?;
        producer.push(produce(storage, &place, sizes).await?);
        storage.clear(&place).await?;
    }
    let ratio = median(&producer) / median(&raw);
    Ok(vec![
        Figure::new(
            "put, raw HTTP",
            format!("{:.0}/s", median(&raw)),
            rounds(&raw),
        ),
        Figure::new(
            "put, producer",
            format!("{:.0}/s", median(&producer)),
            rounds(&producer),
        ),
        Figure::new(
            "put, producer / raw",
            format!("ratio {ratio:.2}"),
            format!(
                "{} messages a round, {} in flight",
                sizes.puts, sizes.concurrency
            ),
        )
        .held_to(">= 0.90", ratio >= TARGET),
    ])
}

/// Sends one burst, and returns the rate of its summary.
async fn produce(storage: &Storage, place: &Place, sizes: Sizes) -> anyhow::Result<f64> {
    let mut command = process::command(&process::binary("producer")?);
    command
        .args(["--shape", "burst", "--progress", "none"])
        .args(["--messages", &sizes.puts.to_string()])
        .args(["--concurrency", &sizes.concurrency.to_string()])
        .args(["--run", &place.run, "--queue", &place.queue])
        .args(["--queue-endpoint", &storage.queue_url])
        .env("AZURE_STORAGE_SAS_TOKEN", &storage.sas);
    let (_, summary) = process::summarised("producer", &mut command).await?;
    ensure!(
        summary["acknowledged"] == sizes.puts && summary["retries"] == 0,
        "put with the producer: not every message at once; its summary: {summary}"
    );
    summary["rate_per_s"]
        .as_f64()
        .context("find rate_per_s in the producer's summary")
}
