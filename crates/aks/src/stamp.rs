//! Times in tags and in the ledger: `2026-11-23T05:00:00Z`.

use std::time::SystemTime;

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Duration, OffsetDateTime, UtcOffset};

/// The present time, to the second.
pub(crate) fn now() -> OffsetDateTime {
    let now = OffsetDateTime::from(SystemTime::now());
    now.replace_nanosecond(0)
        .expect("zero nanoseconds must be taken")
}

/// The time `hours` after `from`.
pub(crate) fn after(from: OffsetDateTime, hours: u16) -> OffsetDateTime {
    from + Duration::hours(i64::from(hours))
}

/// Parses a time with its offset; `None` for anything else: an unreadable time never counts as past.
pub(crate) fn read(text: &str) -> Option<OffsetDateTime> {
    let read = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?;
    Some(read.to_offset(UtcOffset::UTC))
}

/// Formats a time so that [`read`] accepts it: 20 characters, as in `infra/main.bicep`.
pub(crate) fn text(time: OffsetDateTime) -> String {
    time.to_offset(UtcOffset::UTC)
        .format(format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second]Z"
        ))
        .expect("a time must be written")
}

/// Formats a time as part of a name: `20261128-0300`.
pub(crate) fn name(time: OffsetDateTime) -> String {
    time.to_offset(UtcOffset::UTC)
        .format(format_description!("[year][month][day]-[hour][minute]"))
        .expect("a time must be written")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_back_and_anything_else_is_not_a_time() {
        let time = read("2026-11-23T05:00:00Z").unwrap();
        assert_eq!(text(time), "2026-11-23T05:00:00Z");
        assert_eq!(text(after(time, 20)), "2026-11-24T01:00:00Z");
        assert_eq!(name(time), "20261123-0500");
        assert_eq!(read("2026-11-23T07:00:00+02:00"), Some(time));
        for none in [
            "",
            "tomorrow",
            "2026-11-23",
            "2026-11-23 05:00",
            "1764824400",
        ] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
