//! Figures of a simulation, computed while it runs, so that long simulations need no memory.

mod fleet;

use std::time::Duration;

use super::{Point, Workload, simulate_into};
use crate::{Decision, DecisionMaker, Reason, Settings, Start};
pub(crate) use fleet::Fleet;

/// A scale-out within this time after a scale-in shows that replicas were removed too early: as long as the HPA's own window.
pub const THRASH_WINDOW: Duration = Duration::from_secs(300);

/// How replicas are distributed to nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nodes {
    /// Replicas that fit on one node, at least 1.
    pub replicas_per_node: u32,
    /// How long a node remains after it is no longer needed.
    pub linger: Duration,
}

/// Figures of a simulation. Counts of replicas and messages are rounded, since both are continuous amounts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures {
    /// Replicas at time zero.
    pub replicas_at_rest: u32,
    /// Highest number of replicas.
    pub most_replicas: u32,
    /// Time from the first message until the maximum of replicas works; `None`: never.
    pub full_scale: Option<Duration>,
    /// Time from the last message until none is left; `None`: the load continues, or messages are left at the horizon.
    pub drain: Option<Duration>,
    /// Highest number of messages, visible and leased.
    pub most_messages: u64,
    /// Messages at the horizon, visible and leased.
    pub left: u64,
    /// Lowest number of messages at any tick in the second half of the time, visible and leased: a backlog that is never worked
    /// off.
    pub never_below: u64,
    /// Longest time that a message waited until a replica took it.
    pub longest_wait: Duration,
    /// The same without the time in which messages were stranded: a wait that ends because no replica is left for too few
    /// messages counts until then, and one that goes on when others have come counts from then.
    pub longest_unstranded_wait: Duration,
    /// Messages at the horizon without replicas and too few to be active: they stay until others come.
    pub stranded: u64,
    /// Longest time for which messages were stranded like this.
    pub stranded_longest: Duration,
    /// Number of scale-outs less than [`THRASH_WINDOW`] after a scale-in, only the first after each: replicas were removed
    /// although they were needed again.
    pub thrash: u32,
    /// The part of `thrash` that follows a scale-in by KEDA itself, without the HPA.
    pub thrash_by_keda: u32,
    /// Replicas that ended while they worked on messages.
    pub ended_at_work: u64,
    /// Messages in work on those replicas.
    pub interrupted: u64,
    /// Messages of these that were not finished within the grace period, and began anew.
    pub cut_off: u64,
    /// The scale-in to zero or idle replicas that ends most replicas; one with messages in work, if there is any.
    pub worst_deactivation: Option<ScaleIn>,
    /// The scale-in by KEDA or the HPA that cuts off most messages; `None`: none does.
    pub worst_cut: Option<ScaleIn>,
    /// The HPA's scale-in that removes most replicas in one step.
    pub worst_step: Option<ScaleIn>,
    /// Total time of all replicas, started or not, until they are told to end.
    pub replica_time: Duration,
    /// Highest number of nodes.
    pub most_nodes: u32,
    /// Total time of all nodes.
    pub node_time: Duration,
}

/// A scale-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaleIn {
    /// The time.
    pub at: Duration,
    /// The loop that decided: KEDA removes all replicas without the HPA and its windows.
    pub by: DecisionMaker,
    /// The replicas before.
    pub from: u32,
    /// The replicas after.
    pub to: u32,
    /// Replicas that ended while they worked on messages.
    pub ended_at_work: u32,
    /// Messages in work on them.
    pub interrupted: u64,
    /// Messages of these that were not finished within the grace period.
    pub cut_off: u64,
}

/// Simulates, and returns the figures.
pub fn figures(
    settings: &Settings,
    start: &Start,
    workload: &Workload,
    horizon: Duration,
    nodes: Nodes,
) -> Figures {
    figures_into(settings, start, workload, horizon, nodes, |_, _| {})
}

/// As [`figures`]; `each` gets every tick with its decisions.
pub fn figures_into(
    settings: &Settings,
    start: &Start,
    workload: &Workload,
    horizon: Duration,
    nodes: Nodes,
    mut each: impl FnMut(&Point, &[Decision]),
) -> Figures {
    let mut tally = Tally::new(settings, workload, horizon, nodes);
    tally.wall = start.wall;
    let end = simulate_into(settings, start, workload, horizon, |point, decisions| {
        tally.add(point, decisions);
        each(point, decisions);
    });
    tally.end(&end, workload)
}

struct Tally<'a> {
    settings: &'a Settings,
    /// The wall clock's time at time zero.
    wall: Duration,
    first_message: Duration,
    start_delay: Duration,
    figures: Figures,
    half: Duration,
    never_below: Option<u64>,
    ended_at_work: f64,
    interrupted: f64,
    cut_off: f64,
    /// Since when the maximum of replicas has been set.
    full_since: Option<Duration>,
    stranded_since: Option<Duration>,
    /// The last tick at which messages were stranded; zero: none yet.
    stranded_until: Duration,
    scaled_in: Option<(Duration, DecisionMaker)>,
    /// The last tick, with the replicas after it; `None` before the first.
    last: Option<(Duration, u32)>,
    fleet: Fleet,
}

impl<'a> Tally<'a> {
    fn new(settings: &'a Settings, workload: &Workload, horizon: Duration, nodes: Nodes) -> Self {
        Self {
            settings,
            wall: Duration::ZERO,
            first_message: workload.arrivals.first().unwrap_or_default(),
            start_delay: workload.service.start_delay,
            figures: Figures::default(),
            half: horizon / 2,
            never_below: None,
            ended_at_work: 0.0,
            interrupted: 0.0,
            cut_off: 0.0,
            full_since: None,
            stranded_since: None,
            stranded_until: Duration::ZERO,
            scaled_in: None,
            last: None,
            fleet: Fleet::new(nodes),
        }
    }

    fn begin(&mut self, replicas: u32) {
        self.fleet.set(Duration::ZERO, replicas);
        self.figures.replicas_at_rest = replicas;
        if replicas >= self.settings.max_replica_count {
            self.figures.full_scale = Some(Duration::ZERO);
        }
    }

    fn add(&mut self, point: &Point, decisions: &[Decision]) {
        if self.last.is_none() {
            self.begin(point.replicas);
        }
        self.note_full(point.at);
        for decision in decisions {
            self.decided(decision, point);
        }
        self.ended_at_work += point.ended_at_work;
        self.interrupted += point.interrupted;
        self.cut_off += point.cut_off;
        self.note(point);
    }

    fn note(&mut self, point: &Point) {
        let figures = &mut self.figures;
        if let Some((at, replicas)) = self.last {
            figures.replica_time += point.at.saturating_sub(at) * replicas;
        }
        self.last = Some((point.at, point.replicas));
        figures.most_replicas = figures.most_replicas.max(point.replicas);
        figures.most_messages = figures.most_messages.max(point.peak.1);
        let messages = point.queue.visible + point.queue.leased;
        if point.at >= self.half {
            let below = self.never_below.get_or_insert(messages);
            *below = messages.min(*below);
        }
        let stranded = self.is_stranded(point);
        self.note_wait(point, stranded);
        self.note_stranded(point.at, stranded);
    }

    fn decided(&mut self, decision: &Decision, point: &Point) {
        self.fleet.set(decision.at, decision.to);
        if decision.to > decision.from {
            let recently = |at: Duration| decision.at.saturating_sub(at) < THRASH_WINDOW;
            if let Some((_, by)) = self.scaled_in.take().filter(|(at, _)| recently(*at)) {
                self.figures.thrash += 1;
                self.figures.thrash_by_keda += u32::from(by == DecisionMaker::Keda);
            }
        } else {
            self.scaled_in = Some((decision.at, decision.by));
            self.scaled_in(decision, point);
        }
        self.full_since = (decision.to >= self.settings.max_replica_count)
            .then(|| self.full_since.unwrap_or(decision.at));
    }

    /// Updates the worst scale-in of each kind.
    fn scaled_in(&mut self, decision: &Decision, point: &Point) {
        let new = ScaleIn {
            at: decision.at,
            by: decision.by,
            from: decision.from,
            to: decision.to,
            ended_at_work: u32::try_from(whole(point.ended_at_work)).unwrap_or(u32::MAX),
            interrupted: whole(point.interrupted),
            cut_off: whole(point.cut_off),
        };
        let keep = |worst: &mut Option<ScaleIn>, is_worse: &dyn Fn(&ScaleIn) -> bool| {
            if worst.as_ref().is_none_or(is_worse) {
                *worst = Some(new);
            }
        };
        if (decision.by, decision.reason) == (DecisionMaker::Keda, Reason::Deactivated) {
            let weight = |it: &ScaleIn| (it.interrupted > 0, it.from, it.interrupted);
            keep(&mut self.figures.worst_deactivation, &|it| {
                weight(&new) > weight(it)
            });
        }
        if new.cut_off > 0 {
            keep(&mut self.figures.worst_cut, &|it| new.cut_off > it.cut_off);
        }
        if decision.by == DecisionMaker::Hpa {
            let taken = |it: &ScaleIn| it.from - it.to;
            keep(&mut self.figures.worst_step, &|it| taken(&new) > taken(it));
        }
    }

    /// Records when the maximum works: once the replicas that were started last have started.
    fn note_full(&mut self, now: Duration) {
        let Some(since) = self.full_since else { return };
        let works = since + self.start_delay;
        if works <= now && self.figures.full_scale.is_none() {
            self.figures.full_scale = Some(works.saturating_sub(self.first_message));
        }
    }

    /// Whether there are no replicas, and a queue that no poll will find active, apart from cron triggers' times. What an
    /// annotation keeps from starting is not stranded for that reason.
    fn is_stranded(&self, point: &Point) -> bool {
        let annotations = &self.settings.annotations;
        let scaled = annotations.paused.is_none() && !annotations.paused_scale_out;
        scaled
            && point.replicas == 0
            && self.settings.strategy.length(point.queue) > 0
            && !self.settings.is_active(point.queue, self.wall + point.at)
    }

    /// Records the wait; a message that was stranded waits for a replica only since then, and the others came later.
    fn note_wait(&mut self, point: &Point, stranded: bool) {
        if stranded && self.stranded_since.is_some() {
            self.stranded_until = point.at;
        }
        let unstranded = point.at.saturating_sub(self.stranded_until);
        let unstranded = point.longest_wait.min(unstranded);
        let figures = &mut self.figures;
        figures.longest_wait = figures.longest_wait.max(point.longest_wait);
        figures.longest_unstranded_wait = figures.longest_unstranded_wait.max(unstranded);
    }

    fn note_stranded(&mut self, now: Duration, stranded: bool) {
        if stranded {
            self.stranded_until = now;
            let since = *self.stranded_since.get_or_insert(now);
            let waited = now.saturating_sub(since);
            self.figures.stranded_longest = self.figures.stranded_longest.max(waited);
        } else {
            self.stranded_since = None;
        }
    }

    fn end(mut self, end: &Point, workload: &Workload) -> Figures {
        self.note_full(end.at);
        self.note(end);
        let mut figures = self.figures;
        figures.left = end.queue.visible + end.queue.leased;
        figures.never_below = self.never_below.unwrap_or(figures.left);
        if self.stranded_since.is_some() {
            figures.stranded = figures.left;
        }
        figures.ended_at_work = whole(self.ended_at_work);
        figures.interrupted = whole(self.interrupted);
        figures.cut_off = whole(self.cut_off);
        let last = workload.arrivals.last().filter(|last| *last <= end.at);
        let emptied = last.zip(end.empty_since);
        figures.drain = emptied.map(|(last, empty)| empty.saturating_sub(last));
        (figures.most_nodes, figures.node_time) = self.fleet.end(end.at);
        figures
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an amount is not negative, and `as` saturates"
)]
fn whole(amount: f64) -> u64 {
    amount.round() as u64
}

#[cfg(test)]
mod tests;
