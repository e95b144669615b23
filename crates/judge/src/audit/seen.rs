//! Six bits for each message.

use contract::Seq;
use fixedbitset::FixedBitSet;

/// One bit for each message.
#[derive(Debug, Clone)]
pub(super) struct Marks(FixedBitSet);

impl Marks {
    pub(super) fn new(messages: u64) -> Self {
        let bits = usize::try_from(messages + 1).expect("an audit's size must fit memory");
        Self(FixedBitSet::with_capacity(bits))
    }

    /// Makes room for the marks of so many messages, and keeps those that are there.
    pub(super) fn grow(&mut self, messages: u64) {
        let bits = usize::try_from(messages + 1).expect("an audit's size must fit memory");
        self.0.grow(bits);
    }

    /// Marks a message; returns whether it was marked before.
    pub(super) fn mark(&mut self, seq: Seq) -> bool {
        self.0.put(Self::bit(seq))
    }

    pub(super) fn has(&self, seq: Seq) -> bool {
        self.0.contains(Self::bit(seq))
    }

    fn bit(seq: Seq) -> usize {
        usize::try_from(seq.get()).expect("a checked sequence number must fit memory")
    }
}

/// Observations about every message.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// The message has a row.
    pub(super) stored: Marks,
    /// A row of the message has the right content.
    sound: Marks,
    /// A row of the message is corrupted.
    flawed: Marks,
    /// The message is in the queue.
    pub(super) queued: Marks,
    /// The message is in the poison queue.
    pub(super) poisoned: Marks,
    /// A violation on the message was found.
    pub(super) spoiled: Marks,
}

impl Seen {
    pub(super) fn new(messages: u64) -> Self {
        let marks = || Marks::new(messages);
        Self {
            stored: marks(),
            sound: marks(),
            flawed: marks(),
            queued: marks(),
            poisoned: marks(),
            spoiled: marks(),
        }
    }

    /// Records whether a row of the message is sound; returns whether the message now has both a sound and a corrupted row.
    pub(super) fn content(&mut self, seq: Seq, is_sound: bool) -> bool {
        let had_both = self.sound.has(seq) && self.flawed.has(seq);
        if is_sound {
            self.sound.mark(seq);
        } else {
            self.flawed.mark(seq);
        }
        !had_both && self.sound.has(seq) && self.flawed.has(seq)
    }

    /// Whether any trace of the message was seen.
    pub(super) fn anywhere(&self, seq: Seq) -> bool {
        self.stored.has(seq) || self.poisoned.has(seq) || self.queued.has(seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seq(n: u64) -> Seq {
        Seq::new(n).expect("a sequence number")
    }

    #[test]
    fn a_mark_is_of_one_message_and_tells_whether_it_was_there_before() {
        let mut marks = Marks::new(3);
        assert!(!marks.mark(seq(3)));
        assert!(marks.mark(seq(3)));
        assert_eq!([1, 2, 3].map(|n| marks.has(seq(n))), [false, false, true]);
    }

    #[test]
    fn rows_of_both_kinds_are_told_once() {
        let rows = |kinds: &[bool]| {
            let mut seen = Seen::new(1);
            let told = kinds.iter().map(|is_sound| seen.content(seq(1), *is_sound));
            told.collect::<Vec<_>>()
        };
        assert_eq!(rows(&[true, true, true]), [false, false, false]);
        assert_eq!(rows(&[false, false]), [false, false]);
        assert_eq!(
            rows(&[true, false, true, false]),
            [false, true, false, false]
        );
        assert_eq!(
            rows(&[false, false, true, true]),
            [false, false, true, false]
        );
    }

    #[test]
    fn a_message_is_somewhere_if_it_is_in_the_table_or_in_either_queue() {
        type Mark = fn(&mut Seen) -> &mut Marks;
        let marks: [(Mark, bool); 4] = [
            (|seen| &mut seen.stored, true),
            (|seen| &mut seen.queued, true),
            (|seen| &mut seen.poisoned, true),
            (|seen| &mut seen.spoiled, false),
        ];
        for (mark, anywhere) in marks {
            let mut seen = Seen::new(2);
            mark(&mut seen).mark(seq(2));
            assert_eq!(seen.anywhere(seq(2)), anywhere);
            assert!(!seen.anywhere(seq(1)));
        }
    }
}
