//! What was promised and what was found, one line each: the heart of every report.

use judge::LeftOpen;

use super::RunRecord;
use crate::audit::{Audit, Judged, NotJudged, Shown, StampBlocks, Violation};
use crate::measure::LatencyVerdict;
use crate::outcome::Outcome;
use views::thousands;

/// One promise of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// What was promised.
    pub promised: String,
    /// What was found.
    pub found: String,
    /// More detail, for readers who want it; may be empty.
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

/// Promises that were not judged, and why. They are neither kept nor broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unjudged {
    /// Why the promises could not be judged.
    pub why: String,
    /// The promises.
    pub promised: Vec<String>,
}

/// The promises of the run that were not judged, by cause, in the order of the promises.
pub fn unjudged(record: &RunRecord) -> Vec<Unjudged> {
    let mut found = Vec::<Unjudged>::new();
    let open = record.audit.iter().flat_map(Judged::left_open);
    let promise = |violation: Violation| {
        let audit = record.audit.as_ref();
        audit.map_or(violation.promise(), |audit| audit.promise(violation))
    };
    let audited = open.map(|NotJudged { violation, why }| (promise(*violation), why.clone()));
    for (promised, why) in audited.chain(left_open(record)) {
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

/// The promise about consumers that are asked to end.
const IN_ORDER: &str = "every consumer ends when asked to, and in order";

/// The promise about consumers that are not asked to end.
const NOT_UNASKED: &str = "no consumer ends unasked";

/// The promises about the end of consumers that are left open, each with the reason.
fn left_open(record: &RunRecord) -> impl Iterator<Item = (&'static str, String)> {
    record.left_open().into_iter().map(|open| match open {
        LeftOpen::InOrder => {
            let why = "the description says that SIGTERM does not make the worker drain (worker.drains: false)";
            (IN_ORDER, why.to_owned())
        }
        LeftOpen::Unasked { restarts } => {
            let times = match restarts {
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

/// How consumers ended.
fn of_consumers(record: &RunRecord) -> Option<Promise> {
    /// The number of consumers that are named: they mostly end for the same reason, and the table of processes has all.
    const NAMED: usize = 3;
    let ends = record.consumer_ends()?;
    let unexpected = ends.unexpected.iter();
    let unexpected: Vec<String> = unexpected
        .map(|(process, exit)| format!("{}: {}", process.name, exit.status))
        .collect();
    let mut detail = match unexpected.len() {
        0..=NAMED => unexpected.join(", "),
        all => format!(
            "{}, and {} more",
            unexpected[..NAMED].join(", "),
            all - NAMED
        ),
    };
    if !unexpected.is_empty() && ends.at_once < ends.all {
        detail = format!(
            "{} were started, at most {} at a time, since another takes the place of one that has ended; {detail}",
            ends.all, ends.at_once
        );
    }
    Some(Promise {
        promised: IN_ORDER.into(),
        found: if ends.is_storage_lost && unexpected.is_empty() {
            "storage was lost before".into()
        } else {
            format!("{} of {}", ends.orderly(), ends.all)
        },
        detail,
        outcome: ends.outcome?,
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
                format!(
                    "up to {} {}",
                    thousands(audit.suspected()),
                    violation.plain()
                )
            }
            Shown::Broken | Shown::Excused => format!("{} {}", thousands(count), violation.plain()),
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
                format!("{unjudged} of {blocks} blocks of messages could not be compared")
            }
            Shown::Uncompared(cases) => format!("{} could not be compared", thousands(cases)),
        };
        promises.push(Promise {
            promised: audit.promise(violation).into(),
            found,
            detail: if count == 0 {
                violation.plain().into()
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
    // If all messages have their row, other violations about rows are named.
    if parts.is_empty() {
        for violation in audit.broken_of_rows() {
            let count = match violation {
                Violation::Restamped if audit.suspected() > 0 => {
                    format!("up to {}", thousands(audit.suspected()))
                }
                _ => thousands(audit.count(violation)),
            };
            found.push(format!("{count} {}", violation.plain()));
        }
    }
    Promise {
        promised: "every message has exactly one right row".into(),
        found: found.join(", "),
        detail: parts.join(", "),
        outcome: audit.outcome_of_rows(),
    }
}

fn of_limit(verdict: &LatencyVerdict) -> Promise {
    Promise {
        promised: verdict.promised(),
        found: verdict.found(),
        detail: verdict.detail(),
        outcome: verdict.outcome,
    }
}
