//! KEDA's scale loop and the Horizontal Pod Autoscaler as pure state machines: no I/O, no clock, no randomness.
//!
//! One implementation for three uses: a driver scales real processes with it ([`Autoscaler`]), a recording of a real cluster is
//! compared with it ([`Envelope`]), and settings are tried out with it ([`simulate()`]).
//!
//! The rules are those of KEDA 2.20.2 and of Kubernetes since 1.33 (its sources when HPAs got their own tolerances). Each
//! function names the source function that it follows, with paths in `kedacore/keda` ("KEDA") and `kubernetes/kubernetes`
//! ("Kubernetes"). If a source behaves surprisingly, so does the model.
//!
//! Time is a [`Duration`](std::time::Duration) since a moment that the caller chooses, and never goes back; the caller also
//! gives the wall clock's time at that moment, for `cron`. Replicas are the scale target's `spec.replicas`: the start time of
//! pods is not modelled, except in [`simulate()`].
//!
//! Triggers are queues and `cron`, one or several, and formulas over them ([`Formula`]). For a ScaledJob there is the loop
//! ([`JobSettings::jobs_to_make`]), and a simulation of it ([`simulate_jobs`]).
//!
//! Left out on purpose: other types of trigger, metric types other than `AverageValue`, and a Deployment whose
//! `status.replicas` lags behind its `spec.replicas` (because of quotas, or while a controller is working).

mod autoscaler;
mod cron;
mod decision;
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

pub use autoscaler::{Autoscaler, Phases, Start};
pub use cron::Cron;
pub use decision::{Decision, DecisionMaker, Reason};
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
