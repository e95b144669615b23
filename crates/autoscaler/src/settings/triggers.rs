//! Triggers: queues and clocks, and the formula that combines them.

use crate::{Cron, Formula, LengthStrategy};

/// A trigger of a ScaledObject other than the main queue's.
#[derive(Debug, Clone, PartialEq)]
pub struct Trigger {
    /// Its name, which a formula uses.
    pub name: Option<String>,
    /// Its source.
    pub reads: Reads,
    /// Whether the HPA gets the result of the operator's last poll instead of its own read (`useCachedMetrics`).
    pub use_cached_metrics: bool,
}

/// The source of a trigger.
#[derive(Debug, Clone, PartialEq)]
pub enum Reads {
    /// `azure-queue`.
    Queue(QueueTrigger),
    /// `cron`.
    Cron(Cron),
}

/// The settings of one `azure-queue` trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueTrigger {
    /// Target number of messages per replica or Job (`queueLength`). With 0, no Job is ever created.
    pub queue_length: i64,
    /// The queue is active with more messages than this (`activationQueueLength`).
    pub activation_queue_length: i64,
    /// The messages that count.
    pub strategy: LengthStrategy,
    /// The constant number of messages, if this is another queue than the main one.
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

/// `advanced.scalingModifiers`: one number in place of the triggers' values.
#[derive(Debug, Clone, PartialEq)]
pub struct Modifiers {
    /// `formula`; trigger 0 is the main queue's, the others follow.
    pub formula: Formula,
    /// `target`: the target value per replica.
    pub target: f64,
    /// `activationTarget`: active above this value.
    pub activation_target: f64,
    /// Whether `target` is an integer: with another number, KEDA never falls back (KEDA `pkg/fallback/fallback.go`,
    /// `HasValidFallback`).
    pub whole_target: bool,
}
