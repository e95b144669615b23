//! One eviction, and what follows for it from how its consumers are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use evidence::events::NodeChange;
use tokio::time::Instant;
use workflow::contract::Stamp;

use crate::nodes::Evicted;
use crate::simulated::{Ended, Eviction};
use crate::workers::Roster;

/// When something was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) stamp: Stamp,
    pub(super) at: Instant,
}

/// Who takes a node back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Azure, or nobody knows.
    Others,
    /// The harness itself.
    Us {
        /// Whether no pod of the run is on it any more.
        is_emptied: bool,
    },
}

/// One eviction.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) seen: Evicted,
    /// How many consumers were wanted before.
    pub(super) wanted: usize,
    pub(super) began: Moment,
    /// When its machine was first known to go: by a notice or a condition.
    pub(super) told: Option<Moment>,
    /// From when on consumers were missing.
    pub(super) short: Option<Instant>,
    pub(super) conditions: BTreeSet<String>,
    pub(super) is_replaced: bool,
    pub(super) by: By,
    /// Whether its node is gone: one that comes under the same name is another.
    pub(super) is_gone: bool,
}

impl Story {
    /// The eviction of `node` begins, with these consumers on it, when so many are wanted.
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
                    ends: Ended::Deleted,
                    returns: false,
                },
                is_asked,
                since: now.stamp,
                is_over: false,
                workers,
                longest_pauses: BTreeMap::new(),
                ended: Vec::new(),
                killed: Vec::new(),
                failed: None,
                drained: None,
                recovered: None,
            },
            wanted,
            began: now,
            told: None,
            short: None,
            conditions: BTreeSet::new(),
            is_replaced: false,
            by: By::Others,
            is_gone: false,
        }
    }

    /// Takes down what is news of its consumers. `ready`: how many are ready on other nodes.
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
            if departure.end.code() == Some(0) {
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
        let missing = self.wanted.min(roster.wanted as usize);
        if let (None, Some(short), true) = (self.seen.recovered, self.short, missing > 0)
            && ready >= missing
        {
            let after = now.at.duration_since(short);
            self.seen.recovered = Some(after);
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
