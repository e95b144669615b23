//! Tests of the protocol with good histories and planted violations.

mod another;
mod around;
mod early;
mod envelopes;
mod in_vain;
mod keys;
mod meddling;
mod poison;
mod steps;
mod unreceived;

use super::*;
use crate::audit::{Violation, sample_crossing};
use evidence::{Answer, Keys, RowChange};

/// A history of one message, built step by step; each step is a microsecond after the one before.
struct Told {
    protocol: Protocol,
    clock: i64,
}

impl Told {
    fn new() -> Self {
        Self {
            protocol: Protocol::new(Lens::own("r1".parse().unwrap()), 10),
            clock: 0,
        }
    }

    fn step(&mut self, operation: Operation, status: u16, fill: impl FnOnce(&mut Crossing)) {
        self.clock += 2;
        let code = (status == 409).then(|| "EntityAlreadyExists".to_owned());
        let mut crossing = Crossing {
            began: Stamp::from_micros(self.clock),
            ended: Stamp::from_micros(self.clock + 1),
            answer: Answer::Status(status, code),
            ..sample_crossing(operation)
        };
        fill(&mut crossing);
        self.protocol.crossing(&crossing);
    }

    fn receive(&mut self, attempt: u32) {
        self.step(Operation::ReceiveMessages, 200, |crossing| {
            crossing.messages.push(Handled {
                queue_id: "m7".to_owned(),
                id: Some("r1-7".to_owned()),
                attempt: Some(attempt),
                ..Handled::default()
            });
        });
    }

    fn row(&mut self, operation: Operation, status: u16) {
        self.step(operation, status, |crossing| {
            crossing.rows.push(RowChange {
                operation,
                keys: Keys {
                    partition: "r1.00".to_owned(),
                    row: "r1-7".to_owned(),
                },
                part: None,
                digest: None,
                delivery: None,
                print: None,
                id: None,
                holds: None,
                lacking: Vec::new(),
            });
        });
    }

    /// A transaction that inserts the row second of three, and is refused with 409 because of `blamed`.
    fn refused_transaction(&mut self, blamed: Option<usize>) {
        self.step(Operation::Transaction, 409, |crossing| {
            crossing.failed_part = blamed;
            crossing.rows = (6..=8)
                .zip(0..)
                .map(|(seq, part)| row_of(seq, part))
                .collect();
        });
    }

    fn on_message(&mut self, operation: Operation, status: u16) {
        self.step(operation, status, |crossing| {
            crossing.messages.push(Handled {
                queue_id: "m7".to_owned(),
                ..Handled::default()
            });
        });
    }

    fn poison(&mut self, status: u16) {
        self.step(Operation::PutMessage, status, |crossing| {
            "q-poison".clone_into(&mut crossing.resource);
            crossing.messages.push(Handled {
                poisons: Some("m7".to_owned()),
                ..Handled::default()
            });
        });
    }

    fn violations(self) -> Vec<Violation> {
        let findings = self.protocol.finish().findings;
        findings.iter().map(|finding| finding.violation).collect()
    }
}

fn row_of(seq: u64, part: usize) -> RowChange {
    RowChange {
        operation: Operation::InsertEntity,
        keys: Keys {
            partition: "r1.00".to_owned(),
            row: format!("r1-{seq}"),
        },
        part: Some(part),
        digest: None,
        delivery: None,
        print: None,
        id: None,
        holds: None,
        lacking: Vec::new(),
    }
}

use Operation::{DeleteEntity, DeleteMessage, InsertEntity, UpdateMessage, UpsertEntity};

#[test]
fn a_good_history_passes_and_is_counted() {
    let mut told = Told::new();
    told.receive(1);
    told.on_message(UpdateMessage, 204);
    told.row(InsertEntity, 201);
    told.on_message(DeleteMessage, 204);
    let told = told.protocol.finish();
    let traffic = told.traffic;
    assert_eq!(told.findings, []);
    assert_eq!(
        (traffic.requests, traffic.deliveries, traffic.redelivered),
        (4, 1, 0)
    );
    let client = &traffic.clients["consumer-1"];
    assert_eq!(
        (client.receives, client.renewals, client.deletes),
        (1, 1, 1)
    );
}

#[test]
fn a_second_delivery_may_find_the_row_and_delete() {
    let mut told = Told::new();
    told.receive(1);
    told.row(InsertEntity, 201);
    told.receive(2);
    told.row(InsertEntity, 409);
    told.on_message(DeleteMessage, 204);
    assert_eq!(told.protocol.traffic.redelivered, 1);
    assert_eq!(told.violations(), []);
}

#[test]
fn a_refused_transaction_proves_the_row_that_it_blames_and_no_other() {
    for (blamed, found) in [
        (Some(1), vec![]),
        (Some(0), vec![Violation::Unsecured]),
        (Some(2), vec![Violation::Unsecured]),
        (None, vec![Violation::Unsecured]),
    ] {
        let mut told = Told::new();
        told.receive(1);
        told.refused_transaction(blamed);
        told.on_message(DeleteMessage, 204);
        assert_eq!(told.violations(), found, "{blamed:?}");
    }
}

#[test]
fn a_delete_before_the_row_is_confirmed_is_found() {
    for (insert, status) in [(None, 204), (Some(500), 204), (Some(503), 204), (None, 500)] {
        let mut told = Told::new();
        told.receive(1);
        if let Some(insert) = insert {
            told.row(InsertEntity, insert);
        }
        told.on_message(DeleteMessage, status);
        told.row(InsertEntity, 201);
        assert_eq!(
            told.violations(),
            [Violation::Unsecured],
            "{insert:?} {status}"
        );
    }
}

/// A client that goes away before the answer to its insert cannot know that the row is stored, although it is.
#[test]
fn an_insert_whose_answer_nobody_heard_confirms_nothing_until_somebody_hears_of_the_row() {
    let unheard = || {
        let mut told = Told::new();
        told.receive(1);
        told.step(InsertEntity, 201, |crossing| {
            crossing.unheard = true;
            crossing.rows.push(RowChange {
                part: None,
                ..row_of(7, 0)
            });
        });
        told
    };
    let mut at_once = unheard();
    at_once.on_message(DeleteMessage, 204);
    let findings = at_once.protocol.finish().findings;
    let [found] = &findings[..] else {
        panic!("{findings:?}")
    };
    assert_eq!(found.violation, Violation::Unsecured);
    let detail = &found.witnesses[0].detail;
    assert!(
        detail.ends_with("had gone away before the answer"),
        "{detail}"
    );
    for (operation, status, is_heard) in [
        (InsertEntity, 409, true),
        (InsertEntity, 409, false),
        (Operation::GetEntity, 200, true),
        (Operation::GetEntity, 404, true),
        (Operation::QueryEntities, 200, true),
        (Operation::QueryEntities, 200, false),
        (Operation::QueryEntities, 503, true),
    ] {
        let mut told = unheard();
        told.step(operation, status, |crossing| {
            crossing.unheard = !is_heard;
            if operation != Operation::QueryEntities {
                crossing.rows.push(RowChange {
                    operation,
                    part: None,
                    ..row_of(7, 0)
                });
            }
        });
        told.on_message(DeleteMessage, 204);
        let is_confirmed = is_heard && [200, 409].contains(&status);
        let expected = if is_confirmed {
            vec![]
        } else {
            vec![Violation::Unsecured]
        };
        assert_eq!(
            told.violations(),
            expected,
            "{operation:?} {status} {is_heard}"
        );
    }
}

#[test]
fn a_delete_that_overtakes_its_insert_is_found() {
    let mut told = Told::new();
    told.receive(1);
    told.row(InsertEntity, 201);
    told.step(DeleteMessage, 204, |crossing| {
        crossing.messages.push(Handled {
            queue_id: "m7".to_owned(),
            ..Handled::default()
        });
        // Requested while the insert was pending.
        crossing.began = Stamp::from_micros(4);
    });
    assert_eq!(told.violations(), [Violation::Unsecured]);
}

#[test]
fn a_delete_after_the_poison_put_is_right_and_before_it_is_not() {
    let mut right = Told::new();
    right.receive(1);
    right.poison(201);
    right.on_message(DeleteMessage, 204);
    assert_eq!(right.violations(), []);
    let mut refused = Told::new();
    refused.receive(1);
    refused.poison(503);
    refused.on_message(DeleteMessage, 204);
    assert_eq!(refused.violations(), [Violation::Unsecured]);
}

#[test]
fn changing_a_row_is_found() {
    for operation in [UpsertEntity, Operation::UpdateEntity, DeleteEntity] {
        let mut told = Told::new();
        told.receive(1);
        told.row(InsertEntity, 201);
        told.row(operation, 204);
        assert_eq!(told.violations(), [Violation::Overwritten], "{operation}");
    }
}

#[test]
fn a_client_that_does_not_take_no_for_an_answer_is_found() {
    for (refusals, found) in [
        (2, vec![]),
        (3, vec![Violation::Stubborn]),
        (9, vec![Violation::Stubborn]),
    ] {
        let mut told = Told::new();
        told.receive(1);
        for _ in 0..refusals {
            told.on_message(DeleteMessage, 404);
        }
        assert_eq!(told.violations(), found, "{refusals}");
    }
    // A client that got none of the answers, and one that had repeated its request before the answer came.
    for (unheard, late) in [(true, false), (false, true)] {
        let mut told = Told::new();
        told.receive(1);
        let heard = told.clock + 100;
        for _ in 0..9 {
            told.step(DeleteMessage, 404, |crossing| {
                crossing.unheard = unheard;
                if late {
                    crossing.ended = Stamp::from_micros(heard);
                }
                crossing.messages.push(Handled {
                    queue_id: "m7".to_owned(),
                    ..Handled::default()
                });
            });
        }
        assert_eq!(told.violations(), [], "{unheard} {late}");
    }
    let mut busy = Told::new();
    busy.receive(1);
    for _ in 0..9 {
        busy.on_message(UpdateMessage, 503);
    }
    assert_eq!(busy.violations(), []);
}
