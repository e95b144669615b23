//! The `cron` trigger: a number of replicas from each time of one schedule to the next time of another.
//!
//! The crate `croner` parses and matches patterns, and the crate `jiff` has the time zones, with a database that is compiled
//! in: nothing is read from the machine. This file has KEDA's own rules: KEDA asks `robfig/cron` for the next start and the
//! next end, and the trigger is active if the end comes first.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use jiff::{Span, Timestamp};

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
    /// before all others).
    pub(crate) fn window(&self, now: Duration) -> Window {
        let Schedules {
            start, end, zone, ..
        } = &*self.0;
        let (start, end) = (start.next(now, zone), end.next(now, zone));
        let active = match (start, end) {
            (None, Some(_)) => true,
            (_, None) => false,
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
    cron: croner::Cron,
}

impl Schedule {
    /// KEDA `cron_scaler.go`, `Validate`; `robfig/cron`, `parser.go`, `Parse` and `getRange`: no seconds, no `@daily`, no `L`, `W`
    /// or `#`, and Sunday is 0.
    fn new(text: &str) -> Result<Self, String> {
        let refused = |why: &str| format!("is {text:?}: {why}");
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [.., day_of_week] = fields.as_slice() else {
            return Err(refused("must be five fields, such as 0 8 * * 1-5"));
        };
        if fields.len() != 5 {
            return Err(refused("must be five fields, such as 0 8 * * 1-5"));
        }
        let known = |it: char| it.is_ascii_alphanumeric() || "*?/,-".contains(it);
        if let Some(sign) = text.chars().find(|it| !known(*it) && !it.is_whitespace()) {
            return Err(refused(&format!("KEDA knows no {sign}")));
        }
        if day_of_week.contains('7') {
            return Err(refused("Sunday is 0 to KEDA, which knows no day 7"));
        }
        // A range from a number to the last day would include day 7.
        let from_day = |part: &str| {
            part.split_once('/')
                .is_some_and(|(from, _)| is_number(from))
        };
        if day_of_week.split(',').any(from_day) {
            return Err(refused(
                "write the days of the week one by one, such as 1,3,5",
            ));
        }
        // `getRange`: "step of range should be a positive number".
        let mut parts = fields.iter().flat_map(|field| field.split(','));
        let is_zero = |step: &str| !step.is_empty() && step.bytes().all(|byte| byte == b'0');
        if parts.any(|part| part.split_once('/').is_some_and(|(_, step)| is_zero(step))) {
            return Err(refused("a step, the number after /, must be 1 or more"));
        }
        if let Some(wrong) = out_of_range(&fields) {
            return Err(refused(&wrong));
        }
        let fields = fields.iter().map(|field| match *field {
            "?" | "*/1" | "?/1" => "*".to_owned(),
            field => field.replace('?', "*"),
        });
        let pattern = fields.collect::<Vec<_>>().join(" ");
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .sloppy_ranges(true)
            .build();
        let cron = parser.parse(&pattern);
        let unread =
            "must be five fields of numbers, such as 0 8 * * 1-5, with *, ranges, lists and steps";
        let cron = cron.map_err(|_| refused(unread))?;
        if pattern
            .split(' ')
            .any(|field| field.split(',').any(str::is_empty))
        {
            return Err(refused("a part between commas is empty"));
        }
        if cron.pattern.days.has_modifiers() || cron.pattern.days_of_week.has_modifiers() {
            return Err(refused("KEDA knows no L and no W"));
        }
        let text = text.to_owned();
        Ok(Self { text, cron })
    }

    /// The first time after `now`: a minute of the zone's clock that the pattern matches. A minute that the clock skips never
    /// comes; a minute that the clock repeats comes twice (`robfig/cron`, `spec.go`, `Next`).
    fn next(&self, now: Duration, zone: &TimeZone) -> Option<Duration> {
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
        let pattern = &self.cron.pattern;
        let month = u32::from(day.month().unsigned_abs());
        let of_month = u32::from(day.day().unsigned_abs());
        let weekday = weekday(day);
        pattern.month_match(month).unwrap_or(false)
            && pattern
                .day_match(day.year().into(), month, of_month, weekday)
                .unwrap_or(false)
    }

    fn first_of(&self, day: Date, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let pattern = &self.cron.pattern;
        let mut first: Option<Timestamp> = None;
        for hour in pattern.hours.values() {
            for minute in pattern.minutes.values() {
                let time = day.at(small(hour), small(minute), 0, 0);
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

/// The names of the five fields, and the range of each (`robfig/cron`, `spec.go`, `bounds`).
const FIELDS: [(&str, u32, u32); 5] = [
    ("minutes", 0, 59),
    ("hours", 0, 23),
    ("days of a month", 1, 31),
    ("months", 1, 12),
    ("days of a week", 0, 6),
];

/// The first number that is out of its field's range, or the first range that ends before it begins (`robfig/cron`,
/// `parser.go`, `getRange`).
fn out_of_range(fields: &[&str]) -> Option<String> {
    for (field, (name, least, most)) in fields.iter().zip(FIELDS) {
        for part in field.split(',') {
            let (range, _) = part.split_once('/').unwrap_or((part, ""));
            let ends: Vec<u64> = range.split('-').filter_map(|it| it.parse().ok()).collect();
            let is_out = |end: &&u64| !(u64::from(least)..=u64::from(most)).contains(*end);
            if let Some(end) = ends.iter().find(is_out) {
                return Some(format!("{name} are {least} to {most}, and {end} is none"));
            }
            if let [begin, end] = ends[..]
                && begin > end
            {
                let told = format!(
                    "{begin}-{end} ends before it begins; write {begin}-{most},{least}-{end}"
                );
                return Some(told);
            }
        }
    }
    None
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn small(value: u16) -> i8 {
    i8::try_from(value).unwrap_or(i8::MAX)
}

fn weekday(day: Date) -> croner::time::Weekday {
    use croner::time::Weekday as Day;
    match day.weekday().to_sunday_zero_offset() {
        0 => Day::Sunday,
        1 => Day::Monday,
        2 => Day::Tuesday,
        3 => Day::Wednesday,
        4 => Day::Thursday,
        5 => Day::Friday,
        _ => Day::Saturday,
    }
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
