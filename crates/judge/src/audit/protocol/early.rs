//! Rows whose work was said to be done long before they were sent. Whether the machine stood still meanwhile is known at the end alone.

use contract::{Seq, Stamp};

use super::Protocol;
use crate::audit::{MAX_WITNESSES, Violation, Witness};

/// Such rows.
#[derive(Debug, Default)]
pub(super) struct Early(Vec<Row>);

#[derive(Debug)]
struct Row {
    seq: Seq,
    from: Stamp,
    to: Stamp,
    /// What it is about and what is wrong, of so many as there may be witnesses.
    told: Option<(String, String)>,
}

/// More than these are remembered without words: of any ten of them there is one that can be a witness.
const WITH_WORDS: usize = 10 * MAX_WITNESSES;

impl Early {
    /// The row of `seq` was said to be done at the first of these times, and was sent at the second.
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
    /// Judges them: where the harness stood still between the two times, its consumers may have as well, and nothing can be said.
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
