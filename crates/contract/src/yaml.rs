//! What a parser of YAML gives up with, in words for people who write YAML.

use serde_saphyr::{Error, UserMessageFormatter};

use crate::json::misfit;

/// Parts of what the parser says, and what is wrong and what to do. The first that fits counts.
const IN_WORDS: [(&str, &str); 18] = [
    ("invalid u", "a whole number from 0 on is expected here"),
    (
        "invalid bool",
        "true or false is expected here, without quotes",
    ),
    (
        "expected string scalar",
        "a text is expected here; put what begins with { or [ into quotes, and write no list or fields",
    ),
    (
        "null is not allowed here",
        "a text is expected here, and this is null, or nothing; write the text, in quotes if it is the word null, or leave the line out",
    ),
    (
        "tabs disallowed",
        "a tab indents this line; write spaces, since YAML takes no tabs there",
    ),
    (
        "did not find expected key",
        "this line is indented otherwise than those that it belongs to; lines of one level begin with as many spaces",
    ),
    (
        "mapping values are not allowed",
        "there is a second colon, or a key that is indented too far; put a value with a colon into quotes, or align the key with \
         those beside it",
    ),
    (
        "unclosed quote",
        "the quote that begins here has no end; write it",
    ),
    (
        "unclosed bracket",
        "the bracket that begins here has no end; write it, or put the value into quotes if it is a text",
    ),
    (
        "illegal placement of ':'",
        "a bracket, [ or {, has no end before this line; write it, or put the value into quotes if it is a text",
    ),
    (
        "reference to unknown value",
        "what begins with * is an alias to YAML, and nothing before has that name as its anchor; put a text into quotes",
    ),
    (
        "unexpected character",
        "a value begins with a character that means something to YAML; put it into quotes",
    ),
    (
        "directive",
        "a line that begins with % is a directive to YAML; remove it, or put a text into quotes",
    ),
    (
        "expected mapping start",
        "fields are expected here, each as 'name: value'",
    ),
    (
        "expected sequence start",
        "a list is expected here, each entry on a line that begins with '- '",
    ),
    ("unexpected end of", "the file is empty, or ends too early"),
    (
        "simple key expected",
        "this line is no 'name: value'; write the colon and a space after it",
    ),
    (
        "could not find expected ':'",
        "this line is no 'name: value'; write the colon and a space after it",
    ),
];

/// Where `text` is no YAML, or not the YAML that is expected: the line, from 1, and what is wrong there. 0: nobody knows the line.
pub fn trouble(error: &Error, text: &str) -> (u64, String) {
    let line = error.location().map_or(0, |location| location.line());
    if let Error::DuplicateMappingKey { key, .. } = error.without_snippet() {
        let key = key.as_deref().unwrap_or("that is a mapping or a list");
        let twice =
            format!("the key {key} is there a second time; only one can count, remove the other");
        return (line, twice);
    }
    // Its own words advise programmers, and its line comes last.
    let said = error
        .without_snippet()
        .render_with_formatter(&UserMessageFormatter);
    let said = without_place(&said);
    let before = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let shown = text.lines().nth(before).map(str::trim).unwrap_or_default();
    let mut known = IN_WORDS.into_iter();
    let Some((_, words)) = known.find(|(part, _)| said.contains(part)) else {
        let words = misfit(&said);
        return match words.strip_prefix("is ") {
            Some(wrong) if !shown.is_empty() => (line, format!("the value is {wrong}: '{shown}'")),
            // Of what is not there, the parser tells some line after it.
            _ if words.starts_with("lacks ") => (0, words),
            _ => (line, words),
        };
    };
    let told = if shown.is_empty() {
        words.to_owned()
    } else {
        format!("{words}: '{shown}'")
    };
    (line, told)
}

/// A message of the parser without the place at its end or its beginning, which is told already.
fn without_place(said: &str) -> String {
    let said = said.lines().next().unwrap_or_default();
    let said = said.strip_prefix("error: ").unwrap_or(said);
    let said = match said.split_once(": ") {
        Some((place, rest)) if place.starts_with("line ") => rest,
        _ => said,
    };
    let end = said.find(" at line ").unwrap_or(said.len());
    said[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn told(text: &str) -> (u64, String) {
        let error = serde_saphyr::from_str::<BTreeMap<String, serde_json::Value>>(text);
        trouble(&error.expect_err(text), text)
    }

    /// The parser's own words are a fact of its version: a text that it finds others for fails here.
    #[test]
    fn what_is_no_yaml_is_told_with_what_to_do_and_the_line_itself() {
        for (text, line, words) in [
            ("a:\n\tb: 1\n", 2, "a tab indents this line"),
            (
                "a:\n  b: 1\n   c: 2\n",
                3,
                "second colon, or a key that is indented too far",
            ),
            (
                "a:\n    b: 1\n  c: 2\n",
                3,
                "this line is indented otherwise",
            ),
            ("a: b: c\n", 1, "put a value with a colon into quotes"),
            ("a: \"b\n", 1, "the quote that begins here has no end"),
            ("a: [b\n", 1, "the bracket that begins here has no end"),
            (
                "a: [b\nc: d\n",
                2,
                "a bracket, [ or {, has no end before this line",
            ),
            ("a: *b\n", 1, "is an alias to YAML"),
            ("a: @b\n", 1, "put it into quotes"),
            ("%YAML 9\na: b\n", 1, "is a directive to YAML"),
            ("- a\n", 1, "fields are expected here"),
            ("hello\n", 1, "fields are expected here"),
            ("a: 1\na: 2\n", 2, "the key a is there a second time"),
        ] {
            let (at, said) = told(text);
            assert!(said.contains(words), "{text:?}: {said}");
            assert_eq!(at, line, "{text:?}: {said}");
            let shown = text
                .lines()
                .nth(usize::try_from(line).unwrap() - 1)
                .unwrap();
            let is_shown = said.ends_with(&format!(": '{}'", shown.trim()));
            assert!(is_shown || said.contains("second time"), "{said}");
        }
    }

    #[test]
    fn what_is_not_known_is_told_as_the_parser_does_without_its_place() {
        assert_eq!(
            without_place("error: line 3 column 4: odd at line 3, column 4\n --> <input>"),
            "odd"
        );
        assert_eq!(without_place("odd: very"), "odd: very");
    }
}
