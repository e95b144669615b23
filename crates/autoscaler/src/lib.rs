//! KEDA's scale loop and the Horizontal Pod Autoscaler as pure state machines: no I/O, no clock, no randomness.
//!
//! Three jobs, one code: a driver scales real processes with it ([`Autoscaler`]), a recording of a real cluster is judged
//! by it ([`Envelope`]), and settings are tried out with it ([`simulate()`]).
//!
//! The rules are those of KEDA 2.20.2 and of Kubernetes since 1.33, as its tree was when HPAs got tolerances of their own,
//! read from their sources; each function names the one it follows, with paths in `kedacore/keda` ("KEDA") and
//! `kubernetes/kubernetes` ("Kubernetes"). Where a source surprises, the model surprises in the same way.
//!
//! Time is a [`Duration`](std::time::Duration) since a moment that the caller chooses, and never goes back; what the wall clock
//! shows at that moment is handed in too, for `cron`. Replicas are
//! what the scale target's `spec.replicas` says: how long a pod takes to start is the caller's, except in [`simulate()`].
//!
//! Triggers are queues and `cron`, one or several, and formulas over them ([`Formula`]). Of a ScaledJob there is the loop
//! ([`JobSettings::jobs_to_make`]), and a simulation of it ([`simulate_jobs`]).
//!
//! Left out on purpose: other types of trigger, metric types other than `AverageValue`, and a Deployment whose `status.replicas` lags behind its `spec.replicas` (by quotas, or for the moment a controller
//! takes).

mod autoscaler;
mod cron;
mod envelope;
mod formula;
mod hpa;
mod jobs;
mod keda;
mod queue;
mod recording;
mod scaler;
mod series;
mod settings;
mod simulate;

pub use autoscaler::{Autoscaler, Decision, DecisionMaker, Phases, Reason, Start};
pub use cron::Cron;
pub use envelope::{Band, Envelope, Excursion, Load, Nearest, Reach, RecordedQueue, Uncertainty};
pub use formula::Formula;
pub use jobs::{
    JobExcursion, JobFigures, JobFindings, JobPoll, JobRecording, JobStart, JobWorkload,
    Unfinished, simulate_jobs,
};
pub use queue::{LengthStrategy, Observation, Queue, ScalerError};
pub use recording::{Findings, Recording, RecordingError};
pub use series::{ReplicaSeries, Step};
pub use settings::{
    Annotations, Behavior, Calculation, ControllerFlags, Fallback, FallbackBehavior, JobSettings,
    JobStrategy, Modifiers, Paused, Policy, PolicyKind, QueueTrigger, Reads, Refusal, Refusals,
    RefusedBy, Rules, ScaledJob, ScaledObject, SelectPolicy, Settings, Surroundings, Trigger,
    Variables, Warning, manifest,
};
pub use simulate::{
    Arrivals, Figures, Nodes, Point, Rates, ScaleIn, Series, Service, THRASH_WINDOW, Work,
    Workload, figures, figures_into, simulate, simulate_into,
};

/// The example of the README is compiled and run as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
