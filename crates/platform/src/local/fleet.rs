//! The consumers of a stage, as processes: does what a Deployment, its `ReplicaSet` and the kubelet do in a cluster.
//!
//! `replicas` keeps the wanted number of consumers; `placement` assigns them to nodes, and ends them with their node; this file
//! acts on single consumers. Every change ends with [`Fleet::publish`].

mod placement;
mod replicas;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::sys::signal::Signal;
use tokio::sync::watch;
use workflow::contract::workload::{Exit, Lens};
use workflow::contract::{RunId, Stamp};

use evidence::events::{Event, EventLog, NodeChange, NodeEvent};
use placement::NodePlacement;
pub(super) use replicas::Group;
use replicas::{Leaving, Vacancy};
use wire::{Endpoints, Lane, Proxy};

use super::probe::Prober;
use super::process::{self, Process, exited, restarted};
use super::{Host, Place};
use crate::nodes::NodesView;
use crate::workers::{
    Act, Cause, ConsumerOptions, Departure, End, Readiness, Roster, Seat, Worker, WorkerState,
    is_orderly_end,
};

/// Time limit for a process to be gone after SIGKILL.
const GONE: Duration = Duration::from_secs(10);

/// The parts of a stage that a fleet uses.
pub(super) struct Means {
    pub(super) host: Arc<dyn Host>,
    pub(super) run: RunId,
    pub(super) logs: PathBuf,
    pub(super) log: EventLog,
    pub(super) proxy: Arc<Proxy>,
    /// The run's queues.
    pub(super) queues: Vec<String>,
    pub(super) lens: Lens,
}

/// The consumers of a stage, by name: `consumer-1`, `consumer-2`, ...
pub(super) struct Fleet {
    means: Means,
    groups: Vec<Group>,
    running: Vec<Member>,
    /// Consumers that were told to end, and have not ended yet.
    leaving: Vec<Leaving>,
    departed: Vec<Departure>,
    /// Places of consumers that ended by themselves.
    vacancies: Vec<Vacancy>,
    started: u32,
    command_lines: Vec<(String, Vec<u8>)>,
    /// The `NODE_NAME` of each consumer that was started.
    told_nodes: BTreeMap<String, String>,
    /// The nodes of the consumers, if the run has nodes.
    placement: Option<NodePlacement>,
    roster: watch::Sender<Roster>,
    nodes: watch::Sender<NodesView>,
}

/// The request to a consumer to end.
#[derive(Debug, Clone, Copy)]
struct Asked {
    at: Instant,
    /// Messages that it had in hand then.
    held: u64,
}

/// A consumer, and its connection to storage.
struct Member {
    process: Process,
    /// Closed when the consumer is removed, which records its pending requests.
    lane: Lane,
    group: &'static str,
    /// The index of its queue among the run's.
    queue: usize,
    /// Its node, if the run has nodes.
    node: Option<String>,
    prober: Option<Prober>,
    started: Instant,
    may_refuse: bool,
    /// How often consumers in this place have ended by themselves.
    restarts: u32,
}

impl Member {
    fn name(&self) -> &str {
        self.process.name()
    }

    fn seen(&self, state: WorkerState) -> Worker {
        let prober = self.prober.as_ref();
        Worker {
            name: self.name().to_owned(),
            group: self.group,
            node: self.node.clone(),
            state,
            readiness: prober.map_or(Readiness::Silent, Prober::last),
            has_received: Some(self.lane.has_received_since(self.started)),
        }
    }
}

impl Fleet {
    pub(super) fn new(means: Means) -> Self {
        Self {
            means,
            groups: Vec::new(),
            running: Vec::new(),
            leaving: Vec::new(),
            departed: Vec::new(),
            vacancies: Vec::new(),
            started: 0,
            command_lines: Vec::new(),
            told_nodes: BTreeMap::new(),
            placement: None,
            roster: watch::Sender::new(Roster::default()),
            nodes: watch::Sender::new(NodesView::default()),
        }
    }

    pub(super) fn roster(&self) -> watch::Receiver<Roster> {
        self.roster.subscribe()
    }

    pub(super) fn nodes(&self) -> watch::Receiver<NodesView> {
        self.nodes.subscribe()
    }

    /// The processes of consumers that have not ended, by name.
    pub(super) fn pids(&self) -> Vec<(String, u32)> {
        let running = self.running.iter().map(|member| &member.process);
        running.map(|it| (it.name().to_owned(), it.pid())).collect()
    }

    /// The command lines of all consumers that were started.
    pub(super) fn command_lines(&self) -> &[(String, Vec<u8>)] {
        &self.command_lines
    }

    /// The `NODE_NAME` of each consumer that was started, by the consumer's name.
    pub(super) const fn told_nodes(&self) -> &BTreeMap<String, String> {
        &self.told_nodes
    }

    /// Starts one more consumer of a group and a queue, with its own lane through the proxy. Returns whether it found a place:
    /// if the run has nodes, a node must have room for it.
    async fn start(
        &mut self,
        (group, queue): (&'static str, usize),
        options: &ConsumerOptions,
        restarts: u32,
    ) -> anyhow::Result<bool> {
        let name = format!("consumer-{}", self.started + 1);
        let mut seat = Seat {
            probes: None,
            node: self.seat(&name),
        };
        if self.placement.is_some() && seat.node.is_none() {
            return Ok(false);
        }
        self.started += 1;
        let reserved = if options.is_probed {
            Some(Prober::reserve().context("take a port for a probe")?)
        } else {
            None
        };
        seat.probes = reserved.as_ref().map(|(address, _)| *address);
        let lane = self.means.proxy.lane(&name).await?;
        let started = Instant::now();
        let process = self.launch(&name, queue, lane.endpoints(), options, &seat)?;
        lane.set_killer(process.killer());
        let command = process::command_line(process.pid());
        self.command_lines.push((name.clone(), command));
        self.record(Event::ProcessStarted {
            name: name.clone(),
            role: "consumer".to_owned(),
            pid: Some(process.pid()),
        })?;
        self.told_nodes
            .insert(name.clone(), seat.told_node().to_owned());
        let node = seat.node.map(|placed| placed.node);
        if let Some(node) = node.clone() {
            let change = NodeChange::Placed { consumer: name };
            self.record(Event::Node(NodeEvent { node, change }))?;
        }
        self.running.push(Member {
            process,
            lane,
            group,
            queue,
            node,
            prober: reserved.map(Prober::start).transpose()?,
            started,
            may_refuse: options.may_refuse,
            restarts,
        });
        Ok(true)
    }

    fn launch(
        &self,
        name: &str,
        queue: usize,
        endpoints: &Endpoints,
        options: &ConsumerOptions,
        seat: &Seat,
    ) -> anyhow::Result<Process> {
        let Means {
            host,
            run,
            logs,
            queues,
            ..
        } = &self.means;
        let place = Place {
            run,
            queue: &queues[queue],
            endpoints,
            logs,
        };
        host.start_consumer(name, &place, options, seat)
    }

    fn record(&self, event: Event) -> anyhow::Result<()> {
        self.means.log.append(Stamp::now(), event)?;
        Ok(())
    }

    fn record_fault(&self, name: &str, target: &str) -> anyhow::Result<()> {
        self.record(Event::fault(name, target))
    }

    /// Records how `member` ended, and describes it by its name followed by `sentence`.
    fn depart(
        &mut self,
        member: &Member,
        end: End,
        cause: Cause,
        asked: Option<Asked>,
        sentence: &str,
    ) -> anyhow::Result<Departure> {
        let Member { process, lane, .. } = member;
        // A program that has only just started may not handle signals yet, and has no messages: ending by the SIGTERM is
        // allowed.
        let just_started = !lane.has_carried() && end == End::Signalled(Signal::SIGTERM as i32);
        let was_asked = matches!(cause, Cause::Told | Cause::Notice);
        let worker = &self.means.lens.description().worker;
        let is_restart = cause == Cause::Unasked && worker.exit == Exit::Restart;
        let is_orderly = is_orderly_end(cause, end, member.may_refuse)
            || is_restart
            || was_asked && (just_started || !worker.drains);
        self.record(if is_restart {
            restarted(process, end)
        } else {
            exited(process, end, Some(cause), is_orderly)
        })?;
        let departure = Departure {
            name: process.name().to_owned(),
            end,
            cause,
            is_orderly,
            is_restart,
            is_early: false,
            after: asked.map_or(Duration::ZERO, |asked| asked.at.elapsed()),
            held: asked.map_or(0, |asked| asked.held),
            sentence: format!("{} {sentence}", process.name()),
            tail: process.tail(),
        };
        self.departed.push(departure.clone());
        Ok(departure)
    }

    /// Does `act` to the consumer `name`.
    pub(super) async fn act(&mut self, name: &str, act: Act) -> anyhow::Result<()> {
        let at = self.running.iter().position(|member| member.name() == name);
        let at = at.with_context(|| format!("act on {name}: it does not run"))?;
        match act {
            Act::Freeze | Act::Thaw => {
                let (fault, signal) = match act {
                    Act::Freeze => ("SIGSTOP", Signal::SIGSTOP),
                    _ => ("SIGCONT", Signal::SIGCONT),
                };
                self.record_fault(fault, name)?;
                self.running[at].process.signal(signal)?;
            }
            Act::Kill | Act::KillForGood => {
                let mut member = self.running.remove(at);
                if act == Act::KillForGood {
                    let own = |group: &&mut Group| group.name == member.group;
                    (self.groups.iter_mut().filter(own)).for_each(|group| group.replicas = 0);
                }
                self.record_fault("SIGKILL", name)?;
                let end = member.process.kill().await?;
                self.depart(&member, end, Cause::Killed, None, "was killed")?;
            }
            Act::Drain => {
                let member = self.running.remove(at);
                let grace = self.grace(member.group);
                self.record_fault("SIGTERM", name)?;
                self.leaving.push(Leaving::ask(member, grace)?);
            }
        }
        self.publish();
        Ok(())
    }

    /// Sends SIGTERM to all consumers, and waits for at most `grace` until they have drained and ended. Consumers that do not
    /// end in time are killed, and their departures say so: the fault is the consumer's. Returns the departures of all
    /// consumers that were told to end, including earlier ones.
    pub(super) async fn drain(&mut self, grace: Duration) -> anyhow::Result<Vec<Departure>> {
        self.groups.clear();
        // A consumer may have ended by itself since the keeper last looked: nobody told it to.
        self.take_fallen().await?;
        self.take_dead()?;
        for member in std::mem::take(&mut self.running) {
            self.leaving.push(Leaving::ask(member, grace)?);
        }
        self.publish();
        for leaving in std::mem::take(&mut self.leaving) {
            self.await_exit(leaving).await?;
        }
        self.bury_all().await?;
        self.publish();
        let told = |it: &&Departure| matches!(it.cause, Cause::Told | Cause::Notice);
        Ok(self.departed.iter().filter(told).cloned().collect())
    }

    /// Kills all consumers with SIGKILL, which is no fault of theirs, and waits until they are gone.
    pub(super) async fn abandon(&mut self) -> anyhow::Result<()> {
        self.groups.clear();
        let leaving = std::mem::take(&mut self.leaving);
        let running = std::mem::take(&mut self.running);
        let leaving = leaving.into_iter().map(Leaving::into_member);
        for mut member in running.into_iter().chain(leaving) {
            let end = member.process.kill().await?;
            self.depart(&member, end, Cause::Killed, None, "was ended with the run")?;
        }
        self.bury_all().await?;
        self.publish();
        Ok(())
    }

    /// Publishes the current state to all watchers.
    fn publish(&self) {
        let running = self
            .running
            .iter()
            .map(|member| member.seen(WorkerState::Running));
        let leaving = self
            .leaving
            .iter()
            .map(|leaving| leaving.seen(WorkerState::Ending));
        self.roster.send_replace(Roster {
            workers: running.chain(leaving).collect(),
            departed: self.departed.clone(),
            wanted: self.wanted(),
            is_scaled: self.groups.iter().any(|group| group.is_scaled),
            held_back: self.held_back(Instant::now()),
            // Simulated nodes come within their time, or the scenario is about their absence.
            no_room: None,
            restarts: self.means.lens.description().worker.exit == Exit::Restart,
        });
        if let Some(view) = self.view() {
            self.nodes.send_replace(view);
        }
    }
}
