//! Advice about each kind of finding: what to look at next, and what a description can say where the worker is right as it is.

use super::RunRecord;
use crate::audit::{Audit, Finding, Violation};
use crate::events::Leeway;

/// The first cause to look at. Where one row stands for several messages, all other findings may follow from that.
pub(super) fn of_findings(audit: &Audit) -> Option<String> {
    if audit.rows_of_many > 0 {
        return Some(
            "have the worker, or a test double of it, write a row for each message: one row for many messages is out of scope \
             (docs/DESCRIPTION.md), and what is lost or deleted too early here may follow from that alone"
                .to_owned(),
        );
    }
    let Finding {
        violation, count, ..
    } = audit.findings.first()?;
    let is_deletion = *violation == Violation::Overwritten && audit.removals.rows == *count;
    let cause = cause(*violation);
    if let (Violation::Phantom, Some(further)) = (violation, &audit.further_rows) {
        let client = &further.client;
        return Some(format!(
            "look at the first witness of \"phantom\": {client} wrote such a row, which names no message. If the worker writes rows of another kind \
             beside its results, they belong into a table of their own, which the description names (beside.tables); if it is a result, correct \
             row.columns"
        ));
    }
    let cause = match &audit.foreign {
        _ if *violation == Violation::Undeleted && sent_no_delete(audit) => {
            "no consumer has deleted any message: does the worker delete a message once its row is stored?"
        }
        _ if is_deletion && !audit.updates() => {
            "what deletes a row that is stored? No worker may: the row is the result"
        }
        Some(_) => described(*violation, audit.updates()).unwrap_or(cause),
        None => cause,
    };
    Some(format!(
        "look at the first witness of {:?}, and for its message id in the consumers' logs: {cause}",
        violation.as_str()
    ))
}

/// Whether the wire has seen that no client deleted any message.
fn sent_no_delete(audit: &Audit) -> bool {
    let clients = audit.traffic.as_ref().map(|traffic| &traffic.clients);
    clients.is_some_and(|clients| clients.values().all(|client| client.deletes == 0))
}

/// What the description of a workload can say about consumers that ended in an unexpected way; `None` if all ended as expected, or
/// if the workload is the project's own.
pub(super) fn of_ends(record: &RunRecord) -> Option<String> {
    let is_foreign = record.audit.as_ref().is_some_and(|it| it.foreign.is_some());
    let mut leeway = record.run.iter().flat_map(|run| &run.leeway);
    let ends = record.consumer_ends()?;
    if !is_foreign || ends.unexpected.is_empty() || leeway.any(|it| *it == Leeway::Drain) {
        return None;
    }
    let told = if ends.is_terminated() {
        "SIGTERM ended a worker at once: if it may, since its messages come again, say so in the description: worker.drains: false"
    } else if ends.is_unasked() {
        "if the worker may end by itself, since your pods start it again, say so in the description: worker.exit: restart"
    } else {
        "if the worker may end on SIGTERM as it likes, say so in the description: worker.drains: false; if it ends by itself and your \
         pods start it again: worker.exit: restart"
    };
    Some(told.to_owned())
}

/// The counterpart of [`cause`] for a described worker, where more can be said; `updates`: its rows may be updated.
const fn described(violation: Violation, updates: bool) -> Option<&'static str> {
    Some(match violation {
        Violation::Corrupted | Violation::Conflicting if updates => {
            "does the worker write every column as the description says, and not change it later? If a column never holds that value, correct \
             row.columns"
        }
        Violation::Corrupted | Violation::Conflicting => {
            "does the worker store what came, and insert instead of overwrite? If a column never holds what the description says, correct \
             row.columns"
        }
        Violation::Overwritten if updates => {
            "what deletes a row that is stored? row.written: updated lets rows be changed, and not deleted"
        }
        Violation::Overwritten => {
            "does the worker use Insert Entity, and no upsert? If it may write over its rows, say so in the description: row.written: \
             updated"
        }
        Violation::Restamped => {
            "does the worker copy the times of the message as they are, to the last digit, and make neither itself?"
        }
        Violation::Misreported => {
            "does the worker stamp a message when it receives it and when its work is done, and take the attempt from that receive?"
        }
        Violation::Unwitnessed => {
            "does the worker use the endpoints alone that the variables of its description hold?"
        }
        _ => return None,
    })
}

/// Where to look for the cause of a violation, from what usually causes it.
const fn cause(violation: Violation) -> &'static str {
    match violation {
        Violation::Lost => {
            "was the message deleted before its row was stored, or an error swallowed?"
        }
        Violation::Duplicated | Violation::Misplaced => {
            "are the row's keys made from the message id alone, and never afresh for each delivery?"
        }
        Violation::Corrupted | Violation::Conflicting => {
            "does the consumer store the payload as it came, and insert instead of overwrite?"
        }
        Violation::Restamped => {
            "does the consumer copy srcStamp and sentStamp from the message as text, and make neither itself?"
        }
        Violation::Misreported => {
            "does the consumer stamp a message when it receives it and when its work is done, and take attempt from that receive, and node from NODE_NAME, also in what it puts into the poison queue?"
        }
        Violation::Phantom => "does another producer or run use this queue or table?",
        Violation::Poisoned => "what made every attempt fail? The poison queue holds the reason",
        Violation::Accepted => "does the consumer check fields, size and digest before it stores?",
        Violation::Unfinished => "did the consumers stop, or were they given too little time?",
        Violation::Unsecured => {
            "does the consumer wait for storage's answer to the insert, and look at it, before it deletes?"
        }
        Violation::Unwitnessed => {
            "does the consumer use the endpoints of its environment alone, AZURE_QUEUE_ENDPOINT and AZURE_TABLE_ENDPOINT?"
        }
        Violation::Meddled => {
            "does the consumer store and delete only what it has received itself, renew without a new body, use its own queues and table alone, put nothing into the queue that it takes messages from, and leave the queue's metadata as they are?"
        }
        Violation::Overwritten => "does the consumer use Insert Entity, and no upsert?",
        Violation::Stubborn => "does the consumer let go of a message whose lease it has lost?",
        Violation::Undeleted => {
            "does the delete use the newest pop receipt, and is its failure seen? If a consumer was killed before its delete, its messages come back when their leases run out: allow that time with --settle"
        }
    }
}
