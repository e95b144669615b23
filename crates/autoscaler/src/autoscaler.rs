//! Both loops on one scale target.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::hpa::{Hpa, Reading};
use crate::keda::{Health, Metric, PLACEHOLDER, Reader, ScaleLoop, State};
use crate::scaler::{Read, Windows, from_units};
use crate::{Annotations, Behavior, Observation, Paused, ScalerError, Settings};

/// KEDA and the HPA for one ScaledObject. Whoever drives it waits until [`Autoscaler::next_due`], looks at the queue, calls
/// [`Autoscaler::step`], and does what the decisions say.
#[derive(Debug, Clone)]
pub struct Autoscaler {
    settings: Arc<Settings>,
    annotations: Annotations,
    /// The settings' behavior under the annotations of now.
    behavior: Option<Behavior>,
    replicas: u32,
    pub(crate) health: Health,
    scale_loop: ScaleLoop,
    hpa: Hpa,
    /// What the last poll gave of each trigger, for `useCachedMetrics`.
    polled: Vec<Result<i64, ScalerError>>,
    windows: Windows,
    /// What the wall clock shows at time zero.
    wall: Duration,
    pub(crate) next_poll: Duration,
    pub(crate) next_sync: Duration,
    /// Paused replicas that are not yet set.
    pause_at: Option<u32>,
    /// The next sync's request has come to the end of its time.
    pub(crate) sync_cut: bool,
}

/// How things stand at time zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Start {
    /// Replicas of the scale target.
    pub replicas: u32,
    /// How long ago the ScaledObject was created.
    pub age: Duration,
    /// How long ago a poll last found the queue active; `None`: never.
    pub active_ago: Option<Duration>,
    /// Where in their periods the loops are.
    pub phases: Phases,
    /// What the wall clock shows, since 1970 in UTC: cron triggers go by it, nothing else does.
    pub wall: Duration,
}

/// When the loops run for the first time, and how the clock ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phases {
    /// The first poll of the operator.
    pub poll: Duration,
    /// The first sync of the HPA.
    pub sync: Duration,
    /// By how much time zero is after a whole second of the wall clock; see [`crate::ControllerFlags::status_resolution`].
    pub second: Duration,
}

impl Default for Phases {
    /// Those of a ScaledObject that is created at time zero: the operator polls at once (KEDA
    /// `pkg/scaling/scale_handler.go`, `startScaleLoop`), the HPA controller lets a sync period pass first (Kubernetes
    /// `horizontal.go`, `enqueueHPA`).
    fn default() -> Self {
        Self {
            poll: Duration::ZERO,
            sync: Duration::from_secs(15),
            second: Duration::from_millis(500),
        }
    }
}

/// The scale target's replicas are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// When.
    pub at: Duration,
    /// By whom.
    pub by: DecisionMaker,
    /// From so many replicas.
    pub from: u32,
    /// To so many; never the same.
    pub to: u32,
    /// Why.
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

/// Which of the two machines decided.
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

/// Why replicas change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The queue is active, or a fallback, or forced.
    Activated,
    /// The queue has been inactive for the cooldown.
    Deactivated,
    /// Fewer than the minimum.
    BelowMinimum,
    /// More than the maximum.
    AboveMaximum,
    /// More messages a replica than the target.
    AboveTarget,
    /// Fewer messages a replica than the target, for long enough.
    BelowTarget,
    /// `paused-replicas`.
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

impl Autoscaler {
    /// Two machines at time zero.
    pub fn new(settings: impl Into<Arc<Settings>>, start: &Start) -> Self {
        let settings = settings.into();
        let mut new = Self {
            annotations: settings.annotations,
            behavior: settings.effective_behavior(&settings.annotations),
            replicas: start.replicas,
            health: Health::default(),
            scale_loop: ScaleLoop::new(&settings, start.age, start.active_ago, &start.phases),
            hpa: Hpa::at_zero(&settings, start),
            polled: Vec::new(),
            windows: Windows::default(),
            wall: start.wall,
            next_poll: start.phases.poll,
            next_sync: start.phases.sync,
            pause_at: None,
            sync_cut: false,
            settings,
        };
        new.note_pause();
        new
    }

    /// What the scale target is set to.
    pub fn replicas(&self) -> u32 {
        self.replicas
    }

    /// Somebody else has set the scale target.
    pub fn set_replicas(&mut self, replicas: u32) {
        self.replicas = replicas;
    }

    /// When [`Autoscaler::step`] must be called next; `None` while paused.
    pub fn next_due(&self) -> Option<Duration> {
        match (self.annotations.paused, self.pause_at) {
            (_, Some(_)) => Some(Duration::ZERO),
            (Some(_), None) => None,
            (None, None) => Some(self.next_poll.min(self.next_sync)),
        }
    }

    /// When the operator polls next, unless paused.
    pub fn next_poll(&self) -> Duration {
        self.next_poll
    }

    /// When the HPA syncs next, unless paused.
    pub fn next_sync(&self) -> Duration {
        self.next_sync
    }

    /// Runs what is due at `now` or before: the operator's poll, then the HPA's sync. Both begin their period anew from
    /// `now`, so a late call delays all that follows, as it does in a cluster (KEDA `scale_handler.go`, `startScaleLoop`;
    /// Kubernetes `pkg/controller/podautoscaler/rate_limiters.go`: an HPA waits its period after every sync).
    pub fn step(&mut self, now: Duration, observed: Observation) -> Vec<Decision> {
        let mut decisions = Vec::new();
        if let Some(to) = self.pause_at.take() {
            let decision = self.set(now, DecisionMaker::Keda, Some((to, Reason::Paused)));
            decisions.extend(decision);
        }
        if self.annotations.paused.is_some() {
            return decisions;
        }
        if self.next_poll <= now {
            decisions.extend(self.poll(now, observed));
            self.next_poll = now + self.settings.polling_interval;
        }
        if self.next_sync <= now {
            decisions.extend(self.sync(now, observed));
            self.next_sync = now + self.settings.controller.sync_period;
        }
        decisions
    }

    /// The annotations of the ScaledObject are now these. To pause ends both loops, to resume begins them anew: with a poll
    /// at once, and a new HPA that has forgotten everything unless it comes back within a sync period (KEDA
    /// `controllers/keda/scaledobject_controller.go`, `reconcileScaledObject` and `handlePause`; Kubernetes
    /// `horizontal.go`, `reconcileKey`).
    pub fn annotate(&mut self, now: Duration, annotations: Annotations) {
        let was_paused = self.annotations.paused.is_some();
        self.annotations = annotations;
        self.behavior = self.settings.effective_behavior(&annotations);
        self.note_pause();
        if was_paused && annotations.paused.is_none() {
            if self.next_sync <= now {
                self.hpa = Hpa::default();
                self.next_sync = now + self.settings.controller.sync_period;
            }
            self.next_poll = now;
        }
    }

    fn note_pause(&mut self) {
        self.pause_at = match self.annotations.paused {
            Some(Paused::At(replicas)) if replicas != self.replicas => Some(replicas),
            _ => None,
        };
    }

    fn poll(&mut self, now: Duration, observed: Observation) -> Option<Decision> {
        let metrics = self.metrics(now, observed, Reader::Poll);
        let state = State::of(&self.settings, &metrics);
        let (settings, annotations) = (&self.settings, &self.annotations);
        let scaled = self
            .scale_loop
            .poll(settings, annotations, now, state, self.replicas);
        let remembered = |it: &Metric| it.value.map(|value| value.unwrap_or(PLACEHOLDER));
        self.polled = metrics.iter().map(remembered).collect();
        self.set(now, DecisionMaker::Keda, scaled)
    }

    /// The HPA asks KEDA's metrics server, which reads the queue itself, or remembers the last poll with `useCachedMetrics`
    /// (KEDA `scale_handler.go`, `GetScaledObjectMetrics`). A remembered fallback then passes for a good read, and a
    /// remembered failure counts again.
    fn sync(&mut self, now: Duration, observed: Observation) -> Option<Decision> {
        let mut hpa = std::mem::take(&mut self.hpa);
        let behavior = self.behavior.take();
        let (settings, current) = (Arc::clone(&self.settings), self.replicas);
        let readings = || self.readings(now, observed);
        let scaled = hpa.sync(&settings, behavior.as_ref(), now, current, readings);
        (self.hpa, self.behavior) = (hpa, behavior);
        self.set(now, DecisionMaker::Hpa, scaled)
    }

    /// Every trigger, after fallback.
    fn metrics(&mut self, now: Duration, observed: Observation, reader: Reader) -> Vec<Metric> {
        let settings = Arc::clone(&self.settings);
        let one = |trigger| {
            let remembered = self.polled.get(trigger).copied();
            let remembered =
                remembered.filter(|_| reader == Reader::Sync && settings.is_cached(trigger));
            let read = match remembered {
                Some(value) => Read {
                    value,
                    active: false,
                },
                None => settings.read(trigger, observed, self.wall + now, &mut self.windows),
            };
            let health = &mut self.health;
            health.metric(&settings, reader, trigger, read, self.replicas)
        };
        let metrics: Vec<_> = (0..settings.triggers()).map(one).collect();
        self.health.end(reader, &metrics);
        metrics
    }

    /// What the HPA is given: each trigger's number, or the formula's alone (KEDA `controllers/keda/hpa.go`,
    /// `getScaledObjectMetricSpecs`). A formula has none if a trigger cannot be read, unless one has fallen back.
    fn readings(&mut self, now: Duration, observed: Observation) -> Vec<Reading> {
        if std::mem::take(&mut self.sync_cut) {
            self.health.cut();
            return vec![Reading::missing()];
        }
        let metrics = self.metrics(now, observed, Reader::Sync);
        let settings = &self.settings;
        let Some(modifiers) = &settings.modifiers else {
            let each = metrics.iter().enumerate();
            let each = each.map(|(trigger, metric)| Reading {
                usage: metric.value.and_then(|value| value.ok_or(ScalerError)),
                target: settings.target(trigger),
            });
            return each.collect();
        };
        let error = metrics.iter().any(|it| it.value.is_err());
        let fallen = metrics.iter().any(|it| it.fallback);
        let number = modifiers.composite(&metrics, settings.fallback.as_ref());
        let number = number.filter(|_| fallen || !error);
        vec![Reading {
            usage: number.ok_or(ScalerError),
            target: from_units(modifiers.target),
        }]
    }

    fn set(
        &mut self,
        at: Duration,
        by: DecisionMaker,
        scaled: Option<(u32, Reason)>,
    ) -> Option<Decision> {
        let (to, reason) = scaled.filter(|(to, _)| *to != self.replicas)?;
        let from = std::mem::replace(&mut self.replicas, to);
        Some(Decision {
            at,
            by,
            from,
            to,
            reason,
        })
    }
}

#[cfg(test)]
mod tests;
