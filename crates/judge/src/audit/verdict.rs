//! The outcome that follows from an audit.

use std::time::Duration;

use contract::duration;
use evidence::outcome::Outcome;

use super::auditor::OF_MANY;
use super::{Audit, Fates, Finding, NotJudged, Starved, Traffic, Violation};

/// Whether a promise was shown to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The promise was kept.
    Kept,
    /// The promise was broken.
    Broken,
    /// The promise was broken, but not by the consumers' fault.
    Excused,
    /// The run was cut off too early to tell.
    CutOff,
    /// Messages whose send has no known outcome left no trace.
    Undecidable,
    /// The stamps of some blocks of messages could not be compared.
    StampsUntold {
        /// Because the run was cut off.
        cut_off: bool,
    },
    /// This many cases could not be judged.
    Uncompared(u64),
}

impl Shown {
    /// The outcome of this promise.
    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Kept => Outcome::Pass,
            Self::Broken => Outcome::Fail,
            Self::CutOff | Self::StampsUntold { cut_off: true } => Outcome::Incomplete,
            Self::Excused | Self::Undecidable | Self::StampsUntold { .. } | Self::Uncompared(_) => {
                Outcome::Inconclusive
            }
        }
    }
}

/// The conclusions from an audit.
pub trait Judged {
    /// The outcome: fail on any violation; incomplete if the run was cut off; inconclusive if something could not be judged;
    /// otherwise pass.
    ///
    /// Delays are no violation if storage itself starved the consumers (see [`Starved`]), or if consumers were still at work on
    /// the queue.
    ///
    /// A failed send is no violation, because the system reported that it did not take the message. But nothing is proven about
    /// a message that was not sent, so a run with failed sends is inconclusive.
    fn outcome(&self) -> Outcome;

    /// As [`Judged::outcome`], for the final content of storage alone, without the history.
    fn outcome_of_rows(&self) -> Outcome;

    /// Whether violations of this kind are not the consumers' fault.
    fn excuses(&self, violation: Violation) -> bool;

    /// How many cases of this kind could not be judged: rows, because the wall clock was set during the run or because they may
    /// belong to others; requests, because they are not understood.
    fn uncompared(&self, violation: Violation) -> u64;

    /// Whether the promise was kept that a violation of this kind would break; `None` if it was not judged.
    fn shown(&self, violation: Violation) -> Option<Shown>;

    /// The promises that were not judged, without those that were found broken: logs of older harnesses list these too.
    fn left_open(&self) -> impl Iterator<Item = &NotJudged>;

    /// The violations that make [`Judged::outcome_of_rows`] a failure.
    fn broken_of_rows(&self) -> impl Iterator<Item = Violation>;

    /// The reasons why the outcome is not a pass, most important first; empty for a pass.
    fn reasons(&self) -> Vec<String> {
        self.weighed()
            .into_iter()
            .map(|(_, reason)| reason)
            .collect()
    }

    /// The reasons, each with the outcome that it alone stands for.
    fn weighed(&self) -> Vec<(Outcome, String)>;
}

impl Judged for Audit {
    fn outcome(&self) -> Outcome {
        outcome_given(self, violated(self).next().is_some())
    }

    fn outcome_of_rows(&self) -> Outcome {
        let of_rows = self.broken_of_rows().next().is_some();
        outcome_given(self, of_rows)
    }

    fn excuses(&self, violation: Violation) -> bool {
        violation.is_of_time() && (is_starved(self) || self.at_work.is_some())
    }

    fn uncompared(&self, violation: Violation) -> u64 {
        let traffic = self.traffic.as_ref();
        let strange = traffic.map_or(0, |traffic| traffic.strange.values().sum());
        let unread = traffic.map_or(0, |traffic| traffic.unread_messages);
        match violation {
            Violation::Corrupted => self.reversed,
            Violation::Phantom => self.unattributed_rows.saturating_add(unread),
            Violation::Misreported => traffic.map_or(0, |traffic| {
                [traffic.untold_claims, traffic.starved_claims, unread]
                    .into_iter()
                    .fold(0, u64::saturating_add)
            }),
            Violation::Overwritten => strange,
            Violation::Unwitnessed => strange.saturating_add(unread),
            Violation::Meddled => unread,
            _ => 0,
        }
    }

    fn shown(&self, violation: Violation) -> Option<Shown> {
        // A violation that was found is always reported.
        let is_judged = self.count(violation) > 0
            || match violation {
                _ if self
                    .not_judged
                    .iter()
                    .any(|each| each.violation == violation) =>
                {
                    false
                }
                Violation::Restamped => self.stamps.is_some(),
                _ => !violation.needs_history() || self.traffic.is_some(),
            };
        let shown = || {
            let stamps_unjudged = self.stamps.is_some_and(|stamps| stamps.unjudged > 0);
            match self.count(violation) {
                0 => match violation {
                    // In a run that was cut off, messages in the queue are no violation, and their absence proves nothing.
                    Violation::Unfinished | Violation::Undeleted if !self.complete => Shown::CutOff,
                    Violation::Lost if self.fates.undecidable > 0 => Shown::Undecidable,
                    Violation::Restamped if stamps_unjudged => Shown::StampsUntold {
                        cut_off: !self.complete,
                    },
                    _ => match self.uncompared(violation) {
                        0 => Shown::Kept,
                        cases => Shown::Uncompared(cases),
                    },
                },
                _ if self.excuses(violation) => Shown::Excused,
                _ => Shown::Broken,
            }
        };
        is_judged.then(shown)
    }

    fn left_open(&self) -> impl Iterator<Item = &NotJudged> {
        let was_found = |each: &&NotJudged| self.count(each.violation) > 0;
        self.not_judged.iter().filter(move |each| !was_found(each))
    }

    fn broken_of_rows(&self) -> impl Iterator<Item = Violation> {
        violated(self).filter(|violation| violation.is_of_rows())
    }

    fn weighed(&self) -> Vec<(Outcome, String)> {
        let of_finding = |finding: &Finding| {
            let outcome = if self.excuses(finding.violation) {
                Outcome::Inconclusive
            } else {
                Outcome::Fail
            };
            (outcome, reason(self, finding))
        };
        let mut reasons: Vec<_> = self.findings.iter().map(of_finding).collect();
        if self.rows_of_many > 0 {
            let name = match self.rows_of_many {
                1 => "1 row names".to_owned(),
                rows => format!("{rows} rows name"),
            };
            let reason = format!("{name} several messages; {OF_MANY}");
            reasons.insert(0, (Outcome::Fail, reason));
        }
        let fates = &self.fates;
        if self.begun < self.planned {
            let reason = format!(
                "only {} of {} planned messages were begun",
                self.begun, self.planned
            );
            reasons.push((Outcome::Incomplete, reason));
        }
        if !self.complete {
            let reason = format!(
                "the run was cut off with {} messages unfinished",
                fates.unfinished
            );
            reasons.push((Outcome::Incomplete, reason));
        }
        let untold = untold_reasons(self).into_iter();
        reasons.extend(untold.map(|reason| (Outcome::Inconclusive, reason)));
        if reasons.is_empty() && nothing_arrived(self) {
            let reason = format!("none of {} planned messages arrived", self.planned);
            reasons.push((Outcome::Inconclusive, reason));
        }
        reasons
    }
}

/// Adds to `audit` the results of the wire's history.
pub(super) fn with_history(mut audit: Audit, traffic: Traffic, findings: Vec<Finding>) -> Audit {
    audit.traffic = Some(traffic);
    for finding in findings {
        let mut known = audit.findings.iter_mut();
        match known.find(|known| known.violation == finding.violation) {
            Some(known) => known.merge(finding),
            None => audit.findings.push(finding),
        }
    }
    // Losses that follow from a deletion come after it: the cause is the first reason.
    let is_cause = |violation| violation == Violation::Overwritten && audit.removals.lost > 0;
    audit
        .findings
        .sort_by_key(|finding| (!is_cause(finding.violation), finding.violation));
    audit
}

/// Whether storage kept the consumers waiting for so long that their delays are excused.
fn is_starved(audit: &Audit) -> bool {
    let traffic = audit.traffic.as_ref();
    traffic.is_some_and(|traffic| traffic.storage.is_starved())
}

fn violated(audit: &Audit) -> impl Iterator<Item = Violation> {
    let kinds = audit.findings.iter().map(|finding| finding.violation);
    kinds.filter(|violation| !audit.excuses(*violation))
}

fn outcome_given(audit: &Audit, violated: bool) -> Outcome {
    if violated {
        Outcome::Fail
    } else if !audit.complete || audit.begun < audit.planned {
        Outcome::Incomplete
    } else if untold(audit) {
        Outcome::Inconclusive
    } else {
        Outcome::Pass
    }
}

fn untold(audit: &Audit) -> bool {
    let excused = violated(audit).count() < audit.findings.len();
    excused || nothing_arrived(audit) || !untold_reasons(audit).is_empty()
}

fn nothing_arrived(audit: &Audit) -> bool {
    let Fates {
        kept, set_aside, ..
    } = audit.fates;
    audit.planned > 0 && [kept, set_aside, audit.foreign_poison] == [0; 3]
}

/// Reasons that could not be judged, other than excused findings.
fn untold_reasons(audit: &Audit) -> Vec<String> {
    let fates = &audit.fates;
    let mut reasons = Vec::new();
    if fates.undecidable > 0 {
        reasons.push(format!(
            "{} sends have no known outcome and left nothing: never sent, or lost",
            fates.undecidable
        ));
    }
    if audit.unreadable_poison > 0 {
        reasons.push(format!(
            "{} poison messages could not be read whole",
            audit.unreadable_poison
        ));
    }
    if audit.unattributed > 0 {
        reasons.push(format!(
            "{} messages in the queue could not be looked at: they are of other runs, or finished and not deleted",
            audit.unattributed
        ));
    }
    if audit.unattributed_rows > 0 {
        let (rows, it, name) = match audit.unattributed_rows {
            1 => ("1 row".to_owned(), "it is", "names"),
            rows => (format!("{rows} rows"), "they are", "name"),
        };
        reasons.push(format!(
            "{rows} of the table {name} no message of any run: {it} somebody else's, or made up by a consumer of this run; give the \
             run a table of its own to know"
        ));
    }
    reasons.extend(not_sent(audit));
    if let Some(traffic) = &audit.traffic {
        reasons.extend(untold_of(traffic, audit.reversed));
    }
    reasons
}

/// What the history leaves unjudged, and the stamps of `reversed` rows.
fn untold_of(traffic: &Traffic, reversed: u64) -> Vec<String> {
    let mut reasons = Vec::new();
    for (strange, count) in &traffic.strange {
        let s = if *count == 1 { "" } else { "s" };
        reasons.push(format!("{count} request{s} not understood: {strange}"));
    }
    if traffic.unread_messages > 0 {
        let (s, these) = match traffic.unread_messages {
            1 => ("", "it"),
            _ => ("s", "they"),
        };
        reasons.push(format!(
            "what consumers did with up to {} message{s} could not be judged: {these} may have been in an answer to a receive that \
             could not be read",
            traffic.unread_messages
        ));
    }
    if traffic.starved_claims > 0 {
        let (claims, storage) = (traffic.starved_claims, traffic.storage);
        let stood = duration::text(Duration::from_millis(storage.paused_ms));
        reasons.push(format!(
            "the stamps of {claims} rows could not be compared: before they were sent, the machine stood still or storage did not \
             answer; the harness stood still for {stood} in all"
        ));
    }
    let uncompared = traffic.untold_claims.saturating_add(reversed);
    if uncompared > 0 {
        let set = Duration::from_millis(traffic.clock_set_us.unsigned_abs() / 1_000);
        let why = if !set.is_zero() {
            format!(
                "the wall clock was set by {} in mid-run",
                duration::text(set)
            )
        } else if traffic.clocks_apart_us > 0 {
            "the clock of a node is far off, or was corrected in mid-run".to_owned()
        } else {
            "the wall clock was corrected by some milliseconds in mid-run".to_owned()
        };
        reasons.push(format!(
            "the stamps of {uncompared} rows could not be compared: {why}"
        ));
    }
    reasons
}

/// Why messages were not sent: the run was stopped, or storage did not take them.
fn not_sent(audit: &Audit) -> impl Iterator<Item = String> {
    let (all, planned) = (audit.fates.not_sent, audit.planned);
    let stopped = audit.sends.stopped.min(all);
    let causes = [
        (stopped, "the run was stopped before"),
        (all - stopped, "storage did not take them"),
    ];
    causes.into_iter().filter(|(count, _)| *count > 0).map(move |(count, why)| {
        format!("{count} of {planned} messages were not sent, since {why}: of them nothing is proven")
    })
}

fn reason(audit: &Audit, finding: &Finding) -> String {
    let mut counted = audit.counted(finding);
    if let Some(queues) = finding.in_queues() {
        counted = format!("{counted} ({queues})");
    }
    if !audit.excuses(finding.violation) {
        return counted;
    }
    match (&audit.traffic, audit.at_work) {
        (_, Some(work)) => format!("{counted}, but {work}"),
        (Some(traffic), None) => format!("{counted}, but {}", traffic.storage),
        (None, None) => counted,
    }
}
