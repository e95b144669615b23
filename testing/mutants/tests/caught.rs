//! Each mutant is judged by a scenario that reviewers read, and must fail there, for the reason that names what it does
//! wrong. The one without a mutation must pass all of these scenarios.

use std::collections::BTreeSet;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use azurite::Azurite;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

const MUTANT: &str = env!("CARGO_BIN_EXE_mutant");
const FEATURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../features");

/// Trials at a time where nobody says otherwise: they mostly wait, for leases, drains and promises that a mutant breaks.
const AT_A_TIME: usize = 16;

/// Cheap, and enough for whatever every message shows: 20 messages, and one that is not JSON.
const FEW: &str = "A message that is not JSON";
/// A hundred messages before the first consumer, so that they come in full batches.
const WAITING: &str = "Messages wait for their first consumer";
/// Ten messages that are worked on for longer than a lease.
const LONG: &str = "A renewal is refused for a while";
const FOUR: &str = "All compete for one queue: 4 consumers";
const EMPTY: &str = "An empty queue is no error";
const TWICE: &str = "The producer repeats every fifth message";
const DIGEST: &str = "A message that has a digest that is not its";
const DRAIN: &str = "One of two consumers drains in the middle of the load";
const BUSY: &str = "the first 5 inserts get 503 ServerBusy";
const RESET_BEFORE: &str = "the first 5 inserts get a reset before storage has the request";
const RESET_AFTER: &str = "the first 5 inserts get a reset after storage has done it";
const BUSY_START: &str = "Consumers start while storage is busy";
const BUSY_TABLE: &str = "Consumers start while the table is busy";
const KILLED: &str = "A consumer is killed with all messages leased";
const TOKENS: &str = "Consumers work with tokens alone";
const NO_TOKEN: &str = "Entra cannot be reached for longer than a token lives";
const EVICTED: &str = "one of the Spot nodes is evicted in time";
const FORCED: &str = "The node is drained before the end that its notice promised";
const DIES: &str = "Consumers die before a delete reaches storage";

/// Every mutation, the scenario that catches it, and what that says, or one of several that `|` separates. In the order in
/// which they run: first those whose scenario has to wait for a promise to the end.
const MUTANTS: [(&str, &str, &str); 56] = [
    (
        "never-renews",
        LONG,
        "still in the queue|left in the queue|delivered more than once",
    ),
    (
        "gives-up-renewing",
        LONG,
        "still in the queue|left in the queue|delivered more than once",
    ),
    (
        "insists-on-stale-receipt",
        LONG,
        "with a refused request repeated",
    ),
    ("crashes-on-poison", FEW, "ended though nobody had asked"),
    (
        "takes-done-for-error",
        TWICE,
        "still in the queue|left in the queue",
    ),
    ("ignores-notice", EVICTED, "after the notice of"),
    ("stays-after-notice", EVICTED, "had not ended when its node"),
    (
        "exits-with-error-at-notice",
        EVICTED,
        "ended on the notice of its node's eviction: exit status: 3",
    ),
    (
        "drops-leases-at-notice",
        EVICTED,
        "leases ran out, and their messages came back",
    ),
    ("receives-after-notice", EVICTED, "after the notice of"),
    (
        "ignores-forced-drain",
        FORCED,
        "ended on the notice of its node's eviction: signal: 9",
    ),
    ("ignores-sigterm", DRAIN, "has ended: not within"),
    ("drops-leases-at-sigterm", DRAIN, "in the queue"),
    ("drops-last-of-batch", WAITING, "lost"),
    (
        "dies-on-busy-storage",
        BUSY,
        "ended though nobody had asked",
    ),
    ("never-deletes", FEW, "still in the queue|left in the queue"),
    (
        "forgets-deletes",
        FEW,
        "still in the queue|left in the queue",
    ),
    ("never-polls", EMPTY, "wait until consumer-1 asks storage"),
    ("exits-with-error", DRAIN, "it ended with exit status: 3"),
    ("swaps-payloads", WAITING, "corrupted"),
    (
        "swallows-insert-errors",
        BUSY,
        "deleted before the row was confirmed",
    ),
    (
        "exits-cleanly-after-panic",
        BUSY,
        "ended though nobody had asked",
    ),
    (
        "takes-no-answer-for-success",
        RESET_BEFORE,
        "deleted before the row was confirmed",
    ),
    (
        "retries-under-new-key",
        RESET_AFTER,
        "of a message stored before",
    ),
    ("logs-its-token", TOKENS, "a signature of this run in"),
    (
        "dies-without-token",
        NO_TOKEN,
        "ended though nobody had asked",
    ),
    ("key-per-attempt", DIES, "misplaced"),
    (
        "deletes-before-insert",
        FEW,
        "deleted before the row was confirmed",
    ),
    ("fresh-row-key", FEW, "misplaced"),
    ("one-partition", FEW, "misplaced"),
    ("upserts", FEW, "changed after the insert, or without one"),
    ("wrong-digest", FEW, "corrupted"),
    ("truncates-payload", FEW, "corrupted"),
    ("drops-non-ascii", FEW, "corrupted"),
    ("trims-payload", FEW, "corrupted"),
    (
        "invents-stamps",
        FEW,
        "with a srcStamp or sentStamp that did not come with them",
    ),
    (
        "discards-poison",
        FEW,
        "deleted before the row was confirmed",
    ),
    ("poisons-without-body", FEW, "the body was changed"),
    (
        "poisons-with-wrong-reason",
        FEW,
        "the reason is too-many-attempts",
    ),
    ("stores-bad-messages", DIGEST, "stored as a result"),
    ("poisons-good-messages", FEW, "given up as poison"),
    ("says-ready-too-early", BUSY_START, "said that it was ready"),
    (
        "says-ready-without-table",
        BUSY_TABLE,
        "said that it was ready",
    ),
    ("busy-polls", EMPTY, "has asked"),
    (
        "invents-receipt-time",
        WAITING,
        "that tell of another delivery than theirs",
    ),
    (
        "counts-attempts-anew",
        KILLED,
        "that tell of another delivery than theirs",
    ),
    ("works-alone", FOUR, "1 had messages"),
    (
        "backdates-a-little",
        FEW,
        "that tell of another delivery than theirs",
    ),
    (
        "writes-what-cannot-be-read",
        FEW,
        "that tell of another delivery than theirs",
    ),
    (
        "merges-later",
        FEW,
        "changed after the insert, or without one",
    ),
    (
        "deletes-its-row",
        FEW,
        "changed after the insert, or without one",
    ),
    (
        "stores-elsewhere-first",
        FEW,
        "deleted before the row was confirmed",
    ),
    ("deletes-around-the-wire", FEW, "handled around the wire"),
    ("stores-around-the-wire", FEW, "handled around the wire"),
    ("poisons-what-it-stores", FEW, "given up as poison"),
    ("poisons-for-a-moment", FEW, "given up as poison"),
];

/// Mutations that a limit of `harness load` catches: the flags, and what it says. The whole interval is beyond the limit, however
/// busy the machine is.
const LOADS: [(&str, &[&str], &str); 1] = [(
    "stamps-before-its-work",
    &[
        "--messages",
        "60",
        "--consumers",
        "2",
        "--shape",
        "constant:30/s",
        "--limit",
        "end to end p50 1s",
    ],
    "end to end p50 at most 1.00 s: found",
)];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_A_TIME);
    let azurites = Arc::new(Azurites::new());
    let trial = |name: &str, test: fn(&Azurites, &str, &str, &str) -> Result<(), Failed>, of| {
        let (azurites, (mutation, scenario, reason)) = (azurites.clone(), of);
        Trial::test(name, move || test(&azurites, mutation, scenario, reason))
    };
    let mut trials: Vec<_> = MUTANTS.map(|mutant| trial(mutant.0, caught, mutant)).into();
    let mut seen = BTreeSet::new();
    for (_, scenario, _) in MUTANTS {
        if seen.insert(scenario) {
            let name = format!("unbroken: {scenario}");
            trials.push(trial(&name, passes, ("none", scenario, "1 passed")));
        }
    }
    for (mutation, flags, reason) in LOADS {
        let azurites = azurites.clone();
        trials.push(Trial::test(mutation, move || {
            missed(&azurites, mutation, flags, reason)
        }));
    }
    trials.push(Trial::test(
        "every-mutation-is-judged",
        every_mutation_is_judged,
    ));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The emulators that the runs share in turn. Each costs seconds of CPU to start; one alone would be slowed down by the
/// messages that failed runs leave behind.
struct Azurites {
    runtime: Runtime,
    started: [OnceLock<Azurite>; 4],
    runs: AtomicUsize,
}

impl Azurites {
    fn new() -> Self {
        Self {
            runtime: Runtime::new().expect("a runtime"),
            started: Default::default(),
            runs: AtomicUsize::default(),
        }
    }

    fn next(&self) -> &Azurite {
        let run = self.runs.fetch_add(1, Ordering::Relaxed);
        self.started[run % self.started.len()].get_or_init(|| {
            let started = self.runtime.block_on(Azurite::start());
            started.expect("Azurite must start")
        })
    }

    /// The exit code of the suite, cut down to `scenario`, with this mutant as the consumer; and all that it said.
    fn suite(&self, mutation: &str, scenario: &str) -> (Option<i32>, String) {
        self.harness(mutation, &["run", "--features", FEATURES, scenario])
    }

    /// The same of any command of the harness.
    fn harness(&self, mutation: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let out = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let azurite = self.next();
        let mut command = Command::new(MUTANT);
        command
            .env("EDW_AZURITE_QUEUE_URL", azurite.queue_url())
            .env("EDW_AZURITE_TABLE_URL", azurite.table_url())
            .env("EDW_AZURITE_BLOB_URL", azurite.blob_url())
            .env_remove("EDW_AZURITE_SOURCE")
            .args(arguments)
            .arg("--out")
            .arg(out.path())
            .arg("--consumer-command")
            .arg(format!("'{MUTANT}' broken {mutation}"));
        let output = command.output().expect("the mutant must start");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    }
}

/// `mutation` fails `scenario`, for `reason`.
fn caught(azurites: &Azurites, mutation: &str, scenario: &str, reason: &str) -> Result<(), Failed> {
    let (code, said) = azurites.suite(mutation, scenario);
    if code != Some(10) || !said.contains("1 failed") {
        return Err(format!("{scenario:?} did not catch it, exit code {code:?}: {said}").into());
    }
    if !reason.split('|').any(|reason| said.contains(reason)) {
        return Err(format!("{scenario:?} failed, and not for {reason:?}: {said}").into());
    }
    Ok(())
}

/// `mutation` misses a limit of a load, for `reason`.
fn missed(azurites: &Azurites, mutation: &str, flags: &[&str], reason: &str) -> Result<(), Failed> {
    let arguments: Vec<&str> = std::iter::once("load")
        .chain(flags.iter().copied())
        .collect();
    let (code, said) = azurites.harness(mutation, &arguments);
    if code != Some(10) || !said.contains(reason) {
        return Err(format!("exit code {code:?}, and not for {reason:?}: {said}").into());
    }
    Ok(())
}

/// Without a mutation, `scenario` passes: what fails there with one is the mutation.
fn passes(azurites: &Azurites, none: &str, scenario: &str, says: &str) -> Result<(), Failed> {
    let (code, said) = azurites.suite(none, scenario);
    if code != Some(0) || !said.contains(says) {
        return Err(format!("exit code {code:?}: {said}").into());
    }
    Ok(())
}

/// Every mutation of the code is in the list above.
fn every_mutation_is_judged() -> Result<(), Failed> {
    let output = Command::new(MUTANT).args(["broken", "nonsense"]).output()?;
    let help = String::from_utf8_lossy(&output.stderr);
    let (_, values) = help.split_once("possible values: ").ok_or("no mutations")?;
    let (values, _) = values.split_once(']').ok_or("no end of the mutations")?;
    let mut judged = MUTANTS.map(|(mutation, _, _)| mutation).to_vec();
    judged.extend(LOADS.map(|(mutation, _, _)| mutation));
    for name in values.split(',').map(str::trim) {
        if name != "none" && !judged.contains(&name) {
            return Err(format!("{name} is judged by no scenario").into());
        }
    }
    Ok(())
}
