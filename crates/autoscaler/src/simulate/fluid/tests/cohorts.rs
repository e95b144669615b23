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
