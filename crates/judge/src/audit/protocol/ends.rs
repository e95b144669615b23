//! Ends of a message in the queue: deleted, cleared, or a request on it finally refused.

use contract::workload::Lens;
use contract::{Seq, Stamp};

use super::{Live, Protocol, Refused};
use crate::audit::{Violation, Witness};
use evidence::{Crossing, Handled, Happened};

/// How often a client may repeat a request on a message after storage refused it for good. One repetition is tolerated; a
/// second one shows a loop.
const MOST_REPEATS: u32 = 1;

impl Protocol {
    pub(super) fn deleted(&mut self, crossing: &Crossing, message: &Handled) {
        let happened = crossing.happened();
        if happened == Happened::No {
            return;
        }
        let repeated = self.account.is_doubtful(&message.queue_id);
        self.account.deleted(&message.queue_id, happened);
        let Some(mut live) = self.live.remove(&message.queue_id) else {
            if !repeated
                && happened == Happened::Yes
                && !self
                    .account
                    .may_have_received(&crossing.client, &message.queue_id)
            {
                self.findings.add(Violation::Unwitnessed, || {
                    let detail = format!(
                        "{} deleted a message that nobody has received over the wire",
                        crossing.client
                    );
                    Witness::new(subject(&self.lens, None, message), detail)
                });
            }
            return;
        };
        // If an earlier delete may have succeeded, it was judged at that one.
        if !live.may_be_deleted {
            self.check_secured(crossing, message, &live);
        }
        // A delete without an answer may have failed: then the message is delivered again, with a higher delivery count.
        if happened == Happened::Unknown {
            live.may_be_deleted = true;
            self.live.insert(message.queue_id.clone(), live);
            return;
        }
        self.set_aside.deleted(&message.queue_id, &live);
        self.check_hand_overs(&message.queue_id, &live);
        if let Some(seq) = live.seq {
            self.deliveries.forget(seq, &message.queue_id);
        }
    }

    /// Handles the removal of all messages of a queue.
    pub(super) fn cleared(&mut self, crossing: &Crossing) {
        if crossing.happened() == Happened::No {
            return;
        }
        let queue = self.queue_of(crossing);
        self.account.cleared(queue);
        let live: Vec<_> = self
            .live
            .extract_if(|_, live| live.queue == queue)
            .collect();
        for (queue_id, live) in live {
            let message = Handled {
                queue_id,
                ..Handled::default()
            };
            self.check_secured(crossing, &message, &live);
        }
    }

    /// Reports a removal from the poison queue, whose messages a person must be able to see.
    pub(super) fn poison_removed(&mut self, crossing: &Crossing) {
        if crossing.happened() == Happened::No {
            return;
        }
        self.findings.add(Violation::Unsecured, || {
            let (client, operation) = (&crossing.client, crossing.operation);
            if let Some(message) = crossing.messages.first() {
                let detail = format!("{client} removed it from the poison queue, where it has to stay");
                return Witness::new(format!("queue message {}", message.queue_id), detail);
            }
            let queue = &crossing.resource;
            let detail = format!(
                "{client} sent {operation} to {queue:?}, the poison queue, where messages have to stay"
            );
            Witness::new(format!("{operation} to {queue}"), detail)
        });
    }

    fn check_secured(&mut self, crossing: &Crossing, message: &Handled, live: &Live) {
        let before = |at: Option<Stamp>| at.is_some_and(|at| at <= crossing.began);
        let stored = live.seq.is_some_and(|seq| {
            self.stored.has(seq)
                && self
                    .stored_at
                    .remove(&seq)
                    .is_none_or(|at| at <= crossing.began)
        });
        if stored || before(live.set_aside) {
            return;
        }
        let elsewhere = live.seq.and_then(|seq| self.strayed.get(&seq));
        let mut elsewhere = elsewhere.map_or_else(String::new, |table| {
            format!("; it has stored it in the table {table:?}, which is not the run's")
        });
        if live.seq.is_some_and(|seq| self.unheard.contains(&seq)) {
            elsewhere.push_str("; whoever stored it had gone away before the answer");
        }
        if let Some(vanishing) = &live.vanishing {
            elsewhere.push_str("; ");
            elsewhere.push_str(vanishing);
        }
        let subject = subject(&self.lens, live.seq, message);
        self.findings.add(Violation::Unsecured, || {
            let detail = format!(
                "{} deleted the message before storage had confirmed its row, or its poison message{elsewhere}",
                crossing.client
            );
            Witness::new(subject, detail)
        });
    }

    /// Compares storage's delivery count of a message with the hand-overs that the wire has seen.
    pub(super) fn check_hand_overs(&mut self, queue_id: &str, live: &Live) {
        let unseen = live.hand_overs.unseen();
        if self.account.may_have_handed_over(unseen) {
            return;
        }
        let message = Handled {
            queue_id: queue_id.to_owned(),
            ..Handled::default()
        };
        let subject = subject(&self.lens, live.seq, &message);
        self.findings.add(Violation::Unwitnessed, || {
            let detail = format!("it was received {unseen} times more than the wire has seen");
            Witness::new(subject, detail)
        });
    }

    /// Counts refusals that no repetition can change: 404, and 400 for an expired pop receipt.
    pub(super) fn refused(&mut self, crossing: &Crossing, message: &Handled) {
        let for_good = matches!(crossing.status(), Some(400 | 404));
        let Some(live) = self.live.get_mut(&message.queue_id).filter(|_| for_good) else {
            return;
        };
        let same = |refused: &&mut Refused| {
            (&refused.client, refused.operation, &refused.receipt)
                == (&crossing.client, crossing.operation, &message.receipt)
        };
        let Some(refused) = live.refused.as_mut().filter(same) else {
            if crossing.was_heard() {
                live.refused = Some(Refused {
                    client: crossing.client.clone(),
                    operation: crossing.operation,
                    receipt: message.receipt.clone(),
                    since: crossing.ended,
                    repeats: 0,
                });
            }
            return;
        };
        if crossing.began <= refused.since {
            return;
        }
        refused.repeats += 1;
        let repeats = refused.repeats;
        if repeats == MOST_REPEATS + 1 {
            let subject = subject(&self.lens, live.seq, message);
            self.findings.add(Violation::Stubborn, || {
                let detail = format!(
                    "{} repeats {} with a receipt that it has heard to be refused, {repeats} times",
                    crossing.client, crossing.operation
                );
                Witness::new(subject, detail)
            });
        }
    }
}

/// The name of a message: its id, or the queue's message id if it has none.
pub(super) fn subject(lens: &Lens, seq: Option<Seq>, message: &Handled) -> String {
    seq.map_or_else(
        || format!("queue message {}", message.queue_id),
        |seq| lens.id(seq),
    )
}
