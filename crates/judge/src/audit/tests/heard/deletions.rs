//! Tests of rows that a worker deletes: the deletion is the cause, and lost messages follow from it.

use evidence::{Answer, Operation};

use super::Seen;
use crate::audit::{Audit, Judged as _, Violation};

/// The deletion is the worker's act; the loss of the message follows from it.
#[test]
fn a_row_that_a_worker_deleted_is_the_cause_of_the_loss_and_comes_first() {
    let deleted = |seqs: &[u64], lost_otherwise: &[u64]| {
        let mut seen = Seen::good();
        for seq in seqs {
            let mut delete = seen.of(*seq, Operation::InsertEntity).clone();
            delete.operation = Operation::DeleteEntity;
            delete.answer = Answer::Status(204, None);
            delete.rows[0].operation = Operation::DeleteEntity;
            seen.crossings.push(delete);
        }
        let gone = |id: &str| {
            let mut all = seqs.iter().chain(lost_otherwise);
            all.any(|seq| id == format!("r1-{seq}"))
        };
        seen.rows.retain(|row| !gone(&row.row_key));
        seen.audit()
    };
    let audit = deleted(&[7, 8], &[]);
    assert_eq!(
        audit.reasons(),
        [
            "2 rows deleted once stored",
            "2 messages lost, since their rows were deleted"
        ]
    );
    let witness = |audit: &Audit, violation| {
        let mut found = audit.findings.iter().filter(|it| it.violation == violation);
        found.next().unwrap().witnesses[0].detail.clone()
    };
    let lost = witness(&audit, Violation::Lost);
    assert!(
        lost.starts_with("its row was stored, and consumer-1 deleted it"),
        "{lost}"
    );
    let changed = witness(&audit, Violation::Overwritten);
    assert!(
        changed.starts_with("consumer-1 deleted the row with "),
        "{changed}"
    );
    assert_eq!(
        deleted(&[7], &[9]).reasons(),
        [
            "1 row deleted once stored",
            "2 messages lost, 1 of them since the row was deleted"
        ]
    );
    // A row that is stored again exists.
    let mut again = Seen::good();
    let mut delete = again.of(7, Operation::InsertEntity).clone();
    let insert = delete.clone();
    delete.operation = Operation::DeleteEntity;
    delete.answer = Answer::Status(204, None);
    delete.rows[0].operation = Operation::DeleteEntity;
    again.crossings.extend([delete, insert]);
    assert_eq!(again.audit().reasons(), ["1 row deleted once stored"]);
}
