//! Keywords of Gherkin in English, and lines that nearly begin with one.

/// Below what a description can stand.
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

/// Plurals with a colon that descriptions are fond of.
const PROSE: [&str; 2] = ["rules", "features"];

/// What `line` begins.
pub(super) fn header(line: &str) -> Option<Header> {
    let (before, _) = line.split_once(':')?;
    let mut headers = HEADERS.into_iter();
    let found = headers.find(|(keyword, _)| *keyword == before);
    found.map(|(_, header)| header)
}

pub(super) fn begins_step(line: &str) -> bool {
    STEPS.iter().any(|keyword| line.starts_with(keyword))
}

/// What follows the keyword of a step at the beginning of `line`, whether or not a space comes between.
pub(super) fn after_keyword(line: &str) -> Option<&str> {
    let mut steps = STEPS.into_iter();
    steps.find_map(|keyword| line.strip_prefix(keyword.trim_end()))
}

/// The keyword that was probably meant by a `line` that begins with none: in another case, with a space before the colon, or
/// with a letter or two wrong.
pub(super) fn meant(line: &str) -> Option<&'static str> {
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

/// In small letters, without spaces.
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
        // One letter makes another word of a short one: "Role:" may be prose.
        1 => keyword.len() > 4,
        2 => keyword.len() > 6 && same_start,
        _ => false,
    }
}
