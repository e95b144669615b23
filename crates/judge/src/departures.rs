//! Judges how workers ended, as their platform reports it.

use std::time::Duration;

use evidence::departures::{Departure, End};
use evidence::outcome::{NotPassed, Outcome};

use crate::{Kept, Part};

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

/// The judgement of all workers of a run that have ended; `None` if all ended when and as they were asked to. They mostly end
/// for the same reason, so only the first of them is quoted.
pub fn part_of<'a>(departed: impl IntoIterator<Item = &'a Departure>) -> Option<Part> {
    // The first by number: several may end at the same time, and the order in which they are noticed differs from run to run.
    let by_number = |departure: &&Departure| (departure.name.len(), departure.name.clone());
    let unexpected = departed.into_iter().filter(|it| !it.is_orderly);
    let unexpected: Vec<_> = unexpected.collect();
    let first = unexpected.iter().copied().min_by_key(by_number)?;
    let reason = match unexpected.len() - 1 {
        0 => first.sentence.clone(),
        more => format!("{}; {more} more did not end as asked", first.sentence),
    };
    Some(Part::new(Outcome::Fail, reason))
}

#[cfg(test)]
mod tests {
    use evidence::departures::Cause;

    use super::*;

    fn departure(name: &str, code: i32) -> Departure {
        Departure {
            name: name.to_owned(),
            end: End::Exited(code),
            cause: Cause::Told,
            is_orderly: code == 0,
            is_restart: false,
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
            reason(taken_from_work([&idle, &busy], 2)),
            "1 of the 2 that were taken away had messages in hand"
        );
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
