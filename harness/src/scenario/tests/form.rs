//! How scenarios are written, and that a pace is applied to every time in them.

use std::collections::BTreeSet;

use super::cases;
use crate::pace::Pace;
use crate::scenario::durations::{at_pace, times};
use crate::scenario::lint::all_defined;
use crate::scenario::selection::definitions;

/// The most steps of a scenario with its background: a reader cannot remember more.
const MOST_STEPS: usize = 8;

#[test]
fn a_scenario_has_at_most_eight_steps() {
    for case in cases() {
        let (name, steps) = (&case.name, case.steps.len());
        assert!(steps <= MOST_STEPS, "{name:?} has {steps}");
    }
}

#[test]
fn sentences_hold_no_command_and_no_field_of_a_manifest() {
    for case in cases() {
        let tables = case.steps.iter().filter_map(|step| step.table.as_ref());
        let cells = tables.flat_map(|table| table.rows.iter().flatten());
        let sentences = case.steps.iter().map(|step| &step.value);
        for text in sentences.chain(cells).chain([&case.name]) {
            for sign in ["`", "--", "kubectl", "://", "{", "as short"] {
                assert!(!text.contains(sign), "{sign:?} in {text:?}");
            }
            let dotted = |word: &str| {
                let parts: Vec<_> = word.split('.').collect();
                parts.len() > 1
                    && parts
                        .iter()
                        .all(|part| part.starts_with(char::is_alphabetic))
            };
            assert!(!text.split(' ').any(dotted), "a dotted path in {text:?}");
        }
    }
}

/// The definition of a step: its place in the source, and the values that it reads from the sentence.
fn read(step: &cucumber::gherkin::Step) -> ((&'static str, u32), Vec<String>) {
    let (_, _, place, context) = definitions().find(step).unwrap().unwrap();
    let place = place.unwrap();
    let parts = context.matches.into_iter().skip(1).map(|(_, part)| part);
    ((place.path, place.line), parts.collect())
}

/// For every sentence of the features, and so for every definition.
#[test]
fn at_a_pace_every_definition_gets_every_time_divided_and_every_rate_multiplied() {
    let pace = Pace::new(6).unwrap();
    let (mut seen, mut divided) = (BTreeSet::new(), 0);
    for mut case in cases() {
        case.pace = pace;
        for step in &case.steps {
            let (definition, parts) = read(step);
            let (definition_here, parts_here) = read(&case.here(step));
            let sentence = &step.value;
            assert_eq!(
                definition, definition_here,
                "{sentence:?} is another step at a pace"
            );
            let expected: Vec<_> = parts.iter().map(|part| at_pace(part, pace)).collect();
            assert_eq!(parts_here, expected, "{sentence:?}");
            // Every time in the sentence is a parameter, and none a fixed word of the pattern that the pace would not change.
            let read = parts.iter().map(|part| times(part).count());
            assert_eq!(read.sum::<usize>(), times(sentence).count(), "{sentence:?}");
            assert!(
                !sentence.contains(" per ") || parts != parts_here,
                "{sentence:?}"
            );
            divided += times(sentence).count();
            seen.insert(definition);
        }
    }
    assert!(divided > 100, "{divided}");
    let all = all_defined().map(|(place, _)| (place.path, place.line));
    assert_eq!(all.collect::<BTreeSet<_>>(), seen);
}
