//! Judgement of each message, at the end of an audit, when everything in storage has been seen.

use contract::Seq;

use super::{Auditor, Fates, SendOutcome, Violation, Witness};

/// Where one message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    SetAside,
    NotSent,
    Undecidable,
    Unfinished,
    Missing,
    Spoiled,
}

impl Auditor {
    pub(super) fn judge_fates(&mut self) -> Fates {
        let mut fates = Fates::default();
        let missing = self.count_missing();
        for n in 1..=self.checked.last {
            let seq = Seq::new(n).expect("a sequence must start at 1");
            if !self.is_expected(seq) {
                continue;
            }
            self.check_deleted(seq);
            match self.fate(seq) {
                Fate::Kept => fates.kept += 1,
                Fate::SetAside => fates.set_aside += 1,
                Fate::NotSent => fates.not_sent += 1,
                Fate::Undecidable => fates.undecidable += 1,
                Fate::Unfinished => self.unfinished(seq, &mut fates),
                Fate::Missing => self.missing(seq, missing, &mut fates),
                Fate::Spoiled => fates.spoiled += 1,
            }
        }
        self.judge_foreign();
        self.judge_hidden(missing + fates.undecidable);
        fates
    }

    fn fate(&self, seq: Seq) -> Fate {
        let seen = &self.seen;
        if seen.spoiled.has(seq) && seen.anywhere(seq) {
            Fate::Spoiled
        } else if seen.stored.has(seq) {
            Fate::Kept
        } else if seen.poisoned.has(seq) {
            Fate::SetAside
        } else if seen.queued.has(seq) {
            Fate::Unfinished
        } else {
            match self.checked.send_of(seq) {
                SendOutcome::Failed => Fate::NotSent,
                SendOutcome::Unknown => Fate::Undecidable,
                SendOutcome::Acknowledged | SendOutcome::None => Fate::Missing,
            }
        }
    }

    fn check_deleted(&mut self, seq: Seq) {
        let seen = &self.seen;
        let done = seen.stored.has(seq) || seen.poisoned.has(seq);
        if self.expectation.complete && done && seen.queued.has(seq) {
            // Its row is right all the same: the message is not spoiled.
            let subject = self.lens.id(seq);
            self.findings.add(Violation::Undeleted, || {
                Witness::new(subject, "it is finished, and still in the queue")
            });
        }
    }

    fn unfinished(&mut self, seq: Seq, fates: &mut Fates) {
        fates.unfinished += 1;
        if self.expectation.complete {
            let detail = "it is in the queue and has no row".into();
            self.accuse(Violation::Unfinished, seq, detail, None);
        }
    }

    fn count_missing(&self) -> u64 {
        let seqs = (1..=self.checked.last).filter_map(Seq::new);
        seqs.filter(|seq| self.is_expected(*seq) && self.fate(*seq) == Fate::Missing)
            .count() as u64
    }

    /// Judges a missing message. Each of the `hidden` messages in the queue may be one of the `missing` ones, so at least the
    /// difference is lost.
    fn missing(&mut self, seq: Seq, missing: u64, fates: &mut Fates) {
        let hidden = self.hidden.min(missing);
        let mut detail = "acknowledged, and nowhere: no row, not in the queue, not poisoned".into();
        if hidden > 0 {
            detail = among_leased(missing, hidden);
        }
        if fates.lost < missing - hidden {
            fates.lost += 1;
            let testimony = self.testimony.as_ref();
            if let Some(client) = testimony.and_then(|it| it.inserts.deleted_by(seq)) {
                detail = format!("its row was stored, and {client} deleted it");
                self.removed += 1;
            }
            self.accuse(Violation::Lost, seq, detail, None);
        } else {
            fates.unfinished += 1;
            if self.expectation.complete {
                self.accuse(Violation::Unfinished, seq, detail, None);
            }
        }
    }

    /// Judges leased messages in the queue beyond the number of messages without a row: each was finished and not deleted, or
    /// belongs to another run that uses the queue.
    fn judge_hidden(&mut self, without_row: u64) {
        if !self.expectation.complete {
            return;
        }
        let foreign = self.expectation.poison.foreign;
        let seen = self.foreign_poison.len() as u64 + self.foreign_left;
        let explained = without_row + foreign.saturating_sub(seen);
        if self.expectation.shared_storage {
            self.unattributed = self.hidden.saturating_sub(explained);
            return;
        }
        for n in explained + 1..=self.hidden {
            let subject = format!("leased message {n} of {} in the queue", self.hidden);
            let detail = "every message without a row is accounted for without it, so it is finished and was not deleted";
            self.findings
                .add(Violation::Undeleted, || Witness::new(subject, detail));
        }
    }

    /// Compares numbers of bodies without an id: as many as were put into the queue must be in the poison queue.
    fn judge_foreign(&mut self) {
        let expected = self.expectation.poison.foreign;
        let found = self.foreign_poison.len() as u64;
        let left = self.foreign_left;
        let witness = |n: u64, detail: &str| {
            Witness::new(
                format!("body without an id, number {n}"),
                format!(
                    "{detail}: {expected} were sent, {found} are poisoned, {left} in the queue"
                ),
            )
        };
        for n in expected + 1..=found {
            let detail = "a body that nobody sent is in the poison queue";
            self.findings.add(Violation::Phantom, || witness(n, detail));
        }
        for n in found + left + 1..=expected {
            let detail = "it is neither in the queue nor in the poison queue";
            self.findings.add(Violation::Lost, || witness(n, detail));
        }
        if self.expectation.complete {
            for n in 1..=left {
                let detail = "it is still in the queue";
                self.findings
                    .add(Violation::Unfinished, || witness(n, detail));
            }
        }
    }
}

/// What is known of one of `missing` messages without a row, if `hidden` of them are leased messages in the queue.
fn among_leased(missing: u64, hidden: u64) -> String {
    if missing == 1 {
        return "it has no row, and it is the leased message in the queue".to_owned();
    }
    if missing == hidden {
        return format!(
            "it has no row, and it is one of {hidden} messages in the queue that are leased, so that their text cannot be read"
        );
    }
    let lost = missing - hidden;
    format!(
        "it is one of {missing} messages without a row: {hidden} in the queue, leased, so that their text cannot be read, and {lost} lost; which \
         ones cannot be told"
    )
}
