//! The workers of a stage, declaratively: how many there should be and of what kind, who is there, and what is done to one.
//!
//! A worker is one competing consumer: a process on a laptop, a pod in a cluster. Left out: rollouts. A spec that changes the
//! settings of a group holds for the workers that are started from then on.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use evidence::outcome::Unmet;
use tokio::sync::watch;

use crate::autoscale::Scaling;
use crate::simulated::Placed;

/// The group of a scenario that has only one.
pub const CONSUMERS: &str = "consumers";

/// How many workers of a kind there should be. The platform keeps it so: a worker that ends is replaced, as by a Deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerSpec {
    /// Which workers it speaks of. A later spec of the same group takes this one's place.
    pub group: &'static str,
    /// How many.
    pub replicas: Replicas,
    /// How each is configured.
    pub options: ConsumerOptions,
    /// From the request to end until a worker is ended by force.
    pub grace: Duration,
}

/// How many workers there should be.
#[derive(Debug, Clone, PartialEq)]
pub enum Replicas {
    /// So many.
    Fixed(u32),
    /// As many as the autoscaler wants, from none on.
    Scaled(Box<Scaling>),
}

/// How a consumer is configured; what is `None` stays at the consumer's own default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsumerOptions {
    /// Simulated work, in the consumer's own grammar, such as `fixed:50ms`.
    pub work: Option<String>,
    /// Visibility timeout.
    pub visibility: Option<Duration>,
    /// Messages worked on at once.
    pub concurrency: Option<u32>,
    /// Deliveries before a message is given up as poison.
    pub max_attempts: Option<u32>,
    /// Longest pause between two polls of an empty queue.
    pub idle_poll_max: Option<Duration>,
    /// Time to drain.
    pub grace: Option<Duration>,
    /// How long storage may be unreachable at the start.
    pub start_timeout: Option<Duration>,
    /// What it logs.
    pub log: Option<String>,
    /// Whether the platform asks it if it is ready.
    pub is_probed: bool,
    /// Whether a consumer that ends by itself because it may not work (exit codes 3 to 5) does what the run is about.
    pub may_refuse: bool,
    /// Variables that hold where nothing above says otherwise.
    pub variables: Vec<(String, String)>,
}

/// What a platform adds to the options of one worker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seat {
    /// Where its probes answer, when they are asked.
    pub probes: Option<SocketAddr>,
    /// The node that it is on, and where that is told of its end; `None`: there are no nodes.
    pub node: Option<Placed>,
}

/// What workers are told that their node is called, where there are no nodes.
const NO_NODE: &str = "laptop";

impl Seat {
    /// What the worker is told that its node is called (`NODE_NAME`).
    pub fn told_node(&self) -> &str {
        self.node.as_ref().map_or(NO_NODE, |placed| &placed.node)
    }
}

/// The workers of a stage, as last seen.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    /// Those that have not ended, in the order in which they were started.
    pub workers: Vec<Worker>,
    /// Those that have ended, in the order in which that was noticed.
    pub departed: Vec<Departure>,
    /// How many are wanted, all groups together.
    pub wanted: u32,
    /// Whether an autoscaler says how many are wanted, and may want more.
    pub is_scaled: bool,
    /// How many are missing, and are not started yet because those before them ended by themselves.
    pub held_back: u32,
    /// Whether one that ends by itself is merely started again, as its description says.
    pub restarts: bool,
}

/// One worker that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Its name, unlike any other's of the run.
    pub name: String,
    /// Its group.
    pub group: &'static str,
    /// The node that it is on, where there are nodes.
    pub node: Option<String>,
    /// Where it stands.
    pub phase: Phase,
    /// What it says of itself, where it is asked.
    pub readiness: Readiness,
    /// Whether it has had an answer to a receive since it was started; `None` where nobody sees its requests.
    pub has_received: Option<bool>,
}

/// Where a worker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It runs.
    Running,
    /// It was told to end.
    Ending,
}

/// What a worker says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Readiness {
    /// Nothing: its probe does not answer, or is not asked.
    #[default]
    Silent,
    /// It answers that it is not ready.
    NotReady(u16),
    /// It answers that it is ready.
    Ready,
}

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("it is ready"),
            Self::NotReady(status) => write!(f, "it answers {status}"),
            Self::Silent => f.write_str("nothing answers"),
        }
    }
}

impl Roster {
    /// Those that run and were not told to end.
    pub fn running(&self) -> impl Iterator<Item = &Worker> {
        self.in_phase(Phase::Running)
    }

    /// Those that were told to end and have not ended.
    pub fn ending(&self) -> impl Iterator<Item = &Worker> {
        self.in_phase(Phase::Ending)
    }

    fn in_phase(&self, phase: Phase) -> impl Iterator<Item = &Worker> {
        let workers = self.workers.iter();
        workers.filter(move |worker| worker.phase == phase)
    }

    /// Those that run and, as far as can be seen, have begun to receive.
    pub fn at_work(&self) -> impl Iterator<Item = &Worker> {
        self.running()
            .filter(|worker| worker.has_received != Some(false))
    }

    /// The running worker that was started first.
    pub fn first(&self) -> anyhow::Result<&Worker> {
        let first = self.running().next();
        first.ok_or_else(|| anyhow::anyhow!("choose a consumer: none is running"))
    }

    /// The names of all that were ever started, in that order as far as it is known.
    pub fn names(&self) -> Vec<String> {
        let departed = self.departed.iter().map(|it| &it.name);
        let present = self.workers.iter().map(|it| &it.name);
        let mut names: Vec<_> = departed.chain(present).cloned().collect();
        names.sort_by_key(|name| (name.len(), name.clone()));
        names
    }

    /// How the worker of this name ended, if it has.
    pub fn departure(&self, name: &str) -> Option<&Departure> {
        self.departed
            .iter()
            .find(|departure| departure.name == name)
    }

    /// The workers that ended by themselves although nobody had asked them to.
    pub fn unasked(&self) -> impl Iterator<Item = &Departure> {
        self.ended_by(Cause::Unasked)
    }

    /// Those of them that should not have.
    pub fn unexpected(&self) -> impl Iterator<Item = &Departure> {
        self.unasked().filter(|departure| !departure.is_restart)
    }

    /// How many ended by themselves and were merely started again.
    pub fn restarted(&self) -> usize {
        self.unasked()
            .filter(|departure| departure.is_restart)
            .count()
    }

    /// The workers that ended for this reason.
    pub fn ended_by(&self, cause: Cause) -> impl Iterator<Item = &Departure> {
        let departed = self.departed.iter();
        departed.filter(move |departure| departure.cause == cause)
    }

    /// Whether nobody works, and nobody will soon: what was to work has ended by itself.
    pub fn is_deserted(&self) -> bool {
        let nobody_wanted = self.wanted == 0 && !self.is_scaled;
        let nobody_comes = self.held_back > 0 && !self.restarts;
        self.workers.is_empty() && (nobody_wanted || nobody_comes)
    }
}

/// What is done to one worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It is ended at once, without a chance to hand anything back. It is replaced.
    Kill,
    /// The same, and nobody comes in its place: its group has no worker any more.
    KillForGood,
    /// It is told to end in order, within the grace period of its group. It is replaced.
    Drain,
    /// It stops where it is, and does not know it.
    Freeze,
    /// It goes on where it stopped.
    Thaw,
}

/// How a process or container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with this exit code.
    Exited(i32),
    /// A signal of this number ended it.
    Signalled(i32),
    /// The platform does not know.
    Unknown,
}

impl End {
    /// The exit code, if it ended by itself.
    pub const fn code(self) -> Option<i32> {
        match self {
            Self::Exited(code) => Some(code),
            Self::Signalled(_) | Self::Unknown => None,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit status: {code}"),
            Self::Signalled(9) => f.write_str("signal: 9 (SIGKILL)"),
            Self::Signalled(15) => f.write_str("signal: 15 (SIGTERM)"),
            Self::Signalled(signal) => write!(f, "signal: {signal}"),
            Self::Unknown => f.write_str("an unknown end"),
        }
    }
}

/// Why a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// By itself, and nobody had asked it to.
    Unasked,
    /// It was told to end: by a scenario, because there were too many, or because the run is over.
    Told,
    /// Its node told it of its eviction.
    Notice,
    /// A scenario or the harness killed it.
    Killed,
    /// A fault on the wire killed it.
    Fault,
    /// It ended with its node.
    Evicted,
}

/// Exit codes with which a consumer says that it may not or cannot begin (`workflow::exit`): storage unreachable, queue or table
/// missing, access denied.
const REFUSED: std::ops::RangeInclusive<i32> = 3..=5;

/// Whether a worker that ended so, for this reason, ended as it should. `may_refuse`: one that ends by itself because it may not work
/// does what the run is about.
pub(super) fn is_orderly_end(cause: Cause, end: End, may_refuse: bool) -> bool {
    match cause {
        Cause::Told | Cause::Notice => end.code() == Some(0),
        Cause::Unasked => may_refuse && end.code().is_some_and(|code| REFUSED.contains(&code)),
        Cause::Killed | Cause::Fault | Cause::Evicted => true,
    }
}

/// How a worker ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    /// Its name.
    pub name: String,
    /// How its process ended.
    pub end: End,
    /// Why.
    pub cause: Cause,
    /// Whether it ended when it was asked to and as it should, or was made to end.
    pub is_orderly: bool,
    /// Whether it ended by itself, which its description calls a restart.
    pub is_restart: bool,
    /// How long it took from the request to end; zero when nobody asked it.
    pub after: Duration,
    /// Messages that it had in its hands when it was asked.
    pub held: u64,
    /// The same in words, such as `consumer-3 ended unasked: exit status: 0`.
    pub sentence: String,
    /// The last lines of its log, and where that is.
    pub tail: String,
}

impl Departure {
    /// An error unless it ended in order.
    pub fn ensure_orderly(&self) -> anyhow::Result<()> {
        if self.is_orderly {
            return Ok(());
        }
        Err(Unmet(format!("{}\n{}", self.sentence, self.tail)).into())
    }
}

/// Keeps as many workers as are wanted, and lets one be acted upon.
#[async_trait]
pub trait Workers: Send + Sync {
    /// From now on there should be the workers that `spec` says.
    async fn apply(&self, spec: WorkerSpec) -> anyhow::Result<()>;

    /// The workers, as they come and go.
    fn roster(&self) -> watch::Receiver<Roster>;

    /// Does `act` to the worker of this name. Returns once it is done; how the worker ended is then in the roster, soon or at
    /// once.
    async fn act(&self, worker: &str, act: Act) -> anyhow::Result<()>;

    /// Ends all workers in order, each within `grace`, and wants none from then on. Returns how they ended, and before them
    /// those that were told to end earlier.
    async fn drain(&self, grace: Duration) -> anyhow::Result<Vec<Departure>>;

    /// Ends all workers at once, by no fault of theirs, and wants none from then on.
    async fn abandon(&self) -> anyhow::Result<()>;

    /// Everything that the worker of this name, or the producer, has said.
    fn said(&self, name: &str) -> anyhow::Result<String>;

    /// What others can read about the workers and the producer from outside, such as command lines, by name.
    async fn exposed(&self) -> Vec<(String, Vec<u8>)>;

    /// The node that each worker is told it is on (`NODE_NAME`), by the worker's name: of all that were ever started, as far as the platform
    /// knows it.
    async fn nodes(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_still_be_wanted_is_waited_for() {
        let none = Roster::default();
        assert!(none.is_deserted());
        let scaled = Roster {
            is_scaled: true,
            ..Roster::default()
        };
        assert!(!scaled.is_deserted());
        let starting = Roster {
            wanted: 2,
            ..Roster::default()
        };
        assert!(!starting.is_deserted());
        let held_back = Roster {
            wanted: 2,
            held_back: 1,
            ..Roster::default()
        };
        assert!(held_back.is_deserted());
    }
}
