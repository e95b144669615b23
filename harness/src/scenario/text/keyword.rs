//! The English keywords of Gherkin, and lines that nearly begin with one.

use manifest::letters::plain;

/// A keyword that a description can follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    Feature,
    Rule,
    Background,
    Scenario,
    Examples,
}

/// As the Gherkin reference lists them ("Spoken languages", English).
const HEADERS: [(&str, Header); 11] = [
    ("Feature", Header::Feature),
    ("Business Need", Header::Feature),
    ("Ability", Header::Feature),
    ("Rule", Header::Rule),
    ("Background", Header::Background),
    ("Scenario Outline", Header::Scenario),
    ("Scenario Template", Header::Scenario),
    ("Scenario", Header::Scenario),
    ("Example", Header::Scenario),
    ("Examples", Header::Examples),
    ("Scenarios", Header::Examples),
];

const STEPS: [&str; 6] = ["Given ", "When ", "Then ", "And ", "But ", "* "];

/// Plurals with a colon that are common in descriptions.
const PROSE: [&str; 2] = ["rules", "features"];

/// The keyword that `line` begins with.
pub(super) fn header(line: &str) -> Option<Header> {
    let (before, _) = line.split_once(':')?;
    let mut headers = HEADERS.into_iter();
    let found = headers.find(|(keyword, _)| *keyword == before);
    found.map(|(_, header)| header)
}

pub(super) fn begins_step(line: &str) -> bool {
    STEPS.iter().any(|keyword| line.starts_with(keyword))
}

/// The text after the keyword of a step at the beginning of `line`, with or without a space between them.
pub(super) fn after_keyword(line: &str) -> Option<&str> {
    let mut steps = STEPS.into_iter();
    steps.find_map(|keyword| line.strip_prefix(keyword.trim_end()))
}

/// The keyword that `line` was probably meant to begin with: it is in another case, has a space before the colon, has one or two
/// wrong letters, or some that only look right.
pub(super) fn meant(line: &str) -> Option<&'static str> {
    let line = plain(line);
    let (before, _) = line.split_once(':')?;
    let said = folded(before);
    if PROSE.contains(&said.as_str()) {
        return None;
    }
    let mut keywords = HEADERS.into_iter().map(|(keyword, _)| keyword);
    keywords.find(|keyword| is_near(&said, &folded(keyword)))
}

/// The keyword that `line` begins with and that lacks its colon.
pub(in crate::scenario) fn without_colon(line: &str) -> Option<&'static str> {
    let mut words = line.split_whitespace();
    let first = words.next()?;
    let mut keywords = HEADERS.into_iter().map(|(keyword, _)| keyword);
    keywords.find(|keyword| !line.contains(':') && first.eq_ignore_ascii_case(keyword))
}

/// `text` in small letters, without spaces.
fn folded(text: &str) -> String {
    let letters = text.chars().filter(|letter| !letter.is_whitespace());
    letters.flat_map(char::to_lowercase).collect()
}

fn is_near(said: &str, keyword: &str) -> bool {
    if said == keyword {
        return true;
    }
    let same_start = said.chars().next() == keyword.chars().next();
    match strsim::osa_distance(said, keyword) {
        // One wrong letter may make a short keyword another word: "Role:" may be prose.
        1 => keyword.len() > 4,
        2 => keyword.len() > 6 && same_start,
        _ => false,
    }
}
