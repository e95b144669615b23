//! Checks whether metadata values of a trigger are numbers or names.

/// The integer in `text`, if it fits.
pub(super) fn integer(text: &str) -> Option<i64> {
    is_whole(text).then(|| text.parse().ok()).flatten()
}

/// Whether `text` is an integer in JSON syntax, of any size.
pub(super) fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    whole && !leading_zero
}

/// Whether a storage account can have this name.
pub(super) fn is_account(name: &str) -> bool {
    // Case does not matter, because the name becomes part of a host name; a short name is not refused, as it is hardly a typing
    // error.
    name.len() <= 24 && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a queue can have this name (Azure Storage, "Naming queues and metadata").
pub(super) fn is_queue(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [name.bytes().next(), name.bytes().next_back()];
    (3..=63).contains(&name.len())
        && name.bytes().all(|byte| plain(byte) || byte == b'-')
        && ends.into_iter().all(|end| end.is_some_and(plain))
        && !name.contains("--")
}
