//! Tests of rows' claims about their delivery: true, possible and false ones.

mod early;
mod in_hand;
mod nodes;

use super::*;
use crate::audit::sample_crossing;
use contract::workload::Lens;
use evidence::{Keys, Operation, RowChange};

const SECOND: i64 = 1_000_000;

fn crossing(client: &str, operation: Operation, began_s: i64) -> Crossing {
    let at = Stamp::from_micros(began_s * SECOND);
    Crossing {
        client: client.to_owned(),
        began: at,
        ended: at,
        ..sample_crossing(operation)
    }
}

/// Deliveries of message 7: to consumer-1 at 10 s, to consumer-2 at 40 s.
fn deliveries() -> (Deliveries, Seq) {
    let (mut deliveries, seq) = (Deliveries::default(), Seq::new(7).unwrap());
    for (client, attempt, at) in [("consumer-1", 1, 10), ("consumer-2", 2, 40)] {
        let message = Handled {
            attempt: Some(attempt),
            ..Handled::default()
        };
        let receive = crossing(client, Operation::ReceiveMessages, at);
        deliveries.add(seq, &receive, &message);
    }
    (deliveries, seq)
}

fn claimed(consumer: &str, attempt: u32, dequeued_s: i64, date_s: i64) -> Claimed {
    Claimed {
        dequeued: Some(Stamp::from_micros(dequeued_s * SECOND)),
        date: Some(Stamp::from_micros(date_s * SECOND)),
        attempt: Some(attempt),
        consumer: Some(consumer.to_owned()),
        ..Claimed::default()
    }
}

fn claims() -> Claims {
    Claims::of(&Lens::own("r1".parse().unwrap()))
}

fn compare(deliveries: &Deliveries, seq: Seq, crossing: &Crossing, row: &Claimed) -> Compared {
    let (clocks, activity) = (Clocks::default(), Activity::default());
    claims().compare(deliveries, seq, (crossing, row), (&clocks, &activity, None))
}

#[test]
fn what_was_so_is_not_contradicted_though_the_message_has_gone_on_to_another() {
    let (deliveries, seq) = deliveries();
    let at_50 = |client| crossing(client, Operation::InsertEntity, 50);
    for (client, attempt, dequeued) in [("consumer-1", 1, 10), ("consumer-2", 2, 41)] {
        let row = claimed(client, attempt, dequeued, 50);
        assert_eq!(
            compare(&deliveries, seq, &at_50(client), &row),
            Compared::Fine
        );
    }
    // Nothing is concluded about a message that the wire has not seen handed over.
    let unseen = claimed("consumer-1", 9, 0, 0);
    let other = Seq::new(8).unwrap();
    assert_eq!(
        compare(&deliveries, other, &at_50("consumer-1"), &unseen),
        Compared::Fine
    );
}

#[test]
fn what_was_not_so_is_named() {
    let (deliveries, seq) = deliveries();
    let insert = crossing("consumer-2", Operation::InsertEntity, 50);
    let of = |change: fn(&mut Claimed)| {
        let mut row = claimed("consumer-2", 2, 41, 50);
        change(&mut row);
        row
    };
    let off = |micros| Some(Stamp::from_micros(40 * SECOND + micros));
    let early = Claimed {
        dequeued: off(-CLOCK_US - 1),
        ..of(|_| {})
    };
    for (row, text) in [
        (
            of(|row| row.consumer = Some("consumer-1".into())),
            "`consumer` is \"consumer-1\"",
        ),
        (
            of(|row| row.attempt = Some(1)),
            "`attempt` is 1, and consumer-2 got the message as delivery 2",
        ),
        (early, "before consumer-2 had the message"),
        (
            claimed("consumer-2", 2, 36_041, 36_050),
            "`dequeuedStamp` is 1970-01-01 10:00:41",
        ),
        (claimed("consumer-2", 2, 41, 51), "`dateStamp` is"),
        // An unreadable value is not the true one.
        (
            of(|row| row.consumer = None),
            "`consumer` is absent, or cannot be read",
        ),
        (
            of(|row| row.attempt = None),
            "`attempt` is absent, or cannot be read",
        ),
        (
            of(|row| row.dequeued = None),
            "`dequeuedStamp` is absent, or cannot be read",
        ),
        (
            of(|row| row.date = None),
            "`dateStamp` is absent, or cannot be read",
        ),
    ] {
        let found = compare(&deliveries, seq, &insert, &row);
        assert!(
            matches!(&found, Compared::False(why) if why.contains(text)),
            "{found:?}"
        );
    }
    let within = Claimed {
        dequeued: off(-CLOCK_US),
        ..of(|_| {})
    };
    assert_eq!(compare(&deliveries, seq, &insert, &within), Compared::Fine);
}

#[test]
fn a_wall_clock_that_was_set_explains_what_it_can() {
    let (deliveries, seq) = deliveries();
    let insert = crossing("consumer-2", Operation::InsertEntity, 50);
    for (set_s, dequeued, date, found) in [
        // The wall clock was set back by an hour, after the message had come or before: one stamp or both are affected.
        (-3600, 40 - 3600, 50 - 3600, true),
        (-3600, 41, 50 - 3600, true),
        (3600, 41, 50 + 3600, true),
        (3600, 41, 50, true),
        // A larger error than the change of the clock.
        (-10, 40 - 3600, 50, false),
        (10, 41, 50 + 3600, false),
    ] {
        let mut clocks = Clocks::default();
        clocks.crossing(&Crossing {
            clock_us: set_s * SECOND,
            ..crossing("consumer-1", Operation::ReceiveMessages, 45)
        });
        let row = claimed("consumer-2", 2, dequeued, date);
        let told = (&clocks, &Activity::default(), None);
        let compared = claims().compare(&deliveries, seq, (&insert, &row), told);
        assert_eq!(compared == Compared::Untold, found, "{set_s}: {compared:?}");
        assert!(
            found || matches!(compared, Compared::False(_)),
            "{compared:?}"
        );
    }
}

#[test]
fn stamps_may_be_off_by_as_much_as_one_clock_is_and_no_more() {
    let (deliveries, seq) = deliveries();
    let insert = crossing("consumer-2", Operation::InsertEntity, 50);
    let done = |micros: i64| Claimed {
        date: Some(Stamp::from_micros(50 * SECOND + micros)),
        ..claimed("consumer-2", 2, 41, 50)
    };
    let at_most = compare(&deliveries, seq, &insert, &done(CLOCK_US));
    assert_eq!(at_most, Compared::Fine);
    let more = compare(&deliveries, seq, &insert, &done(CLOCK_US + 1));
    assert!(
        matches!(&more, Compared::False(why) if why.contains("after consumer-2 had sent the row")),
        "{more:?}"
    );
}

#[test]
fn a_wall_clock_that_moved_by_more_than_a_stamp_may_be_off_was_set() {
    let (deliveries, seq) = deliveries();
    let insert = crossing("consumer-2", Operation::InsertEntity, 50);
    let row = claimed("consumer-2", 2, 41, 50);
    for (changes, found) in [
        (&[CLOCK_US][..], Compared::Fine),
        (&[CLOCK_US + 1], Compared::Untold),
        (&[-CLOCK_US - 1], Compared::Untold),
        (&[3_000, -3_000], Compared::Untold),
    ] {
        let mut clocks = Clocks::default();
        for (at, ahead) in (45..).zip(changes) {
            clocks.crossing(&Crossing {
                clock_us: *ahead,
                ..crossing("consumer-1", Operation::ReceiveMessages, at)
            });
        }
        let told = (&clocks, &Activity::default(), None);
        let compared = claims().compare(&deliveries, seq, (&insert, &row), told);
        assert_eq!(compared, found, "{changes:?}");
    }
}

fn change() -> RowChange {
    RowChange {
        operation: Operation::InsertEntity,
        keys: Keys {
            partition: "p".to_owned(),
            row: "r1-7".to_owned(),
        },
        part: None,
        digest: None,
        delivery: None,
        print: None,
        id: None,
        holds: None,
        lacking: vec![],
    }
}

#[test]
fn a_deleted_message_is_forgotten_and_its_twin_is_not() {
    let (mut deliveries, seq) = (Deliveries::default(), Seq::new(7).unwrap());
    for (queue_id, at) in [("a", 10), ("b", 20), ("a", 30)] {
        let message = Handled {
            queue_id: queue_id.to_owned(),
            attempt: Some(1),
            ..Handled::default()
        };
        let receive = crossing("consumer-1", Operation::ReceiveMessages, at);
        deliveries.add(seq, &receive, &message);
    }
    let last = |deliveries: &Deliveries, client: &str, at| {
        let insert = crossing(client, Operation::InsertEntity, at);
        let stamp = deliveries.last_before(seq, &insert);
        stamp.map(|stamp| stamp.as_micros() / SECOND)
    };
    assert_eq!(last(&deliveries, "consumer-1", 9), None);
    assert_eq!(last(&deliveries, "consumer-1", 10), Some(10));
    assert_eq!(last(&deliveries, "consumer-1", 29), Some(20));
    assert_eq!(last(&deliveries, "consumer-1", 50), Some(30));
    assert_eq!(last(&deliveries, "consumer-2", 50), None);
    deliveries.forget(seq, "a");
    assert_eq!(last(&deliveries, "consumer-1", 50), Some(20));
    deliveries.forget(seq, "b");
    assert_eq!(last(&deliveries, "consumer-1", 50), None);
    assert!(deliveries.0.is_empty());
}

#[test]
fn clocks_apart_have_the_slack_of_one_clock_and_of_what_a_format_cuts_off() {
    let (deliveries, seq) = deliveries();
    let insert = crossing("consumer-2", Operation::InsertEntity, 50);
    for (cut_us, early_us, fine) in [
        (0, CLOCK_US, true),
        (0, CLOCK_US + 1, false),
        (1_000, CLOCK_US + 1_000, true),
        (1_000, CLOCK_US + 1_001, false),
    ] {
        let claims = Claims {
            received_cut_us: cut_us,
            ..claims()
        };
        let row = Claimed {
            dequeued: Some(Stamp::from_micros(40 * SECOND - early_us)),
            ..claimed("consumer-2", 2, 40, 50)
        };
        let mut skews = Skews::default();
        let told = (&Clocks::default(), &Activity::default(), Some(&mut skews));
        let found = claims.compare(&deliveries, seq, (&insert, &row), told);
        assert_eq!(
            found == Compared::Fine,
            fine,
            "{cut_us} {early_us}: {found:?}"
        );
        assert!(
            fine || matches!(&found, Compared::False(why) if why.contains("of the clock of consumer-2")),
            "{found:?}"
        );
    }
}

#[test]
fn a_stamp_that_its_format_cuts_off_may_be_earlier_by_that_much() {
    let (deliveries, seq) = deliveries();
    let insert = crossing("consumer-2", Operation::InsertEntity, 50);
    let claims = Claims {
        received_cut_us: 1_000,
        ..claims()
    };
    for (early_us, fine) in [(CLOCK_US + 1_000, true), (CLOCK_US + 1_001, false)] {
        let row = Claimed {
            dequeued: Some(Stamp::from_micros(40 * SECOND - early_us)),
            ..claimed("consumer-2", 2, 40, 50)
        };
        let told = (&Clocks::default(), &Activity::default(), None);
        let found = claims.compare(&deliveries, seq, (&insert, &row), told);
        assert_eq!(found == Compared::Fine, fine, "{early_us}: {found:?}");
    }
}

/// A row that does not name its attempt may belong to any delivery to its client: one of them is enough.
#[test]
fn a_row_without_its_attempt_is_true_if_it_is_so_of_any_delivery_to_its_client() {
    let (mut deliveries, seq) = deliveries();
    let again = Handled {
        attempt: Some(3),
        ..Handled::default()
    };
    let receive = crossing("consumer-1", Operation::ReceiveMessages, 45);
    deliveries.add(seq, &receive, &again);
    let insert = crossing("consumer-1", Operation::InsertEntity, 50);
    let claims = |is_optional| Claims {
        attempt: Some(Column {
            name: "attempt".to_owned(),
            is_optional,
        }),
        ..claims()
    };
    let found = |claims: &Claims, dequeued_s| {
        let row = Claimed {
            attempt: None,
            ..claimed("consumer-1", 1, dequeued_s, 50)
        };
        let told = (&Clocks::default(), &Activity::default(), None);
        claims.compare(&deliveries, seq, (&insert, &row), told)
    };
    // Of the first delivery, of both, and of none.
    assert_eq!(found(&claims(true), 10), Compared::Fine);
    assert_eq!(found(&claims(true), 45), Compared::Fine);
    let early = found(&claims(true), 9);
    assert!(
        matches!(&early, Compared::False(why) if why.contains("before consumer-1")),
        "{early:?}"
    );
    // A column that has to be there is missed.
    let absent = found(&claims(false), 10);
    assert!(
        matches!(&absent, Compared::False(why) if why.contains("is absent")),
        "{absent:?}"
    );
}
