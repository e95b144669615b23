//! Judges whether a text holds a secret: a known one, or any text with the form of one.
//!
//! A finding names the place and the kind, and never repeats the secret, because findings are written to files as well.

use std::fmt;

use percent_encoding::percent_decode_str;

/// Shortest run of characters that counts as a signature or a key: a SAS has 44, a token's signature 342.
const LEAST: usize = 20;

/// A secret that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// The file or command line, and the line number in it.
    pub place: String,
    /// The kind of secret.
    pub what: &'static str,
}

impl fmt::Display for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.what, self.place)
    }
}

/// Secrets to look for.
pub struct Secrets {
    known: Vec<String>,
}

impl Secrets {
    /// The secrets that give access to storage in this run: tokens and shared access signatures. Only the signature of each is
    /// searched for, since the rest of it is not secret.
    pub fn of(secrets: &[String]) -> Self {
        let mut known = Vec::new();
        for secret in secrets {
            match secret.split_once("sig=") {
                Some((_, rest)) => {
                    let signature = rest.split('&').next().unwrap_or_default();
                    known.push(signature.to_owned());
                    known.push(percent_decode_str(signature).decode_utf8_lossy().into());
                }
                None => known.extend(secret.rsplit('.').next().map(str::to_owned)),
            }
        }
        known.retain(|secret| secret.len() >= LEAST);
        known.sort();
        known.dedup();
        Self { known }
    }

    /// Looks through `text`, found at `place`.
    pub fn look(&self, place: &str, text: &[u8]) -> Vec<Leak> {
        let text = String::from_utf8_lossy(text);
        let found = |(number, line): (usize, &str)| {
            let what = self.in_line(line)?;
            let place = format!("{place}, line {}", number + 1);
            Some(Leak { place, what })
        };
        text.lines().enumerate().filter_map(found).collect()
    }

    fn in_line(&self, line: &str) -> Option<&'static str> {
        if self.known.iter().any(|secret| line.contains(secret)) {
            return Some("a signature of this run");
        }
        if line.contains("PRIVATE KEY-----") {
            return Some("a private key");
        }
        if follows(line, "AccountKey=") {
            return Some("an account key");
        }
        if follows(line, "sig=") {
            return Some("a shared access signature");
        }
        let within_word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let words = line.split(|c| !within_word(c));
        let is_token = |word: &str| {
            let parts: Vec<_> = word.split('.').collect();
            // `{"` in Base64.
            let begins = |part: &&str| part.starts_with("eyJ");
            parts.len() >= 3 && parts[..2].iter().all(begins) && parts[2].len() >= LEAST
        };
        words.into_iter().any(is_token).then_some("a token")
    }
}

/// Whether a value as long as a signature follows `name` in `line`.
fn follows(line: &str, name: &str) -> bool {
    line.split(name).skip(1).any(|rest| {
        let secret = |c: &char| c.is_ascii_alphanumeric() || "%+/=_-".contains(*c);
        rest.chars().take_while(secret).count() >= LEAST
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJodHRwczovL3N0b3JhZ2UifQ.c2lnbmF0dXJlLW9mLXRoZS1ydW4tMTIzNDU";
    const SAS: &str =
        "sv=2021-12-02&se=2030&sig=q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k%3D&sp=r";

    fn whats(secrets: &Secrets, text: &str) -> Vec<&'static str> {
        let leaks = secrets.look("x.log", text.as_bytes());
        leaks.into_iter().map(|leak| leak.what).collect()
    }

    #[test]
    fn a_planted_secret_is_found_in_any_dress() {
        let secrets = Secrets::of(&[TOKEN.to_owned(), SAS.to_owned()]);
        for planted in [
            format!("authorization: Bearer {TOKEN}"),
            "only its end: c2lnbmF0dXJlLW9mLXRoZS1ydW4tMTIzNDU".to_owned(),
            "decoded: q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=".to_owned(),
            format!("http://127.0.0.1/q?{SAS}"),
        ] {
            let text = format!("first\n{planted}\n");
            let leaks = secrets.look("x.log", text.as_bytes());
            assert_eq!(leaks.len(), 1, "{planted}");
            assert_eq!(leaks[0].place, "x.log, line 2");
            let told = leaks[0].to_string();
            assert_eq!(told, format!("{} in x.log, line 2", leaks[0].what));
            assert!(!told.contains("c2lnb"), "{told}");
        }
    }

    #[test]
    fn what_has_the_form_of_a_secret_is_found_too() {
        let none = Secrets::of(&[]);
        assert_eq!(whats(&none, TOKEN), ["a token"]);
        assert_eq!(whats(&none, SAS), ["a shared access signature"]);
        let key = "AccountName=a;AccountKey=aHVudGVyMmh1bnRlcjJodW50ZXIy;x";
        assert_eq!(whats(&none, key), ["an account key"]);
        assert_eq!(
            whats(&none, "-----BEGIN PRIVATE KEY-----"),
            ["a private key"]
        );
    }

    #[test]
    fn what_may_be_told_is_no_finding() {
        let secrets = Secrets::of(&[TOKEN.to_owned(), SAS.to_owned()]);
        for text in [
            "get (http://h/q?sv=1&sig=[redacted]&se=2)",
            "eyJhbGciOiJSUzI1NiJ9",
            "eyJ.eyJ.short",
            "azure.core.eyJ",
            "pass a SAS in AZURE_STORAGE_SAS_TOKEN, never AccountKey=...",
            "subject system:serviceaccount:aqs-demo:aqs-app-service-account",
        ] {
            assert_eq!(whats(&secrets, text), Vec::<&str>::new(), "{text}");
        }
    }
}
