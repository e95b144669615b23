//! Secrets that are never printed.

use std::fmt;

/// A text that must not be logged; `Debug` and `Display` show a placeholder.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself; only for the code that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Returns `text` without the signatures of any SAS in it.
///
/// HTTP clients put the URL, including the SAS, into their error texts; every text that leaves the adapters passes through this
/// function.
pub fn redact(text: &str) -> String {
    const SIGNATURE: &str = "sig=";
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(SIGNATURE) {
        let (before, after) = rest.split_at(at + SIGNATURE.len());
        clean.push_str(before);
        clean.push_str("[redacted]");
        let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || "%+/=-_.~".contains(c)));
        rest = &after[end.unwrap_or(after.len())..];
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_print_a_placeholder() {
        let secret = Secret::new("sv=1&sig=abc");
        assert_eq!(format!("{secret} {secret:?}"), "[redacted] [redacted]");
        assert_eq!(secret.expose(), "sv=1&sig=abc");
    }

    #[test]
    fn every_signature_is_cut_out_of_a_text() {
        let text = "get (http://h/q?sv=1&sig=a%2Bb%3D&se=2) and sig=xyz";
        assert_eq!(
            redact(text),
            "get (http://h/q?sv=1&sig=[redacted]&se=2) and sig=[redacted]"
        );
        assert_eq!(redact("nothing here"), "nothing here");
    }
}
