//! The worker: a competing consumer of an Azure Storage queue that stores one row a message in an Azure Storage table.
//!
//! # The life of a delivery
//!
//! 1. **Receive** ([`receive`](mod@receive)): a batch, never more than there are free slots.
//! 2. **Work** ([`work`]), while the lease is renewed ([`hold`]).
//! 3. **Store** ([`writer`]): insert-only and keyed by the message's id, so that a second delivery finds the row of the
//!    first; rows that are ready together share a write.
//! 4. **Delete**, only after the row is stored. A message that cannot be worked on goes whole to `<queue>-poison`
//!    ([`poison`]), and only then is deleted.
//!
//! A lost lease is not an error: another consumer has the message. If storage is unavailable, the consumer waits. What this process
//! leaves unfinished, however it ends, is delivered again.
//!
//! # How it ends
//!
//! SIGTERM, SIGINT, a Spot notice ([`preempt`]), `--exit-when-idle` or a panic begin the drain: nothing more is received, messages
//! that were not begun are handed back, and messages in work are finished within `--grace`. A signal during the drain of a Spot
//! notice ends that drain: everything is handed back immediately. Exit codes: [`Exit`].

mod args;
mod delivery;
mod health;
mod hold;
mod http;
mod metrics;
mod poison;
mod preempt;
mod probe;
mod receive;
mod run;
mod settings;
mod storage;
mod work;
mod writer;

#[cfg(test)]
mod tests;

use std::io::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use workflow::azure::{AzureQueue, AzureTable, Storage};
use workflow::exit::Exit;
use workflow::ports::{ResultTable, WorkQueue};
use workflow::shutdown::Signals;
use workflow::telemetry::DEFAULT_FILTER;
use workflow::{panics, shutdown};

pub use args::Args;
pub use http::Listen;
pub use preempt::announces_eviction;
pub use work::{ParseWorkError, Work};

use run::{ConsumerEnd, Shared};
use storage::Ports;

/// Threads for burns (one a core, see [`work`]) and host name look-ups.
const BLOCKING_THREADS: usize = 64;

/// How long the runtime may take to end blocking threads once everything else has ended.
const RUNTIME_END: Duration = Duration::from_millis(500);

/// Runs a consumer until it has drained, and returns the process's exit code.
///
/// Builds its own runtime, of one thread: the consumer waits for storage nearly all of its time, and one thread keeps
/// both memory and CPU per message low. Work that burns CPU goes to other threads.
pub fn main(args: Args) -> Exit {
    shutdown::hold();
    panics::watch();
    let _telemetry = match args.telemetry.init("consumer", DEFAULT_FILTER) {
        Ok(telemetry) => telemetry,
        Err(error) => {
            let mut stderr = std::io::stderr().lock();
            drop(writeln!(
                stderr,
                "error: failed to {:#}",
                anyhow::Error::from(error)
            ));
            return Exit::Usage;
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot start: no runtime");
            return Exit::LocalResource;
        }
    };
    let exit = runtime.block_on(Box::pin(start(args)));
    runtime.shutdown_timeout(RUNTIME_END);
    panics::exit(exit)
}

/// Runs a consumer with the settings of `args` on storage that the caller has opened, in the caller's runtime, until `drain` is
/// cancelled and its drain has ended. For simulations: without signals, probes and Spot notices.
pub async fn embedded<Q: WorkQueue, T: ResultTable>(
    args: &Args,
    (queue, poison, table): (Q, Q, T),
    drain: CancellationToken,
) -> Exit {
    let ports = Ports {
        queue,
        poison,
        table,
    };
    let shared = Shared {
        drain,
        ..Shared::default()
    };
    run::run(args.settings(), ports, shared).await.exit()
}

/// Checks all that can be checked without a request, and runs.
async fn start(args: Args) -> Exit {
    if args.probe {
        shutdown::let_through();
        return probe::main(&args).await;
    }
    let ports = match open(&args) {
        Ok(ports) => ports,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "cannot start");
            return Exit::Usage;
        }
    };
    let signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            tracing::error!(%error, "cannot start: failed to listen for signals");
            return Exit::LocalResource;
        }
    };
    let listener = match args.listen.bind() {
        Ok(listener) => listener,
        Err(error) => {
            let advice =
                "choose another port, 127.0.0.1:0 for a free one, or none (--listen, EDW_LISTEN)";
            tracing::error!(%error, listen = %args.listen, advice, "cannot start: failed to listen");
            return Exit::LocalResource;
        }
    };
    let shared = Shared::default();
    let mut background = JoinSet::new();
    background.spawn(heed(signals, shared.clone()));
    if let Some(endpoint) = args.scheduled_events_endpoint.clone() {
        let node = args.node.clone().filter(|node| !node.is_empty());
        let metrics = shared.metrics.clone();
        let (drain, noticed) = (shared.drain.clone(), shared.noticed.clone());
        background.spawn(preempt::watch(endpoint, node, metrics, drain, noticed));
    }
    if let Some(listener) = listener {
        let served = http::serve(listener, shared.clone());
        background.spawn(async move {
            if let Err(error) = served.await {
                tracing::error!(%error, "probes and metrics are no longer served");
            }
        });
    }
    supervise(args, ports, shared, background).await
}

/// Handles signals: the first begins the drain, or ends the drain of a Spot notice immediately; the second exits the process.
async fn heed(mut signals: Signals, shared: Shared) {
    shared.signalled(signals.next().await);
    let name = signals.next().await;
    tracing::warn!(signal = name, "exiting at once");
    std::process::exit(i32::from(Exit::Forced.code()));
}

fn open(args: &Args) -> anyhow::Result<Ports<AzureQueue, AzureTable>> {
    let poison = args.storage.queue.queue.poison();
    let poison = poison.context("name the poison queue after --queue; choose a shorter name")?;
    let storage = Storage::open(&args.storage.account)?;
    let ports = Ports {
        queue: storage.queue(&args.storage.queue)?,
        poison: storage.queue_named(&poison, &args.storage.queue)?,
        table: storage.table(&args.storage.table)?,
    };
    storage.needs("queue", 'p', "receive and delete messages")?;
    storage.needs("table", 'a', "insert rows")?;
    Ok(ports)
}

/// Runs the consumer beside its background tasks; their panics end it like its own.
async fn supervise(
    args: Args,
    ports: Ports<AzureQueue, AzureTable>,
    shared: Shared,
    mut background: JoinSet<()>,
) -> Exit {
    let settings = args.settings();
    tracing::info!(
        consumer = settings.name,
        node = settings.node,
        queue = %args.storage.queue.queue,
        table = %args.storage.table.table,
        concurrency = settings.concurrency,
        visibility_seconds = settings.visibility.as_secs(),
        work = %settings.work,
        "consumer starting"
    );
    let consumer = run::run(settings, ports, shared.clone());
    let mut consumer = std::pin::pin!(consumer);
    let mut sound = true;
    let outcome = loop {
        tokio::select! {
            outcome = &mut consumer => break outcome,
            Some(ended) = background.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a background task panicked: this is a bug; draining");
                    sound = false;
                    shared.drain.cancel();
                }
            }
        }
    };
    background.shutdown().await;
    let exit = if sound { outcome.exit() } else { Exit::Bug };
    report(&shared, &outcome, exit);
    exit
}

fn report(shared: &Shared, outcome: &ConsumerEnd, exit: Exit) {
    if let ConsumerEnd::Refused(error) = outcome {
        let cause = std::error::Error::source(error).map(tracing::field::display);
        tracing::error!(%error, cause, advice = error.advice(), "storage refused at the start");
    }
    let metrics = &shared.metrics;
    tracing::info!(
        exit.code = exit.code(),
        received = metrics.received.get(),
        redelivered = metrics.redelivered.get(),
        inserted = metrics.inserted.get(),
        already_done = metrics.already_done.get(),
        conflicts = metrics.conflicts.get(),
        poisoned = metrics.poisoned_count(),
        deleted = metrics.deleted.get(),
        released = metrics.released.get(),
        lease_lost = metrics.lease_lost.get(),
        renewed = metrics.renewed.get(),
        "consumer stopped"
    );
}
