//! What an audit found, and the outcome that follows from it.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use workflow::contract::RunId;
use workflow::duration;

use super::Layout;
use super::{Finding, StampBlocks, Traffic, Violation};
use crate::outcome::Outcome;

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// The run.
    pub run: RunId,
    /// Messages planned.
    pub planned: u64,
    /// Messages the producer began to send.
    pub begun: u64,
    /// Whether the run went to its end.
    pub complete: bool,
    /// What of the contract the rows have, and so what of them was judged.
    #[serde(default)]
    pub layout: Layout,
    /// How the sends ended.
    pub sends: SendCounts,
    /// Rows read, those of other runs not counted.
    pub rows: u64,
    /// Rows and bodies of other runs, which were not judged; in a queue that is shared, bodies without an id too.
    pub other_runs: u64,
    /// Messages in the queue that could not be looked at (leased).
    pub hidden: u64,
    /// Those of them in a queue that other runs use too which are none of the messages without a row: finished messages of this
    /// run that were not deleted, or messages of other runs.
    #[serde(default)]
    pub unattributed: u64,
    /// Whether the queue was still being worked on when the evidence was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_work: Option<AtWork>,
    /// What became of the messages.
    pub fates: Fates,
    /// Bodies without an id of this run that are in the poison queue, each counted once.
    pub foreign_poison: u64,
    /// Messages put into the poison queue more than once: a consumer that dies between the put and its delete does
    /// that; at-least-once, no violation.
    pub poison_repeats: u64,
    /// Poison envelopes of which a part is missing or makes no sense.
    pub unreadable_poison: u64,
    /// How far the stamps of the rows could be compared with the producer's; absent where it gave no sums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamps: Option<StampBlocks>,
    /// Rows whose stamps are in the wrong order, which a wall clock explains that was set in mid-run.
    #[serde(default)]
    pub reversed: u64,
    /// The broken promises, the gravest first; empty when there are none.
    pub findings: Vec<Finding>,
    /// What the history of the wire told; absent where there is none, and then the promises about the way are not judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Traffic>,
}

/// How the queue was still being worked on when the evidence was read: what was in it may have been finished since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AtWork {
    /// So many messages were leased to a consumer.
    Leased(u64),
    /// The number of messages in it was still changing.
    Changing,
}

impl fmt::Display for AtWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Leased(1) => {
                f.write_str("1 message in the queue was leased to a consumer when it was read")
            }
            Self::Leased(count) => {
                write!(
                    f,
                    "{count} messages in the queue were leased to consumers when it was read"
                )
            }
            Self::Changing => f.write_str(
                "the number of messages in the queue was still changing when it was read",
            ),
        }
    }
}

/// How the sends ended; sums to `begun`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SendCounts {
    /// Storage has them.
    pub acknowledged: u64,
    /// Nobody knows.
    pub unknown: u64,
    /// Storage does not have them.
    pub failed: u64,
}

/// What became of the messages. Every message that was begun, or that a scenario put into the queue under an id of the
/// run, is counted exactly once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fates {
    /// Exactly one row, in its place, with the right content; its time stamps are judged by the block, not here.
    pub kept: u64,
    /// Bad messages in the poison queue, where they belong.
    pub set_aside: u64,
    /// The send failed, and nothing is there.
    pub not_sent: u64,
    /// The send's outcome is unknown, and nothing is there: never sent, or lost.
    pub undecidable: u64,
    /// Still in the queue.
    pub unfinished: u64,
    /// Gone.
    pub lost: u64,
    /// There, but not as promised: see the findings.
    pub spoiled: u64,
}

impl Fates {
    /// All of them.
    pub const fn total(&self) -> u64 {
        self.kept
            + self.set_aside
            + self.not_sent
            + self.undecidable
            + self.unfinished
            + self.lost
            + self.spoiled
    }
}

impl Audit {
    /// How many violations of one kind there are.
    pub fn count(&self, violation: Violation) -> u64 {
        let of_kind = |finding: &&Finding| finding.violation == violation;
        self.findings
            .iter()
            .find(of_kind)
            .map_or(0, |finding| finding.count)
    }

    /// With what the history of the wire told beyond what storage holds.
    #[must_use]
    pub fn with_history(mut self, traffic: Traffic, findings: Vec<Finding>) -> Self {
        self.traffic = Some(traffic);
        for finding in findings {
            let known = self.findings.iter_mut();
            match known
                .into_iter()
                .find(|known| known.violation == finding.violation)
            {
                Some(known) => known.merge(finding),
                None => self.findings.push(finding),
            }
        }
        self.findings.sort_by_key(|finding| finding.violation);
        self
    }

    /// Fail on any violation; incomplete when the run was cut off; inconclusive when something cannot be told; else
    /// pass.
    ///
    /// What was not done in time is no violation while storage itself had starved the consumers: see
    /// [`StorageTime::is_starved`](super::StorageTime::is_starved); nor while consumers were still at work on the queue.
    ///
    /// A failed send is no violation: the system said that it did not take the message. But what was not sent is not proven, so
    /// that a run with failed sends is inconclusive.
    pub fn outcome(&self) -> Outcome {
        self.outcome_given(self.violated().next().is_some())
    }

    /// The same of what storage holds in the end, however it came there.
    pub fn outcome_of_rows(&self) -> Outcome {
        let of_rows = self.violated().any(|violation| !violation.needs_history());
        self.outcome_given(of_rows)
    }

    /// Whether the consumers could not have done in time what they did not do: storage kept them waiting.
    pub fn is_starved(&self) -> bool {
        let traffic = self.traffic.as_ref();
        traffic.is_some_and(|traffic| traffic.storage.is_starved())
    }

    /// Whether a violation of this kind says nothing of the consumers.
    pub fn excuses(&self, violation: Violation) -> bool {
        violation.is_of_time() && (self.is_starved() || self.at_work.is_some())
    }

    /// How many cases could not be told of a kind: of rows, since the wall clock was set in mid-run; of requests, since they are not
    /// understood.
    pub fn uncompared(&self, violation: Violation) -> u64 {
        let traffic = self.traffic.as_ref();
        match violation {
            Violation::Corrupted => self.reversed,
            Violation::Misreported => traffic.map_or(0, |traffic| traffic.untold_claims),
            Violation::Overwritten | Violation::Unwitnessed => {
                traffic.map_or(0, |traffic| traffic.strange.values().sum())
            }
            _ => 0,
        }
    }

    fn violated(&self) -> impl Iterator<Item = Violation> {
        let kinds = self.findings.iter().map(|finding| finding.violation);
        kinds.filter(|violation| !self.excuses(*violation))
    }

    fn outcome_given(&self, violated: bool) -> Outcome {
        if violated {
            Outcome::Fail
        } else if !self.complete || self.begun < self.planned {
            Outcome::Incomplete
        } else if self.untold() {
            Outcome::Inconclusive
        } else {
            Outcome::Pass
        }
    }

    fn untold(&self) -> bool {
        let excused = self.violated().count() < self.findings.len();
        excused || self.nothing_arrived() || !self.untold_reasons().is_empty()
    }

    fn nothing_arrived(&self) -> bool {
        let Fates {
            kept, set_aside, ..
        } = self.fates;
        self.planned > 0 && [kept, set_aside, self.foreign_poison] == [0; 3]
    }

    /// What could not be told, beside findings that are excused.
    fn untold_reasons(&self) -> Vec<String> {
        let fates = &self.fates;
        let mut reasons = Vec::new();
        if fates.undecidable > 0 {
            reasons.push(format!(
                "{} sends have no known outcome and left nothing: never sent, or lost",
                fates.undecidable
            ));
        }
        if self.unreadable_poison > 0 {
            reasons.push(format!(
                "{} poison messages could not be read whole",
                self.unreadable_poison
            ));
        }
        if self.unattributed > 0 {
            reasons.push(format!(
                "{} messages in the queue could not be looked at: they are of other runs, or finished and not deleted",
                self.unattributed
            ));
        }
        if fates.not_sent > 0 {
            reasons.push(format!(
                "{} of {} messages were not sent, since storage did not take them: of them nothing is proven",
                fates.not_sent, self.planned
            ));
        }
        if let Some(traffic) = &self.traffic {
            for (strange, count) in &traffic.strange {
                let s = if *count == 1 { "" } else { "s" };
                reasons.push(format!("{count} request{s} not understood: {strange}"));
            }
            let uncompared = traffic.untold_claims.saturating_add(self.reversed);
            if uncompared > 0 {
                let set = traffic.clock_set_us.unsigned_abs() / 1_000;
                let set = duration::text(Duration::from_millis(set));
                reasons.push(format!(
                    "the stamps of {uncompared} rows could not be compared: the wall clock was set by {set} in mid-run"
                ));
            }
        }
        reasons
    }

    fn reason(&self, finding: &Finding) -> String {
        let counted = finding.violation.counted(finding.count);
        if !self.excuses(finding.violation) {
            return counted;
        }
        match (&self.traffic, self.at_work) {
            (_, Some(work)) => format!("{counted}, but {work}"),
            (Some(traffic), None) => format!("{counted}, but {}", traffic.storage),
            (None, None) => counted,
        }
    }

    /// Why the outcome is not a pass, most important first; empty for a pass.
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons: Vec<String> = self
            .findings
            .iter()
            .map(|finding| self.reason(finding))
            .collect();
        let fates = &self.fates;
        if self.begun < self.planned {
            reasons.push(format!(
                "only {} of {} planned messages were begun",
                self.begun, self.planned
            ));
        }
        if !self.complete {
            reasons.push(format!(
                "the run was cut off with {} messages unfinished",
                fates.unfinished
            ));
        }
        reasons.extend(self.untold_reasons());
        if reasons.is_empty() && self.nothing_arrived() {
            reasons.push(format!("none of {} planned messages arrived", self.planned));
        }
        reasons
    }
}
