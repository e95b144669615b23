//! The `cron` trigger: a number of replicas from each time of one schedule to the next time of another.
//!
//! The crate `croner` parses and matches patterns, and the crate `jiff` has the time zones, with a database that is compiled
//! in: nothing is read from the machine. This file has KEDA's own rules: KEDA asks `robfig/cron` for the next start and the
//! next end, and the trigger is active if the end comes first.

mod fields;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{Span, Timestamp};

use fields::Fields;

/// Years after which a schedule counts as never coming (`robfig/cron`, `spec.go`, `Next`).
const YEARS: i16 = 5;

/// A `cron` trigger.
#[derive(Debug, Clone)]
pub struct Cron(Arc<Schedules>);

#[derive(Debug)]
struct Schedules {
    start: Schedule,
    end: Schedule,
    zone: TimeZone,
    desired_replicas: u32,
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&self.0, &other.0);
        one.start.text == other.start.text
            && one.end.text == other.end.text
            && one.zone == other.zone
            && one.desired_replicas == other.desired_replicas
    }
}

/// Whether a trigger is active, and until when this holds; `None`: for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) active: bool,
    pub(crate) until: Option<Duration>,
}

impl Cron {
    /// Makes the trigger with these schedules; an error names the metadata key that KEDA refuses, and the reason.
    pub(crate) fn new(
        start: &str,
        end: &str,
        zone: &str,
        desired_replicas: u32,
    ) -> Result<Self, (&'static str, String)> {
        let schedule = |key, text| Schedule::new(text).map_err(|reason| (key, reason));
        Ok(Self(Arc::new(Schedules {
            start: schedule("start", start)?,
            end: schedule("end", end)?,
            zone: time_zone(zone).map_err(|reason| ("timezone", reason))?,
            desired_replicas,
        })))
    }

    /// The number of replicas while the trigger is active.
    pub fn desired_replicas(&self) -> u32 {
        self.0.desired_replicas
    }

    /// Whether the schedule matches no day of any year, such as the 31st of February.
    pub(crate) fn never_comes(schedule: &str) -> bool {
        // The years searched after 1970 include a leap year.
        let next = |it: Schedule| it.next(Duration::ZERO, &TimeZone::UTC);
        Schedule::new(schedule).is_ok_and(|it| next(it).is_none())
    }

    /// Whether the trigger is active at a time since 1970 in UTC (KEDA `pkg/scalers/cron_scaler.go`, `GetMetricsAndActivity`:
    /// the next end is not after the next start; the next time of a schedule that never comes is Go's zero time, which is
    /// before all others, so that a trigger whose start never comes is always active).
    pub(crate) fn window(&self, now: Duration) -> Window {
        let Schedules {
            start, end, zone, ..
        } = &*self.0;
        let (start, end) = (start.next(now, zone), end.next(now, zone));
        let active = match (start, end) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(start), Some(end)) => end <= start,
        };
        Window {
            active,
            until: [start, end].into_iter().flatten().min(),
        }
    }
}

/// The time zone that Go's `time.LoadLocation` loads. It accepts `UTC`; `Local` is the zone of the operator's container, which
/// is UTC.
fn time_zone(name: &str) -> Result<TimeZone, String> {
    if ["UTC", "Local"].contains(&name) {
        return Ok(TimeZone::UTC);
    }
    let found = TimeZoneDatabase::bundled().get(name).ok();
    let spelt = found.as_ref().and_then(TimeZone::iana_name);
    match (&found, spelt) {
        (Some(zone), Some(spelt)) if spelt == name => Ok(zone.clone()),
        (_, Some(spelt)) => Err(format!(
            "is {name:?}: names of zones are files to KEDA, write {spelt:?}"
        )),
        _ => Err(format!(
            "is {name:?}, must be the name of a zone such as Europe/Berlin, or UTC"
        )),
    }
}

/// A schedule of five fields, parsed as by `robfig/cron`.
#[derive(Debug)]
struct Schedule {
    text: String,
    /// The zone that is written before the fields; `None`: that of the trigger.
    zone: Option<TimeZone>,
    fields: Fields,
}

impl Schedule {
    fn new(text: &str) -> Result<Self, String> {
        let refused = |why: String| format!("is {text:?}: {why}");
        let (zone, fields) = zone_before(text).map_err(refused)?;
        Ok(Self {
            text: text.to_owned(),
            zone,
            fields: Fields::new(fields).map_err(refused)?,
        })
    }

    /// The first time after `now`: a minute of the zone's clock that the pattern matches. A minute that the clock skips never
    /// comes; a minute that the clock repeats comes twice (`robfig/cron`, `spec.go`, `Next`).
    fn next(&self, now: Duration, zone: &TimeZone) -> Option<Duration> {
        let zone = self.zone.as_ref().unwrap_or(zone);
        let now = i64::try_from(now.as_secs()).ok()?;
        let now = Timestamp::from_second(now).ok()?;
        let today = zone.to_datetime(now).date();
        let last = Date::new(today.year().checked_add(YEARS)?, 12, 31).ok()?;
        // Start with the day before, because the clock may repeat its last hour.
        let mut day = today.yesterday().ok()?;
        while day <= last {
            if self.matches_day(day)
                && let Some(at) = self.first_of(day, now, zone)
            {
                return Some(Duration::from_secs(u64::try_from(at.as_second()).ok()?));
            }
            day = day.checked_add(Span::new().days(1)).ok()?;
        }
        None
    }

    fn matches_day(&self, day: Date) -> bool {
        let weekday = day.weekday().to_sunday_zero_offset();
        self.fields.matches_day(day.month(), day.day(), weekday)
    }

    fn first_of(&self, day: Date, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut first: Option<Timestamp> = None;
        for hour in self.fields.hours() {
            for minute in self.fields.minutes() {
                let time = day.at(hour, minute, 0, 0);
                for at in moments(time, zone).into_iter().flatten() {
                    if at > now && first.is_none_or(|first| at < first) {
                        first = Some(at);
                    }
                }
                // Clock changes are at most three hours.
                let enough = |first: Timestamp| {
                    let later = zone.to_datetime(first).checked_add(Span::new().hours(3));
                    later.is_ok_and(|later| later < time)
                };
                if first.is_some_and(enough) {
                    return first;
                }
            }
        }
        first
    }
}

/// The zone that a schedule names before its fields, and the fields (`robfig/cron`, `parser.go`, `Parse`; `spec.go`, `Next`: `Local` is the
/// zone of the time that is asked about, and so the trigger's).
fn zone_before(text: &str) -> Result<(Option<TimeZone>, &str), String> {
    let mut prefixes = ["TZ=", "CRON_TZ="].into_iter();
    let Some(named) = prefixes.find_map(|prefix| text.strip_prefix(prefix)) else {
        return Ok((None, text));
    };
    // `Parse` panics where no space follows.
    let no_fields = "five fields must follow the zone, such as CRON_TZ=Asia/Tokyo 0 8 * * *";
    let (name, fields) = named.split_once(' ').ok_or(no_fields)?;
    Ok(match name {
        "Local" => (None, fields),
        // Go's `time.LoadLocation`: no name is UTC.
        "" => (Some(TimeZone::UTC), fields),
        name => {
            let zone = time_zone(name).map_err(|reason| format!("its zone {reason}"))?;
            (Some(zone), fields)
        }
    })
}

/// The moments at which a clock of the zone shows a time: one, none, or two.
fn moments(time: DateTime, zone: &TimeZone) -> [Option<Timestamp>; 2] {
    let ambiguous = zone.to_ambiguous_timestamp(time);
    let of = |offset: jiff::tz::Offset| offset.to_timestamp(time).ok();
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { offset } => [of(offset), None],
        AmbiguousOffset::Gap { .. } => [None, None],
        AmbiguousOffset::Fold { before, after } => [of(before), of(after)],
    }
}
