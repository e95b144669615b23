//! A load in words: before it starts, and when it is done.

use std::io::{IsTerminal as _, stdout};

use crate::cli::say;
use crate::events::{Event, Fact, RunStarted};
use crate::report::{Report, RunRecord, terminal};
use crate::run::{Run, about};

use super::LoadArgs;

/// The first event of the run's log.
pub(super) fn started(args: &LoadArgs, run: &Run) -> Event {
    let identity = run.identity();
    Event::RunStarted(Box::new(RunStarted {
        run: identity.run.clone(),
        title: format!(
            "load: {} messages, {} consumers",
            args.messages, args.consumers
        ),
        seed: identity.seed,
        environment: "local".to_owned(),
        command: args.repeat(identity.seed),
        messages: Some(args.messages),
        plan: vec![
            Fact::new("arrivals", args.shape.to_string()),
            Fact::new("consumers", args.consumers.to_string()),
            Fact::new("payload", args.payload.to_string()),
            Fact::new("sent twice", format!("{} %", args.duplicate_rate * 100.0)),
            Fact::new("work", args.work.as_deref().unwrap_or("none")),
        ],
        limits: args.limits(),
        setting: about::setting(run.evidence()),
        versions: about::versions(),
    }))
}

/// Says what starts, where its evidence goes, and how to repeat it: before anything can go wrong.
#[expect(
    clippy::print_stderr,
    reason = "what a person who waits must know first"
)]
pub(super) fn announce(args: &LoadArgs, run: &Run) {
    eprintln!("run      {}", run.identity().run);
    eprintln!("storage  {}", run.evidence());
    eprintln!("repeat   {}", args.repeat(run.identity().seed));
    eprintln!("evidence {}", run.dir().path().display());
}

/// Prints the summary of a finished run, and where the rest is.
pub(crate) fn summarise(record: &RunRecord, report: &Report) {
    say(&terminal(record, stdout().is_terminal()));
    say(&format!("report   {}", report.html.display()));
}
