//! Values of placeholders: formatting and parsing.

use std::collections::BTreeSet;
use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::placeholder::Format;
use crate::{Digest, MessageId, RunId, Seq, Stamp};

/// The owner of a row or a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A message of the run.
    Ours(Seq),
    /// Another run.
    OtherRun,
    /// Unknown.
    Nobody,
}

impl Owner {
    /// The message of the run, if it is the run's.
    pub const fn seq(self) -> Option<Seq> {
        match self {
            Self::Ours(seq) => Some(seq),
            Self::OtherRun | Self::Nobody => None,
        }
    }
}

/// The owner of `text` as a message id. Does not allocate for the run's own ids.
pub(super) fn owner_of_id(run: &RunId, text: &str) -> Owner {
    let own = text
        .strip_prefix(run.as_str())
        .and_then(|rest| rest.strip_prefix('-'))
        .and_then(|seq| seq.parse().ok());
    match own {
        Some(seq) => Owner::Ours(seq),
        None if text.parse::<MessageId>().is_ok() => Owner::OtherRun,
        None => Owner::Nobody,
    }
}

/// Digits of the sequence number in a UUID.
const SEQ_DIGITS: usize = 12;

/// The UUID of message `seq`: of version 8, which RFC 9562 leaves to vendors, with the run's digest first and the number last.
pub(super) fn uuid(run: &RunId, seq: Seq) -> String {
    let digest = Digest::of(run.as_str()).to_string();
    let (a, b, c, d) = (
        &digest[..8],
        &digest[8..12],
        &digest[12..15],
        &digest[15..18],
    );
    format!("{a}-{b}-8{c}-8{d}-{:012x}", seq.get())
}

/// How many different messages of the run `text` names, by ids or UUIDs.
pub(super) fn ids_in(run: &RunId, text: &str) -> usize {
    let first = uuid(run, Seq::new(1).expect("messages count from 1"));
    let of_uuids = &first[..first.len() - SEQ_DIGITS];
    let (of_ids, of_bare) = (format!("{run}-"), of_uuids.replace('-', ""));
    let text = text.to_ascii_lowercase();
    [(of_ids.as_str(), 10), (of_uuids, 16), (&of_bare, 16)]
        .into_iter()
        .map(|(before, radix)| {
            let numbers = text.split(before).skip(1).filter_map(|rest| {
                let end = rest.find(|c: char| !c.is_digit(radix));
                u64::from_str_radix(&rest[..end.unwrap_or(rest.len())], radix).ok()
            });
            numbers.collect::<BTreeSet<_>>().len()
        })
        .max()
        .unwrap_or(0)
}

/// Whether `text` is a UUID, in lower or upper case, with all of its hyphens or none.
pub fn is_uuid(text: &str) -> bool {
    let has_dashes = text.len() == 36;
    (has_dashes || text.len() == 32)
        && text.char_indices().all(|(at, c)| match at {
            8 | 13 | 18 | 23 if has_dashes => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
}

/// The owner of a UUID, in any form that [`is_uuid`] accepts.
pub(super) fn owner_of_uuid(run: &RunId, text: &str) -> Owner {
    if !is_uuid(text) {
        return Owner::Nobody;
    }
    let digits = |text: &str| text.replace('-', "").to_ascii_lowercase();
    let text = digits(text);
    let seq = u64::from_str_radix(&text[text.len() - SEQ_DIGITS..], 16);
    match seq.ok().and_then(Seq::new) {
        Some(seq) if digits(&uuid(run, seq)) == text => Owner::Ours(seq),
        _ => Owner::OtherRun,
    }
}

/// Formats a time in `format`.
pub fn time_text(stamp: Stamp, format: Format) -> String {
    match format {
        Format::Rfc3339 => format!("{}Z", stamp.to_string().replace(' ', "T")),
        Format::UnixMs => (stamp.as_micros().div_euclid(1_000)).to_string(),
        Format::UnixS => (stamp.as_micros().div_euclid(1_000_000)).to_string(),
        _ => stamp.to_string(),
    }
}

/// Parses a time in `format`.
pub fn time_of(text: &str, format: Format) -> Option<Stamp> {
    let scaled = |scale: f64| {
        let number: f64 = text.parse().ok()?;
        let micros = (number * scale).round();
        // Valid up to the year 5138: far below the size at which either type loses integers.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked on the line above it"
        )]
        let stamp = (micros.abs() < 1e17).then(|| Stamp::from_micros(micros as i64));
        stamp
    };
    match format {
        Format::Rfc3339 => {
            let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
            Some(SystemTime::from(time).into())
        }
        Format::UnixMs => scaled(1e3),
        Format::UnixS => scaled(1e6),
        _ => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_tells_its_message_and_no_other_does() {
        let (run, other) = ("r1".parse().unwrap(), "r2".parse().unwrap());
        let seq = Seq::new(70_000).unwrap();
        let text = uuid(&run, seq);
        assert_eq!(owner_of_uuid(&run, &text), Owner::Ours(seq));
        assert_eq!(owner_of_uuid(&run, &text.to_uppercase()), Owner::Ours(seq));
        let bare = text.replace('-', "");
        assert_eq!(owner_of_uuid(&run, &bare), Owner::Ours(seq));
        assert_eq!(owner_of_uuid(&other, &text), Owner::OtherRun);
        let misplaced = format!("-{}", &text[..35]);
        for none in ["x", &text[..35], &bare[..31], &misplaced] {
            assert_eq!(owner_of_uuid(&run, none), Owner::Nobody, "{none}");
        }
    }

    #[test]
    fn the_messages_that_a_text_names_are_counted_each_once() {
        let run = "r1".parse().unwrap();
        let of = |n| uuid(&run, Seq::new(n).unwrap());
        let uuids = format!("{} {} {}", of(1), of(31), of(1).to_uppercase());
        for (text, count) in [
            ("", 0),
            ("r1-7", 1),
            ("[\"r1-7\",\"r1-8\",\"r1-7\",\"r2-9\"]", 2),
            (uuids.as_str(), 2),
            (&uuids.replace('-', ""), 2),
        ] {
            assert_eq!(ids_in(&run, text), count, "{text}");
        }
    }

    #[test]
    fn times_are_read_as_they_are_written_up_to_what_their_format_tells() {
        let stamp = Stamp::from_micros(1_795_439_655_678_901);
        for (format, text, off) in [
            (Format::Plain, "2026-11-23 13:14:15.678901", 0),
            (Format::Rfc3339, "2026-11-23T13:14:15.678901Z", 0),
            (Format::UnixMs, "1795439655678", 901),
            (Format::UnixS, "1795439655", 678_901),
        ] {
            assert_eq!(time_text(stamp, format), text);
            let back = time_of(text, format).unwrap();
            assert_eq!(stamp.micros_since(back), off);
            assert_eq!(format.is_exact(), off == 0);
        }
        assert_eq!(time_of("1795439655.678901", Format::UnixS), Some(stamp));
        assert_eq!(time_of("yesterday", Format::UnixS), None);
    }
}
