//! Changes of nodes.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// How a node is paid for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Capacity {
    /// A Spot machine: cheap, and evicted at short notice.
    Spot,
    /// A machine at full price, which is not evicted.
    OnDemand,
}

impl Capacity {
    /// The name, as in the node's label.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spot => "Spot",
            Self::OnDemand => "on demand",
        })
    }
}

/// A change of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeEvent {
    /// Its name.
    pub node: String,
    /// The change.
    #[serde(flatten)]
    pub change: NodeChange,
}

/// A change of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum NodeChange {
    /// The node joined, and can have consumers.
    Joined {
        /// How it is paid for.
        capacity: Capacity,
        /// Its zone.
        zone: String,
        /// The size of its machine, if it is a real one, such as `Standard_D2s_v5`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<String>,
    },
    /// The list price of an hour of its machine in the region, in millionths of a USD.
    Priced {
        /// The price on demand.
        on_demand_micro_usd: u64,
        /// The price as Spot, if that is offered.
        spot_micro_usd: Option<u64>,
    },
    /// Azure was asked to evict its machine.
    Requested,
    /// Azure evicts its machine without a request.
    Unasked,
    /// The harness has cordoned it.
    Cordoned {
        /// Whether its consumers are told to end in order; otherwise they are killed at once.
        is_drained: bool,
    },
    /// The disruption budget does not allow to end a consumer on it yet.
    HeldBack {
        /// The consumer's name.
        consumer: String,
        /// The reason, in the API server's words.
        why: String,
    },
    /// The harness has uncordoned it.
    GivenBack,
    /// A consumer on it has read the notice of its eviction.
    Noticed {
        /// The consumer's name.
        consumer: String,
    },
    /// Kubernetes reports a new condition of it.
    Condition {
        /// The condition, such as `PreemptionScheduled`.
        condition: String,
    },
    /// Another node joined after its eviction began, and has consumers.
    Replaced {
        /// The name of the new node.
        by: String,
    },
    /// A consumer was started on it.
    Placed {
        /// The consumer's name.
        consumer: String,
    },
    /// Its machine was notified of its eviction.
    Announced {
        /// Time from the notice to the end, in milliseconds.
        notice_ms: u64,
    },
    /// All consumers on it had ended by themselves.
    Drained {
        /// Time since the notice, in milliseconds.
        after_ms: u64,
    },
    /// Its machine has ended.
    Gone {
        /// Whether the machine was stopped, so that it still exists; otherwise it was deleted.
        stopped: bool,
        /// The consumers that ended with it.
        killed: Vec<String>,
    },
    /// As many consumers as before its eviction were at work again.
    Recovered {
        /// Time since the first consumer was missing, in milliseconds.
        after_ms: u64,
    },
}
