//! Finds text in feature files that the parser silently ignores: lines in descriptions that look like steps or keywords, invisible
//! characters, line ends that are none, cells that are cut off. Runs before anything else.
//!
//! The grammar is that of the Gherkin reference (cucumber.io/docs/gherkin/reference): free text below `Feature`, `Rule`,
//! `Background`, `Scenario` and `Examples` is a description, up to the first line that begins with another keyword.

mod apart;
mod keyword;
mod structure;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use cucumber::gherkin::{Feature, GherkinEnv, Step, StepType, is_language_supported};
use manifest::letters::{ascii, hidden, left_by_git};

use super::lint::{Problem, Problems};
use super::selection::{definitions, scenarios};
use apart::{and_alike, as_meant, before_name, seen};
pub(super) use apart::{has_hidden, of_keyword, shown};
pub(super) use keyword::without_colon;
use keyword::{Header, after_keyword, begins_step, header, meant};

/// Why bytes are not the text of a feature file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoText {
    /// UTF-16, as PowerShell and "Unicode" in editors write it, or UTF-32.
    Wide(&'static str),
    /// Another encoding than UTF-8, first seen on this line.
    NotUtf8(usize),
}

/// The text of a file, without the byte order mark that some editors put at its beginning. Cucumber removes it as well
/// (`EncodingParser` of cucumber-jvm). UTF-16 without a mark is recognised by its zero bytes: a feature begins with an ASCII
/// character.
pub(super) fn decoded(bytes: &[u8]) -> Result<&str, NoText> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] | [_, 0, 0, 0, ..] | [0, 0, 0, _, ..] => {
            return Err(NoText::Wide("UTF-32"));
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [_, 0, ..] | [0, _, ..] => {
            return Err(NoText::Wide("UTF-16"));
        }
        _ => {}
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(without_mark(text)),
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            let line = before.split(|byte| *byte == b'\n').count();
            Err(NoText::NotUtf8(line))
        }
    }
}

/// `text` without a byte order mark at its beginning.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The code in a line such as `# language: fr`, which names the language of the file's keywords (Gherkin reference, "Spoken Languages").
pub(super) fn language(line: &str) -> Option<&str> {
    let said = line.trim().strip_prefix('#')?.trim_start();
    let code = said.strip_prefix("language")?.trim_start();
    Some(code.strip_prefix(':')?.trim())
}

/// `text` with its language line where the parser looks for it: on the first line that is not empty, without trailing spaces.
/// Gherkin also allows trailing spaces and comments before that line. All other lines keep their numbers.
pub(super) fn with_language_first(text: &str) -> Cow<'_, str> {
    let mut before = 0;
    for line in text.split_inclusive('\n') {
        if let Some(code) = language(line) {
            let lines = text[..before].matches('\n').count();
            let rest = text[before + line.len()..].trim_start_matches('\u{feff}');
            return Cow::Owned(format!("{}# language: {code}\n{rest}", "\n".repeat(lines)));
        }
        if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
            break;
        }
        before += line.len();
    }
    Cow::Borrowed(text)
}

/// Steps in the descriptions of a feature whose keywords are not English. In other languages, a misspelt keyword is only noticed by
/// the steps below it.
pub(super) fn of_descriptions(file: &Path, text: &str, feature: &Feature) -> Vec<Problem> {
    let mut problems = Problems::of(file);
    let code = text.lines().find_map(language);
    if code.is_none_or(|code| code == "en") {
        return problems.found;
    }
    let rules = feature.rules.iter();
    let descriptions = [feature.description.as_deref()]
        .into_iter()
        .chain(rules.map(|rule| rule.description.as_deref()))
        .chain(scenarios(feature).map(|(_, scenario)| scenario.description.as_deref()));
    let has_alike = has_keywords_alike(text, feature);
    for line in descriptions.flatten().flat_map(str::lines) {
        let number = || {
            let mut lines = (1..).zip(text.lines());
            let found = lines.find(|(_, it)| it.trim() == line.trim());
            found.map_or(1, |(number, _)| number)
        };
        if let Some(told) = of_keyword(line.trim()).filter(|_| has_alike) {
            let line = shown(line.trim());
            let text =
                format!("'{line}' is a description, which runs nothing, and no keyword: {told}");
            problems.add(number(), text);
        } else if let Some(step) = step_in(line.trim()) {
            problems.add(number(), in_description(line.trim(), step));
        }
    }
    problems.found
}

/// The problems in the `text` of `file` that do not depend on its steps.
pub(super) fn of_text(file: &Path, text: &str) -> Vec<Problem> {
    let mut problems = Problems::of(file);
    if let Some(line) = lone_carriage_return(text) {
        problems.add(
            line,
            "a line ends in CR (U+000D) alone, so that all up to the next LF is one line to the parser, and what stands there \
             never runs; save the file with LF as its ends of lines",
        );
        return problems.found;
    }
    if let Some((line, left)) = left_by_git(text) {
        problems.add(line, left);
        return problems.found;
    }
    let mut scan = Scan {
        problems,
        place: Place::Start,
        feature: None,
        row: None,
    };
    for (number, line) in (1..).zip(text.lines()) {
        scan.line(number, line);
    }
    let mut found = scan.problems.found;
    if text
        .lines()
        .find_map(language)
        .is_none_or(|code| code == "en")
    {
        let told: BTreeSet<usize> = found.iter().map(|it| it.line).collect();
        let more = structure::of_structure(file, text).into_iter();
        found.extend(more.filter(|it| !told.contains(&it.line)));
        found.sort_by_key(|it| it.line);
    }
    found
}

/// The first line, from 1, that contains a CR without an LF after it.
fn lone_carriage_return(text: &str) -> Option<usize> {
    let mut found = text.match_indices('\r');
    let (at, _) = found.find(|(at, _)| !text[at + 1..].starts_with('\n'))?;
    Some(text[..at].matches('\n').count() + 1)
}

/// The part of a file that a line is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before `Feature`.
    Start,
    /// In the description below this keyword.
    Below(Header),
    /// Among steps.
    Steps,
    /// In a doc string, which ends with these characters.
    DocString(&'static str),
}

struct Scan<'a> {
    problems: Problems<'a>,
    place: Place,
    /// The line of the first `Feature`.
    feature: Option<usize>,
    /// The number of cells in the first row of the table that the previous line belongs to.
    row: Option<usize>,
}

impl Scan<'_> {
    fn line(&mut self, number: usize, line: &str) {
        let line = line.trim_matches([' ', '\t']);
        if let Place::DocString(end) = self.place {
            if line.starts_with(end) {
                self.place = Place::Steps;
            }
            return;
        }
        // Checked as a reader sees the line: an invisible character keeps a keyword from being recognised.
        let seen = seen(line);
        let seen = seen.trim();
        if line.is_empty() {
            return;
        }
        if line.starts_with('#') {
            self.language(number, line);
            return;
        }
        let first = self.row.take();
        // A tab is allowed wherever a space is, except in a sentence.
        let without_tabs = line.replace('\t', " ");
        if line.starts_with('|') {
            self.name_hidden(number, &without_tabs);
            self.table_row(number, line, first);
        } else if let Some(end) = doc_string_end(line).filter(|_| self.place == Place::Steps) {
            self.place = Place::DocString(end);
        } else if let Some(header) = header(seen) {
            self.name_hidden(number, &without_tabs);
            if header == Header::Feature {
                self.feature(number);
            }
            self.place = Place::Below(header);
        } else if seen.starts_with('@') {
            self.name_hidden(number, &without_tabs);
        } else if begins_step(seen) && self.takes_steps() {
            self.name_hidden(number, line);
            self.place = Place::Steps;
        } else if matches!(self.place, Place::Below(_)) {
            self.description(number, line);
        }
    }

    /// A file has one feature (Gherkin reference, "Keywords").
    fn feature(&mut self, number: usize) {
        match self.feature {
            None => self.feature = Some(number),
            Some(first) => self.problems.add(
                number,
                format!(
                    "a second feature begins here, and the first is that of line {first}; a file has one feature: move this one to \
                     a file of its own"
                ),
            ),
        }
    }

    fn language(&mut self, number: usize, remark: &str) {
        let unknown = |code: &&str| self.place == Place::Start && !is_language_supported(code);
        if let Some(code) = language(remark).filter(unknown) {
            let text = format!(
                "there is no language {:?} of Gherkin; write the code of one, such as '# language: fr', or leave the line out for \
                 English",
                shown(code)
            );
            self.problems.add(number, text);
        }
    }

    /// Whether a step is allowed here.
    const fn takes_steps(&self) -> bool {
        matches!(
            self.place,
            Place::Steps | Place::Below(Header::Scenario | Header::Background)
        )
    }

    fn table_row(&mut self, number: usize, line: &str, first: Option<usize>) {
        let cells = cells(line);
        // The parser refuses a row that is too short, and cuts off one that is too long. A row without its last bar is reported elsewhere.
        let whole = first.filter(|_| line.ends_with('|'));
        if let Some(first) = whole.filter(|first| cells != *first) {
            let text = format!(
                "this row has {cells} cells, and the first of its table {first}; give each row as many"
            );
            self.problems.add(number, text);
        }
        self.row = Some(first.unwrap_or(cells));
    }

    fn name_hidden(&mut self, number: usize, line: &str) {
        let mut letters = (1..).zip(line.chars());
        let found = letters.find_map(|(column, letter)| Some((column, letter, hidden(letter)?)));
        if let Some((column, letter, name)) = found {
            let text = format!(
                "'{}' has U+{:04X} ({name}) as its letter {column}, which cannot be seen; write a space, or nothing",
                shown(line),
                letter as u32
            );
            self.problems.add(number, text);
        }
    }

    /// A line of a description that was meant as a step or a keyword.
    fn description(&mut self, number: usize, line: &str) {
        if let Some(keyword) = meant(line) {
            let text = format!(
                "'{}' is a description, which runs nothing; if it was to begin a part of the feature, write '{keyword}:'{}",
                shown(line),
                and_alike(before_name(line))
            );
            self.problems.add(number, text);
        } else if let Some(step) = step_in(line) {
            let text = if self.place == Place::Below(Header::Examples) {
                format!(
                    "'{}' is a description of the examples above it, which never runs; move the step above them",
                    shown(line)
                )
            } else {
                in_description(line, step)
            };
            self.problems.add(number, text);
        }
    }
}

/// Whether lines of `text` become keywords once their letters are what they look like: it then has more parts than `feature`.
fn has_keywords_alike(text: &str, feature: &Feature) -> bool {
    let lines = text.lines().map(|line| match of_keyword(line.trim()) {
        Some(_) => as_meant(line),
        None => line.to_owned(),
    });
    let meant = lines.collect::<Vec<_>>().join("\n") + "\n";
    let meant = Feature::parse(with_language_first(&meant).as_ref(), GherkinEnv::default());
    let parts = |feature: &Feature| scenarios(feature).count() + feature.rules.len();
    meant.is_ok_and(|meant| parts(&meant) > parts(feature))
}

fn in_description(line: &str, step: &str) -> String {
    format!(
        "'{}' is a description, which never runs, though '{step}' is a step; a step begins with Given, When, Then, And or But, and \
         stands below a line 'Scenario: <name>'{}",
        shown(line),
        and_alike(line)
    )
}

/// The end of the doc string that begins in `line`.
fn doc_string_end(line: &str) -> Option<&'static str> {
    let mut ends = ["\"\"\"", "```"].into_iter();
    ends.find(|end| line.starts_with(end))
}

/// The number of cells of a table row; bars may be escaped.
fn cells(row: &str) -> usize {
    let mut letters = row.chars();
    let mut bars = 0_usize;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            '|' => bars += 1,
            _ => {}
        }
    }
    bars.saturating_sub(1)
}

/// The sentence of a step in `line`: the whole line, the text after its first word, or the text after a keyword without a space.
fn step_in(line: &str) -> Option<&str> {
    let is_bullet = |c: char| c == '*' || c == '-' || ascii(c) == Some('-');
    let line = line.trim_start_matches(is_bullet).trim_start();
    let after = line.split_once(' ').map(|(_, rest)| rest.trim_start());
    let mut sentences = [Some(line), after, after_keyword(line)]
        .into_iter()
        .flatten();
    sentences.find(|sentence| is_step(sentence))
}

fn is_step(sentence: &str) -> bool {
    [StepType::Given, StepType::When, StepType::Then]
        .into_iter()
        .any(|ty| is_defined(sentence, ty))
}

/// Whether a definition for steps of this kind matches `sentence`.
pub(super) fn is_defined(sentence: &str, ty: StepType) -> bool {
    let step = Step::builder()
        .keyword(String::new())
        .ty(ty)
        .value(sentence.to_owned())
        .build();
    // A sentence that several definitions match is defined, too.
    !matches!(definitions().find(&step), Ok(None))
}

#[cfg(test)]
mod tests;
