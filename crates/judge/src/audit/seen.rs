//! What is remembered of each message: six bits.

use contract::Seq;
use fixedbitset::FixedBitSet;

/// One bit for every message.
#[derive(Debug)]
pub(super) struct Marks(FixedBitSet);

impl Marks {
    pub(super) fn new(messages: u64) -> Self {
        let bits = usize::try_from(messages + 1).expect("an audit's size must fit memory");
        Self(FixedBitSet::with_capacity(bits))
    }

    /// Marks a message; true when it was marked before.
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

/// What was seen of every message.
#[derive(Debug)]
pub(super) struct Seen {
    /// It has a row.
    pub(super) stored: Marks,
    /// A row of it has the right content.
    sound: Marks,
    /// A row of it is corrupted.
    flawed: Marks,
    /// It is in the queue.
    pub(super) queued: Marks,
    /// It is in the poison queue.
    pub(super) poisoned: Marks,
    /// A violation was found on it.
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

    /// Remembers that a row of the message is sound, or is not; true when it thereby has rows of both kinds.
    pub(super) fn content(&mut self, seq: Seq, is_sound: bool) -> bool {
        let had_both = self.sound.has(seq) && self.flawed.has(seq);
        if is_sound {
            self.sound.mark(seq);
        } else {
            self.flawed.mark(seq);
        }
        !had_both && self.sound.has(seq) && self.flawed.has(seq)
    }

    /// Whether the message is anywhere.
    pub(super) fn anywhere(&self, seq: Seq) -> bool {
        self.stored.has(seq) || self.poisoned.has(seq) || self.queued.has(seq)
    }
}
