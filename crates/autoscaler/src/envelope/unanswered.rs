//! Reactions of a cluster to a read without an answer.
//!
//! A failing read of KEDA's `azure-queue` scaler takes long: two rounds of four tries. KEDA asks a second time with a new
//! client (KEDA 2.20 `pkg/scaling/cache/scalers_cache.go`, `GetMetricsAndActivityForScaler`), and each client has the retries
//! of the Azure SDK for Go (`sdk/azcore/runtime/policy_retry.go`, `setDefaults` and `calcDelay`), since KEDA sets none
//! (`pkg/scalers/azure/azure_storage.go`, `GetStorageQueueClient`). If connections are refused, a try takes no time. If there
//! is no answer at all, it takes the timeout of KEDA's client: 3 s, or the value of `KEDA_HTTP_DEFAULT_TIMEOUT`
//! (`cmd/operator/main.go`). So a read takes 18 s or 42 s, and ends with the first try that is answered. An HPA does not wait
//! longer than a minute for a read: then the API server ends its request (Kubernetes
//! `staging/src/k8s.io/apiserver/pkg/server/config.go`, `RequestTimeout`).

use std::time::Duration;

use super::Load;
use super::runs::{Late, draw, mix, share};
use crate::keda::Reader;

/// Rounds of tries: with the first client, and with a new one.
const ROUNDS: u32 = 2;
/// Pauses before the second, third and fourth try of a round, each multiplied by 0.8 to 1.3.
const BETWEEN: [Duration; 3] = [
    Duration::from_millis(800),
    Duration::from_millis(2_400),
    Duration::from_millis(5_600),
];
/// Time limit of the API server for a request of the HPA.
const REQUEST: Duration = Duration::from_secs(60);

/// Reaction to a read that gets no answer at once ([`Load::silent_until`]). With random lateness it is random too, and differs
/// for each of these.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unanswered {
    /// The read is given up at once, and its loop continues.
    Fails,
    /// The read is given up just before there would be an answer.
    FailsLast,
    /// The read waits for the answer.
    Waits,
    /// The read is retried as KEDA does.
    Tried {
        /// Duration of a try in seconds: 0 if connections are refused.
        timeout: u32,
        /// Whether the first of these reads uses scalers that a poll has made; see [`crate::keda::Health`].
        cached_by_poll: bool,
    },
}

/// The end of a read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) at: Duration,
    /// Whether the read fails, even if the queue would answer at that time.
    pub(super) failed: bool,
    /// Whether the API server ended the read, which KEDA's status does not record.
    pub(super) cut: bool,
}

impl Unanswered {
    /// Timeouts of 6 and 15 s are common settings of users whose reads failed with 3 s.
    pub(super) const ALL: [Self; 11] = [
        Self::Fails,
        Self::FailsLast,
        Self::Waits,
        Self::tried(0, false),
        Self::tried(0, true),
        Self::tried(3, false),
        Self::tried(3, true),
        Self::tried(6, false),
        Self::tried(6, true),
        Self::tried(15, false),
        Self::tried(15, true),
    ];

    const fn tried(timeout: u32, cached_by_poll: bool) -> Self {
        Self::Tried {
            timeout,
            cached_by_poll,
        }
    }

    pub(super) fn cached_by_poll(self) -> bool {
        matches!(
            self,
            Self::Tried {
                cached_by_poll: true,
                ..
            }
        )
    }

    /// A number for the seed of random lateness.
    fn number(self) -> u64 {
        match self {
            Self::Fails => 0,
            Self::FailsLast => 1,
            Self::Waits => 2,
            Self::Tried { timeout, .. } => 3 + u64::from(timeout),
        }
    }

    /// The end of a read that begins at `now`, if the queue gives no answer before `until`.
    pub(super) fn ended(
        self,
        late: Late,
        reader: Reader,
        now: Duration,
        until: Duration,
        load: &impl Load,
    ) -> Ended {
        let seed = |seed: u64| mix(seed ^ self.number() << 32) << 1 | reader as u64;
        if let Self::Tried { timeout, .. } = self {
            let timeout = Duration::from_secs(timeout.into());
            let seed = match late {
                Late::Always(..) => None,
                Late::Random(number) => Some(seed(number)),
            };
            return bounded(reader, now, tried(now, timeout, seed, load));
        }
        let left = until.saturating_sub(now);
        let given_up = left.saturating_sub(Duration::from_millis(1));
        let takes = match (late, self) {
            (Late::Random(number), _) => {
                let bits = draw(seed(number), now);
                if bits & 1 == 0 {
                    left
                } else {
                    given_up.mul_f64(share(bits))
                }
            }
            (_, Self::Fails) => Duration::ZERO,
            (_, Self::FailsLast) => given_up,
            _ => left,
        };
        Ended {
            at: now.saturating_add(takes),
            failed: false,
            cut: false,
        }
    }
}

/// The end of a read that begins at `now`, try by try. The pauses have their average length, or a random one.
fn tried(now: Duration, timeout: Duration, seed: Option<u64>, load: &impl Load) -> Ended {
    let mut at = now;
    let ended = |at, failed| Ended {
        at,
        failed,
        cut: false,
    };
    for _ in 0..ROUNDS {
        for wait in BETWEEN.map(Some).into_iter().chain([None]) {
            if load.silent_until(at).is_none() {
                return ended(at, false);
            }
            at = at.saturating_add(timeout);
            if let Some(wait) = wait {
                let jitter = seed.map_or(1.05, |seed| 0.8 + share(draw(seed, at)) / 2.0);
                at = at.saturating_add(wait.mul_f64(jitter));
            }
        }
    }
    ended(at, true)
}

/// Applies the API server's time limit to reads of the HPA.
fn bounded(reader: Reader, now: Duration, ended: Ended) -> Ended {
    let latest = now.saturating_add(REQUEST);
    if reader == Reader::Poll || ended.at <= latest {
        return ended;
    }
    Ended {
        at: latest,
        failed: true,
        cut: true,
    }
}
