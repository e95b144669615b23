//! The account of the queue: whatever was put into it over the wire is still there, or was deleted over the wire; and whatever
//! was handed over was asked for over the wire.

use std::collections::{HashMap, HashSet};

use evidence::{Crossing, Handled, Happened, Operation};

/// Messages that went in over the wire and have not come out of it.
#[derive(Debug, Default)]
pub(super) struct Account {
    inside: HashMap<String, Put>,
    /// Deleted before their put was written down, or put by nobody whom the wire has seen.
    gone: HashSet<String>,
    /// Deletes without an answer: repeated, they find a message that the wire has already seen go.
    doubtful: HashSet<String>,
    /// Receives of which nobody knows what they handed over.
    unread: u64,
}

/// One that went in.
#[derive(Debug)]
struct Put {
    /// The number of its queue.
    queue: usize,
    /// Whether it was a worker that has put it there, and not the producer.
    by_worker: bool,
}

impl Account {
    /// It was put into the queue with that number: by the producer, or by a worker.
    pub(super) fn put(&mut self, queue_id: &str, queue: usize, by_worker: bool) {
        if !queue_id.is_empty() && !self.gone.remove(queue_id) {
            let put = Put { queue, by_worker };
            self.inside.insert(queue_id.to_owned(), put);
        }
    }

    pub(super) fn deleted(&mut self, queue_id: &str, happened: Happened) {
        if happened == Happened::Unknown {
            self.doubtful.insert(queue_id.to_owned());
        }
        if self.inside.remove(queue_id).is_none() && !self.doubtful.contains(queue_id) {
            self.gone.insert(queue_id.to_owned());
        }
    }

    /// Whether a delete of this message may have been answered before.
    pub(super) fn is_doubtful(&self, queue_id: &str) -> bool {
        self.doubtful.contains(queue_id)
    }

    pub(super) fn cleared(&mut self, queue: usize) {
        self.inside.retain(|_, put| put.queue != queue);
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

    /// How many of the messages that must still be in the queue workers have put there.
    pub(super) fn put_by_workers(&self) -> u64 {
        let by_workers = self.inside.values().filter(|put| put.by_worker);
        by_workers.count() as u64
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::sample_crossing;
    use evidence::Answer;

    #[test]
    fn what_was_put_is_inside_until_it_is_deleted_or_cleared() {
        let mut account = Account::default();
        for message in ["a", "b", ""] {
            account.put(message, 0, false);
        }
        assert_eq!(account.inside(), 2, "one has no id yet");
        account.deleted("a", Happened::Yes);
        assert_eq!(account.inside(), 1);
        account.cleared(1);
        assert_eq!(account.inside(), 1, "that was another queue");
        account.cleared(0);
        assert_eq!(account.inside(), 0);
    }

    #[test]
    fn what_workers_have_put_is_counted_until_it_is_deleted() {
        let mut account = Account::default();
        for (message, by_worker) in [("a", false), ("b", true), ("c", true), ("d", true)] {
            account.put(message, 0, by_worker);
        }
        account.deleted("d", Happened::Yes);
        assert_eq!(account.put_by_workers(), 2);
    }

    #[test]
    fn a_delete_that_is_written_down_before_its_put_counts() {
        let mut account = Account::default();
        account.deleted("a", Happened::Yes);
        account.put("a", 0, false);
        assert_eq!(account.inside(), 0);
        // Once only: a message that is put again is inside.
        account.put("a", 0, false);
        assert_eq!(account.inside(), 1);
    }

    #[test]
    fn a_delete_without_an_answer_may_be_repeated() {
        let mut account = Account::default();
        account.put("a", 0, false);
        assert!(!account.is_doubtful("a"));
        account.deleted("a", Happened::Unknown);
        assert!(account.is_doubtful("a") && !account.is_doubtful("b"));
        assert_eq!(account.inside(), 0);
        // The repetition does not make the next put of that id vanish.
        account.deleted("a", Happened::Yes);
        account.put("a", 0, false);
        assert_eq!(account.inside(), 1);
    }

    #[test]
    fn a_receive_is_unread_without_an_answer_or_with_one_that_nobody_understands() {
        let mut account = Account::default();
        let read = sample_crossing(Operation::ReceiveMessages);
        let unanswered = Crossing {
            answer: Answer::None("reset".to_owned()),
            ..read.clone()
        };
        let strange = Crossing {
            strange: Some("a media type".to_owned()),
            ..read.clone()
        };
        let peek = Crossing {
            operation: Operation::PeekMessages,
            ..unanswered.clone()
        };
        for (crossing, unread) in [(read, 0), (unanswered, 1), (strange, 2), (peek, 2)] {
            account.receive(&crossing);
            assert_eq!(account.unread(), unread, "{crossing:?}");
        }
    }

    #[test]
    fn storage_counts_the_hand_overs_that_the_wire_has_not_seen() {
        let mut hand_overs = HandOvers::default();
        assert_eq!(hand_overs.unseen(), 0);
        for (attempt, unseen) in [(Some(1), 0), (Some(4), 2), (None, 1), (Some(3), 0)] {
            hand_overs.add(&Handled {
                attempt,
                ..Handled::default()
            });
            assert_eq!(hand_overs.unseen(), unseen, "{attempt:?}");
        }
    }
}
