//! What a simulation comes to, in figures; made while it runs, so that hours need no memory.

use std::time::Duration;

use super::{Point, Workload, simulate_into};
use crate::{Decision, DecisionMaker, Reason, Settings, Start};

/// Replicas taken away and needed again within this time were taken away too early: as long as the HPA's own window.
pub const THRASH_WINDOW: Duration = Duration::from_secs(300);

/// How replicas become nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nodes {
    /// Replicas that fit one node, at least 1.
    pub replicas_per_node: u32,
    /// How long a node stays after it is no longer needed.
    pub linger: Duration,
}

/// What a simulation comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Most replicas at any time.
    pub most_replicas: u32,
    /// From the first message until the maximum of replicas works for the first time; `None`: it never does.
    pub full_scale: Option<Duration>,
    /// From the last message until there is none left; `None`: the load goes on, or some are left at the horizon.
    pub drain: Option<Duration>,
    /// Most messages at any tick, visible and leased.
    pub most_messages: u64,
    /// Messages at the horizon, visible and leased.
    pub left: u64,
    /// Messages at the horizon that no replica is there for, too few to be active: they stay until others come.
    pub stranded: u64,
    /// Longest time that messages waited so.
    pub stranded_longest: Duration,
    /// Scale-outs less than [`THRASH_WINDOW`] after a scale-in, the first after each: as often was taken away what was
    /// needed.
    pub thrash: u32,
    /// Replicas ended with work in flight.
    pub ended_at_work: u64,
    /// Messages in flight on those.
    pub interrupted: u64,
    /// The change to no replicas, or to the idle ones, that ends most of them, with work in flight if there is any such.
    pub worst_deactivation: Option<Deactivation>,
    /// Time of all replicas together, started or not.
    pub replica_time: Duration,
    /// Most nodes at any time.
    pub most_nodes: u32,
    /// Time of all nodes together.
    pub node_time: Duration,
}

/// KEDA takes a fleet away, past the HPA and its windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deactivation {
    /// When.
    pub at: Duration,
    /// From so many replicas.
    pub from: u32,
    /// To so many.
    pub to: u32,
    /// Replicas that were at work.
    pub ended_at_work: u32,
    /// Messages in flight on them.
    pub interrupted: u64,
}

/// Runs the simulation to its figures.
pub fn figures(
    settings: &Settings,
    start: &Start,
    workload: &Workload,
    horizon: Duration,
    nodes: Nodes,
) -> Figures {
    figures_into(settings, start, workload, horizon, nodes, |_, _| {})
}

/// Runs as [`figures`] does; `each` sees every tick and what it decided.
pub fn figures_into(
    settings: &Settings,
    start: &Start,
    workload: &Workload,
    horizon: Duration,
    nodes: Nodes,
    mut each: impl FnMut(&Point, &[Decision]),
) -> Figures {
    let mut tally = Tally::new(settings, start, workload, nodes);
    let end = simulate_into(settings, start, workload, horizon, |point, decisions| {
        tally.add(point, decisions);
        each(point, decisions);
    });
    tally.end(&end, workload)
}

struct Tally<'a> {
    settings: &'a Settings,
    first_message: Duration,
    start_delay: Duration,
    figures: Figures,
    /// The maximum of replicas is set since then.
    full_since: Option<Duration>,
    stranded_since: Option<Duration>,
    scaled_in: Option<Duration>,
    /// The last tick, and the replicas from then on.
    last: (Duration, u32),
    fleet: Fleet,
}

impl<'a> Tally<'a> {
    fn new(settings: &'a Settings, start: &Start, workload: &Workload, nodes: Nodes) -> Self {
        let full = start.replicas >= settings.max_replica_count;
        let mut fleet = Fleet::new(nodes);
        fleet.set(Duration::ZERO, start.replicas);
        Self {
            settings,
            first_message: workload.arrivals.first().unwrap_or_default(),
            start_delay: workload.service.start_delay,
            figures: Figures {
                most_replicas: start.replicas,
                full_scale: full.then_some(Duration::ZERO),
                drain: None,
                most_messages: 0,
                left: 0,
                stranded: 0,
                stranded_longest: Duration::ZERO,
                thrash: 0,
                ended_at_work: 0,
                interrupted: 0,
                worst_deactivation: None,
                replica_time: Duration::ZERO,
                most_nodes: 0,
                node_time: Duration::ZERO,
            },
            full_since: None,
            stranded_since: None,
            scaled_in: None,
            last: (Duration::ZERO, start.replicas),
            fleet,
        }
    }

    fn add(&mut self, point: &Point, decisions: &[Decision]) {
        self.note_full(point.at);
        for decision in decisions {
            self.decided(decision, point);
        }
        let figures = &mut self.figures;
        figures.replica_time += point.at.saturating_sub(self.last.0) * self.last.1;
        figures.most_replicas = figures.most_replicas.max(point.replicas);
        figures.ended_at_work += u64::from(point.ended_at_work);
        figures.interrupted += point.interrupted;
        let messages = point.queue.visible + point.queue.leased;
        figures.most_messages = figures.most_messages.max(messages);
        self.last = (point.at, point.replicas);
        let stranded = self.is_stranded(point);
        self.note_stranded(point.at, stranded);
    }

    fn decided(&mut self, decision: &Decision, point: &Point) {
        self.fleet.set(decision.at, decision.to);
        if decision.to > decision.from {
            let recently = |at: Duration| decision.at.saturating_sub(at) < THRASH_WINDOW;
            if self.scaled_in.take().is_some_and(recently) {
                self.figures.thrash += 1;
            }
        } else {
            self.scaled_in = Some(decision.at);
        }
        self.full_since = (decision.to >= self.settings.max_replica_count)
            .then(|| self.full_since.unwrap_or(decision.at));
        if (decision.by, decision.reason) == (DecisionMaker::Keda, Reason::Deactivated) {
            let new = Deactivation {
                at: decision.at,
                from: decision.from,
                to: decision.to,
                ended_at_work: point.ended_at_work,
                interrupted: point.interrupted,
            };
            let weight = |it: &Deactivation| (it.interrupted > 0, it.from, it.interrupted);
            let worst = self.figures.worst_deactivation.as_ref();
            if worst.is_none_or(|worst| weight(&new) > weight(worst)) {
                self.figures.worst_deactivation = Some(new);
            }
        }
    }

    /// The maximum works once those that were started last have started.
    fn note_full(&mut self, now: Duration) {
        let Some(since) = self.full_since else { return };
        let works = since + self.start_delay;
        if works <= now && self.figures.full_scale.is_none() {
            self.figures.full_scale = Some(works.saturating_sub(self.first_message));
        }
    }

    /// No replica, and a queue that no poll will find active.
    fn is_stranded(&self, point: &Point) -> bool {
        let length = self.settings.strategy.length(point.queue);
        let active = self.settings.activation_queue_length;
        point.replicas == 0 && length > 0 && i64::try_from(length).is_ok_and(|it| it <= active)
    }

    fn note_stranded(&mut self, now: Duration, stranded: bool) {
        if stranded {
            let since = *self.stranded_since.get_or_insert(now);
            let waited = now.saturating_sub(since);
            self.figures.stranded_longest = self.figures.stranded_longest.max(waited);
        } else {
            self.stranded_since = None;
        }
    }

    fn end(mut self, end: &Point, workload: &Workload) -> Figures {
        self.note_full(end.at);
        let stranded = self.is_stranded(end);
        self.note_stranded(end.at, stranded);
        let mut figures = self.figures;
        figures.replica_time += end.at.saturating_sub(self.last.0) * self.last.1;
        figures.left = end.queue.visible + end.queue.leased;
        figures.stranded = if stranded { figures.left } else { 0 };
        let last = workload.arrivals.last().filter(|last| *last <= end.at);
        let emptied = last.zip(end.empty_since);
        figures.drain = emptied.map(|(last, empty)| empty.saturating_sub(last));
        (figures.most_nodes, figures.node_time) = self.fleet.end(end.at);
        figures
    }
}

/// Nodes over time: as many as the replicas need, each kept for a while.
struct Fleet {
    nodes: Nodes,
    /// For the first node, the second and so on: needed since, or not needed since.
    each: Vec<Need>,
    needed: u32,
    time: Duration,
}

#[derive(Clone, Copy)]
enum Need {
    Since(Duration),
    NotSince(Duration),
}

impl Fleet {
    fn new(nodes: Nodes) -> Self {
        Self {
            nodes,
            each: Vec::new(),
            needed: 0,
            time: Duration::ZERO,
        }
    }

    fn set(&mut self, now: Duration, replicas: u32) {
        let needed = replicas.div_ceil(self.nodes.replicas_per_node.max(1));
        for n in self.needed..needed {
            match usize::try_from(n).ok().and_then(|n| self.each.get_mut(n)) {
                Some(need) => {
                    if let Need::NotSince(at) = *need {
                        self.time += now.saturating_sub(at).min(self.nodes.linger);
                    }
                    *need = Need::Since(now);
                }
                None => self.each.push(Need::Since(now)),
            }
        }
        for n in needed..self.needed {
            if let Some(need) = usize::try_from(n).ok().and_then(|n| self.each.get_mut(n)) {
                if let Need::Since(at) = *need {
                    self.time += now.saturating_sub(at);
                }
                *need = Need::NotSince(now);
            }
        }
        self.needed = needed;
    }

    /// Most nodes, and the time of all of them.
    fn end(self, horizon: Duration) -> (u32, Duration) {
        let left = self.each.iter().map(|need| match *need {
            Need::Since(at) => horizon.saturating_sub(at),
            Need::NotSince(at) => horizon.saturating_sub(at).min(self.nodes.linger),
        });
        let time = self.time + left.sum::<Duration>();
        (u32::try_from(self.each.len()).unwrap_or(u32::MAX), time)
    }
}

#[cfg(test)]
mod tests;
