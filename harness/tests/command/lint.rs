//! `harness lint`, and the deadlines of scenarios.

use std::process::{Command, Output};

const FEATURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../features");

fn harness(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harness"));
    command
        .args(arguments)
        .output()
        .expect("the harness must start")
}

#[test]
fn the_features_of_this_repository_use_every_step_and_have_no_problem() {
    let output = harness(&["lint", "--deny-unused", FEATURES]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        said.trim_end().ends_with("scenarios checked, 0 problems"),
        "{said}"
    );
}

#[test]
fn every_problem_of_a_file_is_named_with_its_line() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let file = directory.path().join("a.feature");
    let content = "\
Feature: f
  @sreial
  Scenario: s
    Given 1 consumer
    When nonsense is done
  Scenario: s
    When 5 messages are sent at once
    Then no message was delivered more than once
  Scenario: t
    When 5000000000 messages are sent at once
    Then within 5 s every message has exactly one result
";
    std::fs::write(&file, content).expect("a feature file");
    let path = file.to_str().expect("a path of text");
    let output = harness(&["lint", path]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for problem in [
        "a.feature:3: unknown tag @sreial",
        "a.feature:5: the step 'When nonsense is done' is not defined",
        "a.feature:3: the scenario \"s\" has no Then",
        "a.feature:6: the scenario \"s\" has the name of that at",
        "a.feature:6: the scenario \"s\" has no deadline",
        "a.feature:10: 5000000000 in 'When 5000000000 messages are sent at once' is more than a step takes",
    ] {
        assert!(said.contains(problem), "{problem:?} is missing in {said}");
    }
    // Features of one's own use few of the steps that there are, and hear of the others only if they ask.
    let unused = "no scenario uses the step";
    assert!(!said.contains(unused), "{said}");
    let asked = harness(&["lint", "--deny-unused", path]);
    let said = String::from_utf8_lossy(&asked.stdout);
    assert!(said.contains(unused), "{unused:?} is missing in {said}");
    let missing = harness(&["lint", "no-such-directory"]);
    assert_eq!(missing.status.code(), Some(2));
}

const GOOD: &str = "Scenario: s\n    Given 1 consumer\n    When 5 messages are sent at once\n    \
                    Then within 30 s every message has exactly one result\n";

/// Feature files with a part that never runs, each with the problem that is reported.
fn never_run() -> Vec<(String, &'static str)> {
    [parts_that_never_run(), steps_that_never_run()].concat()
}

/// Scenarios, outlines, rules and features.
fn parts_that_never_run() -> Vec<(String, &'static str)> {
    vec![
        (
            format!(
                "Feature: f\n  {GOOD}  Scenario Outline: o\n    Given 1 consumer\n    When <n> messages are sent at once\n    \
                     Then within 30 s every message has exactly one result\n    Examples:\n      | n |\n"
            ),
            "a.feature:10: these examples of \"o\" have no row",
        ),
        (
            format!(
                "Feature: f\n  {GOOD}  Scenario Outline: o\n    Given 1 consumer\n    When 4 messages are sent at once\n    \
                     Then within 30 s every message has exactly one result\n"
            ),
            "a.feature:6: \"o\" is an outline without examples",
        ),
        (
            format!("Feature: f\r  {GOOD}").replace('\n', "\r"),
            "a.feature:1: a line ends in CR (U+000D) alone",
        ),
        (
            format!("Feature: f\n  Scenaro: t\n  {GOOD}"),
            "a.feature:2: 'Scenaro: t' is a description",
        ),
        (
            format!("Feature: f\n  {GOOD}  Rule: r\n"),
            "a.feature:6: the rule \"r\" has no scenario",
        ),
        (
            format!("Feature: f\n  {GOOD}Feature: g\n  {GOOD}"),
            "a.feature:6: a second feature begins here, and the first is that of line 1",
        ),
        (
            format!("# language: xx\nFeature: f\n  {GOOD}"),
            "a.feature:1: there is no language \"xx\" of Gherkin",
        ),
        (
            "# ours\n# language: fr \nFonctionnalité: f\n\n  Scénaro: t\n    Soit 1 consumer\n\n  Scénario: s\n    Soit 1 consumer\n".to_owned(),
            "a.feature:6: 'Soit 1 consumer' is a description, which never runs",
        ),
        (
            "Feature: f\n  All of it is prose.\n".to_owned(),
            "a.feature:1: the feature \"f\" has no scenario",
        ),
    ]
}

/// Steps, and their tables and doc strings.
fn steps_that_never_run() -> Vec<(String, &'static str)> {
    vec![
        (
            format!(
                "Feature: f\n  {}",
                GOOD.replace("5 messages", "\u{ff15} messages")
            ),
            "a.feature:4: \u{ff15} (U+FF15)",
        ),
        (
            format!("Feature: f\n  {}", GOOD.replace("Given 1", "Given1")),
            "a.feature:3: 'Given1 consumer' is a description",
        ),
        (
            format!(
                "Feature: f\n  {}    Examples:\n      | n |\n      | 5 |\n",
                GOOD.replace("5 messages", "<m> messages")
            ),
            "a.feature:4: <m> is in no column of the examples",
        ),
        (
            format!(
                "Feature: f\n  {}",
                GOOD.replace("consumer\n", "consumer\n      | a |\n      | b |\n")
            ),
            "a.feature:3: the step '1 consumer' takes no table",
        ),
        (
            format!(
                "Feature: f\n  {}",
                GOOD.replace(
                    "consumer\n",
                    "consumer\n      \"\"\"\n      b\n      \"\"\"\n"
                )
            ),
            "a.feature:3: the step '1 consumer' takes no doc string",
        ),
        (
            format!("Feature: f\n  {GOOD}    And latency stays within these limits:\n"),
            "a.feature:6: the step 'latency stays within these limits:' needs a table",
        ),
        (
            format!("Feature: f\n  {}", GOOD.replace("30 s", "30\u{a0}s")),
            "a.feature:5: 'Then within 30<U+00A0>s",
        ),
    ]
}

/// Text that looks as if it ran, and does not run, makes `lint` and `run` fail.
#[test]
fn what_never_runs_is_a_problem() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let nested = directory.path().join("team");
    std::fs::create_dir(&nested).expect("a directory");
    let file = nested.join("a.feature");
    for (content, problem) in never_run() {
        std::fs::write(&file, &content).expect("a feature file");
        let path = directory.path().to_str().expect("a path of text");
        for arguments in [vec!["lint", path], vec!["run", "--features", path]] {
            let output = harness(&arguments);
            let said =
                String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert_eq!(output.status.code(), Some(2), "{arguments:?} {said}");
            assert!(said.contains(problem), "{problem:?} is missing in {said}");
        }
    }
}

/// A byte order mark at the beginning is ignored, as Cucumber does (`EncodingParser` of cucumber-jvm); other encodings are reported.
#[test]
fn encodings_are_read_or_named() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let file = directory.path().join("a.feature");
    let good = "Feature: f\r\n  Scenario: s\r\n    Given 1 consumer\r\n    When 5 messages are sent at once\r\n    \
                Then within 30 s every message has exactly one result\r\n";
    let utf16: Vec<u8> = "\u{feff}Feature: f"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (bytes, code, words) in [
        (
            format!("\u{feff}{good}").into_bytes(),
            0,
            "1 scenario checked, 0 problems",
        ),
        (
            utf16[2..].to_vec(),
            2,
            "a.feature:1: the file is in UTF-16; save it as UTF-8",
        ),
        (
            utf16,
            2,
            "a.feature:1: the file is in UTF-16; save it as UTF-8",
        ),
        (
            b"Feature: f\n  caf\xe9\n".to_vec(),
            2,
            "a.feature:2: the file is not in UTF-8",
        ),
    ] {
        std::fs::write(&file, bytes).expect("a feature file");
        let output = harness(&["lint", file.to_str().expect("a path of text")]);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(words), "{words:?} is missing in {said}");
    }
}

#[test]
fn a_file_that_is_no_feature_is_refused_in_words_with_its_line() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let file = directory.path().join("a.feature");
    for (content, words) in [
        (
            "",
            "a.feature:1: the file is empty: a feature begins with a line 'Feature: <name>'",
        ),
        ("\n  \n", "a.feature:1: the file is empty"),
        ("\nScenario: s\n", "a.feature:2: "),
        ("\nScenario: s\n", "'Scenario: s'"),
        (
            "Scenario: s\n  Given 1 consumer\n",
            "a.feature:1: a feature file begins with a line 'Feature: <name>', and this one with 'Scenario: s'",
        ),
        (
            "# language: fr\nFeature: f\n  Scenario: s\n",
            "a.feature:2: this line begins with no keyword, or with one that cannot stand here: 'Feature: f'; the file is in the \
             language \"fr\" of Gherkin, as its line 1 says",
        ),
        (
            "Feature: f\n  Scenario s\n    Given 1 consumer\n",
            "a.feature:2: this line begins with no keyword, or with one that cannot stand here: 'Scenario s'; if it was to begin a \
             part of the feature, write 'Scenario:'",
        ),
        (
            "Feature: f\n  Scenario Outline: s\n    Given <n> consumer\n    Examples:\n      | n | n |\n      | 1 | 2 |\n",
            "a.feature:4: the column \"n\" is there twice",
        ),
        (
            "Feature: f\n  Background:\n    Given 1 consumer\n  Background:\n    Given 2 consumers\n  Scenario: s\n    When x\n",
            "a.feature:4: a second background begins here, and the first is that of line 2",
        ),
    ] {
        std::fs::write(&file, content).expect("a feature file");
        let output = harness(&["lint", file.to_str().expect("a path of text")]);
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{words:?} is missing in {said}");
    }
}

/// Cucumber stops at the first file that it cannot parse; a user wants all problems of all files.
#[test]
fn one_run_tells_of_all_files_and_all_columns() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let outline = format!(
        "Feature: f\n  {}    Examples:\n      | n |\n      | 5 |\n",
        GOOD.replace("5 messages", "<m> messages")
            .replace("1 consumer", "<c> consumers")
    );
    for (name, content) in [
        ("a.feature", outline),
        ("b.feature", "Feature f\n".to_owned()),
        ("c.feature", "\n".to_owned()),
        (
            "d.feature",
            format!("Feature: d\n  {}", GOOD.replace("1 consumer", "nonsense")),
        ),
    ] {
        std::fs::write(directory.path().join(name), content).expect("a feature file");
    }
    let output = harness(&["lint", directory.path().to_str().expect("a path of text")]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for part in [
        "a.feature:3: <c> is in no column",
        "a.feature:4: <m> is in no column",
        "b.feature:1: ",
        "c.feature:1: the file is empty",
        "d.feature:3: the step 'Given nonsense' is not defined",
        "1 scenario checked, 5 problems",
    ] {
        assert!(said.contains(part), "{part:?} is missing in {said}");
    }
}

#[test]
fn a_step_that_does_not_end_is_cut_off_and_no_pass() {
    let out = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let out = out.path().to_str().expect("a path of text");
    let scenario = "An empty queue is no error";
    let output = harness(&[
        "run",
        scenario,
        "--features",
        FEATURES,
        "--out",
        out,
        "--scenario-deadline=1ms",
        "--step-deadline=1ms",
    ]);
    let said = String::from_utf8_lossy(&output.stdout);
    // The `When` states 2 s; starting consumers and waiting for 2 s takes longer.
    assert_eq!(output.status.code(), Some(12), "{said}");
    assert!(
        said.contains("has not ended within its deadline of 2.0s"),
        "{said}"
    );
    assert!(
        said.contains("0 passed, 0 failed, 1 incomplete, 0 not run"),
        "{said}"
    );
}
