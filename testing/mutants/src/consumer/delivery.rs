//! One delivery, from the message to the delete, each step with its mutants. `lease` holds the message.

use std::time::Duration;

use workflow::contract::{Message, MessageError, PoisonReason, Stamp};
use workflow::ports::{Delivery, Lease, WorkQueue as _};

use super::Consumer;
use crate::mutation::Mutation;
use crate::spoil;

/// The result of one delivery.
pub(super) enum Done {
    /// The message may be deleted.
    Secured,
    /// The message will be delivered again.
    Left,
}

impl Consumer {
    pub(super) async fn handle(&self, batch: &[Delivery], at: usize) {
        let (delivery, received) = (&batch[at], Stamp::now());
        let last_of_several = batch.len() > 1 && at + 1 == batch.len();
        if self.is(Mutation::DropsLastOfBatch) && last_of_several {
            return self.delete(&delivery.lease).await;
        }
        if self.is(Mutation::HandsBackOnce) && delivery.attempt == 1 {
            return self.hand_back(&delivery.lease).await;
        }
        if self.is(Mutation::DeletesBeforeInsert) {
            self.delete(&delivery.lease).await;
        }
        let Some(mut lease) = self.attack_message(delivery).await else {
            return;
        };
        let done = match Message::decode(&delivery.body) {
            message if self.gives_up(delivery) => {
                if let (Ok(message), Mutation::StoresWhatItGivesUp) = (message, self.args.mutation)
                {
                    self.store(message, batch, at, received).await;
                }
                self.set_aside(delivery, PoisonReason::TooManyAttempts)
                    .await
            }
            Err(MessageError::DigestMismatch { .. }) if self.is(Mutation::StoresBadMessages) => {
                self.store(spoil::unchecked(&delivery.body), batch, at, received)
                    .await
            }
            Err(error) => self.refuse(delivery, &error).await,
            Ok(message) if self.is(Mutation::PoisonsGoodMessages) && is_tenth(&message) => {
                self.set_aside(delivery, PoisonReason::BadField).await
            }
            Ok(message) => {
                if !self.simulate(&mut lease).await {
                    return;
                }
                self.store(message, batch, at, received).await
            }
        };
        if self.is(Mutation::InsistsOnStaleReceipt) {
            lease.clone_from(&delivery.lease);
        }
        if matches!(done, Done::Secured) {
            self.finish(delivery, &lease).await;
        }
    }

    pub(super) fn gives_up(&self, delivery: &Delivery) -> bool {
        delivery.attempt > self.args.max_attempts
    }

    /// Deletes the message of a stored row.
    async fn finish(&self, delivery: &Delivery, lease: &Lease) {
        let deletes = match self.args.mutation {
            Mutation::NeverDeletes | Mutation::DeletesBeforeInsert => false,
            Mutation::ForgetsDeletes => {
                !Message::decode(&delivery.body).is_ok_and(|message| is_tenth(&message))
            }
            _ => true,
        };
        if deletes && !self.attack_delete(lease).await {
            self.delete(lease).await;
        }
    }

    pub(super) async fn hand_back(&self, lease: &Lease) {
        // A lease that cannot be given back runs out by itself.
        drop(self.queue.renew(lease, Duration::ZERO).await);
    }
}

fn is_tenth(message: &Message) -> bool {
    message.id.seq.get().is_multiple_of(10)
}
