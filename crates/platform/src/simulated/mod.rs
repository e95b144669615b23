//! Simulated nodes: the nodes that consumers of a run would have in a cluster, and their eviction by Azure.
//!
//! - [`Node`], [`Needs`]: what a node offers and what a consumer asks for, read from the manifests that go to a cluster.
//! - [`place`]: the node for a consumer, by the rules of kube-scheduler. [`pools`]: the node that is made if none has room, by
//!   the rules of Karpenter (AKS node auto-provisioning). Both are pure functions; each rule names its source.
//! - [`scheduled`]: the scheduled events of a machine, as a state machine; [`Endpoint`] serves them over HTTP, as the Azure
//!   Instance Metadata Service does.
//! - [`Cluster`]: nodes over time, without processes, which belong to the fleet.
//!
//! Left out: Karpenter's ways to save nodes (consolidation, drift, expiry), since an empty node costs a scenario nothing;
//! `DaemonSet`s; and the kubelet's restart of a container on a node that is about to go: a consumer that has drained there is
//! replaced on another node, as in the drain of a cordoned node.

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
pub use eviction::{EARLY_DRAIN_GRACE, Eviction, MachineEnd, Notice, Times};
pub use evidence::events::Capacity;
pub use needs::{Needs, NodesError};
pub use pools::Pool;
pub use view::{NodeView, evictable};

use manifest::labels::{HOSTNAME, Labels};
use manifest::pod::Taint;

/// The label for how a node of node auto-provisioning is paid for.
const CAPACITY_TYPE: &str = "karpenter.sh/capacity-type";
/// The label and the taint of an AKS Spot pool.
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
    /// Its taints, which keep off pods that do not tolerate them.
    pub taints: Vec<Taint>,
    /// The resources that pods can have.
    pub allocatable: Amounts,
}

impl Node {
    /// Its zone.
    pub fn zone(&self) -> &str {
        self.labels.get(ZONE).map_or("", String::as_str)
    }
}
