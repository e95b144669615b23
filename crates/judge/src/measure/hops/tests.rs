//! Tests of each hop's samples.

use super::*;
use crate::measure::Circumstances;

/// A row that was stored 5 ms after it was sent.
fn row(src: i64, sent: i64, dequeued: i64, date: i64) -> StoredRow {
    StoredRow {
        src_stamp: Some(Stamp::from_micros(src)),
        sent_stamp: Some(Stamp::from_micros(sent)),
        dequeued_stamp: Some(Stamp::from_micros(dequeued)),
        date_stamp: Some(Stamp::from_micros(date)),
        timestamp: Some(Stamp::from_micros(date + 5_000)),
        attempt: Some(1),
        ..StoredRow::default()
    }
}

#[test]
fn each_hop_is_the_difference_of_its_two_stamps() {
    let mut hops = Hops::default();
    hops.record(&row(1_000, 1_001, 1_011, 1_111));
    let found = Hop::ALL.map(|hop| hops.samples(hop).max());
    assert_eq!(
        found,
        [
            Some(1),
            None,
            Some(10),
            Some(100),
            Some(5_003),
            // Stored at 6,111, of which the service reports the millisecond.
            Some(5_999),
            Some(5_999)
        ]
    );
    assert_eq!(hops.span_micros(), Some(5_998));
}

#[test]
fn a_stalled_generator_shows_in_the_corrected_figure_only() {
    let mut hops = Hops::default();
    hops.record(&row(0, 500_000, 500_100, 500_200));
    let (naive, true_one) = (
        hops.samples(Hop::EndToEndNaive),
        hops.samples(Hop::EndToEnd),
    );
    assert!(naive.max() < Some(6_000), "{:?}", naive.max());
    assert!(true_one.max() >= Some(505_000), "{:?}", true_one.max());
}

#[test]
fn a_missing_stamp_is_counted_where_it_is_needed() {
    let mut hops = Hops::default();
    hops.record(&StoredRow {
        dequeued_stamp: None,
        ..row(1, 2, 3, 4)
    });
    let missing = Hop::ALL.map(|hop| hops.samples(hop).missing());
    assert_eq!(missing, [0, 0, 1, 1, 0, 0, 0]);
}

#[test]
fn the_store_is_in_whole_milliseconds_and_its_rounding_is_no_clock_that_disagrees() {
    let stored = |micros| StoredRow {
        timestamp: Some(Stamp::from_micros(micros)),
        ..row(1_000, 1_000, 1_000, 7_900)
    };
    let mut hops = Hops::default();
    hops.record(&stored(7_000));
    hops.record(&stored(8_000));
    let samples = hops.samples(Hop::Store);
    assert_eq!((samples.count(), samples.negative()), (2, 0));
    hops.record(&stored(6_999));
    assert_eq!(hops.clock_offset_micros(Hop::Store), 1_000);
    assert_eq!(hops.clock_offset_micros(Hop::EndToEnd), 0);
}

#[test]
fn clocks_that_disagree_are_told() {
    let mut hops = Hops::default();
    hops.record(&row(1_000, 1_000, 400, 500));
    // Queue wait and end to end compare the same two clocks.
    assert_eq!(hops.clock_offset_micros(Hop::EndToEnd), 600);
    assert_eq!(hops.clock_offset_micros(Hop::Work), 0);
    assert_eq!(hops.samples(Hop::QueueWait).negative(), 1);
}

#[test]
fn hops_are_named_with_hyphens_or_spaces() {
    for hop in Hop::ALL {
        assert_eq!(hop.as_str().parse(), Ok(hop));
        assert_eq!(hop.title().parse(), Ok(hop));
    }
    assert!("teleport".parse::<Hop>().is_err());
}

#[test]
fn what_a_worker_says_of_its_end_ends_no_latency() {
    // Received at 1 ms, worked on for 100 ms, and stamped when it was received.
    let early = StoredRow {
        timestamp: Some(Stamp::from_micros(101_700)),
        ..row(0, 0, 1_000, 1_000)
    };
    let end_to_end = |ending| {
        let mut hops = Hops::default();
        hops.record_ended(&early, ending);
        hops.samples(Hop::EndToEnd).max().unwrap()
    };
    let by_the_table = end_to_end(Ending::default());
    assert!((101_999..102_100).contains(&by_the_table), "{by_the_table}");
    let by_the_wire = end_to_end(Ending {
        answered: Some(Stamp::from_micros(101_250)),
        in_hand_us: None,
        disturbed: false,
    });
    assert!((101_250..101_400).contains(&by_the_wire), "{by_the_wire}");
    // So does the store: from the end of the work until storage's answer, not until what the table says.
    let mut hops = Hops::default();
    let answered = Some(Stamp::from_micros(1_750));
    hops.record_ended(
        &early,
        Ending {
            answered,
            ..Ending::default()
        },
    );
    assert_eq!(hops.samples(Hop::Store).max(), Some(750));
    // Without wire and `Timestamp`, the end is unknown.
    let mut unseen = Hops::default();
    unseen.record(&StoredRow {
        timestamp: None,
        ..early
    });
    let samples = unseen.samples(Hop::EndToEnd);
    assert_eq!((samples.count(), samples.missing()), (0, 1));
}

#[test]
fn rows_of_undisturbed_times_are_kept_apart_where_there_were_others() {
    let mut calm = Hops::default();
    calm.record(&row(0, 0, 1, 2));
    assert_eq!(calm.undisturbed(), None);
    let mut hops = Hops::under(Circumstances {
        clock_set_us: 0,
        disturbed: Some("storage slept".to_owned()),
        ..Circumstances::default()
    });
    for disturbed in [false, true, true] {
        let ending = Ending {
            disturbed,
            ..Ending::default()
        };
        hops.record_ended(&row(0, 0, 1, 2), ending);
    }
    let (undisturbed, why) = hops.undisturbed().unwrap();
    assert_eq!(
        (hops.rows(), undisturbed.rows(), why),
        (3, 1, "storage slept")
    );
    let again: Hops = serde_json::from_str(&serde_json::to_string(&hops).unwrap()).unwrap();
    assert_eq!(again, hops);
}
