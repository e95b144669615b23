//! Comparison of storage's content with the wire's history.

use contract::{Seq, StoredRow};

use super::content::Flaw;
use super::{Auditor, Violation, Witness};
use crate::measure::{Circumstances, Ending};
use evidence::fingerprint;

impl Auditor {
    /// The end of the way of `row`, as seen by others than its writer.
    pub fn ending(&self, row: &StoredRow) -> Ending {
        let Some(testimony) = &self.testimony else {
            return Ending::default();
        };
        let by_id = self.lens.owner_of_row(row).seq();
        let Some(seq) = by_id.or_else(|| self.lens.count_in(row)) else {
            return Ending::default();
        };
        let answered = testimony.answered(seq);
        // A workload of others may not tell when a message was to be sent.
        let from = row.src_stamp.or(row.sent_stamp);
        let span = from.zip(answered.or(row.timestamp));
        Ending {
            answered,
            in_hand_us: testimony.in_hand_us(seq),
            disturbed: span.is_some_and(|(from, to)| testimony.disturbances.touch(from, to)),
        }
    }

    /// Fills in the stamps for which `row`, of message `seq`, has no column, as seen on the wire.
    pub fn fill_stamps(&self, seq: Seq, row: &mut StoredRow) {
        if let Some(testimony) = &self.testimony {
            testimony.ways.fill(seq, row);
        }
    }

    /// Circumstances that affected the latencies of the run and are not the consumers' fault.
    pub fn circumstances(&self) -> Circumstances {
        let Some(testimony) = &self.testimony else {
            return Circumstances::default();
        };
        let disturbed =
            (!testimony.disturbances.is_empty()).then(|| testimony.traffic.storage.to_string());
        Circumstances {
            clock_set_us: testimony.traffic.clock_set_us.unsigned_abs(),
            clocks_apart_us: testimony.traffic.clocks_apart_us,
            disturbed,
        }
    }

    /// Checks that a row of the table was stored over the wire with the same content.
    pub(super) fn check_seen(&mut self, seq: Seq, row: &StoredRow) {
        let Some(testimony) = &self.testimony else {
            return;
        };
        // A request that was not understood may have stored anything.
        if testimony.is_blurred() {
            return;
        }
        if let Some(detail) = testimony.inserts.unseen(seq, fingerprint(row)) {
            self.accuse(Violation::Unwitnessed, seq, detail.to_owned(), Some(row));
        }
    }

    /// Reports messages that were put into the queue over the wire, were not deleted over it, and are not in the queue.
    pub(super) fn judge_unseen_deletes(&mut self) {
        let Some(testimony) = &self.testimony else {
            return;
        };
        if testimony.is_blurred() {
            return;
        }
        let (inside, left) = (testimony.inside, self.visible + self.hidden);
        let unaccounted = inside.saturating_sub(left);
        // A worker chooses the time to live of a message that it puts, so such a message may have expired; the put itself is a
        // finding of its own.
        let producers = unaccounted.saturating_sub(testimony.put_by_workers);
        for n in 1..=producers {
            self.findings.add(Violation::Unwitnessed, || {
                let subject = format!("message {n} of the queue that nobody has deleted");
                let detail = format!(
                    "{inside} messages went in over the wire and were not deleted over it, and {left} are in the queue"
                );
                Witness::new(subject, detail)
            });
        }
    }

    /// Removes from the `flaws` of `row` stamps of one clock in the wrong order, if the wall clock was set during the run, or went back by
    /// no less than they differ.
    pub(super) fn excuse_reversed(&mut self, row: &StoredRow, flaws: &mut Vec<Flaw>) {
        let Some(testimony) = self.testimony.as_ref() else {
            return;
        };
        let by_us = self.content.reversed_us(row);
        if testimony.traffic.clock_set_us > 0 || by_us <= testimony.clock_back_us {
            let before = flaws.len();
            flaws.retain(|flaw| !matches!(flaw, Flaw::Reversed(..)));
            self.reversed += u64::from(flaws.len() < before);
        }
    }
}
