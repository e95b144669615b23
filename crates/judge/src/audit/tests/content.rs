//! What is wrong with a row's content, and of which message it is by what it holds.

use contract::workload::{Format, Lens};
use contract::{Payloads, Seq, StoredRow};

use super::planted::{PAYLOADS, row};
use crate::audit::content::{Content, Flaw, cut_us, payloads_in};

fn content() -> Content {
    Content::of(PAYLOADS, &Lens::own("r1".parse().unwrap()))
}

fn seq(n: u64) -> Seq {
    Seq::new(n).unwrap()
}

#[test]
fn stamps_of_one_moment_are_in_order() {
    let one_moment = StoredRow {
        sent_stamp: row("r1", 7).src_stamp,
        date_stamp: row("r1", 7).dequeued_stamp,
        ..row("r1", 7)
    };
    assert_eq!(content().flaws(seq(7), &one_moment), []);
    let reversed = StoredRow {
        src_stamp: one_moment.dequeued_stamp,
        ..one_moment
    };
    let flaw = Flaw::Reversed("srcStamp".to_owned(), "sentStamp".to_owned());
    assert_eq!(content().flaws(seq(7), &reversed), [flaw]);
}

#[test]
fn the_first_byte_that_differs_is_named() {
    let sent = PAYLOADS.payload(seq(7));
    let flaw = |at, stored: &str| {
        vec![Flaw::WrongData {
            column: "data".to_owned(),
            at,
            stored: stored.len(),
            sent: sent.len(),
        }]
    };
    let longer = format!("{sent}!");
    let spaced = format!(" {sent}");
    for (at, stored) in [
        (20, &sent[..20]),
        (sent.len(), longer.as_str()),
        (1, spaced.as_str()),
    ] {
        let row = StoredRow {
            data: Some(stored.to_owned()),
            ..row("r1", 7)
        };
        assert_eq!(content().flaws(seq(7), &row), flaw(at, stored), "{stored}");
    }
}

#[test]
fn a_payload_that_is_not_whole_names_its_message_unless_it_must_be() {
    let payload = |n| PAYLOADS.payload(seq(n));
    let whole = payload(7);
    let mut cut = whole.clone();
    cut.pop();
    let two = whole.clone() + &payload(8);
    for (data, must_be_whole, may_be_cut) in [
        (Some(whole), Some(7), Some(7)),
        (Some(cut), None, Some(7)),
        (Some(two), None, None),
        (Some("of somebody else".to_owned()), None, None),
        (None, None, None),
    ] {
        let row = StoredRow {
            data,
            ..StoredRow::default()
        };
        let found = [true, false].map(|whole| content().seq_of(&row, whole).map(Seq::get));
        assert_eq!(found, [must_be_whole, may_be_cut], "{row:?}");
    }
}

#[test]
fn payloads_are_counted_in_the_column_that_has_most() {
    let two = PAYLOADS.payload(seq(7)) + &PAYLOADS.payload(seq(8));
    assert_eq!(Payloads::counts_in(&two), 2);
    let of = |data: Option<&String>, further: &[Option<&String>]| {
        payloads_in(&StoredRow {
            data: data.cloned(),
            further: further.iter().map(|text| text.cloned()).collect(),
            ..StoredRow::default()
        })
    };
    let one = PAYLOADS.payload(seq(9));
    assert_eq!(of(None, &[None]), 0);
    assert_eq!(of(Some(&one), &[Some(&one)]), 1);
    assert_eq!(of(Some(&one), &[None, Some(&two)]), 2);
    assert_eq!(of(Some(&two), &[]), 2);
}

#[test]
fn a_stamp_is_cut_by_what_its_format_does_not_hold() {
    for (format, micros) in [
        (Format::Plain, 0),
        (Format::Rfc3339, 0),
        (Format::UnixMs, 1_000),
        (Format::UnixS, 1_000_000),
    ] {
        assert_eq!(cut_us(format), micros, "{format:?}");
    }
}
