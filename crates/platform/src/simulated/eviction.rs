//! Evictions of nodes, and how long changes of nodes take.

use std::time::Duration;

pub use evidence::evictions::{Eviction, MachineEnd};

/// How long changes of nodes take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Time from the request for a node until it can have consumers. Node auto-provisioning needs one to two minutes for a
    /// machine.
    pub joins: Duration,
    /// Time from the deletion of a machine until its consumers are replaced: the node is unreachable after 50 s
    /// (kube-controller-manager, `--node-monitor-grace-period`), is then found to have no machine and removed, and the garbage
    /// collector of pods runs every 20 s.
    pub deleted_is_missed: Duration,
    /// Time from the stop of a machine, which then still exists, until its consumers are replaced: its pods are evicted 300 s
    /// after the node becomes unreachable (default toleration of `node.kubernetes.io/unreachable`).
    pub stopped_is_missed: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            joins: Duration::from_secs(90),
            deleted_is_missed: Duration::from_secs(70),
            stopped_is_missed: Duration::from_secs(350),
        }
    }
}

impl Times {
    /// The same times, each divided by `factor`.
    #[must_use]
    pub fn faster(self, factor: u32) -> Self {
        Self {
            joins: self.joins / factor,
            deleted_is_missed: self.deleted_is_missed / factor,
            stopped_is_missed: self.stopped_is_missed / factor,
        }
    }
}

/// Grace period of pods when node auto-provisioning drains a node whose machine has a notice. It takes the condition
/// `PreemptionScheduled` as a reason to repair the node at once, and forces the drain with a grace period of one second, the
/// minimum (karpenter-provider-azure since v1.13, `RepairPolicies`; karpenter, controller `node.health`). Not divided by the
/// pace: a consumer's reaction takes as long at any pace.
pub const EARLY_DRAIN_GRACE: Duration = Duration::from_secs(1);

/// An eviction that was announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The event's id.
    pub id: String,
    /// The eviction that is announced.
    pub eviction: Eviction,
}
