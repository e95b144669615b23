//! The verdict of a load.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::audit::{Finding, Violation};
use harness::measure::{Hop, Percentile};
use harness::outcome::Outcome;
use harness::report::{RunRecord, VerdictText, terminal};

/// The verdict of a load. Displays as the summary that `edw load` prints.
#[derive(Debug, Clone)]
pub struct Verdict {
    record: RunRecord,
    told: VerdictText,
    directory: PathBuf,
}

impl Verdict {
    pub(crate) fn new(record: RunRecord, directory: PathBuf) -> Self {
        Self {
            told: record.verdict(),
            record,
            directory,
        }
    }

    /// Pass, fail, inconclusive or incomplete.
    pub fn outcome(&self) -> Outcome {
        self.told.outcome
    }

    /// Whether every promise was judged, and kept. An inconclusive run is not a pass.
    pub fn is_pass(&self) -> bool {
        self.outcome() == Outcome::Pass
    }

    /// Why the run did not pass, the most important reason first; empty for a pass.
    pub fn reasons(&self) -> &[String] {
        &self.told.reasons
    }

    /// Every kind of violation that was found, with its count and the first witnesses; empty if nothing was audited.
    pub fn findings(&self) -> &[Finding] {
        self.record
            .audit
            .as_ref()
            .map_or(&[], |audit| &audit.findings)
    }

    /// How many cases of `violation` there are.
    pub fn count(&self, violation: Violation) -> u64 {
        self.record
            .audit
            .as_ref()
            .map_or(0, |audit| audit.count(violation))
    }

    /// The number of messages that are stored exactly once.
    pub fn kept(&self) -> u64 {
        self.record
            .audit
            .as_ref()
            .map_or(0, |audit| audit.fates.kept)
    }

    /// The latency of `hop` at `percentile`; `None` if it was not measured.
    pub fn latency(&self, hop: Hop, percentile: Percentile) -> Option<Duration> {
        let measured = self.record.measured.as_ref()?;
        let micros = measured.hops.samples(hop).at(percentile)?;
        // A negative latency comes from the difference of two clocks, and counts as 0.
        Some(Duration::from_micros(micros.try_into().unwrap_or(0)))
    }

    /// The directory with the evidence and all reports.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summary = terminal(&self.record, false);
        write!(f, "{summary}\nevidence {}", self.directory.display())
    }
}
