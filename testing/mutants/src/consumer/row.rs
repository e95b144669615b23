//! Stores the row of a message, and what mutants do with the answer.

use std::time::Duration;

use tables::models::UpdateMode;
use tokio::time::sleep;
use workflow::contract::{Message, PoisonReason, ResultRow, Stamp};
use workflow::ports::{Delivery, Effect, InsertOutcome, ResultTable as _, StorageError};

use super::delivery::Done;
use super::{Consumer, PAUSE};
use crate::mutation::Mutation;
use crate::spoil;

/// How long a mutant works after it has stamped the end of its work, or before it stamps the receive.
pub(super) const UNTOLD_WORK: Duration = Duration::from_millis(1_800);

impl Consumer {
    pub(super) async fn store(
        &self,
        message: Message,
        batch: &[Delivery],
        at: usize,
        received: Stamp,
    ) -> Done {
        let attempt = batch[at].attempt;
        let mut row = ResultRow::of(message, received, attempt, &self.args.name, &self.args.node);
        spoil::row(self.args.mutation, &mut row, batch, at);
        match self.args.mutation {
            Mutation::StampsBeforeItsWork => sleep(UNTOLD_WORK).await,
            Mutation::StampsItsReceiptLate => {
                sleep(UNTOLD_WORK).await;
                row.dequeued_stamp = Stamp::now();
                row.date_stamp = row.dequeued_stamp;
            }
            _ => {}
        }
        if let Some(done) = self.attack_row(&row, &batch[at]).await {
            return done;
        }
        if self.is(Mutation::Upserts) {
            let upserted = self
                .raw
                .upsert_entity(&row, UpdateMode::Replace, None)
                .await;
            return if upserted.is_ok() {
                Done::Secured
            } else {
                Done::Left
            };
        }
        loop {
            let error = match self.table.insert(std::slice::from_ref(&row)).await {
                Ok(outcomes) => return self.inserted(outcomes[0], &batch[at]).await,
                Err(error) => error,
            };
            if self.gives_up_on(&error) {
                return Done::Secured;
            }
            assert!(!self.is(Mutation::DiesOnBusyStorage), "{error}");
            if self.is(Mutation::RetriesUnderNewKey) {
                row.row_key.push_str("-again");
            }
            if !error.is_transient() || self.stop.is_cancelled() {
                return Done::Left;
            }
            sleep(PAUSE).await;
        }
    }

    /// Whether this mutant wrongly takes the error for a success.
    fn gives_up_on(&self, error: &StorageError) -> bool {
        match self.args.mutation {
            Mutation::SwallowsInsertErrors => true,
            Mutation::TakesNoAnswerForSuccess => error.effect() == Effect::Unknown,
            _ => false,
        }
    }

    async fn inserted(&self, outcome: InsertOutcome, delivery: &Delivery) -> Done {
        match outcome {
            InsertOutcome::AlreadyDone if self.is(Mutation::TakesDoneForError) => Done::Left,
            InsertOutcome::Inserted | InsertOutcome::AlreadyDone => Done::Secured,
            InsertOutcome::Conflict { .. } => {
                self.set_aside(delivery, PoisonReason::Conflict).await
            }
        }
    }
}
