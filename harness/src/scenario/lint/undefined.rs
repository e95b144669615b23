//! Suggests what an undefined step may have meant.

use std::path::Path;
use std::sync::OnceLock;

use cucumber::gherkin::{Step, StepType};
use manifest::letters::{alike, as_ascii};

use super::values::percent;
use crate::scenario::read::read;
use crate::scenario::selection::{scenarios, steps};
use crate::scenario::text::is_defined;

/// Two sentences that are at least this similar may mean the same.
const LIKE: f64 = 0.75;

/// Each unit as steps read it, with the forms that people write.
const UNITS: [(&str, &[&str]); 4] = [
    (
        "ms",
        &[
            "ms",
            "msec",
            "msecs",
            "millisecond",
            "milliseconds",
            "millis",
        ],
    ),
    ("s", &["s", "sec", "secs", "second", "seconds"]),
    ("min", &["min", "mins", "m", "minute", "minutes"]),
    ("%", &["%", "percent", "pct"]),
];

/// Numbers as words.
const NUMBERS: [&str; 10] = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
];

/// What to do about `step`, which matches no definition.
pub(super) fn advice(step: &Step) -> String {
    let Some(told) = alike(&step.value) else {
        return by_words(step);
    };
    let mut step = step.clone();
    step.value = as_ascii(&step.value);
    if is_defined(&step.value, step.ty) {
        told
    } else {
        format!("{told}; {}", by_words(&step))
    }
}

/// The same for a step whose letters are what they look like.
fn by_words(step: &Step) -> String {
    // 'one' may be a number that a step reads as digits, or a plain word of the sentence.
    let plain = repaired(&step.value, false);
    let counted = repaired(&step.value, true);
    let repaired = if is_defined(&counted, step.ty) {
        counted
    } else {
        plain
    };
    if let Some(wrong) = too_much(step, &repaired) {
        return wrong;
    }
    if is_defined(&repaired, step.ty) {
        return format!("do you mean '{repaired}'?");
    }
    let others = [StepType::Given, StepType::When, StepType::Then].into_iter();
    let mut others = others.filter(|ty| *ty != step.ty);
    if let Some(other) = others.find(|ty| is_defined(&repaired, *ty)) {
        let sentence = if repaired == step.value {
            String::new()
        } else {
            format!(" '{repaired}'")
        };
        let (other, ty) = (keyword(other), keyword(step.ty));
        return format!("there is such a step{sentence} after {other}, and not after {ty}");
    }
    match nearest(&repaired, step.ty) {
        Some(near) => format!("do you mean one like '{near}'?"),
        None => {
            "the features that 'harness export DIR features' writes have those that are".to_owned()
        }
    }
}

const fn keyword(ty: StepType) -> &'static str {
    match ty {
        StepType::Given => "Given",
        StepType::When => "When",
        StepType::Then => "Then",
    }
}

/// The problem, if the only mistake in the sentence is a share of more than 100 %.
fn too_much(step: &Step, repaired: &str) -> Option<String> {
    let words: Vec<&str> = repaired.split(' ').collect();
    let at = words
        .windows(2)
        .position(|pair| pair[1].trim_end_matches(',') == "%")?;
    let wrong = percent(words[at].parse().ok()?)?;
    let mut right = words;
    right[at] = "50";
    is_defined(&right.join(" "), step.ty).then_some(wrong)
}

/// `sentence` with numbers and units in the form that steps read, from forms such as `30s`, `20%`, `1,000`, `5 seconds`, and, if
/// `has_words`, `one consumer`.
fn repaired(sentence: &str, has_words: bool) -> String {
    let sentence = sentence.trim_end_matches(['.', '!', ';']);
    let mut words: Vec<String> = Vec::new();
    for word in sentence.split_whitespace() {
        let bare = word.trim_end_matches(',');
        let comma = &word[bare.len()..];
        let digits = bare.find(|c: char| !c.is_ascii_digit() && c != ',' && c != '_');
        let (number, unit) = bare.split_at(digits.unwrap_or(bare.len()));
        let is_number = number.starts_with(|c: char| c.is_ascii_digit());
        let after_number = words.last().is_some_and(|it| it.parse::<u64>().is_ok());
        let number = number.replace([',', '_'], "");
        if is_number && unit.is_empty() {
            words.push(format!("{number}{comma}"));
        } else if let Some(unit) = unit_of(unit).filter(|_| is_number) {
            words.extend([number, format!("{unit}{comma}")]);
        } else if let Some((count, per)) =
            rate(unit).filter(|_| is_number || after_number && number.is_empty())
        {
            // Forms of a rate: 100/s, 100 per s.
            words.extend((is_number).then_some(number));
            words.extend([count.to_owned(), format!("{per}{comma}")]);
        } else if let Some(unit) = unit_of(bare).filter(|_| after_number) {
            words.push(format!("{unit}{comma}"));
        } else if let Some(number) = number_of(bare).filter(|_| has_words) {
            words.push(format!("{number}{comma}"));
        } else {
            words.push(word.to_owned());
        }
    }
    // After "per", the unit is a word.
    for at in 1..words.len() {
        if words[at - 1] == "per" {
            let bare = words[at].trim_end_matches(',').to_owned();
            let comma = words[at][bare.len()..].to_owned();
            match unit_of(&bare) {
                Some("s") => words[at] = format!("second{comma}"),
                Some("min") => words[at] = format!("minute{comma}"),
                _ => {}
            }
        }
    }
    words.join(" ")
}

fn number_of(text: &str) -> Option<usize> {
    let at = NUMBERS.iter().position(|it| it.eq_ignore_ascii_case(text));
    at.map(|at| at + 1)
}

fn unit_of(text: &str) -> Option<&'static str> {
    let mut units = UNITS.into_iter();
    units
        .find(|(_, all)| all.iter().any(|it| it.eq_ignore_ascii_case(text)))
        .map(|(unit, _)| unit)
}

/// The words for a unit of rates, `/s` or `/min`.
fn rate(text: &str) -> Option<(&'static str, &'static str)> {
    match unit_of(text.strip_prefix('/')?)? {
        "s" => Some(("per", "second")),
        "min" => Some(("per", "minute")),
        _ => None,
    }
}

/// The most similar sentence of the program's own features; numbers are ignored.
fn nearest(sentence: &str, ty: StepType) -> Option<&'static str> {
    let shape = shape(sentence);
    let likeness =
        |known: &str| strsim::normalized_damerau_levenshtein(&self::shape(known), &shape);
    let all = known().iter().filter(|(of, _)| *of == ty);
    let all = all.map(|(_, known)| (likeness(known), known.as_str()));
    let near = all.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (near.0 >= LIKE).then_some(near.1)
}

fn shape(sentence: &str) -> String {
    let words = sentence.split_whitespace().map(|word| {
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            "0".to_owned()
        } else {
            word.to_lowercase()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Every sentence of the program's own features.
fn known() -> &'static [(StepType, String)] {
    static KNOWN: OnceLock<Vec<(StepType, String)>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        // The features are compiled in, so they can always be read.
        let features = read(Path::new("builtin:features")).unwrap_or_default();
        let features = features.iter().map(|it| &it.feature);
        let of = |feature| {
            scenarios(feature).flat_map(move |(rule, scenario)| steps(feature, rule, scenario))
        };
        let all = features.flat_map(of);
        all.map(|step| (step.ty, step.value.clone())).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice_on(ty: StepType, sentence: &str) -> String {
        assert!(!is_defined(sentence, ty), "{sentence} is defined");
        let step = Step::builder()
            .keyword(String::new())
            .ty(ty)
            .value(sentence.to_owned())
            .build();
        advice(&step)
    }

    #[test]
    fn a_step_that_is_written_a_little_otherwise_is_told_as_it_is_read() {
        use StepType::{Given, Then, When};
        for (ty, sentence, meant) in [
            (
                Then,
                "within 30s every message has exactly one result",
                "within 30 s every message has exactly one result",
            ),
            (
                Then,
                "within 30 seconds there are 5 consumers",
                "within 30 s there are 5 consumers",
            ),
            (
                Then,
                "within 2 minutes the last consumer has gone",
                "within 2 min the last consumer has gone",
            ),
            (
                Given,
                "20% of all requests get 503 ServerBusy",
                "20 % of all requests get 503 ServerBusy",
            ),
            (
                Given,
                "20 percent of all requests get no answer",
                "20 % of all requests get no answer",
            ),
            (
                Given,
                "the first 5 inserts get an answer 200ms late",
                "the first 5 inserts get an answer 200 ms late",
            ),
            (Given, "two consumers", "2 consumers"),
            (
                When,
                "1,000 messages are sent at 100/s",
                "1000 messages are sent at 100 per second",
            ),
            (
                When,
                "100 messages are sent at 10 per s, 20% of them twice",
                "100 messages are sent at 10 per second, 20 % of them twice",
            ),
            (
                When,
                "5 messages are sent at once.",
                "5 messages are sent at once",
            ),
        ] {
            assert_eq!(
                advice_on(ty, sentence),
                format!("do you mean '{meant}'?"),
                "{sentence}"
            );
        }
    }

    /// UTS #39, `confusables.txt`: U+043E, a letter of Cyrillic, looks like o.
    #[test]
    fn a_letter_that_looks_like_another_is_named_in_place_of_the_same_sentence() {
        use StepType::{Given, Then};
        let told = "'\u{43e}' in it is U+043E, a letter of Cyrillic, and not 'o'; write 'o'";
        assert_eq!(advice_on(Given, "4 c\u{43e}nsumers"), told);
        assert_eq!(
            advice_on(
                Then,
                "within 30s every message has exactly \u{43e}ne result"
            ),
            format!("{told}; do you mean 'within 30 s every message has exactly one result'?")
        );
    }

    #[test]
    fn a_step_of_another_keyword_or_like_another_is_told_with_it() {
        use StepType::{Given, Then};
        assert_eq!(
            advice_on(Then, "a lease lasts 5s"),
            "there is such a step 'a lease lasts 5 s' after Given, and not after Then"
        );
        assert_eq!(
            advice_on(Given, "120% of all requests get 503 ServerBusy"),
            "120 % is more than all; write 1 to 100 %"
        );
        let near = advice_on(Then, "within 30 s each message has exactly one result");
        assert!(
            near.starts_with("do you mean one like 'within ")
                && near.contains("every message has exactly one result"),
            "{near}"
        );
        assert!(advice_on(Then, "nonsense").contains("harness export DIR features"));
    }
}
