//! The account of the queue: whatever was put into it over the wire is still there, or was deleted over the wire; and whatever
//! was handed over was asked for over the wire.

use std::collections::HashSet;

use evidence::{Crossing, Handled, Happened, Operation};

/// Messages that went in over the wire and have not come out of it.
#[derive(Debug, Default)]
pub(super) struct Account {
    inside: HashSet<String>,
    /// Deleted before their put was written down, or put by nobody whom the wire has seen.
    gone: HashSet<String>,
    /// Deletes without an answer: repeated, they find a message that the wire has already seen go.
    doubtful: HashSet<String>,
    /// Receives of which nobody knows what they handed over.
    unread: u64,
}

impl Account {
    pub(super) fn put(&mut self, queue_id: &str) {
        if !queue_id.is_empty() && !self.gone.remove(queue_id) {
            self.inside.insert(queue_id.to_owned());
        }
    }

    pub(super) fn deleted(&mut self, queue_id: &str, happened: Happened) {
        if happened == Happened::Unknown {
            self.doubtful.insert(queue_id.to_owned());
        }
        if !self.inside.remove(queue_id) && !self.doubtful.contains(queue_id) {
            self.gone.insert(queue_id.to_owned());
        }
    }

    /// Whether a delete of this message may have been answered before.
    pub(super) fn is_doubtful(&self, queue_id: &str) -> bool {
        self.doubtful.contains(queue_id)
    }

    pub(super) fn cleared(&mut self) {
        self.inside.clear();
    }

    /// A receive whose answer did not come, or could not be read.
    pub(super) fn receive(&mut self, crossing: &Crossing) {
        let unread = crossing.happened() == Happened::Unknown || crossing.strange.is_some();
        if crossing.operation == Operation::ReceiveMessages && unread {
            self.unread += 1;
        }
    }

    /// Receives of which nobody knows what they handed over.
    pub(super) const fn unread(&self) -> u64 {
        self.unread
    }

    /// Messages that must still be in the queue.
    pub(super) fn inside(&self) -> u64 {
        self.inside.len() as u64
    }
}

/// How often the wire has seen a message handed over.
#[derive(Debug, Default)]
pub(super) struct HandOvers {
    seen: u64,
    most: u64,
}

impl HandOvers {
    pub(super) fn add(&mut self, message: &Handled) {
        self.seen += 1;
        self.most = self.most.max(message.attempt.map_or(0, u64::from));
    }

    /// How many more there were than were seen; storage counts them.
    pub(super) const fn unseen(&self) -> u64 {
        self.most.saturating_sub(self.seen)
    }
}
