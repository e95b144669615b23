//! The shapes of load, as text.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::rate::Rate;
use workflow::contract::letters::and_misleading;
use workflow::duration;

/// How messages arrive over time.
///
/// As text: `sample`, `constant:200/s`, `poisson:200/s`, `burst`, `burst:100/30s`, `ramp:10/s..200/s:60s`,
/// `trace:arrivals.csv`.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// The pace of the sample's producer: one message a second, and the next only after the last one was sent. The only shape that
    /// is not open loop.
    Sample,
    /// Evenly spaced.
    Constant(Rate),
    /// Poisson arrivals: exponential gaps with this mean rate, drawn from the run's seed.
    Poisson(Rate),
    /// All messages at once.
    Burst,
    /// `size` messages at once, and again every `every`.
    Bursts {
        /// Messages in one burst.
        size: u64,
        /// From the start of one burst to the start of the next.
        every: Duration,
    },
    /// A rate that changes linearly, then stays constant.
    Ramp {
        /// Rate at the start; may be 0.
        from: Rate,
        /// Rate at the end; may be 0.
        to: Rate,
        /// How long the change takes.
        over: Duration,
    },
    /// Arrival offsets from a CSV file; see [`crate::schedule::trace`].
    Trace(PathBuf),
}

/// Why a text is not a shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "shape {0:?} is not one of: sample, constant:<rate>, poisson:<rate>, burst, burst:<messages>/<duration>, \
     ramp:<rate>..<rate>:<duration>, trace:<file>; with rates such as 200/s or 30/m and durations such as 500ms or 60s{hint}",
    hint = and_misleading(.0)
)]
pub struct ParseShapeError(String);

impl FromStr for Shape {
    type Err = ParseShapeError;

    fn from_str(text: &str) -> Result<Self, ParseShapeError> {
        parse(text).ok_or_else(|| ParseShapeError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Shape> {
    let rate = |text: &str| text.parse::<Rate>().ok();
    let moving = |text: &str| rate(text).filter(|rate| rate.hz() > 0.0);
    let Some((name, rest)) = text.split_once(':') else {
        return match text {
            "sample" => Some(Shape::Sample),
            "burst" => Some(Shape::Burst),
            _ => None,
        };
    };
    match name {
        "constant" => moving(rest).map(Shape::Constant),
        "poisson" => moving(rest).map(Shape::Poisson),
        "burst" => {
            let (size, every) = rest.split_once('/')?;
            let size = size.parse().ok().filter(|size| *size > 0)?;
            let every = duration::parse_positive(every).ok()?;
            Some(Shape::Bursts { size, every })
        }
        "ramp" => {
            let (rates, over) = rest.rsplit_once(':')?;
            let (from, to) = rates.split_once("..")?;
            let (from, to) = (rate(from)?, rate(to)?);
            let over = duration::parse_positive(over).ok()?;
            (from.hz() + to.hz() > 0.0).then_some(Shape::Ramp { from, to, over })
        }
        "trace" if !rest.is_empty() => Some(Shape::Trace(rest.into())),
        _ => None,
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sample => f.write_str("sample"),
            Self::Constant(rate) => write!(f, "constant:{rate}"),
            Self::Poisson(rate) => write!(f, "poisson:{rate}"),
            Self::Burst => f.write_str("burst"),
            Self::Bursts { size, every } => write!(f, "burst:{size}/{}", duration::text(*every)),
            Self::Ramp { from, to, over } => {
                write!(f, "ramp:{from}..{to}:{}", duration::text(*over))
            }
            Self::Trace(path) => write!(f, "trace:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_parse_and_print() {
        for text in [
            "sample",
            "constant:200/s",
            "poisson:0.5/m",
            "burst",
            "burst:100/30s",
            "ramp:10/s..200/s:60s",
            "ramp:0/s..2.5/s:1500ms",
            "trace:dir/a:b.csv",
        ] {
            assert_eq!(text.parse::<Shape>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn nonsense_is_refused_and_the_error_lists_the_shapes() {
        for text in [
            "",
            "constant",
            "constant:200",
            "constant:0/s",
            "poisson:",
            "burst:0/1s",
            "burst:5",
            "burst:5/0s",
            "ramp:1/s:60s",
            "ramp:0/s..0/s:60s",
            "ramp:1/s..2/s",
            "trace:",
            "sine:1/s",
        ] {
            let error = text.parse::<Shape>().unwrap_err().to_string();
            assert!(error.contains("ramp:<rate>..<rate>:<duration>"), "{error}");
        }
    }
}
