//! The two loops, KEDA's and the HPA's, on one scale target.

use std::sync::Arc;
use std::time::Duration;

use crate::decision::{Decision, DecisionMaker, Reason};
use crate::hpa::{Hpa, Reading};
use crate::keda::{Health, Metric, PLACEHOLDER, Reader, ScaleLoop, State};
use crate::scaler::{Read, Windows, from_units};
use crate::{Annotations, Behavior, Observation, Paused, ScalerError, Settings};

/// KEDA and the HPA for one ScaledObject. The caller waits until [`Autoscaler::next_due`], reads the queue, calls
/// [`Autoscaler::step`], and applies the decisions.
#[derive(Debug, Clone)]
pub struct Autoscaler {
    settings: Arc<Settings>,
    annotations: Annotations,
    /// The settings' behavior with the present annotations.
    behavior: Option<Behavior>,
    replicas: u32,
    pub(crate) health: Health,
    scale_loop: ScaleLoop,
    hpa: Hpa,
    /// The result of the last poll for each trigger, for `useCachedMetrics`; empty if a sync has failed since.
    polled: Vec<Polled>,
    windows: Windows,
    /// The wall clock's time at time zero.
    wall: Duration,
    pub(crate) next_poll: Duration,
    pub(crate) next_sync: Duration,
    /// Paused replicas that are not set yet.
    pause_at: Option<u32>,
    /// Whether the next sync's request has timed out.
    pub(crate) sync_cut: bool,
}

/// A trigger's record in KEDA's cache of metrics.
#[derive(Debug, Clone, Copy)]
struct Polled {
    value: Result<i64, ScalerError>,
    /// Whether the value is the fallback's. With a formula, the record then has the name of the composite metric, so that the
    /// formula finds no value under the trigger's own name (KEDA `fallback.go`, `doFallback`; `formula.go`,
    /// `calculateScalingModifiersFormula`).
    is_fallback: bool,
}

/// The state at time zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Start {
    /// Replicas of the scale target.
    pub replicas: u32,
    /// How long ago the ScaledObject was created.
    pub age: Duration,
    /// How long ago a poll last found the queue active; `None`: never.
    pub active_ago: Option<Duration>,
    /// The phases of the loops.
    pub phases: Phases,
    /// The wall clock's time, since 1970 in UTC, which only cron triggers use.
    pub wall: Duration,
}

/// When the loops first run, and when the wall clock's seconds begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phases {
    /// The first poll of the operator.
    pub poll: Duration,
    /// The first sync of the HPA.
    pub sync: Duration,
    /// How long before time zero the last whole second of the wall clock was; see
    /// [`crate::ControllerFlags::status_resolution`].
    pub second: Duration,
}

impl Default for Phases {
    /// The phases of a ScaledObject that is created at time zero: the operator polls at once (KEDA
    /// `pkg/scaling/scale_handler.go`, `startScaleLoop`), the HPA controller first lets a sync period pass (Kubernetes
    /// `horizontal.go`, `enqueueHPA`).
    fn default() -> Self {
        Self {
            poll: Duration::ZERO,
            sync: Duration::from_secs(15),
            second: Duration::from_millis(500),
        }
    }
}

impl Autoscaler {
    /// Makes the two loops at time zero.
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

    /// The replicas of the scale target.
    pub fn replicas(&self) -> u32 {
        self.replicas
    }

    /// Records that another client has set the scale target.
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

    /// Runs what is due at `now` or before: the operator's poll, then the HPA's sync. Each starts a new period at `now`, so a
    /// late call delays all later ones, as in a cluster (KEDA `scale_handler.go`, `startScaleLoop`; Kubernetes
    /// `pkg/controller/podautoscaler/rate_limiters.go`: an HPA waits its period after every sync).
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

    /// Sets the annotations of the ScaledObject. Pausing ends both loops. Resuming starts them anew: with a poll at once, and
    /// with a new HPA, which has lost its history unless it exists again within a sync period (KEDA
    /// `controllers/keda/scaledobject_controller.go`, `reconcileScaledObject` and `handlePause`; Kubernetes `horizontal.go`,
    /// `reconcileKey`).
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
        let remembered = |it: &Metric| Polled {
            value: it.value.map(|value| value.unwrap_or(PLACEHOLDER)),
            is_fallback: it.fallback,
        };
        self.polled = metrics.iter().map(remembered).collect();
        self.set(now, DecisionMaker::Keda, scaled)
    }

    /// One sync of the HPA. It asks KEDA's metrics server, which reads the queue itself, or with `useCachedMetrics` returns the
    /// last poll's result (KEDA `scale_handler.go`, `GetScaledObjectMetrics`). A cached fallback then counts as a successful
    /// read, and a cached failure counts once more: with it, KEDA 2.20 forgets what the poll has read (`ClearScalersCache`), and
    /// further syncs read the queue themselves.
    fn sync(&mut self, now: Duration, observed: Observation) -> Option<Decision> {
        let mut hpa = std::mem::take(&mut self.hpa);
        let behavior = self.behavior.take();
        let (settings, current) = (Arc::clone(&self.settings), self.replicas);
        let readings = || self.readings(now, observed);
        let scaled = hpa.sync(&settings, behavior.as_ref(), now, current, readings);
        (self.hpa, self.behavior) = (hpa, behavior);
        self.set(now, DecisionMaker::Hpa, scaled)
    }

    /// The metric of every trigger, after fallback.
    fn metrics(&mut self, now: Duration, observed: Observation, reader: Reader) -> Vec<Metric> {
        let settings = Arc::clone(&self.settings);
        let one = |trigger| {
            let remembered = self.polled.get(trigger).copied();
            let remembered =
                remembered.filter(|_| reader == Reader::Sync && settings.is_cached(trigger));
            let read = match remembered {
                Some(polled) => Read {
                    value: polled.value,
                    active: false,
                },
                None => settings.read(trigger, observed, self.wall + now, &mut self.windows),
            };
            let health = &mut self.health;
            let metric = health.metric(&settings, reader, trigger, read, self.replicas);
            if settings.modifiers.is_some() && remembered.is_some_and(|it| it.is_fallback) {
                return Metric {
                    value: Ok(None),
                    ..metric
                };
            }
            metric
        };
        let metrics: Vec<_> = (0..settings.triggers()).map(one).collect();
        if reader == Reader::Sync && metrics.iter().any(|it| it.value.is_err()) {
            self.polled.clear();
        }
        self.health.end(reader, &metrics);
        metrics
    }

    /// The values that the HPA gets: each trigger's number, or the formula's alone (KEDA `controllers/keda/hpa.go`,
    /// `getScaledObjectMetricSpecs`). A formula has no value if a trigger cannot be read, unless a trigger has fallen back.
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
