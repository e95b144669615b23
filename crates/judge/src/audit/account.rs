//! Account of the queue over the wire: every message that was put there is still in the queue or was deleted over the wire; and
//! every message that was handed over was requested over the wire.

use std::collections::{BTreeMap, HashMap, HashSet};

use evidence::{Crossing, Handled, Happened, Operation};

/// The most messages that one receive hands over (`numofmessages` of Get Messages).
const MOST_RECEIVED: u64 = 32;

/// A message may be named twice: by its id, and by its id in the queue.
const MOST_NAMES: u64 = 2;

/// Messages that were put into the queue over the wire and not deleted over it.
#[derive(Debug, Clone, Default)]
pub(super) struct Account {
    inside: HashMap<String, Put>,
    /// Messages whose delete was recorded before their put, or whose put the wire has not seen.
    gone: HashSet<String>,
    /// Deletes without an answer: when one is repeated, its message may be gone already.
    doubtful: HashSet<String>,
    /// Number of receives whose handed-over messages are unknown, of each client that has sent any.
    unread: BTreeMap<String, u64>,
    /// Messages that each of these clients is taken to have received in such a receive.
    assumed: BTreeMap<String, HashSet<String>>,
    /// Number of hand-overs that are taken to be of such receives.
    assumed_hand_overs: u64,
}

/// One message that was put into the queue.
#[derive(Debug, Clone)]
struct Put {
    /// The index of its queue.
    queue: usize,
    /// Whether a worker put the message there, and not the producer.
    by_worker: bool,
}

impl Account {
    /// Records that the message was put into the queue with the index `queue`, by the producer or by a worker.
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

    /// Whether an earlier delete of this message may have succeeded without an answer.
    pub(super) fn is_doubtful(&self, queue_id: &str) -> bool {
        self.doubtful.contains(queue_id)
    }

    pub(super) fn cleared(&mut self, queue: usize) {
        self.inside.retain(|_, put| put.queue != queue);
    }

    /// Counts a receive without a readable answer.
    pub(super) fn receive(&mut self, crossing: &Crossing) {
        let unread = crossing.happened() == Happened::Unknown || crossing.strange.is_some();
        if crossing.operation == Operation::ReceiveMessages && unread {
            *self.unread.entry(crossing.client.clone()).or_default() += 1;
        }
    }

    /// Number of receives whose handed-over messages are unknown.
    pub(super) fn unread(&self) -> u64 {
        self.unread.values().sum()
    }

    /// Whether all messages that `client` was handed are known. What others were handed explains nothing that it does.
    pub(super) fn is_known(&self, client: &str) -> bool {
        !self.unread.contains_key(client)
    }

    /// Whether `client` may have received this message in a receive whose messages are unknown. These receives together explain only
    /// as many messages as they can have handed over, so that one of them does not excuse all that the client does from then on.
    pub(super) fn may_have_received(&mut self, client: &str, message: &str) -> bool {
        let Some(unread) = self.unread.get(client) else {
            return false;
        };
        let most = unread.saturating_mul(MOST_RECEIVED * MOST_NAMES);
        let assumed = self.assumed.entry(client.to_owned()).or_default();
        let is_room = (assumed.len() as u64) < most;
        assumed.contains(message) || is_room && assumed.insert(message.to_owned())
    }

    /// Most messages that clients are taken to have received in receives whose messages are unknown.
    pub(super) fn assumed(&self) -> u64 {
        let names = self.assumed.values().map(HashSet::len);
        names.sum::<usize>() as u64
    }

    /// Whether `unseen` hand-overs of one message may be of receives whose messages are unknown: each of these hands a message over
    /// once, and no more messages than a receive can.
    pub(super) fn may_have_handed_over(&mut self, unseen: u64) -> bool {
        let (unread, assumed) = (self.unread(), self.assumed_hand_overs + unseen);
        let may = unseen <= unread && assumed <= unread.saturating_mul(MOST_RECEIVED);
        if may {
            self.assumed_hand_overs = assumed;
        }
        may
    }

    /// Number of messages that must still be in the queue.
    pub(super) fn inside(&self) -> u64 {
        self.inside.len() as u64
    }

    /// How many of the messages that must still be in the queue were put there by workers.
    pub(super) fn put_by_workers(&self) -> u64 {
        let by_workers = self.inside.values().filter(|put| put.by_worker);
        by_workers.count() as u64
    }
}

/// Number of hand-overs of a message that the wire has seen.
#[derive(Debug, Clone, Default)]
pub(super) struct HandOvers {
    seen: u64,
    most: u64,
}

impl HandOvers {
    pub(super) fn add(&mut self, message: &Handled) {
        self.seen += 1;
        self.most = self.most.max(message.attempt.map_or(0, u64::from));
    }

    /// How many hand-overs were not seen, by storage's own count.
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
        // Only one put is cancelled: a message that is put again is in the queue.
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
        // The repeated delete does not cancel the next put of that id.
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
            assert_eq!(account.is_known("consumer-1"), unread == 0);
        }
        assert!(account.is_known("consumer-2"));
    }

    #[test]
    fn an_unread_receive_explains_as_many_messages_as_it_can_have_handed_over() {
        let mut account = Account::default();
        assert!(!account.may_have_received("consumer-1", "m1"));
        assert!(account.may_have_handed_over(0) && !account.may_have_handed_over(1));
        account.receive(&Crossing {
            answer: Answer::Status(500, None),
            ..sample_crossing(Operation::ReceiveMessages)
        });
        assert!(!account.may_have_received("consumer-2", "m1"));
        for n in 1..=MOST_RECEIVED * MOST_NAMES {
            assert!(account.may_have_received("consumer-1", &format!("m{n}")));
        }
        assert!(account.may_have_received("consumer-1", "m1"), "it has it");
        assert!(!account.may_have_received("consumer-1", "m0"));
        assert_eq!(account.assumed(), MOST_RECEIVED * MOST_NAMES);
        // It has handed each of its messages over once.
        assert!(!account.may_have_handed_over(2));
        for _ in 0..MOST_RECEIVED {
            assert!(account.may_have_handed_over(1));
        }
        assert!(!account.may_have_handed_over(1));
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
