//! Tests that compare the poison queue with the puts on the wire.

use contract::PoisonEnvelope;
use contract::workload::SetAside;

use super::super::planted::{NOON, envelope};
use super::*;

/// The put of message `seq` into the poison queue.
fn put(seq: u64) -> Crossing {
    let mut put = sample_crossing(Operation::PutMessage);
    "q-poison".clone_into(&mut put.resource);
    put.messages.push(Handled {
        poisons: Some(format!("m{seq}")),
        ..handled(seq)
    });
    put
}

#[test]
fn a_good_message_that_was_put_into_the_poison_queue_is_given_up_though_nobody_finds_it_there() {
    let hidden = found(|seen| seen.crossings.push(put(7)));
    assert_eq!(hidden, [(Violation::Poisoned, 1)]);
    // A message that is also in the poison queue counts once.
    let mut seen = Seen::good();
    seen.crossings.push(put(7));
    let mut auditor = seen.auditor();
    for row in &seen.rows {
        auditor.row(row);
    }
    auditor.poisoned(&envelope(&message("r1", 7).encode(), "m7"));
    assert_eq!(auditor.finish().count(Violation::Poisoned), 1);
}

/// It belongs there, and is missed there if nobody can see it.
#[test]
fn a_bad_message_that_was_put_into_the_poison_queue_is_not_given_up() {
    let mut seen = Seen::good();
    seen.crossings.push(put(7));
    let expectation = Expectation {
        poison: crate::audit::ExpectedPoison {
            seqs: vec![7..=7],
            foreign: 0,
        },
        ..Expectation::new("r1".parse().unwrap(), PAYLOADS, MESSAGES)
    };
    let mut auditor = Auditor::new(expectation).unwrap();
    auditor.hear(seen.protocol(&auditor).finish());
    assert_eq!(auditor.finish().count(Violation::Poisoned), 0);
}

/// A poison message without an envelope: only the wire tells on which delivery it was given up.
#[test]
fn the_delivery_on_which_a_message_was_given_up_is_told_by_the_wire_where_the_poison_queue_does_not()
 {
    let mut seen = Seen::good();
    for (seq, attempt) in [(7, 3), (8, 4)] {
        seen.of(seq, Operation::ReceiveMessages).messages[0].attempt = Some(attempt);
        let delete = seen.of(seq, Operation::DeleteMessage).clone();
        seen.remove(seq, Operation::DeleteMessage);
        seen.crossings.extend([put(seq), delete]);
    }
    let mut auditor = seen.auditor();
    for row in &seen.rows {
        auditor.row(row);
    }
    auditor.poisoned(SetAside {
        body: message("r1", 7).encode(),
        part: 1,
        parts: 1,
        ..SetAside::default()
    });
    let audit = auditor.finish();
    let poisoned = (audit.findings.iter()).find(|it| it.violation == Violation::Poisoned);
    let detail = &poisoned.unwrap().witnesses[0].detail;
    assert!(
        detail.starts_with("given up; it was delivery 3, "),
        "{detail}"
    );
}

/// Without the wire, an envelope is held against the run alone; its words are read in any case.
#[test]
fn an_envelope_that_cannot_be_true_is_misreported() {
    let begun = NOON;
    let found = |detail: &str, attempt, minutes: i64, is_heard: bool| {
        let expectation = Expectation {
            begun_at: Some(begun),
            ..Expectation::new("r1".parse().unwrap(), PAYLOADS, MESSAGES)
        };
        let mut auditor = Auditor::new(expectation).unwrap();
        if is_heard {
            auditor.hear(auditor.protocol().finish());
        }
        let at = begun.as_micros() + minutes * 60_000_000;
        auditor.poisoned(&PoisonEnvelope {
            detail: detail.to_owned(),
            attempt,
            poisoned_stamp: Stamp::from_micros(at),
            ..envelope("no JSON", "m0")
        });
        let audit = auditor.finish();
        let all = audit.findings.into_iter().flat_map(|it| it.witnesses);
        all.filter(|it| it.subject == "queue message m0")
            .map(|it| it.detail)
            .collect::<Vec<_>>()
            .join("; ")
    };
    for (detail, attempt, minutes, is_heard, says) in [
        ("why", 1, 1, false, ""),
        // The clocks of two machines.
        ("why", 1, -1, false, ""),
        (" ", 1, 1, false, "`detail` is empty"),
        ("", 1, 1, true, "`detail` is empty"),
        (
            "why",
            0,
            1,
            false,
            "`attempt` is 0, deliveries count from 1",
        ),
        ("why", 1, -2, false, "and the run began at"),
        // The wire has the whole delivery, and compares these.
        ("why", 0, -2, true, ""),
    ] {
        let found = found(detail, attempt, minutes, is_heard);
        assert_eq!(found.is_empty(), says.is_empty(), "{found}");
        assert!(found.contains(says), "{found}");
    }
}
