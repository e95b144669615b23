//! Simulated nodes: where the consumers of a run would be in a cluster, and what becomes of them when Azure takes its Spot
//! machines back.
//!
//! - [`Node`], [`Needs`]: what a node offers and what a consumer asks for, read from the manifests that go to a cluster.
//! - [`place`]: which node a consumer goes to, by the rules of kube-scheduler. [`pools`]: which node is made when there is none,
//!   by the rules of Karpenter (AKS node auto-provisioning). Both are pure functions; each rule names its source.
//! - [`scheduled`]: the events that a machine is told of, as a state machine; [`Endpoint`] speaks it over HTTP, as the Azure
//!   Instance Metadata Service does.
//! - [`Cluster`]: nodes over time, without processes: those are the fleet's.
//!
//! Left out: what Karpenter does to save nodes (consolidation, drift, expiry), since an empty node costs a scenario nothing;
//! `DaemonSet`s; and the kubelet that starts a container again on a node that is about to go: a consumer that has drained there
//! is replaced on another node, as by the drain of a node that is cordoned.

mod amounts;
mod cluster;
mod endpoint;
mod eviction;
mod needs;
pub mod place;
pub mod pools;
pub mod scheduled;
mod view;

pub use amounts::{Amounts, QuantityError};
pub use cluster::{Cluster, Figures, Machines, Placed, Spell};
pub use endpoint::Endpoint;
pub use eviction::{EARLY_DRAIN_GRACE, Ended, Eviction, Notice, Times};
pub use evidence::events::Capacity;
pub use needs::{Needs, NodesError};
pub use pools::Pool;
pub use view::{NodeView, evictable};

use manifest::labels::{HOSTNAME, Labels};
use manifest::pod::Taint;

/// The label that says how a node of node auto-provisioning is paid for.
const CAPACITY_TYPE: &str = "karpenter.sh/capacity-type";
/// The label, and the taint, of a Spot pool of AKS.
const SCALE_SET_PRIORITY: &str = "kubernetes.azure.com/scalesetpriority";
const ZONE: &str = "topology.kubernetes.io/zone";

/// A node as the scheduler sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Its name, which is also that of its machine.
    pub name: String,
    /// How it is paid for.
    pub capacity: Capacity,
    /// Its labels.
    pub labels: Labels,
    /// What keeps pods off it that do not tolerate them.
    pub taints: Vec<Taint>,
    /// What consumers can have of it.
    pub allocatable: Amounts,
}

impl Node {
    /// Where it is.
    pub fn zone(&self) -> &str {
        self.labels.get(ZONE).map_or("", String::as_str)
    }
}
