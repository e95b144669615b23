//! Loads during which consumers are killed, frozen or told to stop.

use std::time::Duration;

use anyhow::bail;
use platform::until::until;
use platform::{Act, Departure, WorkerSpec};
use tokio::time::Instant;
use workflow::contract::Stamp;

use super::{Run, Sending, Settled};

/// A consumer that was told to stop.
#[derive(Debug)]
pub struct ToldToStop {
    /// When it was told.
    pub at: Stamp,
    /// How it ended.
    pub departure: Departure,
}

impl Run {
    /// Kills the consumer that was started first, and starts `successor` in its place.
    pub async fn replace_killed(&self, successor: WorkerSpec) -> anyhow::Result<()> {
        let victim = self.first_worker().await?;
        self.act(&victim, Act::KillForGood).await?;
        self.apply(successor).await
    }

    /// Freezes the consumer that was started first as soon as it has all of the `messages` in hand, which may take `patience`, and
    /// returns its name.
    pub async fn freeze_holder(&self, messages: u64, patience: Duration) -> anyhow::Result<String> {
        let zombie = self.first_worker().await?;
        let all = usize::try_from(messages)?;
        self.wire()?.until_in_hand(&zombie, all, patience).await?;
        self.act(&zombie, Act::Freeze).await?;
        Ok(zombie)
    }

    /// Has `successor` do the work of the frozen consumer `zombie`, which has all of the `messages`, and thaws it when all is done.
    /// Each wait may take `patience`.
    pub async fn replace_frozen(
        &self,
        zombie: &str,
        messages: u64,
        successor: WorkerSpec,
        patience: Duration,
    ) -> anyhow::Result<()> {
        self.apply(successor).await?;
        if let Settled::TimedOut { left } = self.settle(patience).await? {
            let late = format!("the fast consumer left {left} messages");
            self.judge_late(late)?;
        }
        // Asked only now: everything that it did before it was frozen is known by now, also from a wire in a pod.
        let in_hand = self.wire()?.in_hand_of(zombie);
        judge::deliveries::frozen_with_all(in_hand, messages)?;
        let since = Stamp::now();
        self.act(zombie, Act::Thaw).await?;
        self.until_asks(zombie, since, patience).await
    }

    /// Kills the consumer that holds the message of the run, and its successors, so many `times`. Each wait may take `patience`.
    pub async fn kill_holders(&self, times: u32, patience: Duration) -> anyhow::Result<()> {
        for _ in 0..times {
            let victim = self.first_worker().await?;
            self.wire()?.until_in_hand(&victim, 1, patience).await?;
            self.act(&victim, Act::Kill).await?;
            let replaced = self.until_workers(patience, |roster| roster.first().ok().map(drop));
            let what = format!("wait for a consumer in place of {victim}");
            judge::in_time(replaced.await, what)?;
        }
        Ok(())
    }

    /// Tells the first consumer that has received messages and has at least `in_hand` of them in hand to stop, which may take
    /// `patience`, and waits until it has ended, for at most `drain`. Not a consumer that is chosen beforehand: where the others take
    /// every message, it would get its share only when sending is nearly over.
    pub async fn stop_at_work(
        &self,
        in_hand: usize,
        patience: Duration,
        drain: Duration,
    ) -> anyhow::Result<ToldToStop> {
        self.first_worker().await?;
        let running: Vec<_> = self.roster().running().map(|it| it.name.clone()).collect();
        let chosen = self.first_to_receive(&running, in_hand, patience).await?;
        let at = Stamp::now();
        self.act(&chosen, Act::Drain).await?;
        let ended = self.until_workers(drain, |roster| roster.departure(&chosen).cloned());
        let what = format!("wait until {chosen} has ended");
        let departure = judge::in_time(ended.await, what)?;
        Ok(ToldToStop { at, departure })
    }

    /// The first of the consumers called `names` that receives messages and then has at least `count` in hand. Waits for at most
    /// `patience`.
    pub(super) async fn first_to_receive(
        &self,
        names: &[String],
        count: usize,
        patience: Duration,
    ) -> anyhow::Result<String> {
        let wire = self.wire()?;
        let received = names.iter().map(|name| {
            let wire = &wire;
            Box::pin(async move {
                wire.until_received(name, count, patience).await?;
                anyhow::Ok(name.clone())
            })
        });
        let received: Vec<_> = received.collect();
        if received.is_empty() {
            bail!("wait until a consumer receives messages: none is running");
        }
        let (first, ..) = futures::future::select_all(received).await;
        first
    }

    /// Waits until `sending` has sent all and nothing is left to do, for at most `patience`, so that no further consumer dies. Returns
    /// how long that took after everything was sent.
    pub async fn until_done(
        &self,
        sending: &mut Sending,
        patience: Duration,
    ) -> anyhow::Result<Duration> {
        let mut sent: Option<Instant> = None;
        let done = until(patience, async || {
            if !sending.has_ended()? {
                return Ok(None);
            }
            sent.get_or_insert_with(Instant::now);
            Ok((self.depth().await? == 0).then_some(()))
        });
        let _ = done.await?;
        Ok(sent.map_or(Duration::ZERO, |sent| sent.elapsed()))
    }

    /// Judges work that came too late; `late` says which. Storage, or a node that Azure took back, may excuse it.
    fn judge_late(&self, late: String) -> anyhow::Result<()> {
        let unasked = self.evicted_unasked();
        Ok(judge::late_without(
            unasked.as_deref(),
            late,
            self.storage_time(),
        )?)
    }

    /// Judges whether the work that took `waited` after everything was sent was done within `limit`.
    pub fn judge_done(&self, waited: Duration, limit: Duration) -> anyhow::Result<()> {
        if waited > limit {
            let late = format!("messages were left for {waited:.1?} after the last one was sent");
            self.judge_late(late)?;
        }
        Ok(())
    }
}
