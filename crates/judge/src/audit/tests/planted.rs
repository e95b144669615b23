//! Tests that a good history passes, and that each planted violation is caught by its name, with a witness and no other
//! finding.

mod rows;

use std::time::Duration;

use contract::{
    Digest, Message, MessageId, PayloadSize, Payloads, PoisonEnvelope, PoisonReason, ResultRow,
    Seq, Stamp, StampSums, StoredRow,
};
use evidence::outcome::Outcome;

use crate::audit::{
    Audit, Auditor, Expectation, Judged as _, Sends, StorageTime, Traffic, Violation,
};

const MESSAGES: u64 = 100;
pub(super) const PAYLOADS: Payloads = Payloads {
    seed: 11,
    size: PayloadSize::Fixed(100),
};
pub(crate) const NOON: Stamp = Stamp::from_micros(1_795_435_200_000_000);

/// Everything that a run left behind.
pub(super) struct History {
    pub(super) expectation: Expectation,
    pub(super) rows: Vec<StoredRow>,
    pub(super) left: Vec<String>,
    pub(super) unseen: u64,
    pub(super) poison: Vec<PoisonEnvelope>,
    /// Texts in the poison queue that have not the form of the description.
    pub(super) poison_otherwise: Vec<String>,
}

pub(crate) fn message(run: &str, seq: u64) -> Message {
    let seq = Seq::new(seq).unwrap();
    let id = MessageId::new(run.parse().unwrap(), seq);
    let src = NOON.plus(Duration::from_millis(10 * seq.get()));
    let sent = src.plus(Duration::from_micros(321));
    Message::new(id, PAYLOADS.payload(seq), src, sent)
}

pub(crate) fn row(run: &str, seq: u64) -> StoredRow {
    let message = message(run, seq);
    let dequeued = message.sent_stamp.plus(Duration::from_millis(5));
    #[expect(
        clippy::disallowed_methods,
        reason = "the stamp of now is replaced at once"
    )]
    let mut row = ResultRow::of(message, dequeued, 1, "consumer-1", "node-1");
    row.date_stamp = dequeued.plus(Duration::from_millis(7));
    StoredRow {
        timestamp: Some(row.date_stamp),
        ..row.into()
    }
}

/// The producer's stamp sums of messages `1..=messages` except those in `without`.
pub(crate) fn stamp_sums(messages: u64, without: impl Fn(u64) -> bool) -> StampSums {
    let mut sums = StampSums::default();
    for n in (1..=messages).filter(|n| !without(*n)) {
        let Message {
            src_stamp,
            sent_stamp,
            ..
        } = message("r1", n);
        sums.add(Seq::new(n).unwrap(), src_stamp, sent_stamp);
    }
    sums
}

pub(crate) fn envelope(body: &str, message_id: &str) -> PoisonEnvelope {
    PoisonEnvelope {
        reason: PoisonReason::TooManyAttempts,
        detail: "delivered 6 times".into(),
        message_id: message_id.into(),
        attempt: 6,
        consumer: "consumer-1".into(),
        poisoned_stamp: NOON,
        part: 1,
        parts: 1,
        body: body.into(),
    }
}

impl History {
    pub(super) fn good() -> Self {
        let run = "r1".parse().unwrap();
        Self {
            expectation: Expectation::new(run, PAYLOADS, MESSAGES),
            rows: (1..=MESSAGES).map(|seq| row("r1", seq)).collect(),
            left: Vec::new(),
            unseen: 0,
            poison: Vec::new(),
            poison_otherwise: Vec::new(),
        }
    }

    pub(super) fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut history = Self::good();
        change(&mut history);
        history
    }

    fn row_mut(&mut self, seq: usize) -> &mut StoredRow {
        &mut self.rows[seq - 1]
    }

    pub(super) fn audit(&self) -> Audit {
        let Sends {
            unknown, failed, ..
        } = &self.expectation.sends;
        let is_unacknowledged = |seq| {
            unknown
                .iter()
                .chain(failed)
                .any(|range| range.contains(&seq))
        };
        let sums = stamp_sums(self.expectation.begun, is_unacknowledged);
        let expectation = Expectation {
            stamp_sums: Some(sums),
            ..self.expectation.clone()
        };
        let mut auditor = Auditor::new(expectation).unwrap();
        for row in &self.rows {
            auditor.row(row);
        }
        self.left
            .iter()
            .for_each(|body| auditor.left_in_queue(body));
        auditor.left_unseen(self.unseen);
        self.poison.iter().for_each(|body| auditor.poisoned(body));
        self.poison_otherwise
            .iter()
            .for_each(|text| auditor.poisoned_in_another_form(text));
        auditor.finish()
    }
}

/// The history must fail by exactly these violations and counts, each with a witness that names `subject`.
pub(super) fn caught(history: &History, expected: &[(Violation, u64)], subject: &str) -> Audit {
    let audit = history.audit();
    let found: Vec<_> = audit
        .findings
        .iter()
        .map(|f| (f.violation, f.count))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(audit.outcome(), Outcome::Fail);
    for finding in &audit.findings {
        let first = &finding.witnesses[0];
        assert!(first.subject.contains(subject), "{first:?}");
    }
    audit
}

#[test]
fn a_good_history_passes() {
    let audit = History::good().audit();
    assert_eq!(audit.outcome(), Outcome::Pass);
    assert_eq!((audit.fates.kept, audit.rows), (MESSAGES, MESSAGES));
    assert_eq!(audit.reasons(), Vec::<String>::new());
}

#[test]
fn an_id_beyond_the_messages_begun_is_a_phantom() {
    let history = History::with(|h| h.rows.push(row("r1", MESSAGES + 1)));
    caught(&history, &[(Violation::Phantom, 1)], "r1-101");
}

#[test]
fn a_row_of_no_known_message_is_a_phantom() {
    let history = History::with(|h| {
        h.rows.push(StoredRow {
            partition_key: "p".into(),
            row_key: "fresh".into(),
            data: Some("hello".into()),
            ..StoredRow::default()
        });
    });
    caught(&history, &[(Violation::Phantom, 1)], "fresh");
}

#[test]
fn a_failed_send_with_a_row_is_a_phantom() {
    let history = History::with(|h| h.expectation.sends.failed = vec![42..=42]);
    caught(&history, &[(Violation::Phantom, 1)], "r1-42");
}

#[test]
fn a_failed_send_without_a_trace_is_no_violation_and_proves_nothing() {
    let history = History::with(|h| {
        h.expectation.sends.failed = vec![42..=42];
        h.rows.remove(41);
    });
    let audit = history.audit();
    assert_eq!(audit.outcome(), Outcome::Inconclusive);
    assert_eq!(audit.outcome_of_rows(), Outcome::Inconclusive);
    assert_eq!((audit.fates.not_sent, audit.sends.failed), (1, 1));
    assert_eq!(
        audit.reasons(),
        [
            "1 of 100 messages were not sent, since storage did not take them: of them nothing is proven"
        ]
    );
}

#[test]
fn an_unknown_send_without_a_row_is_undecidable_and_with_one_is_kept() {
    let history = History::with(|h| {
        h.expectation.sends.unknown = vec![41..=42];
        h.rows.remove(41);
    });
    let audit = history.audit();
    assert_eq!(audit.outcome(), Outcome::Inconclusive);
    let fates = audit.fates;
    assert_eq!((fates.undecidable, fates.kept), (1, MESSAGES - 1));
}

#[test]
fn a_run_cut_off_is_incomplete_and_still_fails_on_a_violation() {
    let mut history = History::with(|h| {
        h.expectation.complete = false;
        h.expectation.begun = 60;
        h.rows.truncate(50);
        h.unseen = 8;
        h.left = vec![message("r1", 51).encode(), message("r1", 52).encode()];
    });
    let audit = history.audit();
    assert_eq!(audit.outcome(), Outcome::Incomplete);
    assert_eq!((audit.fates.unfinished, audit.fates.lost), (10, 0));
    history.rows.push(row("r1", 1));
    assert_eq!(history.audit().outcome(), Outcome::Fail);
}

#[test]
fn a_run_in_which_nothing_arrived_has_shown_nothing() {
    let history = History::with(|h| {
        h.expectation.sends = Sends {
            failed: vec![1..=MESSAGES],
            ..Sends::default()
        };
        h.rows.clear();
    });
    let audit = history.audit();
    assert_eq!(audit.outcome(), Outcome::Inconclusive);
    assert_eq!(
        audit.reasons(),
        [
            "100 of 100 messages were not sent, since storage did not take them: of them nothing is proven"
        ]
    );
}

/// After Ctrl-C the generators stop one after the other, and those that are behind leave messages out.
#[test]
fn what_a_stopped_run_left_out_is_not_said_to_be_refused_by_storage() {
    let history = History::with(|h| {
        h.expectation.complete = false;
        h.expectation.sends = Sends {
            failed: vec![51..=54],
            stopped: 3,
            ..Sends::default()
        };
        h.rows
            .retain(|row| !(51..=54).any(|seq| row.row_key == format!("r1-{seq}")));
    });
    let audit = history.audit();
    assert_eq!(audit.outcome(), Outcome::Incomplete);
    assert_eq!(
        audit.reasons()[1..],
        [
            "3 of 100 messages were not sent, since the run was stopped before: of them nothing is proven",
            "1 of 100 messages were not sent, since storage did not take them: of them nothing is proven"
        ]
    );
}

#[test]
fn a_row_under_the_id_of_another_run_is_a_phantom_in_a_table_of_the_runs_own() {
    let mut history = History::good();
    history.rows.push(StoredRow {
        partition_key: "heartbeat".into(),
        row_key: "consumer-1-53".into(),
        ..StoredRow::default()
    });
    assert_eq!(history.audit().outcome(), Outcome::Pass);
    history.expectation.own_table = true;
    caught(&history, &[(Violation::Phantom, 1)], "heartbeat");
}

#[test]
fn other_runs_in_the_same_table_are_not_judged() {
    let history = History::with(|h| {
        h.rows.extend([row("r1-2", 42), row("r", 1), row("r10", 7)]);
        h.left = vec![message("r2", 1).encode()];
        h.poison = vec![envelope(&message("r2", 2).encode(), "q-1")];
    });
    let audit = history.audit();
    assert_eq!((audit.outcome(), audit.other_runs), (Outcome::Pass, 5));
}

#[test]
fn witnesses_are_bounded_and_the_count_is_not() {
    let audit = History::with(|h| h.rows.clear()).audit();
    let finding = &audit.findings[0];
    assert_eq!((finding.count, finding.witnesses.len()), (MESSAGES, 10));
    assert_eq!(finding.omitted(), 90);
}

#[test]
fn what_storage_gave_no_time_for_cannot_be_told_and_what_is_lost_is_lost_all_the_same() {
    let starving = |mut history: History, starved_ms| {
        history.rows.truncate(90);
        let left = (91..=MESSAGES).map(|seq| message("r1", seq).encode());
        history.left.extend(left);
        let storage = StorageTime {
            starved_ms,
            paused_ms: 0,
            observed_ms: 10_000,
        };
        let traffic = Traffic {
            storage,
            ..Traffic::default()
        };
        crate::audit::verdict::with_history(history.audit(), traffic, vec![])
    };
    let fed = starving(History::good(), 4999);
    assert_eq!(fed.outcome(), Outcome::Fail);
    assert_eq!(fed.reasons(), ["10 messages left unfinished in the queue"]);

    let starved = starving(History::good(), 5000);
    assert_eq!(starved.outcome(), Outcome::Inconclusive);
    assert_eq!(starved.outcome_of_rows(), Outcome::Inconclusive);
    let waiting = "storage kept requests waiting for 5s of 10s";
    assert_eq!(
        starved.reasons(),
        [format!(
            "10 messages left unfinished in the queue, but {waiting}"
        )]
    );

    let lost = starving(History::with(|h| drop(h.rows.remove(41))), 5000);
    assert_eq!(lost.outcome(), Outcome::Fail);
}
