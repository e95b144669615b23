//! What the parser of feature files reads over: lines that look like steps or keywords and are descriptions, characters that
//! cannot be seen, ends of lines that are none, cells that are cut off. Found in the text, before anything runs.
//!
//! The grammar is that of the Gherkin reference (cucumber.io/docs/gherkin/reference): free text below `Feature`, `Rule`,
//! `Background`, `Scenario` and `Examples` is a description, up to the first line that begins with another keyword.

mod keyword;

use std::fmt::Write as _;
use std::path::Path;

use cucumber::gherkin::{Step, StepType};

use super::lint::{Problem, Problems};
use super::selection::definitions;
use crate::letters::hidden;
use keyword::{Header, begins_step, header, meant};

/// Why bytes are no text of a feature file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoText {
    /// UTF-16, as PowerShell and "Unicode" in editors write it.
    Utf16,
    /// Another encoding, from this line on.
    NotUtf8(usize),
}

/// The text of a file, without the byte order mark that some editors put at its beginning. Cucumber leaves it out as well
/// (`EncodingParser` of cucumber-jvm).
pub(super) fn decoded(bytes: &[u8]) -> Result<&str, NoText> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(NoText::Utf16);
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

/// What is wrong with the `text` of `file`, whatever its steps say.
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
    let mut scan = Scan {
        problems,
        place: Place::Start,
        row: None,
    };
    for (number, line) in (1..).zip(text.lines()) {
        scan.line(number, line);
    }
    scan.problems.found
}

/// The line, from 1, in which a CR stands that no LF follows.
fn lone_carriage_return(text: &str) -> Option<usize> {
    let mut found = text.match_indices('\r');
    let (at, _) = found.find(|(at, _)| !text[at + 1..].starts_with('\n'))?;
    Some(text[..at].matches('\n').count() + 1)
}

/// Where in a file a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before `Feature`.
    Start,
    /// In a description, below this.
    Below(Header),
    /// Among steps.
    Steps,
    /// In a doc string, which this ends.
    DocString(&'static str),
}

struct Scan<'a> {
    problems: Problems<'a>,
    place: Place,
    /// The cells of the first row of the table that the line before belongs to.
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
        // As a reader sees it: a character that cannot be seen keeps a keyword from being one.
        let seen = seen(line);
        let seen = seen.trim();
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        let first = self.row.take();
        // A tab may stand wherever a space may, but in a sentence.
        let without_tabs = line.replace('\t', " ");
        if line.starts_with('|') {
            self.name_hidden(number, &without_tabs);
            self.table_row(number, line, first);
        } else if let Some(end) = self.doc_string(line) {
            self.place = Place::DocString(end);
        } else if let Some(header) = header(seen) {
            self.name_hidden(number, &without_tabs);
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

    /// Whether a step can stand here.
    const fn takes_steps(&self) -> bool {
        matches!(
            self.place,
            Place::Steps | Place::Below(Header::Scenario | Header::Background)
        )
    }

    /// The end of the doc string that `line` begins, where one can stand.
    fn doc_string(&self, line: &str) -> Option<&'static str> {
        let ends = ["\"\"\"", "```"].into_iter();
        let mut ends = ends.filter(|_| self.place == Place::Steps);
        ends.find(|end| line.starts_with(end))
    }

    fn table_row(&mut self, number: usize, line: &str, first: Option<usize>) {
        let cells = cells(line);
        // The parser refuses a row that is too short, and cuts off one that is too long.
        if let Some(first) = first.filter(|first| cells > *first) {
            let text = format!("this row has {cells} cells, and the first of its table {first}");
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

    /// A line of a description that was meant for more.
    fn description(&mut self, number: usize, line: &str) {
        if let Some(keyword) = meant(line) {
            let text = format!(
                "'{}' is a description, which runs nothing; if it was to begin a part of the feature, write '{keyword}:'",
                shown(line)
            );
            self.problems.add(number, text);
        } else if let Some(step) = step_in(line) {
            let text = format!(
                "'{}' is a description, which never runs, though '{step}' is a step; a step begins with Given, When, Then, And \
                 or But, and stands below a line 'Scenario: <name>'",
                shown(line)
            );
            self.problems.add(number, text);
        }
    }
}

/// The cells of a row of a table, whose bars may be escaped.
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

/// The sentence of a step in `line`: all of it, or what follows its first word.
fn step_in(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(['-', '*']).trim_start();
    let after = line.split_once(' ').map(|(_, rest)| rest.trim_start());
    let mut sentences = [Some(line), after].into_iter().flatten();
    sentences.find(|sentence| is_step(sentence))
}

fn is_step(sentence: &str) -> bool {
    [StepType::Given, StepType::When, StepType::Then]
        .into_iter()
        .any(|ty| {
            let step = Step::builder()
                .keyword(String::new())
                .ty(ty)
                .value(sentence.to_owned())
                .build();
            // Several definitions are found as well.
            !matches!(definitions().find(&step), Ok(None))
        })
}

/// Whether something in `text` cannot be seen.
pub(super) fn has_hidden(text: &str) -> bool {
    text.chars().any(|letter| hidden(letter).is_some())
}

/// `line` as a reader sees it.
fn seen(line: &str) -> String {
    let letters = line.chars().filter_map(|letter| match hidden(letter) {
        None => Some(letter),
        Some(name)
            if name.contains("space of") || name.contains("break space") || letter == '\t' =>
        {
            Some(' ')
        }
        Some(_) => None,
    });
    letters.collect()
}

/// `text` for a message: what cannot be seen, as its code.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if hidden(letter).is_some() {
            write!(shown, "<U+{:04X}>", letter as u32).expect("writing to a String must succeed");
        } else {
            shown.push(letter);
        }
    }
    shown
}

#[cfg(test)]
mod tests;
