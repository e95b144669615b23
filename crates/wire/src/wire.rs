//! What lies between workload and storage, as a run sees it, wherever it runs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use evidence::history::{Follower, HistoryError, Reader};

use super::Proxy;
use super::fault::Rule;

/// A rule at work, until this is dropped.
pub trait AtWork: fmt::Debug + Send + Sync {
    /// How often it has struck, as far as is known.
    fn struck(&self) -> u64;
}

/// What lies between the workload and storage.
#[async_trait]
pub trait Wire: fmt::Debug + Send + Sync {
    /// Puts `rule` to work; it is when this returns.
    async fn install(&self, rule: Rule) -> anyhow::Result<Box<dyn AtWork>>;

    /// How often rules have struck, all together, those that are no longer at work included; as far as is known.
    fn struck(&self) -> u64;

    /// What it has written down so far.
    fn written(&self) -> Written;

    /// Messages that clients have received, and neither asked to be deleted nor handed back.
    fn in_hand(&self) -> u64;

    /// The same of the client called `name`.
    fn in_hand_of(&self, name: &str) -> u64;

    /// Waits until the client called `name` receives messages and then has at least `count` in hand: received, and neither
    /// asked to be deleted nor handed back. So its work on some of them is still to begin.
    async fn until_received(
        &self,
        name: &str,
        count: usize,
        patience: Duration,
    ) -> anyhow::Result<()>;

    /// Waits until the client called `name` has at least `count` messages in hand.
    async fn until_in_hand(
        &self,
        name: &str,
        count: usize,
        patience: Duration,
    ) -> anyhow::Result<()>;

    /// Waits until every request under way has its answer in the history, and tells whether the history is whole. No client may
    /// ask for anything any more.
    async fn finish(&self) -> anyhow::Result<()>;

    /// Whether the history holds all that was to be written so far.
    fn check(&self) -> anyhow::Result<()>;
}

#[async_trait]
impl Wire for Proxy {
    async fn install(&self, rule: Rule) -> anyhow::Result<Box<dyn AtWork>> {
        Ok(Box::new(self.faults().install(rule)))
    }

    fn struck(&self) -> u64 {
        self.faults().struck()
    }

    fn written(&self) -> Written {
        self.history().written().clone()
    }

    fn in_hand(&self) -> u64 {
        self.clients_in_hand()
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

    fn check(&self) -> anyhow::Result<()> {
        self.look_over()
    }
}

/// The history of a run, as it lies in the run's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written(PathBuf);

impl Written {
    pub(super) const fn at(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Follows it from its start.
    pub fn follower(&self) -> Follower {
        Follower::of(self.0.clone())
    }

    /// Reads it from its start.
    pub fn read(&self) -> Result<Reader, HistoryError> {
        Reader::open(&self.0)
    }
}
