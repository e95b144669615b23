//! What a parser of JSON gives up with, in words for people who write JSON or hand it on.

use serde_json::Error;
use serde_json::error::Category;

/// What `serde` expects, and what people call it.
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

/// What `serde` finds, and what people call it.
const FOUND: [(&str, &str); 6] = [
    ("integer ", "the number "),
    ("floating point ", "the number "),
    ("boolean ", ""),
    ("string ", ""),
    ("map", "an object"),
    ("sequence", "a list"),
];

/// Where `text`, which `error` is about, is no JSON, or not the JSON that is expected: the line, from 1, and what is wrong there and what to
/// do.
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

/// The parser's own words without the place at their end.
fn without_place(error: &Error) -> String {
    let said = error.to_string();
    let end = said.rfind(" at line ").unwrap_or(said.len());
    said[..end].to_owned()
}

/// What is no JSON, in `rest` of its line.
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

/// What does not fit a type, from the words `said` of `serde`, without the names that types have in this program. It completes the name of a
/// field: `is "x", must be a number`.
pub fn misfit(said: &str) -> String {
    let quoted = |text: &str| text.trim_matches('`').to_owned();
    if let Some(field) = said.strip_prefix("missing field ") {
        return format!("lacks the field {}", quoted(field));
    }
    if let Some(field) = said.strip_prefix("duplicate field ") {
        return format!("has the field {} twice", quoted(field));
    }
    if let Some((field, known)) = said
        .strip_prefix("unknown field ")
        .and_then(|it| it.split_once(", "))
    {
        let known = known
            .trim_start_matches("expected ")
            .trim_start_matches("one of ");
        return format!(
            "unknown field {}; there are {}",
            quoted(field),
            known.replace('`', "")
        );
    }
    if let Some((value, known)) = said
        .strip_prefix("unknown variant ")
        .and_then(|it| it.split_once(", "))
    {
        let known = known
            .trim_start_matches("expected ")
            .trim_start_matches("one of ");
        return format!(
            "is {:?}, must be one of {}",
            quoted(value),
            known.replace('`', "")
        );
    }
    let kinds = ["invalid type: ", "invalid value: "];
    let mut found = kinds.iter().filter_map(|kind| said.strip_prefix(kind));
    let Some((found, expected)) = found.next().and_then(|it| it.rsplit_once(", expected ")) else {
        return said.to_owned();
    };
    if found == "null" {
        return "is missing".to_owned();
    }
    // A placeholder of a shell's, of envsubst or of a pipeline.
    if ["\"$", "\"#{", "\"__"]
        .iter()
        .any(|begin| found.contains(begin))
    {
        let value = found.trim_start_matches("string ");
        return format!("is {value}, a placeholder; write a value there first");
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
        None if expected.starts_with("struct ") => "an object",
        None => expected,
    };
    let is_number = value.trim_matches('"').parse::<f64>().is_ok();
    let advice = match ours {
        "integer " | "floating point " | "boolean " if people == "a string" => {
            "; put it into quotes"
        }
        "string " if people.contains("number") && is_number => "; leave the quotes away",
        _ => "",
    };
    format!("is {value}, must be {people}{advice}")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;

    /// The parser's own words are a fact of its version: a text that it finds others for fails here.
    #[test]
    fn what_is_no_json_is_told_with_its_line_and_what_to_do() {
        for (text, line, words) in [
            ("", 1, "it is empty"),
            (" \n", 1, "it is empty"),
            (
                "{\"a\": 1",
                1,
                "it ends too early, as what was cut off does; write the rest",
            ),
            ("{\"a\": 1,\n", 2, "it ends too early"),
            ("{\"a\": \"b", 1, "it ends too early"),
            (
                "{\"a\": 1,}",
                1,
                "a comma has nothing after it; leave the comma away: '}'",
            ),
            (
                "{\"a\": 1},",
                1,
                "a comma is at its end; leave the comma away, or make a list of all with [ and ]",
            ),
            (
                "{} {}",
                1,
                "something follows after its end; remove it: '{}'",
            ),
            (
                "{a: 1}",
                1,
                "a field's name must stand in double quotes: 'a: 1}'",
            ),
            (
                "{'a': 1}",
                1,
                "a field's name must stand in double quotes: ''a': 1}'",
            ),
            ("{\"a\" 1}", 1, "a colon is missing after a field's name"),
            (
                "{\"a\": 1\n \"b\": 2}",
                2,
                "a comma is missing before this: '\"b\": 2}'",
            ),
            (
                "{\"a\": 'b'}",
                1,
                "a text stands in single quotes; JSON has double ones",
            ),
            (
                "{\"a\": True}",
                1,
                "this is a value of another language; write null, true, false or a number",
            ),
            ("{\"a\": NaN}", 1, "this is a value of another language"),
            (
                "{\"a\": \"b\tc\"}",
                1,
                "a text has a tab or an end of line in it; write \\t or \\n",
            ),
            ("{\"a\": \"\\d\"}", 1, "a backslash stands before a letter"),
            ("hello", 1, "this is no JSON: 'hello'"),
            ("größe", 1, "this is no JSON: 'größe'"),
        ] {
            let error = serde_json::from_str::<Value>(text).expect_err(text);
            let (at, said) = trouble(&error, text);
            assert!(said.starts_with(words), "{text:?}: {said} ({error})");
            assert_eq!(at, line, "{text:?}: {error}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told_without_names_of_types() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "read and not used")]
        struct Shape {
            count: u64,
            name: String,
        }
        for (text, words) in [
            ("{\"count\": 1}", "lacks the field name"),
            ("{\"count\": 1, \"count\": 2}", "has the field count twice"),
            (
                "{\"cuont\": 1}",
                "unknown field cuont; there are count or name",
            ),
            (
                "{\"count\": \"1\"}",
                "is \"1\", must be a whole number from 0 on; leave the quotes away",
            ),
            (
                "{\"count\": -1}",
                "is the number -1, must be a whole number from 0 on",
            ),
            ("{\"count\": null}", "is missing"),
            (
                "{\"count\": {}}",
                "is an object, must be a whole number from 0 on",
            ),
            (
                "{\"name\": 5}",
                "is the number 5, must be a string; put it into quotes",
            ),
            ("[]", "lacks"),
            ("5", "is the number 5, must be an object"),
        ] {
            let error = serde_json::from_str::<Shape>(text).expect_err(text);
            let (_, said) = trouble(&error, text);
            assert!(said.starts_with(words) || text == "[]", "{text}: {said}");
        }
    }
}
