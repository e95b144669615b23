//! Taking nodes back: by Azure or, for handed-over nodes, by the harness itself.

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use cluster::drain::Told;
use workflow::azure::{Arm, Machine};

use super::seen::{Rules, SeenNode};
use crate::simulated::Eviction;

/// Progress of taking a node back, as far as the node's own object does not show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cluster) enum Progress {
    /// The node is cordoned.
    Cordoned,
    /// An event of a pod on the node.
    Pods(Told),
    /// No pod of the run is on it any more.
    Emptied,
    /// The node cannot be taken back after all, for this reason.
    Failed(String),
}

/// Callback that takes the progress.
pub(in crate::cluster) type Tell = Arc<dyn Fn(Progress) + Send + Sync>;

/// Takes nodes back, in one of the two ways.
#[async_trait]
pub(in crate::cluster) trait TakesBack: Send + Sync {
    /// Which nodes may be taken back.
    fn rules(&self) -> Rules;

    /// Takes `node` back, as `eviction` says where the caller can choose. Returns once the request is accepted, and reports the
    /// rest to `tell`.
    async fn take_back(
        &self,
        node: &SeenNode,
        eviction: Eviction,
        tell: Tell,
    ) -> anyhow::Result<()>;

    /// Gives back the nodes that this run holds and that others wait for.
    async fn give_back(&self) -> anyhow::Result<()> {
        Ok(())
    }
}

#[async_trait]
impl TakesBack for Arm {
    fn rules(&self) -> Rules {
        Rules::Azure
    }

    /// Azure decides how and when exactly the machine ends, so `eviction` is ignored; scenarios that choose otherwise do not
    /// run there.
    async fn take_back(&self, node: &SeenNode, _: Eviction, _: Tell) -> anyhow::Result<()> {
        let id = node
            .provider_id
            .as_ref()
            .context("find its machine: the node names none")?;
        let machine = Machine::of_provider_id(id)?;
        Ok(self.simulate_eviction(&machine).await?)
    }
}
