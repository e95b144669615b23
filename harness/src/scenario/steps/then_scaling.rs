//! Judges the number of consumers.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use autoscaler::Settings;
use cucumber::then;
use platform::autoscale::ScalingRecord;
use platform::{Cause, Departure, Roster};
use tokio::time::Instant;

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepError, StepResult};
use crate::audit::StorageTime;
use crate::events::Event;
use crate::outcome::Outcome;

/// If a tick of the loops is later than this, the start times of consumers cannot be judged: about a sync period at the local pace.
const LATE: Duration = Duration::from_secs(1);

/// Pods that were removed at once may be reported as ended this far apart. The HPA decides every 15 s, so two of its decisions are
/// never counted as one.
const AT_ONCE: Duration = Duration::from_secs(5);

/// How long consumers may take to start or to end after a decision: the time that a cluster with room for the pods takes. Never
/// less than `LATE`.
const FLEET: Duration = Duration::from_secs(45);

declare_needs!(Scaling);
#[then(regex = r"^within (\d+ (?:ms|s|min)) there (?:are|is) (\d+) consumers?$")]
async fn there_are(scenario: &mut Scenario, deadline: Time, count: u32) -> StepResult {
    let wanted = usize::try_from(count)?;
    until(scenario, deadline.0, |now| {
        (now.running, now.at_work) == (wanted, wanted) && now.wanted == count
    })
    .await
}

declare_needs!(Scaling);
#[then(expr = "within {time} the last consumer has gone")]
async fn all_gone(scenario: &mut Scenario, deadline: Time) -> StepResult {
    until(scenario, deadline.0, |now| {
        now.came && (now.wanted, now.running, now.leaving) == (0, 0, 0)
    })
    .await
}

/// The consumers at one moment.
#[derive(Debug)]
struct Now {
    /// Whether there ever was a consumer.
    came: bool,
    wanted: u32,
    running: usize,
    /// How many of the running consumers have begun to receive, as far as the wire shows it.
    at_work: usize,
    leaving: usize,
}

/// Waits until `holds` is true, for at most `deadline`.
async fn until(
    scenario: &mut Scenario,
    deadline: Duration,
    holds: impl Fn(&Now) -> bool,
) -> StepResult {
    let most = scenario.recording()?.most();
    let run = scenario.run().await?;
    let now = |roster: &Roster| Now {
        // A consumer that started has left a trace in the roster.
        came: most > 0 || !roster.workers.is_empty() || !roster.departed.is_empty(),
        wanted: roster.wanted,
        running: roster.running().count(),
        at_work: roster.at_work().count(),
        leaving: roster.ending().count(),
    };
    let waited = run.until_workers(deadline, |roster| holds(&now(roster)).then_some(()));
    if waited.await.is_ok() {
        return Ok(());
    }
    let Now {
        wanted,
        running,
        at_work,
        leaving,
        ..
    } = now(&run.roster());
    // Without a wire it is unknown how long storage kept requests waiting.
    let traffic = run.traffic();
    let storage = traffic.map_or_else(|_| StorageTime::default(), |traffic| traffic.storage);
    on_time(&scenario.recording()?, LATE)?;
    let late = format!(
        "after {deadline:?} {wanted} consumers are wanted, {running} run, {at_work} of them have asked for messages, and {leaving} \
         are about to end"
    );
    Err(StepError::late(late, storage))
}

declare_needs!(Scaling);
#[then(regex = r"^there (?:were|was) never more than (\d+) consumers?$")]
async fn ceiling(scenario: &mut Scenario, count: usize) -> StepResult {
    let most = scenario.run().await?.census().most();
    ensure!(most > 0, "there was never a consumer at all");
    ensure!(most <= count, "there were {most}");
    Ok(())
}

declare_needs!(Scaling);
#[then(
    regex = r"^the number of consumers turned at most (\d+) times?, between rising and falling$"
)]
async fn no_thrash(scenario: &mut Scenario, most: usize) -> StepResult {
    let census = scenario.run().await?.census();
    let (turns, counts) = (census.turns(), census.counts());
    ensure!(census.most() > 0, "there was never a consumer at all");
    ensure!(turns <= most, "it turned {turns} times: {counts:?}");
    Ok(())
}

declare_needs!(Scaling);
#[then(regex = r"^at once (\d+) consumers were taken away$")]
async fn at_once(scenario: &mut Scenario, count: usize) -> StepResult {
    let within = scenario.pace.time(AT_ONCE);
    let cut = scenario.run().await?.census().deepest_cut(within);
    ensure!(cut == count, "the most that went at once is {cut}");
    Ok(())
}

declare_needs!(Scaling, Wire);
#[then(
    regex = r"^at least (\d+) consumers? (?:was|were) taken away while (?:it|they) had work, and (?:it|each) ended by itself, with exit code 0$"
)]
async fn drained(scenario: &mut Scenario, at_least: usize) -> StepResult {
    let run = scenario.run().await?;
    let roster = run.roster();
    let left: Vec<&Departure> = roster.ended_by(Cause::Told).collect();
    for departure in &left {
        departure.ensure_orderly()?;
    }
    let busy = left.iter().filter(|departure| departure.held > 0).count();
    ensure!(
        busy >= at_least,
        "{busy} of the {} that were taken away had messages in hand",
        left.len()
    );
    Ok(())
}

declare_needs!(Scaling);
#[then(
    regex = r"^within (\d+ (?:ms|s|min)) no consumer comes, and the queue keeps its (\d+) messages$"
)]
async fn stranded(scenario: &mut Scenario, time: Time, messages: u64) -> StepResult {
    let polls = scenario.recording()?.polls();
    // This step is about the time that passes here.
    tokio::time::sleep(time.0).await;
    let recording = scenario.recording()?;
    let came = scenario.run().await?.census().most();
    ensure!(came == 0, "{came} came");
    ensure!(recording.most() == 0, "{} were wanted", recording.most());
    let seen = recording.polls() - polls;
    if seen == 0 {
        return Err(untold("nobody has looked at the queue in that time"));
    }
    let left = scenario.run().await?.depth().await?;
    ensure!(left == messages, "it holds {left}");
    Ok(())
}

declare_needs!(Scaling);
#[then("the number of consumers was always one that the model of KEDA and the HPA allows")]
async fn allowed(scenario: &mut Scenario) -> StepResult {
    let recording = scenario.recording()?;
    on_time(&recording, LATE)?;
    let settings = settings(scenario)?;
    let patience = scenario.pace.time(FLEET).max(LATE) + recording.latest();
    let (allowed, excursions) = recording.allowed(&settings, recording.age());
    let run = scenario.run().await?;
    // The wanted number judges the loops; the running number judges the platform that starts and ends consumers.
    let census = run.census();
    let (ran, wanted) = (census.most(), recording.most());
    ensure!(
        ran == usize::try_from(wanted)?,
        "{wanted} consumers were wanted at most, and {ran} ran"
    );
    let apart = census.longest_apart(Instant::now());
    ensure!(
        apart <= patience,
        "for {apart:.1?} not as many consumers ran as were wanted"
    );
    run.record(Event::Allowed(Box::new(allowed)))?;
    let Some(first) = excursions.first() else {
        return Ok(());
    };
    bail!("{first}");
}

declare_needs!(Scaling, Wire);
#[then(
    regex = r"^all (\d+) consumers had work within (\d+ (?:ms|s|min)) of the moment at which the model has them$"
)]
async fn as_fast_as_possible(scenario: &mut Scenario, count: u32, later: Time) -> StepResult {
    let recording = scenario.recording()?;
    let possible = recording.possible(&settings(scenario)?, count);
    let possible = possible.with_context(|| format!("the model never has {count} consumers"))?;
    let run = scenario.run().await?;
    let mut first = run.first_deliveries()?;
    first.sort();
    let at_work = first.get(usize::try_from(count)?.saturating_sub(1));
    let Some(at_work) = at_work else {
        bail!("only {} consumers ever had work", first.len())
    };
    let taken = at_work.micros_since(recording.since());
    let taken = Duration::from_micros(u64::try_from(taken).unwrap_or(0));
    if taken <= possible + later.0 {
        return Ok(());
    }
    // Late ticks of the loops mean that the machine was busy with something else.
    on_time(&recording, later.0 / 2)?;
    bail!(
        "they had work {taken:.2?} after scaling began, where the model has them after {possible:.2?}"
    );
}

/// The scaling settings of the scenario, at its pace.
fn settings(scenario: &Scenario) -> anyhow::Result<Settings> {
    let scaling = scenario
        .given
        .scaling
        .as_ref()
        .context("nothing is scaled")?;
    Ok(scaling.effective())
}

/// Inconclusive if the loops themselves were late, or did not run.
fn on_time(recording: &ScalingRecord, slack: Duration) -> StepResult {
    recording
        .untold(slack)
        .map_or(Ok(()), |why| Err(untold(&why)))
}

fn untold(reason: &str) -> StepError {
    StepError::of(Outcome::Inconclusive, anyhow!("{reason}"))
}
