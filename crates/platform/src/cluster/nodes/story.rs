//! One eviction, and its course as its consumers end and are replaced.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use evidence::events::NodeChange;
use tokio::time::Instant;
use workflow::contract::Stamp;

use crate::nodes::Evicted;
use crate::simulated::{Eviction, MachineEnd};
use crate::workers::Roster;

/// A moment by both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) stamp: Stamp,
    pub(super) at: Instant,
}

/// Who takes a node back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Azure, or someone unknown.
    Others,
    /// The harness itself.
    Us {
        /// Whether no pod of the run is on the node any more.
        is_emptied: bool,
    },
}

/// One eviction.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) seen: Evicted,
    pub(super) began: Moment,
    /// When a notice or a condition first announced the end of its machine.
    pub(super) told: Option<Moment>,
    /// Since when consumers were missing.
    pub(super) short: Option<Instant>,
    pub(super) conditions: BTreeSet<String>,
    pub(super) is_replaced: bool,
    pub(super) by: By,
    /// Whether the node is gone: a later node of the same name is another one.
    pub(super) is_gone: bool,
}

impl Story {
    /// Begins the eviction of `node` with these consumers on it, while `wanted` consumers are wanted.
    pub(super) fn begin(
        node: &str,
        is_asked: bool,
        workers: BTreeSet<String>,
        wanted: usize,
        now: Moment,
    ) -> Self {
        Self {
            seen: Evicted {
                node: node.to_owned(),
                eviction: Eviction {
                    notice: None,
                    drained_after: None,
                    ends: MachineEnd::Deleted,
                    returns: false,
                },
                is_asked,
                since: now.stamp,
                is_over: false,
                workers,
                wanted,
                short: None,
                longest_pauses: BTreeMap::new(),
                ended: Vec::new(),
                killed: Vec::new(),
                denied: None,
                failed: None,
                drained: None,
                recovered: None,
                back: 0,
            },
            began: now,
            told: None,
            short: None,
            conditions: BTreeSet::new(),
            is_replaced: false,
            by: By::Others,
            is_gone: false,
        }
    }

    /// Sets the time of the eviction's first sign: Azure may carry out a request half an hour later.
    pub(super) fn shows(&mut self, now: Moment) {
        let is_first = self.told.is_none() && self.conditions.is_empty() && !self.is_gone;
        if self.by == By::Others && is_first {
            self.seen.since = now.stamp;
        }
    }

    /// Updates the eviction from the roster, and returns what is new. `ready`: how many consumers are ready on other nodes.
    pub(super) fn advanced(
        &mut self,
        roster: &Roster,
        ready: usize,
        now: Moment,
    ) -> Vec<NodeChange> {
        let mut told = Vec::new();
        for departure in &roster.departed {
            let name = &departure.name;
            let known = self.seen.ended.iter().any(|it| it.name == *name)
                || self.seen.killed.iter().any(|(killed, _)| killed == name);
            if known || !self.seen.workers.contains(name) {
                continue;
            }
            if departure.end.code() == Some(0) || departure.is_early {
                self.seen.ended.push(departure.clone());
            } else {
                self.seen.killed.push((name.clone(), departure.held));
            }
        }
        let gone = self.seen.ended.len() + self.seen.killed.len();
        let at_work = |name: &String| {
            let mut running = roster.running();
            running.any(|worker| worker.name == *name)
        };
        let is_missing = gone > 0 || !self.seen.workers.iter().all(at_work);
        if is_missing || self.seen.is_over {
            self.short.get_or_insert(now.at);
            self.seen.short.get_or_insert(now.stamp);
        }
        let all_gone = gone >= self.seen.workers.len();
        self.seen.is_over |= self.by == By::Us { is_emptied: true } && all_gone;
        if let (None, Some(since), true) = (self.seen.drained, self.told, all_gone)
            && self.seen.killed.is_empty()
            && !self.seen.workers.is_empty()
        {
            let after = now.at.duration_since(since.at);
            self.seen.drained = Some(after);
            told.push(NodeChange::Drained {
                after_ms: millis(after),
            });
        }
        let missing = self.seen.wanted.min(roster.wanted as usize);
        if let (None, Some(short), true) = (self.seen.recovered, self.short, missing > 0)
            && ready >= missing
        {
            let after = now.at.duration_since(short);
            self.seen.recovered = Some(after);
            self.seen.back = ready;
            told.push(NodeChange::Recovered {
                after_ms: millis(after),
            });
        }
        told
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
