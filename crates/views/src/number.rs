//! Formats of numbers for people.

/// Formats a count with thousands separators: `20,000`.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn thousands_are_separated() {
        let texts = [0, 999, 1_000, 20_000, 1_234_567].map(thousands);
        assert_eq!(texts, ["0", "999", "1,000", "20,000", "1,234,567"]);
    }
}
