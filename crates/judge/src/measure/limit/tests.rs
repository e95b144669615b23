//! Tests of limits that are kept, missed, or cannot be judged.

use std::time::Duration;

use contract::{Stamp, StoredRow};

use super::*;
use crate::measure::{Circumstances, Ending, Measure as _, Percentile};

const LIMIT: Duration = Duration::from_millis(100);

/// Rows with these schedule lags and queue waits in microseconds, and 1 ms of work.
fn hops(rows: impl Iterator<Item = (i64, i64)>) -> Hops {
    let mut hops = Hops::default();
    for (lag, wait) in rows {
        let stamp = |micros| Some(Stamp::from_micros(micros));
        hops.record(&StoredRow {
            src_stamp: stamp(0),
            sent_stamp: stamp(lag),
            dequeued_stamp: stamp(lag + wait),
            date_stamp: stamp(lag + wait + 1_000),
            timestamp: stamp(lag + wait + 1_000),
            ..StoredRow::default()
        });
    }
    hops
}

fn verdict(hops: &Hops, hop: Hop) -> LatencyVerdict {
    judge(hops, &[LatencyLimit::new(hop, Percentile::P99, LIMIT)]).remove(0)
}

#[test]
fn a_limit_well_kept_passes_and_one_well_broken_fails() {
    let fast = hops((0..2_000).map(|n| (0, 1_000 + n)));
    let verdict_fast = verdict(&fast, Hop::EndToEnd);
    assert_eq!(verdict_fast.outcome, Outcome::Pass);
    assert!(verdict_fast.low_us <= verdict_fast.observed_us);
    assert!(verdict_fast.observed_us <= verdict_fast.high_us);
    let slow = hops((0..2_000).map(|n| (0, 100 * n)));
    assert_eq!(verdict(&slow, Hop::EndToEnd).outcome, Outcome::Fail);
}

#[test]
fn too_few_samples_are_inconclusive_and_say_how_many_it_takes() {
    let few = verdict(&hops((0..999).map(|_| (0, 1))), Hop::EndToEnd);
    assert_eq!(few.outcome, Outcome::Inconclusive);
    assert_eq!(few.reason, "p99 needs 1000 samples, there are 999");
    let enough = hops((0..1_000).map(|_| (0, 1)));
    assert_eq!(verdict(&enough, Hop::EndToEnd).outcome, Outcome::Pass);
}

#[test]
fn a_limit_inside_the_interval_is_inconclusive() {
    // Exactly 1 % of the samples are beyond the limit.
    let edge = hops((0..2_000).map(|n| (0, if n % 100 == 0 { 200_000 } else { 1_000 })));
    let edge = verdict(&edge, Hop::EndToEnd);
    assert_eq!(edge.outcome, Outcome::Inconclusive);
    assert_eq!(edge.untold, Some(Untold::TooClose));
}

#[test]
fn a_late_generator_is_inconclusive_unless_the_system_is_slow_without_it() {
    let late = hops((0..2_000).map(|_| (150_000, 1_000)));
    let verdict_late = verdict(&late, Hop::EndToEnd);
    assert_eq!(verdict_late.outcome, Outcome::Inconclusive);
    assert_eq!(verdict_late.untold, Some(Untold::LateGenerator));
    let slow_too = hops((0..2_000).map(|_| (150_000, 150_000)));
    assert_eq!(verdict(&slow_too, Hop::EndToEnd).outcome, Outcome::Fail);
    assert_eq!(verdict(&late, Hop::QueueWait).outcome, Outcome::Pass);
}

/// The limit is 1 ms, and such times are kept to the microsecond.
#[test]
fn a_latency_that_is_the_limit_keeps_it() {
    let at = |micros| {
        let hops = hops((0..2_000).map(|_| (0, micros)));
        let limit = LatencyLimit::new(Hop::QueueWait, Percentile::P99, Duration::from_millis(1));
        judge(&hops, &[limit]).remove(0).outcome
    };
    assert_eq!(at(1_000), Outcome::Pass);
    assert_eq!(at(1_001), Outcome::Fail);
}

/// A quarter of the limit: 1 ms of 4 ms.
#[test]
fn a_generator_is_late_beyond_a_quarter_of_the_limit() {
    let judged = |lag, wait| {
        let hops = hops((0..2_000).map(|_| (lag, wait)));
        let limit = LatencyLimit::new(Hop::EndToEnd, Percentile::P99, Duration::from_millis(4));
        let verdict = judge(&hops, &[limit]).remove(0);
        (verdict.outcome, verdict.untold)
    };
    let late = (Outcome::Inconclusive, Some(Untold::LateGenerator));
    assert_eq!(judged(1_000, 1_000), (Outcome::Pass, None));
    assert_eq!(judged(1_001, 1_000), late);
    // Without the lateness: 3 ms of waiting, 1 ms of work, and the end of the millisecond in which it was stored.
    assert_eq!(judged(2_000, 1_000), late);
    assert_eq!(judged(2_000, 5_000).0, Outcome::Fail);
}

#[test]
fn clocks_that_disagree_by_more_than_the_distance_to_the_limit_cannot_tell() {
    let good = || (0..2_000).map(|_| (0, 50_000));
    let offset = |micros: i64| hops(good().chain([(0, -micros)]));
    assert_eq!(
        verdict(&offset(10_000), Hop::QueueWait).outcome,
        Outcome::Pass
    );
    let apart = verdict(&offset(60_000), Hop::QueueWait);
    assert_eq!(apart.outcome, Outcome::Inconclusive);
    assert_eq!(apart.untold, Some(Untold::ClocksApart));
    assert!(apart.reason.contains("clocks disagree by 60.0 ms"));
}

#[test]
fn clocks_that_disagree_by_more_than_the_limit_cannot_tell_however_small_the_latency_looks() {
    let behind = hops((0..2_000).map(|_| (0, -9_000_000)));
    let verdict = verdict(&behind, Hop::QueueWait);
    assert_eq!(verdict.outcome, Outcome::Inconclusive);
    assert!(
        verdict.reason.contains("more than the limit"),
        "{}",
        verdict.reason
    );
}

#[test]
fn rows_that_could_not_be_measured_spoil_a_pass() {
    let mut hops = hops((0..2_000).map(|_| (0, 1_000)));
    hops.record(&StoredRow::default());
    let spoiled = verdict(&hops, Hop::EndToEnd);
    assert_eq!(spoiled.outcome, Outcome::Inconclusive);
    assert_eq!(spoiled.untold, Some(Untold::StampsMissing));
}

#[test]
fn a_limit_that_is_missed_while_storage_stood_still_is_not_told() {
    let judged = |hop, quick: i64, slow: i64| {
        let mut hops = Hops::under(Circumstances {
            clock_set_us: 0,
            disturbed: Some("storage kept requests waiting for 3.8s of 30s".to_owned()),
            ..Circumstances::default()
        });
        for n in 0..2_000 {
            let disturbed = n % 10 == 0;
            let stored = Some(Stamp::from_micros(if disturbed { slow } else { quick }));
            let ending = Ending {
                answered: stored,
                in_hand_us: None,
                disturbed,
            };
            let row = StoredRow {
                src_stamp: Some(Stamp::from_micros(0)),
                sent_stamp: Some(Stamp::from_micros(0)),
                ..StoredRow::default()
            };
            hops.record_ended(&row, ending);
            hops.add_sample(Hop::Send, Some(if disturbed { slow } else { quick }));
        }
        verdict(&hops, hop)
    };
    // Which message a send was of is not known: the slowest count as the disturbed ones.
    for hop in [Hop::EndToEnd, Hop::Send] {
        let disturbed = judged(hop, 1_000, 3_860_000);
        assert_eq!(disturbed.outcome, Outcome::Inconclusive, "{hop}");
        assert_eq!(disturbed.untold, Some(Untold::Disturbed), "{hop}");
        assert!(
            disturbed
                .reason
                .contains("storage kept requests waiting for 3.8s"),
            "{}",
            disturbed.reason
        );
        assert_eq!(judged(hop, 200_000, 3_860_000).outcome, Outcome::Fail);
        assert_eq!(judged(hop, 1_000, 2_000).outcome, Outcome::Pass);
    }
}

#[test]
fn a_clock_that_was_set_cannot_tell_of_latencies_below_its_step() {
    let mut hops = Hops::under(Circumstances {
        clock_set_us: 3_700_000_000,
        disturbed: None,
        ..Circumstances::default()
    });
    for n in 0..2_000 {
        let ending = Ending {
            answered: Some(Stamp::from_micros(if n % 2 == 0 {
                1_000
            } else {
                3_600_001_000
            })),
            in_hand_us: None,
            disturbed: false,
        };
        hops.record_ended(
            &StoredRow {
                src_stamp: Some(Stamp::from_micros(0)),
                ..StoredRow::default()
            },
            ending,
        );
    }
    let verdict = verdict(&hops, Hop::EndToEnd);
    assert_eq!(verdict.outcome, Outcome::Inconclusive, "{}", verdict.reason);
    assert!(
        verdict.reason.contains("clocks disagree by 3700 s"),
        "{}",
        verdict.reason
    );
}

/// The verdict on a limit on `hop`, if each row claims `claimed` of work and the wire has seen the message in hand for the time
/// that `in_hand` gives.
fn judged_in_hand(claimed: i64, in_hand: fn(i64) -> Option<i64>, hop: Hop) -> LatencyVerdict {
    let stamp = |micros| Some(Stamp::from_micros(micros));
    let mut hops = Hops::default();
    for n in 0..2_000 {
        let row = StoredRow {
            src_stamp: stamp(0),
            sent_stamp: stamp(0),
            dequeued_stamp: stamp(1_000),
            date_stamp: stamp(1_000 + claimed),
            ..StoredRow::default()
        };
        let ending = Ending {
            answered: stamp(3_000),
            in_hand_us: in_hand(n),
            disturbed: false,
        };
        hops.record_ended(&row, ending);
    }
    verdict(&hops, hop)
}

#[test]
fn a_limit_on_work_is_kept_only_where_the_wire_bears_the_rows_out() {
    let untold = |in_hand| {
        let verdict = judged_in_hand(1_000, in_hand, Hop::Work);
        assert_eq!(verdict.outcome, Outcome::Inconclusive, "{verdict:?}");
        assert_eq!(verdict.untold, Some(Untold::OwnWordAlone));
        verdict.reason
    };
    let long = untold(|_| Some(1_800_000));
    assert!(
        long.starts_with("only the rows say so: on the wire it is 1.80 s from the answer"),
        "{long}"
    );
    // Two in a hundred are enough to affect a limit at p99, one in a thousand is not.
    untold(|n| Some(if n % 50 == 0 { 1_800_000 } else { 2_000 }));
    let unknown = untold(|n| (n != 7).then_some(2_000));
    assert!(unknown.contains("of 1 of them"), "{unknown}");
    let half = untold(|n| (n % 2 == 0).then_some(2_000));
    assert!(half.contains("of 1000 of them"), "{half}");
    for in_hand in [
        |_| Some(2_000),
        |n| Some(if n % 1_000 == 0 { 1_800_000 } else { 2_000 }),
    ] {
        let kept = judged_in_hand(1_000, in_hand, Hop::Work);
        assert_eq!(kept.outcome, Outcome::Pass, "{kept:?}");
    }
    // A worker's claim against itself needs no confirmation, and other hops do not depend on the worker's stamps.
    let missed = judged_in_hand(200_000, |_| Some(2_000), Hop::Work);
    assert_eq!(missed.outcome, Outcome::Fail);
    let other = judged_in_hand(1_000, |_| Some(1_800_000), Hop::QueueWait);
    assert_eq!(other.outcome, Outcome::Pass);
}

/// A body without `{intended}` must not be reported as too few samples.
#[test]
fn a_limit_that_counts_from_a_plan_that_nothing_tells_says_what_to_add() {
    let mut hops = Hops::default();
    for micros in 0..2_000_i64 {
        let stamp = |offset: i64| Some(Stamp::from_micros(micros + offset));
        hops.record(&StoredRow {
            sent_stamp: stamp(0),
            dequeued_stamp: stamp(10),
            date_stamp: stamp(20),
            timestamp: stamp(20),
            ..StoredRow::default()
        });
    }
    for hop in [Hop::ScheduleLag, Hop::EndToEnd] {
        let verdict = verdict(&hops, hop);
        assert_eq!(verdict.outcome, Outcome::Inconclusive);
        assert!(
            verdict.reason.contains("add {intended} to message.body"),
            "{}",
            verdict.reason
        );
    }
    assert_eq!(verdict(&hops, Hop::EndToEndNaive).outcome, Outcome::Pass);
}

#[test]
fn limits_are_kept_together_or_each_that_is_not_is_told_and_the_worst_decides() {
    let hops = hops((0..2_000).map(|n| (0, 100 * n)));
    let judged = |limits: &[(Percentile, u64)]| {
        let limits = limits.iter().map(|(percentile, ms)| {
            LatencyLimit::new(Hop::QueueWait, *percentile, Duration::from_millis(*ms))
        });
        kept(&judge(&hops, &limits.collect::<Vec<_>>()))
    };
    assert_eq!(judged(&[(Percentile::P99, 250)]), Ok(()));
    assert_eq!(judged(&[]), Ok(()));
    let missed = judged(&[
        (Percentile::P99, 198),
        (Percentile::P50, 10),
        (Percentile::P50, 250),
    ]);
    let missed = missed.unwrap_err();
    assert_eq!(missed.outcome(), Outcome::Fail);
    let lines: Vec<_> = missed.reason().lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].starts_with("queue wait p99 at most 198 ms"),
        "{lines:?}"
    );
    let untold = judged(&[(Percentile::P99, 198)]).unwrap_err();
    assert_eq!(untold.outcome(), Outcome::Inconclusive);
}

#[test]
fn a_median_is_at_least_what_half_of_the_messages_took() {
    let hops = hops((0..2_001).map(|_| (0, 50_000)));
    let judged = |ms, hops: &Hops| median_at_least(hops, Hop::QueueWait, Duration::from_millis(ms));
    assert_eq!(judged(50, &hops), Ok(()));
    let less = judged(51, &hops).unwrap_err();
    assert_eq!(less, NotPassed::fail("the median of queue wait is 50.0 ms"));
    let none = judged(1, &Hops::default()).unwrap_err();
    assert_eq!(none.outcome(), Outcome::Inconclusive);
}

#[test]
fn a_median_is_not_told_by_some_of_the_rows() {
    let mut hops = hops((0..20).map(|_| (0, 50_000)));
    hops.record(&StoredRow {
        src_stamp: Some(Stamp::from_micros(0)),
        sent_stamp: Some(Stamp::from_micros(0)),
        ..StoredRow::default()
    });
    let judged =
        |ms| median_at_least(&hops, Hop::QueueWait, Duration::from_millis(ms)).unwrap_err();
    let untold = judged(50);
    assert_eq!(untold.outcome(), Outcome::Inconclusive);
    assert_eq!(untold.to_string(), "1 rows lack a stamp of queue wait");
    assert_eq!(judged(51).outcome(), Outcome::Fail);
}
