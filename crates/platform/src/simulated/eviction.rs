//! What Azure does to nodes, and how long things take that have to do with them.

use std::time::Duration;

/// How long things take that have to do with nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// From the wish for a node until it can have consumers. Node auto-provisioning needs one to two minutes for a machine.
    pub joins: Duration,
    /// From the end of a machine that is deleted until its consumers are replaced: the node is unreachable after 50 s
    /// (kube-controller-manager, `--node-monitor-grace-period`), is then found to have no machine and removed, and the garbage
    /// collector of pods comes every 20 s.
    pub deleted_is_missed: Duration,
    /// The same of a machine that is stopped, and so still exists: its pods are evicted 300 s after it is unreachable (the
    /// default toleration of `node.kubernetes.io/unreachable`).
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
    /// The same, each divided by `factor`.
    #[must_use]
    pub fn faster(self, factor: u32) -> Self {
        Self {
            joins: self.joins / factor,
            deleted_is_missed: self.deleted_is_missed / factor,
            stopped_is_missed: self.stopped_is_missed / factor,
        }
    }
}

/// How a machine ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It is deleted.
    Deleted,
    /// It is stopped: nothing on it answers any more, and nothing says so.
    Stopped,
    /// It does not: its node is drained. Nothing comes to it any more, and what is on it is told to end, each within its grace period and
    /// only as many at a time as the disruption budget lets go.
    Kept,
}

/// What pods have to end once node auto-provisioning drains a node whose machine was announced to go: it takes the condition
/// `PreemptionScheduled` for a reason to repair the node at once, and forces the drain with what is left of nothing, a second at
/// least (karpenter-provider-azure since v1.13, `RepairPolicies`; karpenter, controller `node.health`). Never shortened: what a
/// consumer does with it takes as long at every pace.
pub const EARLY_DRAIN_GRACE: Duration = Duration::from_secs(1);

/// What happens to a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Eviction {
    /// How long before its end its machine is told; `None`: it is not.
    pub notice: Option<Duration>,
    /// How long after the notice the node is drained by force, with [`EARLY_DRAIN_GRACE`] for each pod; `None`: it is not.
    pub drained_after: Option<Duration>,
    /// How its machine ends.
    pub ends: Ended,
    /// Whether a machine of the same name comes back, as that of a scale set does that restores its Spot machines.
    pub returns: bool,
}

/// An eviction that is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The event's id.
    pub id: String,
    /// What is to happen.
    pub eviction: Eviction,
}
