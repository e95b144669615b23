//! Rewords errors of the YAML parser for people who write YAML.

mod misread;

use serde_saphyr::{Error, UserMessageFormatter};

use crate::json::misfit;
use misread::misread;

/// Parts of the parser's messages, with a description of the problem and what to do. The first match counts.
const IN_WORDS: &[(&str, &str)] = &[
    (
        "only single YAML document expected",
        "a second document begins here, and one is read; remove the line --- above it with what follows, or make a file of its own of it",
    ),
    (
        "is not a finite number",
        "this is no number to JSON or to a table; put it into quotes, if it is a text",
    ),
    (
        "externally tagged enum expected",
        "one word is expected here, and no list or fields",
    ),
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
        "a text is expected here, but this is null or empty; write the text, in quotes if it is the word null, or leave the \
         line out",
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
        "invalid trailing content after",
        "a text goes on after the quote that closes it; write a ' in single quotes twice, and a \" in double quotes as \\\"",
    ),
    (
        "found unexpected document indicator",
        "the quote that begins here has no end before the line --- or ... below it; write it",
    ),
    (
        "unknown escape character",
        "a backslash in double quotes stands before a letter that it changes nothing of; write two, or single quotes",
    ),
    (
        "while parsing a quoted scalar",
        "a backslash in double quotes begins a character that there is not; write two, or single quotes",
    ),
    (
        "misplaced bracket",
        "a bracket ends here that was not begun; take it out, or put the value into quotes if it is a text",
    ),
    (
        "did not find expected ',' or '}'",
        "a comma, or the end of the bracket {, is missing before this line; write it",
    ),
    (
        "expected ',' or ']'",
        "a comma, or the end of the bracket [, is missing before this line; write it",
    ),
    (
        "while scanning a block scalar",
        "after | or > the text begins on the next line; put a text that begins with one of them into quotes",
    ),
    (
        "did not find expected '-' indicator",
        "this line stands among the entries of a list and is none; begin it with '- ', or indent it as what it belongs to",
    ),
    (
        "block sequence entries are not allowed",
        "an entry of a list begins here, where none can; begin it on a line of its own, below the name of the list",
    ),
    (
        "mapping keys are not allowed",
        "a name begins here, where none can; write it on a line of its own",
    ),
    (
        "invalid indentation",
        "this line is indented less than what it belongs to; indent it further, or end the quote or bracket above it",
    ),
    (
        "did not find expected node content",
        "a value is missing before this; write it",
    ),
    (
        "a tag",
        "what begins with ! is a tag to YAML; put a text into quotes",
    ),
    (
        "an anchor or alias",
        "what begins with & or * means something to YAML; put a text into quotes",
    ),
    (
        "unknown anchor",
        "what begins with * is an alias to YAML, and nothing before has that name as its anchor; put a text into quotes",
    ),
    (" tab", "a tab stands where YAML takes none; write spaces"),
    (
        "document end marker",
        "something follows on the line of --- or ...; write it on the next line",
    ),
    (
        "did not find expected <document start>",
        "a second document begins here without a line --- before it, or this line belongs to nothing above it",
    ),
    ("unexpected EOF", "the file ends too early"),
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
        "this line is no 'name: value'; write the colon and a space after it, or indent the line further if it goes on with the text above",
    ),
    (
        "could not find expected ':'",
        "this line is no 'name: value'; write the colon and a space after it, or indent the line further if it goes on with the text above",
    ),
];

/// The line, from 1, of the error in `text`, and its description: invalid YAML, or YAML of another shape. 0: the line is
/// unknown.
pub fn trouble(error: &Error, text: &str) -> (u64, String) {
    let (line, said) = said_of(error, text);
    let last = usize::try_from(line).unwrap_or(usize::MAX);
    let lines: Vec<&str> = text.lines().take(last).collect();
    // The parser often reports the line after the wrong one.
    let mut near = lines
        .iter()
        .rev()
        .filter(|line| !line.trim().is_empty())
        .take(2);
    match near.find_map(|line| misread(line)) {
        Some(told) => (line, format!("{said}; {told}")),
        None => (line, said),
    }
}

fn said_of(error: &Error, text: &str) -> (u64, String) {
    let line = error.location().map_or(0, |location| location.line());
    if let Error::DuplicateMappingKey { key, .. } = error.without_snippet() {
        let key = key.as_deref().unwrap_or("that is a mapping or a list");
        let twice =
            format!("the key {key} is there a second time; only one can count, remove the other");
        return (line, twice);
    }
    // The parser's messages address programmers, and its line is at the end.
    let said = error
        .without_snippet()
        .render_with_formatter(&UserMessageFormatter);
    let said = without_place(&said);
    let before = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let shown = text.lines().nth(before).map(str::trim).unwrap_or_default();
    let mut known = IN_WORDS.iter();
    let Some((_, words)) = known.find(|(part, _)| said.contains(part)) else {
        let words = misfit(&said);
        return match words.strip_prefix("is ") {
            Some(wrong) if !shown.is_empty() => (line, format!("the value is {wrong}: '{shown}'")),
            // For a missing field, the parser reports some later line.
            _ if words.starts_with("lacks ") => (0, words),
            _ => (line, words),
        };
    };
    let begun = said
        .contains("trailing content")
        .then(|| unclosed(text, before));
    let words = match begun.flatten() {
        Some(begun) => format!("the quote that begins in line {begun} has no end there; write it"),
        None => (*words).to_owned(),
    };
    let told = if shown.is_empty() {
        words
    } else {
        format!("{words}: '{shown}'")
    };
    (line, told)
}

/// The first of the `before` first lines, from 1, whose value begins with a quote that does not end on it.
fn unclosed(text: &str, before: usize) -> Option<usize> {
    let is_unclosed = |line: &str| {
        let line = line.trim_end();
        let mut values = ["'", "\""].into_iter();
        values.any(|quote| {
            let mut begins = [": ", "- "].into_iter();
            let value = begins.find_map(|it| line.split_once(&format!("{it}{quote}")));
            value.is_some_and(|(_, rest)| rest.matches(quote).count() % 2 == 0)
        })
    };
    let mut lines = text.lines().take(before);
    lines.position(is_unclosed).map(|at| at + 1)
}

/// A message of the parser without the position at its end or beginning, which is reported separately.
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

    pub(super) fn told(text: &str) -> (u64, String) {
        let error = serde_saphyr::from_str::<BTreeMap<String, serde_json::Value>>(text);
        trouble(&error.expect_err(text), text)
    }

    /// The parser's messages depend on its version: this test fails if they change.
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
            ("a: .inf\n", 1, "this is no number to JSON"),
            ("a: 1\n---\nb: 2\n", 3, "a second document begins here"),
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
    fn quotes_escapes_and_brackets_are_told_in_words() {
        for (text, line, words) in [
            (
                "a: 'b\nc: 'd'\n",
                2,
                "the quote that begins in line 1 has no end there",
            ),
            ("a: 'it's'\n", 1, "write a ' in single quotes twice"),
            (
                "{\"a\": \"b, \"c\": 1}",
                1,
                "a text goes on after the quote",
            ),
            ("a: \"\\q\"\n", 1, "a backslash in double quotes"),
            ("a: \"\\xzz\"\n", 1, "a backslash in double quotes"),
            ("a: }\n", 1, "a bracket ends here that was not begun"),
            ("a: {b: c\nd: e\nf: g\n", 2, "{"),
            (
                "a: >b\n",
                1,
                "after | or > the text begins on the next line",
            ),
            (
                "a: \"b\n---\nc: d\n",
                1,
                "the quote that begins here has no end before the line ---",
            ),
            ("a: - b\n", 1, "an entry of a list begins here"),
        ] {
            let (at, said) = told(text);
            assert!(said.contains(words), "{text:?}: {said}");
            assert_eq!(at, line, "{text:?}: {said}");
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
