//! Files of a run directory: the event log with every report of it, and the producer's summary.

use evidence::events::{Entry, Log};
use harness::report::{self, RunRecord};
use harness::run::expectation;
use judge::audit::{Auditor, ExpectedPoison};
use judge::measure::Hops;
use producer::Summary;
use workflow::contract::Seq;

/// An event log. Every report is made of what can be read of it.
pub(crate) fn event_log(input: &[u8]) {
    let log = Log::parse(input).expect("bytes in memory must be readable");
    for entry in &log.entries {
        let written = serde_json::to_string(entry).expect("an event must serialise");
        // The entries are not compared: a fraction may differ in its last digit.
        serde_json::from_str::<Entry>(&written).expect("an event must be read again");
    }
    let record = RunRecord::of(log);
    let views = report::views(&record).expect("a record must have reports");
    assert!(views.len() >= 4);
    drop((report::terminal(&record, true), report::promises(&record)));
}

/// A producer's summary. A consistent summary is audited.
pub(crate) fn summary(input: &[u8]) {
    let Ok(summary) = serde_json::from_slice::<Summary>(input) else {
        return;
    };
    assert!(!summary.to_string().is_empty());
    if summary.check().is_err() {
        return;
    }
    for seq in [1, summary.begun, u64::MAX]
        .into_iter()
        .filter_map(Seq::new)
    {
        let was_begun = seq.get() <= summary.begun;
        assert_eq!(summary.outcome(seq).is_some(), was_begun);
    }
    let _ = summary.duplicates();
    if let Ok(sends) = summary.send_us.histogram() {
        drop(Hops::default().add_send(&sends));
    }
    drop(summary.lateness_us.histogram());
    // The audit of a larger load would need too much memory here.
    if summary.planned.unwrap_or(summary.begun) <= 1_000_000
        && let Ok(auditor) = Auditor::new(expectation(&summary, ExpectedPoison::default()))
    {
        drop(auditor.finish());
    }
}
