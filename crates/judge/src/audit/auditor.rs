//! The streaming auditor.

use std::collections::HashSet;

use contract::workload::{Description, Lens, Owner, Written};
use contract::{Seq, Stamp, StoredRow};
use evidence::audit::{Foreign, FurtherRows};
use evidence::quoted;

use super::absent::Absent;
use super::body::Parts;
use super::content::{Content, messages_in};
use super::expectation::Checked;
use super::findings::Findings;
use super::known::not_judged;
use super::protocol::Protocol;
use super::seen::Seen;
use super::stamps::FoundStamps;
use super::verdict::with_history;
use super::{
    AtWork, Audit, Expectation, ExpectationError, Removals, RowSummary, SendCounts, SendOutcome,
    Testimony, Violation, Witness,
};

/// How far the clocks of the producer and of the service may differ, in microseconds: clocks synchronised over the network
/// differ by less than a second.
pub(super) const CLOCKS_APART_US: i64 = 60_000_000;

/// Part of the detail for a row that stands for several messages.
pub(super) const OF_MANY: &str = "one row for many messages is out of scope (docs/DESCRIPTION.md)";

/// Audits a run: takes everything that is in storage, in any order; [`Auditor::finish`] returns the findings.
///
/// Memory: six bits per message and sixteen bytes per thousand messages, plus a few bytes for each foreign body in the poison
/// queue.
#[derive(Debug)]
pub struct Auditor {
    pub(super) expectation: Expectation,
    pub(super) checked: Checked,
    pub(super) lens: Lens,
    pub(super) seen: Seen,
    pub(super) findings: Findings,
    pub(super) stamps: FoundStamps,
    pub(super) content: Content,
    absent: Absent,
    pub(super) parts: Parts,
    rows: u64,
    pub(super) other_runs: u64,
    pub(super) hidden: u64,
    pub(super) foreign_poison: HashSet<String>,
    pub(super) foreign_left: u64,
    pub(super) unattributed: u64,
    unattributed_rows: u64,
    rows_of_many: u64,
    further_rows: Option<FurtherRows>,
    at_work: Option<AtWork>,
    pub(super) poison_repeats: u64,
    pub(super) unreadable_poison: u64,
    /// Number of messages that were seen in the queue.
    pub(super) visible: u64,
    pub(super) testimony: Option<Testimony>,
    /// Number of rows with stamps in the wrong order, which a change of the wall clock explains.
    pub(super) reversed: u64,
    /// Number of lost messages whose row was deleted.
    pub(super) removed: u64,
}

impl Auditor {
    /// Makes an auditor for `expectation`; returns an error if the expectation contradicts itself.
    pub fn new(expectation: Expectation) -> Result<Self, ExpectationError> {
        let checked = Checked::of(&expectation)?;
        let lens = Lens::new(expectation.description.clone(), expectation.run.clone());
        Ok(Self {
            seen: Seen::new(checked.last),
            stamps: FoundStamps::default(),
            content: Content::of(expectation.payloads, &lens),
            absent: Absent::of(&lens),
            lens,
            expectation,
            checked,
            findings: Findings::default(),
            parts: Parts::default(),
            rows: 0,
            other_runs: 0,
            hidden: 0,
            foreign_poison: HashSet::new(),
            foreign_left: 0,
            unattributed: 0,
            unattributed_rows: 0,
            rows_of_many: 0,
            further_rows: None,
            at_work: None,
            poison_repeats: 0,
            unreadable_poison: 0,
            visible: 0,
            testimony: None,
            reversed: 0,
            removed: 0,
        })
    }

    /// Makes the judge of the history of the same run.
    pub fn protocol(&self) -> Protocol {
        Protocol::new(self.lens.clone(), self.checked.last)
    }

    /// Takes the results from the wire's history. Call it before rows are added, because each row is compared with the history.
    pub fn hear(&mut self, testimony: Testimony) {
        self.testimony = Some(testimony);
    }

    /// Takes one row of the table. Rows of other runs are counted and not judged, unless the table is the run's alone. If the
    /// `RowKey` is not a message id, the row is identified by its payload, which catches a worker that makes a new key for each
    /// delivery. A row that names no message of any run is a phantom, unless others write to the table too. In that case, a row
    /// that the service stored well before the run began is ignored like those of other runs, and a later row remains
    /// unattributed.
    ///
    /// Read the row through the workload's description first ([`Lens::row`]).
    ///
    /// Call this for every row of the run's table, not only for rows in the run's partitions: misplaced rows are violations.
    ///
    /// Returns the message of the run to which the row belongs. `None` for rows of other runs and for rows without a sent
    /// message: they enter no figure of the run.
    pub fn row(&mut self, row: &StoredRow) -> Option<Seq> {
        let own_table = self.expectation.own_table;
        let by_id = self.lens.owner_of_row(row);
        let seq = match by_id {
            Owner::Ours(seq) => Some(seq),
            Owner::OtherRun if !own_table && !self.lens.is_in_our_partition(row) => {
                self.other_runs += 1;
                return None;
            }
            // The `RowKey` should hold an id and does not, so the whole payload must match: a part may belong to another run.
            _ if self.lens.has_ids() => self.content.seq_of(row, true),
            _ => {
                let seq = self.content.seq_of(row, !own_table);
                if seq.is_none() && !own_table && self.lens.count_in(row).is_some() {
                    self.other_runs += 1;
                    return None;
                }
                seq
            }
        };
        if seq.is_none() && self.was_there_before(row) {
            self.other_runs += 1;
            return None;
        }
        if seq.is_none() && self.expectation.shared_storage {
            self.unattributed_rows += 1;
            return None;
        }
        self.rows += 1;
        match seq {
            Some(seq) if self.is_expected(seq) => {
                self.known_row(seq, row);
                return Some(seq);
            }
            Some(seq) => self.phantom_row(row, self.unsent(seq)),
            None => {
                let detail = match messages_in(&self.lens, row) {
                    0 | 1 => "neither its keys nor its data name a message".into(),
                    several => {
                        self.rows_of_many += 1;
                        format!("it is of {several} messages; {OF_MANY}")
                    }
                };
                self.phantom_row(row, detail);
            }
        }
        None
    }

    /// Whether a shared table had the row before the run began, by the service's own `Timestamp`, which workers cannot write.
    fn was_there_before(&self, row: &StoredRow) -> bool {
        let begun = self.expectation.begun_at.zip(row.timestamp);
        let early = |(begun, stored): (Stamp, Stamp)| stored.micros_since(begun) < -CLOCKS_APART_US;
        !self.expectation.own_table && begun.is_some_and(early)
    }

    /// Takes a body that is still in the queue.
    pub fn left_in_queue(&mut self, body: &str) {
        self.visible += 1;
        match self.lens.owner_of_message(body) {
            Owner::Ours(seq) if self.is_expected(seq) => {
                self.seen.queued.mark(seq);
                self.refuse_failed_send(seq, "it is in the queue");
            }
            Owner::Ours(seq) => self.phantom_body(body, &self.unsent(seq)),
            Owner::OtherRun => self.other_runs += 1,
            Owner::Nobody if self.expectation.shared_storage => self.other_runs += 1,
            Owner::Nobody => self.foreign_left += 1,
        }
    }

    /// Takes the number of messages in the queue whose bodies cannot be read, because they are leased. Up to this number of
    /// messages without a row may be among them; these count as unfinished, not as lost.
    pub fn left_unseen(&mut self, count: u64) {
        self.hidden += count;
    }

    /// Records that consumers still worked on the queue when the evidence was read: messages in the queue may be finished a
    /// moment later.
    pub fn at_work(&mut self, work: AtWork) {
        self.at_work = Some(work);
    }

    /// Judges the messages without sufficient traces, and returns the audit.
    pub fn finish(mut self) -> Audit {
        self.judge_given_up();
        self.judge_unseen_deletes();
        let fates = self.judge_fates();
        let stamps = self.judge_stamps();
        let mut not_judged = not_judged(&self.lens, self.testimony.is_some());
        not_judged.extend(self.absent.not_judged(self.rows));
        not_judged.sort_by_key(|each| each.violation);
        not_judged.dedup_by_key(|each| each.violation);
        let unreadable_poison = self.unreadable_poison + self.parts.open() as u64;
        let (unknown, failed) = (self.checked.unknown.count(), self.checked.failed.count());
        let Expectation {
            run,
            planned,
            begun,
            complete,
            ..
        } = self.expectation;
        let description = self.lens.description();
        let foreign = (**description != *Description::own()).then(|| Foreign {
            updates: description.written() == Written::Updated,
        });
        let audit = Audit {
            run,
            planned,
            begun,
            complete,
            not_judged,
            foreign,
            sends: SendCounts {
                acknowledged: begun - unknown - failed,
                unknown,
                failed,
                stopped: self.expectation.sends.stopped,
            },
            rows: self.rows,
            other_runs: self.other_runs,
            hidden: self.hidden,
            unattributed: self.unattributed,
            unattributed_rows: self.unattributed_rows,
            rows_of_many: self.rows_of_many,
            further_rows: self.further_rows,
            at_work: self.at_work,
            fates,
            foreign_poison: self.foreign_poison.len() as u64,
            poison_repeats: self.poison_repeats,
            unreadable_poison,
            stamps,
            reversed: self.reversed,
            removals: Removals {
                rows: self.testimony.as_ref().map_or(0, |it| it.removed_rows),
                lost: self.removed,
            },
            findings: self.findings.finish(),
            traffic: None,
        };
        let mut audit = match self.testimony {
            Some(Testimony {
                traffic, findings, ..
            }) => with_history(audit, traffic, findings),
            None => audit,
        };
        // A violation that was found is reported, even if its kind cannot be judged in general.
        let found: Vec<_> = audit.findings.iter().map(|it| it.violation).collect();
        audit
            .not_judged
            .retain(|each| !found.contains(&each.violation));
        audit
    }

    fn known_row(&mut self, seq: Seq, row: &StoredRow) {
        let mut flaws = self.content.flaws(seq, row);
        self.excuse_reversed(row, &mut flaws);
        self.check_seen(seq, row);
        self.absent.row(row);
        let again = self.seen.stored.mark(seq);
        let payloads = self.expectation.payloads;
        if !self.lens.is_at_its_keys(row, seq, payloads) {
            let detail = format!("should be at {}", self.lens.keys_in_words(seq, payloads));
            self.accuse(Violation::Misplaced, seq, detail, Some(row));
        }
        if again {
            let detail = "this row comes on top of another row of the same message".into();
            self.accuse(Violation::Duplicated, seq, detail, Some(row));
        }
        if self.seen.content(seq, flaws.is_empty()) {
            let detail = "one row of this message has the content that was sent, another has not";
            self.accuse(Violation::Conflicting, seq, detail.into(), Some(row));
        }
        if !flaws.is_empty() {
            let detail: Vec<String> = flaws.iter().map(ToString::to_string).collect();
            self.accuse(Violation::Corrupted, seq, detail.join("; "), Some(row));
        }
        let send = self.checked.send_of(seq);
        if send == SendOutcome::Acknowledged {
            self.stamps.row(seq, row, !again && flaws.is_empty());
        }
        if self.checked.poison.contains(seq) {
            if !again {
                let detail = "a bad message, stored as a result".into();
                self.accuse(Violation::Accepted, seq, detail, Some(row));
            }
        } else if send == SendOutcome::Failed {
            let detail = "its send failed, and it has a row".into();
            self.accuse(Violation::Phantom, seq, detail, Some(row));
        }
    }

    pub(super) fn refuse_failed_send(&mut self, seq: Seq, where_it_is: &str) {
        if self.checked.send_of(seq) == SendOutcome::Failed {
            let detail = format!("its send failed, and {where_it_is}");
            self.accuse(Violation::Phantom, seq, detail, None);
        }
    }

    fn phantom_row(&mut self, row: &StoredRow, mut detail: String) {
        let testimony = self.testimony.as_ref();
        let writer = testimony.and_then(|it| it.nameless.writer(&row.partition_key, &row.row_key));
        if let Some(client) = writer {
            detail = format!("{client} wrote it; {detail}");
            let further = self.further_rows.get_or_insert_with(|| FurtherRows {
                rows: 0,
                client: client.to_owned(),
            });
            further.rows += 1;
        }
        let lens = &self.lens;
        self.findings.add(Violation::Phantom, || Witness {
            row: Some(RowSummary::through(lens, row)),
            ..Witness::new(
                format!(
                    "row {} / {}",
                    quoted(&row.partition_key),
                    quoted(&row.row_key)
                ),
                detail,
            )
        });
    }

    pub(super) fn phantom_body(&mut self, body: &str, detail: &str) {
        let witness = || Witness::new(format!("body {}", quoted(body)), detail);
        self.findings.add(Violation::Phantom, witness);
    }

    /// Reports a violation on an expected message, which then no longer counts as kept.
    pub(super) fn accuse(
        &mut self,
        violation: Violation,
        seq: Seq,
        detail: String,
        row: Option<&StoredRow>,
    ) {
        self.seen.spoiled.mark(seq);
        let lens = &self.lens;
        self.findings.add(violation, || Witness {
            row: row.map(|row| RowSummary::through(lens, row)),
            ..Witness::new(lens.id(seq), detail)
        });
    }

    /// Whether the producer began to send the message, or the scenario put it into the queue.
    pub(super) fn is_expected(&self, seq: Seq) -> bool {
        seq.get() <= self.checked.begun || self.checked.poison.contains(seq)
    }

    pub(super) fn unsent(&self, seq: Seq) -> String {
        let begun = self.checked.begun;
        format!("message {seq} was never sent: the last one begun is {begun}")
    }

    pub(super) fn id(&self, seq: Seq) -> String {
        self.lens.id(seq)
    }
}
