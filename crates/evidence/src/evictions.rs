//! Evictions of nodes: how a node was to be taken back, and what became of the workers on it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contract::Stamp;

use crate::departures::Departure;

/// How a machine ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineEnd {
    /// It is deleted.
    Deleted,
    /// The machine is stopped: nothing on it answers, and nothing reports the stop.
    Stopped,
    /// The machine does not end: its node is drained. The node gets no new consumers, and its consumers are told to end, each
    /// within its grace period and only as many at a time as the disruption budget allows.
    Kept,
}

/// How a node is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Eviction {
    /// How long before its end the machine is notified; `None`: without notice.
    pub notice: Option<Duration>,
    /// How long after the notice the node is drained by force, with a grace period of one second for each pod; `None`: no
    /// forced drain.
    pub drained_after: Option<Duration>,
    /// How its machine ends.
    pub ends: MachineEnd,
    /// Whether a machine of the same name comes back, as in a scale set that restores its Spot machines.
    pub returns: bool,
}

/// One eviction, from its notice or its start on.
#[derive(Debug, Clone)]
pub struct Evicted {
    /// The node's name.
    pub node: String,
    /// How the node was to be evicted.
    pub eviction: Eviction,
    /// Whether the harness requested the eviction; otherwise Azure evicted the node by itself.
    pub is_asked: bool,
    /// When its machine was notified, or, without a notice, when it ended.
    pub since: Stamp,
    /// Whether its machine has ended.
    pub is_over: bool,
    /// The workers that were on it.
    pub workers: BTreeSet<String>,
    /// How many workers were wanted before, on all nodes.
    pub wanted: usize,
    /// Since when workers were missing because of it.
    pub short: Option<Stamp>,
    /// The longest time between two requests for scheduled events, of each worker that has sent at least two.
    pub longest_pauses: BTreeMap<String, Duration>,
    /// Workers that ended by themselves before the machine did, and how.
    pub ended: Vec<Departure>,
    /// Workers that ended with the machine, each with the number of messages that it had in hand.
    pub killed: Vec<(String, u64)>,
    /// Why Azure gave no machine, if it said so before as many workers as before were at work.
    pub denied: Option<String>,
    /// Why the harness could not take the node back after all.
    pub failed: Option<String>,
    /// Time from the notice, or from the first request to a worker to end, until no worker was left on the node; `None` unless
    /// all ended by themselves.
    pub drained: Option<Duration>,
    /// Time from the first missing worker until as many workers as before were at work, or as many as were wanted by then.
    pub recovered: Option<Duration>,
    /// How many workers were at work then.
    pub back: usize,
}
