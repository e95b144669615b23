//! Check whether rows hold the time stamps that the producer wrote, by sums over blocks of messages.

use contract::workload::Name;
use contract::{Seq, StampSums, StoredRow};
use evidence::audit::StampBlocks;
use fixedbitset::FixedBitSet;

use super::known::stamps_untold;
use super::{Auditor, SendOutcome, Violation, Witness};

/// Sums of the stamps in rows of acknowledged messages.
#[derive(Debug, Default)]
pub(super) struct FoundStamps {
    sums: StampSums,
    /// Blocks with a row that is not its message's only sound row.
    unfit: FixedBitSet,
}

impl FoundStamps {
    /// Adds a row of an acknowledged message.
    pub(super) fn row(&mut self, seq: Seq, row: &StoredRow, is_only_and_sound: bool) {
        match (row.src_stamp, row.sent_stamp) {
            (Some(src), Some(sent)) if is_only_and_sound => self.sums.add(seq, src, sent),
            _ => self.unfit.grow_and_insert(StampSums::block_of(seq)),
        }
    }
}

impl Auditor {
    /// Compares the sums of every block after all rows; `None` if the producer gave no sums.
    pub(super) fn judge_stamps(&mut self) -> Option<StampBlocks> {
        let expected = self.expectation.stamp_sums.take()?;
        if stamps_untold(&self.lens).is_some() {
            return None;
        }
        let mut blocks = StampBlocks::default();
        let last = Seq::new(self.checked.begun).map(StampSums::block_of);
        for block in last.into_iter().flat_map(|last| 0..=last) {
            if !self.is_complete(block) {
                blocks.unjudged += 1;
                continue;
            }
            blocks.judged += 1;
            if self.stamps.sums.sum(block) != expected.sum(block) {
                let rows = self.acknowledged(block).count() as u64;
                blocks.suspected = blocks.suspected.saturating_add(rows);
                let witness = self.restamped(block, rows);
                self.findings.add(Violation::Restamped, || witness);
            }
        }
        Some(blocks)
    }

    fn is_complete(&self, block: usize) -> bool {
        let has_row = |seq| self.seen.stored.has(seq);
        !self.stamps.unfit.contains(block) && self.acknowledged(block).all(has_row)
    }

    fn acknowledged(&self, block: usize) -> impl Iterator<Item = Seq> {
        let seqs = StampSums::seqs_of(block).filter_map(Seq::new);
        seqs.filter(|seq| self.checked.send_of(*seq) == SendOutcome::Acknowledged)
    }

    fn restamped(&self, block: usize, rows: u64) -> Witness {
        let (from, to) = StampSums::seqs_of(block).into_inner();
        let id = |n| self.id(Seq::new(n).expect("a block must start at 1 or later"));
        let column = |name| {
            self.lens
                .described(name)
                .map_or("", |it| it.column.as_str())
        };
        Witness::new(
            format!(
                "messages {} to {}",
                id(from),
                id(to.min(self.checked.begun))
            ),
            format!(
                "`{}` or `{}` is not the message's in at least one of {rows} rows: compare a row with the body of its \
                 message, to the last digit",
                column(Name::Intended),
                column(Name::Sent)
            ),
        )
    }
}
