//! Messages that cannot be processed, and what each mutant does with them.

use workflow::contract::{MessageError, PoisonEnvelope, PoisonReason, Stamp};
use workflow::ports::{Delivery, WorkQueue as _};

use super::Consumer;
use super::delivery::Done;
use crate::mutation::Mutation;

impl Consumer {
    pub(super) async fn refuse(&self, delivery: &Delivery, error: &MessageError) -> Done {
        match self.args.mutation {
            Mutation::CrashesOnPoison => panic!("{error}"),
            Mutation::DiscardsPoison => Done::Secured,
            Mutation::PoisonsWithWrongReason => {
                self.set_aside(delivery, PoisonReason::TooManyAttempts)
                    .await
            }
            _ => self.set_aside(delivery, error.reason()).await,
        }
    }

    pub(super) async fn set_aside(&self, delivery: &Delivery, reason: PoisonReason) -> Done {
        let is_wrong = self.is(Mutation::PoisonsWithWrongReason) && self.gives_up(delivery);
        let reason = if is_wrong {
            PoisonReason::BadField
        } else {
            reason
        };
        let body = if self.is(Mutation::PoisonsWithoutBody) {
            String::new()
        } else {
            delivery.body.clone()
        };
        let envelope = self.envelope(delivery, reason, body);
        for part in envelope.encode() {
            if self.is(Mutation::PoisonsForTwoMinutes) {
                self.attacks
                    .put_for(&self.poison_name(), &part, "120")
                    .await;
                continue;
            }
            if self.poison.send(&part).await.is_err() {
                return Done::Left;
            }
        }
        Done::Secured
    }

    pub(super) fn envelope(
        &self,
        delivery: &Delivery,
        reason: PoisonReason,
        body: String,
    ) -> PoisonEnvelope {
        let mut envelope = PoisonEnvelope {
            reason,
            detail: format!("given up: {reason}"),
            message_id: delivery.lease.message_id.clone(),
            attempt: delivery.attempt,
            consumer: self.args.name.clone(),
            poisoned_stamp: Stamp::now(),
            part: 1,
            parts: 1,
            body,
        };
        match self.args.mutation {
            Mutation::PoisonsWithWrongAttempt => envelope.attempt += 1,
            Mutation::PoisonsAsAnother => "somebody-else".clone_into(&mut envelope.consumer),
            Mutation::PoisonsWithWrongStamp => envelope.poisoned_stamp = Stamp::default(),
            Mutation::PoisonsWithoutDetail => envelope.detail.clear(),
            _ => {}
        }
        envelope
    }
}
