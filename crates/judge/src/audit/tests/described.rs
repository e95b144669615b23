//! A worker that is described, under faults: a correct one is never accused, whatever the seed, and one that breaks a promise always is.

use std::sync::Arc;

use contract::workload::{Description, Lens};
use contract::{Seq, Stamp, StoredRow};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Map, Value, json};

use super::planted::PAYLOADS;
use super::sample_crossing;
use crate::audit::{Audit, Auditor, Expectation, Verdict as _, Violation};
use evidence::outcome::Outcome;
use evidence::{Answer, Claimed, Crossing, Handled, Keys, Operation, RowChange, fingerprint};

const MESSAGES: u64 = 20;
const SEEDS: u64 = 200;

/// No id in the rows, and keys that do not tell the message: each is known by its payload.
const BY_PAYLOAD: &str = "\
version: 1
name: by payload
message:
  body: \"{payload}\"
row:
  columns:
    text: \"{payload}\"
    tries: \"{attempt}\"
poison: {}
";

/// What a worker does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    DeletesFirst,
    FreshKeys,
    CountsWrongly,
    MixesPayloads,
}

/// A run of a worker under faults.
struct Play {
    lens: Lens,
    random: StdRng,
    wrong: Wrong,
    now: i64,
    crossings: Vec<Crossing>,
    rows: Vec<Map<String, Value>>,
}

impl Play {
    fn new(seed: u64, wrong: Wrong) -> Self {
        let description = Description::read(BY_PAYLOAD).unwrap();
        Self {
            lens: Lens::new(Arc::new(description), "r1".parse().unwrap()),
            random: StdRng::seed_from_u64(seed),
            wrong,
            now: 1_795_435_200_000_000,
            crossings: Vec::new(),
            rows: Vec::new(),
        }
    }

    fn chance(&mut self, share: f64) -> bool {
        self.random.random_bool(share)
    }

    /// The next request, answered so.
    fn ask(&mut self, client: &str, operation: Operation, answer: Answer) -> &mut Crossing {
        let began = Stamp::from_micros(self.now);
        self.now += 2_000;
        self.crossings.push(Crossing {
            client: client.to_owned(),
            began,
            ended: Stamp::from_micros(self.now - 1_000),
            answer,
            ..sample_crossing(operation)
        });
        self.crossings.last_mut().unwrap()
    }

    fn handled(&self, seq: Seq, attempt: Option<u32>) -> Handled {
        Handled {
            queue_id: format!("m{seq}"),
            id: Some(self.lens.id(seq)),
            attempt,
            ..Handled::default()
        }
    }

    fn message(&mut self, client: &str, operation: Operation, answer: Answer, message: Handled) {
        self.ask(client, operation, answer).messages.push(message);
    }

    /// One message, from its put until it is deleted.
    fn message_of(&mut self, seq: Seq) {
        let put = self.handled(seq, None);
        self.message(
            "producer",
            Operation::PutMessage,
            Answer::Status(201, None),
            put,
        );
        let mut stored = false;
        for attempt in 1.. {
            let client = format!("consumer-{}", self.random.random_range(1..4));
            let received = self.handled(seq, Some(attempt));
            self.message(
                &client,
                Operation::ReceiveMessages,
                Answer::Status(200, None),
                received,
            );
            // It dies, and its lease runs out.
            if self.chance(0.1) {
                continue;
            }
            if self.wrong == Wrong::DeletesFirst {
                let message = self.handled(seq, None);
                self.message(
                    &client,
                    Operation::DeleteMessage,
                    Answer::Status(204, None),
                    message,
                );
                self.insert(&client, seq, attempt, &mut stored);
                return;
            }
            if self.insert(&client, seq, attempt, &mut stored) && self.delete(&client, seq) {
                return;
            }
        }
    }

    /// Whether storage has confirmed the row.
    fn insert(&mut self, client: &str, seq: Seq, attempt: u32, stored: &mut bool) -> bool {
        let fresh = self.wrong == Wrong::FreshKeys;
        let key = if fresh {
            format!("k{seq}-{attempt}")
        } else {
            format!("k{seq}")
        };
        let text_of = match self.wrong {
            Wrong::MixesPayloads => Seq::new(seq.get() % MESSAGES + 1).unwrap(),
            _ => seq,
        };
        let tries = if self.wrong == Wrong::CountsWrongly {
            attempt + 1
        } else {
            attempt
        };
        let entity = json!({
            "PartitionKey": "p", "RowKey": key, "text": PAYLOADS.payload(text_of), "tries": tries,
        });
        let entity = entity.as_object().unwrap().clone();
        let (is_there, happens) = (*stored && !fresh, self.chance(0.7));
        let is_heard = self.chance(0.8);
        let answer = match (is_there, happens, is_heard) {
            (true, _, true) => Answer::Status(409, Some("EntityAlreadyExists".to_owned())),
            (false, true, true) => Answer::Status(201, None),
            (_, _, false) => Answer::None("reset".to_owned()),
            (false, false, true) => Answer::Status(503, Some("ServerBusy".to_owned())),
        };
        if !is_there && happens {
            self.rows.push(entity.clone());
            *stored = true;
        }
        let change = self.change(&entity);
        self.ask(client, Operation::InsertEntity, answer)
            .rows
            .push(change);
        is_heard && (is_there || happens)
    }

    /// Whether the message is gone.
    fn delete(&mut self, client: &str, seq: Seq) -> bool {
        let (happens, is_heard) = (self.chance(0.8), self.chance(0.8));
        let answer = match (happens, is_heard) {
            (true, true) => Answer::Status(204, None),
            (false, true) => Answer::Status(503, Some("ServerBusy".to_owned())),
            (_, false) => Answer::None("reset".to_owned()),
        };
        let message = self.handled(seq, None);
        self.message(client, Operation::DeleteMessage, answer, message);
        happens
    }

    /// The row as the wire reads it.
    fn change(&self, entity: &Map<String, Value>) -> RowChange {
        let row = self.lens.row(entity);
        RowChange {
            operation: Operation::InsertEntity,
            keys: Keys {
                partition: row.partition_key.clone(),
                row: row.row_key.clone(),
            },
            part: None,
            digest: None,
            delivery: Some(Claimed {
                attempt: row.attempt,
                ..Claimed::default()
            }),
            print: Some(fingerprint(&row)),
            id: self.lens.count_in(&row).map(|seq| self.lens.id(seq)),
            partial: false,
        }
    }

    fn audit(mut self) -> Audit {
        for seq in (1..=MESSAGES).filter_map(Seq::new) {
            self.message_of(seq);
        }
        let mut auditor = Auditor::new(Expectation {
            description: self.lens.description().clone(),
            own_table: true,
            ..Expectation::new("r1".parse().unwrap(), PAYLOADS, MESSAGES)
        })
        .unwrap();
        let mut protocol = auditor.protocol();
        for crossing in &self.crossings {
            protocol.crossing(crossing);
        }
        auditor.hear(protocol.finish());
        let rows: Vec<StoredRow> = self.rows.iter().map(|row| self.lens.row(row)).collect();
        for row in &rows {
            auditor.row(row);
        }
        auditor.finish()
    }
}

#[test]
fn a_correct_worker_is_never_accused() {
    for seed in 0..SEEDS {
        let audit = Play::new(seed, Wrong::Nothing).audit();
        assert_eq!(
            (audit.outcome(), audit.fates.kept),
            (Outcome::Pass, MESSAGES),
            "seed {seed}: {:?}",
            audit.findings
        );
    }
}

#[test]
fn a_worker_that_breaks_a_promise_is_caught_with_every_seed() {
    for (wrong, violation) in [
        (Wrong::DeletesFirst, Violation::Unsecured),
        (Wrong::FreshKeys, Violation::Duplicated),
        (Wrong::CountsWrongly, Violation::Misreported),
        (Wrong::MixesPayloads, Violation::Unsecured),
    ] {
        for seed in 0..SEEDS {
            let audit = Play::new(seed, wrong).audit();
            assert_eq!(audit.outcome(), Outcome::Fail, "{wrong:?}, seed {seed}");
            assert!(
                audit.count(violation) > 0,
                "{wrong:?}, seed {seed}: {:?}",
                audit.reasons()
            );
        }
    }
}
