//! Rewords errors of the JSON parser for people who write or pass on JSON.

#[cfg(test)]
mod tests;

use serde_json::error::Category;
use serde_json::{Error, Value};

/// Types that `serde` expects, with their names for people.
const TYPES: [(&str, &str); 11] = [
    ("i64", "a whole number"),
    ("u16", "a whole number from 0 on"),
    ("u32", "a whole number from 0 on"),
    ("u64", "a whole number from 0 on"),
    ("usize", "a whole number from 0 on"),
    ("i32", "a whole number"),
    ("f64", "a number"),
    ("a borrowed string", "a string"),
    ("a sequence", "a list"),
    ("a map", "an object"),
    ("a boolean", "true or false, without quotes"),
];

/// Types that `serde` finds, with their names for people.
const FOUND: [(&str, &str); 6] = [
    ("integer ", "the number "),
    ("floating point ", "the number "),
    ("boolean ", ""),
    ("string ", ""),
    ("map", "an object"),
    ("sequence", "a list"),
];

/// The line, from 1, of the JSON error `error` in `text`, and a description of what is wrong there and what to do. The text may
/// be no JSON, or JSON of another shape.
pub fn trouble(error: &Error, text: &str) -> (usize, String) {
    if text.trim().is_empty() {
        return (1, "it is empty".to_owned());
    }
    let line = error.line().max(1);
    let words = match error.classify() {
        Category::Eof => "it ends too early, as what was cut off does; write the rest".to_owned(),
        Category::Io => error.to_string(),
        Category::Data => misfit(&without_place(error)),
        Category::Syntax => {
            let written = text.split('\n').nth(line - 1).unwrap_or_default();
            // The column counts bytes, and is that of the last one read.
            let at = error.column().saturating_sub(1).min(written.len());
            let at = (0..=at).rfind(|at| written.is_char_boundary(*at));
            syntax(&without_place(error), &written[at.unwrap_or_default()..])
        }
    };
    (line, words)
}

/// The parser's message without the position at its end.
fn without_place(error: &Error) -> String {
    let said = error.to_string();
    let end = said.rfind(" at line ").unwrap_or(said.len());
    said[..end].to_owned()
}

/// Describes a syntax error, with `rest` of its line.
fn syntax(said: &str, rest: &str) -> String {
    let shown: String = rest.trim_end().chars().take(20).collect();
    if said == "trailing characters" && shown == "," {
        let words =
            "a comma is at its end; leave the comma away, or make a list of all with [ and ]";
        return words.to_owned();
    }
    let words = match said {
        "trailing comma" => "a comma has nothing after it; leave the comma away",
        "trailing characters" => "something follows after its end; remove it",
        "key must be a string" => "a field's name must stand in double quotes",
        "expected `:`" => "a colon is missing after a field's name",
        "expected `,` or `}`" | "expected `,` or `]`" => "a comma is missing before this",
        "invalid escape" => {
            "a backslash stands before a letter that it changes nothing of; write two"
        }
        "invalid number" => "a number is written as JSON has none; write it as 12 or 1.5",
        _ if said.starts_with("control character") => {
            "a text has a tab or an end of line in it; write \\t or \\n"
        }
        _ if rest.starts_with('\'') => "a text stands in single quotes; JSON has double ones",
        _ if ["None", "True", "False", "NaN"]
            .iter()
            .any(|word| rest.starts_with(word)) =>
        {
            "this is a value of another language; write null, true, false or a number"
        }
        _ => "this is no JSON",
    };
    if shown.is_empty() {
        words.to_owned()
    } else {
        format!("{words}: '{shown}'")
    }
}

/// Describes a type error from `serde`'s message `said`, without the type names of this program. It completes the name of a
/// field: `is "x", must be a number`.
pub fn misfit(said: &str) -> String {
    misnamed(said)
        .or_else(|| mistyped(said))
        .unwrap_or_else(|| said.to_owned())
}

/// Describes an error in names, or in the number of elements.
fn misnamed(said: &str) -> Option<String> {
    let quoted = |text: &str| text.trim_matches('`').to_owned();
    if let Some(field) = said.strip_prefix("missing field ") {
        return Some(format!("lacks the field {}", quoted(field)));
    }
    if let Some(field) = said.strip_prefix("duplicate field ") {
        return Some(format!("has the field {} twice", quoted(field)));
    }
    if let Some((field, known)) = said
        .strip_prefix("unknown field ")
        .and_then(|it| it.split_once(", "))
    {
        let known = known
            .trim_start_matches("expected ")
            .trim_start_matches("one of ");
        let (field, known) = (quoted(field), known.replace('`', ""));
        // YAML parses `name:{` and `-name: value` like this.
        return Some(if field.contains(':') {
            format!("unknown field {field}; YAML needs a space after the colon")
        } else {
            format!("unknown field {field}; there are {known}")
        });
    }
    if let Some((value, known)) = said
        .strip_prefix("unknown variant ")
        .and_then(|it| it.split_once(", "))
    {
        let known = known
            .trim_start_matches("expected ")
            .trim_start_matches("one of ");
        return Some(format!(
            "is {:?}, must be one of {}",
            quoted(value),
            known.replace('`', "")
        ));
    }
    // The message for an enumeration with several shapes, none of which matches.
    if said.starts_with("data did not match any variant") {
        return Some("is of a kind that cannot stand here, such as a list or an object in place of a number or a text".to_owned());
    }
    let length = said.strip_prefix("invalid length ")?;
    let (length, expected) = length.split_once(", expected ")?;
    Some(if expected.starts_with("struct ") {
        "is a list, must be an object".to_owned()
    } else {
        format!("is a list of {length}, must be a list of another length")
    })
}

/// Describes a value of a wrong type.
fn mistyped(said: &str) -> Option<String> {
    let kinds = ["invalid type: ", "invalid value: "];
    let mut found = kinds.iter().filter_map(|kind| said.strip_prefix(kind));
    let (found, expected) = found.next()?.rsplit_once(", expected ")?;
    if found == "null" {
        return Some("is missing".to_owned());
    }
    // A placeholder of a shell, of envsubst or of a pipeline.
    if ["\"$", "\"#{", "\"__"]
        .iter()
        .any(|begin| found.contains(begin))
    {
        let value = found.trim_start_matches("string ");
        return Some(format!(
            "is {value}, a placeholder; write a value there first"
        ));
    }
    let mut kinds = FOUND.into_iter();
    let kind = kinds.find_map(|(ours, people)| Some((ours, people, found.strip_prefix(ours)?)));
    let (ours, value) = match kind {
        Some((ours, people, value)) => (ours, format!("{people}{}", value.replace('`', ""))),
        None => ("", found.to_owned()),
    };
    let mut types = TYPES.into_iter();
    let named = types.find(|(ours, _)| *ours == expected);
    let people = match named {
        Some((_, people)) => people,
        None => of_type(expected),
    };
    let is_number = value.trim_matches('"').parse::<f64>().is_ok();
    let advice = match ours {
        "integer " | "floating point " | "boolean " if people == "a string" => {
            "; put it into quotes"
        }
        "string " if people.contains("number") && is_number => "; leave the quotes away",
        "floating point " if people.contains("whole") && is_too_large(value.as_str()) => {
            " that is not so large"
        }
        _ => "",
    };
    Some(format!("is {value}, must be {people}{advice}"))
}

/// Whether a number is too large for every integer type used here.
fn is_too_large(value: &str) -> bool {
    let number = value
        .rsplit(' ')
        .next()
        .and_then(|it| it.parse::<f64>().ok());
    number.is_some_and(|it| it.abs() >= 9e18)
}

/// The description of `serde`'s expected type, if that is a type of this program.
fn of_type(expected: &str) -> &str {
    let begins = |words: &[&str]| words.iter().any(|it| expected.starts_with(it));
    if begins(&[
        "struct ",
        "internally tagged enum ",
        "adjacently tagged enum ",
    ]) {
        "an object"
    } else if begins(&["tuple ", "a tuple ", "an array of length "]) {
        "a list"
    } else if begins(&["enum ", "variant ", "string or map"]) {
        "one of the words that are known here"
    } else {
        expected
    }
}

/// The kind of `value`, in words, without its content, which may be secret.
pub fn kind(value: &Value) -> String {
    const SHOWN: usize = 5;
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "true or false".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(_) => "a text".to_owned(),
        Value::Array(list) if list.is_empty() => "an empty list".to_owned(),
        Value::Array(list) => format!("a list of {}", list.len()),
        Value::Object(fields) if fields.is_empty() => "an object without fields".to_owned(),
        Value::Object(fields) => {
            let mut shown: Vec<_> = fields.keys().take(SHOWN).map(String::as_str).collect();
            if fields.len() > SHOWN {
                shown.push("others");
            }
            format!("an object with the fields {}", shown.join(", "))
        }
    }
}
