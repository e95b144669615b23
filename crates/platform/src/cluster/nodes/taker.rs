//! Who takes nodes back: Azure, or, where nodes were handed over, the harness itself.

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use cluster::drain::Told;
use workflow::azure::{Arm, Machine};

use super::seen::{Rules, SeenNode};
use crate::simulated::Eviction;

/// What becomes of a node that is taken back, where it is not seen on the node itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cluster) enum Progress {
    /// Nothing new comes to it.
    Cordoned,
    /// What happens to the pods on it.
    Pods(Told),
    /// No pod of the run is on it any more.
    Emptied,
    /// It cannot be taken back after all, for this reason.
    Failed(String),
}

/// Tells of it.
pub(in crate::cluster) type Tell = Arc<dyn Fn(Progress) + Send + Sync>;

/// Takes nodes back.
#[async_trait]
pub(in crate::cluster) trait TakesBack: Send + Sync {
    /// Which may be taken back.
    fn rules(&self) -> Rules;

    /// Has `node` taken back, as `eviction` says where that is for anybody to say. Returns when that is accepted, and tells what follows.
    async fn take_back(
        &self,
        node: &SeenNode,
        eviction: Eviction,
        tell: Tell,
    ) -> anyhow::Result<()>;

    /// Gives back what it has and others wait for.
    async fn give_back(&self) -> anyhow::Result<()> {
        Ok(())
    }
}

#[async_trait]
impl TakesBack for Arm {
    fn rules(&self) -> Rules {
        Rules::Azure
    }

    /// How and when exactly the machine goes, Azure decides: no other sentence is played there.
    async fn take_back(&self, node: &SeenNode, _: Eviction, _: Tell) -> anyhow::Result<()> {
        let id = node
            .provider_id
            .as_ref()
            .context("find its machine: the node names none")?;
        let machine = Machine::of_provider_id(id)?;
        Ok(self.simulate_eviction(&machine).await?)
    }
}
