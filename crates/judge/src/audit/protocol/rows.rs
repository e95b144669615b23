//! Requests on rows: which rows are stored, what they claim, and which are changed.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use contract::workload::Written;
use contract::{Seq, Stamp};
use evidence::{Crossing, Happened, Operation, RowChange};

use super::Protocol;
use crate::audit::deliveries::Compared;
use crate::audit::{Violation, Witness};

impl Protocol {
    /// Handles a row that a request names: an insert, a transaction, a read, or an operation outside of the contract.
    pub(super) fn touched(&mut self, crossing: &Crossing, row: &RowChange) {
        let happened = crossing.happened();
        let is_updated = self.lens.description().written() == Written::Updated;
        let writes =
            row.operation == Operation::InsertEntity || is_updated && row.operation.stores();
        let is_own = self.resources.is_table(&crossing.resource);
        let is_done = is_own && writes && happened != Happened::No;
        let seq = self.seq_of_row(row, is_done);
        // A row that is written in several steps is stored by its last step.
        let stores = writes && (!is_updated || is_done && self.makes_whole(row));
        if !is_own {
            if let (true, Happened::Yes, Some(seq)) = (row.operation.stores(), happened, seq) {
                self.strayed.insert(seq, crossing.resource.clone());
            }
            if row.operation.stores() || row.operation.overwrites() {
                self.strayed(crossing);
            }
            return;
        }
        if is_done && seq.is_none() {
            let place = place_of(&row.keys.partition, &row.keys.row);
            self.nameless.insert(place, &crossing.client);
        }
        let exists = match (row.operation, happened) {
            (Operation::DeleteEntity, _) => false,
            // A row that is written in steps may be found incomplete.
            (_, Happened::Yes) => stores || !is_updated,
            // The refusal shows that the row exists: this is how a second delivery learns that the message was done.
            (Operation::InsertEntity, Happened::No) => {
                // A row that is written in steps may be incomplete.
                !is_updated
                    && crossing.found_a_row()
                    // In a transaction, the refusal concerns only the row that storage names.
                    && row.part == crossing.failed_part
                    // If the key does not name the message, the existing row may be another message's.
                    && self.has_row(row, seq)
            }
            _ => false,
        };
        if let (true, Some(seq)) = (exists, seq) {
            self.found(seq, crossing);
        }
        if let (true, Some(seq)) = (stores, seq) {
            self.inserted(crossing, row, seq);
        }
        if let (true, Some(seq)) = (is_done, seq) {
            self.claimed(crossing, row, seq);
        }
        if row.operation.overwrites() && happened != Happened::No {
            let is_deleted = row.operation == Operation::DeleteEntity;
            if let Some(seq) = seq {
                self.inserts.change(seq);
                if is_deleted {
                    self.inserts.delete(seq, &crossing.client);
                }
            }
            self.removed_rows += u64::from(is_deleted);
            if is_updated && !is_deleted {
                return;
            }
            let subject = self.name_of(row, seq);
            self.findings.add(Violation::Overwritten, || {
                let (client, operation) = (&crossing.client, row.operation);
                let promised = if is_updated {
                    "`row.written: updated` lets rows be changed, not deleted"
                } else {
                    "rows are inserted, and never changed"
                };
                let did = if is_deleted { "deleted" } else { "changed" };
                let detail = format!("{client} {did} the row with {operation}; {promised}");
                Witness::new(subject, detail)
            });
        }
    }

    /// Notes that storage said in its answer to `crossing` that the row of `seq` exists. An answer that came after its client had gone
    /// away has confirmed nothing.
    fn found(&mut self, seq: Seq, crossing: &Crossing) {
        if self.stored.has(seq) {
            return;
        }
        if crossing.unheard {
            self.unheard.insert(seq);
            return;
        }
        self.unheard.remove(&seq);
        self.stored.mark(seq);
        self.stored_at.insert(seq, crossing.ended);
    }

    /// Handles a query of the table, which may have shown rows whose insert was confirmed to nobody: the history does not tell which
    /// rows an answer held.
    pub(super) fn queried(&mut self, crossing: &Crossing) {
        let is_heard = crossing.happened() == Happened::Yes && !crossing.unheard;
        if !is_heard || !self.resources.is_table(&crossing.resource) {
            return;
        }
        for seq in std::mem::take(&mut self.unheard) {
            self.found(seq, crossing);
        }
    }

    /// Whether this write, which may have succeeded, completes a row that is written in steps.
    fn makes_whole(&mut self, row: &RowChange) -> bool {
        let lacking = row.lacking.iter().cloned();
        let lacking: BTreeSet<String> = match self
            .steps
            .get(&place_of(&row.keys.partition, &row.keys.row))
        {
            // An insert finds no earlier row.
            Some(before) if row.operation != Operation::InsertEntity => {
                lacking.filter(|name| before.contains(name)).collect()
            }
            _ => lacking.collect(),
        };
        let is_whole = lacking.is_empty();
        self.steps
            .insert(place_of(&row.keys.partition, &row.keys.row), lacking);
        is_whole
    }

    /// Handles an insert, or the completing step, of the row of `seq`, whatever its result.
    fn inserted(&mut self, crossing: &Crossing, row: &RowChange, seq: Seq) {
        // A refusal because another message's row has these keys says that this row could not be stored.
        let is_in_the_way = crossing.found_a_row()
            && row.part == crossing.failed_part
            && !self.has_row(row, Some(seq));
        if !is_in_the_way {
            self.deliveries.tried(seq, crossing, row.part);
        }
        let happened = crossing.happened();
        if happened == Happened::No {
            return;
        }
        let ahead = self.clocks.ahead_us();
        let answered = Stamp::from_micros(crossing.ended.as_micros().saturating_add(ahead));
        let answered = (happened == Happened::Yes).then_some(answered);
        let in_hand = self.deliveries.in_hand_us(
            seq,
            crossing,
            row.delivery.as_ref(),
            (&self.activity, ahead),
        );
        self.inserts.add(seq, row.print, answered, in_hand);
        let delivery = self.deliveries.last_before(seq, crossing);
        self.ways.stored(seq, delivery, crossing.began, ahead);
        // A row at the keys of another message: the worker has received the message whose payload it holds.
        let holds = row.holds.as_deref().and_then(|id| self.seq_of(id));
        let is_received = [Some(seq), holds]
            .into_iter()
            .flatten()
            .any(|seq| self.handed_over.has(seq));
        let client = &crossing.client;
        if !is_received
            && crossing.strange.is_none()
            && !(self.account).may_have_received(client, &self.lens.id(seq))
        {
            self.unreceived.push((seq, client.clone()));
        }
    }

    /// Whether `crossing` is a request to store rows that storage had confirmed as stored before the request began. An honest worker
    /// has no reason to repeat such a request, so no other row waits for it; a worker that invents stamps could repeat it all the time,
    /// and each of its rows would seem to wait. A repeat after an insert without an answer is not in vain: nobody had heard that the
    /// row is there. Nor is the first insert of a second delivery, unless the row was confirmed before; then the judgement is stricter
    /// by the time of one request.
    pub(super) fn is_in_vain(&self, crossing: &Crossing) -> bool {
        if !crossing.operation.stores() {
            return false;
        }
        let is_refused = crossing.found_a_row();
        // A worker that hangs up before each answer would never hear that the row is there.
        if is_refused && crossing.unheard && crossing.fault.is_none() {
            return true;
        }
        // Of a refused transaction, nothing else can be stored than before, whatever its other rows are.
        let blamed = crossing.failed_part.filter(|_| is_refused);
        let stores = crossing.rows.iter().filter(|row| row.operation.stores());
        // A transaction that only reads stores nothing.
        stores
            .filter(|row| blamed.is_none() || row.part == blamed)
            .all(|row| self.was_stored(row, crossing.began))
    }

    /// Whether storage had confirmed before `began` that there is a row at the keys of `row`.
    fn was_stored(&self, row: &RowChange, began: Stamp) -> bool {
        let there = self.row_at(row).or_else(|| self.seq_of_keys(row));
        there.is_some_and(|seq| {
            let at = self.stored_at.get(&seq);
            // The time is forgotten when the message is deleted.
            self.stored.has(seq) && at.is_none_or(|at| *at <= began)
        })
    }

    /// Judges rows whose message the wire had not handed over before. If their client had peeked at the message, or storage
    /// delivered it for the first time later, nobody had received it; otherwise a client received it around the wire.
    pub(super) fn judge_unreceived(&mut self) {
        for (seq, client) in std::mem::take(&mut self.unreceived) {
            let is_unreceived = self.peeked.has(seq) || self.first_delivered.has(seq);
            let (violation, detail) = if is_unreceived {
                let detail = format!("{client} stored a row of a message that it never received");
                (Violation::Meddled, detail)
            } else {
                let detail = format!(
                    "{client} stored the row of a message that nobody has received over the wire"
                );
                (Violation::Unwitnessed, detail)
            };
            let witness = || Witness::new(self.lens.id(seq), detail);
            self.findings.add(violation, witness);
        }
    }

    /// Compares the claims of a row about its delivery.
    fn claimed(&mut self, crossing: &Crossing, row: &RowChange, seq: Seq) {
        let subject = self.name_of(row, Some(seq));
        let Some(claimed) = &row.delivery else { return };
        let client = &crossing.client;
        // Only if all of its deliveries are known: an answer that cannot be read may have held one.
        let is_anothers = self.claims.is_any()
            && crossing.happened() == Happened::Yes
            && self.deliveries.are_anothers(seq, client)
            && !(self.account).may_have_received(client, &self.lens.id(seq));
        let told = (&self.clocks, &self.activity, self.skews.as_mut());
        let compared = if is_anothers {
            Compared::False(format!(
                "{client} stored the row, and never received the message"
            ))
        } else {
            self.claims
                .compare(&self.deliveries, seq, (crossing, claimed), told)
        };
        match compared {
            Compared::Fine => {}
            Compared::Untold => self.traffic.untold_claims += 1,
            Compared::Early {
                detail,
                from,
                to,
                idle,
            } => {
                self.early.push(seq, (from, to, idle), (subject, detail));
            }
            Compared::False(detail) => {
                if !self.misreported.mark(seq) {
                    let witness = || Witness::new(subject, detail);
                    self.findings.add(Violation::Misreported, witness);
                }
            }
        }
    }

    /// The message of a row, as the auditor finds it: by its columns, its keys, or an earlier write at these keys. A row whose keys are not those of its
    /// message is still the message's row. A write is remembered if the keys do not tell the message.
    fn seq_of_row(&mut self, row: &RowChange, writes: bool) -> Option<Seq> {
        let by_columns = row.id.as_deref().and_then(|id| self.seq_of(id));
        if let (true, Some(seq)) = (writes, by_columns) {
            self.rows_at
                .insert(place_of(&row.keys.partition, &row.keys.row), seq);
        }
        if !self.lens.has_telling_keys() {
            return by_columns.or_else(|| self.row_at(row));
        }
        // These name all columns of a row; the other requests concern the row that is there.
        let is_whole = matches!(
            row.operation,
            Operation::InsertEntity | Operation::UpsertEntity
        );
        if is_whole && writes && by_columns.is_none() && !self.rows_at.is_empty() {
            self.rows_at
                .remove(&place_of(&row.keys.partition, &row.keys.row));
        }
        let there = || self.row_at(row).filter(|_| !is_whole);
        by_columns.or_else(there).or_else(|| self.seq_of_keys(row))
    }

    /// The message that the keys of a row name.
    fn seq_of_keys(&self, row: &RowChange) -> Option<Seq> {
        let owner = self.lens.owner_of_keys(&row.keys.partition, &row.keys.row);
        owner.seq().filter(|seq| seq.get() <= self.last)
    }

    /// The message whose row was stored at these keys, if the keys do not tell it.
    fn row_at(&self, row: &RowChange) -> Option<Seq> {
        // Rows are hashed only if there are such rows.
        let is_any = !self.rows_at.is_empty();
        is_any.then(|| {
            self.rows_at
                .get(&place_of(&row.keys.partition, &row.keys.row))
                .copied()
        })?
    }

    /// Whether the row at these keys belongs to `seq`, as far as known.
    fn has_row(&self, row: &RowChange, seq: Option<Seq>) -> bool {
        match self.row_at(row) {
            Some(there) => seq == Some(there),
            None => self.lens.has_telling_keys() && seq == self.seq_of_keys(row),
        }
    }

    /// The name of a row in witnesses: the id of its message, or its key.
    fn name_of(&self, row: &RowChange, seq: Option<Seq>) -> String {
        seq.map_or_else(|| row.keys.row.clone(), |seq| self.lens.id(seq))
    }
}

/// A hash of the keys of a row.
pub(in crate::audit) fn place_of(partition: &str, row: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (partition, row).hash(&mut hasher);
    hasher.finish()
}
