//! Runs the producer from its arguments to its exit code.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use workflow::azure::{ConfigError, Storage};
use workflow::contract::Stamp;
use workflow::exit::Exit;
use workflow::ports::{StorageError, WorkQueue};
use workflow::shutdown::Signals;
use workflow::telemetry::DEFAULT_FILTER;
use workflow::{panics, shutdown, task};

use crate::args::{Args, SinkChoice};
use crate::load::{self, LoadEnd, LoadError};
use crate::pacer::Pacing;
use crate::plan::{Pace, Plan};
use crate::report::{self, Reporter, Started};
use crate::schedule::ScheduleError;
use crate::send::{Fatal, chain};
use crate::sink::{NullSink, Sink};
use crate::tally::Board;

/// Why a run did not take place, or its summary could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The plan is not valid.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// There is no queue to send to.
    #[error(
        "open the queue: no name; set AZURE_QUEUE_NAME (--queue), or --sink null to send nothing anywhere"
    )]
    NoQueue,
    /// The storage arguments are not valid.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The queue could not be created.
    #[error(transparent)]
    Create(StorageError),
    /// The summary cannot be written to its file.
    #[error("write the summary to {}", path.display())]
    Summary {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// Runtime, signals or progress could not be set up.
    #[error("set up the process")]
    Process(#[source] io::Error),
    /// A bug.
    #[error(transparent)]
    Load(#[from] LoadError),
}

impl Failure {
    const fn exit(&self) -> Exit {
        match self {
            Self::Summary { .. } | Self::Process(_) => Exit::LocalResource,
            Self::Schedule(_) | Self::NoQueue | Self::Config(_) => Exit::Usage,
            Self::Create(error) => Exit::of(error),
            Self::Load(_) => Exit::Bug,
        }
    }
}

/// Runs the producer as a process would: logs, signals, runtime, progress, summary.
///
/// The runtime has one thread, with the pacing thread beside it: a second one used more CPU at 10,000 messages/s into the
/// null sink. That was measured on a busy machine (release, 2 cores), and rates into Azurite were too noisy to compare.
pub fn main(args: Args) -> Exit {
    shutdown::hold();
    panics::watch();
    let telemetry = args.telemetry.init("producer", DEFAULT_FILTER);
    let _telemetry = match telemetry {
        Ok(telemetry) => telemetry,
        Err(error) => {
            // There is no log yet; if standard error is closed as well, only the exit code tells of the error.
            drop(writeln!(io::stderr().lock(), "failed to {}", chain(&error)));
            return Exit::Bug;
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ended = runtime
        .map_err(Failure::Process)
        .and_then(|runtime| runtime.block_on(Box::pin(process(args))));
    let exit = ended.unwrap_or_else(|failure| {
        let advice = if let Failure::Create(error) = &failure {
            error.advice()
        } else {
            None
        };
        tracing::error!(error = chain(&failure), advice, "failed");
        failure.exit()
    });
    panics::exit(exit)
}

async fn process(args: Args) -> Result<Exit, Failure> {
    let stop = CancellationToken::new();
    let signals = Signals::listen().map_err(Failure::Process)?;
    let _watch = task::spawn(signals.watch(stop.clone()));
    // Checks all input before anything else is done.
    let plan = args.plan();
    let pace = plan.pace()?;
    if let Some(path) = &args.summary {
        check_place(path)?;
    }
    if args.sink == SinkChoice::Null {
        tracing::warn!(
            "NULL SINK: nothing is sent to any storage; this measures the generator only"
        );
        return send(plan, pace, NullSink, &args, stop).await;
    }
    let queue_args = args.queue.as_ref().ok_or(Failure::NoQueue)?;
    let storage = Storage::open(&args.account)?;
    let queue = storage.queue(queue_args)?;
    storage.needs("queue", 'a', "put messages")?;
    if args.create {
        create(&queue, &plan, &stop).await?;
    }
    send(plan, pace, queue, &args, stop).await
}

/// Creates the queue, with as many tries as a message gets.
async fn create(
    queue: &impl WorkQueue,
    plan: &Plan,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let persistence = plan.persistence;
    let tried = persistence
        .backoff
        .retry(persistence.tries, stop, || queue.create());
    match tokio::time::timeout(persistence.timeout, tried).await {
        Ok(Err(error)) if !stop.is_cancelled() => Err(Failure::Create(error)),
        // The time limit is over, or the run was stopped: the first message will show the error of storage.
        _ => Ok(()),
    }
}

/// Sends the load of `plan` into `sink` until it has ended or `stop` is cancelled; then waits for the sends in flight, at
/// most the plan's grace period. Reports nothing on the way. Runs on tokio's timer, whose clock a simulation may pause; this counts
/// in milliseconds: messages that are due within one are sent together.
pub async fn run_on_timer<S: Sink>(
    plan: Plan,
    sink: S,
    stop: CancellationToken,
) -> Result<LoadEnd, Failure> {
    let pace = plan.pace()?;
    let board = Arc::new(Board::new());
    Ok(load::run(Arc::new(plan), pace, sink, board, Pacing::Timer, stop).await?)
}

async fn send<S: Sink>(
    plan: Plan,
    pace: Pace,
    sink: S,
    args: &Args,
    stop: CancellationToken,
) -> Result<Exit, Failure> {
    let started = Started {
        run: plan.run.clone(),
        seed: plan.payloads.seed,
        shape: plan.shape.to_string(),
        payload: plan.payloads.size,
        queue: sink.queue().map(str::to_owned),
        planned: pace.planned(),
        duplicate_rate: plan.duplicate_rate,
        at: Stamp::now(),
    };
    tracing::info!(
        run.id = %started.run,
        seed = started.seed,
        shape = started.shape,
        payload = %started.payload,
        planned = started.planned,
        "sending"
    );
    let board = Arc::new(Board::new());
    let reporter =
        Reporter::start(args.progress, started, board.clone()).map_err(Failure::Process)?;
    let ended = load::run(Arc::new(plan), pace, sink, board, Pacing::Thread, stop).await?;
    if let Some(fatal) = &ended.fatal {
        tracing::error!(
            error = chain(fatal),
            advice = fatal.advice(),
            "the run cannot go on"
        );
    }
    // The file is written first: unlike standard output, it cannot be closed by a reader.
    let filed = args.summary.as_ref().map_or(Ok(()), |path| {
        report::write_file(path, &ended.summary).map_err(|source| Failure::Summary {
            path: path.clone(),
            source,
        })
    });
    reporter
        .finish(&ended.summary)
        .map_err(|source| Failure::Summary {
            path: "standard output".into(),
            source,
        })?;
    filed?;
    Ok(exit(&ended))
}

/// Checks before the load, and not after it, that the summary can be written.
fn check_place(path: &Path) -> Result<(), Failure> {
    let checked = if path.is_dir() {
        Err(io::ErrorKind::IsADirectory.into())
    } else {
        report::check_place(path)
    };
    checked.map_err(|source| Failure::Summary {
        path: path.to_owned(),
        source,
    })
}

/// The exit code for the result of the load.
const fn exit(ended: &LoadEnd) -> Exit {
    match &ended.fatal {
        Some(Fatal::Storage(error)) => Exit::of(error),
        Some(Fatal::NothingTaken) => Exit::StorageUnavailable,
        None if ended.summary.acknowledged < ended.summary.begun => Exit::Partial,
        None => Exit::Success,
    }
}
