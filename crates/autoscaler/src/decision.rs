//! What the loops decide: a change of replicas, with its reason.

use std::fmt;
use std::time::Duration;

/// A change of the scale target's replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The time.
    pub at: Duration,
    /// The loop that decided.
    pub by: DecisionMaker,
    /// The replicas before.
    pub from: u32,
    /// The replicas after; never equal to `from`.
    pub to: u32,
    /// The reason.
    pub reason: Reason,
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            by,
            from,
            to,
            reason,
            ..
        } = self;
        write!(f, "model of {by}: {from} to {to} replicas, {reason}")
    }
}

/// One of the two loops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionMaker {
    /// The operator.
    Keda,
    /// The HPA controller.
    Hpa,
}

impl fmt::Display for DecisionMaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keda => "KEDA",
            Self::Hpa => "the HPA",
        })
    }
}

/// The reason of a change of replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The queue is active, a fallback applies, or activation is forced.
    Activated,
    /// The queue has been inactive for the cooldown period.
    Deactivated,
    /// There were fewer replicas than the minimum.
    BelowMinimum,
    /// There were more replicas than the maximum.
    AboveMaximum,
    /// There were more messages per replica than the target.
    AboveTarget,
    /// There were fewer messages per replica than the target for long enough.
    BelowTarget,
    /// The annotation `paused-replicas` was set.
    Paused,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Activated => "the queue is active",
            Self::Deactivated => "the queue was inactive for the cooldown",
            Self::BelowMinimum => "fewer than the minimum",
            Self::AboveMaximum => "more than the maximum",
            Self::AboveTarget => "more messages than the target",
            Self::BelowTarget => "fewer messages than the target",
            Self::Paused => "paused by annotation",
        })
    }
}
