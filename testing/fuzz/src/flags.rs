//! The texts of flags, which files contain too: a summary has a shape and a payload size, a feature has times.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use consumer::{Listen, Work};
use harness::load::LatencyLimitArg;
use judge::measure::{Hop, Percentile};
use producer::rate::Rate;
use producer::schedule::Schedule;
use producer::{Duplicates, Shape};
use workflow::contract::PayloadSize;
use workflow::{duration, number};

use crate::text;

/// How many arrivals of a schedule are checked.
const ARRIVALS: usize = 100;

/// Any value of a flag. The text of an accepted value must be accepted as the same value, since the command that repeats a run is
/// made of such texts.
pub(crate) fn flags(input: &[u8]) {
    let Some(text) = text(input) else { return };
    survives::<PayloadSize>(text);
    survives::<Rate>(text);
    survives::<Shape>(text);
    survives::<LatencyLimitArg>(text);
    survives::<Percentile>(text);
    survives::<Work>(text);
    survives::<Listen>(text);
    drop((text.parse::<Hop>(), number::parse(text)));
    if let Ok(time) = duration::parse(text) {
        assert_eq!(duration::parse(&duration::text(time)), Ok(time));
    }
    drop(duration::parse_visibility(text));
    if let Ok(fraction) = number::parse_fraction(text) {
        assert!((0.0..=1.0).contains(&fraction));
        assert!(Duplicates::new(1, fraction).is_some() || fraction == 0.0);
    }
    if let Ok(shape) = text.parse::<Shape>() {
        schedule(&shape);
    }
}

fn survives<T: FromStr<Err: Display> + Display + Debug + PartialEq>(text: &str) {
    match text.parse::<T>() {
        Ok(read) => {
            let written = read.to_string();
            let again = written.parse::<T>().map_err(|error| error.to_string());
            assert_eq!(again, Ok(read), "{text:?} is written as {written:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// The arrivals of any shape are in order, and no more than were planned.
fn schedule(shape: &Shape) {
    // A trace is a file, for which there is another target.
    if matches!(shape, Shape::Trace(_)) {
        return;
    }
    for (messages, until) in [(Some(50), None), (None, Some(60)), (None, None)] {
        let until = until.map(std::time::Duration::from_secs);
        let Ok(schedule) = Schedule::new(shape, 1, messages, until) else {
            continue;
        };
        let planned = schedule.planned();
        let arrivals: Vec<_> = schedule.take(ARRIVALS).collect();
        assert!(arrivals.is_sorted(), "{shape}");
        assert!(
            planned.is_none_or(|planned| arrivals.len() as u64 <= planned),
            "{shape}: more than the {planned:?} planned"
        );
    }
}
