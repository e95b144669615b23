//! The due time of each message: exact offsets from the start of the run, without a clock.

pub mod trace;

use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand_distr::{Distribution as _, Exp};

use crate::shape::Shape;
use trace::TraceError;

/// Separates the arrival times from other random numbers of the run's seed.
const ARRIVALS: u64 = 0x6172_7269_7661_6c73;

/// Why there is no schedule.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// A burst has no end of its own.
    #[error("plan the load: --shape burst sends all messages at once and needs --messages")]
    BurstWithoutMessages,
    /// The sample's pace is a loop, not a schedule.
    #[error("plan the load: the sample's pace has no schedule")]
    ClosedLoop,
    /// The sample's pace is one loop, which cannot be cut into slices.
    #[error("plan the load: the sample's pace is one loop, and has no slices; choose a --shape")]
    ClosedLoopInSlices,
    /// Nothing would be sent.
    #[error("plan the load: no message is due within --duration, or in this --slice")]
    Nothing,
    /// The trace cannot be used.
    #[error(transparent)]
    Trace(#[from] TraceError),
}

/// The offsets at which messages are due, ascending; an iterator. Message `seq` is due at the `seq`th offset.
///
/// Each offset of a regular shape is calculated from its index, never from the offset before, so errors do not add up: exact to the
/// nanosecond for a hundred days.
#[derive(Debug)]
pub struct Schedule {
    arrivals: Arrivals,
    next: u64,
    total: Option<u64>,
    until: Option<Duration>,
}

#[derive(Debug)]
enum Arrivals {
    /// A rate from `from` to `to` (per second) over `over` seconds, then `to`. A constant rate is a ramp from the rate to itself.
    Ramp {
        from: f64,
        to: f64,
        over: f64,
    },
    Bursts {
        size: u64,
        every: Duration,
    },
    Random {
        gaps: Exp<f64>,
        at: f64,
        random: Box<StdRng>,
    },
    Recorded(Vec<Duration>),
}

impl Shape {
    /// The number of arrivals in its trace; `None` for other shapes, and for a trace that cannot be read, which
    /// [`crate::Plan::check`] refuses with the reason.
    pub fn arrivals(&self) -> Option<u64> {
        let Self::Trace(_) = self else { return None };
        Schedule::new(self, 0, None, None).ok()?.planned()
    }
}

impl Schedule {
    /// The schedule of `shape`, which ends with `messages` or `duration`, whichever comes first (an offset equal to `duration` is
    /// not due any more). Reads the trace, if the shape is one. A ramp without either ends when its last rate is reached.
    pub fn new(
        shape: &Shape,
        seed: u64,
        messages: Option<u64>,
        duration: Option<Duration>,
    ) -> Result<Self, ScheduleError> {
        let mut until = duration;
        let arrivals = match shape {
            Shape::Sample => return Err(ScheduleError::ClosedLoop),
            Shape::Constant(rate) => Arrivals::Ramp {
                from: rate.hz(),
                to: rate.hz(),
                over: 1.0,
            },
            Shape::Poisson(rate) => Arrivals::Random {
                gaps: Exp::new(rate.hz()).expect("a parsed rate must be positive"),
                at: 0.0,
                random: Box::new(StdRng::seed_from_u64(seed ^ ARRIVALS)),
            },
            Shape::Burst => Arrivals::Bursts {
                size: messages.ok_or(ScheduleError::BurstWithoutMessages)?,
                every: Duration::MAX,
            },
            Shape::Bursts { size, every } => Arrivals::Bursts {
                size: *size,
                every: *every,
            },
            Shape::Ramp { from, to, over } => {
                if messages.is_none() {
                    until = until.or(Some(*over));
                }
                Arrivals::Ramp {
                    from: from.hz(),
                    to: to.hz(),
                    over: over.as_secs_f64(),
                }
            }
            Shape::Trace(path) => Arrivals::Recorded(trace::read(path)?),
        };
        let total = [messages, arrivals.ends(), arrivals.within(until)]
            .into_iter()
            .flatten()
            .min();
        if total == Some(0) {
            return Err(ScheduleError::Nothing);
        }
        Ok(Self {
            arrivals,
            next: 0,
            total,
            until,
        })
    }

    /// The number of messages; `None` if the schedule has no end, or if the number follows only from drawing the arrivals.
    pub fn planned(&self) -> Option<u64> {
        match self.arrivals {
            Arrivals::Random { .. } if self.until.is_some() => None,
            _ => self.total,
        }
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        if self.total.is_some_and(|total| self.next >= total) {
            return None;
        }
        let offset = self.arrivals.offset(self.next)?;
        if self.until.is_some_and(|until| offset >= until) {
            return None;
        }
        self.next += 1;
        Some(offset)
    }
}

impl Arrivals {
    /// The offset of arrival `index`, from 0. `Random` ignores the index, so indices must be requested in order.
    fn offset(&mut self, index: u64) -> Option<Duration> {
        match self {
            Self::Ramp { from, to, over } => seconds(ramp_offset(index as f64, *from, *to, *over)),
            Self::Bursts { size, every } => {
                let burst = u32::try_from(index / *size).ok()?;
                if burst == 0 {
                    Some(Duration::ZERO)
                } else {
                    every.checked_mul(burst)
                }
            }
            Self::Random { gaps, at, random } => {
                *at += gaps.sample(random);
                seconds(*at)
            }
            Self::Recorded(offsets) => offsets.get(usize::try_from(index).ok()?).copied(),
        }
    }

    /// The number of all arrivals, if the shape itself has an end.
    fn ends(&self) -> Option<u64> {
        match self {
            Self::Ramp { from, to, over } if *to == 0.0 => Some(whole((from / 2.0 * over).ceil())),
            Self::Recorded(offsets) => Some(offsets.len() as u64),
            _ => None,
        }
    }

    /// The number of arrivals before `until`.
    fn within(&self, until: Option<Duration>) -> Option<u64> {
        let until = until?;
        match self {
            // May be one too many by rounding. The iterator compares each offset with `until`, so this does not matter there, but
            // it would in `planned`.
            Self::Ramp { from, to, over } => {
                let near = whole(ramp_count(until.as_secs_f64(), *from, *to, *over).ceil());
                let due = |index: u64| {
                    seconds(ramp_offset(index as f64, *from, *to, *over))
                        .is_some_and(|at| at < until)
                };
                (near.saturating_sub(2)..near + 3).find(|index| !due(*index))
            }
            Self::Bursts { size, every } => {
                let bursts = until.as_nanos().div_ceil(every.as_nanos());
                Some(u64::try_from(bursts).ok()?.saturating_mul(*size))
            }
            Self::Recorded(offsets) => Some(offsets.partition_point(|at| *at < until) as u64),
            Self::Random { .. } => None,
        }
    }
}

/// The integral of the rate up to `at` seconds: how many messages are due by then.
fn ramp_count(at: f64, from: f64, to: f64, over: f64) -> f64 {
    let ramped = at.min(over);
    from * ramped + (to - from) * ramped * ramped / (2.0 * over) + to * (at - ramped)
}

/// Inverse of [`ramp_count`]: when message `index` is due.
fn ramp_offset(index: f64, from: f64, to: f64, over: f64) -> f64 {
    let ramped = f64::midpoint(from, to) * over;
    if index >= ramped {
        return over + (index - ramped) / to;
    }
    if index == 0.0 {
        return 0.0;
    }
    // Solves a*t^2 + from*t = index in the form that loses no digits when `a` is small or negative.
    let a = (to - from) / (2.0 * over);
    2.0 * index / (from + (from * from + 4.0 * a * index).max(0.0).sqrt())
}

fn seconds(offset: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(offset).ok()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count, rounded by the caller; the cast saturates"
)]
fn whole(count: f64) -> u64 {
    count as u64
}

#[cfg(test)]
mod tests;
