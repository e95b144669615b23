//! What the history of a run proves: the judgement of the protocol, and the way of each witness through the wire.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use evidence::history::Follower;
use judge::{Index, Refused, Timelines, departures};
use platform::until::until;
use workflow::contract::Stamp;

use super::{Run, ToldToStop};
use crate::audit::{Audit, Protocol, Traffic};

/// The history of a run, as far as it has been read into its index.
#[derive(Debug)]
pub(super) struct Followed {
    follower: Follower,
    index: Index,
}

impl Run {
    /// Brings the index of the history up to date, and returns what `find` finds in it.
    pub(super) fn look<T>(&self, find: impl FnOnce(&Index) -> T) -> anyhow::Result<T> {
        let history = self.history()?;
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        let Followed { follower, index } = followed.get_or_insert_with(|| {
            let store = self.store();
            Followed {
                follower: history.follower(),
                index: Index::of(store.lens.clone(), store.names.clone()),
            }
        });
        index.expect(self.last_expected.load(Ordering::Acquire));
        follower.follow(|crossing| index.add(crossing))?;
        Ok(find(index))
    }

    /// What crossed the wire so far.
    pub fn traffic(&self) -> anyhow::Result<Traffic> {
        self.look(Index::traffic)
    }

    /// Waits until `client` has asked storage for anything after `since`, for at most `patience`.
    pub async fn until_asks(
        &self,
        client: &str,
        since: Stamp,
        patience: Duration,
    ) -> anyhow::Result<()> {
        let asked = until(patience, async || {
            let asked = self.look(|index| index.has_asked(client, since));
            Ok(asked?.then_some(()))
        });
        let what = format!("wait until {client} asks storage");
        Ok(judge::in_time(asked.await?, what)?)
    }

    /// Waits until each worker has asked storage for anything, each for at most `patience`, and lets `time` pass from then on.
    pub async fn stay_idle(&self, time: Duration, patience: Duration) -> anyhow::Result<()> {
        for name in self.roster().names() {
            self.until_asks(&name, Stamp::from_micros(0), patience)
                .await?;
        }
        self.let_pass(time).await;
        Ok(())
    }

    /// When each consumer first received a message; consumers that never did are left out.
    pub fn first_deliveries(&self) -> anyhow::Result<Vec<Stamp>> {
        self.look(Index::first_deliveries)
    }

    /// Requests of consumers that storage refused for their identity (401, 403).
    pub fn refused(&self) -> anyhow::Result<Vec<Refused>> {
        self.look(|index| index.refused().to_vec())
    }

    /// Judges whether `stopped`, a consumer that was told to stop, took a message later than `limit` after it.
    pub fn judge_receives_after_stop(
        &self,
        stopped: &ToldToStop,
        limit: Duration,
    ) -> anyhow::Result<()> {
        let (name, at) = (&stopped.departure.name, stopped.at);
        let judged = self.look(|index| departures::took_nothing_more(name, at, limit, index))?;
        Ok(judged?)
    }

    /// How often a message was delivered again because its lease had run out, not because a consumer had handed it back.
    pub fn lapsed(&self) -> anyhow::Result<u64> {
        self.look(Index::lapsed)
    }

    /// The broken promises that the history alone proves, each with the responsible client, for a run whose storage cannot be read.
    /// Empty if there are none, or if no wire lies between the workers and storage.
    pub fn proven(&self) -> anyhow::Result<Vec<String>> {
        if self.stage.wire().is_none() {
            return Ok(Vec::new());
        }
        self.look(Index::proven)
    }

    /// Feeds the whole history to `protocol`, the judge at the end of a run. The index cannot stand for it: the judge knows from the
    /// first crossing on how many messages the producers have begun, and on which node each worker ran.
    pub(super) fn judge_history(&self, mut protocol: Protocol) -> anyhow::Result<Protocol> {
        for crossing in self.history()?.read()? {
            protocol.crossing(&crossing?);
        }
        Ok(protocol)
    }

    /// Gives every witness of `audit` its way through the wire. If there are witnesses, the history is read once more.
    pub(super) fn add_timelines(&self, audit: &mut Audit) -> anyhow::Result<()> {
        let store = self.store();
        let mut timelines = Timelines::of(audit, store.lens.clone(), store.names.clone());
        if timelines.is_empty() {
            return Ok(());
        }
        for crossing in self.history()?.read()? {
            timelines.crossing(&crossing?);
        }
        Ok(())
    }
}
