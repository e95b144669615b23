//! Summaries are whole, consistent and readable.

use super::*;
use crate::tally::Board;

fn seq(n: u64) -> Seq {
    Seq::new(n).unwrap()
}

/// Ten begun: 3 and 4 unknown, 7 failed.
fn summary() -> Summary {
    let plan = crate::plan::tests::plan("constant:10/s", Some(12));
    let board = Board::new();
    let mut tally = board.lock();
    for n in 1..=10 {
        tally.begin(Duration::from_micros(100 * n));
        let outcome = match n {
            3 | 4 => SendEnd::Unknown,
            7 => SendEnd::Failed,
            _ => SendEnd::Acknowledged,
        };
        if outcome == SendEnd::Acknowledged {
            let src = Stamp::from_micros(1_000 * i64::try_from(n).unwrap());
            let took = Duration::from_micros(10);
            tally.acknowledge(seq(n), took, src, src.plus(took));
        }
        tally.settle(seq(n), outcome);
    }
    tally.error("busy");
    let mut summary = Summary::new(&plan, Some("aws2azmsgs".to_owned()), Some(12), &tally);
    summary.time(Stamp::from_micros(1_000_000), Duration::from_secs(2));
    summary
}

#[test]
fn every_message_up_to_begun_has_one_outcome() {
    let summary = summary();
    summary.check().unwrap();
    let outcomes: Vec<_> = (1..=12).map(|n| summary.outcome(seq(n))).collect();
    let count = |outcome| outcomes.iter().filter(|o| **o == outcome).count();
    assert_eq!(count(Some(SendEnd::Acknowledged)), 7);
    assert_eq!(outcomes[2..4], [Some(SendEnd::Unknown); 2]);
    assert_eq!(outcomes[6], Some(SendEnd::Failed));
    assert_eq!(outcomes[10..], [None; 2]);
}

#[test]
fn json_round_trips_with_its_histograms() {
    let summary = summary();
    let json = serde_json::to_string(&summary).unwrap();
    let read: Summary = serde_json::from_str(&json).unwrap();
    assert_eq!(read, summary);
    let lateness = read.lateness_us.histogram().unwrap();
    assert_eq!((lateness.len(), lateness.max()), (10, 1_000));
    assert_eq!(read.send_us.histogram().unwrap().len(), 7);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["exceptions"]["unknown"], serde_json::json!([[3, 4]]));
    assert_eq!(json["exceptions"]["failed"], serde_json::json!([[7, 7]]));
    assert_eq!(json["rate_per_s"], 3.5);
    assert_eq!(json["ended"], "1970-01-01 00:00:03.000000");
}

#[test]
fn a_summary_of_a_producer_without_stamp_sums_is_read() {
    let mut json = serde_json::to_value(summary()).unwrap();
    let sums = json.as_object_mut().unwrap().remove("stamp_sums");
    assert!(sums.is_some_and(|sums| sums.is_string()));
    let read: Summary = serde_json::from_value(json).unwrap();
    read.check().unwrap();
    assert_eq!(read.stamp_sums, None);
}

#[test]
fn contradictions_are_found() {
    let broken = |change: fn(&mut Summary)| {
        let mut summary = summary();
        change(&mut summary);
        summary.check().unwrap_err().to_string()
    };
    assert!(broken(|s| s.version = 2).contains("version"));
    assert!(broken(|s| s.acknowledged += 1).contains("add up"));
    assert!(broken(|s| s.exceptions.failed.insert(seq(8))).contains("as many"));
    let beyond = broken(|s| {
        s.exceptions.failed.insert(seq(11));
        s.failed += 1;
        s.begun += 1;
        s.begun -= 1;
        s.acknowledged -= 1;
    });
    assert!(beyond.contains("never begun"), "{beyond}");
    let beyond = broken(|s| {
        let sums = s.stamp_sums.get_or_insert_default();
        sums.add(seq(1_001), Stamp::default(), Stamp::default());
    });
    assert!(beyond.contains("stamp sum"), "{beyond}");
}

#[test]
fn a_damaged_histogram_is_an_error() {
    let mut times = summary().lateness_us;
    times.hdr_base64 = "%".to_owned();
    assert!(matches!(
        times.histogram(),
        Err(SummaryError::Histogram(HistogramError::Base64(_)))
    ));
    times.hdr_base64 = "AAAA".to_owned();
    assert!(matches!(
        times.histogram(),
        Err(SummaryError::Histogram(HistogramError::Format(_)))
    ));
}

#[test]
fn people_see_counts_exceptions_and_the_null_sink() {
    let mut summary = summary();
    let text = summary.to_string();
    for expected in [
        "10 of 12 planned",
        "unknown       2: messages 3-4",
        "failed        1: messages 7",
        "busy 1",
    ] {
        assert!(text.contains(expected), "{expected:?} in:\n{text}");
    }
    summary.queue = None;
    summary.interrupted = true;
    let text = summary.to_string();
    assert!(
        text.contains("NULL SINK") && text.contains("INTERRUPTED"),
        "{text}"
    );
}
