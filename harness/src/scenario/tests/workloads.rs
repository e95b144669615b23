//! Which scenarios can be run with the shipped descriptions, and what the other scenarios would need.

use clap::Parser;
use platform::Need::{
    self, Attempts, BadMessages, Concurrency, Drain, IdlePoll, JsonLog, Lease, Poison, Probe, Work,
};
use platform::local::Local;
use workflow::contract::workload::Description;

use super::directory;
use crate::scenario::{SuiteArgs, select};

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    suite: SuiteArgs,
}

/// A part of the names of scenarios, and the needs that the worker does not meet; if there are none, they run.
type Expected = (&'static str, &'static [Need]);

/// For a worker that has no settings.
const WITHOUT_SETTINGS: [Expected; 17] = [
    ("All compete for one queue", &[]),
    ("A burst arrives all at once", &[]),
    ("Messages of many sizes", &[]),
    ("The producer repeats every fifth message", &[]),
    (
        "A consumer is killed with all messages leased",
        &[Work, Lease, Concurrency],
    ),
    ("Work that takes longer than a lease", &[Work, Lease]),
    (
        "A message that every consumer fails on",
        &[Work, Lease, Attempts, Poison],
    ),
    ("A message that is not JSON", &[BadMessages]),
    ("A message that lacks its payload", &[BadMessages]),
    ("A message that is too large", &[BadMessages]),
    (
        "A message that has another payload's digest",
        &[BadMessages],
    ),
    (" get ", &[Lease, Attempts]),
    ("A renewal is refused", &[Work, Lease]),
    ("Storage goes away", &[Lease]),
    ("Consumers die ", &[Lease]),
    ("Everything breaks at once", &[Lease, Attempts]),
    ("The zombie", &[Work, Lease, Concurrency]),
];

/// The same for a worker that does not drain.
const UNDRAINED: [Expected; 3] = [
    ("An empty queue is no error", &[IdlePoll, Drain, JsonLog]),
    (
        "One of two consumers drains",
        &[Work, Lease, Concurrency, Drain],
    ),
    ("Consumers start while", &[Probe, Drain]),
];

/// The same for a worker that drains.
const DRAINED: [Expected; 3] = [
    ("An empty queue is no error", &[IdlePoll, JsonLog]),
    ("One of two consumers drains", &[Work, Lease, Concurrency]),
    ("Consumers start while", &[Probe]),
];

/// For a worker that has settings for lease, work and attempts, and takes one message at a time.
const BASE64: [Expected; 20] = [
    ("All compete for one queue", &[]),
    ("A burst arrives all at once", &[]),
    ("Messages of many sizes", &[]),
    ("The producer repeats every fifth message", &[]),
    (
        "A consumer is killed with all messages leased",
        &[Concurrency],
    ),
    ("Work that takes longer than a lease", &[]),
    ("A message that every consumer fails on", &[]),
    ("A message that is not JSON", &[BadMessages]),
    ("A message that lacks its payload", &[BadMessages]),
    ("A message that is too large", &[BadMessages]),
    (
        "A message that has another payload's digest",
        &[BadMessages],
    ),
    (" get ", &[]),
    ("A renewal is refused", &[]),
    ("Storage goes away", &[]),
    ("Consumers die ", &[]),
    ("Everything breaks at once", &[]),
    ("The zombie", &[Concurrency]),
    ("An empty queue is no error", &[IdlePoll, JsonLog]),
    ("One of two consumers drains", &[Concurrency]),
    ("Consumers start while", &[Probe]),
];

/// The scenarios of these features, each with the needs that the workload `name` does not meet.
fn found(name: &str) -> Vec<(String, String)> {
    let mut args = Cli::try_parse_from(["harness"]).unwrap().suite;
    args.features = ["exactly_once", "faults"]
        .map(|feature| directory("features").join(format!("{feature}.feature")))
        .into();
    let text = std::fs::read_to_string(directory("workloads").join(name)).unwrap();
    let description = Description::read(&text).unwrap();
    let selection = select(&args, &Local::profile().with_worker(&description)).unwrap();
    let runs = selection.cases.into_iter();
    let runs = runs.map(|case| (case.name, String::new()));
    let not_run = selection.not_run.into_iter();
    runs.chain(not_run.map(|case| (case.name, case.needs)))
        .collect()
}

#[track_caller]
fn holds(name: &str, expected: &[Expected]) {
    let found = found(name);
    for (scenario, needs) in &found {
        let mut all = expected.iter();
        let (_, expected) = all
            .find(|(part, _)| scenario.contains(part))
            .unwrap_or_else(|| panic!("{name}: nothing is said of {scenario:?}"));
        let expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(*needs, expected.join(", "), "{name}: {scenario}");
    }
    for (part, _) in expected {
        let is_there = found.iter().any(|(scenario, _)| scenario.contains(part));
        assert!(is_there, "{part:?} is no scenario");
    }
}

#[test]
fn what_a_shipped_workload_has_no_setting_for_is_not_run_and_says_what_it_would_need() {
    holds(
        "sample/edw.yaml",
        &[&WITHOUT_SETTINGS[..], &UNDRAINED].concat(),
    );
    holds(
        "celery/edw.yaml",
        &[&WITHOUT_SETTINGS[..], &DRAINED].concat(),
    );
    holds("base64/edw.yaml", &BASE64);
    let own = found("own.yaml");
    assert!(own.iter().all(|(_, needs)| needs.is_empty()), "{own:?}");
}
