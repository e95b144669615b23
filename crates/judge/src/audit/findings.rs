//! Collection of an audit's findings.

use super::{Finding, MAX_WITNESSES, Violation, Witness};

/// Counts and first witnesses of every kind of violation.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    /// Adds one case; calls `witness` only while there is room for another witness.
    pub(super) fn add(&mut self, violation: Violation, witness: impl FnOnce() -> Witness) {
        let known = self.0.iter().position(|f| f.violation == violation);
        let at = known.unwrap_or_else(|| {
            self.0.push(Finding {
                violation,
                count: 0,
                witnesses: Vec::new(),
            });
            self.0.len() - 1
        });
        let finding = &mut self.0[at];
        finding.count += 1;
        if finding.witnesses.len() < MAX_WITNESSES {
            finding.witnesses.push(witness());
        }
    }

    /// The findings, the most serious kind first.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        self.0.sort_by_key(|finding| finding.violation);
        self.0
    }
}
