//! Checks of the names of columns, queues, tables and variables in a description.

use super::Problems;
use crate::workload::{Format, Name, Piece, Template};

/// The queue and the table of the run with the shortest id are checked in place of all runs': a problem with them is one for
/// every run.
const QUEUE: &str = "edw-a";
const TABLE: &str = "edwa";

/// Longest names of a property, of a queue and of a table.
const LONGEST_COLUMN: usize = 255;
const LONGEST_NAME: usize = 63;

/// Table service, "Understanding the Table service data model", "Property names": up to 255 characters, and "the naming rules for C#
/// identifiers".
pub(super) fn column(name: &str, way: &[&str], problems: &mut Problems<'_>) {
    let is_letter = |c: char| c == '_' || c.is_alphabetic();
    let is_name = name.starts_with(is_letter)
        && name.chars().all(|c| is_letter(c) || c.is_alphanumeric())
        && name.encode_utf16().count() <= LONGEST_COLUMN;
    // A name of the service has its own error.
    if !is_name && name != "odata.etag" {
        let text = format!(
            "a column cannot be called {name:?}: a name has letters, digits and '_', does not begin with a digit, and has up to \
             {LONGEST_COLUMN} characters"
        );
        problems.add(way, text);
    }
}

/// Table service, "Understanding the Table service data model", "Characters disallowed in key fields": `/`, `\`, `#`, `?` and control
/// characters (U+0000 to U+001F and U+007F to U+009F). Payloads hold any character, and only `:url` leaves none of these.
pub(super) fn key(name: &str, template: &Template, problems: &mut Problems<'_>) {
    let way = ["row", "columns", name];
    for piece in template.pieces() {
        match piece {
            Piece::Text(text) => {
                let Some(letter) = text.chars().find(|c| is_in_no_key(*c)) else {
                    continue;
                };
                let text = format!(
                    "a key cannot hold {letter:?}; write the key as the table has it, with what the worker puts there instead \
                     (a key has no / \\ # ? and no control characters)"
                );
                problems.add(&way, text);
            }
            Piece::Hole(hole) if matches!(hole.name, Name::Payload(_)) => {
                let (plain, payload) = (hole.to_string(), hole.name);
                if hole.format != Format::Url {
                    let text = format!(
                        "{plain} holds characters that a key cannot hold (/ \\ # ? and control characters), so such a row \
                         could not be stored; put {{id}} into the message instead of {{{payload}}} and write {{id}} here, or write {{{payload}:url}} if the worker escapes the payload"
                    );
                    problems.add(&way, text);
                }
            }
            Piece::Hole(_) => {}
        }
    }
}

/// Whether no key of a table can hold `c`.
fn is_in_no_key(c: char) -> bool {
    c.is_control() || "/\\#?".contains(c)
}

/// Queue service, "Naming queues and metadata".
pub(super) fn queue(template: &Template, way: &[&str], problems: &mut Problems<'_>) {
    plain(template, way, problems);
    let name = filled(template, QUEUE);
    let small = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_name = (3..=LONGEST_NAME).contains(&name.len())
        && name.chars().all(|c| small(c) || c == '-')
        && name.starts_with(small)
        && name.ends_with(small)
        && !name.contains("--");
    if !is_name {
        let text = format!(
            "a queue cannot be called {template}: a name has 3 to {LONGEST_NAME} lower-case letters, digits and single '-', \
             and begins and ends with a letter or digit"
        );
        problems.add(way, text);
    }
}

/// Table service, "Understanding the Table service data model", "Table names".
pub(super) fn table(template: &Template, way: &[&str], problems: &mut Problems<'_>) {
    plain(template, way, problems);
    let name = filled(template, TABLE);
    let is_name = (3..=LONGEST_NAME).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric());
    if !is_name {
        let text = format!(
            "a table cannot be called {template}: a name has 3 to {LONGEST_NAME} letters and digits, and begins with a letter"
        );
        problems.add(way, text);
    }
}

/// POSIX.1-2024, Base Definitions, 8.1 "Environment Variable Definition" and 3.216 "Name": a shell, which starts the worker's
/// command, need not pass on a variable with another name, and dash does not.
pub(super) fn variable(name: &str, way: &[&str], problems: &mut Problems<'_>) {
    let is_letter = |c: char| c == '_' || c.is_ascii_alphabetic();
    if name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit()) {
        return;
    }
    let to_do = if name.contains(':') {
        "; in place of ':' .NET reads '__'"
    } else {
        ""
    };
    let text = format!(
        "{name:?} cannot be the name of an environment variable: a name has letters, digits and '_', and does not begin with \
         a digit{to_do}"
    );
    problems.add(way, text);
}

/// A name holds that of the run as it is.
fn plain(template: &Template, way: &[&str], problems: &mut Problems<'_>) {
    if let Some(hole) = template.holes().find(|hole| hole.format != Format::Plain) {
        let text = format!(
            "{hole} has a format, which a name cannot have; write {{{}}}",
            hole.name
        );
        problems.add(way, text);
    }
}

/// The name in a run whose own resource is `own`. Other placeholders are not allowed there, and have their own error.
fn filled(template: &Template, own: &str) -> String {
    let pieces = template.pieces().iter().map(|piece| match piece {
        Piece::Text(text) => text,
        Piece::Hole(_) => own,
    });
    pieces.collect()
}
