//! The end of a run, as the sentences about its results judge it: the queue is emptied, the consumers end, everything is collected.

use std::time::Duration;

use contract::PoisonReason;
use judge::poison::Whole;
use judge::{Kept, Part, deliveries, departures};
use platform::Departure;
use workflow::contract;

use super::{Collected, Patience, Run, Sent, Settled};
use crate::audit::ExpectedPoison;

/// What a run has come to, once its queue had time to empty and its consumers have ended.
#[derive(Debug)]
pub struct Results {
    /// What it left behind.
    pub collected: Collected,
    settled: Settled,
    patience: Duration,
    departures: Vec<Departure>,
}

impl Results {
    /// The judgement: every message has exactly one result, in time, and every consumer ended in order. `lease`: how long a lease
    /// lasts, if it is known.
    pub fn kept(&self, lease: Option<Duration>) -> Kept {
        let audit = &self.collected.audit;
        Part::from(audit).kept()?;
        if let Settled::TimedOut { left } = self.settled {
            let late = left_after(left, self.patience);
            return deliveries::late(late, audit.traffic.as_ref(), lease);
        }
        departures::orderly(&self.departures)
    }
}

fn left_after(left: u64, patience: Duration) -> String {
    format!("{left} messages are still in the queue after {patience:?}")
}

impl Run {
    /// Waits until the queue is empty, for at most `patience`, ends the consumers, and collects what the load `sent` has left.
    ///
    /// Inconclusive if the load was not sent as planned; fails if a consumer ended unexpectedly.
    pub async fn results(
        &self,
        sent: &Sent,
        expected: ExpectedPoison,
        patience: Duration,
    ) -> anyhow::Result<Results> {
        let (unknown, failed) = (sent.summary.unknown, sent.summary.failed);
        departures::sent_as_planned(sent.end, unknown, failed)?;
        let settled = self.settle(patience).await?;
        departures::none_unexpected(self.roster().unexpected())?;
        // Judged after the last consumer has ended: a running consumer could still write a second row.
        let departures = self.drain(Patience::default().drain).await?;
        let collected = self.collect(sent, expected).await?;
        Ok(Results {
            collected,
            settled,
            patience,
            departures,
        })
    }

    /// As [`Run::results`], for a load all of whose `messages` must be given up for `reason`: the poison queue must hold one message,
    /// which was sent.
    pub async fn given_up(
        &self,
        sent: &Sent,
        messages: u64,
        reason: PoisonReason,
        patience: Duration,
    ) -> anyhow::Result<Collected> {
        if let Settled::TimedOut { left } = self.settle(patience).await? {
            judge::late(left_after(left, patience), self.storage_time())?;
        }
        departures::orderly(&self.drain(Patience::default().drain).await?)?;
        let expected = ExpectedPoison {
            seqs: vec![1..=messages],
            ..ExpectedPoison::default()
        };
        let collected = self.collect(sent, expected).await?;
        Whole::of(&collected.poison)?.is_given_up(&self.store().lens, reason)?;
        Ok(collected)
    }
}
