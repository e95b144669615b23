//! Parsing of command lines without printing secrets: clap's errors repeat a refused value, including one from the environment.

use std::ffi::{OsStr, OsString};
use std::io::{Write as _, stderr};
use std::process::exit;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Error, Parser};

use crate::contract::letters;

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
    T::try_parse_from(arguments()).unwrap_or_else(|error| refuse(&error))
}

/// The command line of this process. Ends the process if one of its flags begins with a dash that is none of a flag.
pub fn arguments() -> Vec<OsString> {
    let all: Vec<_> = std::env::args_os().collect();
    if let Some(told) = dashed(&all) {
        refuse(&Error::raw(ErrorKind::UnknownArgument, told));
    }
    all
}

/// What to write in place of the first argument that begins as flags do when a word processor has made one dash of two. A program with
/// arguments other than flags would take such a flag for one of them.
fn dashed(arguments: &[OsString]) -> Option<String> {
    let is_dash = |it: char| !it.is_ascii() && letters::ascii(it) == Some('-');
    let flags = arguments
        .iter()
        .skip(1)
        .take_while(|it| *it != OsStr::new("--"));
    flags.filter_map(|it| it.to_str()).find_map(|flag| {
        let first = flag.chars().next().filter(|it| is_dash(*it))?;
        let name = flag.trim_start_matches(|it| it == '-' || is_dash(it));
        let (name, _) = name.split_once('=').unwrap_or((name, ""));
        let is_name = name.starts_with(|it: char| it.is_ascii_alphabetic());
        is_name.then(|| {
            let dashes = if name.len() == 1 { "-" } else { "--" };
            let which = letters::which(first);
            format!(
                "a flag begins with hyphens, and this one with {which}; write '{dashes}{name}'\n"
            )
        })
    })
}

/// Ends the process with the text of `error` and its exit code.
pub fn refuse(error: &Error) -> ! {
    if let Some(text) = in_words(error) {
        // If standard error is closed, only the exit code remains.
        let _ = stderr().write_all(text.as_bytes());
        exit(error.exit_code())
    }
    error.exit()
}

/// The text of `error`, if clap's own will not do: without a value that may be a secret, and with the character of a value that is not
/// what it looks like.
fn in_words(error: &Error) -> Option<String> {
    let plain = without_secrets(error)
        .or_else(|| empty_variables(error, std::env::args_os(), std::env::vars_os()));
    let mut values = error.context().filter_map(|(_, value)| match value {
        ContextValue::String(text) => letters::misleading(text),
        _ => None,
    });
    let Some(told) = values.next() else {
        return plain;
    };
    let text = plain.unwrap_or_else(|| error.render().to_string());
    if text.contains("U+") {
        return Some(text);
    }
    Some(with_tip(&text, &told))
}

/// `text` of an error with a tip, where clap puts its own.
fn with_tip(text: &str, tip: &str) -> String {
    let end = text.find("\nFor more information").unwrap_or(text.len());
    let (before, after) = text.split_at(end);
    format!("{}\n\n  tip: {tip}\n{after}", before.trim_end())
}

/// The text of `error` with the names of empty `variables`, if an empty value is wrong and none of the `arguments` gave it: clap names
/// the flag alone.
fn empty_variables(
    error: &Error,
    mut arguments: impl Iterator<Item = OsString>,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Option<String> {
    let text_of = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let is_of_a_value = matches!(
        error.kind(),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation
    );
    if !is_of_a_value || text_of(ContextKind::InvalidValue) != Some("") {
        return None;
    }
    let flag = text_of(ContextKind::InvalidArg).unwrap_or_default();
    let flag = flag.split(' ').next().unwrap_or_default();
    let is_given = |argument: OsString| {
        let argument = argument.to_string_lossy();
        argument.split('=').next() == Some(flag)
    };
    if arguments.any(is_given) {
        return None;
    }
    let is_ours = |name: &str| name.starts_with("EDW_") || name.starts_with("AZURE_");
    let names: Vec<_> = variables
        .filter(|(_, value)| value.is_empty())
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| is_ours(name))
        .collect();
    if names.is_empty() {
        return None;
    }
    let names = names.join(", ");
    let tip =
        format!("set and empty, which counts as a value: {names}; unset what you do not need");
    Some(with_tip(&error.render().to_string(), &tip))
}

/// The text of `error` without the value, if `error` repeats a value that may be secret.
fn without_secrets(error: &Error) -> Option<String> {
    // The name of a flag with that of its value, such as `--drain-nodes <KEY=VALUE>`, is clap's own text.
    let is_flag = |kind: ContextKind, text: &str| {
        kind == ContextKind::InvalidArg && text.starts_with("--") && text.ends_with('>')
    };
    let values = error.context().filter_map(|(kind, value)| match value {
        ContextValue::String(text) if may_hold_secret(text) && !is_flag(kind, text) => Some(text),
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
        #[arg(long, value_name = "KEY=VALUE")]
        label: Option<u8>,
        #[arg(long, value_enum)]
        log_format: Option<crate::telemetry::LogFormat>,
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
        for plain in [["x", "--queue", "My_Queue"], ["x", "--label", "garbage"]] {
            let plain = Line::try_parse_from(plain).unwrap_err();
            assert_eq!(without_secrets(&plain), None);
        }
    }

    #[test]
    fn a_character_that_is_not_what_it_looks_like_is_named_in_any_value() {
        for (flag, value, told) in [
            ("--queue", "my\u{2013}queue", "U+2013, an en dash"),
            ("--account", "mine\u{a0}2", "U+00A0 (no-break space)"),
            (
                "--credential",
                "\u{201c}sas\u{201d}x",
                "U+201C, a curly quote",
            ),
        ] {
            let error = Line::try_parse_from(["x", flag, value]).unwrap_err();
            let text = in_words(&error).unwrap();
            assert_eq!(text.matches("U+").count(), 1, "{text}");
            assert!(text.contains(told) && text.contains(flag), "{text}");
        }
        let plain = Line::try_parse_from(["x", "--queue", "My_Queue"]).unwrap_err();
        assert_eq!(in_words(&plain), None);
    }

    /// A script that sets a variable to nothing has given no flag.
    #[test]
    fn an_empty_variable_is_named_where_an_empty_value_is_wrong() {
        let empty = [("EDW_LABEL", ""), ("EDW_OUT", "x"), ("HOME", "")];
        let tip = |error: &Error, arguments: &[&str], all: &[(&str, &str)]| {
            let arguments = arguments.iter().map(OsString::from);
            let all = all.iter().map(|(name, value)| (name.into(), value.into()));
            empty_variables(error, arguments, all)
        };
        // One value is parsed, the other one of a list: clap has a kind of error for each.
        for flag in ["--label=", "--log-format="] {
            let error = Line::try_parse_from(["x", flag]).unwrap_err();
            let text = tip(&error, &["x"], &empty).unwrap();
            assert!(
                text.contains("counts as a value: EDW_LABEL; unset"),
                "{text}"
            );
            assert_eq!(tip(&error, &["x"], &empty[1..]), None);
            // Who gave the flag meant it.
            assert_eq!(tip(&error, &["x", flag], &empty), None);
        }
        let other = Line::try_parse_from(["x", "--label", "garbage"]).unwrap_err();
        assert_eq!(tip(&other, &["x"], &empty), None);
    }

    /// Word processors make a dash of two hyphens ("smart punctuation").
    #[test]
    fn a_flag_with_the_dash_of_a_word_processor_is_named() {
        let told = |flag: &str| dashed(&["x", flag].map(OsString::from));
        let em = told("\u{2014}messages=10").unwrap();
        assert!(em.contains("U+2014, an em dash"), "{em}");
        assert!(em.contains("write '--messages'"), "{em}");
        assert!(
            told("\u{2013}\u{2013}messages")
                .unwrap()
                .contains("'--messages'")
        );
        assert!(told("\u{2212}n").unwrap().contains("write '-n'"));
        for other in [
            "--messages",
            "\u{2013} a title",
            "\u{2013}5",
            "a\u{2013}b",
            "\u{201c}a\u{201d}",
        ] {
            assert_eq!(told(other), None, "{other}");
        }
        let after = ["x", "--", "\u{2014}messages"].map(OsString::from);
        assert_eq!(dashed(&after), None);
    }
}
