//! `harness load`: one run without Gherkin. Sends a load, waits until it is done, audits every result, reports latency.

mod args;
mod describe;
mod knee;
mod live;
mod meter;
mod plan;
mod scaled;

use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use tokio_util::sync::CancellationToken;

pub use args::{LatencyLimitArg, LoadArgs};
pub(crate) use describe::summarise;
use live::Live;
use meter::Meter;
use platform::autoscale::Scaling;
use platform::{Departure, Identity, Platform, Roster, StorageLoss, Workload};
use workflow::exit::WrongInput;

use crate::audit::ExpectedPoison;
use crate::conclusion::{Concluded, Conducted, Part, STOPPED};
use crate::events::{Event, Measured};
use crate::interrupts::Interrupts;
use crate::measure::judge;
use crate::outcome::Outcome;
use crate::panics::Stray;
use crate::report::{Report, RunRecord};
use crate::run::{Needed, Patience, Run, RunDir, Sending, Sent};

/// Runs the load that `args` describe on `platform`, writes its report and prints its summary.
///
/// A first signal ends the sending; what was sent is drained and judged. A second one ends everything, whatever it is at.
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

/// Runs the load that `args` describe with `workload`, writes its reports, and prints nothing: for who asks as a program. Signals are
/// left to the caller.
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

/// What was heard of signals so far.
struct Signals {
    stop: CancellationToken,
    at_once: CancellationToken,
}

#[expect(clippy::print_stderr, reason = "a person has asked for it, and waits")]
fn say_stopping() {
    eprintln!("stopping: what was sent is finished and judged; once more ends it at once");
}

/// One load, or as many as it takes to find the highest rate.
async fn one_or_all(
    args: &LoadArgs,
    platform: &dyn Platform,
    signals: &Signals,
) -> anyhow::Result<Outcome> {
    let (record, report) = if args.find_rate {
        knee::find(args, platform, signals).await?
    } else {
        let Concluded { record, report } = perform(args, platform, signals, Told::Whole).await?;
        (record, report)
    };
    summarise(&record, &report);
    Ok(record.verdict().outcome)
}

/// How much of a load is told while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// What begins, and how it goes on.
    Whole,
    /// How it goes on: of several loads, one after the other.
    Progress,
    /// Nothing, to a program.
    Nothing,
}

/// One load, to its reports.
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
    let mut run = Run::prepare(platform, identity, &args.out, needed, loss.clone()).await?;
    let asked = Asked {
        args,
        scaling,
        told,
    };
    let mut sending = None;
    let judged = tokio::select! {
        judged = conduct(&asked, &mut run, &mut sending, &signals.stop) => judged,
        reason = loss.lost() => Err(anyhow!(reason)),
        // The reason is added at the end, with those of other panics.
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

/// Checks what `args` ask for, as far as it can be known before anything starts.
pub fn check(args: &LoadArgs, workload: &Workload) -> anyhow::Result<()> {
    if let Some(why) = args
        .misspread()
        .or_else(|| plan::lacking(args, &workload.description))
    {
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

/// What was asked for.
struct Asked<'a> {
    args: &'a LoadArgs,
    /// By what consumers are scaled; `None`: their number is given.
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
    took(run, &meter, "load", &watched.sent)?;
    // Before they are told to end, which no autoscaler decides.
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
    // First, since what the audit finds then mostly follows from it.
    let mut parts = Vec::from_iter(unexpected_exits(&run.roster()));
    if watched.interrupted {
        parts.push(Part::new(Outcome::Incomplete, STOPPED));
    }
    let lost = watched.sent.lost.iter();
    parts.extend(lost.map(|why| Part::new(Outcome::Inconclusive, why.clone())));
    parts.push(Part::from(&collected.audit));
    parts.extend(scaled);
    parts.extend(verdicts.iter().map(Part::from));
    run.record(Event::Audited(Box::new(collected.audit)))?;
    run.record(Event::Measured(Box::new(Measured {
        hops: collected.hops,
        verdicts,
    })))?;
    Ok(parts)
}

/// Consumers that did not end when and as they were asked to. They mostly end alike: the one that was started first stands
/// for all, as in the reports, and what each had to say is with its end in the event log.
fn unexpected_exits(roster: &Roster) -> Option<Part> {
    // Of those that end at once, whichever is looked at last is noticed first: by number, or two runs alike read apart.
    let by_number = |departure: &&Departure| (departure.name.len(), departure.name.clone());
    let departed = roster.departed.iter();
    let departures: Vec<_> = departed.filter(|it| !it.is_orderly).collect();
    let first = departures.iter().copied().min_by_key(by_number)?;
    let reason = match departures.len() - 1 {
        0 => first.sentence.clone(),
        more => format!("{}; {more} more did not end as asked", first.sentence),
    };
    Some(Part::new(Outcome::Fail, reason))
}

/// What was seen while the load ran.
struct EndedLoad {
    sent: Sent,
    interrupted: bool,
}

/// Records what a phase took of the machine, where that can be told.
fn took(run: &Run, meter: &Meter, phase: &str, sent: &Sent) -> anyhow::Result<()> {
    // Also those of a generator that was lost: what it sent was worked on.
    match meter.usage(phase, sent.summary.begun) {
        Some(usage) => run.record(Event::Usage(usage)),
        None => Ok(()),
    }
}

/// From one look at a load to the next: it bounds how much later than it ends a load is seen to have ended.
const LOOK: Duration = Duration::from_millis(100);

/// How a load is followed.
struct Follow<'a> {
    planned: u64,
    patience: Patience,
    stop: &'a CancellationToken,
    told: Told,
}

impl Follow<'_> {
    /// Follows the load until everything is sent and the queue is empty, or patience or the consumers run out.
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
        // It stays with the caller for as long as it sends, so that it can be ended in order if all this is given up.
        while let Some(sending) = producer.as_mut() {
            if sending.has_ended()? {
                break;
            }
            run.check()?;
            if live.observe(run, Some(sending)) {
                meter.read(run).await;
            }
            // Nobody is left to send to.
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
        let sent = sending.finish(patience.drain).await?;
        phase(run, "settle")?;
        let start = Instant::now();
        while run.depth().await? > 0 && start.elapsed() < patience.settle && !interrupted {
            run.check()?;
            if live.observe(run, None) {
                meter.read(run).await;
            }
            if run.roster().is_deserted() {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = stop.cancelled() => interrupted = true,
            }
        }
        meter.read(run).await;
        live.end(run);
        Ok(EndedLoad { sent, interrupted })
    }
}
