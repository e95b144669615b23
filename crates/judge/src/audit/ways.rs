//! Times of a message's send, receive and end as seen on the wire, for rows that lack these columns or hold whole seconds only.

use contract::workload::{Lens, Name};
use contract::{Seq, Stamp, StoredRow};
use evidence::Handled;

/// The times of one message.
#[derive(Debug, Clone, Copy, Default)]
struct Way {
    intended: Option<Stamp>,
    sent: Option<Stamp>,
    /// The end of the last delivery before the row.
    delivered: Option<Stamp>,
    received: Option<Stamp>,
    done: Option<Stamp>,
}

/// The times of all messages; empty if rows hold all of them.
#[derive(Debug, Clone)]
pub(super) struct Ways {
    all: Vec<Way>,
    /// Whether rows lack some of the times.
    is_needed: bool,
    /// Which times rows hold exactly: intended, sent, received, done.
    told: [bool; 4],
}

impl Ways {
    pub(super) fn of(lens: &Lens) -> Self {
        let names = [Name::Intended, Name::Sent, Name::Received, Name::Done];
        // A stamp cut to seconds says nothing about a latency shorter than a second.
        let told = names.map(|name| lens.described(name).is_some_and(|it| it.format.is_exact()));
        Self {
            all: Vec::new(),
            is_needed: told.contains(&false),
            told,
        }
    }

    fn way(&mut self, seq: Seq) -> Option<&mut Way> {
        if !self.is_needed {
            return None;
        }
        let at = usize::try_from(seq.get()).ok()?;
        if self.all.len() <= at {
            self.all.resize(at + 1, Way::default());
        }
        self.all.get_mut(at)
    }

    /// Records the put of message `seq`, by a request that began at `began`.
    pub(super) fn put(&mut self, seq: Seq, message: &Handled, began: Stamp) {
        if let Some(way) = self.way(seq) {
            way.intended = way.intended.or(message.intended);
            way.sent = way.sent.or(message.sent).or(Some(began));
        }
    }

    /// Records a delivery of message `seq`, by an answer that ended at `ended`.
    pub(super) fn delivered(&mut self, seq: Seq, ended: Stamp) {
        if let Some(way) = self.way(seq)
            && way.done.is_none()
        {
            way.delivered = Some(ended);
        }
    }

    /// Records a request to store the row of `seq`, after a delivery that had ended at that time. Only the first one counts.
    pub(super) fn stored(
        &mut self,
        seq: Seq,
        delivery: Option<Stamp>,
        began: Stamp,
        ahead_us: i64,
    ) {
        let by_wall_clock = |at: Stamp| Stamp::from_micros(at.as_micros().saturating_add(ahead_us));
        if let Some(way) = self.way(seq)
            && way.done.is_none()
        {
            // The delivery of a message that was deleted before its row is no longer recorded, so the last one counts.
            way.received = delivery.or(way.delivered).map(by_wall_clock);
            way.done = Some(by_wall_clock(began));
        }
    }

    /// Fills in the times that `row` lacks or does not hold exactly.
    pub(super) fn fill(&self, seq: Seq, row: &mut StoredRow) {
        let at = usize::try_from(seq.get()).unwrap_or(usize::MAX);
        let Some(way) = self.all.get(at) else { return };
        let stamps = [
            (&mut row.src_stamp, way.intended),
            (&mut row.sent_stamp, way.sent),
            (&mut row.dequeued_stamp, way.received),
            (&mut row.date_stamp, way.done),
        ];
        for ((own, seen), told) in stamps.into_iter().zip(self.told) {
            if !told {
                *own = seen.or(*own);
            }
        }
    }
}
