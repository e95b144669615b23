//! The values that the scalers of a ScaledObject read at one time. Numbers are in thousandths, as in Kubernetes.

use std::time::Duration;

use crate::cron::Window;
use crate::{Cron, Observation, Queue, QueueTrigger, Reads, ScalerError, Settings};

/// One read of one trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) value: Result<i64, ScalerError>,
    pub(crate) active: bool,
}

/// The last results of cron triggers, and until when they hold: cron triggers are read at every poll and sync.
#[derive(Debug, Clone, Default)]
pub(crate) struct Windows(Vec<Option<Window>>);

impl Windows {
    fn is_active(&mut self, trigger: usize, cron: &Cron, wall: Duration) -> bool {
        if self.0.len() <= trigger {
            self.0.resize(trigger + 1, None);
        }
        let known = self.0[trigger].filter(|it| it.until.is_none_or(|until| wall < until));
        let window = known.unwrap_or_else(|| cron.window(wall));
        self.0[trigger] = Some(window);
        window.active
    }
}

impl QueueTrigger {
    /// KEDA `pkg/scalers/azure_queue_scaler.go`, `GetMetricsAndActivity`: active is strictly more.
    pub(crate) fn length(&self, observed: Observation) -> Result<u64, ScalerError> {
        Ok(match self.elsewhere {
            Some(messages) => messages,
            None => self.strategy.length(observed?),
        })
    }

    fn read(&self, observed: Observation) -> Read {
        let length = self.length(observed);
        Read {
            value: length.map(thousandths),
            active: length.is_ok_and(|length| self.is_active(length)),
        }
    }

    pub(crate) fn is_active(&self, length: u64) -> bool {
        i64::try_from(length).unwrap_or(i64::MAX) > self.activation_queue_length
    }
}

impl Settings {
    /// The number of triggers: the main queue is the first.
    pub(crate) fn triggers(&self) -> usize {
        1 + self.others.len()
    }

    fn queue(&self) -> QueueTrigger {
        QueueTrigger {
            queue_length: i64::try_from(self.queue_length).unwrap_or(i64::MAX),
            activation_queue_length: self.activation_queue_length,
            strategy: self.strategy,
            elsewhere: None,
        }
    }

    /// The value of a trigger for this state of the queue and for the wall clock's time `wall` since 1970.
    pub(crate) fn read(
        &self,
        trigger: usize,
        observed: Observation,
        wall: Duration,
        windows: &mut Windows,
    ) -> Read {
        let Some(other) = trigger.checked_sub(1).map(|n| &self.others[n]) else {
            return self.queue().read(observed);
        };
        match &other.reads {
            Reads::Queue(queue) => queue.read(observed),
            Reads::Cron(cron) => {
                let active = windows.is_active(trigger, cron, wall);
                let replicas = if active { cron.desired_replicas() } else { 0 };
                Read {
                    value: Ok(thousandths(replicas.into())),
                    active,
                }
            }
        }
    }

    /// The target of a trigger per replica, in thousandths: `queueLength`, or one for `cron` (KEDA `cron_scaler.go`,
    /// `GetMetricSpecForScaling`).
    pub(crate) fn target(&self, trigger: usize) -> i64 {
        match trigger.checked_sub(1).map(|n| &self.others[n].reads) {
            None => thousandths(self.queue_length),
            Some(Reads::Queue(queue)) => queue.queue_length.saturating_mul(1_000),
            Some(Reads::Cron(_)) => 1_000,
        }
    }

    pub(crate) fn is_cached(&self, trigger: usize) -> bool {
        match trigger.checked_sub(1) {
            None => self.use_cached_metrics,
            Some(n) => self.others[n].use_cached_metrics,
        }
    }

    /// Whether a poll with this reading, at this time since 1970, finds the ScaledObject active.
    pub fn is_active(&self, queue: Queue, wall: Duration) -> bool {
        let mut windows = Windows::default();
        let mut reads =
            (0..self.triggers()).map(|trigger| self.read(trigger, Ok(queue), wall, &mut windows));
        let Some(modifiers) = &self.modifiers else {
            return reads.any(|read| read.active);
        };
        let values: Vec<_> = reads.map(|read| read.value.ok().map(units)).collect();
        modifiers.is_active(modifiers.number(&values, self.fallback.as_ref()))
    }

    /// Whether a trigger depends on the time of day.
    pub fn has_cron(&self) -> bool {
        let mut others = self.others.iter();
        others.any(|other| matches!(other.reads, Reads::Cron(_)))
    }
}

/// Converts a number to thousandths.
pub(crate) fn thousandths(number: u64) -> i64 {
    i64::try_from(number)
        .unwrap_or(i64::MAX)
        .saturating_mul(1_000)
}

/// Converts thousandths like Kubernetes' `AsApproximateFloat64`.
pub(crate) fn units(thousandths: i64) -> f64 {
    thousandths as f64 / 1_000.0
}

/// Converts like Go's `int64(number * 1000)` on amd64: a number that is too large, infinite or not a number becomes the
/// smallest integer, so that a formula which divides by an empty queue asks for no replicas. The Go specification ("Conversions
/// between numeric types") leaves this to the implementation; on arm64 it is the largest integer.
#[expect(
    clippy::cast_possible_truncation,
    reason = "numbers that are out of range, or none, do not come so far"
)]
pub(crate) fn from_units(number: f64) -> i64 {
    /// 2 to the power of 63.
    const BEYOND: f64 = -(i64::MIN as f64);
    let number = number * 1_000.0;
    if (-BEYOND..BEYOND).contains(&number) {
        number as i64
    } else {
        i64::MIN
    }
}
