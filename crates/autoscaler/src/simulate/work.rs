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

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const KINDS: fn() -> [Work; 3] = || {
        [
            Work::Fixed(seconds(8)),
            Work::Uniform(seconds(4), seconds(20)),
            Work::Exponential(seconds(10)),
        ]
    };

    #[test]
    fn each_kind_has_its_mean_and_its_longest_time() {
        let [mean, longest] = [
            KINDS().map(|work| Some(work.mean())),
            KINDS().map(Work::longest),
        ];
        assert_eq!(mean, [8, 12, 10].map(|it| Some(seconds(it))));
        assert_eq!(longest, [Some(seconds(8)), Some(seconds(20)), None]);
    }

    #[test]
    fn the_share_that_takes_longer_is_that_of_the_distribution() {
        let shares = |time: u64| KINDS().map(|work| work.longer_than(seconds(time)));
        let expected = [
            (0, [1.0, 1.0, 1.0]),
            (5, [1.0, 0.9375, 0.606_530_659_7]),
            (8, [0.0, 0.75, 0.449_328_964_1]),
            (16, [0.0, 0.25, 0.201_896_518]),
            (30, [0.0, 0.0, 0.049_787_068_4]),
        ];
        for (time, expected) in expected {
            for (share, expected) in shares(time).into_iter().zip(expected) {
                assert!((share - expected).abs() < 1e-9, "{time}: {share}");
            }
        }
        let one = Work::Uniform(seconds(8), seconds(8));
        let shares = [7, 8, 9].map(|time| format!("{}", one.longer_than(seconds(time))));
        assert_eq!(shares, ["1", "0", "0"]);
    }

    /// The first two of the sequence: 0.5 and 1.5 times the golden ratio, without the whole.
    #[test]
    fn the_times_of_messages_follow_a_known_sequence() {
        let uniform = [0, 1].map(|n| Work::Uniform(seconds(0), seconds(1_000)).nth(n));
        assert_eq!(uniform.map(|it| it.as_secs()), [309, 927]);
        let exponential = [0, 1].map(|n| Work::Exponential(seconds(1_000)).nth(n));
        assert_eq!(exponential.map(|it| it.as_secs()), [369, 2_617]);
        assert_eq!(Work::Fixed(seconds(8)).nth(7), seconds(8));
    }
}
