//! What happens to nodes.

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
    /// Cheap, and taken back at short notice.
    Spot,
    /// At the full price, for as long as it is wanted.
    OnDemand,
}

impl Capacity {
    /// As the label has it.
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

/// Something happened to a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeEvent {
    /// Its name.
    pub node: String,
    /// What.
    #[serde(flatten)]
    pub change: NodeChange,
}

/// What happens to a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum NodeChange {
    /// It is there, and can have consumers.
    Joined {
        /// How it is paid for.
        capacity: Capacity,
        /// Where it is.
        zone: String,
        /// The size of its machine, where there is a real one, such as `Standard_D2s_v5`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<String>,
    },
    /// What an hour of its machine costs, by the region's list prices, in millionths of a USD.
    Priced {
        /// On demand.
        on_demand_micro_usd: u64,
        /// As Spot, where that is sold.
        spot_micro_usd: Option<u64>,
    },
    /// Azure was asked to take its machine back.
    Requested,
    /// Azure takes its machine back, and nobody had asked for that.
    Unasked,
    /// The harness keeps new pods off it.
    Cordoned {
        /// Whether its consumers are told to end in order; else they are ended at once.
        is_drained: bool,
    },
    /// A consumer on it may not be told to end yet.
    HeldBack {
        /// Its name.
        consumer: String,
        /// Why, in the API server's words.
        why: String,
    },
    /// New pods can come to it again.
    GivenBack,
    /// A consumer on it read of its end.
    Noticed {
        /// Its name.
        consumer: String,
    },
    /// Kubernetes says of it what it has not said before.
    Condition {
        /// The condition, such as `PreemptionScheduled`.
        condition: String,
    },
    /// Another node came after its eviction began, and has consumers.
    Replaced {
        /// That node.
        by: String,
    },
    /// A consumer was started on it.
    Placed {
        /// Its name.
        consumer: String,
    },
    /// Its machine was told of its eviction.
    Announced {
        /// How long before, in milliseconds.
        notice_ms: u64,
    },
    /// All consumers on it had ended by themselves.
    Drained {
        /// So long after the notice, in milliseconds.
        after_ms: u64,
    },
    /// Its machine has ended.
    Gone {
        /// Whether it was stopped, and so still exists; deleted otherwise.
        stopped: bool,
        /// The consumers that ended with it.
        killed: Vec<String>,
    },
    /// As many consumers as before its eviction were at work again.
    Recovered {
        /// So long after the first was missing, in milliseconds.
        after_ms: u64,
    },
}
