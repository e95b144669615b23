//! When a message was sent, received and finished, as the wire has seen it: for rows that have no columns for it, or tell whole seconds alone.

use contract::workload::{Lens, Name};
use contract::{Seq, Stamp, StoredRow};
use evidence::Handled;

/// The way of one message.
#[derive(Debug, Clone, Copy, Default)]
struct Way {
    intended: Option<Stamp>,
    sent: Option<Stamp>,
    /// The last delivery before the row.
    delivered: Option<Stamp>,
    received: Option<Stamp>,
    done: Option<Stamp>,
}

/// The ways of all messages; of none where rows say all of it.
#[derive(Debug)]
pub(super) struct Ways {
    all: Vec<Way>,
    /// Whether rows do not tell something of it.
    is_needed: bool,
    /// What rows tell whole: intended, sent, received, done.
    told: [bool; 4],
}

impl Ways {
    pub(super) fn of(lens: &Lens) -> Self {
        let names = [Name::Intended, Name::Sent, Name::Received, Name::Done];
        // A stamp that is cut off says nothing of a hop that is shorter than what it lacks.
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

    /// Message `seq` was put into the queue, by a request that began then.
    pub(super) fn put(&mut self, seq: Seq, message: &Handled, began: Stamp) {
        if let Some(way) = self.way(seq) {
            way.intended = way.intended.or(message.intended);
            way.sent = way.sent.or(message.sent).or(Some(began));
        }
    }

    /// It was handed over, by an answer that ended then.
    pub(super) fn delivered(&mut self, seq: Seq, ended: Stamp) {
        if let Some(way) = self.way(seq)
            && way.done.is_none()
        {
            way.delivered = Some(ended);
        }
    }

    /// Its row was asked to be stored, after a delivery that had ended then. The first such row counts.
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
            // A message that was deleted before its row has no delivery any more.
            way.received = delivery.or(way.delivered).map(by_wall_clock);
            way.done = Some(by_wall_clock(began));
        }
    }

    /// Fills in what `row` does not tell, or not whole.
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
