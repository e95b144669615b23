//! The five fields of a schedule, as `robfig/cron` v3 reads them (`parser.go`, `Parse`, `getField`, `getRange`).

/// A field that names no value, `*` or `?`, which matters where days are given in two ways (`robfig/cron`, `spec.go`, `starBit`).
const STAR: u64 = 1 << 63;

/// What a field is, the numbers that it may have, and names of those from the first on (`robfig/cron`, `spec.go`, `bounds`).
struct Bounds {
    name: &'static str,
    least: u64,
    most: u64,
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &[
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const fn bounds(
    name: &'static str,
    least: u64,
    most: u64,
    names: &'static [&'static str],
) -> Bounds {
    Bounds {
        name,
        least,
        most,
        names,
    }
}

const FIELDS: [Bounds; 5] = [
    bounds("minutes", 0, 59, &[]),
    bounds("hours", 0, 23, &[]),
    bounds("days of a month", 1, 31, &[]),
    bounds("months", 1, 12, MONTHS),
    bounds(DAYS_OF_A_WEEK, 0, 6, WEEKDAYS),
];
const DAYS_OF_A_WEEK: &str = "days of a week";

const NOT_FIVE: &str = "must be five fields, such as 0 8 * * 1-5";
const UNREAD: &str =
    "must be five fields of numbers, such as 0 8 * * 1-5, with *, ranges, lists and steps";

/// The moments that a schedule has: a bit for each number of each field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fields {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
}

impl Fields {
    /// The fields that `text` has, or why KEDA refuses it: it takes no seconds, no `@daily`, no `L`, `W` or `#`, and Sunday is 0 (KEDA
    /// `cron_scaler.go`, `Validate`).
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let &[minutes, hours, days, months, weekdays] = &fields[..] else {
            return Err(NOT_FIVE.to_owned());
        };
        let known = |it: &char| it.is_ascii_alphanumeric() || "*?/,-+".contains(*it);
        let mut letters = text.chars().filter(|it| !it.is_whitespace());
        if let Some(sign) = letters.find(|it| !known(it)) {
            return Err(format!("KEDA knows no {sign}"));
        }
        let [of_minutes, of_hours, of_days, of_months, of_weekdays] = &FIELDS;
        Ok(Self {
            minutes: field(minutes, of_minutes)?,
            hours: field(hours, of_hours)?,
            days: field(days, of_days)?,
            months: field(months, of_months)?,
            weekdays: field(weekdays, of_weekdays)?,
        })
    }

    /// Whether it comes on a day; Sunday is 0 (`robfig/cron`, `spec.go`, `Next` and `dayMatches`).
    pub(super) fn matches_day(&self, month: i8, day: i8, weekday: i8) -> bool {
        let (of_month, of_week) = (has(self.days, day), has(self.weekdays, weekday));
        let is_star = (self.days | self.weekdays) & STAR != 0;
        let is_day = if is_star {
            of_month && of_week
        } else {
            of_month || of_week
        };
        has(self.months, month) && is_day
    }

    pub(super) fn hours(&self) -> impl Iterator<Item = i8> + use<> {
        let hours = self.hours;
        (0..24).filter(move |hour| has(hours, *hour))
    }

    pub(super) fn minutes(&self) -> impl Iterator<Item = i8> + use<> {
        let minutes = self.minutes;
        (0..60).filter(move |minute| has(minutes, *minute))
    }
}

fn has(field: u64, number: i8) -> bool {
    let bit = u32::try_from(number)
        .ok()
        .and_then(|it| 1_u64.checked_shl(it));
    bit.is_some_and(|bit| field & bit != 0)
}

/// `getField`: nothing between commas counts for nothing (`strings.FieldsFunc`).
fn field(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let mut parts = text.split(',').filter(|part| !part.is_empty());
    parts.try_fold(0, |all, part| Ok(all | range(part, bounds)?))
}

/// `getRange`: what follows `*-` counts for nothing, and `N/2` goes on to the last number.
fn range(text: &str, bounds: &Bounds) -> Result<u64, String> {
    let Bounds {
        name, least, most, ..
    } = *bounds;
    let (ends, step) = match text.split('/').collect::<Vec<_>>()[..] {
        [ends] => (ends, None),
        [ends, step] => (ends, Some(number(step, &[], 0)?)),
        _ => return Err(UNREAD.to_owned()),
    };
    let ends: Vec<&str> = ends.split('-').collect();
    let star = ["*", "?"].contains(&ends[0]);
    let read = |text| number(text, bounds.names, least);
    let (begin, end) = match ends[..] {
        _ if star => (least, most),
        [only] => {
            let begin = read(only)?;
            (begin, if step.is_some() { most } else { begin })
        }
        [begin, end] => (read(begin)?, read(end)?),
        _ => return Err(UNREAD.to_owned()),
    };
    if let Some(out) = [begin, end]
        .into_iter()
        .find(|it| !(least..=most).contains(it))
    {
        if name == DAYS_OF_A_WEEK && out == 7 {
            return Err("Sunday is 0 to KEDA, which knows no day 7".to_owned());
        }
        return Err(format!("{name} are {least} to {most}, and {out} is none"));
    }
    if begin > end {
        return Err(format!(
            "{begin}-{end} ends before it begins; write {begin}-{most},{least}-{end}"
        ));
    }
    let step = match step {
        Some(0) => return Err("a step, the number after /, must be 1 or more".to_owned()),
        step => step.unwrap_or(1),
    };
    let extra = if star && step == 1 { STAR } else { 0 };
    let numbers = (begin..=end).filter(|it| (it - begin) % step == 0);
    Ok(numbers.fold(extra, |all, number| all | 1 << number))
}

/// `parseIntOrName`, and `strconv.Atoi`, which takes a plus.
fn number(text: &str, names: &[&str], least: u64) -> Result<u64, String> {
    let mut known = names.iter().zip(least..);
    if let Some((_, number)) = known.find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        return Ok(number);
    }
    let refused = || {
        let digits = text.trim_end_matches(['l', 'L', 'w', 'W']);
        let is_special = digits != text && digits.bytes().all(|it| it.is_ascii_digit());
        if is_special {
            "KEDA knows no L and no W".to_owned()
        } else {
            UNREAD.to_owned()
        }
    };
    let number: i64 = text.parse().map_err(|_| refused())?;
    u64::try_from(number).map_err(|_| refused())
}
