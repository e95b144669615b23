//! State machine of nodes and their evictions. Input: changes of nodes and consumers, and facts from consumers' logs. Output:
//! the view of the nodes, and events for the log. No clock and no I/O.
//!
//! An eviction begins with a request of the harness or, without one, with its first sign: a consumer's notice, a condition of
//! the node, or a node that is no longer ready. It is over when the machine no longer answers. The run has recovered when as
//! many consumers as before are ready again.

mod ours;
mod why_not;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use evidence::events::{NodeChange, NodeEvent};

use super::heard::Heard;
use super::seen::{Rules, SeenNode};
use super::story::{By, Moment, Story};
use crate::nodes::NodesView;
use crate::simulated::{Capacity, Eviction, Figures, NodeView};
use crate::workers::{Readiness, Roster, Worker, WorkerState};

/// Minimum age of a node that is evicted: scheduled events come within five minutes of the first call, which itself may take
/// two minutes (Azure, "Scheduled Events for Linux VMs"). For a younger machine nobody can tell whether it was notified.
pub(super) const OLD_ENOUGH: Duration = Duration::from_secs(6 * 60);

/// A node that exists, and its consumers.
#[derive(Debug)]
struct Known {
    seen: SeenNode,
    joined: Moment,
    workers: BTreeSet<String>,
    /// Whether the node was ever ready; before that, "not ready" is no sign of an eviction.
    was_ready: bool,
}

/// How long a node existed.
#[derive(Debug)]
struct Spell {
    capacity: Capacity,
    time: Duration,
}

/// The nodes of a run and their evictions.
#[derive(Debug, Default)]
pub(super) struct Stories {
    rules: Rules,
    nodes: BTreeMap<String, Known>,
    evictions: Vec<Story>,
    past: Vec<Spell>,
    roster: Roster,
    /// Consumers whose scheduled events endpoint has answered.
    answered: BTreeSet<String>,
    shortage: Option<String>,
    /// Why a consumer has no node, on a platform that makes none for it.
    no_room: Option<String>,
    told: Vec<NodeEvent>,
}

impl Stories {
    /// Makes the state without any node; `rules` say which nodes may be taken back.
    pub(super) fn of(rules: Rules) -> Self {
        Self {
            rules,
            ..Self::default()
        }
    }

    /// Returns the events since the last call, for the log.
    pub(super) fn take_events(&mut self) -> Vec<NodeEvent> {
        std::mem::take(&mut self.told)
    }

    /// The nodes whose machines Azure is evicting or has evicted: the harness did not tell their workers to end.
    pub(super) fn machines_gone(&self) -> BTreeSet<String> {
        let all = self.evictions.iter().filter(|it| it.by == By::Others);
        all.map(|story| story.seen.node.clone()).collect()
    }

    /// The nodes that are being taken back or were.
    fn evicted(&self) -> BTreeSet<String> {
        let all = self.evictions.iter();
        all.map(|story| story.seen.node.clone()).collect()
    }

    /// The names of the consumers that exist.
    pub(super) fn workers(&self) -> Vec<String> {
        let workers = self.roster.workers.iter();
        workers.map(|worker| worker.name.clone()).collect()
    }

    /// Records Azure's report that it has no machine to give. It holds until a node comes; an eviction that is not made good yet
    /// keeps it. Returns whether this is news.
    pub(super) fn short_of_machines(&mut self, why: String) -> bool {
        for story in &mut self.evictions {
            if story.seen.recovered.is_none() {
                story.seen.denied = Some(why.clone());
            }
        }
        let is_news = self.shortage.as_ref() != Some(&why);
        self.shortage = Some(why);
        is_news
    }

    /// Records why a consumer has had no node for long. Ignored on Azure, where a machine is made for the consumer and Azure's
    /// own report tells what prevents that.
    pub(super) fn has_no_room_for(&mut self, consumer: Option<String>) {
        self.no_room = consumer.filter(|_| self.rules != Rules::Azure);
    }

    /// The public view of the nodes.
    pub(super) fn view(&self, now: Moment) -> NodesView {
        let nodes = self.nodes.values().filter_map(|known| {
            Some(NodeView {
                name: known.seen.name.clone(),
                capacity: known.seen.capacity?,
                workers: known.workers.clone(),
                is_evictable: self.why_not(known, now).is_none(),
            })
        });
        NodesView {
            nodes: nodes.collect(),
            evictions: self.evictions.iter().map(|it| it.seen.clone()).collect(),
            shortage: self.shortage.clone(),
            no_room: self.no_room.clone(),
            wanted: self.rules.wanted(),
        }
    }

    /// Begins the eviction of `node` that the harness is about to request. Returns the node as last seen.
    pub(super) fn ask(
        &mut self,
        node: &str,
        eviction: Eviction,
        now: Moment,
    ) -> anyhow::Result<SeenNode> {
        let known = self.nodes.get(node);
        let known = known.with_context(|| format!("evict {node}: it is not there"))?;
        let why_not = self.why_not(known, now);
        ensure!(
            why_not.is_none(),
            "evict {node}: {}",
            why_not.unwrap_or_default()
        );
        let seen = known.seen.clone();
        self.begin(node, true, now);
        if self.rules != Rules::Azure
            && let Some(story) = self.evictions.last_mut()
        {
            story.by = By::Us { is_emptied: false };
            story.seen.eviction = eviction;
        }
        Ok(seen)
    }

    /// Withdraws the eviction of `node`, because the request was refused.
    pub(super) fn refused(&mut self, node: &str) {
        self.evictions
            .retain(|story| story.seen.node != node || story.seen.is_over);
    }

    fn begin(&mut self, node: &str, is_asked: bool, now: Moment) {
        let workers = self.nodes.get(node).map(|known| known.workers.clone());
        let wanted = self.roster.wanted as usize;
        let workers = workers.unwrap_or_default();
        let story = Story::begin(node, is_asked, workers, wanted, now);
        self.evictions.push(story);
        if !is_asked {
            self.tell(node, NodeChange::Unasked);
        } else if self.rules == Rules::Azure {
            self.tell(node, NodeChange::Requested);
        }
    }

    fn tell(&mut self, node: &str, change: NodeChange) {
        let node = node.to_owned();
        self.told.push(NodeEvent { node, change });
    }

    /// The index of the eviction of `node`, which exists or has just gone; begins an eviction if there is none.
    fn story(&mut self, node: &str, now: Moment) -> usize {
        let open = |story: &Story| story.seen.node == node && !story.is_gone;
        if let Some(at) = self.evictions.iter().position(open) {
            return at;
        }
        self.begin(node, false, now);
        self.evictions.len() - 1
    }

    /// Takes the current state of a node. Returns whether it is a new node for consumers.
    pub(super) fn saw(&mut self, seen: &SeenNode, now: Moment) -> bool {
        let Some(capacity) = seen.capacity else {
            return false;
        };
        let name = seen.name.clone();
        let is_new = !self.nodes.contains_key(&name);
        if is_new {
            let joined = NodeChange::Joined {
                capacity,
                zone: seen.zone.clone(),
                size: seen.size.clone(),
            };
            self.tell(&name, joined);
            let known = Known {
                seen: seen.clone(),
                joined: now,
                workers: BTreeSet::new(),
                was_ready: false,
            };
            self.nodes.insert(name.clone(), known);
            self.shortage = None;
        }
        let known = self.nodes.get_mut(&name).expect("it must be known by now");
        known.was_ready |= seen.is_ready;
        let is_silent = known.was_ready && !seen.is_ready;
        let has_workers = !known.workers.is_empty();
        known.seen = seen.clone();
        for condition in &seen.announced {
            let at = self.story(&name, now);
            self.note_condition(at, condition, now);
            self.evictions[at].told.get_or_insert(now);
        }
        let is_told = self
            .evictions
            .iter()
            .any(|it| it.seen.node == name && !it.is_gone);
        // A node that leaves in order becomes "not ready", too.
        if is_silent && (is_told || (has_workers && !seen.is_leaving)) {
            let at = self.story(&name, now);
            self.note_condition(at, "NotReady", now);
            self.evictions[at].seen.is_over = true;
        }
        self.look(now);
        is_new
    }

    fn note_condition(&mut self, at: usize, condition: &str, now: Moment) {
        let story = &mut self.evictions[at];
        story.shows(now);
        if story.conditions.insert(condition.to_owned()) {
            let node = story.seen.node.clone();
            let condition = condition.to_owned();
            self.tell(&node, NodeChange::Condition { condition });
        }
    }

    /// Records that a node is gone.
    pub(super) fn gone(&mut self, name: &str, now: Moment) {
        let Some(known) = self.nodes.remove(name) else {
            return;
        };
        if let Some(capacity) = known.seen.capacity {
            self.past.push(Spell {
                capacity,
                time: now.at.duration_since(known.joined.at),
            });
        }
        let mut stories = self.evictions.iter();
        let has_story = stories.any(|it| it.seen.node == name && !it.is_gone);
        if !has_story && !known.workers.is_empty() && !known.seen.is_leaving {
            let at = self.story(name, now);
            self.evictions[at].seen.workers = known.workers;
        }
        for story in self.evictions.iter_mut().filter(|it| it.seen.node == name) {
            story.shows(now);
            (story.seen.is_over, story.is_gone) = (true, true);
        }
        self.look(now);
        let killed = self.evictions.iter().rfind(|it| it.seen.node == name);
        let killed = killed.map(|it| {
            it.seen
                .killed
                .iter()
                .map(|(name, _)| name.clone())
                .collect()
        });
        let gone = NodeChange::Gone {
            stopped: false,
            killed: killed.unwrap_or_default(),
        };
        self.tell(name, gone);
    }

    /// Takes the current state of the consumers.
    pub(super) fn saw_workers(&mut self, roster: &Roster, now: Moment) {
        self.roster = roster.clone();
        for known in self.nodes.values_mut() {
            let on_it = roster.workers.iter();
            let on_it = on_it.filter(|worker| worker.node.as_deref() == Some(&known.seen.name));
            known.workers = on_it.map(|worker| worker.name.clone()).collect();
        }
        self.look(now);
    }

    /// Takes a fact from a consumer's log.
    pub(super) fn heard(&mut self, consumer: &str, heard: &Heard, now: Moment) {
        let notice = match heard {
            Heard::Answered => {
                self.answered.insert(consumer.to_owned());
                return;
            }
            Heard::Noticed { notice } => *notice,
        };
        let of_story = |story: &Story| story.seen.workers.contains(consumer);
        let mut workers = self.roster.workers.iter();
        let at = match self.evictions.iter().rposition(of_story) {
            Some(at) => at,
            None => match workers.find(|worker| worker.name == consumer) {
                Some(Worker {
                    node: Some(node), ..
                }) => self.story(&node.clone(), now),
                _ => return,
            },
        };
        let node = self.evictions[at].seen.node.clone();
        let story = &mut self.evictions[at];
        story.seen.workers.insert(consumer.to_owned());
        let is_first = story.seen.eviction.notice.is_none();
        if is_first {
            story.seen.eviction.notice = Some(notice);
            story.seen.since = now.stamp;
            story.told = Some(now);
        }
        let consumer = consumer.to_owned();
        self.tell(&node, NodeChange::Noticed { consumer });
        if is_first {
            let notice_ms = u64::try_from(notice.as_millis()).unwrap_or(u64::MAX);
            self.tell(&node, NodeChange::Announced { notice_ms });
        }
        self.look(now);
    }

    /// Advances each eviction.
    fn look(&mut self, now: Moment) {
        let evicted = self.evicted();
        let roster = &self.roster;
        let is_ready = |worker: &&Worker| {
            let sits_safe = worker
                .node
                .as_ref()
                .is_none_or(|node| !evicted.contains(node));
            worker.state == WorkerState::Running
                && worker.readiness == Readiness::Ready
                && sits_safe
        };
        let ready = roster.workers.iter().filter(is_ready).count();
        let mut told = Vec::new();
        for story in &mut self.evictions {
            let node = &story.seen.node;
            let came = |known: &&Known| known.joined.at > story.began.at;
            let mut others = self.nodes.values().filter(came);
            if !story.is_replaced
                && let Some(new) = others.find(|known| !known.workers.is_empty())
            {
                let by = new.seen.name.clone();
                told.push((node.clone(), NodeChange::Replaced { by }));
                story.is_replaced = true;
            }
            let changes = story.advanced(roster, ready, now);
            let node = &story.seen.node;
            told.extend(changes.into_iter().map(|it| (node.clone(), it)));
        }
        for (node, change) in told {
            self.tell(&node, change);
        }
    }

    /// How long nodes existed, added up.
    pub(super) fn figures(&self, now: Moment) -> Figures {
        let past = self.past.iter().map(|it| (it.capacity, it.time));
        let here = self.nodes.values().filter_map(|known| {
            let time = now.at.duration_since(known.joined.at);
            Some((known.seen.capacity?, time))
        });
        let mut figures = Figures::default();
        for (capacity, time) in past.chain(here) {
            let hours = time.as_secs_f64() / 3600.0;
            match capacity {
                Capacity::Spot => figures.spot_hours += hours,
                Capacity::OnDemand => figures.on_demand_hours += hours,
            }
        }
        figures
    }
}

#[cfg(test)]
mod tests;
