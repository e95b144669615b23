//! What KEDA reads to scale by: queues and clocks, and what a formula makes of several of them.

use crate::{Cron, Formula, LengthStrategy};

/// A trigger of a ScaledObject besides the queue that is asked about.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// Its name, by which a formula knows it.
    pub name: Option<String>,
    /// What it reads.
    pub reads: Reads,
    /// The HPA gets what the operator's last poll read, not a read of its own (`useCachedMetrics`).
    pub use_cached_metrics: bool,
}

/// What a trigger reads.
#[derive(Debug, Clone, PartialEq)]
pub enum Reads {
    /// `azure-queue`.
    Queue(QueueTrigger),
    /// `cron`.
    Cron(Cron),
}

/// What counts of one `azure-queue` trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueTrigger {
    /// Messages that one replica or job is meant for (`queueLength`). With 0 no job is ever made.
    pub queue_length: i64,
    /// Active means more messages than this (`activationQueueLength`).
    pub activation_queue_length: i64,
    /// What is counted.
    pub strategy: LengthStrategy,
    /// Messages that are there all the time, where it is another queue than the one that is asked about.
    pub elsewhere: Option<u64>,
}

impl Default for QueueTrigger {
    fn default() -> Self {
        Self {
            queue_length: 5,
            activation_queue_length: 0,
            strategy: LengthStrategy::All,
            elsewhere: None,
        }
    }
}

/// `advanced.scalingModifiers`: one number instead of what each trigger reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Modifiers {
    /// `formula`; trigger 0 is the queue that is asked about, the others follow.
    pub formula: Formula,
    /// `target`: what one replica is meant to have of the number.
    pub target: f64,
    /// `activationTarget`: active means more than this.
    pub activation_target: f64,
    /// `target` is written as a whole number: with another, KEDA never falls back (KEDA `pkg/fallback/fallback.go`,
    /// `HasValidFallback`).
    pub whole_target: bool,
}
