//! Tests of the check of rows' content, and of identifying rows by their content.

use contract::workload::{Format, Lens};
use contract::{Payloads, Seq, StoredRow};

use super::planted::{PAYLOADS, row};
use crate::audit::claims::Claims;
use crate::audit::content::{Content, Flaw, cut_us, messages_in, payloads_in};

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

/// The lens of a worker that keys its rows by run and id, with these additional columns.
fn described(columns: &str) -> Lens {
    let text = format!(
        "version: 1
name: further
message: {{ body: {{ id: '{{id}}', n: '{{seq}}', a: '{{payload}}', b: '{{payload2}}', c: '{{payload3}}' }} }}
row:
  columns:
    PartitionKey: '{{run}}'
    RowKey: '{{id}}'
    {columns}
worker: {{ command: worker, variables: {{ Q: '{{queue}}', T: '{{table}}', STORAGE: '{{connection-string}}' }} }}
"
    );
    let description = contract::workload::Description::read(&text).unwrap();
    Lens::new(description.into(), "r1".parse().unwrap())
}

#[test]
fn every_further_column_is_compared_and_only_one_that_may_be_absent_may() {
    let lens = described(
        "A: '{payload}'
    B: '{payload2}'
    Order: 'order {seq}'
    Note?: '{payload3}'",
    );
    let second = |n| PAYLOADS.further(2).payload(seq(n));
    let third = |n| PAYLOADS.further(3).payload(seq(n));
    let missing = |column: &str| Flaw::Missing(column.to_owned());
    let wrong = |column: &str, stored: &str, expected: &str| Flaw::Wrong {
        column: column.to_owned(),
        stored: evidence::quoted(stored),
        expected: evidence::quoted(expected),
    };
    let names: Vec<_> = lens.further().iter().map(|it| it.name.as_str()).collect();
    let flaws = |columns: &[(&str, String)]| {
        let further = names.iter().map(|name| {
            let found = columns.iter().find(|(column, _)| column == name);
            found.map(|(_, text)| text.clone())
        });
        let row = StoredRow {
            data: Some(PAYLOADS.payload(seq(7))),
            further: further.collect(),
            ..StoredRow::default()
        };
        Content::of(PAYLOADS, &lens).flaws(seq(7), &row)
    };
    let right = || vec![("B", second(7)), ("Order", "order 7".to_owned())];
    assert_eq!(flaws(&right()), []);
    let noted = |note| [right(), vec![("Note", note)]].concat();
    assert_eq!(flaws(&noted(third(7))), []);
    let note = wrong("Note", &third(8), &third(7));
    assert_eq!(flaws(&noted(third(8))), [note]);
    assert_eq!(flaws(&right()[1..]), [missing("B")]);
    assert_eq!(flaws(&right()[..1]), [missing("Order")]);
    let swapped = [("B", second(8)), ("Order", "order 8".to_owned())];
    let both = [
        wrong("B", &second(8), &second(7)),
        wrong("Order", "order 8", "order 7"),
    ];
    assert_eq!(flaws(&swapped), both);
}

#[test]
fn a_payload_within_texts_is_whole_only_where_all_of_them_are() {
    let lens = described("Text: 'no. {seq}: {payload}'\n    B: '{payload2}'");
    let text = |n: u64| format!("no. {n}: {}", PAYLOADS.payload(seq(n)));
    let second = |n| PAYLOADS.further(2).payload(seq(n));
    let found = |text: Option<String>, second: Option<String>| {
        let names = lens.further().iter().map(|it| it.name.as_str());
        let of = |name| if name == "B" { &second } else { &text };
        let row = StoredRow {
            further: names.map(|name| of(name).clone()).collect(),
            ..StoredRow::default()
        };
        let mut content = Content::of(PAYLOADS, &lens);
        content.seq_of(&row, true).map(Seq::get)
    };
    assert_eq!(found(Some(text(7)), Some(second(7))), Some(7));
    assert_eq!(found(Some(text(7)), Some(second(8))), None);
    assert_eq!(found(Some(text(7)), None), None);
    assert_eq!(
        found(Some("no. 7: of others".to_owned()), Some(second(7))),
        None
    );
}

#[test]
fn stamps_are_compared_where_both_are_cut_alike_or_not_at_all() {
    for (received, done, is_compared) in [
        ("{received:unix-s}", "{done:unix-s}", true),
        ("{received:unix-ms}", "{done:unix-ms}", true),
        ("{received:rfc3339}", "{done}", true),
        ("{received}", "{done:rfc3339}", true),
        ("{received:rfc3339}", "{done:unix-s}", false),
        ("{received:unix-s}", "{done:rfc3339}", false),
        ("{received:unix-s}", "{done:unix-ms}", false),
    ] {
        let lens = described(&format!("Got: '{received}'\n    Ended: '{done}'"));
        let good = row("r1", 7);
        let reversed = StoredRow {
            dequeued_stamp: good.date_stamp,
            date_stamp: good.src_stamp,
            further: vec![None; lens.further().len()],
            ..good
        };
        let flaw = Flaw::Reversed("Got".to_owned(), "Ended".to_owned());
        let flaws = Content::of(PAYLOADS, &lens).flaws(seq(7), &reversed);
        assert_eq!(flaws.contains(&flaw), is_compared, "{received}, {done}");
    }
}

#[test]
fn messages_are_counted_by_the_text_or_key_that_names_most() {
    let lens = described("Text: 'no. {seq}'");
    let id = |n| lens.id(seq(n));
    let of = |row_key: String, text: Option<String>| {
        messages_in(
            &lens,
            &StoredRow {
                row_key,
                further: vec![text],
                ..StoredRow::default()
            },
        )
    };
    let several = |numbers: &[u64]| numbers.iter().map(|n| id(*n) + " ").collect::<String>();
    assert_eq!(of("a".to_owned(), None), 0);
    assert_eq!(of(id(7), None), 1);
    assert_eq!(of(id(7), Some(several(&[7, 8, 9]))), 3);
    assert_eq!(of(several(&[7, 8]), Some(id(9))), 2);
    assert_eq!(of("a".to_owned(), Some(PAYLOADS.payload(seq(7)))), 1);
}

#[test]
fn what_a_row_says_of_its_delivery_may_be_absent_where_the_column_may_or_a_later_step_writes_it() {
    let is_optional = |columns: &str| {
        Claims::of(&described(columns))
            .attempt
            .map(|it| it.is_optional)
    };
    assert_eq!(is_optional("Try: '{attempt}'"), Some(false));
    assert_eq!(is_optional("Try?: '{attempt}'"), Some(true));
    assert_eq!(
        is_optional("Try: '{attempt}'\n  written: updated"),
        Some(true)
    );
    assert_eq!(is_optional("Other: 'text'"), None);
}

/// A value that cannot be read is reported for its own column, and for no other column that is absent.
#[test]
fn a_column_that_is_absent_is_not_one_that_cannot_be_read() {
    let stored = |unread: &str| StoredRow {
        data: None,
        unread: vec![(unread.to_owned(), "7".to_owned())],
        ..row("r1", 7)
    };
    let of = |row: &StoredRow| content().flaws(seq(7), row);
    let missing = Flaw::Missing("data".to_owned());
    assert_eq!(of(&stored("digest")), [missing]);
    let unread = of(&stored("data"));
    assert!(
        matches!(&unread[..], [Flaw::Unread(name, _)] if name == "data"),
        "{unread:?}"
    );
}
