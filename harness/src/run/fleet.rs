//! The consumers of a run.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use nix::sys::signal::Signal;
use workflow::contract::Stamp;

use super::exited;
use crate::environment::{ConsumerOptions, Environment, Store};
use crate::events::{Event, EventLog};
use crate::outcome::Unmet;
use crate::process::Process;
use crate::wire::{Lane, Proxy};

/// The consumers of a run, by name: `consumer-1`, `consumer-2`, ...
pub struct Fleet {
    environment: Arc<dyn Environment>,
    store: Store,
    logs: PathBuf,
    log: EventLog,
    proxy: Arc<Proxy>,
    running: Vec<Member>,
    /// How many they are, for whoever watches.
    size: Arc<AtomicU64>,
    started: u32,
    fallen: usize,
}

/// A consumer and its way to storage.
struct Member {
    process: Process,
    /// Closed when the consumer is taken away: what it had under way is then written down.
    lane: Lane,
}

/// How a consumer ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// Its name.
    pub name: String,
    /// How it ended, such as `exit status: 0` or `signal: 9 (SIGKILL)`.
    pub status: ExitStatus,
    /// Whether it ended when it was asked to and as it should.
    pub orderly: bool,
    /// How long it took from its SIGTERM; zero when nobody asked it.
    pub after: Duration,
    /// The same in words, such as `consumer-3 ended unasked: exit status: 0`.
    pub sentence: String,
    /// The last lines of its log, and where that is.
    pub tail: String,
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
            size: Arc::default(),
            started: 0,
            fallen: 0,
        }
    }

    /// Starts `count` more consumers, each with a way of its own through the proxy.
    pub async fn start(&mut self, count: u32, options: &ConsumerOptions) -> anyhow::Result<()> {
        for _ in 0..count {
            self.started += 1;
            let name = format!("consumer-{}", self.started);
            let lane = self.proxy.lane(&name).await?;
            let store = self.store.at(lane.endpoints());
            let process = self
                .environment
                .start_consumer(&store, &name, options, &self.logs)
                .await?;
            lane.set_process(process.pid());
            self.record(Event::ProcessStarted {
                name,
                role: "consumer".to_owned(),
                pid: process.pid(),
            })?;
            self.running.push(Member { process, lane });
            self.count();
        }
        Ok(())
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
        Member { process, lane }: &Member,
        status: ExitStatus,
        asked: Option<Instant>,
        how: &str,
    ) -> anyhow::Result<Departure> {
        // A program that has only just started cannot listen for signals yet, and held nothing: it may die of the SIGTERM.
        let just_started = !lane.has_carried() && status.signal() == Some(Signal::SIGTERM as i32);
        let orderly = asked.is_some() && (status.success() || just_started);
        self.record_exit(process, status, orderly)?;
        Ok(Departure {
            name: process.name().to_owned(),
            status,
            orderly,
            after: asked.map_or(Duration::ZERO, |asked| asked.elapsed()),
            sentence: format!("{} {how}", process.name()),
            tail: process.tail(),
        })
    }

    fn count(&self) {
        self.size
            .store(self.running.len() as u64, Ordering::Relaxed);
    }

    /// How many there are, kept up to date.
    pub(super) fn size(&self) -> Arc<AtomicU64> {
        self.size.clone()
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

    /// Whether at least one still runs.
    pub fn has_any_alive(&mut self) -> anyhow::Result<bool> {
        for member in &mut self.running {
            if member.process.try_status()?.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes away those that have ended though nobody asked them to, and tells how they ended.
    pub fn take_dead(&mut self) -> anyhow::Result<Vec<Departure>> {
        let (mut alive, mut dead) = (Vec::new(), Vec::new());
        for mut member in std::mem::take(&mut self.running) {
            match member.process.try_status()? {
                None => alive.push(member),
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
        const GONE: Duration = Duration::from_secs(10);
        let (fallen, standing): (Vec<_>, Vec<_>) = std::mem::take(&mut self.running)
            .into_iter()
            .partition(|member| member.lane.was_killed());
        self.running = standing;
        self.count();
        for mut member in fallen {
            let status = member.process.wait(GONE).await?;
            self.record_fault("SIGKILL by the proxy", &member.process)?;
            self.record_exit(&member.process, status, true)?;
            self.fallen += 1;
            self.start(1, options).await?;
        }
        Ok(())
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
        let asked = Instant::now();
        self.record_fault("SIGTERM", &member.process)?;
        member.process.signal(Signal::SIGTERM)?;
        let status = member.process.wait(patience).await?;
        let how = format!("ended on SIGTERM: {status}");
        self.departure(&member, status, Some(asked), &how)
    }

    /// SIGTERM to all, and waits until they have drained and ended, for at most `patience`. Those that do not in time are
    /// killed; their departures say so, and it is the consumer that is wrong.
    pub async fn drain_all(&mut self, patience: Duration) -> anyhow::Result<Vec<Departure>> {
        let mut departures = Vec::new();
        let mut running = std::mem::take(&mut self.running);
        let asked = Instant::now();
        for Member { process, .. } in &mut running {
            if process.try_status()?.is_none() {
                process.signal(Signal::SIGTERM)?;
            }
        }
        for member in &mut running {
            let left = patience.saturating_sub(asked.elapsed());
            let process = &mut member.process;
            let (status, how) = match process.wait(left).await {
                Ok(status) => (status, format!("ended on SIGTERM: {status}")),
                Err(_) => (
                    process.kill().await.context("drain the consumers")?,
                    format!("did not end within {patience:?} of its SIGTERM, and was killed"),
                ),
            };
            departures.push(self.departure(member, status, Some(asked), &how)?);
        }
        self.count();
        Ok(departures)
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

impl Departure {
    /// An error unless it ended in order.
    pub fn ensure_orderly(&self) -> anyhow::Result<()> {
        if self.orderly {
            return Ok(());
        }
        Err(Unmet(format!("{}\n{}", self.sentence, self.tail)).into())
    }
}
