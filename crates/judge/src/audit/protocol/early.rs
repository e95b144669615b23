//! Rows that claim that their work was done long before they were sent. Only the end of the history shows whether the machine
//! was paused in between.

use contract::{Seq, Stamp};

use super::Protocol;
use crate::audit::{MAX_WITNESSES, Violation, Witness};

/// The rows with such a claim.
#[derive(Debug, Clone, Default)]
pub(super) struct Early(Vec<Row>);

#[derive(Debug, Clone)]
struct Row {
    seq: Seq,
    from: Stamp,
    to: Stamp,
    /// Subject and detail, kept only for as many rows as may become witnesses.
    told: Option<(String, String)>,
}

/// Number of rows whose subject and detail are kept. The factor allows for rows that are excused or repeated.
const WITH_WORDS: usize = 10 * MAX_WITNESSES;

impl Early {
    /// Records that the row of `seq` claims the first of these times as the end of its work, and was sent at the second.
    pub(super) fn push(&mut self, seq: Seq, (from, to): (Stamp, Stamp), told: (String, String)) {
        let told = (self.0.len() < WITH_WORDS).then_some(told);
        self.0.push(Row {
            seq,
            from,
            to,
            told,
        });
    }
}

impl Protocol {
    /// Judges the recorded rows. If the harness was paused between the two times, its consumers may have been too, and the row
    /// is excused.
    pub(super) fn judge_early(&mut self) {
        for row in std::mem::take(&mut self.early.0) {
            if self.clocks.stood_still(row.from, row.to) {
                self.traffic.starved_claims += 1;
            } else if !self.misreported.mark(row.seq) {
                let id = || self.lens.id(row.seq);
                self.findings
                    .add(Violation::Misreported, || match row.told {
                        Some((subject, detail)) => Witness::new(subject, detail),
                        None => Witness::new(id(), "its work was done long after it says"),
                    });
            }
        }
    }
}
