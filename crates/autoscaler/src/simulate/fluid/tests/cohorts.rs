//! Tests of service with known working times.

use super::*;

/// One replica of four slots, and one message each second for 4 s, of 100 s each.
fn begun() -> Cohorts {
    let mut cohorts = Cohorts::fixed(100.0, 4.0);
    cohorts.start(1);
    let mut waiting = 0.0;
    cohorts.serve(0.0, 4.0, 1.0, &mut waiting);
    cohorts
}

/// Messages that began within two seconds end within two seconds, from 100 s and from 102 s on: of the first two, one ends by
/// 101 s.
#[test]
fn a_grace_that_ends_within_a_batch_lasts_for_a_part_of_it() {
    let cut = begun().end(1, 4.0, 97.0);
    assert!((cut.messages - 4.0).abs() < 1e-9, "{cut:?}");
    assert!((cut.lost - 3.0).abs() < 1e-9, "{cut:?}");
    let finishing = cut.finishing.iter().filter(|(_, messages)| *messages > 0.0);
    let finishing: Vec<_> = finishing.collect();
    assert_eq!(finishing, [&(100.5, 1.0)]);
}

/// Two replicas with eight messages, and a newer one with four: the newer one ends first, then one of the older.
#[test]
fn what_is_left_after_an_end_is_whole() {
    let mut cohorts = Cohorts::fixed(100.0, 4.0);
    let mut waiting = 12.0;
    for (replicas, from, until) in [(2, 0.0, 10.0), (1, 10.0, 20.0)] {
        cohorts.start(replicas);
        cohorts.serve(from, until, 0.0, &mut waiting);
    }
    for (ending, messages, left) in [(2, 8.0, 4.0), (1, 4.0, 0.0)] {
        let cut = cohorts.end(ending, 20.0, 0.0);
        assert!((cut.messages - messages).abs() < 1e-9, "{cut:?}");
        assert!((cut.lost - messages).abs() < 1e-9, "{cut:?}");
        assert!((cut.replicas - f64::from(ending)).abs() < 1e-9, "{cut:?}");
        assert!((cohorts.busy - left).abs() < 1e-9, "{}", cohorts.busy);
    }
}

#[test]
fn the_first_of_equal_peaks_is_told_with_what_waits() {
    let mut cohorts = Cohorts::fixed(100.0, 4.0);
    cohorts.start(1);
    let mut waiting = 7.0;
    cohorts.serve(0.0, 10.0, 0.0, &mut waiting);
    assert_eq!((waiting, cohorts.busy), (3.0, 4.0));
    let served = cohorts.serve(10.0, 20.0, 0.0, &mut waiting);
    assert_eq!(served.peak, (10.0, 7.0));
}

#[test]
fn half_a_message_is_not_none() {
    for until in [4.0, 8.0] {
        let mut cohorts = Cohorts::fixed(100.0, 4.0);
        let served = cohorts.serve(4.0, until, 0.0, &mut 0.5);
        assert_eq!(served.empty_since, None, "until {until} s");
    }
}

/// Two slots and five messages each second: the slots are taken after 0.4 s, and further messages wait.
#[test]
fn free_slots_are_filled_as_fast_as_messages_come() {
    let mut cohorts = Cohorts::fixed(100.0, 2.0);
    cohorts.start(1);
    let mut waiting = 0.0;
    cohorts.serve(0.0, 4.0, 5.0, &mut waiting);
    assert_eq!(cohorts.taken, [(0.0, 0.4, 2.0)]);
    assert!((waiting - 18.0).abs() < 1e-9, "{waiting}");
}
