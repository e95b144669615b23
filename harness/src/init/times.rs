//! How times are written, and which instants they are.

use serde_json::Value;
use workflow::contract::Stamp;
use workflow::contract::workload::{Format, Name, time_of};

use super::place::{Place, text};

/// Every form of times that a placeholder has, the most exact first.
pub(super) const FORMATS: [Format; 4] = [
    Format::Rfc3339,
    Format::Plain,
    Format::UnixMs,
    Format::UnixS,
];

/// How times at a place are written, if they are times.
pub(super) fn time_format(values: &[Value]) -> Option<Format> {
    if values.is_empty() {
        return None;
    }
    if values.iter().all(Value::is_string) {
        let texts = values.iter().filter_map(Value::as_str);
        let formats = [Format::Plain, Format::Rfc3339];
        return formats
            .into_iter()
            .find(|format| texts.clone().all(|text| time_of(text, *format).is_some()));
    }
    // From 2001 to 2096.
    let within = |scale: i64| {
        let all = values.iter().map(Value::as_i64);
        all.into_iter().all(|number| {
            number.is_some_and(|n| (1_000_000_000 * scale..4_000_000_000 * scale).contains(&n))
        })
    };
    [(1_000, Format::UnixMs), (1, Format::UnixS)]
        .into_iter()
        .find_map(|(scale, format)| within(scale).then_some(format))
}

pub(super) fn with_format(name: Name, format: Format) -> String {
    let format = match format {
        Format::Rfc3339 => ":rfc3339",
        Format::UnixMs => ":unix-ms",
        Format::UnixS => ":unix-s",
        _ => "",
    };
    format!("{{{name}{format}}}")
}

/// Whether `text` is a time in a form that may have no placeholder: with a date of digits, a clock of digits, or as .NET wrote JSON.
pub(super) fn looks_like_time(text: &str) -> bool {
    let pattern: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let is_short = text.len() <= 40;
    let has_date = pattern.starts_with("0000-00-00") || pattern.contains("/0000 ");
    let is_date = ["0000-00-00", "00.00.0000", "00/00/0000"].contains(&pattern.as_str())
        || is_date_of_digits(text);
    let is_mail = [
        "Mon, ", "Tue, ", "Wed, ", "Thu, ", "Fri, ", "Sat, ", "Sun, ",
    ]
    .iter()
    .any(|day| text.starts_with(day));
    let has_clock = pattern.contains("0:00:00") || pattern.contains("0:00");
    is_short && (text.starts_with("/Date(") || is_date || (has_date || is_mail) && has_clock)
}

/// Whether `text` is a date as 20261130 is.
pub(super) fn is_date_of_digits(text: &str) -> bool {
    let is_of_digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_of_digits {
        return false;
    }
    let year = text[..4].parse::<u16>();
    let dashed = format!("{}-{}-{}T00:00:00Z", &text[..4], &text[4..6], &text[6..]);
    year.is_ok_and(|it| (1990..2100).contains(&it)) && time_of(&dashed, Format::Rfc3339).is_some()
}

/// The instant that a text of a message or a row is, whatever its form.
pub(super) fn instant(text: &str) -> Option<Stamp> {
    let known = |format: &Format| time_of(text, *format).filter(|_| is_time(text, *format));
    if let Some(known) = FORMATS.iter().find_map(known) {
        return Some(known);
    }
    let ms = text
        .strip_prefix("/Date(")
        .and_then(|it| it.strip_suffix(")/"));
    if let Some(ms) = ms {
        return time_of(ms, Format::UnixMs);
    }
    let with_t = text.replacen(' ', "T", 1);
    ["", "Z"]
        .iter()
        .find_map(|zone| time_of(&format!("{with_t}{zone}"), Format::Rfc3339))
}

/// Numbers are times from 2001 to 2096 alone.
fn is_time(text: &str, format: Format) -> bool {
    let number: f64 = text.parse().unwrap_or_default();
    match format {
        Format::UnixMs => (1e12..4e12).contains(&number),
        Format::UnixS => (1e9..4e9).contains(&number),
        _ => true,
    }
}

/// The template of a column in which every text is the time of `place` in a form that a placeholder has; pairs are what is stored and what
/// was sent.
pub(super) fn same_time(place: &Place, pairs: &[(&str, String)]) -> Option<String> {
    let template = place.template.as_deref()?;
    let names = [("{intended", Name::Intended), ("{sent", Name::Sent)];
    let (_, name) = names
        .into_iter()
        .find(|(begin, _)| template.starts_with(begin))?;
    let fits = |format: &Format| {
        pairs.iter().all(|(stored, sent)| {
            let unit = match format {
                Format::UnixMs => 1_000,
                Format::UnixS => 1_000_000,
                _ => 1,
            };
            let at = time_of(stored, *format).filter(|_| is_time(stored, *format));
            let sent = instant(sent).map(|sent| sent.as_micros().div_euclid(unit));
            sent.is_some() && at.map(|at| at.as_micros().div_euclid(unit)) == sent
        })
    };
    let format = FORMATS.into_iter().find(fits)?;
    Some(with_format(name, format))
}

/// Whether every stored text is the time that its message has, in any form, also cut to milliseconds, seconds or minutes.
pub(super) fn is_same_instant(pairs: &[(&str, String)]) -> bool {
    const UNITS: [i64; 4] = [1, 1_000, 1_000_000, 60_000_000];
    let is_same = |unit: &i64| {
        pairs.iter().all(|(stored, sent)| {
            let cut = |text: &str| Some(instant(text)?.as_micros().div_euclid(*unit));
            cut(sent).is_some() && cut(stored) == cut(sent)
        })
    };
    UNITS.iter().any(is_same)
}

/// Whether texts are times in some form that no placeholder has.
pub(super) fn are_other_times(values: &[Value]) -> bool {
    values.iter().map(text).all(|text| looks_like_time(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_another_form_is_the_same_also_when_it_is_cut() {
        let sent = "2026-11-20T10:11:12.5Z".to_owned();
        for stored in [
            "2026-11-20 10:11:12.5",
            "2026-11-20 10:11:12",
            "2026-11-20T10:11:00",
            "2026-11-20 10:11:12Z",
            "/Date(1795169472500)/",
        ] {
            assert!(is_same_instant(&[(stored, sent.clone())]), "{stored}");
        }
        for other in ["2026-11-20 10:12:12", "2026-11-21 10:11:12", "text"] {
            assert!(!is_same_instant(&[(other, sent.clone())]), "{other}");
        }
    }
}
