//! Pace: how many times as fast as in production things happen where a scenario runs.
//!
//! Feature files are written in production time: a poll every 30 s, a notice of 30 s, 300 s of cooldown. A platform that has
//! to show all of it within minutes divides every duration of a scenario by one number and multiplies every rate by it, work,
//! leases and notices included, so that the course of things keeps its shape. A cluster runs at pace 1.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How many times as fast as in production things happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pace(NonZeroU32);

impl Pace {
    /// That of a cluster: nothing is shortened.
    pub const PRODUCTION: Self = Self(NonZeroU32::MIN);

    /// So many times as fast as in production; `None` for zero.
    pub const fn new(times: u32) -> Option<Self> {
        match NonZeroU32::new(times) {
            Some(times) => Some(Self(times)),
            None => None,
        }
    }

    /// How many times as fast.
    pub const fn times(self) -> u32 {
        self.0.get()
    }

    /// Whether nothing is shortened.
    pub fn is_production(&self) -> bool {
        *self == Self::PRODUCTION
    }

    /// How long something takes here that takes `production` in production.
    pub fn time(self, production: Duration) -> Duration {
        production / self.times()
    }

    /// How often in the same time something happens here that happens `production` times in production.
    pub fn rate(self, production: u64) -> u64 {
        production.saturating_mul(self.times().into())
    }

    /// How long a lease lasts here that lasts `production` in production: whole seconds, at least one, since the queue takes no
    /// others (Azure Queue Storage, Get Messages, `visibilitytimeout`).
    pub fn lease(self, production: Duration) -> Duration {
        whole_seconds(self.time(production))
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::PRODUCTION
    }
}

/// As reports state it: `pace 30: every duration divided by 30`.
impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = self.times();
        write!(f, "pace {times}: every duration divided by {times}")
    }
}

/// The paces of a platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paces {
    /// Of scenarios in which scaling decides how many consumers there are.
    pub scaling: Pace,
    /// Of scenarios in which consumers are on nodes, scaled or not.
    pub nodes: Pace,
}

impl Paces {
    /// Those of a cluster.
    pub const PRODUCTION: Self = Self {
        scaling: Pace::PRODUCTION,
        nodes: Pace::PRODUCTION,
    };
}

/// The next whole number of seconds, at least one.
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
