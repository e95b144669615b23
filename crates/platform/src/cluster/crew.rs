//! Roster of a run's worker pods, made from the watch's changes: which are there, which have ended, and why. No client of a
//! cluster.

mod member;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cluster::pods::{ContainerEnd, PodView};
use evidence::events::{Event, EventLog, NodeChange, NodeEvent};
use tokio::sync::watch;
use tokio::time::Instant;
use wire::Wire;
use workflow::contract::Stamp;
use workflow::contract::workload::{Exit, WorkerForm};

use member::Member;

use super::nodes::ANNOUNCED;
use crate::logs;
use crate::workers::{
    Cause, Departure, End, Readiness, Roster, Worker, WorkerState, is_orderly_end,
};

/// The workers of a run.
pub(super) struct Crew {
    log: EventLog,
    /// The run's directory.
    directory: PathBuf,
    /// By UID, because a new pod may have the name of an earlier one.
    pods: BTreeMap<String, Member>,
    departed: Vec<Departure>,
    groups: BTreeMap<&'static str, Group>,
    /// The behaviour of the workers, from their description.
    worker: WorkerForm,
    /// The wire that counts their messages, if there is one.
    wire: Option<Arc<dyn Wire>>,
    /// The cause of each end that the harness requested, by the pod's name, until the pod ends.
    asked: BTreeMap<String, Cause>,
    /// Nodes that Azure is evicting or has evicted.
    evicted: BTreeSet<String>,
    /// The node of each pod that was ever started, by the pod's name.
    pub(super) nodes: BTreeMap<String, String>,
    roster: watch::Sender<Roster>,
    /// Number of pods, including those that have not started and those that have ended.
    present: watch::Sender<usize>,
}

/// The wanted state of a group.
#[derive(Debug, Clone, Default)]
struct Group {
    /// The number of replicas, by the name of the Deployment.
    deployments: BTreeMap<String, u32>,
    is_scaled: bool,
    may_refuse: bool,
}

impl Crew {
    /// Makes an empty roster. `directory` is the run's, and `worker` says how workers behave.
    pub(super) fn new(log: EventLog, directory: PathBuf, worker: WorkerForm) -> Self {
        Self {
            log,
            directory,
            pods: BTreeMap::new(),
            departed: Vec::new(),
            groups: BTreeMap::new(),
            worker,
            wire: None,
            asked: BTreeMap::new(),
            evicted: BTreeSet::new(),
            nodes: BTreeMap::new(),
            roster: watch::Sender::new(Roster::default()),
            present: watch::Sender::new(0),
        }
    }

    /// Sets the wire that tells how many messages each pod has in hand.
    pub(super) fn look_through(&mut self, wire: Arc<dyn Wire>) {
        self.wire = Some(wire);
    }

    pub(super) fn roster(&self) -> watch::Receiver<Roster> {
        self.roster.subscribe()
    }

    /// The number of pods, including those that are not yet, or no longer, in the roster.
    pub(super) fn present(&self) -> watch::Receiver<usize> {
        self.present.subscribe()
    }

    /// Sets the wanted replicas of `group`, by the names of its Deployments; `is_scaled`: KEDA changes them.
    pub(super) fn want(
        &mut self,
        group: &'static str,
        deployments: BTreeMap<String, u32>,
        is_scaled: bool,
        may_refuse: bool,
    ) {
        let wanted = Group {
            deployments,
            is_scaled,
            may_refuse,
        };
        self.groups.insert(group, wanted);
        self.publish();
    }

    /// Records that the Deployment `name` asks for `replicas` now. Does nothing if the Deployment is of no wanted group.
    pub(super) fn scaled(&mut self, name: &str, replicas: u32) {
        let mut groups = self.groups.values_mut();
        if let Some(wanted) = groups.find_map(|group| group.deployments.get_mut(name)) {
            *wanted = replicas;
            self.publish();
        }
    }

    /// Records that no workers are wanted any more.
    pub(super) fn want_none(&mut self) {
        self.groups.clear();
        self.publish();
    }

    /// Records that the harness is about to end the worker `name`, and why.
    pub(super) fn asks(&mut self, name: &str, cause: Cause) {
        self.asked.insert(name.to_owned(), cause);
    }

    /// Sets the nodes that Azure is evicting or has evicted: the harness does not tell their pods to end, and promises them no
    /// grace period.
    pub(super) fn evicted(&mut self, nodes: BTreeSet<String>) {
        self.evicted = nodes;
    }

    /// The names of the running pods.
    pub(super) fn names(&self) -> Vec<String> {
        let pods = self.pods.values().filter(|member| !member.is_over);
        pods.map(|member| member.view.name.clone()).collect()
    }

    /// Whether the worker `name` has a pod.
    pub(super) fn is_there(&self, name: &str) -> bool {
        self.pods.values().any(|member| member.view.name == name)
    }

    /// The departures of workers that were told to end, and of those that ended after a notice of their node's eviction.
    pub(super) fn told(&self) -> Vec<Departure> {
        let told = |it: &&Departure| matches!(it.cause, Cause::Told | Cause::Notice);
        self.departed.iter().filter(told).cloned().collect()
    }

    /// Takes the current state of a pod.
    pub(super) fn saw(&mut self, view: PodView) -> anyhow::Result<()> {
        let now = Instant::now();
        let Some(group) = self.group_of(&view) else {
            return Ok(());
        };
        let uid = view.uid.clone();
        let member = self.pods.remove(&uid);
        let mut member = member.unwrap_or_else(|| Member::new(group));
        let before = member.saw(view, now, self.wire.as_ref());
        if member.view.is_running && !before.is_running {
            self.started(&member.view)?;
        }
        let noted = self.note_ends(&mut member);
        self.pods.insert(uid, member);
        self.publish();
        noted
    }

    /// Takes the last state of a pod that was deleted.
    pub(super) fn gone(&mut self, view: PodView) -> anyhow::Result<()> {
        let Some(mut member) = self.pods.remove(&view.uid) else {
            return Ok(());
        };
        if member.told.is_none() {
            member.told = Some(Instant::now());
        }
        let was_seen = member.view.is_running || member.view.ended.is_some();
        member.view = view;
        let noted = self.note_ends(&mut member);
        let was_there = member.view.is_running || member.view.ended.is_some();
        // The kubelet may report a pod's start after its end. A pod that a fault killed for what it did must have run.
        let was_killed = self.asked.get(&member.view.name) == Some(&Cause::Fault);
        let noted = noted.and_then(|()| {
            if was_killed && !was_seen && !was_there {
                self.started(&member.view)?;
            }
            // Deleted before its end was seen: with grace period 0, or together with its node.
            if (was_there || was_killed) && !member.is_over {
                return self.depart(&member, None);
            }
            Ok(())
        });
        self.publish();
        noted
    }

    /// Records the ends of the member's container that are not recorded yet.
    fn note_ends(&mut self, member: &mut Member) -> anyhow::Result<()> {
        if member.view.restarts > member.restarts
            && let Some(ended) = member.view.ended.clone()
        {
            member.restarts = member.view.restarts;
            self.depart(member, Some(&ended))?;
        }
        if member.view.is_over()
            && !std::mem::replace(&mut member.is_over, true)
            && let Some(ended) = member.view.ended.clone()
        {
            self.depart(member, Some(&ended))?;
        }
        Ok(())
    }

    /// Records how a worker ended; `None`: its end was not seen.
    fn depart(&mut self, member: &Member, ended: Option<&ContainerEnd>) -> anyhow::Result<()> {
        let name = &member.view.name;
        let end = ended.map_or(End::Unknown, super::end_of);
        // The log may still lack lines that are not copied yet.
        let log = logs::file(&self.directory, name);
        let cause = self.cause(member, end, &log);
        let may_refuse = self
            .groups
            .get(member.group)
            .is_some_and(|group| group.may_refuse);
        let out_of_memory = ended.is_some_and(ContainerEnd::is_out_of_memory);
        let is_restart = cause == Cause::Unasked && self.worker.exit == Exit::Restart;
        let was_asked = matches!(cause, Cause::Told | Cause::Notice);
        let is_early = was_asked && member.ended_before_it_began(end);
        let is_orderly = is_restart
            || !out_of_memory
                && (is_orderly_end(cause, end, may_refuse)
                    || was_asked && !self.worker.drains
                    || is_early);
        let why = match ended {
            Some(ended) if !["", "Completed", "Error"].contains(&ended.reason.as_str()) => {
                format!(" ({})", ended.reason)
            }
            _ => String::new(),
        };
        let sentence = match cause {
            Cause::Unasked => format!("{name} ended unasked: {end}{why}"),
            Cause::Told => format!("{name} was told to end: {end}{why}"),
            Cause::Notice => format!("{name} was told by its node: {end}{why}"),
            Cause::Killed => format!("{name} was killed"),
            Cause::Fault => format!("{name} was killed by a fault"),
            Cause::Evicted => format!("{name} ended with its node"),
        };
        self.log.append(
            Stamp::now(),
            Event::ProcessExited {
                name: name.clone(),
                pid: None,
                status: format!("{end}{why}"),
                expected: is_orderly,
                last_lines: (!is_orderly).then(|| logs::last_lines(&log)),
                restarted: is_restart,
                end: Some(end),
                cause: Some(cause),
            },
        )?;
        self.departed.push(Departure {
            name: name.clone(),
            end,
            cause,
            is_orderly,
            is_restart,
            is_early,
            after: member.told.map_or(Duration::ZERO, |at| at.elapsed()),
            held: member.held,
            sentence,
            tail: logs::tail(&log),
        });
        Ok(())
    }

    fn cause(&self, member: &Member, end: End, log: &Path) -> Cause {
        let view = &member.view;
        if let Some(cause) = self.asked.get(&view.name) {
            return *cause;
        }
        let is_orderly = end.code() == Some(0);
        let of_evicted = view.node.as_ref();
        let of_evicted = of_evicted.is_some_and(|node| self.evicted.contains(node));
        if of_evicted && !is_orderly {
            return Cause::Evicted;
        }
        // A worker with nothing in hand ends at once, before its log was searched for the notice.
        let has_read = member.told.is_none() && logs::says(log, ANNOUNCED);
        if is_orderly && (of_evicted || has_read) {
            return Cause::Notice;
        }
        if member.told.is_some() {
            Cause::Told
        } else {
            Cause::Unasked
        }
    }

    fn started(&mut self, view: &PodView) -> anyhow::Result<()> {
        self.log.append(
            Stamp::now(),
            Event::ProcessStarted {
                name: view.name.clone(),
                role: "consumer".to_owned(),
                pid: None,
            },
        )?;
        if let Some(node) = view.node.clone() {
            let consumer = view.name.clone();
            self.nodes.insert(consumer.clone(), node.clone());
            let change = NodeChange::Placed { consumer };
            let placed = Event::Node(NodeEvent { node, change });
            self.log.append(Stamp::now(), placed)?;
        }
        Ok(())
    }

    fn group_of(&self, view: &PodView) -> Option<&'static str> {
        let group = view.group.as_deref()?;
        let known = self.pods.get(&view.uid).map(|member| member.group);
        let mut groups = self.groups.keys();
        known.or_else(|| groups.find(|name| **name == group).copied())
    }

    fn publish(&self) {
        self.present.send_replace(self.pods.len());
        let mut members: Vec<&Member> = self.pods.values().collect();
        members.sort_by_key(|member| (member.view.created, member.view.name.clone()));
        let workers = members
            .iter()
            .filter(|member| member.view.is_running)
            .map(|member| Worker {
                name: member.view.name.clone(),
                group: member.group,
                node: member.view.node.clone(),
                state: if member.told.is_some() {
                    WorkerState::Ending
                } else {
                    WorkerState::Running
                },
                readiness: if member.view.is_ready {
                    Readiness::Ready
                } else {
                    Readiness::Silent
                },
                has_received: None,
            });
        let held_back = members
            .iter()
            .filter(|member| member.view.is_held_back)
            .count();
        self.roster.send_replace(Roster {
            restarts: self.worker.exit == Exit::Restart,
            workers: workers.collect(),
            departed: self.departed.clone(),
            wanted: (self.groups.values())
                .flat_map(|group| group.deployments.values())
                .sum(),
            is_scaled: self.groups.values().any(|group| group.is_scaled),
            held_back: u32::try_from(held_back).unwrap_or(u32::MAX),
            no_room: members.iter().find_map(|member| {
                let why = member.view.unplaced()?;
                Some(format!("{}: {why}", member.view.name))
            }),
        });
    }
}

#[cfg(test)]
mod tests;
