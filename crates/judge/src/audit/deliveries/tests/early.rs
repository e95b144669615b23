//! Tests of rows that are stamped long before they are sent.

use super::*;

#[test]
fn a_row_that_is_stamped_long_before_it_is_sent_was_not_done_then() {
    let (mut deliveries, seq) = deliveries();
    let insert = crossing("consumer-2", Operation::InsertEntity, 50);
    let row = claimed("consumer-2", 2, 41, 42);
    let polling = |from: i64, to: i64, operation| {
        let mut activity = Activity::default();
        for at in from..to {
            let mut poll = crossing("consumer-2", operation, at);
            poll.ended = Stamp::from_micros((at + 1) * SECOND);
            activity.crossing(&poll, false);
        }
        activity
    };
    let compared = |deliveries: &Deliveries, activity| {
        let told = (&Clocks::default(), &activity, None);
        claims().compare(deliveries, seq, (&insert, &row), told)
    };
    let receives = || polling(40, 50, Operation::ReceiveMessages);
    let found = compared(&deliveries, receives());
    assert!(
        matches!(&found, Compared::Early { detail, .. } if detail.contains("long before")),
        "{found:?}"
    );
    // A write that went before it, or a silence in which the process may have been stopped, explains the delay.
    let writes = polling(40, 50, Operation::InsertEntity);
    assert_eq!(compared(&deliveries, writes), Compared::Fine);
    let silent = polling(40, 42, Operation::ReceiveMessages);
    assert_eq!(compared(&deliveries, silent), Compared::Fine);
    // An earlier try without a useful answer explains it too.
    let tried = |answer, part| {
        let mut deliveries = deliveries.clone();
        let tried = Crossing {
            answer,
            failed_part: part,
            ..crossing("consumer-2", Operation::Transaction, 42)
        };
        deliveries.tried(seq, &tried, part.map(|_| 1));
        compared(&deliveries, receives())
    };
    let answered = |status| evidence::Answer::Status(status, None);
    for explains in [401, 403, 404, 408, 409, 429, 503] {
        assert_eq!(
            tried(answered(explains), None),
            Compared::Fine,
            "{explains}"
        );
    }
    assert_eq!(tried(evidence::Answer::NotAsked, None), Compared::Fine);
    assert_eq!(tried(answered(409), Some(1)), Compared::Fine);
    // One that nobody would have repeated explains nothing, nor does one that another part of the transaction has spoilt.
    for (status, part) in [
        (400, None),
        (405, None),
        (412, None),
        (413, None),
        (415, None),
        (501, None),
        (409, Some(0)),
        (404, Some(0)),
    ] {
        let found = tried(answered(status), part);
        assert!(
            matches!(found, Compared::Early { .. }),
            "{status}: {found:?}"
        );
    }
    deliveries.tried(
        seq,
        &crossing("consumer-2", Operation::InsertEntity, 42),
        None,
    );
    assert_eq!(compared(&deliveries, receives()), Compared::Fine);
}

#[test]
fn a_row_may_be_ready_for_two_seconds_and_one_of_a_transaction_until_the_last_is() {
    let (deliveries, seq) = deliveries();
    let insert = crossing("consumer-2", Operation::InsertEntity, 50);
    let mut activity = Activity::default();
    for at in 40..50 {
        let mut poll = crossing("consumer-2", Operation::ReceiveMessages, at);
        poll.ended = Stamp::from_micros((at + 1) * SECOND);
        activity.crossing(&poll, false);
    }
    // Three seconds early, of which the process may have been paused for one.
    let done = |early_us: i64| Claimed {
        date: Some(Stamp::from_micros(47 * SECOND - early_us)),
        ..claimed("consumer-2", 2, 41, 47)
    };
    let compared = |insert: &Crossing, row: &Claimed| {
        let told = (&Clocks::default(), &activity, None);
        claims().compare(&deliveries, seq, (insert, row), told)
    };
    assert_eq!(compared(&insert, &done(0)), Compared::Fine);
    let early = compared(&insert, &done(1));
    assert!(
        matches!(&early, Compared::Early { detail, .. } if detail.contains("long before")),
        "{early:?}"
    );
    // Rows of a transaction wait for the last of them. Alone in a transaction, a row has nothing to wait for.
    let row = |operation, row: Claimed| RowChange {
        operation,
        delivery: Some(row),
        ..change()
    };
    let other = |operation, done_s| row(operation, claimed("consumer-2", 2, 41, done_s));
    for (others, is_early) in [
        (vec![], true),
        (vec![other(Operation::InsertEntity, 49)], false),
        (vec![other(Operation::InsertEntity, 47)], false),
        (vec![other(Operation::InsertEntity, 46)], true),
        (
            [44, 48].map(|at| other(Operation::InsertEntity, at)).into(),
            false,
        ),
        // A row that is only read or deleted takes no work.
        (vec![other(Operation::GetEntity, 49)], true),
        (vec![other(Operation::DeleteEntity, 49)], true),
    ] {
        let batch = Crossing {
            operation: Operation::Transaction,
            rows: [vec![row(Operation::InsertEntity, done(1))], others].concat(),
            ..insert.clone()
        };
        let found = compared(&batch, &done(1));
        let as_expected = if is_early {
            matches!(found, Compared::Early { .. })
        } else {
            found == Compared::Fine
        };
        assert!(as_expected, "{:?}: {found:?}", batch.rows);
    }
}
