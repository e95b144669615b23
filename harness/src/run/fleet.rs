//! The consumers of a run. What is done to them by hand is here; how many there should be, and that they are, in `replicas`.

mod departure;
mod ground;
mod replicas;

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::sys::signal::Signal;
use workflow::contract::Stamp;

pub use departure::Departure;
pub use ground::Evicted;
use ground::Ground;
pub(super) use replicas::Keeper;
use replicas::{Leaving, Restarts, Wanted};

use super::exited;
use crate::environment::{ConsumerOptions, Environment, Store};
use crate::events::{Event, EventLog, NodeChange, NodeEvent};
use crate::process::{self, Process};
use crate::wire::{Lane, Proxy};

/// The consumers of a run, by name: `consumer-1`, `consumer-2`, ...
pub struct Fleet {
    environment: Arc<dyn Environment>,
    store: Store,
    logs: PathBuf,
    log: EventLog,
    proxy: Arc<Proxy>,
    running: Vec<Member>,
    heads: Arc<Heads>,
    started: u32,
    fallen: usize,
    /// How many there should be, once somebody has said so.
    wanted: Option<Wanted>,
    /// Those that were told to end because there were too many, and have not ended yet.
    leaving: Vec<Leaving>,
    /// How those ended.
    left: Vec<Departure>,
    /// Those that ended unasked and were replaced, until somebody takes note.
    unasked: Vec<Departure>,
    restarts: Restarts,
    command_lines: Vec<(String, Vec<u8>)>,
    /// The exit code with which consumers are to end by themselves, where they are to refuse to work.
    refusal: Option<i32>,
    /// The nodes that they are on, where there are any.
    ground: Option<Ground>,
}

/// How many consumers there are.
#[derive(Debug, Default)]
pub(super) struct Heads {
    pub(super) running: AtomicU64,
    /// Told to end, and not ended yet.
    pub(super) leaving: AtomicU64,
}

/// When a consumer was asked to end.
#[derive(Debug, Clone, Copy)]
struct Asked {
    at: Instant,
    /// Messages that it had in its hands then.
    held: u64,
}

/// A consumer and its way to storage.
struct Member {
    process: Process,
    /// Closed when the consumer is taken away: what it had under way is then written down.
    lane: Lane,
    /// The node that it is on, where there are any.
    node: Option<String>,
}

impl Fleet {
    pub(super) fn new(
        environment: Arc<dyn Environment>,
        store: Store,
        logs: PathBuf,
        log: EventLog,
        proxy: Arc<Proxy>,
    ) -> Self {
        Self {
            environment,
            store,
            logs,
            log,
            proxy,
            running: Vec::new(),
            heads: Arc::default(),
            started: 0,
            fallen: 0,
            wanted: None,
            leaving: Vec::new(),
            left: Vec::new(),
            unasked: Vec::new(),
            restarts: Restarts::default(),
            command_lines: Vec::new(),
            refusal: None,
            ground: None,
        }
    }

    /// Starts `count` more consumers, each with a way of its own through the proxy. Where there are nodes, only those that find a
    /// place on one.
    pub async fn start(&mut self, count: u32, options: &ConsumerOptions) -> anyhow::Result<()> {
        let mut options = options.clone();
        for _ in 0..count {
            let name = format!("consumer-{}", self.started + 1);
            options.seat = self.seat(&name);
            if self.has_ground() && options.seat.is_none() {
                continue;
            }
            self.started += 1;
            let node = options.seat.as_ref().map(|seat| seat.node.clone());
            let lane = self.proxy.lane(&name).await?;
            let store = self.store.at(lane.endpoints());
            let process = self
                .environment
                .start_consumer(&store, &name, &options, &self.logs)
                .await?;
            lane.set_process(process.pid());
            let command = process::command_line(process.pid());
            self.command_lines.push((name.clone(), command));
            self.record(Event::ProcessStarted {
                name: name.clone(),
                role: "consumer".to_owned(),
                pid: process.pid(),
            })?;
            if let Some(node) = node.clone() {
                let change = NodeChange::Placed { consumer: name };
                self.record(Event::Node(NodeEvent { node, change }))?;
            }
            self.running.push(Member {
                process,
                lane,
                node,
            });
            self.count();
        }
        Ok(())
    }

    /// From now on a consumer that ends by itself with this exit code does what it should.
    pub fn expect_refusal(&mut self, code: i32) {
        self.refusal = Some(code);
    }

    /// The command lines of all that were started.
    pub(super) fn command_lines(&self) -> &[(String, Vec<u8>)] {
        &self.command_lines
    }

    fn record(&self, event: Event) -> anyhow::Result<()> {
        self.log.append(Stamp::now(), event)?;
        Ok(())
    }

    fn record_fault(&self, name: &str, process: &Process) -> anyhow::Result<()> {
        self.record(Event::Fault {
            name: name.to_owned(),
            target: process.name().to_owned(),
            lasts_ms: None,
        })
    }

    fn record_exit(
        &self,
        process: &Process,
        status: ExitStatus,
        expected: bool,
    ) -> anyhow::Result<()> {
        self.record(exited(process, status, expected))
    }

    /// Records how a member ended that nobody or SIGTERM ended, and tells it.
    fn departure(
        &self,
        Member { process, lane, .. }: &Member,
        status: ExitStatus,
        asked: Option<Asked>,
        how: &str,
    ) -> anyhow::Result<Departure> {
        // A program that has only just started cannot listen for signals yet, and held nothing: it may die of the SIGTERM.
        let just_started = !lane.has_carried() && status.signal() == Some(Signal::SIGTERM as i32);
        let orderly = match asked {
            Some(_) => status.success() || just_started,
            None => self.refusal.is_some() && status.code() == self.refusal,
        };
        self.record_exit(process, status, orderly)?;
        Ok(Departure {
            name: process.name().to_owned(),
            status,
            orderly,
            after: asked.map_or(Duration::ZERO, |asked| asked.at.elapsed()),
            held: asked.map_or(0, |asked| asked.held),
            sentence: format!("{} {how}", process.name()),
            tail: process.tail(),
        })
    }

    fn count(&self) {
        let count = |of: &AtomicU64, count: usize| of.store(count as u64, Ordering::Relaxed);
        count(&self.heads.running, self.running.len());
        count(&self.heads.leaving, self.leaving.len());
    }

    /// How many there are, kept up to date for whoever watches and must not wait.
    pub(super) fn heads(&self) -> Arc<Heads> {
        self.heads.clone()
    }

    /// The name of the one that was started last.
    pub(super) fn newest(&self) -> Option<&str> {
        self.running.last().map(|member| member.process.name())
    }

    /// How many were started and not yet taken away; some of them may have died.
    pub fn len(&self) -> usize {
        self.running.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Whether there is anybody to wait for: one that runs, or somebody who sees to it that there are some.
    pub fn may_still_work(&mut self) -> anyhow::Result<bool> {
        if self.wanted.is_some() {
            return Ok(true);
        }
        for member in &mut self.running {
            if member.process.try_status()?.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes away those that have ended though nobody asked them to, and tells how they ended.
    pub fn take_dead(&mut self) -> anyhow::Result<Vec<Departure>> {
        let mut alive = Vec::new();
        let mut dead = std::mem::take(&mut self.unasked);
        for mut member in std::mem::take(&mut self.running) {
            match member.process.try_status()? {
                None => alive.push(member),
                // Its machine has asked it: that is for whoever sees to the nodes.
                Some(_) if self.was_told(&member) => alive.push(member),
                Some(status) => {
                    let how = format!("ended unasked: {status}");
                    dead.push(self.departure(&member, status, None, &how)?);
                }
            }
        }
        self.running = alive;
        self.count();
        Ok(dead)
    }

    /// Takes away those that a fault of the proxy has killed, and starts as many with `options`, as Kubernetes would.
    pub async fn replace_fallen(&mut self, options: &ConsumerOptions) -> anyhow::Result<()> {
        let fallen = self.take_fallen().await?;
        self.start(fallen, options).await
    }

    /// Takes away those that a fault of the proxy has killed, and tells how many they are.
    async fn take_fallen(&mut self) -> anyhow::Result<u32> {
        const GONE: Duration = Duration::from_secs(10);
        let (fallen, standing): (Vec<_>, Vec<_>) = std::mem::take(&mut self.running)
            .into_iter()
            .partition(|member| member.lane.was_killed());
        self.running = standing;
        self.count();
        let mut count = 0;
        for mut member in fallen {
            let status = member.process.wait(GONE).await?;
            self.record_fault("SIGKILL by the proxy", &member.process)?;
            self.record_exit(&member.process, status, true)?;
            self.fallen += 1;
            count += 1;
        }
        Ok(count)
    }

    /// How many a fault of the proxy has killed.
    pub const fn fallen(&self) -> usize {
        self.fallen
    }

    /// SIGSTOP to the consumer started first: it does nothing until it is thawed, while its leases run out.
    pub fn freeze_first(&mut self) -> anyhow::Result<()> {
        let Member { process, .. } = self.running.first().context("no consumer is running")?;
        self.record_fault("SIGSTOP", process)?;
        process.signal(Signal::SIGSTOP)
    }

    /// SIGCONT to the consumer started first: it goes on where it was, and does not know how late it is.
    pub fn thaw_first(&mut self) -> anyhow::Result<()> {
        let Member { process, .. } = self.running.first().context("no consumer is running")?;
        self.record_fault("SIGCONT", process)?;
        process.signal(Signal::SIGCONT)
    }

    /// SIGKILL to the consumer started first: no drain, its leases run out.
    pub async fn kill_first(&mut self) -> anyhow::Result<()> {
        let Member { mut process, .. } = self.take_first()?;
        self.record_fault("SIGKILL", &process)?;
        let status = process.kill().await?;
        self.record_exit(&process, status, true)
    }

    /// SIGTERM to the consumer started first, just when it has received messages and has at least `in_hand` in hand; waits
    /// until it has drained and ended.
    pub async fn drain_first_at_work(
        &mut self,
        in_hand: usize,
        patience: Duration,
    ) -> anyhow::Result<Departure> {
        let mut member = self.take_first()?;
        member.lane.until_received(in_hand, patience).await?;
        let asked = Asked {
            at: Instant::now(),
            held: member.lane.in_hand(),
        };
        self.record_fault("SIGTERM", &member.process)?;
        member.process.signal(Signal::SIGTERM)?;
        let status = member.process.wait(patience).await?;
        let how = format!("ended on SIGTERM: {status}");
        self.departure(&member, status, Some(asked), &how)
    }

    /// SIGTERM to all, and waits until they have drained and ended, for at most `patience`. Those that do not in time are
    /// killed; their departures say so, and it is the consumer that is wrong. From now on none is wanted. How those ended that
    /// scaling took away before is told first.
    pub async fn drain_all(&mut self, patience: Duration) -> anyhow::Result<Vec<Departure>> {
        self.wanted = None;
        let mut departures = self.left.clone();
        let mut leaving = std::mem::take(&mut self.leaving);
        for member in std::mem::take(&mut self.running) {
            leaving.push(Leaving::ask(member, patience)?);
        }
        self.count();
        for mut leaving in leaving {
            departures.push(self.see_off(&mut leaving).await?);
        }
        self.bury_all().await?;
        Ok(departures)
    }

    /// SIGKILL to all, by no fault of their own, and waits until they are gone.
    pub(super) async fn abandon(&mut self) -> anyhow::Result<()> {
        self.wanted = None;
        let leaving = std::mem::take(&mut self.leaving);
        let running = std::mem::take(&mut self.running);
        self.count();
        for mut member in running
            .into_iter()
            .chain(leaving.into_iter().map(Leaving::into_member))
        {
            let status = member.process.kill().await?;
            self.record_exit(&member.process, status, true)?;
        }
        Ok(())
    }

    /// Warnings and errors in the logs of those that run.
    pub fn troubles(&self) -> anyhow::Result<Vec<String>> {
        let mut troubles = Vec::new();
        for Member { process, .. } in &self.running {
            let log = process.log()?;
            let trouble = |line: &&str| {
                line.contains("\"level\":\"WARN\"") || line.contains("\"level\":\"ERROR\"")
            };
            troubles.extend(
                log.lines()
                    .filter(trouble)
                    .map(|line| format!("{}: {line}", process.name())),
            );
        }
        Ok(troubles)
    }

    fn take_first(&mut self) -> anyhow::Result<Member> {
        if self.running.is_empty() {
            bail!("take a consumer away: none is running");
        }
        let first = self.running.remove(0);
        self.count();
        Ok(first)
    }
}
