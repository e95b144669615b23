//! The event log: what happened in a run, appended as it happens, one JSON object a line.
//!
//! Reports are derived from this log alone, so a run that was killed has a report too, and a true one. Events carry no
//! clock of their own: whoever appends says when.

mod log;
mod nodes;
mod read;
mod scenario;

use std::fmt;

use contract::workload::{Exit, WorkerForm};
use contract::{RunId, Stamp};
use serde::{Deserialize, Serialize};

use crate::audit::Audit;
use crate::latency::{Hops, LatencyLimit, LatencyVerdict};
use crate::outcome::Outcome;
use crate::pace::Pace;

pub use log::ADVICE;
pub use log::{EventLog, EventLogError};
pub use nodes::{Capacity, NodeChange, NodeEvent};
pub use read::Log;
pub use scenario::{NotRun, Scenario, ScenarioStarted, Step};

pub use crate::rate::{Bottleneck, BottleneckPart, HopLatency, RateFound, RateStep, StepMeasured};
pub use crate::usage::{PartUsage, Usage};

/// The format's version. New kinds of events and new optional fields do not change it: a reader counts events that it
/// does not know and says so.
pub const VERSION: u32 = 1;

/// The log's name in a run directory.
pub const FILE: &str = "events.jsonl";

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// [`VERSION`].
    pub v: u32,
    /// When it happened.
    pub at: Stamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A run begins. The first event of its log, but for what is created for it.
    RunStarted(Box<RunStarted>),
    /// A queue, table or the like that outlives the harness was created, or is about to be.
    ResourceCreated(Resource),
    /// It is gone again.
    ResourceRemoved(Resource),
    /// A process was started.
    ProcessStarted {
        /// Its name, unique in the run: `consumer-3`.
        name: String,
        /// What it does: `consumer`, `producer`, `storage`.
        role: String,
        /// Its process id, where it is a process of this machine.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pid: Option<u32>,
    },
    /// A process ended.
    ProcessExited {
        /// Its name.
        name: String,
        /// Its process id, where it is a process of this machine.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pid: Option<u32>,
        /// How: `exit code 0`, `signal 9 (SIGKILL)`.
        status: String,
        /// Whether the run meant it to end so.
        expected: bool,
        /// The last lines of its log, when it was not meant to end so; empty when it had said nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_lines: Option<String>,
        /// Whether it ended by itself and is started again, as [`Leeway::Restart`] allows.
        #[serde(default, skip_serializing_if = "is_false")]
        restarted: bool,
    },
    /// A part of the run begins, and the one before it ends: `load`, `drain`, `audit`.
    Phase {
        /// Its name.
        name: String,
    },
    /// Something was broken on purpose.
    Fault {
        /// What: `SIGKILL`, `storage restarted`.
        name: String,
        /// Whom it hit: `consumer-3`.
        target: String,
        /// How long it lasts, in milliseconds; absent when it is over at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lasts_ms: Option<u64>,
    },
    /// Storage was lost in the middle: what processes did from here on says nothing about them.
    StorageLost {
        /// How.
        how: String,
    },
    /// The autoscaler, or its model, wants another number of consumers.
    Scaled(Scaled),
    /// What numbers of consumers the autoscaler's model allows, over the run.
    Allowed(Box<Allowed>),
    /// Something happened to a node.
    Node(NodeEvent),
    /// How things stand.
    Sample(Sample),
    /// Something that a reader of the report should know.
    Note {
        /// In a sentence.
        text: String,
    },
    /// A scenario is selected: it is to begin, unless the suite is cut off before.
    ScenarioSelected(Selected),
    /// A scenario begins.
    ScenarioStarted(ScenarioStarted),
    /// A scenario ended.
    ScenarioFinished(Scenario),
    /// A scenario was not run, since this environment lacks what it needs. It is no pass and no failure.
    ScenarioNotRun(NotRun),
    /// A step ended; in the log of its scenario's own run.
    Step(Step),
    /// The audit's result.
    Audited(Box<Audit>),
    /// The latencies, and the judgement of their limits.
    Measured(Box<Measured>),
    /// What a phase took of the machine.
    Usage(Usage),
    /// A rate was tried.
    RateStep(Box<RateStep>),
    /// The search for the highest rate is over.
    RateFound(RateFound),
    /// The run's outcome. Only removals come after it; a log without it is of a run that was cut off.
    Finished {
        /// The outcome.
        outcome: Outcome,
        /// Why it is not a pass; empty for a pass.
        reasons: Vec<String>,
    },
}

impl Event {
    /// Something called `name` was done to `target` on purpose, and is over at once.
    pub fn fault(name: &str, target: &str) -> Self {
        Self::Fault {
            name: name.to_owned(),
            target: target.to_owned(),
            lasts_ms: None,
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// What the description of a workload leaves open about how its workers end: no promise about it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leeway {
    /// A worker may end by itself, and is started again (`worker.exit: restart`).
    Restart,
    /// SIGTERM need not make a worker drain (`worker.drains: false`).
    Drain,
}

impl Leeway {
    /// What `worker` leaves open.
    pub fn of(worker: &WorkerForm) -> Vec<Self> {
        let restart = (worker.exit == Exit::Restart).then_some(Self::Restart);
        let drain = (!worker.drains).then_some(Self::Drain);
        restart.into_iter().chain(drain).collect()
    }
}

/// What a run is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Its id.
    pub run: RunId,
    /// What it shows, in a line: a scenario's name, or `load: 20000 messages, 16 consumers`.
    pub title: String,
    /// Its seed.
    pub seed: u64,
    /// `local`, `cluster` or `aks`.
    pub environment: String,
    /// How many times as fast as in production things happened in it; absent at 1.
    #[serde(default, skip_serializing_if = "Pace::is_production")]
    pub pace: Pace,
    /// The command line that repeats it.
    pub command: String,
    /// Messages planned, where it is known from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// The rest of the plan, in the order to show it: `rate`, `payload`, `consumers`.
    pub plan: Vec<Fact>,
    /// Latency limits.
    pub limits: Vec<LatencyLimit>,
    /// What it ran on: storage and why that one, machine, operating system.
    pub setting: Vec<Fact>,
    /// Versions: harness, producer, consumer, storage.
    pub versions: Vec<Fact>,
    /// What the description of the workload leaves open about how workers end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leeway: Vec<Leeway>,
}

/// A name and a value, to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What.
    pub name: String,
    /// How much, or which.
    pub value: String,
}

impl Fact {
    /// A fact.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

/// Something that was created for a run, where it outlives the harness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// `queue` or `table`; of a cluster `namespace`, or `cordon` for a node that is out of use.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The address of the service that holds it.
    pub storage: String,
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            name,
            storage,
        } = self;
        write!(f, "{kind} {name} at {storage}")
    }
}

/// A decision of the autoscaler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scaled {
    /// Who decided: `model of KEDA`, `model of the HPA`.
    pub by: String,
    /// Consumers wanted before.
    pub from: u32,
    /// Consumers wanted now.
    pub to: u32,
    /// Why, in a few words.
    pub reason: String,
    /// Whose consumers: those of this queue, where a run has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
}

/// What the autoscaler's model allows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    /// When the times of the bands begin.
    pub since: Stamp,
    /// One after the other.
    pub bands: Vec<AllowedBand>,
    /// Where the numbers that were wanted left it, in words; empty: nowhere.
    pub excursions: Vec<String>,
    /// Whose consumers: those of this queue, where a run has several, which are judged one by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
}

/// From one moment to another there may be `low` to `high` consumers wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedBand {
    /// From here, in milliseconds.
    pub from_ms: u64,
    /// To here, in milliseconds.
    pub until_ms: u64,
    /// Least.
    pub low: u32,
    /// Most.
    pub high: u32,
}

/// How things stand at a moment. What could not be read is absent, not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sample {
    /// Messages in the queue, visible and leased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_depth: Option<u64>,
    /// Messages that consumers have received, and neither asked to be deleted nor handed back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_hand: Option<u64>,
    /// Consumers running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumers: Option<u64>,
    /// Consumers that were told to end because there were too many, and have not ended yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaving: Option<u64>,
    /// Messages acknowledged, as the producer last counted them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<u64>,
    /// When it counted them: before the sample was taken, and the same in samples between which it did not count anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Stamp>,
    /// Requests that a rule of the proxy has struck so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hit: Option<u64>,
}

/// A scenario that is to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selected {
    /// The feature's name.
    pub feature: String,
    /// The scenario's name.
    pub name: String,
    /// Where it is: `features/exactly_once.feature:12`.
    pub location: String,
}

/// The latencies of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The samples of every hop.
    pub hops: Hops,
    /// The limits, judged.
    pub verdicts: Vec<LatencyVerdict>,
}

#[cfg(test)]
mod tests;
