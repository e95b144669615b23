//! What was promised and what was found, one line each: the heart of every report.

use super::verdict::thousands;
use super::{ProcessRecord, RunRecord};
use crate::audit::{Audit, NotJudged, Shown, StampBlocks, Verdict as _, Violation};
use crate::events::Leeway;
use crate::measure::LatencyVerdict;
use crate::outcome::Outcome;

/// The role of the processes under test.
pub(super) const CONSUMER: &str = "consumer";

/// One promise of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// What was promised.
    pub promised: String,
    /// What was found.
    pub found: String,
    /// More about it, for those who want to know; may be empty.
    pub detail: String,
    /// Whether it was kept.
    pub outcome: Outcome,
}

/// Every promise of the run, in a fixed order: results first, then latencies.
pub fn promises(record: &RunRecord) -> Vec<Promise> {
    let audited = record.audit.iter().flat_map(of_audit);
    let consumers = of_consumers(record);
    let verdicts = record
        .measured
        .iter()
        .flat_map(|measured| &measured.verdicts);
    audited
        .chain(consumers)
        .chain(verdicts.map(of_limit))
        .collect()
}

/// What was not judged: why, and the promises that it is about. It is neither kept nor broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unjudged {
    /// Why it cannot be known.
    pub why: String,
    /// The promises.
    pub promised: Vec<String>,
}

/// What was not judged of the run, by its cause, in the order of the promises.
pub fn unjudged(record: &RunRecord) -> Vec<Unjudged> {
    let mut found = Vec::<Unjudged>::new();
    let all = record.audit.iter().flat_map(|audit| &audit.not_judged);
    // Logs of older harnesses list what was found all the same.
    let was_found = |violation| record.audit.as_ref().map_or(0, |it| it.count(violation)) > 0;
    let open = all.filter(|each| !was_found(each.violation));
    let audited = open.map(|NotJudged { violation, why }| (violation.promise(), why.clone()));
    for (promised, why) in audited.chain(of_leeway(record)) {
        let promised = promised.to_owned();
        match found.iter_mut().find(|each| each.why == why) {
            Some(known) => known.promised.push(promised),
            None => found.push(Unjudged {
                why,
                promised: vec![promised],
            }),
        }
    }
    found
}

/// What is promised of how consumers end.
const IN_ORDER: &str = "every consumer ends when asked to, and in order";

/// What is promised of how consumers do not end.
const NOT_UNASKED: &str = "no consumer ends unasked";

/// What the description of the workload leaves open about how its consumers end, each promise with why.
fn of_leeway(record: &RunRecord) -> impl Iterator<Item = (&'static str, String)> + '_ {
    let has_consumers = record.processes.iter().any(|each| each.role == CONSUMER);
    let leeway = record.run.iter().flat_map(|run| &run.leeway);
    let judged_anyway = unexpected_consumer_exits(record) > 0;
    let is_open =
        move |leeway: &&Leeway| has_consumers && !(judged_anyway && **leeway == Leeway::Drain);
    leeway.filter(is_open).map(move |leeway| match leeway {
        Leeway::Drain => {
            let why = "the description says that SIGTERM does not make the worker drain (worker.drains: false)";
            (IN_ORDER, why.to_owned())
        }
        Leeway::Restart => {
            let times = match record.restarts() {
                0 => "none did here".to_owned(),
                1 => "one did here".to_owned(),
                count => format!("it happened {count} times here"),
            };
            let why = format!(
                "the description says that a worker that ends by itself is started again (worker.exit: restart); {times}"
            );
            (NOT_UNASKED, why)
        }
    })
}

/// Consumers that ended in a way that the run did not mean.
pub(super) fn unexpected_consumer_exits(record: &RunRecord) -> usize {
    let consumers = record
        .unexpected_exits()
        .filter(|(process, _)| process.role == CONSUMER);
    consumers.count()
}

/// Consumers are what is tested. The producer is the harness's own: what it could not send, the audit accounts for.
pub(super) fn of_consumers(record: &RunRecord) -> Option<Promise> {
    /// They mostly end alike; each is in the table of processes.
    const NAMED: usize = 3;
    let consumers = || record.processes.iter().filter(|each| each.role == CONSUMER);
    let unexpected_exits: Vec<String> = record
        .unexpected_exits()
        .filter(|(process, _)| process.role == CONSUMER)
        .map(|(process, exit)| format!("{}: {}", process.name, exit.status))
        .collect();
    let detail = match unexpected_exits.len() {
        0..=NAMED => unexpected_exits.join(", "),
        all => format!(
            "{}, and {} more",
            unexpected_exits[..NAMED].join(", "),
            all - NAMED
        ),
    };
    let is_restarted = |each: &&ProcessRecord| each.exit.as_ref().is_some_and(|it| it.restarted);
    let judged = || consumers().filter(|each| !is_restarted(each));
    let all = judged().count();
    let ended = judged().filter(|each| each.exit.is_some()).count();
    let mut leeway = record.run.iter().flat_map(|run| &run.leeway);
    if leeway.any(|it| *it == Leeway::Drain) && unexpected_exits.is_empty() {
        return None;
    }
    let lost = record.storage_lost.is_some();
    let outcome = if !unexpected_exits.is_empty() {
        Outcome::Fail
    } else if ended < all || lost {
        Outcome::Inconclusive
    } else {
        Outcome::Pass
    };
    (all > 0).then(|| Promise {
        promised: IN_ORDER.into(),
        found: if lost && unexpected_exits.is_empty() {
            "storage was lost before".into()
        } else {
            format!("{} of {all}", ended - unexpected_exits.len())
        },
        detail,
        outcome,
    })
}

fn of_audit(audit: &Audit) -> Vec<Promise> {
    let mut promises = vec![exactly_once(audit)];
    for violation in Violation::ALL {
        let Some(shown) = audit.shown(violation) else {
            continue;
        };
        let count = audit.count(violation);
        let found = match shown {
            Shown::Kept => "0".into(),
            Shown::Broken if violation == Violation::Restamped && audit.suspected() > 0 => {
                format!("up to {} {violation}", thousands(audit.suspected()))
            }
            Shown::Broken | Shown::Excused => format!("{} {violation}", thousands(count)),
            Shown::CutOff => match audit.fates.unfinished {
                0 => "none until it was cut off".into(),
                unfinished => format!("{} when it was cut off", thousands(unfinished)),
            },
            Shown::Undecidable => format!("{} undecidable", thousands(audit.fates.undecidable)),
            Shown::StampsUntold { .. } => {
                let StampBlocks {
                    judged, unjudged, ..
                } = audit.stamps.unwrap_or_default();
                let blocks = judged.saturating_add(unjudged);
                format!("{unjudged} of {blocks} blocks untold")
            }
            Shown::Uncompared(cases) => format!("{} untold", thousands(cases)),
        };
        promises.push(Promise {
            promised: audit.promise(violation).into(),
            found,
            detail: if count == 0 {
                violation.as_str().into()
            } else {
                String::new()
            },
            outcome: shown.outcome(),
        });
    }
    promises
}

fn exactly_once(audit: &Audit) -> Promise {
    let fates = &audit.fates;
    let promised = audit.planned;
    let mut parts = vec![format!(
        "{} of {} kept",
        thousands(fates.kept),
        thousands(promised)
    )];
    for (count, what) in [
        (fates.set_aside, "set aside as poison"),
        (fates.not_sent, "not sent"),
        (fates.undecidable, "undecidable"),
        (fates.unfinished, "unfinished"),
        (fates.lost, "lost"),
        (fates.spoiled, "spoiled"),
        (audit.planned.saturating_sub(audit.begun), "never begun"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", thousands(count)));
        }
    }
    let mut found = vec![parts.remove(0)];
    // What is wrong beside messages that are all right.
    if parts.is_empty() {
        for violation in broken_of_rows(audit) {
            let count = match violation {
                Violation::Restamped if audit.suspected() > 0 => {
                    format!("up to {}", thousands(audit.suspected()))
                }
                _ => thousands(audit.count(violation)),
            };
            found.push(format!("{count} {violation}"));
        }
    }
    Promise {
        promised: "every message has exactly one right row".into(),
        found: found.join(", "),
        detail: parts.join(", "),
        outcome: audit.outcome_of_rows(),
    }
}

/// The kinds that make [`outcome_of_rows`](crate::audit::Verdict::outcome_of_rows) a failure.
fn broken_of_rows(audit: &Audit) -> impl Iterator<Item = Violation> {
    let kinds = audit.findings.iter().map(|finding| finding.violation);
    kinds.filter(|violation| !violation.needs_history() && !audit.excuses(*violation))
}

fn of_limit(verdict: &LatencyVerdict) -> Promise {
    Promise {
        promised: verdict.promised(),
        found: verdict.found(),
        detail: verdict.detail(),
        outcome: verdict.outcome,
    }
}
