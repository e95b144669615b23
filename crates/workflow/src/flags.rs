//! Parsing of command lines without printing secrets: clap's errors repeat a refused value, including one from the environment.

use std::io::{Write as _, stderr};
use std::process::exit;

use clap::error::ContextValue;
use clap::{Error, Parser};

/// The text in place of a value that is not repeated.
const HIDDEN: &str = "(not repeated: it may hold a secret)";

/// Names of parameters with secrets, such as a SAS or a key, in lower case.
const SECRETS: [&str; 6] = [
    "sig=",
    "key=",
    "signature=",
    "password=",
    "secret=",
    "token=",
];

/// Parses the command line of this process, or ends the process as [`clap::Parser::parse`] does.
pub fn parse<T: Parser>() -> T {
    T::try_parse().unwrap_or_else(|error| refuse(&error))
}

/// Ends the process with the text of `error` and its exit code.
pub fn refuse(error: &Error) -> ! {
    if let Some(text) = without_secrets(error) {
        // If standard error is closed, only the exit code remains.
        let _ = stderr().write_all(text.as_bytes());
        exit(error.exit_code())
    }
    error.exit()
}

/// The text of `error` without the value, if `error` repeats a value that may be secret.
fn without_secrets(error: &Error) -> Option<String> {
    let values = error.context().filter_map(|(_, value)| match value {
        ContextValue::String(text) if may_hold_secret(text) => Some(text),
        _ => None,
    });
    let mut text = None;
    for value in values {
        let before = text.unwrap_or_else(|| error.render().to_string());
        text = Some(before.replace(value.as_str(), HIDDEN));
    }
    text
}

/// Whether a value may contain a SAS or a key, or is a URL with more than a path.
fn may_hold_secret(value: &str) -> bool {
    let small = value.to_ascii_lowercase();
    let is_long_url = small.contains("://") && small.contains(['?', '#', '@']);
    is_long_url || SECRETS.iter().any(|name| small.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::StorageArgs;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        storage: StorageArgs,
    }

    #[test]
    fn a_value_that_may_hold_a_secret_is_refused_without_being_repeated() {
        for (flag, value) in [
            (
                "--queue-endpoint",
                "http://127.0.0.1:9/devstoreaccount1?sv=1&sig=hunter2%3D",
            ),
            ("--table-endpoint", "http://h/a#hunter2"),
            ("--table-endpoint", "http://acme:hunter2@h/a"),
            (
                "--account",
                "AccountName=acme;AccountKey=hunter2==;EndpointSuffix=core.windows.net",
            ),
            (
                "--queue",
                "https://acme.queue.core.windows.net/work?sig=hunter2",
            ),
            ("--credential", "sv=1&SIG=hunter2"),
        ] {
            let error = Line::try_parse_from(["x", flag, value]).unwrap_err();
            assert!(error.to_string().contains("hunter2"), "{flag} is refused");
            let told = without_secrets(&error).unwrap();
            assert!(!told.contains("hunter2"), "{told}");
            assert!(told.contains(flag) && told.contains(HIDDEN), "{told}");
        }
        let plain = Line::try_parse_from(["x", "--queue", "My_Queue"]).unwrap_err();
        assert_eq!(without_secrets(&plain), None);
    }
}
