//! The producer's load shapes as arrivals of the model.

#[cfg(test)]
mod tests;

use std::time::Duration;

use autoscaler::{Arrivals, Rates};
use producer::Shape;
use producer::schedule::{Schedule, ScheduleError};
use workflow::duration;

use super::SimulateArgs;
use super::subject::{Scaled, Subject};

/// Added to each rate, per message per second: Jobs take whole messages, and a sum slightly below an integer would leave out
/// the last message.
const ROUNDING: f64 = 1e-12;
/// Steps of a ramp: each has the constant rate of its middle.
const STEPS: u32 = 200;
/// Most bursts in one load.
const MOST_BURSTS: usize = 1_000_000;
/// Most messages that are drawn individually.
const MOST_DRAWN: u64 = 10_000_000;
/// Most messages that Jobs take individually.
const MOST_SINGLE: f64 = 1_000_000.0;
/// Individually drawn messages are counted in periods of this length: shorter than any loop's period.
const BIN: Duration = Duration::from_secs(1);

/// Reason why there is no load.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The producer would refuse it too.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// It has too many bursts or random messages.
    #[error(
        "plan the load: it has more than {MOST_BURSTS} bursts or {MOST_DRAWN} random messages until the horizon; shorten \
         --horizon, or give a constant rate"
    )]
    TooMany,
    /// A trace that begins too late.
    #[error(
        "plan the load: nothing would be sent within the {} s that are simulated, since the first offset of the trace is {} s; offsets are \
         seconds after the begin of the load, so subtract the first one from all of them (a spreadsheet's dates are days: multiply by \
         86,400, too), or give a longer --horizon",
        until.as_secs_f64(),
        first.as_secs_f64()
    )]
    NothingYet {
        /// Its first offset.
        first: Duration,
        /// How much of it is simulated.
        until: Duration,
    },
    /// It has too many messages for Jobs.
    #[error(
        "plan the load: jobs take single messages, and it has more than {MOST_SINGLE} until the horizon; shorten --horizon, or \
         give a lower rate"
    )]
    TooManySingle,
}

/// The arrivals that the flags describe, up to the horizon.
pub(super) fn arrivals(args: &SimulateArgs) -> Result<Arrivals, LoadError> {
    let until = args.repeat.unwrap_or(args.horizon).min(args.horizon);
    let limit = Limit {
        messages: args.messages,
        until: args.duration,
    };
    // Whether messages also arrive after the horizon.
    let mut goes_on = false;
    let rates = match &args.shape {
        Shape::Sample => limit.cut(&[steady(1.0)]),
        Shape::Constant(rate) => limit.cut(&[steady(rate.hz())]),
        Shape::Ramp { from, to, over } => {
            let after = if limit.ends() { to.hz() } else { 0.0 };
            limit.cut(&ramp(from.hz(), to.hz(), *over, after))
        }
        Shape::Burst => {
            let messages = args.messages.ok_or(ScheduleError::BurstWithoutMessages)?;
            vec![burst(Duration::ZERO, messages)]
        }
        Shape::Bursts { size, every } => {
            let (rates, more) = bursts(*size, *every, limit, until)?;
            goes_on = more;
            rates
        }
        Shape::Poisson(_) | Shape::Trace(_) => {
            let messages = args.messages.map(u64::from);
            let schedule = Schedule::new(&args.shape, args.seed, messages, args.duration)?;
            let mut schedule = schedule.into_iter().peekable();
            if let (Shape::Trace(_), Some(&first)) = (&args.shape, schedule.peek())
                && first >= until
            {
                return Err(LoadError::NothingYet { first, until });
            }
            let rates = counted(std::iter::from_fn(|| schedule.next_if(|at| *at < until)))?;
            goes_on = schedule.peek().is_some();
            rates
        }
    };
    let arrivals = Arrivals::new(rates);
    Ok(match args.repeat {
        Some(period) => arrivals.every(period),
        // The last message before the horizon is not the load's last.
        None if goes_on => arrivals.every(until.saturating_add(BIN)),
        None => arrivals,
    })
}

/// Limits the messages for Jobs, which take them individually, to a number that can be simulated.
pub(super) fn single(
    args: &SimulateArgs,
    arrivals: &Arrivals,
    subjects: &[Subject],
) -> Result<(), LoadError> {
    let jobs = subjects
        .iter()
        .any(|it| matches!(it.settings, Scaled::Job(_)));
    if jobs && arrivals.count(args.horizon) > MOST_SINGLE {
        return Err(LoadError::TooManySingle);
    }
    Ok(())
}

/// Why each run keeps its phases: the load repeats, each time at the same place in the period of one of the loops.
pub(super) fn one_phase(args: &SimulateArgs, subjects: &[Subject]) -> Option<String> {
    let period = match (args.repeat, &args.shape) {
        (Some(period), _) => period,
        (None, Shape::Bursts { every, .. }) => *every,
        _ => return None,
    };
    if period >= args.horizon {
        return None;
    }
    let whole = |loops: Duration| !loops.is_zero() && period.as_nanos() % loops.as_nanos() == 0;
    let mut loops = subjects.iter().flat_map(|subject| subject.settings.loops());
    let (name, every) = loops.find(|(_, every)| whole(*every))?;
    Some(format!(
        "The load comes again every {}, a multiple of the {} between two {name}, so that each run stays in the phase in which it \
         begins: figures are medians of all runs, the plots are those of one of them.",
        duration::text(period),
        duration::text(every)
    ))
}

/// A description of the load.
pub(super) fn text(args: &SimulateArgs) -> String {
    let messages = args
        .messages
        .map(|messages| format!("{messages} messages at most"));
    let time = args
        .duration
        .map(|time| format!("for {} at most", duration::text(time)));
    let again = args
        .repeat
        .map(|period| format!("again every {}", duration::text(period)));
    let parts = [Some(args.shape.to_string()), messages, time, again];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    parts.join(", ")
}

fn steady(per_second: f64) -> Rates {
    Rates {
        at: Duration::ZERO,
        burst: 0,
        per_second: per_second * (1.0 + ROUNDING),
    }
}

fn burst(at: Duration, burst: u32) -> Rates {
    Rates {
        at,
        burst,
        per_second: 0.0,
    }
}

fn ramp(from: f64, to: f64, over: Duration, after: f64) -> Vec<Rates> {
    let step = over / STEPS;
    // Steps are whole nanoseconds, each too short by less than one.
    let cut_off = f64::from(STEPS) * 1e-9 / over.as_secs_f64();
    let rates = (0..STEPS).map(|n| Rates {
        at: step * n,
        burst: 0,
        per_second: (from + (to - from) * (f64::from(n) + 0.5) / f64::from(STEPS))
            * (1.0 + cut_off + ROUNDING),
    });
    let end = Rates {
        at: over,
        burst: 0,
        per_second: after,
    };
    rates.chain([end]).collect()
}

/// The bursts up to a time, and whether there are more.
fn bursts(
    size: u64,
    every: Duration,
    limit: Limit,
    until: Duration,
) -> Result<(Vec<Rates>, bool), LoadError> {
    let end = limit.until.unwrap_or(Duration::MAX);
    let until = end.min(until);
    let mut left = limit.messages.map_or(u64::MAX, u64::from);
    let mut rates = Vec::new();
    let mut at = Duration::ZERO;
    while left > 0 && at < until {
        let count = u32::try_from(size.min(left)).map_err(|_| LoadError::TooMany)?;
        rates.push(burst(at, count));
        if rates.len() > MOST_BURSTS {
            return Err(LoadError::TooMany);
        }
        left -= u64::from(count);
        at = at.saturating_add(every);
    }
    Ok((rates, left > 0 && at < end))
}

/// Individual messages, as bursts of those in the same [`BIN`].
fn counted(offsets: impl Iterator<Item = Duration>) -> Result<Vec<Rates>, LoadError> {
    let mut rates: Vec<Rates> = Vec::new();
    let mut messages = 0;
    for at in offsets {
        messages += 1;
        if messages > MOST_DRAWN {
            return Err(LoadError::TooMany);
        }
        let bin = Duration::from_secs(at.as_secs() / BIN.as_secs() * BIN.as_secs());
        match rates.last_mut() {
            Some(last) if last.at == bin => last.burst = last.burst.saturating_add(1),
            _ => rates.push(burst(bin, 1)),
        }
    }
    Ok(rates)
}

/// A limit that ends a load early.
#[derive(Clone, Copy)]
struct Limit {
    messages: Option<u32>,
    until: Option<Duration>,
}

impl Limit {
    /// Whether there is a limit.
    fn ends(self) -> bool {
        self.messages.is_some() || self.until.is_some()
    }

    /// Rates without bursts, ended by the first limit.
    fn cut(self, rates: &[Rates]) -> Vec<Rates> {
        let mut left = self.messages.map_or(f64::INFINITY, f64::from);
        let until = self.until.unwrap_or(Duration::MAX);
        let mut kept = Vec::with_capacity(rates.len() + 1);
        let ends = rates.iter().skip(1).map(|next| next.at);
        let ends: Vec<_> = ends.chain([Duration::MAX]).collect();
        for (rates, end) in rates.iter().zip(ends) {
            if rates.at >= until {
                break;
            }
            kept.push(*rates);
            let end = end.min(until);
            // One nanosecond more, so that the last message is complete.
            let lasts = Duration::try_from_secs_f64(left / rates.per_second);
            let lasts = lasts.map(|it| it.saturating_add(Duration::from_nanos(1)));
            let spent = lasts.map_or(Duration::MAX, |lasts| rates.at.saturating_add(lasts));
            if spent <= end && spent < Duration::MAX {
                kept.push(burst(spent, 0));
                return kept;
            }
            left -= rates.per_second * end.saturating_sub(rates.at).as_secs_f64();
        }
        if until < Duration::MAX {
            kept.push(burst(until, 0));
        }
        kept
    }
}
