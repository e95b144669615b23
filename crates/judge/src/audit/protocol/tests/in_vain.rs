//! Tests of inserts of rows that are stored already: a worker could send them all the time, so that its other rows would seem to
//! wait for them.

use super::*;

const SECOND: i64 = 1_000_000;

fn at(seconds: i64) -> Stamp {
    Stamp::from_micros(seconds * SECOND)
}

fn insert(told: &mut Told, seq: u64, (from, to): (i64, i64), fill: impl Fn(&mut Crossing)) {
    told.step(InsertEntity, 201, |crossing| {
        (crossing.began, crossing.ended) = (at(from), at(to));
        crossing.rows.push(RowChange {
            part: None,
            delivery: Some(evidence::Claimed {
                dequeued: Some(at(10)),
                date: Some(at(10)),
                attempt: Some(1),
                consumer: Some("consumer-1".to_owned()),
                node: None,
            }),
            ..row_of(seq, 0)
        });
        fill(crossing);
    });
}

/// How long message 7 is in hand, in seconds, and whether its row is found to be stamped too early. The row of message 6 is inserted
/// as `first` says. Message 7 is received at 10 s, its row claims to be done then, and is sent at 20 s. Meanwhile the worker inserts
/// the row of message 6 ten times, as `again` says.
fn in_hand(first: impl Fn(&mut Crossing), again: impl Fn(&mut Crossing)) -> (i64, bool) {
    let mut told = Told::new();
    insert(&mut told, 6, (5, 6), first);
    told.step(Operation::ReceiveMessages, 200, |crossing| {
        (crossing.began, crossing.ended) = (at(9), at(10));
        crossing.messages.push(Handled {
            queue_id: "m7".to_owned(),
            id: Some("r1-7".to_owned()),
            attempt: Some(1),
            ..Handled::default()
        });
    });
    for second in 10..20 {
        insert(&mut told, 6, (second, second + 1), |crossing| {
            let code = Some("EntityAlreadyExists".to_owned());
            crossing.answer = Answer::Status(409, code);
            again(crossing);
        });
    }
    insert(&mut told, 7, (20, 21), |_| {});
    let seq = Seq::new(7).unwrap();
    let micros = told.protocol.inserts.in_hand_us(seq).unwrap();
    let found = told.protocol.finish().findings;
    let mut early = found
        .iter()
        .filter(|it| it.violation == Violation::Misreported);
    let is_early = early.any(|it| it.witnesses.iter().any(|it| it.subject == "r1-7"));
    (micros / SECOND, is_early)
}

#[test]
fn no_row_waits_for_an_insert_of_what_is_known_to_be_stored() {
    assert_eq!(in_hand(|_| {}, |_| {}), (10, false));
    // Storage has refused only the row that is there.
    let with_another = |crossing: &mut Crossing| {
        crossing.operation = Operation::Transaction;
        crossing.failed_part = Some(0);
        crossing.rows = vec![row_of(6, 0), row_of(8, 1)];
    };
    assert_eq!(in_hand(|_| {}, with_another), (10, false));
    // A row that is there is a reason to wait only if it is the one that was refused.
    let without_blame = |crossing: &mut Crossing| {
        with_another(crossing);
        crossing.failed_part = None;
    };
    assert_eq!(in_hand(|_| {}, without_blame), (0, false));
    // A transaction without a row to store.
    let reads = |crossing: &mut Crossing| {
        crossing.operation = Operation::Transaction;
        crossing.answer = Answer::Status(202, None);
        crossing.rows[0].operation = Operation::GetEntity;
    };
    assert_eq!(in_hand(|_| {}, reads), (10, false));
}

#[test]
fn a_row_may_wait_for_another_whose_insert_has_no_answer() {
    // The first repeat gets the answer that the insert has not.
    for answer in [
        Answer::None("reset".to_owned()),
        Answer::Status(500, None),
        Answer::NotAsked,
    ] {
        let lost = |crossing: &mut Crossing| crossing.answer = answer.clone();
        assert_eq!(in_hand(lost, |_| {}), (9, false), "{answer:?}");
    }
    let unheard = |crossing: &mut Crossing| crossing.unheard = true;
    assert_eq!(in_hand(unheard, |_| {}), (9, false));
    // Nobody hears the repeats either: because the worker hangs up, or because of a fault.
    assert_eq!(in_hand(unheard, unheard), (10, false));
    let slowed = |crossing: &mut Crossing| {
        crossing.unheard = true;
        crossing.fault = Some("answers take a minute".to_owned());
    };
    assert_eq!(in_hand(unheard, slowed), (0, false));
    // Storage is asked again and again because it is busy.
    let busy = |crossing: &mut Crossing| crossing.answer = Answer::Status(503, None);
    assert_eq!(in_hand(busy, busy), (0, false));
}

/// A refusal because of another message's row at the same keys.
#[test]
fn an_insert_at_the_keys_of_another_row_does_not_end_the_time_in_hand() {
    let at_its_keys = |crossing: &mut Crossing| crossing.rows[0].id = Some("r1-7".to_owned());
    assert_eq!(in_hand(|_| {}, at_its_keys), (10, false));
}
