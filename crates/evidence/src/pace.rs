//! Pace: how many times faster than in production a scenario runs.
//!
//! Feature files use production time: a poll every 30 s, a notice of 30 s, 300 s of cooldown. A platform that must run them
//! within minutes divides every duration of a scenario by one number and multiplies every rate by it, including work, leases
//! and notices, so that all proportions stay the same. A cluster runs at pace 1.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How many times faster than in production a scenario runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pace(NonZeroU32);

impl Pace {
    /// The pace of a cluster: nothing is shortened.
    pub const PRODUCTION: Self = Self(NonZeroU32::MIN);

    /// Makes a pace; `None` for zero.
    pub const fn new(times: u32) -> Option<Self> {
        match NonZeroU32::new(times) {
            Some(times) => Some(Self(times)),
            None => None,
        }
    }

    /// The factor.
    pub const fn times(self) -> u32 {
        self.0.get()
    }

    /// Whether nothing is shortened.
    pub fn is_production(&self) -> bool {
        *self == Self::PRODUCTION
    }

    /// The duration, at this pace, of what takes `production` in production.
    pub fn time(self, production: Duration) -> Duration {
        production / self.times()
    }

    /// The rate, at this pace, of what has the rate `production` in production.
    pub fn rate(self, production: u64) -> u64 {
        production.saturating_mul(self.times().into())
    }

    /// The lease time, at this pace, of a lease of `production` in production: whole seconds, at least one, as the queue
    /// requires (Azure Queue Storage, Get Messages, `visibilitytimeout`).
    pub fn lease(self, production: Duration) -> Duration {
        whole_seconds(self.time(production))
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::PRODUCTION
    }
}

/// The text in reports: `pace 30: every duration divided by 30`.
impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = self.times();
        write!(f, "pace {times}: every duration divided by {times}")
    }
}

/// The paces of a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paces {
    /// The pace of scenarios in which scaling decides the number of consumers.
    pub scaling: Pace,
    /// The pace of scenarios with nodes, scaled or not.
    pub nodes: Pace,
}

impl Paces {
    /// The paces of a cluster.
    pub const PRODUCTION: Self = Self {
        scaling: Pace::PRODUCTION,
        nodes: Pace::PRODUCTION,
    };
}

/// Rounds up to whole seconds, at least one.
pub fn whole_seconds(time: Duration) -> Duration {
    let rest = u64::from(time.subsec_nanos() > 0);
    Duration::from_secs(time.as_secs().saturating_add(rest).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_divided_and_rates_multiplied() {
        let pace = Pace::new(30).unwrap();
        assert_eq!(
            pace.time(Duration::from_secs(15)),
            Duration::from_millis(500)
        );
        assert_eq!((pace.rate(2), pace.rate(u64::MAX)), (60, u64::MAX));
        assert_eq!(Pace::PRODUCTION.time(Duration::from_secs(15)).as_secs(), 15);
        assert_eq!(Pace::new(0), None);
    }

    #[test]
    fn a_lease_lasts_whole_seconds_and_at_least_one() {
        let lease = |pace, seconds| {
            let pace = Pace::new(pace).unwrap();
            pace.lease(Duration::from_secs(seconds)).as_secs()
        };
        assert_eq!(lease(30, 60), 2);
        assert_eq!(lease(25, 60), 3);
        assert_eq!(lease(100, 60), 1);
        assert_eq!(lease(1, 60), 60);
    }

    #[test]
    fn a_pace_is_said_in_words_and_written_as_a_number() {
        let pace = Pace::new(30).unwrap();
        assert_eq!(pace.to_string(), "pace 30: every duration divided by 30");
        assert_eq!(serde_json::to_string(&pace).unwrap(), "30");
        assert_eq!(serde_json::from_str::<Pace>("30").unwrap(), pace);
        assert!(serde_json::from_str::<Pace>("0").is_err());
    }
}
