//! Finds outlines whose placeholders and columns do not match.

use std::collections::BTreeSet;
use std::path::Path;

use cucumber::gherkin::{Feature, Scenario as Gherkin};

use crate::scenario::lint::{Problem, Problems};

/// The problem of a placeholder without a column.
pub(super) fn no_column(name: &str) -> String {
    format!("<{name}> is in no column of the examples; write one of their headers")
}

/// Removes outlines from `feature` that cannot be expanded, and reports each placeholder without a column (Gherkin reference,
/// "Scenario Outline"). `harness run` refuses a feature with these problems.
pub(super) fn take_out(feature: &mut Feature, file: &Path) -> Vec<Problem> {
    let mut problems = Problems::of(file);
    let of_rules = feature.rules.iter_mut().map(|rule| &mut rule.scenarios);
    for scenarios in of_rules.chain([&mut feature.scenarios]) {
        scenarios.retain(|scenario| {
            let found = of_outline(scenario);
            let is_whole = found.is_empty();
            for (line, text) in found {
                problems.add(line, text);
            }
            is_whole
        });
    }
    problems.found
}

/// The problems of one outline, by line.
fn of_outline(scenario: &Gherkin) -> BTreeSet<(usize, String)> {
    let mut found = BTreeSet::new();
    for examples in &scenario.examples {
        let Some(table) = &examples.table else {
            continue;
        };
        let Some((header, rows)) = table.rows.split_first() else {
            continue;
        };
        if rows.is_empty() {
            continue;
        }
        for (line, text) in texts(scenario) {
            for name in placeholders(text) {
                if !header.iter().any(|it| it == name) {
                    found.insert((line, no_column(name)));
                }
            }
        }
    }
    found
}

/// Every text in which placeholders are replaced, with its line.
fn texts(scenario: &Gherkin) -> impl Iterator<Item = (usize, &str)> {
    let of_steps = scenario.steps.iter().flat_map(|step| {
        let cells = step.table.iter().flat_map(|it| it.rows.iter().flatten());
        let texts = [&step.value]
            .into_iter()
            .chain(&step.docstring)
            .chain(cells);
        texts.map(|text| (step.position.line, text.as_str()))
    });
    [(scenario.position.line, scenario.name.as_str())]
        .into_iter()
        .chain(of_steps)
}

/// The names between < and > that `cucumber` replaces (`feature.rs`, `expand_scenario`): on one line, without spaces at their ends.
fn placeholders(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        rest = after;
        let Some((name, following)) = after.split_once('>') else {
            break;
        };
        let is_name = !name.is_empty() && name.trim() == name && !name.contains(['\n', '\r', '\t']);
        if is_name {
            found.push(name);
            rest = following;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::read_text;
    use super::*;

    #[test]
    fn names_are_those_that_are_replaced() {
        for (text, names) in [
            ("<n> messages", &["n"][..]),
            ("a < b and <n of them>", &["n of them"]),
            ("<> < n> <n >", &[]),
            ("<a><b>", &["a", "b"]),
            ("<a", &[]),
        ] {
            assert_eq!(placeholders(text), names, "{text}");
        }
    }

    #[test]
    fn all_of_a_file_are_told_and_the_rest_is_read() {
        let text = "Feature: f\n  Scenario Outline: <a> and <b>\n    Given <c> consumers\n    When <m> messages are sent for <n>\n    \
                    Examples:\n      | a |\n      | 1 |\n      | 2 |\n  Scenario: whole\n    Given <d> consumers\n";
        let read = read_text(PathBuf::from("a.feature"), text).unwrap();
        let told: Vec<_> = read.problems.iter().map(ToString::to_string).collect();
        for part in [
            "a.feature:2: <b> is in no column",
            "a.feature:3: <c> is in no column",
            "a.feature:4: <m> is in no column",
            "a.feature:4: <n> is in no column",
        ] {
            assert!(
                told.iter().any(|it| it.starts_with(part)),
                "{part}: {told:?}"
            );
        }
        let names: Vec<_> = read.feature.scenarios.iter().map(|it| &it.name).collect();
        assert_eq!(names, ["whole"]);
    }
}
