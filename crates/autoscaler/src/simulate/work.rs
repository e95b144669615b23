//! Working times of messages.

use std::time::Duration;

/// The distribution of the working time of a message. The kinds are those of the consumer's `--work`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Always this long.
    Fixed(Duration),
    /// Any time between these two, equally likely.
    Uniform(Duration, Duration),
    /// Exponentially distributed with this mean: the elapsed time says nothing about the remaining time.
    Exponential(Duration),
}

impl Work {
    /// The mean working time.
    pub fn mean(self) -> Duration {
        match self {
            Self::Fixed(work) | Self::Exponential(work) => work,
            Self::Uniform(least, most) => least + most.saturating_sub(least) / 2,
        }
    }

    /// The longest working time; `None`: there is no limit.
    pub fn longest(self) -> Option<Duration> {
        match self {
            Self::Fixed(work) => Some(work),
            Self::Uniform(_, most) => Some(most),
            Self::Exponential(_) => None,
        }
    }

    /// The working time of the `n`th message: not random, but from a sequence whose every part fills the distribution evenly
    /// (multiples of the golden ratio).
    pub fn nth(self, n: u32) -> Duration {
        const GOLDEN: f64 = 0.618_033_988_749_894_9;
        let part = ((f64::from(n) + 0.5) * GOLDEN).fract();
        match self {
            Self::Fixed(work) => work,
            Self::Uniform(least, most) => least + most.saturating_sub(least).mul_f64(part),
            Self::Exponential(mean) => mean.mul_f64(-(1.0 - part).ln()),
        }
    }

    /// The share of all messages, from 0 to 1, that is not finished within this time.
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
