//! Versions of the storage services, as in `x-ms-version`.

/// The version in answers to requests without one: the latest that is implemented.
pub(crate) const LATEST: &str = "2026-06-06";

/// The first version of the storage services.
const FIRST: &str = "2009-04-14";

/// Whether a text is a version of the services: a date, not before the first version.
pub(crate) fn is_version(text: &str) -> bool {
    let shape = |(index, byte): (usize, u8)| match index {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.len() == 10 && text.bytes().enumerate().all(shape) && text >= FIRST
}
