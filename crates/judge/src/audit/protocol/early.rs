//! Rows that claim that their work was done long before they were sent. Only the end of the history shows whether the machine
//! was paused in between.

use std::time::Duration;

use contract::{Seq, Stamp};

use super::Protocol;
use crate::audit::deliveries::LONG;
use crate::audit::{MAX_WITNESSES, Violation, Witness};

/// The rows with such a claim.
#[derive(Debug, Clone, Default)]
pub(super) struct Early(Vec<Row>);

#[derive(Debug, Clone)]
struct Row {
    seq: Seq,
    from: Stamp,
    to: Stamp,
    idle: Duration,
    /// Subject and detail, kept only for as many rows as may become witnesses.
    told: Option<(String, String)>,
}

/// Number of rows whose subject and detail are kept. The factor allows for rows that are excused or repeated.
const WITH_WORDS: usize = 10 * MAX_WITNESSES;

impl Early {
    /// Records that the row of `seq` claims the first of these times as the end of its work, and was sent at the second, with so much
    /// time between them in which its client had nothing to wait for.
    pub(super) fn push(
        &mut self,
        seq: Seq,
        (from, to, idle): (Stamp, Stamp, Duration),
        told: (String, String),
    ) {
        let told = (self.0.len() < WITH_WORDS).then_some(told);
        self.0.push(Row {
            seq,
            from,
            to,
            idle,
            told,
        });
    }
}

impl Protocol {
    /// Judges the recorded rows. If the harness was paused between the two times, its consumers may have been too, and the row
    /// is excused; so is one that has not been late for long but for the time in which storage kept requests waiting: it may have
    /// waited behind the row of another message.
    pub(super) fn judge_early(&mut self) {
        for row in std::mem::take(&mut self.early.0) {
            let (from, to) = (row.from, row.to);
            let late = row.idle.saturating_sub(self.starvation.waited(from, to));
            if self.clocks.stood_still(from, to) || late <= LONG {
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
