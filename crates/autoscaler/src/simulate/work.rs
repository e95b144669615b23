//! How long a message is worked on.

use std::time::Duration;

/// How long replicas work on each message. The kinds are those of the consumer's `--work`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Always so long.
    Fixed(Duration),
    /// Any time between these two, equally likely.
    Uniform(Duration, Duration),
    /// Exponentially distributed with this mean: how long it has been worked on says nothing of how long it still takes.
    Exponential(Duration),
}

impl Work {
    /// The mean.
    pub fn mean(self) -> Duration {
        match self {
            Self::Fixed(work) | Self::Exponential(work) => work,
            Self::Uniform(least, most) => least + most.saturating_sub(least) / 2,
        }
    }

    /// The longest; `None`: there is none.
    pub fn longest(self) -> Option<Duration> {
        match self {
            Self::Fixed(work) => Some(work),
            Self::Uniform(_, most) => Some(most),
            Self::Exponential(_) => None,
        }
    }

    /// How long the `n`th message takes: no chance, but a sequence that fills the distribution evenly, whatever part of it is
    /// looked at (multiples of the golden ratio).
    pub fn nth(self, n: u32) -> Duration {
        const GOLDEN: f64 = 0.618_033_988_749_894_9;
        let part = ((f64::from(n) + 0.5) * GOLDEN).fract();
        match self {
            Self::Fixed(work) => work,
            Self::Uniform(least, most) => least + most.saturating_sub(least).mul_f64(part),
            Self::Exponential(mean) => mean.mul_f64(-(1.0 - part).ln()),
        }
    }

    /// The part of all messages, from 0 to 1, that is not done within this time.
    pub fn longer_than(self, time: Duration) -> f64 {
        let time = time.as_secs_f64();
        match self {
            Self::Fixed(work) => f64::from(u8::from(work.as_secs_f64() > time)),
            Self::Exponential(mean) => (-time / mean.as_secs_f64()).exp(),
            Self::Uniform(least, most) => {
                let (least, most) = (least.as_secs_f64(), most.as_secs_f64());
                if most > least {
                    ((most - time) / (most - least)).clamp(0.0, 1.0)
                } else {
                    f64::from(u8::from(most > time))
                }
            }
        }
    }
}
