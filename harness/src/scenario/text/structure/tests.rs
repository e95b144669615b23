//! Files with a part in the wrong place.

use super::*;

fn problems(text: &str) -> Vec<String> {
    let found = of_structure(Path::new("a.feature"), text);
    found.iter().map(ToString::to_string).collect()
}

const STEPS: &str = "    Given 1 consumer\n    When 5 messages are sent at once\n    Then within 30 s all is well\n";

/// `text`, with a few steps in place of `STEPS`, has one problem.
fn one(text: &str, line: usize, expected: &str) {
    let text = text.replace("STEPS", STEPS);
    let found = problems(&text);
    assert_eq!(found.len(), 1, "{text}: {found:?}");
    let begin = format!("a.feature:{line}: ");
    assert!(found[0].starts_with(&begin), "{text}: {found:?}");
    assert!(found[0].contains(expected), "{text}: {found:?}");
}

#[test]
fn a_file_that_begins_with_no_feature_is_told_so_and_nothing_else() {
    for (text, expected) in [
        ("Scenario: s\nSTEPS", "and this one with 'Scenario: s'"),
        (
            "feature: f\n  Scenario: s\nSTEPS",
            "write 'Feature: <name>', with a capital",
        ),
        (
            "Feature f\n  Scenario: s\nSTEPS",
            "write 'Feature: <name>', with a capital",
        ),
        (
            "<?xml version='1.0'?>\n<a/>\n",
            "with '<?xml version='1.0'?>'",
        ),
        ("@serial\n", "only tags or remarks"),
        ("# ours\n", "only tags or remarks"),
    ] {
        one(text, 1, expected);
    }
}

#[test]
fn what_stands_in_a_wrong_place_is_told_where_to_put_it() {
    for (text, line, expected) in [
        (
            "Feature: f\n  Background:\n    Given 1 consumer\n  Background:\n    Given 2 consumers\n  Scenario: s\nSTEPS",
            4,
            "the first is that of line 2; put the steps of both into one",
        ),
        (
            "Feature: f\n  Scenario: s\nSTEPS  Background:\n    Given 1 consumer\n",
            6,
            "before the first scenario of its feature or rule; move it up",
        ),
        (
            "Feature: f\n  @a\n  Background:\n    Given 1 consumer\n  Scenario: s\nSTEPS",
            3,
            "'Background:' cannot have tags",
        ),
        (
            "Feature: f\n  Rule: r\n    Rule: q\n    Scenario: s\nSTEPS",
            3,
            "the rule before this one has no scenario",
        ),
        (
            "Feature: f\n  Examples:\n    | n |\n    | 1 |\n  Scenario: s\nSTEPS",
            2,
            "examples stand below the steps",
        ),
        (
            "Feature: f\n  Scenario: s\nSTEPS  @serial\n",
            6,
            "nothing stands below these tags",
        ),
        (
            "Feature: f\n  Scenario: s\n  @serial\nSTEPS",
            3,
            "these tags stand above a step",
        ),
        (
            "Feature: f\n  @serial nightly\n  Scenario: s\nSTEPS",
            2,
            "'nightly' in '@serial nightly' is no tag",
        ),
        (
            "@serial Feature: f\n@x\nFeature: f\n  Scenario: s\nSTEPS",
            1,
            "'Feature:' in '@serial Feature: f' is no tag",
        ),
        (
            "Feature: f\n  Scenario: s\n    | a |\nSTEPS",
            3,
            "this one is a description",
        ),
        (
            "Feature: f\n  Scenario: s\n    Given 1\n      consumer\n",
            4,
            "'consumer' is among steps and is none",
        ),
    ] {
        one(text, line, expected);
    }
}

#[test]
fn tables_and_doc_strings_that_do_not_end_are_told_how_to() {
    for (text, line, expected) in [
        (
            "Feature: f\n  Scenario: s\n    Given a:\n      | a | b\n",
            4,
            "no bar at its end: '| a | b'; write |",
        ),
        (
            "Feature: f\n  Scenario: s\n    Given a:\n      | a \\|\n",
            4,
            "no bar at its end",
        ),
        (
            "Feature: f\n  Scenario: s\n    Given a:\n      | a \\x |\n",
            4,
            "write \\\\ for a backslash",
        ),
        (
            "Feature: f\n  Scenario: s\n    Given a\n      \"\"\"\n      Scenario: t\n    When b\n",
            4,
            "the doc string that begins here has no end; write \"\"\" on a line of its own below it",
        ),
        (
            "Feature: f\n  Scenario: s\n    Given a\n      ```\n      b\n      ``` c\n    When b\n",
            6,
            "the end of the doc string has 'c' after it",
        ),
        (
            "Feature: f\n  Scenario: s\n    Given a:\n      | b |\n      \"\"\"\n      c\n      \"\"\"\n    When b\n",
            5,
            "one table or one doc string",
        ),
    ] {
        one(text, line, expected);
    }
    for good in [
        "Feature: f\n  Scenario: s\n    Given a\n      \"\"\" json\n      | a\n      \"\"\"\n    When b\n",
        "Feature: f\n  Scenario: s\n    Given a:\n      | a \\| b \\\\ c \\n d | # |\n      |  |\n",
        "# language: en\n@a @b # both\n@c\nFeature: f\n  Rule: r\n    Background:\n      Given a\n    Scenario: s\n      * b\n  \
         Rule: q\n    Background:\n      Given a\n    @d\n    Scenario Outline: s\n      * b\n      @e\n      Examples: x\n        \
         as one reads\n        | n |\n        | 1 |\n",
    ] {
        assert_eq!(problems(good), [""; 0], "{good}");
    }
}
