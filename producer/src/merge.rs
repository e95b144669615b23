//! Merges the summaries of all slices of a load, as if one generator had sent it.
//!
//! If a slice has no summary, its generator was lost: each of its messages may have been sent, or not. If a slice was stopped
//! before others, its last messages were never begun, although other slices sent later ones: these messages are not in the queue.

use hdrhistogram::Histogram;
use workflow::contract::{Seq, Stamp, StampSums};

use crate::ranges::SeqRanges;
use crate::report::Started;
use crate::slice::Slice;
use crate::summary::{Exceptions, SUMMARY_VERSION, Summary, SummaryError, Times};
use crate::tally::histogram;

/// The summary of the load with the slices `parts`. `planned` is the number of messages of the whole load, if known; otherwise a
/// lost slice counts as many unknown messages as the others have begun.
pub fn merged(parts: &[Summary], planned: Option<u64>) -> Result<Summary, SummaryError> {
    let refuse = |problem: &str| SummaryError::Inconsistent(problem.to_owned());
    let first = parts.first().ok_or_else(|| refuse("there is none"))?;
    check(parts, first)?;
    let slices = (0..first.slice.of()).filter_map(|index| Slice::new(index, first.slice.of()));
    let lost: Vec<Slice> = slices
        .filter(|slice| parts.iter().all(|part| part.slice != *slice))
        .collect();
    let begun = parts.iter().map(Summary::last_begun).max().unwrap_or(0);
    let begun = if lost.is_empty() {
        begun
    } else {
        planned.unwrap_or(begun).max(begun)
    };
    let (mut exceptions, mut stopped) = (Exceptions::default(), 0);
    for part in parts {
        extend(&mut exceptions.unknown, all_of(&part.exceptions.unknown));
        extend(&mut exceptions.failed, all_of(&part.exceptions.failed));
        let never_begun = part.slice.messages(part.begun, begun);
        // What a generator did not send because storage refused it is not due to the stop.
        if part.fatal.is_none() {
            stopped += part.slice.within(begun).saturating_sub(part.begun);
        }
        extend(&mut exceptions.failed, never_begun);
    }
    for slice in &lost {
        extend(&mut exceptions.unknown, slice.messages(0, begun));
    }
    let sum = |of: fn(&Summary) -> u64| parts.iter().map(of).sum::<u64>();
    let mut errors = first.errors.clone();
    for (kind, count) in parts[1..].iter().flat_map(|part| &part.errors) {
        *errors.entry(kind.clone()).or_default() += count;
    }
    let earliest = parts.iter().map(|part| part.started).min();
    let latest = parts.iter().map(|part| part.ended).max();
    let (started, ended) = (earliest.unwrap_or_default(), latest.unwrap_or_default());
    let acknowledged = sum(|part| part.acknowledged);
    let seconds = ended.micros_since(started) as f64 / 1e6;
    let planned = if lost.is_empty() {
        parts.iter().map(|part| part.planned).sum()
    } else {
        planned
    };
    let summary = Summary {
        slice: Slice::WHOLE,
        concurrency: parts.iter().map(|part| part.concurrency).sum(),
        planned,
        begun,
        acknowledged,
        unknown: exceptions.unknown.count(),
        failed: exceptions.failed.count(),
        stopped: stopped + sum(|part| part.stopped),
        exceptions,
        duplicates_sent: sum(|part| part.duplicates_sent),
        retries: sum(|part| part.retries),
        errors,
        started,
        ended,
        rate_per_s: acknowledged as f64 / seconds.max(1e-6),
        lateness_us: times(parts, |part| &part.lateness_us)?,
        send_us: times(parts, |part| &part.send_us)?,
        stamp_sums: stamp_sums(parts),
        interrupted: parts.iter().any(|part| part.interrupted),
        fatal: parts.iter().find_map(|part| part.fatal.clone()),
        ..first.clone()
    };
    summary.check()?;
    Ok(summary)
}

/// The summary of a load of `planned` messages, none of whose generators left one: each message may have been sent, or not.
/// `started` is what one of them reported when it began; `ended` is when the last of them was heard.
pub fn all_lost(started: &Started, planned: u64, ended: Stamp) -> Summary {
    let mut unknown = SeqRanges::default();
    extend(&mut unknown, Slice::WHOLE.messages(0, planned));
    let no_times = Times::of(&histogram());
    Summary {
        version: SUMMARY_VERSION,
        run: started.run.clone(),
        seed: started.seed,
        payload: started.payload,
        shape: started.shape.clone(),
        slice: Slice::WHOLE,
        queue: started.queue.clone(),
        concurrency: 0,
        planned: Some(planned),
        begun: planned,
        acknowledged: 0,
        unknown: planned,
        failed: 0,
        stopped: 0,
        exceptions: Exceptions {
            unknown,
            failed: SeqRanges::default(),
        },
        duplicate_rate: started.duplicate_rate,
        duplicates_sent: 0,
        retries: 0,
        errors: std::collections::BTreeMap::new(),
        started: started.at,
        ended,
        rate_per_s: 0.0,
        lateness_us: no_times.clone(),
        send_us: no_times,
        // Without an acknowledged message, stamps cannot be compared.
        stamp_sums: None,
        interrupted: false,
        fatal: None,
    }
}

/// Checks that `parts` are slices of one load, each there once and consistent in itself.
fn check(parts: &[Summary], first: &Summary) -> Result<(), SummaryError> {
    let refuse = |problem: String| Err(SummaryError::Inconsistent(problem));
    for (at, part) in parts.iter().enumerate() {
        part.check()?;
        let is_alike = (&part.run, part.seed, part.payload, &part.shape)
            == (&first.run, first.seed, first.payload, &first.shape)
            && part.slice.of() == first.slice.of();
        if !is_alike {
            return refuse(format!("slice {} is of another load", part.slice));
        }
        if parts[..at].iter().any(|other| other.slice == part.slice) {
            return refuse(format!("slice {} is there twice", part.slice));
        }
    }
    Ok(())
}

fn all_of(ranges: &SeqRanges) -> impl Iterator<Item = Seq> {
    let ranges = ranges.iter().flat_map(|(from, to)| from..=to);
    ranges.filter_map(Seq::new)
}

fn extend(ranges: &mut SeqRanges, seqs: impl Iterator<Item = Seq>) {
    seqs.for_each(|seq| ranges.insert(seq));
}

fn times(parts: &[Summary], of: fn(&Summary) -> &Times) -> Result<Times, SummaryError> {
    let mut all: Histogram<u64> = histogram();
    for part in parts {
        for step in of(part).histogram()?.iter_recorded() {
            all.saturating_record_n(step.value_iterated_to(), step.count_since_last_iteration());
        }
    }
    Ok(Times::of(&all))
}

/// The sums of stamps; `None` if a producer gave none.
fn stamp_sums(parts: &[Summary]) -> Option<StampSums> {
    let mut all = StampSums::default();
    for part in parts {
        all.merge(part.stamp_sums.as_ref()?);
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use workflow::contract::Stamp;

    use super::*;
    use crate::tally::{Board, SendEnd};

    /// A load of 12 messages; this is its slice `index` of 3, which began `begun` messages, `late` each. Message 5 failed.
    fn part(index: u32, begun: u64, late: Duration) -> Summary {
        let slice = Slice::new(index, 3).unwrap();
        let plan = crate::plan::Plan {
            slice,
            ..crate::plan::tests::plan("constant:10/s", Some(12))
        };
        let board = Board::new();
        let mut tally = board.lock();
        for seq in slice.messages(0, slice.last(begun)) {
            tally.begin(late);
            if seq.get() == 5 {
                tally.settle(seq, SendEnd::Failed);
                continue;
            }
            let src = Stamp::from_micros(1_000 * i64::try_from(seq.get()).unwrap());
            tally.acknowledge(seq, late, src, src.plus(late));
            tally.settle(seq, SendEnd::Acknowledged);
        }
        let planned = Some(slice.within(12));
        let mut summary = Summary::new(&plan, Some("q".to_owned()), planned, &tally);
        let started = Stamp::from_micros(1_000_000 * i64::from(index));
        summary.time(started, Duration::from_secs(2));
        summary.interrupted = begun < slice.within(12);
        summary
    }

    const MS: Duration = Duration::from_millis(1);

    fn whole() -> Vec<Summary> {
        vec![part(0, 4, MS), part(1, 4, 2 * MS), part(2, 4, 300 * MS)]
    }

    fn seqs(ranges: &SeqRanges) -> Vec<u64> {
        all_of(ranges).map(Seq::get).collect()
    }

    #[test]
    fn slices_that_are_all_there_are_one_load() {
        let summary = merged(&whole(), None).unwrap();
        assert_eq!((summary.planned, summary.begun), (Some(12), 12));
        assert_eq!((summary.acknowledged, summary.failed), (11, 1));
        assert_eq!(seqs(&summary.exceptions.failed), [5]);
        // The latest messages are those of one generator.
        assert_eq!(summary.lateness_us.count, 12);
        assert!(summary.lateness_us.p99 >= 300_000 && summary.lateness_us.p50 <= 2_001);
        let span = summary.ended.micros_since(summary.started);
        assert_eq!((summary.started, span), (Stamp::default(), 4_000_000));
        assert!(!summary.interrupted && summary.slice.is_whole());
        let sums = whole().into_iter().filter_map(|part| part.stamp_sums);
        let sum = sums.fold(0_u64, |sum, sums| sum.wrapping_add(sums.sum(0)));
        assert_eq!(summary.stamp_sums.unwrap().sum(0), sum);
    }

    #[test]
    fn what_a_lost_generator_did_is_unknown() {
        let parts = &whole()[..2];
        let summary = merged(parts, Some(12)).unwrap();
        assert_eq!((summary.planned, summary.begun), (Some(12), 12));
        assert_eq!(seqs(&summary.exceptions.unknown), [3, 6, 9, 12]);
        assert_eq!(summary.acknowledged, 7);
        // Without a plan, the lost slice counts as far as the others have come.
        let summary = merged(parts, None).unwrap();
        assert_eq!((summary.planned, summary.begun), (None, 11));
        assert_eq!(seqs(&summary.exceptions.unknown), [3, 6, 9]);
    }

    #[test]
    fn what_a_generator_never_began_is_not_in_the_queue() {
        let parts = [part(0, 4, MS), part(1, 1, MS), part(2, 4, MS)];
        let summary = merged(&parts, None).unwrap();
        assert_eq!(seqs(&summary.exceptions.failed), [5, 8, 11]);
        assert!(summary.interrupted);
        // They were left out because their generator was stopped, not because storage refused them.
        assert_eq!(summary.stopped, 3);
        let mut parts = parts;
        parts[1].fatal = Some("denied".to_owned());
        assert_eq!(merged(&parts, None).unwrap().stopped, 0);
    }

    #[test]
    fn of_a_load_whose_generators_are_all_lost_every_message_may_have_been_sent() {
        let started = Started {
            run: "r1".parse().unwrap(),
            seed: 7,
            shape: "burst".to_owned(),
            payload: workflow::contract::PayloadSize::Sample,
            queue: Some("q".to_owned()),
            planned: Some(6),
            duplicate_rate: 0.5,
            at: Stamp::from_micros(5),
        };
        let summary = all_lost(&started, 12, Stamp::from_micros(9));
        summary.check().unwrap();
        assert_eq!((summary.planned, summary.begun), (Some(12), 12));
        assert_eq!(seqs(&summary.exceptions.unknown).len(), 12);
        assert_eq!(summary.run.as_str(), "r1");
        assert_eq!((summary.seed, summary.duplicate_rate), (7, 0.5));
        assert_eq!(
            (summary.started, summary.ended),
            (Stamp::from_micros(5), Stamp::from_micros(9))
        );
        assert!(summary.stamp_sums.is_none() && !summary.interrupted);
    }

    #[test]
    fn slices_of_other_loads_are_refused() {
        let refused = |change: fn(&mut Vec<Summary>)| {
            let mut parts = whole();
            change(&mut parts);
            merged(&parts, None).unwrap_err().to_string()
        };
        assert!(refused(Vec::clear).contains("there is none"));
        assert!(refused(|parts| parts[1].seed = 99).contains("1/3 is of another load"));
        assert!(refused(|parts| parts[2] = parts[0].clone()).contains("0/3 is there twice"));
        assert!(refused(|parts| parts[0].begun += 1).contains("do not add up"));
    }
}
