//! Feature files whose text is not read as it looks.

use super::*;

fn problems(text: &str) -> Vec<String> {
    let found = of_text(Path::new("a.feature"), text);
    found.iter().map(ToString::to_string).collect()
}

/// `text` has one problem, with this message.
fn one(text: &str, expected: &str) {
    let found = problems(text);
    assert_eq!(found.len(), 1, "{text:?}: {found:?}");
    assert!(found[0].starts_with(expected), "{text:?}: {found:?}");
}

const GOOD: &str = "Feature: f\n  As a reviewer: I read.\n\n  Rules:\n  - given time, all is done\n\n  # a remark\n  \
                    Rule: r\n    When a node is evicted, its messages are done elsewhere.\n\n    @serial\n    Scenario: s\n      \
                    Given 1 consumer\n      When 5 messages are sent at once\n      Then latency stays within these limits:\n        \
                    | hop | p99 |\n        | end to end | 2\u{a0}s \\| x |\n";

#[test]
fn prose_is_no_problem() {
    let good = GOOD.replace('\u{a0}', " ");
    assert_eq!(problems(&good), [""; 0]);
    assert_eq!(problems(&good.replace('\n', "\r\n")), [""; 0]);
}

#[test]
fn a_keyword_that_is_none_is_named_with_the_one_that_was_meant() {
    for (line, meant) in [
        ("Scenaro: s", "Scenario:"),
        ("scenario: s", "Scenario:"),
        ("SCENARIO: s", "Scenario:"),
        ("Scenario : s", "Scenario:"),
        ("Sceanrio: s", "Scenario:"),
        ("Senario Outline: s", "Scenario Outline:"),
        ("Scenario outline: s", "Scenario Outline:"),
        ("Exmaple: s", "Example:"),
        ("Backgroud:", "Background:"),
        ("rule: r", "Rule:"),
    ] {
        let expected = format!("a.feature:2: '{line}' is a description");
        one(&format!("Feature: f\n  {line}\n"), &expected);
        let found = problems(&format!("Feature: f\n  {line}\n"));
        assert!(found[0].ends_with(&format!("write '{meant}'")), "{found:?}");
    }
    for line in [
        "Note: s",
        "Rules: s",
        "Samples: s",
        "Role: s",
        "See https://example.com/scenario",
    ] {
        assert_eq!(problems(&format!("Feature: f\n  {line}\n")), [""; 0]);
    }
}

/// UTS #39, `confusables.txt`: U+FF1A looks like a colon, U+0441 like c.
#[test]
fn a_keyword_with_a_character_that_looks_like_another_names_it() {
    for (line, letter) in [
        ("Scenario\u{ff1a} s", "U+FF1A"),
        ("S\u{441}enario: s", "U+0441"),
    ] {
        let found = problems(&format!("Feature: f\n  {line}\n"));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("write 'Scenario:'") && found[0].contains(letter),
            "{found:?}"
        );
    }
    for (text, letter) in [
        ("Feature\u{ff1a} f\n", "U+FF1A"),
        (
            "Feature: f\n  Scenario: s\n    Given 1 consumer\n    Wh\u{435}n x\n",
            "U+0435",
        ),
        (
            "Feature: f\n  Scenario: s\n    G\u{456}ven 1 consumer\n    When x\n",
            "U+0456",
        ),
    ] {
        let found = problems(text);
        assert!(found[0].contains(letter), "{found:?}");
    }
    // A name may be in any script.
    assert_eq!(problems("Feature: f\n  Note: \u{43e}n x\n"), [""; 0]);
}

#[test]
fn a_step_in_a_description_is_named() {
    for (text, line) in [
        (
            "Feature: f\n  Given 1 consumer\n  Scenario: s\n    When x\n",
            2,
        ),
        (
            "Feature: f\n  Scenario: s\n    Whn 5 messages are sent at once\n    Then x\n",
            3,
        ),
        (
            "Feature: f\n  Scenario: s\n    given 1 consumer\n    When x\n",
            3,
        ),
        (
            "Feature: f\n  Scenario: s\n    5 messages are sent at once\n    When x\n",
            3,
        ),
        (
            "Feature: f\n  Scenario: s\n    - 1 consumer\n    When x\n",
            3,
        ),
        (
            "Feature: f\n  Scenario: s\n    Given1 consumer\n    When x\n",
            3,
        ),
    ] {
        one(text, &format!("a.feature:{line}: '"));
    }
}

#[test]
fn lines_that_end_in_cr_alone_are_one_line() {
    let old = "Feature: f\r  Scenario: s\r    Given 1 consumer\r";
    one(old, "a.feature:1: a line ends in CR (U+000D) alone");
    one(
        "Feature: f\n\n  Scenario: s\r    Given 1 consumer\n",
        "a.feature:3: a line ends in CR",
    );
}

#[test]
fn what_cannot_be_seen_is_named() {
    let step = |sentence: &str| format!("Feature: f\n  Scenario: s\n    {sentence}\n");
    for (text, expected) in [
        (
            step("Then within 30\u{a0}s all is done"),
            "a.feature:3: 'Then within 30<U+00A0>s all is done' has U+00A0 (no-break space) as its letter 15",
        ),
        (
            step("\u{200b}Given 1 consumer"),
            "a.feature:3: '<U+200B>Given 1 consumer' has U+200B (zero width space)",
        ),
        (
            step("Given 1\tconsumer"),
            "a.feature:3: 'Given 1<U+0009>consumer' has U+0009 (tab)",
        ),
        (
            step("Given\u{a0}1 consumer"),
            "a.feature:3: 'Given<U+00A0>1 consumer'",
        ),
        (
            "Feature: f\n  @ser\u{ad}ial\n".to_owned(),
            "a.feature:2: '@ser<U+00AD>ial' has U+00AD (soft hyphen)",
        ),
        (GOOD.to_owned(), "a.feature:17: '| end to end | 2<U+00A0>s"),
    ] {
        one(&text, expected);
    }
}

/// Gherkin refuses such a table ("inconsistent cell count"); the parser cuts the row off.
#[test]
fn a_row_with_more_cells_than_the_first_is_named() {
    let rows = "    | a | b |\n    | 1 | 2 |\n    | 1 | 2 | 3 |\n";
    one(
        &format!("Feature: f\n  Scenario: s\n    Given x:\n{rows}"),
        "a.feature:6: this row has 3 cells, and the first of its table 2",
    );
}

#[test]
fn doc_strings_and_remarks_hold_what_they_like() {
    let text = "Feature: f\n  # Scenaro: \u{a0}\n  Scenario: s\n    Given x\n      \"\"\"\n      Scenaro: y\u{a0}\n      \
                | a |\n      | a | b |\n      \"\"\"\n    Then y\n";
    assert_eq!(problems(text), [""; 0]);
}

#[test]
fn bytes_that_are_no_text_are_told_apart() {
    assert_eq!(decoded(b"\xef\xbb\xbfFeature: f"), Ok("Feature: f"));
    for (bytes, encoding) in [
        (&b"\xff\xfeF\0"[..], "UTF-16"),
        (b"\xfe\xff\0F", "UTF-16"),
        // Without a mark, as `iconv -t UTF-16LE` writes them.
        (b"F\0e\0", "UTF-16"),
        (b"\0F\0e", "UTF-16"),
        (b"#\0\0\0 \0\0\0", "UTF-32"),
        (b"\0\0\0#\0\0\0 ", "UTF-32"),
        (b"\xff\xfe\0\0F\0\0\0", "UTF-32"),
        (b"\0\0\xfe\xff\0\0\0F", "UTF-32"),
    ] {
        assert_eq!(decoded(bytes), Err(NoText::Wide(encoding)), "{bytes:?}");
    }
    assert_eq!(decoded(b"Feature: f\n  caf\xe9\n"), Err(NoText::NotUtf8(2)));
}

#[test]
fn a_file_has_one_feature() {
    for second in ["Feature: g", "Ability: g", "  Business Need: g"] {
        let text = format!(
            "Feature: f\n  Scenario: s\n    Given 1 consumer\n{second}\n  Scenario: t\n    Given 1 consumer\n"
        );
        one(
            &text,
            "a.feature:4: a second feature begins here, and the first is that of line 1",
        );
    }
}

#[test]
fn a_language_that_gherkin_does_not_have_is_named() {
    for code in ["xx", "english", "de_DE", "e\u{200b}n"] {
        one(
            &format!("# language: {code}\nFeature: f\n"),
            "a.feature:1: there is no language ",
        );
    }
    for line in [
        "# language: en",
        "#language:fr",
        "  #  language :  no  ",
        "# languages: a, b",
        "# our language",
    ] {
        assert_eq!(
            problems(&format!("{line}\nFeature: f\n")),
            [""; 0],
            "{line}"
        );
    }
    // Below the feature, the line is a comment.
    assert_eq!(problems("Feature: f\n  # language: xx\n"), [""; 0]);
}

/// Gherkin allows comments before the language line, and a space after it; the parser allows neither.
#[test]
fn the_language_is_where_the_parser_looks_for_it_and_lines_keep_their_numbers() {
    for (text, expected) in [
        ("Feature: f\n", "Feature: f\n"),
        ("# language: fr  \r\nX\n", "# language: fr\nX\n"),
        ("# ours\n\n  #language : fr\nX\n", "\n\n# language: fr\nX\n"),
        (
            "# ours\nFeature: f\n# language: fr\n",
            "# ours\nFeature: f\n# language: fr\n",
        ),
    ] {
        assert_eq!(with_language_first(text), expected, "{text:?}");
    }
}

/// Keywords of other languages are not compared one by one: a misspelt one is noticed by the steps below it.
#[test]
fn a_step_in_a_description_is_named_in_other_languages_too() {
    let text = "# language: fr\nFonctionnalité: f\n  Sc\u{e9}naro: t\n    Soit 2 consumers\n\n  Scénario: s\n    Soit 1 consumer\n";
    let feature = Feature::parse(text, cucumber::gherkin::GherkinEnv::default()).unwrap();
    let found = of_descriptions(Path::new("a.feature"), text, &feature);
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("a.feature:4: 'Soit 2 consumers' is a description"),
        "{found:?}"
    );
}

#[test]
fn what_git_left_in_a_file_is_named() {
    one(
        "Feature: f\n  Scenario: s\n<<<<<<< HEAD\n    Given 1 consumer\n=======\n    Given 2 consumers\n>>>>>>> b\n",
        "a.feature:3: a conflict of git begins here",
    );
    one(
        "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n",
        "a.feature:1: the file is a pointer of Git LFS",
    );
}
