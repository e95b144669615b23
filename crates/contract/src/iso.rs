//! Times in exports of other tools: ISO 8601 with a `T` or a space, with or without a zone, seconds and their decimals.

use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Stamp;

/// Parses such a time; without a zone it is UTC. A date without a time is not accepted.
pub fn parse(text: &str) -> Option<Stamp> {
    let text = text.trim();
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let rest = rest.strip_prefix(['T', 't', ' '])?.trim_start();
    let zone = rest.find(|c: char| !(c.is_ascii_digit() || ":.,".contains(c)));
    let (clock, zone) = rest.split_at(zone.unwrap_or(rest.len()));
    let mut clock = clock.replace(',', ".");
    if clock.matches(':').count() == 1 {
        clock.push_str(":00");
    }
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let zone = match zone.trim() {
        "" | "Z" | "z" | "UTC" | "GMT" => "Z".to_owned(),
        signed
            if signed.starts_with(['+', '-'])
                && signed[1..].bytes().all(|b| b.is_ascii_digit() || b == b':') =>
        {
            let digits = format!("{digits:0<4}");
            let (hours, minutes) = digits.split_at_checked(2)?;
            format!("{}{hours}:{minutes}", &signed[..1])
        }
        _ => return None,
    };
    let time = OffsetDateTime::parse(&format!("{date}T{clock}{zone}"), &Rfc3339).ok()?;
    Some(SystemTime::from(time).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_tools_write_them() {
        let expected: Stamp = "2026-11-28 10:00:00.250000".parse().unwrap();
        for text in [
            "2026-11-28T10:00:00.25Z",
            "2026-11-28T11:00:00.250+01:00",
            "2026-11-28T11:00:00.250+0100",
            "2026-11-28 12:00:00.2500000 +02",
            "2026-11-28 10:00:00,250",
            "2026-11-28 10:00:00.25 UTC",
            " 2026-11-28t10:00:00.25z ",
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        let whole = "2026-11-28 10:00:00.000000".parse().ok();
        assert_eq!(parse("2026-11-28 10:00"), whole);
        for text in [
            "",
            "2026-11-28",
            "28.11.2026 10:00:00",
            "11/28/2026 10:00:00 AM",
            "2026-11-28 10:00:00 PM",
            "2026-13-28T10:00:00Z",
            "1764324000",
            "2026-11-28T10:00:00+1:0x",
            "ä026-11-28T10",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
