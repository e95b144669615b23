//! `harness load`: one run without Gherkin. Sends a load, waits until it is done, audits every result, reports latency.

mod args;
mod describe;
mod live;

use std::time::{Duration, Instant};

use anyhow::Context as _;

use tokio::time::timeout;

pub use args::{LatencyLimitArg, LoadArgs};
pub(crate) use describe::summarise;
use live::{EVERY, Live};

use crate::audit::ExpectedPoison;
use crate::events::{Event, Measured};
use crate::interrupts::Interrupts;
use crate::measure::judge;
use crate::outcome::Outcome;
use crate::platform::workers::CONSUMERS;
use crate::platform::{Departure, Platform, Replicas, Roster, StorageLoss, WorkerSpec, Workload};
use crate::run::{Identity, Needed, Patience, Run, RunDir, Sending, Sent};

/// Runs the load that `args` describe on `platform`, writes its report and prints its summary.
pub async fn load(args: &LoadArgs, platform: &dyn Platform) -> anyhow::Result<Outcome> {
    let identity = Identity::fresh(args.seed);
    let mut interrupts = Interrupts::listen().context("listen for signals")?;
    let alarm = StorageLoss::default();
    let mut run = Run::prepare(
        platform,
        identity,
        &args.out,
        Needed::default(),
        alarm.clone(),
    )
    .await?;
    let mut sending = None;
    let finished = tokio::select! {
        reason = alarm.lost() => Err(StorageLost(reason).into()),
        finished = conduct(args, &mut run, &mut sending, &mut interrupts) => finished,
    };
    let lost = match &finished {
        Ok(_) => None,
        Err(_) => run.storage_lost().await,
    };
    match (&finished, &lost) {
        (Ok(_), _) => {}
        (Err(_), None) => run.abandon(sending).await,
        (Err(_), Some(_)) => tokio::select! {
            () = run.wind_up(sending) => {}
            () = interrupts.second() => {}
        },
    }
    let watched = run.stop_watching().await;
    let finished = match lost {
        // Whatever else went wrong follows from it.
        Some(reason) => Err(StorageLost(reason).into()),
        None => finished.and_then(|verdict| watched.map(|()| verdict)),
    };
    let dir = run.dir().path().to_owned();
    let concluded = conclude(&run, finished, interrupts.seen());
    // Also when nothing can be written any more: what is gone need not be swept.
    let removed = timeout(REMOVAL, run.remove()).await;
    let removed = removed.unwrap_or_else(|late| Err(late.into()));
    let closed = run.close().await;
    concluded?;
    closed?;
    let (record, report) = crate::report::write(&dir)?;
    summarise(&record, &report);
    match record.verdict().outcome {
        // Storage that stays behind is no pass; a worse verdict is the news.
        Outcome::Pass => removed.map(|()| Outcome::Pass),
        outcome => Ok(outcome),
    }
}

/// Checks what `args` ask for, as far as it can be known before anything starts.
pub fn check(args: &LoadArgs, workload: &Workload) -> anyhow::Result<()> {
    let arguments = args.load().arguments(&Identity::fresh(args.seed));
    workload.check(&arguments, &args.consumer())?;
    RunDir::check_parent(&args.out)
}

/// What the parts of the judgement say, and why.
type Verdict = (Outcome, Vec<String>);

/// How long the removal of a run's storage may take.
const REMOVAL: Duration = Duration::from_secs(20);

/// A run has no storage any more.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct StorageLost(String);

/// Records the outcome. An error on the way makes the run inconclusive, since the harness could not tell, or incomplete where
/// a signal had come first; what was recorded until then is kept, and the error is the reason.
fn conclude(run: &Run, finished: anyhow::Result<Verdict>, interrupted: bool) -> anyhow::Result<()> {
    let (outcome, reasons) = finished.unwrap_or_else(|error| {
        let reason = match error.downcast_ref() {
            Some(StorageLost(reason)) => reason.clone(),
            None => format!("failed to {error:#}"),
        };
        tracing::error!("{reason}");
        if interrupted {
            let reasons = vec![STOPPED.to_owned(), reason];
            (Outcome::Incomplete, reasons)
        } else {
            (Outcome::Inconclusive, vec![reason])
        }
    });
    run.record(Event::Finished { outcome, reasons })
}

/// What a signal is the reason of.
const STOPPED: &str = "stopped by a signal";

fn phase(run: &Run, name: &str) -> anyhow::Result<()> {
    run.record(Event::Phase {
        name: name.to_owned(),
    })
}

async fn conduct(
    args: &LoadArgs,
    run: &mut Run,
    sending: &mut Option<Sending>,
    interrupts: &mut Interrupts,
) -> anyhow::Result<Verdict> {
    run.begin(describe::started(args, run))?;
    describe::announce(args, run);
    if let Some(text) = describe::shortfall(args) {
        run.record(Event::Note { text })?;
    }
    let load = args.load();
    phase(run, "load")?;
    run.apply(WorkerSpec {
        group: CONSUMERS,
        replicas: Replicas::Fixed(args.consumers),
        options: args.consumer(),
        grace: args.patience().drain,
    })
    .await?;
    *sending = Some(run.start_sending(&load).await?);
    let watched = watch(run, args.planned(), sending, args.patience(), interrupts).await?;
    phase(run, "drain")?;
    run.drain(args.patience().drain).await?;
    phase(run, "audit")?;
    let collected = run
        .collect(&watched.sent, ExpectedPoison::default())
        .await?;
    let verdicts = judge(&collected.hops, &args.limits());
    // First, since what the audit finds then mostly follows from it.
    let mut parts = Vec::from_iter(unexpected_exits(&run.roster()));
    if watched.interrupted {
        parts.push((Outcome::Incomplete, vec![STOPPED.to_owned()]));
    }
    parts.push((collected.audit.outcome(), collected.audit.reasons()));
    let of_limits = verdicts
        .iter()
        .map(|verdict| (verdict.outcome, vec![verdict.sentence()]));
    parts.extend(of_limits);
    run.record(Event::Audited(Box::new(collected.audit)))?;
    run.record(Event::Measured(Box::new(Measured {
        hops: collected.hops,
        verdicts,
    })))?;
    Ok(combine(&parts))
}

/// The worst outcome, and the reasons of every part that is not a pass, worst first.
fn combine(parts: &[Verdict]) -> Verdict {
    let outcome = Outcome::of_parts(parts.iter().map(|(outcome, _)| *outcome));
    let reasons = Outcome::WORST_FIRST
        .into_iter()
        .filter(|outcome| *outcome != Outcome::Pass)
        .flat_map(|worst| parts.iter().filter(move |(outcome, _)| *outcome == worst))
        .flat_map(|(_, reasons)| reasons.clone())
        .collect();
    (outcome, reasons)
}

/// Consumers that did not end when and as they were asked to. They mostly end alike: the one that was started first stands
/// for all, as in the reports, and what each had to say is with its end in the event log.
fn unexpected_exits(roster: &Roster) -> Option<Verdict> {
    // Of those that end at once, whichever is looked at last is noticed first: by number, or two runs alike read apart.
    let by_number = |departure: &&Departure| (departure.name.len(), departure.name.clone());
    let departed = roster.departed.iter();
    let departures: Vec<_> = departed.filter(|it| !it.is_orderly).collect();
    let first = departures.iter().copied().min_by_key(by_number)?;
    let reason = match departures.len() - 1 {
        0 => first.sentence.clone(),
        more => format!("{}; {more} more did not end as asked", first.sentence),
    };
    Some((Outcome::Fail, vec![reason]))
}

/// What was seen while the load ran.
struct Watched {
    sent: Sent,
    interrupted: bool,
}

/// Follows the load until everything is sent and the queue is empty, or patience or the consumers run out.
async fn watch(
    run: &mut Run,
    planned: u64,
    producer: &mut Option<Sending>,
    patience: Patience,
    interrupts: &mut Interrupts,
) -> anyhow::Result<Watched> {
    let mut live = Live::new(planned);
    let (mut interrupted, mut stopped) = (false, false);
    // It stays with the caller for as long as it sends, so that it can be ended in order if all this is given up.
    while let Some(sending) = producer.as_mut() {
        if sending.has_ended()? {
            break;
        }
        live.observe(run, Some(sending));
        // Nobody is left to send to.
        if run.roster().is_deserted() && !stopped {
            stopped = true;
            sending.interrupt().await?;
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = interrupts.recv(), if !stopped => {
                (interrupted, stopped) = (true, true);
                sending.interrupt().await?;
            }
        }
    }
    let sending = producer.take().context("the producer must be there")?;
    let sent = sending.finish(patience.drain).await?;
    phase(run, "settle")?;
    let start = Instant::now();
    while run.depth().await? > 0 && start.elapsed() < patience.settle && !interrupted {
        live.observe(run, None);
        if run.roster().is_deserted() {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = interrupts.recv() => interrupted = true,
        }
    }
    live.observe(run, None);
    live.end();
    Ok(Watched { sent, interrupted })
}
