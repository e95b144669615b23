//! Judges how workers ended, as their platform reports it.

use std::time::Duration;

use contract::Stamp;
use evidence::departures::{Departure, End};
use evidence::outcome::{NotPassed, Outcome};

use crate::{Index, Kept, Part, fail_unless};

/// Fails with the first of `departures` that is not orderly.
pub fn orderly<'a>(departures: impl IntoIterator<Item = &'a Departure>) -> Kept {
    departures.into_iter().try_for_each(of_one)
}

fn of_one(departure: &Departure) -> Kept {
    if departure.is_orderly {
        return Ok(());
    }
    Err(with_tail(&departure.sentence, departure))
}

/// A failure with the last lines of the worker's log.
fn with_tail(reason: &str, departure: &Departure) -> NotPassed {
    NotPassed::fail(format!("{reason}\n{}", departure.tail))
}

/// Fails if a worker ended unexpectedly; names the first of `unexpected`.
pub fn none_unexpected<'a>(unexpected: impl IntoIterator<Item = &'a Departure>) -> Kept {
    let unexpected: Vec<_> = unexpected.into_iter().collect();
    let Some(first) = unexpected.first() else {
        return Ok(());
    };
    let reason = format!(
        "{} consumers ended though nobody had asked them to, {} with {}",
        unexpected.len(),
        first.name,
        first.end
    );
    Err(with_tail(&reason, first))
}

/// Inconclusive unless the producer, which ended with `end`, sent the load as planned: then the results say nothing about the
/// consumers. `unknown`, `failed`: its sends without an answer, and those that storage refused.
pub fn sent_as_planned(end: End, unknown: u64, failed: u64) -> Kept {
    if end.code() == Some(0) {
        return Ok(());
    }
    Err(NotPassed::inconclusive(format!(
        "the producer ended with {end}: {unknown} unknown and {failed} failed sends"
    )))
}

/// Fails unless each worker ended in order, and within `limit` of the request.
pub fn stopped_in_time<'a>(
    departures: impl IntoIterator<Item = &'a Departure>,
    limit: Duration,
) -> Kept {
    departures.into_iter().try_for_each(|departure| {
        of_one(departure)?;
        let Departure { name, after, .. } = departure;
        let late = || NotPassed::fail(format!("{name} took {after:?}"));
        (*after <= limit).then_some(()).ok_or_else(late)
    })
}

/// Fails unless the worker, which was told to end, ended with this exit code and within `limit`.
pub fn ended_by_itself(departure: &Departure, code: i32, limit: Duration) -> Kept {
    if departure.end.code() != Some(code) {
        let reason = format!("it ended with {}", departure.end);
        return Err(with_tail(&reason, departure));
    }
    if departure.after > limit {
        return Err(with_tail(
            &format!("it took {:?}", departure.after),
            departure,
        ));
    }
    Ok(())
}

/// Fails unless each worker ended by itself with this exit code.
pub fn ended_with<'a>(departures: impl IntoIterator<Item = &'a Departure>, code: i32) -> Kept {
    departures.into_iter().try_for_each(|departure| {
        let is_right = departure.end.code() == Some(code);
        let wrong = || with_tail(&departure.sentence, departure);
        is_right.then_some(()).ok_or_else(wrong)
    })
}

/// Fails unless all of `told`, the workers that were told to end because there were too many, ended in order, and at least
/// `at_least` of them had messages in hand.
pub fn taken_from_work<'a>(told: impl IntoIterator<Item = &'a Departure>, at_least: usize) -> Kept {
    let told: Vec<_> = told.into_iter().collect();
    orderly(told.iter().copied())?;
    let busy = told.iter().filter(|departure| departure.held > 0).count();
    if busy < at_least {
        return Err(NotPassed::fail(format!(
            "{busy} of the {} that were taken away had messages in hand",
            told.len()
        )));
    }
    Ok(())
}

/// Fails unless `died`, the number of workers that a fault killed, is `expected`.
pub fn died(died: usize, expected: usize) -> Kept {
    fail_unless(died == expected, || format!("{died} died"))
}

/// Fails unless so many `consumers` have ended without being told to, after at most `deadline`; `ended` of them have.
pub fn all_ended(ended: usize, consumers: usize, deadline: Duration) -> Kept {
    fail_unless(ended >= consumers, || {
        format!("{ended} of {consumers} have ended after {deadline:?}")
    })
}

/// Fails if the worker `name`, which was `told` to end at that time, took a message later than `limit` after it, as `index` shows.
/// Inconclusive if no worker did: perhaps there was no message left to take.
pub fn took_nothing_more(name: &str, told: Stamp, limit: Duration, index: &Index) -> Kept {
    let late = told.plus(limit);
    if let Some(received) = index.received_after(name, late) {
        let after = Duration::from_micros(received.micros_since(told).unsigned_abs());
        return Err(NotPassed::fail(format!(
            "{name} took a message {after:?} after it was told to stop"
        )));
    }
    others_took_some(told, limit, &format!("{name} was told to stop"), index)
}

/// Inconclusive if no worker took a message later than `limit` after `since`, the time of `what`.
pub(crate) fn others_took_some(since: Stamp, limit: Duration, what: &str, index: &Index) -> Kept {
    if index.has_received_after(since.plus(limit)) {
        return Ok(());
    }
    Err(NotPassed::inconclusive(format!(
        "no consumer took a message later than {limit:?} after {what}, so there may have been none to take: send for longer"
    )))
}

/// The warnings and errors in a worker's `log` since it was ready, or all of them if it never was. What it says before that is about its
/// start: a pod may be started before its node knows the way to storage.
pub fn troubles(log: &str) -> impl Iterator<Item = &str> {
    let ready = log.find("\"message\":\"ready: ");
    let since = log.get(ready.unwrap_or(0)..).unwrap_or_default();
    since.lines().filter(|line| is_trouble(line))
}

/// Whether a line of a log is a warning or worse: by its level if it is JSON, in any case; else by a word in capitals, as the
/// loggers of most languages write it, or as the begin of an exception of Python.
fn is_trouble(line: &str) -> bool {
    const LEVELS: [&str; 6] = ["WARN", "WARNING", "ERROR", "CRITICAL", "FATAL", "PANIC"];
    if let Ok(serde_json::Value::Object(fields)) = serde_json::from_str(line) {
        let mut names = ["level", "levelname", "severity"].into_iter();
        let level = names.find_map(|name| fields.get(name)?.as_str());
        return level.is_some_and(|level| LEVELS.iter().any(|it| it.eq_ignore_ascii_case(level)));
    }
    let mut words = line.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| LEVELS.contains(&word)) || line.starts_with("Traceback ")
}

/// Fails with `unasked`, the workers that ended without being told to, or else with `troubles`, the warnings and errors in the logs of
/// the others.
pub fn untroubled(unasked: &[&Departure], troubles: &[String]) -> Kept {
    quoted(unasked).map_or(Ok(()), |ended| Err(NotPassed::fail(ended)))?;
    fail_unless(troubles.is_empty(), || {
        format!("logged:\n{}", troubles.join("\n"))
    })
}

/// The judgement of all workers of a run that have ended; `None` if all ended when and as they were asked to.
pub fn part_of<'a>(departed: impl IntoIterator<Item = &'a Departure>) -> Option<Part> {
    let unexpected = departed.into_iter().filter(|it| !it.is_orderly);
    let unexpected: Vec<_> = unexpected.collect();
    quoted(&unexpected).map(|reason| Part::new(Outcome::Fail, reason))
}

/// The words for workers that did not end as asked; `None` if there are none. They mostly end for the same reason, so only the first of
/// them is quoted.
fn quoted(unexpected: &[&Departure]) -> Option<String> {
    // The first by number: several may end at the same time, and the order in which they are noticed differs from run to run.
    let by_number = |departure: &&Departure| (departure.name.len(), departure.name.clone());
    let first = unexpected.iter().copied().min_by_key(by_number)?;
    Some(match unexpected.len() - 1 {
        0 => first.sentence.clone(),
        more => format!("{}; {more} more did not end as asked", first.sentence),
    })
}

#[cfg(test)]
mod tests {
    use contract::workload::Lens;
    use evidence::audit::StorageNames;
    use evidence::departures::Cause;
    use evidence::{Answer, Crossing, Handled, Operation, PRODUCER};

    use super::*;

    fn departure(name: &str, code: i32) -> Departure {
        Departure {
            name: name.to_owned(),
            end: End::Exited(code),
            cause: Cause::Told,
            is_orderly: code == 0,
            is_restart: false,
            is_early: false,
            after: Duration::from_secs(2),
            held: 0,
            sentence: format!("{name} was told to end: exit status: {code}"),
            tail: "its log".to_owned(),
        }
    }

    fn reason(kept: Kept) -> String {
        let error = kept.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Fail);
        error.to_string()
    }

    #[test]
    fn the_first_that_is_not_orderly_is_quoted_with_its_log() {
        let (good, bad) = (departure("c-1", 0), departure("c-2", 3));
        assert_eq!(orderly([&good, &good]), Ok(()));
        assert_eq!(orderly([]), Ok(()));
        let told = "c-2 was told to end: exit status: 3\nits log";
        assert_eq!(reason(orderly([&good, &bad])), told);
        assert_eq!(reason(stopped_in_time([&bad], Duration::MAX)), told);
        assert_eq!(reason(taken_from_work([&bad], 0)), told);
        assert_eq!(none_unexpected([]), Ok(()));
        assert_eq!(
            reason(none_unexpected([&bad, &good])),
            "2 consumers ended though nobody had asked them to, c-2 with exit status: 3\nits log"
        );
    }

    #[test]
    fn a_worker_is_in_trouble_by_what_it_logs_once_it_is_ready() {
        let (early, late) = (
            r#"{"level":"WARN","message":"storage lost"}"#,
            r#"{"level":"ERROR","message":"storage lost"}"#,
        );
        let ready = r#"{"level":"INFO","message":"ready: queue and table answer"}"#;
        let quiet = r#"{"level":"INFO","message":"draining"}"#;
        let log = [early, ready, quiet, late].join("\n");
        assert_eq!(troubles(&log).collect::<Vec<_>>(), [late]);
        // Of workers that others have written.
        for (line, expected) in [
            (r#"{"level": "WARNING", "message": "slow"}"#, true),
            (r#"{"severity": "error", "message": "slow"}"#, true),
            (r#"{"level": "info", "message": "no ERROR at all"}"#, false),
            ("2026-12-01 02:00:00 WARN  no connection", true),
            ("ERROR:root:no connection", true),
            ("Traceback (most recent call last):", true),
            ("received 3, errors: none, warnings: none", false),
        ] {
            assert_eq!(troubles(line).count() == 1, expected, "{line}");
        }
        // It was never ready.
        let log = [early, quiet].join("\n");
        assert_eq!(troubles(&log).collect::<Vec<_>>(), [early]);
        assert_eq!(
            reason(untroubled(&[], &[early.to_owned()])),
            format!("logged:\n{early}")
        );
    }

    #[test]
    fn a_limit_is_kept_at_the_limit_and_missed_beyond_it() {
        let departure = departure("c-1", 0);
        let (limit, less) = (departure.after, Duration::from_millis(1_999));
        assert_eq!(stopped_in_time([&departure], limit), Ok(()));
        assert_eq!(reason(stopped_in_time([&departure], less)), "c-1 took 2s");
        assert_eq!(ended_by_itself(&departure, 0, limit), Ok(()));
        let late = reason(ended_by_itself(&departure, 0, less));
        assert_eq!(late, "it took 2s\nits log");
    }

    #[test]
    fn a_load_that_was_not_sent_as_planned_says_nothing_about_consumers() {
        assert_eq!(sent_as_planned(End::Exited(0), 3, 0), Ok(()));
        for end in [End::Exited(6), End::Signalled(9), End::Unknown] {
            let error = sent_as_planned(end, 1, 2).unwrap_err();
            assert_eq!(error.outcome(), Outcome::Inconclusive, "{end}");
        }
    }

    #[test]
    fn an_exit_code_is_the_expected_one_or_the_promise_is_broken() {
        let refused = departure("c-1", 5);
        assert_eq!(ended_with([&refused], 5), Ok(()));
        assert_eq!(ended_by_itself(&refused, 5, Duration::MAX), Ok(()));
        let killed = Departure {
            end: End::Signalled(9),
            ..departure("c-1", 0)
        };
        for departure in [&refused, &killed] {
            assert!(ended_with([departure], 0).is_err(), "{departure:?}");
        }
        assert_eq!(
            reason(ended_by_itself(&killed, 0, Duration::MAX)),
            "it ended with signal: 9 (SIGKILL)\nits log"
        );
    }

    #[test]
    fn enough_of_those_that_were_taken_away_had_messages() {
        let idle = departure("c-1", 0);
        let busy = Departure {
            held: 1,
            ..departure("c-2", 0)
        };
        assert_eq!(taken_from_work([&idle, &busy], 1), Ok(()));
        assert_eq!(
            reason(taken_from_work([&idle, &busy, &idle], 2)),
            "1 of the 3 that were taken away had messages in hand"
        );
    }

    #[test]
    fn a_worker_that_was_told_to_stop_takes_no_message_later_than_the_limit() {
        let second = |seconds: i64| Stamp::from_micros(seconds * 1_000_000);
        let mut index = Index::of(Lens::own("r1".parse().unwrap()), StorageNames::default());
        let received = |client: &str, began| Crossing {
            client: client.to_owned(),
            operation: Operation::ReceiveMessages,
            resource: "q".to_owned(),
            began: second(began),
            ended: second(began + 1),
            answer: Answer::Status(200, None),
            failed_part: None,
            fault: None,
            unheard: false,
            messages: vec![Handled::default()],
            rows: vec![],
            strange: None,
            clock_us: 0,
            pauses: vec![],
        };
        index.add(&received("c-1", 12));
        index.add(&received("c-2", 14));
        index.add(&received(PRODUCER, 20));
        let judged = |name, seconds| {
            took_nothing_more(name, second(10), Duration::from_secs(seconds), &index)
        };
        assert_eq!(judged("c-1", 2), Ok(()));
        assert_eq!(judged("c-3", 0), Ok(()));
        let told = "c-1 took a message 2s after it was told to stop";
        assert_eq!(reason(judged("c-1", 1)), told);

        // No consumer took a message so late; what the producer receives is not work.
        let unknown = judged("c-1", 4).unwrap_err();
        assert_eq!(unknown.outcome(), Outcome::Inconclusive);
        assert!(unknown.to_string().contains("send for longer"), "{unknown}");
    }

    #[test]
    fn ends_are_counted() {
        assert_eq!(died(3, 3), Ok(()));
        for other in [2, 4] {
            assert_eq!(reason(died(other, 3)), format!("{other} died"));
        }
        let limit = Duration::from_secs(9);
        assert_eq!(all_ended(2, 2, limit), Ok(()));
        let few = reason(all_ended(1, 2, limit));
        assert_eq!(few, "1 of 2 have ended after 9s");
    }

    #[test]
    fn a_worker_is_in_trouble_if_it_ended_or_logged_a_warning() {
        let (dead, line) = (departure("c-1", 1), "c-2: a warning".to_owned());
        assert_eq!(untroubled(&[], &[]), Ok(()));
        let logged = reason(untroubled(&[], std::slice::from_ref(&line)));
        assert_eq!(logged, "logged:\nc-2: a warning");
        let ended = reason(untroubled(&[&dead], &[line]));
        assert_eq!(ended, "c-1 was told to end: exit status: 1");
    }

    #[test]
    fn the_part_of_a_run_quotes_the_first_by_number_and_counts_the_others() {
        let all = [
            departure("c-10", 1),
            departure("c-9", 1),
            departure("c-1", 0),
        ];
        let part = part_of(&all).unwrap();
        assert_eq!(part.outcome, Outcome::Fail);
        let told = "c-9 was told to end: exit status: 1; 1 more did not end as asked";
        assert_eq!(part.reasons, [told]);
        assert_eq!(part_of(&all[2..]), None);
    }
}
