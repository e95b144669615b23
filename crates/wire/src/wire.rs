//! The wire between workload and storage, as a run uses it, in the harness or in another process.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use contract::Stamp;
use evidence::Pause;
use evidence::history::{Follower, HistoryError, Reader};

use super::Proxy;
use super::fault::Rule;

/// A rule in force, until this is dropped.
pub trait InForce: fmt::Debug + Send + Sync {
    /// How often it has struck, as far as known.
    fn struck(&self) -> u64;
}

/// The wire between the workload and storage.
#[async_trait]
pub trait Wire: fmt::Debug + Send + Sync {
    /// Puts `rule` in force before it returns.
    async fn install(&self, rule: Rule) -> anyhow::Result<Box<dyn InForce>>;

    /// Holds all requests of the client `name` back from storage before it returns, or lets them go on: to storage and to the
    /// other clients, a client that is held is one that does nothing.
    async fn hold(&self, name: &str, is_held: bool) -> anyhow::Result<()>;

    /// Counts the client `name` as dead, although its process may live on for a while: once this has returned, the wire refuses each
    /// new request of the client.
    async fn cut_off(&self, name: &str) -> anyhow::Result<()>;

    /// How often rules have struck in total, including rules that are no longer in force, as far as known.
    fn struck(&self) -> u64;

    /// The history written so far.
    fn written(&self) -> Written;

    /// Messages that the client `name` has received, and neither requested to delete nor handed back. They stay when the client
    /// ends, since the wire does not hear of that.
    fn in_hand_of(&self, name: &str) -> u64;

    /// Waits until the client `name` has received messages and has at least `count` in hand: received, and neither requested to
    /// delete nor handed back. So its work on some of them has not begun.
    async fn until_received(
        &self,
        name: &str,
        count: usize,
        patience: Duration,
    ) -> anyhow::Result<()>;

    /// Waits until the client `name` has at least `count` messages in hand.
    async fn until_in_hand(
        &self,
        name: &str,
        count: usize,
        patience: Duration,
    ) -> anyhow::Result<()>;

    /// Waits until the answer of every pending request is in the history; returns an error unless the history is complete.
    /// Clients must not send further requests.
    async fn finish(&self) -> anyhow::Result<()>;

    /// The pauses of the harness since the last crossing, and the time by the history's clock; `None` if the wire runs elsewhere.
    fn paused(&self) -> Option<(Vec<Pause>, Stamp)> {
        None
    }

    /// Returns an error unless the history so far is complete.
    fn check(&self) -> anyhow::Result<()>;
}

#[async_trait]
impl Wire for Proxy {
    async fn install(&self, rule: Rule) -> anyhow::Result<Box<dyn InForce>> {
        Ok(Box::new(self.faults().install(rule)))
    }

    async fn hold(&self, name: &str, is_held: bool) -> anyhow::Result<()> {
        self.known(name)?.hold(is_held);
        Ok(())
    }

    async fn cut_off(&self, name: &str) -> anyhow::Result<()> {
        self.known(name)?.cut_off();
        Ok(())
    }

    fn struck(&self) -> u64 {
        self.faults().struck()
    }

    fn written(&self) -> Written {
        self.history().written().clone()
    }

    fn in_hand_of(&self, name: &str) -> u64 {
        self.client(name).map_or(0, |client| client.in_hand())
    }

    async fn until_received(
        &self,
        name: &str,
        count: usize,
        patience: Duration,
    ) -> anyhow::Result<()> {
        self.known(name)?.until_received(count, patience).await
    }

    async fn until_in_hand(
        &self,
        name: &str,
        count: usize,
        patience: Duration,
    ) -> anyhow::Result<()> {
        self.known(name)?.until_in_hand(count, patience).await
    }

    async fn finish(&self) -> anyhow::Result<()> {
        self.close().await
    }

    fn paused(&self) -> Option<(Vec<Pause>, Stamp)> {
        Some(self.history().paused())
    }

    fn check(&self) -> anyhow::Result<()> {
        self.look_over()
    }
}

/// The history file in the run's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written(PathBuf);

impl Written {
    pub(super) const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Follows the history from its start.
    pub fn follower(&self) -> Follower {
        Follower::of(self.0.clone())
    }

    /// Reads the history from its start.
    pub fn read(&self) -> Result<Reader, HistoryError> {
        Reader::open(&self.0)
    }
}
