//! Tests of the descriptions of JSON errors.

use serde::Deserialize;
use serde_json::Value;

use super::*;

/// The parser's messages depend on its version: this test fails if they change.
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
            "{\"count\": 1e300}",
            "is the number 1e+300, must be a whole number from 0 on that is not so large",
        ),
        (
            "{\"count\": 5.5}",
            "is the number 5.5, must be a whole number from 0 on",
        ),
        (
            "{\"count:{a\": 5}",
            "unknown field count:{a; YAML needs a space after the colon",
        ),
        (
            "{\"count\": {}}",
            "is an object, must be a whole number from 0 on",
        ),
        (
            "{\"name\": 5}",
            "is the number 5, must be a string; put it into quotes",
        ),
        ("[]", "is a list, must be an object"),
        ("5", "is the number 5, must be an object"),
    ] {
        let error = serde_json::from_str::<Shape>(text).expect_err(text);
        let (_, said) = trouble(&error, text);
        assert!(said.starts_with(words), "{text}: {said}");
    }
}

#[test]
fn no_shape_is_told_by_the_name_of_a_type() {
    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "read and not used")]
    enum Amount {
        Number(f64),
        Text(String),
    }
    #[derive(Debug, Deserialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        One,
    }
    #[derive(Debug, Deserialize)]
    enum Word {
        One,
    }
    #[derive(Debug, Deserialize, Default)]
    #[serde(default)]
    struct All {
        amount: Option<Amount>,
        tagged: Option<Tagged>,
        word: Option<Word>,
        pair: Option<(u8, u8)>,
        three: Option<[u8; 3]>,
    }
    for (text, words) in [
        ("{\"amount\": []}", "is of a kind that cannot stand here"),
        ("{\"tagged\": 5}", "is the number 5, must be an object"),
        ("{\"word\": \"Two\"}", "is \"Two\", must be one of One"),
        ("{\"pair\": 5}", "is the number 5, must be a list"),
        (
            "{\"pair\": [1]}",
            "is a list of 1, must be a list of another length",
        ),
        ("{\"three\": {}}", "is an object, must be a list"),
    ] {
        let error = serde_json::from_str::<All>(text).expect_err(text);
        let (_, said) = trouble(&error, text);
        assert!(said.starts_with(words), "{text}: {said} ({error})");
        for name in ["Amount", "Tagged", "Word", "All"] {
            assert!(!said.contains(name), "{text}: {said}");
        }
    }
}

#[test]
fn what_a_value_is_is_told_without_what_it_holds() {
    for (text, words) in [
        ("[]", "an empty list"),
        ("[1, 2]", "a list of 2"),
        ("\"hunter2\"", "a text"),
        ("{}", "an object without fields"),
        ("{\"a\": 1, \"b\": 2}", "an object with the fields a, b"),
    ] {
        assert_eq!(kind(&serde_json::from_str(text).unwrap()), words);
    }
}
