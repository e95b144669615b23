//! The cost of signing in: `cargo bench -p harness --bench identity`.
//!
//! The real producer and consumer against Azurite, in turns: over HTTP with a SAS, and over HTTPS with tokens that they get for
//! their pod's token from the harness's own authority. Azurite speaks either HTTP or HTTPS, so each side has an Azurite process of
//! its own, of the same package and with otherwise the same options. In a turn, the producer sends a burst, and then one consumer
//! empties the queue.

#![expect(clippy::print_stdout, reason = "the figures are its output")]

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use nix::sys::signal::Signal;
use platform::Identity;
use platform::local::{Host, Machine, Place, Provisioned};
use platform::workers::Seat;
use platform::{ConsumerOptions, SetUp, StorageChoice, Workload};
use tokio::time::{interval, sleep, timeout};

/// Messages of a turn.
const MESSAGES: u64 = 1_500;

/// Requests in flight, on either side.
const CONCURRENCY: u32 = 32;

/// Turns of each side; the first turn warms up Azurite, and is not measured.
const TURNS: usize = 6;

/// The smallest share of the rate without tokens that is acceptable with tokens.
const TARGET: f64 = 0.75;

/// How long any step may take.
const DEADLINE: Duration = Duration::from_secs(120);

/// Exit codes, as those of `bench`: 0 the target is met, 1 something could not be measured, 3 the target is missed.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Box::pin(measure()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(3),
        Err(error) => {
            println!("failed to {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Messages a second of one side.
#[derive(Default)]
struct Rates {
    sent: Vec<f64>,
    handled: Vec<f64>,
}

async fn measure() -> anyhow::Result<bool> {
    let directory = tempfile::tempdir().context("make a directory")?;
    let workload = Workload::built_in(Path::new(env!("CARGO_BIN_EXE_harness")));
    let plain = Arc::new(Machine::start(workload, StorageChoice::Azurite, directory.path()).await?);
    let mut rates = [Rates::default(), Rates::default()];
    for turn in 0..TURNS {
        // Each turn has its own authority and pods, so that its processes sign in as those of a scenario do.
        let files = tempfile::tempdir_in(directory.path()).context("make a directory")?;
        let signed_in = plain.signed_in(&SetUp::default(), files.path()).await?;
        let sides: [&dyn Host; 2] = [&*plain, &signed_in];
        for (side, rates) in sides.into_iter().zip(&mut rates) {
            if turn == 0 {
                println!("{}", side.evidence());
            }
            let (sent, handled) = Box::pin(one(side, files.path())).await?;
            if turn > 0 {
                rates.sent.push(sent);
                rates.handled.push(handled);
            }
        }
    }
    let [without, with] = rates;
    println!(
        "{MESSAGES} messages a turn, {CONCURRENCY} in flight; messages a second, median and all turns\n"
    );
    println!("| what | SAS, HTTP | tokens, HTTPS | ratio |\n|---|---:|---:|---:|");
    let met = [
        row("put", &without.sent, &with.sent),
        row("receive, insert, delete", &without.handled, &with.handled),
    ];
    println!("\ntarget: ratio >= {TARGET}");
    Ok(met == [true, true])
}

/// Prints a row. Returns whether its ratio meets the target.
fn row(what: &str, without: &[f64], with: &[f64]) -> bool {
    let told = |rates: &[f64]| {
        let each: Vec<_> = rates.iter().map(|rate| format!("{rate:.0}")).collect();
        format!("{:.0} ({})", median(rates), each.join(" "))
    };
    let ratio = median(with) / median(without);
    println!(
        "| {what} | {} | {} | {ratio:.2} |",
        told(without),
        told(with)
    );
    ratio >= TARGET
}

fn median(rates: &[f64]) -> f64 {
    let mut rates = rates.to_vec();
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// One turn of one side. Returns the rate of sending, from the producer's summary, and the rate of consuming, measured from the
/// consumer's exec until the queue is empty, so including its start and sign-in.
async fn one(side: &dyn Host, directory: &Path) -> anyhow::Result<(f64, f64)> {
    let run = Identity::fresh(None).run;
    let provisioned = side.provision(&run, 1)?;
    let Provisioned {
        store, endpoints, ..
    } = &provisioned;
    store.create().await?;
    let place = Place {
        run: &run,
        queue: &store.names.queues[0],
        endpoints,
        logs: directory,
    };
    let sent = send(side, &place).await?;
    let options = ConsumerOptions {
        concurrency: Some(CONCURRENCY),
        ..ConsumerOptions::default()
    };
    let begun = Instant::now();
    let mut consumer = side.start_consumer("consumer-1", &place, &options, &Seat::default())?;
    let empty = async {
        let mut look = interval(Duration::from_millis(20));
        while store.queue.approximate_count().await? > 0 {
            look.tick().await;
        }
        anyhow::Ok(())
    };
    timeout(DEADLINE, empty)
        .await
        .context("wait for an empty queue")??;
    let handled = MESSAGES as f64 / begun.elapsed().as_secs_f64();
    consumer.signal(Signal::SIGTERM)?;
    let end = consumer.wait(DEADLINE).await?;
    ensure!(
        end.code() == Some(0),
        "end the consumer: {}",
        consumer.tail()
    );
    store.remove().await?;
    // Azurite finishes its work on what was removed, so that it does not slow down the next turn.
    sleep(Duration::from_millis(200)).await;
    Ok((sent, handled))
}

async fn send(side: &dyn Host, place: &Place<'_>) -> anyhow::Result<f64> {
    let summary = place.logs.join(format!("{}.json", place.run));
    let arguments = [
        format!("--run={}", place.run),
        format!("--messages={MESSAGES}"),
        format!("--concurrency={CONCURRENCY}"),
        format!("--summary={}", summary.display()),
        "--shape=burst".to_owned(),
        "--progress=none".to_owned(),
    ];
    let mut producer = side.start_producer("producer", place, &arguments)?;
    let end = producer.wait(DEADLINE).await?;
    ensure!(
        end.code() == Some(0),
        "send with the producer: {}",
        producer.tail()
    );
    let summary: producer::Summary = serde_json::from_slice(&std::fs::read(summary)?)?;
    ensure!(
        summary.acknowledged == MESSAGES && summary.retries == 0,
        "send every message at once: {summary}"
    );
    Ok(summary.rate_per_s)
}
