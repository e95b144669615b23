//! Numbers and times of day that are nearly read: with a character that no number has, or on a day that does not exist.

use super::moment;

/// The advice on `text` that is a number but for characters that separate thousands, or stand for a sign or a digit.
pub(super) fn strange(text: &str) -> Option<String> {
    let letter = text
        .chars()
        .find(|c| !(c.is_ascii_digit() || "+-.eE".contains(*c)))?;
    let name = name(letter)?;
    let written: String = text.chars().filter_map(written).collect();
    let shown = if letter.is_whitespace() {
        format!("U+{:04X} ({name})", u32::from(letter))
    } else {
        format!("{letter} (U+{:04X}, {name})", u32::from(letter))
    };
    let instead = if letter.is_numeric() {
        "it with 0 to 9".to_owned()
    } else {
        let number: f64 = written.parse().ok()?;
        number.to_string()
    };
    Some(format!(
        "; it has {shown}, which no number has here; write {instead}"
    ))
}

/// What `letter` is, if it is one that numbers elsewhere have.
fn name(letter: char) -> Option<&'static str> {
    Some(match letter {
        '\'' | '\u{2019}' => "an apostrophe",
        ' ' => "a space",
        '_' => "a low line",
        '\u{a0}' => "a no-break space",
        '\u{202f}' => "a narrow no-break space",
        '\u{2009}' => "a thin space",
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}' => {
            "a minus sign of another kind"
        }
        letter if letter.is_numeric() && !letter.is_ascii() => "a digit of another script",
        _ => return None,
    })
}

/// `letter` as a number has it; `None` if it only separates thousands.
fn written(letter: char) -> Option<char> {
    match name(letter) {
        None => Some(letter),
        Some("a minus sign of another kind") => Some('-'),
        Some(_) => None,
    }
}

/// The advice on a time of day in the form that is read, if the calendar or the clock has no such moment.
pub(super) fn no_moment(text: &str) -> Option<String> {
    let (month, day) = (text.get(5..7)?, text.get(8..10)?);
    let with = |month: &str, day: &str, rest: &str| {
        let year = text.get(..4)?;
        moment(&format!("{year}-{month}-{day}{rest}"))
    };
    let rest = text.get(10..)?;
    let is_form = text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !is_form || !is_number(month) || !is_number(day) {
        return None;
    }
    // The time of day alone, on a day that exists.
    if with("01", "01", rest).is_none() {
        let is_date = with(month, day, "T00:00:00Z").is_some();
        let is_clock = rest.starts_with(['T', 't', ' ']) && rest.matches(':').count() >= 1;
        return (is_date && is_clock).then(|| {
            "; there is no such time of day; times are from 00:00:00 to 23:59:59".to_owned()
        });
    }
    if with(month, "01", rest).is_none() {
        return Some(format!("; there is no month {month}"));
    }
    let last = (28..=31)
        .rev()
        .find(|day: &u8| with(month, &day.to_string(), rest).is_some())?;
    let year_month = text.get(..7)?;
    Some(format!(
        "; there is no day {day} in {year_month}, which has {last} days"
    ))
}
