//! Failed reads in a row, and the fallback that comes of them.
//!
//! KEDA counts them in the status of the ScaledObject, but in a copy that it took before the read: the count that a poll writes
//! is one more than there was when the poll began, whatever the HPA's read has written meanwhile. A read of a queue that is away
//! takes up to 42 s, so that the reads of both loops overlap, and two failures may count as one.

use crate::scaler::{Read, from_units};
use crate::{FallbackBehavior, ScalerError, Settings};

use super::Metric;

/// Whose read it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A poll of the operator.
    Poll,
    /// A sync of the HPA, which asks the operator.
    Sync,
}

/// Failed reads in a row of each trigger, in every copy of the status.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health {
    /// As the API server has it.
    stored: Vec<u32>,
    /// Of the poll: read anew as it begins (KEDA 2.20 `pkg/scaling/scale_handler.go`, `checkScalers`).
    poll: Vec<u32>,
    /// Of the HPA's reads: that of the scalers' cache, unless it is the poll's (`GetScaledObjectMetrics`).
    sync: Vec<u32>,
    /// Whose copy the scalers' cache holds: whoever made it, since a failed read throws it away (`performGetScalersCache`,
    /// `ClearScalersCache`).
    cache: Cache,
    /// Which reads are under way.
    under_way: [bool; 2],
    /// The HPA's read that is under way, or the last, uses the poll's copy.
    shared: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Cache {
    /// A copy that no poll refreshes: the controller's, which asks first (`controllers/keda/hpa.go`,
    /// `getScaledObjectMetricSpecs`), or that of the HPA's read.
    #[default]
    Apart,
    /// The poll's own.
    OfPoll,
    /// There is none.
    Cleared,
}

impl Health {
    /// A poll has made the scalers' cache, after an error that nobody remembers.
    pub(crate) fn cached_by_poll() -> Self {
        Self {
            cache: Cache::OfPoll,
            ..Self::default()
        }
    }

    /// A read begins. One that ends at once may be left to [`Health::metric`].
    pub(crate) fn begin(&mut self, reader: Reader) {
        self.under_way[reader as usize] = true;
        match reader {
            Reader::Poll => {
                self.poll.clone_from(&self.stored);
                if self.cache == Cache::Cleared {
                    self.cache = Cache::OfPoll;
                }
            }
            Reader::Sync => {
                if self.cache == Cache::Cleared {
                    self.sync.clone_from(&self.stored);
                    self.cache = Cache::Apart;
                }
                self.shared = self.cache == Cache::OfPoll;
            }
        }
    }

    pub(crate) fn is_under_way(&self, reader: Reader) -> bool {
        self.under_way[reader as usize]
    }

    /// The HPA's request was ended by the API server, and KEDA's read with it: its failure is written nowhere.
    pub(crate) fn cut(&mut self) {
        self.under_way[Reader::Sync as usize] = false;
        self.cache = Cache::Cleared;
    }

    /// A read has ended, with such metrics: after a failure the scalers are made anew.
    pub(crate) fn end(&mut self, reader: Reader, metrics: &[Metric]) {
        self.under_way[reader as usize] = false;
        if metrics.iter().any(|it| it.value.is_err()) {
            self.cache = Cache::Cleared;
        }
    }

    /// What the read of a trigger means. KEDA `pkg/fallback/fallback.go`, `GetMetricsWithFallback` and `doFallback`: falls back
    /// when **more** than `failureThreshold` reads in a row have failed, and then reports as much as the wanted replicas would
    /// have.
    pub(crate) fn metric(
        &mut self,
        settings: &Settings,
        reader: Reader,
        trigger: usize,
        read: Read,
        replicas: u32,
    ) -> Metric {
        let plain = Metric {
            value: read.value.map(Some),
            fallback: false,
            active: read.active,
        };
        let Some(fallback) = settings.valid_fallback() else {
            return plain;
        };
        if !self.under_way[reader as usize] {
            self.begin(reader);
        }
        let failures = self.count(reader, trigger, read.value);
        if failures <= fallback.failure_threshold {
            return plain;
        }
        let wanted = match fallback.behavior {
            FallbackBehavior::Static => fallback.replicas,
            FallbackBehavior::CurrentReplicas => replicas,
            FallbackBehavior::CurrentReplicasIfHigher => replicas.max(fallback.replicas),
            FallbackBehavior::CurrentReplicasIfLower => replicas.min(fallback.replicas),
            FallbackBehavior::ScalingModifiers => {
                return Metric {
                    value: Ok(None),
                    ..plain
                };
            }
        };
        let value = match &settings.modifiers {
            Some(modifiers) => from_units(modifiers.target * f64::from(wanted)),
            None => settings.target(trigger).saturating_mul(wanted.into()),
        };
        Metric {
            value: Ok(Some(value)),
            fallback: true,
            active: plain.active,
        }
    }

    /// Failures in a row as the reader's copy has them after this read (KEDA `fallback.go`, `UpdateHealthStatus` and
    /// `IncrementFailure`): what changes in the copy is written, and the answer brings what others have written.
    fn count(&mut self, reader: Reader, trigger: usize, read: Result<i64, ScalerError>) -> u32 {
        let copy = match reader {
            Reader::Sync if !self.shared => &mut self.sync,
            Reader::Poll | Reader::Sync => &mut self.poll,
        };
        for counts in [&mut self.stored, &mut *copy] {
            if counts.len() <= trigger {
                counts.resize(trigger + 1, 0);
            }
        }
        let before = copy[trigger];
        let after = read.map_or_else(|_| before.saturating_add(1), |_| 0);
        if after != before {
            self.stored[trigger] = after;
            copy.clone_from(&self.stored);
        }
        after
    }
}
