//! The event log: the events of a run, appended as they happen, one JSON object per line.
//!
//! Reports are made from this log alone, so that a killed run has a correct report too. Events have no clock: the caller that
//! appends gives the time.

mod log;
mod nodes;
mod read;
mod scenario;

use std::fmt;

use contract::workload::{Exit, WorkerForm};
use contract::{RunId, Stamp};
use serde::{Deserialize, Serialize};

use crate::audit::Audit;
use crate::departures::{Cause, End};
use crate::latency::{Hops, LatencyLimit, LatencyVerdict};
use crate::outcome::Outcome;
use crate::pace::Pace;

pub use log::ADVICE;
pub use log::{EventLog, EventLogError};
pub use nodes::{Capacity, NodeChange, NodeEvent};
pub use read::Log;
pub use scenario::{NotRun, ScenarioEnd, ScenarioStarted, Step};

pub use crate::rate::{Bottleneck, BottleneckPart, HopLatency, RateFound, RateStep, StepMeasured};
pub use crate::usage::{PartUsage, Usage};

/// Version of the format. New kinds of events and new optional fields do not change it: a reader counts and reports unknown
/// events.
pub const VERSION: u32 = 1;

/// The log's name in a run directory.
pub const FILE: &str = "events.jsonl";

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// [`VERSION`].
    pub v: u32,
    /// The time of the event.
    pub at: Stamp,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A run begins. The first event of its log, except for resources that are created for it.
    RunStarted(Box<RunStarted>),
    /// A resource that outlives the harness, such as a queue or a table, was created or is about to be.
    ResourceCreated(Resource),
    /// The resource was removed.
    ResourceRemoved(Resource),
    /// A process was started.
    ProcessStarted {
        /// The process's name, unique in the run: `consumer-3`.
        name: String,
        /// Its role: `consumer`, `producer`, `storage`.
        role: String,
        /// Its process id, if it runs on this machine.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pid: Option<u32>,
    },
    /// A process ended.
    ProcessExited {
        /// The process's name.
        name: String,
        /// Its process id, if it runs on this machine.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pid: Option<u32>,
        /// How it ended: `exit code 0`, `signal 9 (SIGKILL)`.
        status: String,
        /// Whether the run expected this end.
        expected: bool,
        /// The last lines of its log, if the end was not expected; empty if the log is empty.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_lines: Option<String>,
        /// Whether it ended by itself and is started again, as [`Leeway::Restart`] allows.
        #[serde(default, skip_serializing_if = "is_false")]
        restarted: bool,
        /// How it ended, as a type; logs of earlier versions have the status alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end: Option<End>,
        /// Why a worker ended; `None` for other processes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<Cause>,
    },
    /// A phase of the run begins, and the one before ends: `load`, `drain`, `audit`.
    Phase {
        /// Its name.
        name: String,
    },
    /// A fault was injected.
    Fault {
        /// The fault: `SIGKILL`, `storage restarted`.
        name: String,
        /// The target: `consumer-3`.
        target: String,
        /// Its duration in milliseconds; absent if it has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lasts_ms: Option<u64>,
    },
    /// Storage was lost during the run: later behaviour of processes proves nothing about them.
    StorageLost {
        /// How storage was lost.
        how: String,
    },
    /// The autoscaler, or its model, asks for another number of consumers.
    Scaled(Scaled),
    /// The numbers of consumers that the autoscaler's model allows, over the run.
    Allowed(Box<Allowed>),
    /// A node changed.
    Node(NodeEvent),
    /// The state at a moment.
    Sample(Sample),
    /// Information for readers of the report.
    Note {
        /// The text, a sentence.
        text: String,
    },
    /// A scenario is selected: it will begin, unless the suite is cut off before.
    ScenarioSelected(Selected),
    /// A scenario begins.
    ScenarioStarted(ScenarioStarted),
    /// A scenario ended.
    ScenarioFinished(ScenarioEnd),
    /// A scenario was not run, because this environment lacks what it needs. It counts neither as a pass nor as a failure.
    ScenarioNotRun(NotRun),
    /// A step ended; in the log of its scenario's own run.
    Step(Step),
    /// The results of the audit.
    Audited(Box<Audit>),
    /// The latencies, and the verdicts on their limits.
    Measured(Box<Measured>),
    /// The resources that a phase used on the machine.
    Usage(Usage),
    /// A rate was tried in the search for the highest rate.
    RateStep(Box<RateStep>),
    /// The search for the highest rate is over.
    RateFound(RateFound),
    /// The run's outcome. Only removals of resources follow; a log without this event is of a run that was cut off.
    Finished {
        /// The outcome.
        outcome: Outcome,
        /// Why it is not a pass; empty for a pass.
        reasons: Vec<String>,
        /// The outcome that each reason stands for, in their order; empty if all stand for `outcome`, and in logs of older harnesses.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        outcomes: Vec<Outcome>,
    },
}

impl Event {
    /// Makes the event of a fault `name` on `target` that has no duration.
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

/// What a workload's description leaves open about the end of its workers: promises about it are not judged.
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

/// Description of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Its id.
    pub run: RunId,
    /// Its purpose, in a line: a scenario's name, or `load: 20000 messages, 16 consumers`.
    pub title: String,
    /// Its seed.
    pub seed: u64,
    /// `local`, `cluster` or `aks`.
    pub environment: String,
    /// How many times faster than in production it ran; absent at 1.
    #[serde(default, skip_serializing_if = "Pace::is_production")]
    pub pace: Pace,
    /// The command line that repeats it.
    pub command: String,
    /// Messages planned, if known from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages: Option<u64>,
    /// The rest of the plan, in display order: `rate`, `payload`, `consumers`.
    pub plan: Vec<Fact>,
    /// Latency limits.
    pub limits: Vec<LatencyLimit>,
    /// Its surroundings: storage and the reason for its choice, machine, operating system.
    pub setting: Vec<Fact>,
    /// Versions: harness, producer, consumer, storage.
    pub versions: Vec<Fact>,
    /// What the workload's description leaves open about the end of workers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leeway: Vec<Leeway>,
}

/// A name and a value, for display.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

impl Fact {
    /// Makes a fact.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

/// A resource that was created for a run and outlives the harness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// `queue` or `table`; in a cluster `namespace`, or `cordon` for a cordoned node.
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
    /// The loop that decided: `model of KEDA`, `model of the HPA`.
    pub by: String,
    /// Number of consumers wanted before.
    pub from: u32,
    /// Number of consumers wanted now.
    pub to: u32,
    /// The reason, in a few words.
    pub reason: String,
    /// The queue of these consumers, if a run has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
}

/// The numbers of consumers that the autoscaler's model allows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    /// The start of the bands' times.
    pub since: Stamp,
    /// The bands, in the order of time.
    pub bands: Vec<AllowedBand>,
    /// When the wanted numbers were outside of the bands, in words; empty if they never were.
    pub excursions: Vec<String>,
    /// The queue of these consumers, if a run has several; each is judged separately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
}

/// A period in which `low` to `high` consumers may be wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowedBand {
    /// Its start, in milliseconds.
    pub from_ms: u64,
    /// Its end, in milliseconds.
    pub until_ms: u64,
    /// Lowest number.
    pub low: u32,
    /// Highest number.
    pub high: u32,
}

/// The state at a moment. A value that could not be read is absent, not 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sample {
    /// Messages in the queue, visible and leased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_depth: Option<u64>,
    /// Messages that consumers have received, and neither requested to delete nor handed back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_hand: Option<u64>,
    /// Number of running consumers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumers: Option<u64>,
    /// Surplus consumers that were told to end, and have not ended yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaving: Option<u64>,
    /// Messages acknowledged, by the producer's last count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<u64>,
    /// The time of that count; several samples may have the same one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Stamp>,
    /// Requests that wire rules have affected so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hit: Option<u64>,
}

/// A scenario that will run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selected {
    /// The feature's name.
    pub feature: String,
    /// The scenario's name.
    pub name: String,
    /// Its location: `features/exactly_once.feature:12`.
    pub location: String,
}

/// The latencies of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The samples of every hop.
    pub hops: Hops,
    /// The verdicts on the limits.
    pub verdicts: Vec<LatencyVerdict>,
}

#[cfg(test)]
mod tests;
