//! Describes a load in words: before it starts, and when it is done.

use std::io::{IsTerminal as _, stdout};
use std::path::Path;

use platform::Identity;
use platform::Platform;
use workflow::duration;

use crate::events::{Bottleneck, Event, Fact, Leeway, RateStep, RunStarted};
use crate::measure::LatencyVerdict;
use crate::pace::Pace;
use crate::report::{Report, RunRecord, sign, terminal};
use crate::run::{Run, about};
use crate::say::say;

use super::knee::{lasting, limits};
use super::{LatencyLimitArg, LoadArgs};

/// The first event of the run's log.
pub(super) fn started(args: &LoadArgs, run: &Run) -> Event {
    let identity = run.identity();
    Event::RunStarted(Box::new(RunStarted {
        run: identity.run.clone(),
        title: format!(
            "load: {} messages, {} consumers",
            args.planned(),
            if args.scaled {
                "scaled".to_owned()
            } else {
                args.consumers_said()
            }
        ),
        seed: identity.seed,
        environment: run.environment().to_owned(),
        pace: Pace::PRODUCTION,
        command: args.repeat(identity.seed),
        messages: Some(args.planned()),
        plan: vec![
            Fact::new("arrivals", args.shape().to_string()),
            Fact::new("consumers", args.consumers_said()),
            Fact::new("generators", args.generators().to_string()),
            Fact::new("queues", args.queues.to_string()),
            Fact::new("payload", args.payload.to_string()),
            Fact::new("sent twice", format!("{} %", args.duplicate_rate * 100.0)),
            Fact::new("work", args.work.as_deref().unwrap_or("none")),
        ],
        limits: args.limits(),
        setting: about::setting(run.evidence()),
        versions: run.versions(),
        leeway: Leeway::of(&run.store().lens.description().worker),
    }))
}

/// The first event of the log of a search for the highest rate.
pub(super) fn search(
    args: &LoadArgs,
    platform: &dyn Platform,
    identity: &Identity,
    limits: &[LatencyLimitArg],
) -> Event {
    Event::RunStarted(Box::new(RunStarted {
        run: identity.run.clone(),
        title: format!("find the highest rate: {} consumers", args.consumers),
        seed: identity.seed,
        environment: platform.name().to_owned(),
        pace: Pace::PRODUCTION,
        command: args.repeat(identity.seed),
        messages: None,
        plan: vec![
            Fact::new("each rate", duration::text(lasting(args.step(), limits))),
            Fact::new("consumers", args.consumers.to_string()),
            Fact::new("generators", args.generators().to_string()),
            Fact::new("queues", args.queues.to_string()),
            Fact::new("payload", args.payload.to_string()),
            Fact::new("work", args.work.as_deref().unwrap_or("none")),
        ],
        limits: limits.iter().map(|limit| limit.0).collect(),
        setting: about::setting(platform.evidence()),
        versions: platform.versions(),
        leeway: vec![],
    }))
}

/// The counterpart of [`announce`] for a search.
#[expect(
    clippy::print_stderr,
    reason = "what a person who waits must know first"
)]
pub(super) fn announce_search(
    args: &LoadArgs,
    platform: &dyn Platform,
    identity: &Identity,
    dir: &Path,
) {
    eprintln!("search   {}", identity.run);
    eprintln!("storage  {}", platform.evidence());
    eprintln!("repeat   {}", args.repeat(identity.seed));
    eprintln!("evidence {}", dir.display());
    let limits = limits(args);
    let time = lasting(args.step(), &limits);
    if time > args.step() {
        let count = limits.len();
        let s = if count == 1 { "" } else { "s" };
        eprintln!(
            "each rate is sent for {}, ten times the longest of {count} limit{s}: a shorter burst keeps it at any rate",
            duration::text(time)
        );
    }
}

/// Prints the result of a rate as soon as it is known.
#[expect(clippy::print_stderr, reason = "a search takes minutes")]
pub(super) fn tell_step(step: &RateStep) {
    let limits: Vec<_> = step.verdicts.iter().map(LatencyVerdict::missed).collect();
    let limits = if limits.is_empty() {
        "not measured".to_owned()
    } else {
        limits.join(", ")
    };
    let (sign, rate) = (sign(step.outcome), step.rate_per_s);
    let Bottleneck { part, why } = &step.bottleneck;
    eprintln!("{sign} {rate:.0}/s: {limits}; {part}: {why}");
}

/// Prints what starts, where its evidence goes, and the command that repeats it, before anything can fail.
#[expect(
    clippy::print_stderr,
    reason = "what a person who waits must know first"
)]
pub(super) fn announce(args: &LoadArgs, run: &Run) {
    eprintln!("run      {}", run.identity().run);
    eprintln!("storage  {}", run.evidence());
    eprintln!("repeat   {}", args.repeat(run.identity().seed));
    eprintln!("evidence {}", run.dir().path().display());
    if let Some(text) = shortfall(args) {
        eprintln!("note     {text}");
    }
}

/// A note if fewer messages are planned than `--messages` asks for: each arrival of a trace is one message.
pub(super) fn shortfall(args: &LoadArgs) -> Option<String> {
    let planned = args.planned();
    (planned < args.messages).then(|| {
        format!(
            "{} has {planned} arrivals, hence {planned} messages, not the {} of --messages",
            args.shape(),
            args.messages
        )
    })
}

/// Prints the summary of a finished run, and where its reports are.
pub(crate) fn summarise(record: &RunRecord, report: &Report) {
    say(&terminal(record, stdout().is_terminal()));
    say(&format!("report   {}", report.html.display()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_with_fewer_arrivals_than_messages_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, "0.1\n0.2\n0.3\n").unwrap();
        let shape = format!("--shape=trace:{}", path.display());
        let args =
            |messages: &str| LoadArgs::from_words(&[messages.to_owned(), shape.clone()]).unwrap();
        let text = shortfall(&args("--messages=500")).unwrap();
        assert!(
            text.ends_with("t.csv has 3 arrivals, hence 3 messages, not the 500 of --messages"),
            "{text}"
        );
        assert_eq!(args("--messages=500").planned(), 3);
        assert_eq!(shortfall(&args("--messages=3")), None);
        assert_eq!(
            (
                shortfall(&args("--messages=2")),
                args("--messages=2").planned()
            ),
            (None, 2)
        );
    }
}
