//! `harness load`: one run without Gherkin. Sends a load, waits until it is done, audits every result, reports latency.

mod args;
mod describe;
mod knee;
mod live;
mod meter;
mod plan;
mod scaled;

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use tokio_util::sync::CancellationToken;

pub use args::{LatencyLimitArg, LoadArgs};
pub(crate) use describe::summarise;
use live::Live;
use meter::Meter;
use platform::autoscale::Scaling;
use platform::{Identity, Platform, StoppedOpening, StorageLoss, Workload};
use workflow::exit::WrongInput;

use crate::audit::ExpectedPoison;
use crate::conclusion::{Concluded, Conducted, Part, STOPPED};
use crate::events::{Event, Measured, Usage};
use crate::interrupts::Interrupts;
use crate::measure::judge;
use crate::outcome::Outcome;
use crate::panics::Stray;
use crate::report::{Report, RunRecord};
use crate::run::{Needed, Patience, Run, RunDir, Sending, Sent};
use crate::say::say;

/// Runs the load that `args` describe on `platform`, writes its report and prints its summary.
///
/// The first signal ends the sending; the sent messages are still processed and judged. The second signal ends everything immediately.
pub async fn load(args: &LoadArgs, platform: &dyn Platform) -> anyhow::Result<Outcome> {
    let mut interrupts = Interrupts::listen().context("listen for signals")?;
    let signals = Signals {
        stop: interrupts.stop(),
        at_once: interrupts.at_once(),
    };
    let heard = async {
        interrupts.recv().await;
        say_stopping();
        loop {
            interrupts.recv().await;
        }
    };
    tokio::select! {
        ended = one_or_all(args, platform, &signals) => ended,
        () = heard => unreachable!("signals must be listened for until the load has ended"),
    }
}

/// Runs the load that `args` describe with `workload`, writes its reports, and prints nothing: for programs. Signals are left to
/// the caller.
pub async fn judged(args: &LoadArgs, workload: Workload) -> anyhow::Result<(RunRecord, Report)> {
    check(args, &workload)?;
    let storage = args.storage();
    let platform = platform::start(&args.workload, workload, storage, &args.out).await?;
    let signals = Signals {
        stop: CancellationToken::new(),
        at_once: CancellationToken::new(),
    };
    if args.find_rate {
        return knee::find(args, &*platform, &signals).await;
    }
    let Concluded { record, report } = perform(args, &*platform, &signals, Told::Nothing).await?;
    Ok((record, report))
}

/// The signals received so far.
struct Signals {
    stop: CancellationToken,
    at_once: CancellationToken,
}

#[expect(clippy::print_stderr, reason = "a person has asked for it, and waits")]
fn say_stopping() {
    eprintln!("stopping: what was sent is finished and judged; once more ends it at once");
}

/// The second signal came while a load was being prepared.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("what was created for it may be left behind, and `harness sweep` removes it")]
struct StoppedAtOnce;

/// Whether `error` says that a load was stopped before it began.
fn is_stopped(error: &anyhow::Error) -> bool {
    error.is::<StoppedOpening>() || error.is::<StoppedAtOnce>()
}

/// Runs one load, or as many as are needed to find the highest rate.
async fn one_or_all(
    args: &LoadArgs,
    platform: &dyn Platform,
    signals: &Signals,
) -> anyhow::Result<Outcome> {
    let ended = if args.find_rate {
        knee::find(args, platform, signals).await
    } else {
        let one = perform(args, platform, signals, Told::Whole).await;
        one.map(|Concluded { record, report }| (record, report))
    };
    match ended {
        Ok((record, report)) => {
            summarise(&record, &report);
            Ok(record.verdict().outcome)
        }
        Err(error) if is_stopped(&error) => {
            say(&format!("{STOPPED} before the load began: {error}"));
            Ok(Outcome::Incomplete)
        }
        Err(error) => Err(error),
    }
}

/// How much of a load is printed while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// What starts, and its progress.
    Whole,
    /// Only its progress, since it is one of several loads.
    Progress,
    /// Nothing, because a program runs the load.
    Nothing,
}

/// Runs one load and writes its reports.
async fn perform(
    args: &LoadArgs,
    platform: &dyn Platform,
    signals: &Signals,
    told: Told,
) -> anyhow::Result<Concluded> {
    let stray = Stray::watch();
    let identity = Identity::fresh(args.seed);
    let loss = StorageLoss::default();
    let needed = Needed {
        queues: args.queues,
        ..Needed::default()
    };
    let scaling = scaled::scaling(args, platform)?;
    let stop = signals.stop.clone();
    let prepared = Run::prepare(platform, identity, &args.out, needed, loss.clone(), stop);
    let mut run = tokio::select! {
        prepared = prepared => prepared?,
        () = signals.at_once.cancelled() => bail!(StoppedAtOnce),
    };
    let asked = Asked {
        args,
        scaling,
        told,
    };
    let mut sending = None;
    let judged = tokio::select! {
        judged = conduct(&asked, &mut run, &mut sending, &signals.stop) => judged,
        reason = loss.lost() => Err(anyhow!(reason)),
        // The reason is added at the end, with the reasons of other panics.
        _ = stray.any() => Ok(vec![]),
        () = signals.at_once.cancelled() => Ok(vec![Part::new(Outcome::Incomplete, STOPPED)]),
    };
    let conducted = Conducted {
        run,
        sending,
        judged,
        stray: &stray,
        stopped: signals.stop.is_cancelled(),
        at_once: &signals.at_once,
    };
    conducted.conclude().await.concluded
}

/// Checks everything in `args` that can be checked before anything starts.
pub fn check(args: &LoadArgs, workload: &Workload) -> anyhow::Result<()> {
    let refused = args.unheeded().or_else(|| args.misspread());
    if let Some(why) = refused.or_else(|| plan::lacking(args, &workload.description)) {
        return Err(anyhow!(why).context(WrongInput("check the load")));
    }
    let load = args.load();
    let mut arguments = load.arguments(&Identity::fresh(args.seed));
    if load.generators > 1 {
        let last = load.generators - 1;
        arguments.push(format!("--slice={last}/{}", load.generators));
    }
    workload.check(&arguments, &args.consumer())?;
    scaled::check(args)?;
    RunDir::check_parent(&args.out)
}

fn phase(run: &Run, name: &str) -> anyhow::Result<()> {
    run.record(Event::Phase {
        name: name.to_owned(),
    })
}

/// The parts of a requested load.
struct Asked<'a> {
    args: &'a LoadArgs,
    /// How consumers are scaled; `None` if their number is fixed.
    scaling: Option<Scaling>,
    told: Told,
}

async fn conduct(
    asked: &Asked<'_>,
    run: &mut Run,
    sending: &mut Option<Sending>,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<Part>> {
    let Asked {
        args,
        scaling,
        told,
    } = asked;
    let told = *told;
    run.begin(describe::started(args, run))?;
    if told == Told::Whole {
        describe::announce(args, run);
    }
    if let Some(text) = describe::shortfall(args) {
        run.record(Event::Note { text })?;
    }
    let load = args.load();
    phase(run, "load")?;
    let mut meter = Meter::start(run).await;
    let workers = scaled::workers(args, scaling.as_ref());
    let grace = workers.grace.max(args.patience().drain);
    run.apply(workers).await?;
    *sending = Some(run.start_sending(&load).await?);
    let follow = Follow {
        planned: args.planned(),
        patience: args.patience(),
        stop,
        told,
    };
    let watched = follow.watch(run, sending, &mut meter).await?;
    let usage = took(run, &meter, "load", &watched.sent)?;
    let running: Vec<String> = run.roster().workers.into_iter().map(|it| it.name).collect();
    // Judged before the harness itself ends the consumers, which no autoscaler asks for.
    let scaled = match scaling {
        Some(scaling) => scaled::judged(run, scaling)?,
        None => Vec::new(),
    };
    phase(run, "drain")?;
    run.drain(grace).await?;
    phase(run, "audit")?;
    let mut meter = Meter::start(run).await;
    let collected = run
        .collect(&watched.sent, ExpectedPoison::default())
        .await?;
    let verdicts = judge(&collected.hops, &args.limits());
    meter.read(run).await;
    took(run, &meter, "audit", &watched.sent)?;
    // Unexpected exits come first, since they are mostly the cause of what the audit finds.
    let mut parts = Vec::from_iter(judge::departures::part_of(&run.roster().departed));
    match (watched.interrupted, watched.is_whole()) {
        (true, false) => parts.push(Part::new(Outcome::Incomplete, STOPPED)),
        (true, true) => run.record(Event::Note {
            text: "a signal came when everything was sent; all of it was finished, so the run is judged".to_owned(),
        })?,
        (false, _) => {}
    }
    let lost = watched.sent.lost.iter();
    parts.extend(lost.map(|why| Part::new(Outcome::Inconclusive, why.clone())));
    parts.extend(judge::never_began(&run.roster().departed, &collected.audit));
    parts.extend(judge::silent(&running, &collected.audit, usage.as_ref()));
    parts.extend(Part::all_of(&collected.audit));
    parts.extend(scaled);
    parts.extend(verdicts.iter().map(Part::from));
    run.record(Event::Audited(Box::new(collected.audit)))?;
    run.record(Event::Measured(Box::new(Measured {
        hops: collected.hops,
        verdicts,
    })))?;
    Ok(parts)
}

/// The result of sending a load.
struct EndedLoad {
    sent: Sent,
    interrupted: bool,
    /// Whether the queue was empty at the end.
    is_settled: bool,
}

impl EndedLoad {
    /// Whether a signal has cut nothing off: everything was sent, and worked on.
    fn is_whole(&self) -> bool {
        self.is_settled && self.sent.lost.is_empty() && !self.sent.summary.interrupted
    }
}

/// Records the CPU time and memory of a phase, if they are known, and returns them.
fn took(run: &Run, meter: &Meter, phase: &str, sent: &Sent) -> anyhow::Result<Option<Usage>> {
    // Includes what a generator without a summary had reported as sent, because consumers worked on it.
    let usage = meter.usage(phase, sent.summary.begun.saturating_sub(sent.unsent));
    if let Some(usage) = &usage {
        run.record(Event::Usage(usage.clone()))?;
    }
    Ok(usage)
}

/// Time between two looks at a load: its end may be noticed this much too late.
const LOOK: Duration = Duration::from_millis(100);

/// How to follow a load.
struct Follow<'a> {
    planned: u64,
    patience: Patience,
    stop: &'a CancellationToken,
    told: Told,
}

impl Follow<'_> {
    /// Follows the load until everything is sent and the queue is empty, or until a time limit is reached or no consumer is left.
    async fn watch(
        &self,
        run: &mut Run,
        producer: &mut Option<Sending>,
        meter: &mut Meter,
    ) -> anyhow::Result<EndedLoad> {
        let Self {
            planned,
            patience,
            stop,
            told,
        } = *self;
        let mut live = Live::new(planned, told != Told::Nothing);
        let (mut interrupted, mut stopped) = (false, false);
        // The producer stays with the caller while it sends, so that the caller can end it in order if this future is dropped.
        while let Some(sending) = producer.as_mut() {
            if sending.has_ended()? {
                break;
            }
            run.check()?;
            if live.observe(run, Some(sending)) {
                meter.read(run).await;
            }
            // No consumer is left.
            if run.roster().is_deserted() && !stopped {
                stopped = true;
                sending.interrupt().await?;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled(), if !stopped => {
                    (interrupted, stopped) = (true, true);
                    sending.interrupt().await?;
                }
            }
        }
        let sending = producer.take().context("the producer must be there")?;
        let sent = sending.finish_with_losses(patience.drain).await?;
        phase(run, "settle")?;
        let start = Instant::now();
        // Also after a signal: what was sent is finished, so that it can be judged.
        let mut is_settled;
        loop {
            is_settled = run.depth().await? == 0;
            if is_settled || start.elapsed() >= patience.settle {
                break;
            }
            run.check()?;
            if live.observe(run, None) {
                meter.read(run).await;
            }
            if run.roster().is_deserted() {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled(), if !interrupted => interrupted = true,
            }
        }
        meter.read(run).await;
        live.end(run);
        Ok(EndedLoad {
            sent,
            interrupted,
            is_settled,
        })
    }
}
