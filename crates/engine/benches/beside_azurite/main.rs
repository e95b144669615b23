//! Benchmark of the engine beside Azurite, in one run on one machine. Run it with
//! `cargo bench -p engine --bench beside_azurite`.
//!
//! Both run as separate processes with their data in memory, and get the same requests from the same client over the same
//! number of connections with the same account SAS. Rounds alternate, and the median counts. Exit codes: 0 every target met, 3
//! a target missed.

#![expect(clippy::print_stdout, reason = "the figures are its output")]
#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot be made ends the run"
)]

mod client;
mod load;
mod process;
mod report;

use std::{process::ExitCode, time::Duration};

use azurite::{Azurite, Source};
use load::{Load, Place};
use process::Process;
use report::Report;

/// Messages in a round of puts and of whole cycles: some seconds at Azurite's speed.
const MESSAGES: usize = 4_000;
const CYCLES: usize = 1_000;
/// A backlog at which Azurite is very slow, and the number of receives measured there.
const BACKLOG: usize = 30_000;
const RECEIVES_OF_AZURITE: usize = 12;
const RECEIVES_OF_ENGINE: usize = 4_000;
/// A small and a large backlog for the engine alone, and the exchanges in one round at each.
const SMALL: usize = 1_000;
const LARGE: usize = 1_000_000;
const EXCHANGES: usize = 10_000;
/// A small and a large table, and the one-row queries in a round at each.
const FEW_ROWS: usize = 100;
const MANY_ROWS: usize = 100_000;
const QUERIES: usize = 5_000;
const ROUNDS: usize = 3;
/// Rounds of measurements that take the engine a second or less.
const SHORT_ROUNDS: usize = 7;
/// Time limit: if a measurement takes longer, the machine is the cause, not the two programs.
const LIMIT: Duration = Duration::from_secs(6 * 60);
/// Longer than Azurite takes for any request. With its default of 5 s it would reset connections in use while it scans a queue.
const KEEP_ALIVE_SECONDS: u32 = 600;

fn main() -> ExitCode {
    // `cargo test --benches` runs benchmarks too, to see that they build.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let measured = tokio::time::timeout(LIMIT, measure()).await;
        measured.expect("the benchmark must end within 6 minutes: run it on an idle machine")
    })
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

async fn measure() -> ExitCode {
    let azurite = Azurite::builder()
        .source(Source::Npm)
        .keep_alive_seconds(KEEP_ALIVE_SECONDS);
    let azurite = azurite.start().await.unwrap();
    let engine = Process::start();
    let sas = azurite.sas();
    let place = |queue: String, table: String| Place::new(&queue, &table, &sas);
    let slow = Load::new(place(azurite.queue_url(), azurite.table_url()));
    let fast = Load::new(place(engine.queue_url.clone(), engine.table_url.clone()));
    // Node.js compiles while it runs, so the first round of each is not counted.
    slow.puts("warm-up", MESSAGES).await;
    slow.remove("warm-up").await;
    slow.cycles("warm-up-cycles", CYCLES / 2).await;

    let mut report = Report::default();
    let (mut puts, mut cycles) = ([vec![], vec![]], [vec![], vec![]]);
    for round in 0..ROUNDS {
        let queue = format!("put-{round}");
        puts[0].push(slow.puts(&queue, MESSAGES).await);
        puts[1].push(fast.puts(&queue, 10 * MESSAGES).await);
        slow.remove(&queue).await;
        fast.remove(&queue).await;
        let queue = format!("cycle-{round}");
        cycles[0].push(slow.cycles(&queue, CYCLES).await);
        cycles[1].push(fast.cycles(&queue, 10 * CYCLES).await);
        slow.remove(&queue).await;
        fast.remove(&queue).await;
    }
    let [azurites, engines] = puts.map(median);
    report.ratio("put", azurites, engines, 20.0);
    let [azurites, engines] = cycles.map(median);
    report.ratio("receive + insert + delete", azurites, engines, 20.0);

    slow.puts("backlog", BACKLOG).await;
    fast.puts("backlog", BACKLOG).await;
    let azurites = slow.receives("backlog", RECEIVES_OF_AZURITE).await;
    let engines = fast.receives("backlog", RECEIVES_OF_ENGINE).await;
    report.ratio("receive at a backlog of 30,000", azurites, engines, 1_000.0);
    fast.remove("backlog").await;
    azurite.stop().await;

    backlogs(&mut report, &fast, &engine).await;
    rows(&mut report, &fast).await;
    report.print()
}

/// Measures the engine alone: a small and a large backlog in turns, and the memory of a message.
async fn backlogs(report: &mut Report, fast: &Load, engine: &Process) {
    fast.puts("small", SMALL).await;
    fast.exchanges("small", EXCHANGES).await;
    let before = engine.resident_bytes();
    fast.puts("large", LARGE).await;
    let bytes = engine.resident_bytes() - before;
    let (mut at_small, mut at_large) = (Vec::new(), Vec::new());
    for _ in 0..SHORT_ROUNDS {
        at_small.push(fast.exchanges("small", EXCHANGES).await);
        at_large.push(fast.exchanges("large", EXCHANGES).await);
    }
    report.share(
        "receive + delete + put, backlog of 1,000,000 to that of 1,000",
        median(at_small),
        median(at_large),
        0.8,
    );
    let each = bytes as f64 / LARGE as f64 - load::TEXT_BYTES as f64;
    report.at_most("overhead of a message", each, 300.0);
    fast.remove("large").await;
}

/// Measures the engine alone: a query for one row, in a small and in a large table, in turns.
async fn rows(report: &mut Report, fast: &Load) {
    fast.rows("few", FEW_ROWS).await;
    fast.rows("many", MANY_ROWS).await;
    let (mut of_few, mut of_many) = (Vec::new(), Vec::new());
    for _ in 0..SHORT_ROUNDS {
        of_few.push(fast.queries("few", FEW_ROWS, QUERIES).await);
        of_many.push(fast.queries("many", MANY_ROWS, QUERIES).await);
    }
    report.share(
        "query of PartitionKey and RowKey, 100,000 rows in one partition to 100",
        median(of_few),
        median(of_many),
        0.8,
    );
}
