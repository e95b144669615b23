//! Consumers that made no request: why messages are left in the queue, said before that they are.

use std::time::Duration;

use contract::duration;
use evidence::audit::{Audit, Violation};
use evidence::departures::Departure;
use evidence::outcome::Outcome;
use evidence::{PRODUCER, Usage};

use crate::Part;
use crate::audit::Judged as _;
use crate::processor::full;

/// Most consumers that are named.
const NAMED: usize = 3;

/// The judgement of those of `consumers`, which ran until they were told to end, of which the wire has seen no request, if messages
/// are left; else `None`. `usage` is that of the load, which begins with the start of the consumers.
pub fn silent(consumers: &[String], audit: &Audit, usage: Option<&Usage>) -> Option<Part> {
    let traffic = audit.traffic.as_ref()?;
    let is_silent = |name: &&str| !traffic.clients.contains_key(*name);
    let all = consumers.iter().map(String::as_str);
    let silent: Vec<&str> = all.filter(is_silent).collect();
    if silent.is_empty() || audit.count(Violation::Unfinished) == 0 {
        return None;
    }
    let named = silent[..silent.len().min(NAMED)].join(", ");
    let more = match silent.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let since = usage.map_or_else(String::new, |usage| {
        let lasted = duration::text(Duration::from_millis(usage.lasted_ms));
        format!(" in {lasted} from their start{}", busy(usage))
    });
    let reason = format!("{named}{more} made no request to storage{since}");
    let outcome = if audit.excuses(Violation::Unfinished) {
        Outcome::Inconclusive
    } else {
        Outcome::Fail
    };
    Some(Part::new(outcome, reason))
}

/// The judgement of consumers that ended by themselves again and again, were started again, and never made a request, if messages
/// are left; else `None`. A worker that cannot start is no matter of messages: its last words say what it lacks.
pub fn never_began<'a>(
    departed: impl IntoIterator<Item = &'a Departure>,
    audit: &Audit,
) -> Option<Part> {
    let restarted = departed.into_iter().filter(|it| it.is_restart);
    let restarted: Vec<_> = restarted.collect();
    let last = restarted.last()?;
    let mut clients = audit.traffic.as_ref()?.clients.keys();
    if clients.any(|name| name != PRODUCER) || audit.count(Violation::Unfinished) == 0 {
        return None;
    }
    let words = last.tail.lines().rfind(|line| !line.trim().is_empty());
    let words = words.map_or_else(String::new, |words| {
        format!("; its last words: {}", words.trim())
    });
    let (times, name, end) = (restarted.len(), &last.name, last.end);
    Some(Part::new(
        Outcome::Fail,
        format!(
            "no consumer made a request to storage: consumers ended by themselves {times} times, the last one {name} with {end}{words}"
        ),
    ))
}

/// Says that the machine had no processor time to spare, if it had none.
fn busy(usage: &Usage) -> String {
    match full(usage) {
        Some(percent) => format!(
            "; {percent} % of the machine's processor time was taken meanwhile, by this run and all else: repeat it on a machine with time to spare"
        ),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Auditor, Expectation, Finding};
    use contract::{PayloadSize, Payloads};
    use evidence::departures::{Cause, End};

    fn usage(machine_busy_ms: Option<u64>) -> Usage {
        Usage {
            phase: "load".to_owned(),
            lasted_ms: 16_000,
            messages: 1,
            cores: 2,
            machine_busy_ms,
            parts: vec![],
        }
    }

    /// The audit of a run with one message, which is left in the queue, and with the requests of `asked`.
    fn audit(asked: &[&str], unfinished: u64, paused_ms: u64) -> Audit {
        let payloads = Payloads {
            seed: 1,
            size: PayloadSize::Fixed(200),
        };
        let expectation = Expectation::new("r1".parse().unwrap(), payloads, 1);
        let auditor = Auditor::new(expectation).unwrap();
        let testimony = auditor.protocol().finish();
        let mut audit = auditor.finish();
        let mut traffic = testimony.traffic;
        for name in asked {
            traffic.clients.entry((*name).to_owned()).or_default();
        }
        traffic.storage.paused_ms = paused_ms;
        traffic.storage.observed_ms = 16_000;
        audit.traffic = Some(traffic);
        audit.findings.clear();
        if unfinished > 0 {
            audit.findings.push(Finding {
                violation: Violation::Unfinished,
                count: unfinished,
                witnesses: vec![],
            });
        }
        audit
    }

    #[test]
    fn workers_that_cannot_start_are_told_with_their_last_words() {
        let departure = |name: &str, tail: &str| Departure {
            name: name.to_owned(),
            end: End::Exited(1),
            cause: Cause::Unasked,
            is_orderly: true,
            is_restart: true,
            is_early: false,
            after: Duration::ZERO,
            held: 0,
            sentence: String::new(),
            tail: tail.to_owned(),
        };
        let ended = [
            departure("c-1", ""),
            departure(
                "c-2",
                "Traceback\nModuleNotFoundError: No module named 'azure'\n",
            ),
        ];
        let told = |ended: &[Departure], asked: &[&str], unfinished| {
            let part = never_began(ended, &audit(asked, unfinished, 0));
            part.map(|part| (part.outcome, part.reasons.join("; ")))
        };
        let reason = "no consumer made a request to storage: consumers ended by themselves 2 times, the last one c-2 with exit status: 1; \
                      its last words: ModuleNotFoundError: No module named 'azure'";
        let expected = Some((Outcome::Fail, reason.to_owned()));
        assert_eq!(told(&ended, &["producer"], 1), expected);
        assert_eq!(told(&ended, &["producer", "c-1"], 1), None);
        assert_eq!(told(&ended, &["producer"], 0), None);
        assert_eq!(told(&[], &["producer"], 1), None);
    }

    #[test]
    fn consumers_without_a_request_are_the_first_reason_and_a_busy_machine_is_named() {
        let consumers = ["c-1", "c-2", "c-3", "c-4"].map(str::to_owned);
        let told = |asked: &[&str], unfinished, paused_ms, busy_ms| {
            let part = silent(
                &consumers,
                &audit(asked, unfinished, paused_ms),
                Some(&usage(busy_ms)),
            );
            part.map(|part| (part.outcome, part.reasons.join("; ")))
        };
        let none = "c-1, c-2, c-3 and 1 more made no request to storage in 16s from their start";
        let busy = "; 90 % of the machine's processor time was taken meanwhile, by this run and all else: repeat it on a machine with time to \
                    spare";
        let found = |outcome, reason: String| Some((outcome, reason));
        assert_eq!(told(&[], 1, 0, None), found(Outcome::Fail, none.to_owned()));
        assert_eq!(
            told(&[], 1, 0, Some(28_799)),
            found(Outcome::Fail, none.to_owned())
        );
        assert_eq!(
            told(&[], 1, 0, Some(28_800)),
            found(Outcome::Fail, format!("{none}{busy}"))
        );
        // The harness itself stood still for half of the time.
        assert_eq!(
            told(&[], 1, 8_000, None),
            found(Outcome::Inconclusive, none.to_owned())
        );
        let one = "c-2 made no request to storage in 16s from their start".to_owned();
        assert_eq!(
            told(&["c-1", "c-3", "c-4"], 1, 0, None),
            found(Outcome::Fail, one)
        );
        assert_eq!(told(&["c-1", "c-2", "c-3", "c-4"], 1, 0, None), None);
        assert_eq!(told(&[], 0, 0, None), None, "all is done");
    }
}
