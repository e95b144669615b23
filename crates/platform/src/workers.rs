//! Workers of a stage, declaratively: their wanted number and kind, a roster of them, and actions on single workers.
//!
//! A worker is one competing consumer: a process on a laptop, a pod in a cluster. Left out: rollouts. Changed settings of a
//! group apply to the workers that start afterwards.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use wire::Wire;

pub use evidence::departures::{Cause, Departure, End};

use crate::autoscale::Scaling;
use crate::simulated::Placed;

/// The group of a scenario that has only one.
pub const CONSUMERS: &str = "consumers";

/// The wanted workers of one group. The platform keeps their number: a worker that ends is replaced, as by a Deployment.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerSpec {
    /// The group's name. A later spec of the same group replaces this one.
    pub group: &'static str,
    /// The number of workers.
    pub replicas: Replicas,
    /// The settings of each worker.
    pub options: ConsumerOptions,
    /// Time from the request to end until a worker is killed.
    pub grace: Duration,
}

/// The wanted number of workers.
#[derive(Debug, Clone, PartialEq)]
pub enum Replicas {
    /// A fixed number.
    Fixed(u32),
    /// As many as the autoscaler wants, starting from zero.
    Scaled(Box<Scaling>),
}

/// Settings of a consumer; `None` leaves the consumer's own default.
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
    /// The log level or filter.
    pub log: Option<String>,
    /// Whether the platform probes its readiness.
    pub is_probed: bool,
    /// Whether the run expects a consumer to refuse work and end by itself (exit codes 3 to 5).
    pub may_refuse: bool,
    /// Additional variables, used if no option above sets them.
    pub variables: Vec<(String, String)>,
}

/// A platform's additions to the settings of one worker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seat {
    /// The address of its probes, if it is probed.
    pub probes: Option<SocketAddr>,
    /// Its node, and the address of its scheduled events; `None`: there are no nodes.
    pub node: Option<Placed>,
}

/// The value of `NODE_NAME` if there are no nodes.
const NO_NODE: &str = "laptop";

impl Seat {
    /// The value of `NODE_NAME` for this worker.
    pub fn told_node(&self) -> &str {
        self.node.as_ref().map_or(NO_NODE, |placed| &placed.node)
    }
}

/// The workers of a stage, as last seen.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    /// Workers that have not ended, in the order of their start.
    pub workers: Vec<Worker>,
    /// Workers that have ended, in the order in which their ends were noticed.
    pub departed: Vec<Departure>,
    /// How many are wanted, all groups together.
    pub wanted: u32,
    /// Whether an autoscaler sets the wanted number, and may raise it.
    pub is_scaled: bool,
    /// How many workers are missing and delayed because the workers in their places ended by themselves.
    pub held_back: u32,
    /// Why a worker has no place to run, if one has none now, as far as the platform says.
    pub no_room: Option<String>,
    /// Whether a worker that ends by itself is simply started again, as its description allows.
    pub restarts: bool,
}

/// One worker that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// Its name, unique within the run.
    pub name: String,
    /// Its group.
    pub group: &'static str,
    /// Its node, if there are nodes.
    pub node: Option<String>,
    /// Whether it runs, or was told to end.
    pub state: WorkerState,
    /// The result of its readiness probe.
    pub readiness: Readiness,
    /// Whether it has had an answer to a receive since it was started; `None` if no wire sees its requests.
    pub has_received: Option<bool>,
}

/// Whether a worker runs, or was told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerState {
    /// It runs, and was not told to end.
    Running,
    /// It was told to end, and has not ended.
    Ending,
}

/// The result of a readiness probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Readiness {
    /// No answer, or no probe.
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
    /// Messages that its workers have in hand, by the wire. Messages of workers that have ended are in nobody's hand: they come back
    /// when their leases run out.
    pub fn in_hand(&self, wire: &dyn Wire) -> u64 {
        let workers = self.workers.iter();
        workers.map(|worker| wire.in_hand_of(&worker.name)).sum()
    }

    /// The workers that run and were not told to end.
    pub fn running(&self) -> impl Iterator<Item = &Worker> {
        self.in_state(WorkerState::Running)
    }

    /// The workers that were told to end and have not ended.
    pub fn ending(&self) -> impl Iterator<Item = &Worker> {
        self.in_state(WorkerState::Ending)
    }

    fn in_state(&self, state: WorkerState) -> impl Iterator<Item = &Worker> {
        let workers = self.workers.iter();
        workers.filter(move |worker| worker.state == state)
    }

    /// The workers that run and, as far as is known, have begun to receive.
    pub fn at_work(&self) -> impl Iterator<Item = &Worker> {
        self.running()
            .filter(|worker| worker.has_received != Some(false))
    }

    /// The running worker that was started first.
    pub fn first(&self) -> anyhow::Result<&Worker> {
        let first = self.running().next();
        first.ok_or_else(|| anyhow::anyhow!("choose a consumer: none is running"))
    }

    /// The names of all workers that were ever started, in the order of their start as far as it is known.
    pub fn names(&self) -> Vec<String> {
        let departed = self.departed.iter().map(|it| &it.name);
        let present = self.workers.iter().map(|it| &it.name);
        let mut names: Vec<_> = departed.chain(present).cloned().collect();
        names.sort_by_key(|name| (name.len(), name.clone()));
        names
    }

    /// The departure of the worker `name`, if it has ended.
    pub fn departure(&self, name: &str) -> Option<&Departure> {
        self.departed
            .iter()
            .find(|departure| departure.name == name)
    }

    /// The departures of workers that ended by themselves without being told to.
    pub fn unasked(&self) -> impl Iterator<Item = &Departure> {
        self.ended_by(Cause::Unasked)
    }

    /// The unasked departures that were not allowed.
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

    /// Whether there is no worker, and none will come soon: none is wanted, or the missing ones ended by themselves.
    pub fn is_deserted(&self) -> bool {
        let nobody_wanted = self.wanted == 0 && !self.is_scaled;
        let nobody_comes = self.held_back > 0 && !self.restarts;
        self.workers.is_empty() && (nobody_wanted || nobody_comes)
    }
}

/// An action on one worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It is killed, without a chance to hand messages back. It is replaced.
    Kill,
    /// It is killed and not replaced: its group has no workers any more.
    KillForGood,
    /// It is told to end in order, within the grace period of its group. It is replaced.
    Drain,
    /// It is frozen, without notice to the worker.
    Freeze,
    /// It is thawed.
    Thaw,
}

/// Exit codes with which a consumer says that it may not or cannot begin (`workflow::exit`): storage unreachable, queue or table
/// missing, access denied.
const REFUSED: std::ops::RangeInclusive<i32> = 3..=5;

/// Whether a worker with this cause and end ended as it should. `may_refuse`: the run expects a consumer to refuse work and end
/// by itself.
pub(super) fn is_orderly_end(cause: Cause, end: End, may_refuse: bool) -> bool {
    match cause {
        Cause::Told | Cause::Notice => end.code() == Some(0),
        Cause::Unasked => may_refuse && end.code().is_some_and(|code| REFUSED.contains(&code)),
        Cause::Killed | Cause::Fault | Cause::Evicted => true,
    }
}

/// Keeps the wanted number of workers, and acts on single ones.
#[async_trait]
pub trait Workers: Send + Sync {
    /// Sets the wanted workers of a group.
    async fn apply(&self, spec: WorkerSpec) -> anyhow::Result<()>;

    /// The roster, updated as workers come and go.
    fn roster(&self) -> watch::Receiver<Roster>;

    /// Does `act` to the worker `worker`. Returns once it is done; the roster shows the worker's end then or soon after.
    async fn act(&self, worker: &str, act: Act) -> anyhow::Result<()>;

    /// Ends all workers in order, each within `grace`, and wants none from then on. Returns the departures of workers that were
    /// told to end earlier, and then theirs.
    async fn drain(&self, grace: Duration) -> anyhow::Result<Vec<Departure>>;

    /// Kills all workers, which is no fault of theirs, and wants none from then on.
    async fn abandon(&self) -> anyhow::Result<()>;

    /// The whole log of the worker or producer `name`.
    fn said(&self, name: &str) -> anyhow::Result<String>;

    /// What other users of the machine can read about workers and producer, such as command lines, by name. An error if the platform
    /// cannot look.
    async fn exposed(&self) -> anyhow::Result<Vec<(String, Vec<u8>)>>;

    /// The node that each worker was told it is on (`NODE_NAME`), by the worker's name: of all workers that were ever started,
    /// as far as the platform knows it.
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
