//! Random histories with random faults: the streaming auditor agrees with a naive model that keeps everything.

mod agreement;

use std::collections::BTreeMap;

use contract::{Digest, PoisonEnvelope, Stamp, StoredRow};
use evidence::outcome::Outcome;
use proptest::prelude::*;

use super::planted::{PAYLOADS, envelope, message, row, stamp_sums};
use crate::audit::{
    Audit, Auditor, Expectation, ExpectedPoison, Fates, Judged as _, Sends, Violation,
};

/// Few messages, so that several faults hit the same one.
const MESSAGES: u64 = 24;

/// A fault, applied to the good history at one message.
#[derive(Debug, Clone, Copy)]
enum Fault {
    DropRow,
    FreshKeys,
    SecondPartition,
    WrongData,
    WrongDigest,
    NoStamp,
    OtherStamp,
    WrongSecondRow,
    LeaveInQueue,
    LeaveAndDropRow,
    PoisonAndDropRow,
    PoisonTwice,
    BeyondTheLast,
    Unidentifiable,
    OtherRun,
    ForeignPoison,
    ForeignLeft,
}

const FAULTS: [Fault; 17] = [
    Fault::DropRow,
    Fault::FreshKeys,
    Fault::SecondPartition,
    Fault::WrongData,
    Fault::WrongDigest,
    Fault::NoStamp,
    Fault::OtherStamp,
    Fault::WrongSecondRow,
    Fault::LeaveInQueue,
    Fault::LeaveAndDropRow,
    Fault::PoisonAndDropRow,
    Fault::PoisonTwice,
    Fault::BeyondTheLast,
    Fault::Unidentifiable,
    Fault::OtherRun,
    Fault::ForeignPoison,
    Fault::ForeignLeft,
];

#[derive(Debug, Clone)]
struct History {
    expectation: Expectation,
    rows: Vec<StoredRow>,
    left: Vec<String>,
    unseen: u64,
    poison: Vec<PoisonEnvelope>,
}

impl History {
    /// A good run; then the faults are applied in order.
    fn of(expectation: Expectation, unseen: u64, faults: &[(Fault, u64)]) -> Self {
        let mut history = Self {
            rows: Vec::new(),
            left: Vec::new(),
            unseen,
            poison: Vec::new(),
            expectation,
        };
        for seq in 1..=history.expectation.begun {
            if history.is_bad(seq) {
                history.give_up(seq);
            } else if !history.has_failed(seq) {
                history.rows.push(row("r1", seq));
            }
        }
        for (fault, seq) in faults {
            history.plant(*fault, *seq);
        }
        history
    }

    fn is_bad(&self, seq: u64) -> bool {
        let seqs = &self.expectation.poison.seqs;
        seqs.iter().any(|range| range.contains(&seq))
    }

    fn has_failed(&self, seq: u64) -> bool {
        let failed = &self.expectation.sends.failed;
        failed.iter().any(|range| range.contains(&seq))
    }

    fn is_unknown(&self, seq: u64) -> bool {
        let unknown = &self.expectation.sends.unknown;
        unknown.iter().any(|range| range.contains(&seq))
    }

    fn give_up(&mut self, seq: u64) {
        let body = message("r1", seq).encode();
        self.poison.push(envelope(&body, &format!("q-{seq}")));
    }

    fn drop_rows(&mut self, seq: u64) {
        let key = format!("r1-{seq}");
        self.rows.retain(|row| row.row_key != key);
    }

    fn change(&mut self, seq: u64, change: impl Fn(&mut StoredRow)) {
        let key = format!("r1-{seq}");
        let of_seq = |row: &&mut StoredRow| row.row_key == key;
        self.rows.iter_mut().filter(of_seq).for_each(change);
    }

    fn plant(&mut self, fault: Fault, seq: u64) {
        // The poison queue only grows, so its length makes a new id.
        let number = self.poison.len();
        match fault {
            Fault::DropRow => self.drop_rows(seq),
            Fault::FreshKeys => self.rows.push(StoredRow {
                partition_key: format!("fresh {number}"),
                row_key: format!("fresh {number}"),
                ..row("r1", seq)
            }),
            Fault::SecondPartition => self.rows.push(StoredRow {
                partition_key: format!("r1.x{number}"),
                ..row("r1", seq)
            }),
            Fault::WrongData => self.change(seq, |row| row.data = Some("wrong".into())),
            Fault::WrongDigest => self.change(seq, |row| row.digest = Some(Digest::of("wrong"))),
            Fault::NoStamp => self.change(seq, |row| row.dequeued_stamp = None),
            Fault::OtherStamp => self.change(seq, |row| row.src_stamp = Some(Stamp::default())),
            Fault::WrongSecondRow => self.rows.push(StoredRow {
                digest: None,
                ..row("r1", seq)
            }),
            Fault::LeaveInQueue => self.left.push(message("r1", seq).encode()),
            Fault::LeaveAndDropRow => {
                self.drop_rows(seq);
                self.left.push(message("r1", seq).encode());
            }
            Fault::PoisonAndDropRow => {
                self.drop_rows(seq);
                self.give_up(seq);
            }
            Fault::PoisonTwice => {
                self.give_up(seq);
                self.give_up(seq);
            }
            Fault::BeyondTheLast => self.rows.push(row("r1", 1_000 + seq)),
            Fault::Unidentifiable => self.rows.push(StoredRow {
                partition_key: "p".into(),
                row_key: format!("nobody {number}"),
                ..StoredRow::default()
            }),
            Fault::OtherRun => self.rows.push(row("r1-2", seq)),
            Fault::ForeignPoison => {
                let envelope = envelope("not json", &format!("foreign {number}"));
                self.poison.push(envelope);
            }
            Fault::ForeignLeft => self.left.push("not json".into()),
        }
    }

    fn audit(&self) -> Audit {
        let mut auditor = Auditor::new(self.expectation.clone()).unwrap();
        for row in &self.rows {
            auditor.row(row);
        }
        self.left
            .iter()
            .for_each(|body| auditor.left_in_queue(body));
        auditor.left_unseen(self.unseen);
        self.poison.iter().for_each(|body| auditor.poisoned(body));
        auditor.finish()
    }
}

/// The expected audit, computed directly from the definitions with all data kept.
#[derive(Debug, Default)]
struct Model {
    found: BTreeMap<Violation, u64>,
    fates: Fates,
}

/// All traces of one message in storage.
struct Traces {
    rows: u64,
    right: u64,
    at_home: u64,
    queued: u64,
    given_up: bool,
}

impl Model {
    fn of(history: &History) -> Self {
        let mut model = Self::default();
        let missing = (1..=history.expectation.begun).filter(|seq| model.message(history, *seq));
        let missing = missing.count() as u64;
        let hidden = missing.min(history.unseen);
        model.fates.lost = missing - hidden;
        model.fates.unfinished += hidden;
        model.count(Violation::Lost, missing - hidden);
        if history.expectation.complete {
            model.count(Violation::Unfinished, hidden);
            let foreign = |poison: &&PoisonEnvelope| poison.body == "not json";
            let seen = history.poison.iter().filter(foreign).count()
                + history
                    .left
                    .iter()
                    .filter(|body| *body == "not json")
                    .count();
            let unseen_foreign = (history.expectation.poison.foreign).saturating_sub(seen as u64);
            let explained = missing + model.fates.undecidable + unseen_foreign;
            model.count(
                Violation::Undeleted,
                history.unseen.saturating_sub(explained),
            );
        }
        model.stamps(history);
        model.nobodys(history);
        model
    }

    fn count(&mut self, violation: Violation, n: u64) {
        if n > 0 {
            *self.found.entry(violation).or_insert(0) += n;
        }
    }

    /// Judges one message; returns whether it is missing although it should exist.
    fn message(&mut self, history: &History, seq: u64) -> bool {
        let complete = history.expectation.complete;
        let traces = Traces::of(history, seq);
        let own = traces.violations(history, seq);
        for (violation, n) in &own {
            self.count(*violation, *n);
        }
        let is_spoiled = own
            .iter()
            .any(|(violation, n)| *n > 0 && *violation != Violation::Undeleted);
        let fates = &mut self.fates;
        if traces.rows == 0 && !traces.given_up && traces.queued == 0 {
            let (failed, unknown) = (history.has_failed(seq), history.is_unknown(seq));
            fates.not_sent += u64::from(failed);
            fates.undecidable += u64::from(unknown);
            return !failed && !unknown;
        }
        match (is_spoiled, traces.rows > 0, traces.given_up) {
            (true, _, _) => fates.spoiled += 1,
            (false, true, _) => fates.kept += 1,
            (false, false, true) => fates.set_aside += 1,
            (false, false, false) => {
                fates.unfinished += 1;
                self.count(Violation::Unfinished, u64::from(complete));
            }
        }
        false
    }

    /// All messages are in one block, which is judged if each acknowledged message has exactly one row, and it is right.
    fn stamps(&mut self, history: &History) {
        let acknowledged = || {
            let seqs = 1..=history.expectation.begun;
            seqs.filter(|seq| !history.has_failed(*seq) && !history.is_unknown(*seq))
        };
        let is_judged = acknowledged().all(|seq| {
            let traces = Traces::of(history, seq);
            (traces.rows, traces.right) == (1, 1)
        });
        let is_other = |seq| {
            let mut rows = history.rows.iter().filter(|row| is_of(row, seq));
            rows.any(|row| row.src_stamp != super::planted::row("r1", seq).src_stamp)
        };
        let differs = acknowledged().any(is_other);
        self.count(Violation::Restamped, u64::from(is_judged && differs));
    }

    /// Judges rows and bodies that belong to no message of the run.
    fn nobodys(&mut self, history: &History) {
        let expectation = &history.expectation;
        let is_beyond = |row: &StoredRow| {
            let seq = row.row_key.strip_prefix("r1-");
            seq.is_some_and(|n| n.parse().is_ok_and(|n: u64| n > 1_000))
        };
        let nobody = |row: &&StoredRow| row.row_key.starts_with("nobody") || is_beyond(row);
        let phantoms = history.rows.iter().filter(nobody).count() as u64;
        let poisoned = history.poison.iter().filter(|each| each.body == "not json");
        let poisoned = poisoned.count() as u64;
        let left = history.left.iter().filter(|body| *body == "not json");
        let left = left.count() as u64;
        let foreign = expectation.poison.foreign;
        self.count(
            Violation::Phantom,
            phantoms + poisoned.saturating_sub(foreign),
        );
        self.count(Violation::Lost, foreign.saturating_sub(poisoned + left));
        if expectation.complete {
            self.count(Violation::Unfinished, left);
        }
    }
}

impl Traces {
    fn of(history: &History, seq: u64) -> Self {
        let good = row("r1", seq);
        let rows: Vec<&StoredRow> = history.rows.iter().filter(|row| is_of(row, seq)).collect();
        let at_home = |row: &&&StoredRow| {
            (&row.partition_key, &row.row_key) == (&good.partition_key, &good.row_key)
        };
        let is_right = |row: &&&StoredRow| {
            let whole = row.dequeued_stamp.is_some();
            (&row.data, row.digest) == (&good.data, good.digest) && whole
        };
        let body = message("r1", seq).encode();
        Self {
            rows: rows.len() as u64,
            right: rows.iter().filter(is_right).count() as u64,
            at_home: rows.iter().filter(at_home).count() as u64,
            queued: history.left.iter().filter(|left| **left == body).count() as u64,
            given_up: history.poison.iter().any(|poison| poison.body == body),
        }
    }

    fn violations(&self, history: &History, seq: u64) -> Vec<(Violation, u64)> {
        let (bad, failed) = (history.is_bad(seq), history.has_failed(seq));
        let phantom_rows = if bad { 0 } else { self.rows };
        let phantoms = phantom_rows + self.queued + u64::from(self.given_up);
        let is_done = self.rows > 0 || self.given_up;
        let is_undeleted = history.expectation.complete && is_done && self.queued > 0;
        let conflicts = self.right > 0 && self.right < self.rows;
        vec![
            (Violation::Duplicated, self.rows.saturating_sub(1)),
            (Violation::Corrupted, self.rows - self.right),
            (Violation::Conflicting, u64::from(conflicts)),
            (Violation::Misplaced, self.rows - self.at_home),
            (Violation::Accepted, u64::from(bad && self.rows > 0)),
            (Violation::Poisoned, u64::from(self.given_up && !bad)),
            (Violation::Phantom, if failed { phantoms } else { 0 }),
            (Violation::Undeleted, u64::from(is_undeleted)),
        ]
    }
}

/// Whether the row belongs to `seq`, by its key, or by its payload if the key is invented.
fn is_of(row: &StoredRow, seq: u64) -> bool {
    let payload = || Some(message("r1", seq).msg);
    row.row_key == format!("r1-{seq}") || row.row_key.starts_with("fresh") && row.data == payload()
}
