//! Counts of consecutive failed reads, and the fallback that follows from them.
//!
//! KEDA keeps these counts in the status of the ScaledObject, but works on a copy that it took before the read: a poll writes
//! one more than the count at its begin, even if the HPA's read has written another count since. A read of an unavailable queue
//! takes up to 42 s, so the reads of both loops overlap, and two failures may count as one.

use crate::scaler::{Read, from_units};
use crate::{FallbackBehavior, ScalerError, Settings};

use super::Metric;

/// The loop that reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A poll of the operator.
    Poll,
    /// A sync of the HPA, which asks the operator.
    Sync,
}

/// Consecutive failed reads of each trigger, in every copy of the status.
#[derive(Debug, Clone, Default)]
pub(crate) struct Health {
    /// The API server's copy.
    stored: Vec<u32>,
    /// The poll's copy, read when a poll begins (KEDA 2.20 `pkg/scaling/scale_handler.go`, `checkScalers`).
    poll: Vec<u32>,
    /// The copy of the HPA's reads: that in the scalers' cache, unless it is the poll's (`GetScaledObjectMetrics`).
    sync: Vec<u32>,
    /// The copy that the scalers' cache uses: that of the read that made the cache. A failed read discards the cache
    /// (`performGetScalersCache`, `ClearScalersCache`).
    cache: Cache,
    /// Which reads are pending.
    under_way: [bool; 2],
    /// Whether the HPA's present or last read uses the poll's copy.
    shared: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Cache {
    /// A copy that no poll refreshes: that of the controller, which reads first (`controllers/keda/hpa.go`,
    /// `getScaledObjectMetricSpecs`), or that of the HPA's read.
    #[default]
    Apart,
    /// The poll's copy.
    OfPoll,
    /// There is no cache.
    Cleared,
}

impl Health {
    /// The state after a poll has made the scalers' cache, following an error that the counts no longer include.
    pub(crate) fn cached_by_poll() -> Self {
        Self {
            cache: Cache::OfPoll,
            ..Self::default()
        }
    }

    /// Begins a read. A read that ends at once may be left to [`Health::metric`].
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

    /// Ends the HPA's read because the API server has ended its request: the failure is recorded nowhere.
    pub(crate) fn cut(&mut self) {
        self.under_way[Reader::Sync as usize] = false;
        self.cache = Cache::Cleared;
    }

    /// Ends a read with these metrics: after a failure, the cache is discarded.
    pub(crate) fn end(&mut self, reader: Reader, metrics: &[Metric]) {
        self.under_way[reader as usize] = false;
        if metrics.iter().any(|it| it.value.is_err()) {
            self.cache = Cache::Cleared;
        }
    }

    /// The metric of a trigger after a read. KEDA `pkg/fallback/fallback.go`, `GetMetricsWithFallback` and `doFallback`: falls
    /// back when **more** than `failureThreshold` consecutive reads have failed, and then reports the value that the fallback's
    /// replicas would have.
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

    /// The number of consecutive failures in the reader's copy after this read (KEDA `fallback.go`, `UpdateHealthStatus` and
    /// `IncrementFailure`): changes in the copy are written, and the response brings the other reader's changes.
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
