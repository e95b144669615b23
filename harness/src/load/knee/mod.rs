//! `harness load --find-rate`: searches the highest rate that keeps the latency limits, and reports the curve of latency over rate
//! and the bottleneck.
//!
//! Each rate is a run of its own, below the directory of the search: sent open loop at a constant rate, audited and measured like
//! any other run. So latencies at every rate are free of coordinated omission, and a rate at which a message is lost does not
//! count. [`search`] chooses the next rate, [`judge::bottleneck()`] finds the part that limits a rate. The event log of the search has one
//! event for each rate.

mod search;

use std::path::Path;
use std::time::Duration;

use platform::Identity;
use platform::Platform;
use workflow::contract::Stamp;

use super::{
    LatencyLimitArg, LoadArgs, Part, STOPPED, Signals, Told, describe, is_stopped, perform,
};
use crate::events::{
    Bottleneck, BottleneckPart, Event, EventLog, HopLatency, RateFound, RateStep, StepMeasured,
};
use crate::measure::{Hop, LatencyLimit, Percentile};
use crate::outcome::Outcome;
use crate::report::{self, MarkKind, Report, RunRecord};
use crate::run::RunDir;
use search::{Search, Shown};

/// The limit where `--limit` gives none: an answer for which a person does not have to wait.
const LIMIT: (Hop, Percentile, Duration) =
    (Hop::EndToEnd, Percentile::P99, Duration::from_millis(100));

/// Messages that one consumer works on at once where no flag gives the number: the consumer's default (`EDW_CONCURRENCY`).
const CONCURRENCY: u32 = 32;

/// Searches for the highest rate of the load that `args` describe, and writes the report.
pub(super) async fn find(
    args: &LoadArgs,
    platform: &dyn Platform,
    signals: &Signals,
) -> anyhow::Result<(RunRecord, Report)> {
    let identity = Identity::fresh(args.seed);
    let dir = RunDir::create_of_search(&args.out, &identity.run)?;
    let log = EventLog::open(&dir)?;
    let record = |event| log.append(Stamp::now(), event);
    let limits = limits(args);
    record(describe::search(args, platform, &identity, &limits))?;
    describe::announce_search(args, platform, &identity, &dir);
    let (mut search, mut steps) = (Search::default(), Vec::new());
    // The rate whose last try told nothing.
    let mut untold = None;
    let mut parts = Vec::new();
    while let Some(rate) = search.next() {
        if signals.stop.is_cancelled() {
            parts.push(Part::new(Outcome::Incomplete, STOPPED));
            break;
        }
        let tried = Tried {
            rate,
            args: step_args(args, rate, steps.len(), &identity, &limits, &dir),
        };
        let concluded = match perform(&tried.args, platform, signals, Told::Progress).await {
            Err(error) if is_stopped(&error) => {
                parts.push(Part::new(
                    Outcome::Incomplete,
                    format!("{STOPPED}: {error}"),
                ));
                break;
            }
            Err(error) => {
                record(judge::Conclusion::of([Part::of_error(&error)]).event())?;
                return Err(error);
            }
            Ok(concluded) => concluded,
        };
        let step = tried.step(&concluded.record);
        describe::tell_step(&step);
        record(Event::RateStep(Box::new(step.clone())))?;
        let outcome = step.outcome;
        let broken = judge::breaks_a_promise(&step, concluded.record.audit.as_ref());
        steps.push(step);
        if !broken.is_empty() {
            parts.extend(broken);
            break;
        }
        // A machine that was busy for a moment, or a generator that was lost, says nothing about the rate: it has another try.
        if outcome == Outcome::Inconclusive && untold.replace(rate) != Some(rate) {
            continue;
        }
        search.told(
            rate,
            match outcome {
                Outcome::Pass => Shown::Kept,
                Outcome::Fail => Shown::Broken,
                Outcome::Inconclusive | Outcome::Incomplete => Shown::Untold,
            },
        );
    }
    // A search that was cut off has not found the highest rate.
    if parts.iter().all(|part| part.outcome != Outcome::Incomplete) {
        record(Event::RateFound(found(&search, &steps)))?;
    }
    if parts.is_empty() {
        parts.push(judge::search(&steps));
    }
    record(judge::Conclusion::of(parts).event())?;
    drop(log);
    Ok(report::write(&dir)?)
}

/// How many times as long as the longest limit each rate is sent at least: a rate that is a tenth above what is stored lets the queue
/// grow until the limit breaks; a shorter burst would keep it at any rate.
const TIMES_THE_LIMIT: u32 = 10;

/// How long each rate is sent.
pub(super) fn lasting(step: Duration, limits: &[LatencyLimitArg]) -> Duration {
    let longest = limits.iter().map(|it| it.0.max_us).max().unwrap_or(0);
    step.max(Duration::from_micros(longest).saturating_mul(TIMES_THE_LIMIT))
}

pub(super) fn limits(args: &LoadArgs) -> Vec<LatencyLimitArg> {
    let (hop, percentile, max) = LIMIT;
    match &args.limits[..] {
        [] => vec![LatencyLimitArg(LatencyLimit::new(hop, percentile, max))],
        own => own.to_vec(),
    }
}

/// The load at one rate.
fn step_args(
    args: &LoadArgs,
    rate: f64,
    at: usize,
    identity: &Identity,
    limits: &[LatencyLimitArg],
    dir: &Path,
) -> LoadArgs {
    let needed = limits.iter().map(|it| it.0.percentile.samples_needed());
    LoadArgs {
        shape: Some(constant(rate)),
        messages: messages(
            rate,
            lasting(args.step(), limits),
            needed.max().unwrap_or(0),
        ),
        // Each run has its own seed: with the same seed, its payloads would equal those of another run.
        seed: Some(identity.seed.wrapping_add(at as u64)),
        limits: limits.to_vec(),
        out: dir.to_owned(),
        find_rate: false,
        ..args.clone()
    }
}

/// The number of messages that are due in `time`, but at least `needed`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate and a time are positive and small"
)]
fn messages(rate: f64, time: Duration, needed: u64) -> u64 {
    ((rate * time.as_secs_f64()).ceil() as u64)
        .max(needed)
        .max(1)
}

fn constant(rate: f64) -> producer::Shape {
    let shape = format!("constant:{rate}/s");
    shape.parse().expect("a positive rate must make a shape")
}

/// A rate that was tried.
struct Tried {
    rate: f64,
    args: LoadArgs,
}

impl Tried {
    fn step(&self, record: &RunRecord) -> RateStep {
        let verdict = record.verdict();
        let measured = self.measured(record);
        let hops = hops(record);
        let of_run = record.measured.as_ref();
        let run = record.run.as_ref().map(|run| run.run.to_string());
        let mut step = RateStep {
            rate_per_s: self.rate,
            stored_per_s: of_run.and_then(|it| it.hops.throughput()),
            messages: self.args.messages,
            run_dir: run.unwrap_or_default(),
            outcome: verdict.outcome,
            reasons: verdict.reasons,
            reason_outcomes: verdict.reason_outcomes,
            verdicts: of_run.map_or_else(Vec::new, |it| it.verdicts.clone()),
            bottleneck: judge::bottleneck(&hops, &measured),
            hops,
            measured,
        };
        if let Some(why) = judge::disturbed(&step) {
            step.outcome = Outcome::Inconclusive;
            step.reason_outcomes = vec![Outcome::Inconclusive; step.reasons.len() + 1];
            step.reasons.insert(0, why);
        }
        step
    }

    fn measured(&self, record: &RunRecord) -> StepMeasured {
        let audit = record.audit.as_ref();
        let traffic = audit.and_then(|audit| audit.traffic.as_ref());
        let answers = traffic.and_then(|traffic| traffic.answers.as_ref());
        let lag = record.measured.as_ref();
        let lag = lag.and_then(|it| it.hops.samples(Hop::ScheduleLag).at(Percentile::P99));
        StepMeasured {
            lateness_us_p99: lag.and_then(|us| u64::try_from(us).ok()),
            answer_us_p50: answers.map(|answers| answers.p50_us),
            answer_us_p99: answers.map(|answers| answers.p99_us),
            consumers_busy: self.consumers_busy(record),
            usage: record.usage.iter().find(|it| it.phase == "load").cloned(),
        }
    }

    /// The share of the consumers' total concurrency that was in use while messages were sent, on average.
    fn consumers_busy(&self, record: &RunRecord) -> Option<f64> {
        let concurrency = self.args.concurrency.unwrap_or(CONCURRENCY);
        let most = f64::from(self.args.consumers) * f64::from(concurrency);
        let phase = |name: &str| {
            let mut marks = record.marks.iter();
            marks.find(|mark| mark.kind == MarkKind::Phase && mark.name == name)
        };
        let (from, to) = (phase("load")?.at, phase("settle")?.at);
        let during = record.samples.iter();
        let during = during.filter(|(at, _)| (from..=to).contains(at));
        let held: Vec<f64> = during
            .filter_map(|(_, sample)| Some(sample.in_hand? as f64))
            .collect();
        (!held.is_empty()).then(|| held.iter().sum::<f64>() / held.len() as f64 / most)
    }
}

fn hops(record: &RunRecord) -> Vec<HopLatency> {
    let Some(measured) = &record.measured else {
        return Vec::new();
    };
    let of = |hop: Hop| {
        let samples = measured.hops.samples(hop);
        HopLatency {
            hop,
            samples: samples.count(),
            p50_us: samples.at(Percentile::P50),
            p90_us: samples.at(Percentile::P90),
            p99_us: samples.at(Percentile::P99),
            p99_9_us: samples.at(Percentile::P99_9),
            max_us: samples.max(),
        }
    };
    Hop::ALL.map(of).into()
}

/// The result of the search, with the bottleneck of the lowest rate that is not known to keep the limits, else of the highest
/// rate that kept them, else of the last one that was tried.
fn found(search: &Search, steps: &[RateStep]) -> RateFound {
    let at = search.bound().or(search.kept());
    // The last try of a rate counts.
    let of_rate = steps.iter().rfind(|step| Some(step.rate_per_s) == at);
    let step = of_rate.or(steps.last());
    let unknown = || Bottleneck {
        part: BottleneckPart::None,
        why: "no rate was tried".to_owned(),
    };
    RateFound {
        rate_per_s: search.kept(),
        broken_at_per_s: search.broken(),
        untold_at_per_s: search.untold(),
        bottleneck: step.map_or_else(unknown, |step| step.bottleneck.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_long_enough_for_its_limits() {
        let words = ["--find-rate".to_owned(), "--step=2s".to_owned()];
        let args = LoadArgs::from_words(&words).unwrap();
        let identity = Identity::fresh(Some(7));
        let limits = limits(&args);
        let at = |rate| step_args(&args, rate, 3, &identity, &limits, Path::new("x"));
        // A p99 needs a thousand samples.
        assert_eq!((at(100.0).messages, at(4_000.0).messages), (1_000, 8_000));
        let step = at(62.5);
        assert_eq!(step.shape().to_string(), "constant:62.5/s");
        assert_eq!((step.seed, step.find_rate), (Some(10), false));
        assert_eq!(limits[0].to_string(), "end to end p99 100ms");
        // A queue that grows for two seconds keeps a limit of ten: the rate is sent until it would break.
        let patient = LoadArgs {
            limits: vec!["end to end p99 10s".parse().unwrap()],
            ..args.clone()
        };
        let step = step_args(
            &patient,
            770.0,
            0,
            &identity,
            &patient.limits,
            Path::new("x"),
        );
        assert_eq!(step.messages, 77_000);
    }

    #[test]
    fn a_consumer_works_on_as_many_at_once_as_is_assumed_here() {
        let args: consumer::Args = platform::settings::parse(
            "consumer",
            &[],
            &[
                (
                    "AZURE_STORAGE_ACCOUNT_NAME".to_owned(),
                    "account".to_owned(),
                ),
                ("AZURE_QUEUE_NAME".to_owned(), "queue".to_owned()),
                ("AZURE_TABLE_NAME".to_owned(), "table".to_owned()),
            ],
        )
        .unwrap();
        assert_eq!(u32::from(args.concurrency), CONCURRENCY);
    }
}
