//! Finds parts of a feature that are in the wrong place, each with what to do. The parser reports an unknown keyword for all of
//! them, or ignores them.
//!
//! The grammar is that of Gherkin (`gherkin.berp` of cucumber/gherkin), with the keywords of English.

use std::path::Path;

use super::super::lint::{Problem, Problems};
use super::keyword::{Header, begins_step, header, meant, without_colon};
use super::{Place, and_alike, doc_string_end, seen, shown};

#[cfg(test)]
mod tests;

/// The problems in the order of the lines of `text`.
pub(super) fn of_structure(file: &Path, text: &str) -> Vec<Problem> {
    let mut structure = Structure {
        problems: Problems::of(file),
        place: Place::Start,
        begun: None,
        tags: None,
        background: None,
        has_scenario: false,
        has_argument: false,
    };
    for (number, line) in (1..).zip(text.lines()) {
        let line = seen(line);
        if !structure.line(number, line.trim()) {
            return structure.problems.found;
        }
    }
    // An empty file is reported by `read`.
    if !text.trim().is_empty() {
        structure.end();
    }
    structure.problems.found
}

struct Structure<'a> {
    problems: Problems<'a>,
    place: Place,
    /// The line of the first `Feature`, or of the beginning of the present doc string.
    begun: Option<usize>,
    /// The line of tags that are not followed by a keyword yet.
    tags: Option<usize>,
    /// The line of the background of this feature or rule.
    background: Option<usize>,
    /// Whether this feature or rule has a scenario.
    has_scenario: bool,
    /// Whether the last step has a table or a doc string.
    has_argument: bool,
}

impl Structure<'_> {
    /// Reads one more line. Returns `false` if the text is not a feature, so that further problems would mean nothing.
    fn line(&mut self, number: usize, line: &str) -> bool {
        if let Place::DocString(end) = self.place {
            self.doc_string(number, line, end);
            return true;
        }
        if line.is_empty() || line.starts_with('#') {
            return true;
        }
        if line.starts_with('@') {
            self.tags(number, line);
            return true;
        }
        let header = header(line);
        if self.place == Place::Start && header != Some(Header::Feature) {
            self.problems.add(number, no_feature(line));
            return false;
        }
        if let Some(header) = header {
            self.header(number, header, line);
        } else if line.starts_with('|') {
            self.row(number, line);
        } else if begins_step(line) {
            self.step();
        } else if let Some(end) = doc_string_end(line).filter(|_| self.place == Place::Steps) {
            self.place = Place::DocString(end);
            self.begun = Some(number);
            if std::mem::replace(&mut self.has_argument, true) {
                let text = "a step has one table or one doc string, and a second one begins here; remove one of them";
                self.problems.add(number, text);
            }
        } else if self.place == Place::Steps {
            let text = format!(
                "'{}' is among steps and is none: a step is one line and begins with Given, When, Then, And, But or *; write it on \
                 the line of the step that it belongs to, or as a step{}",
                shown(line),
                and_alike(line)
            );
            self.problems.add(number, text);
        }
        true
    }

    fn doc_string(&mut self, number: usize, line: &str, end: &str) {
        let Some(rest) = line.strip_prefix(end) else {
            return;
        };
        self.place = Place::Steps;
        if !rest.is_empty() {
            let text = format!(
                "the end of the doc string has '{}' after it; write {end} on a line of its own",
                shown(rest.trim())
            );
            self.problems.add(number, text);
        }
    }

    /// Each tag begins with @, and spaces separate tags (Gherkin reference, "Tags").
    fn tags(&mut self, number: usize, line: &str) {
        let mut words = line
            .split_whitespace()
            .take_while(|it| !it.starts_with('#'));
        if let Some(word) = words.find(|it| !it.starts_with('@')) {
            let text = format!(
                "'{}' in '{}' is no tag: a tag begins with @ and has no space, and what it is for begins on the next line",
                shown(word),
                shown(line)
            );
            self.problems.add(number, text);
        }
        self.tags.get_or_insert(number);
    }

    fn header(&mut self, number: usize, header: Header, line: &str) {
        let tags = self.tags.take();
        let mut add = |text: String| self.problems.add(number, text);
        match header {
            Header::Background => {
                if tags.is_some() {
                    add(format!(
                        "'{}' cannot have tags: write them above the feature, or above its scenarios",
                        shown(line)
                    ));
                } else if let Some(first) = self.background {
                    add(format!(
                        "a second background begins here, and the first is that of line {first}; put the steps of both into one"
                    ));
                } else if self.has_scenario {
                    add("a background stands before the first scenario of its feature or rule; move it up".to_owned());
                }
                self.background.get_or_insert(number);
            }
            Header::Rule => {
                if self.place == Place::Below(Header::Rule) {
                    add(
                        "the rule before this one has no scenario; rules cannot be in one another"
                            .to_owned(),
                    );
                }
                self.background = None;
                self.has_scenario = false;
            }
            Header::Scenario => self.has_scenario = true,
            Header::Examples if !self.has_scenario => {
                add("examples stand below the steps of a scenario".to_owned());
            }
            Header::Feature | Header::Examples => {}
        }
        self.place = Place::Below(header);
    }

    /// A row begins and ends with a bar (Gherkin reference, "Data Tables").
    fn row(&mut self, number: usize, line: &str) {
        if matches!(self.place, Place::Below(header) if header != Header::Examples) {
            let text = "a row of a table stands below a step or below Examples; this one is a description, which nobody reads";
            self.problems.add(number, text);
            return;
        }
        self.has_argument = true;
        let bare = line
            .replace("\\\\", "")
            .replace("\\|", "")
            .replace("\\n", "");
        if !bare.ends_with('|') || bare == "|" {
            let text = format!("this row has no bar at its end: '{}'; write |", shown(line));
            self.problems.add(number, text);
        } else if bare.contains('\\') {
            let text = format!(
                "a backslash in a cell stands before |, \\ or n alone: '{}'; write \\\\ for a backslash",
                shown(line)
            );
            self.problems.add(number, text);
        }
    }

    fn step(&mut self) {
        self.has_argument = false;
        if let Some(tags) = self.tags.take() {
            let text = "these tags stand above a step; move them above its scenario, or above Examples, Rule or Feature";
            self.problems.add(tags, text);
        }
        if matches!(
            self.place,
            Place::Below(Header::Scenario | Header::Background)
        ) {
            self.place = Place::Steps;
        }
    }

    fn end(&mut self) {
        match (self.place, self.tags, self.begun) {
            (Place::DocString(end), _, Some(begun)) => {
                let text = format!(
                    "the doc string that begins here has no end; write {end} on a line of its own below it"
                );
                self.problems.add(begun, text);
            }
            (Place::Start, ..) => {
                let text = "the file has no feature, only tags or remarks: a feature begins with a line 'Feature: <name>'";
                self.problems.add(1, text);
            }
            (_, Some(tags), _) => {
                let text = "nothing stands below these tags; move them above what they are for, or remove them";
                self.problems.add(tags, text);
            }
            _ => {}
        }
    }
}

/// The problem of a file that does not begin with `Feature`.
fn no_feature(line: &str) -> String {
    let said = shown(line);
    let keyword = meant(line).or_else(|| without_colon(line));
    if keyword == Some("Feature") {
        return format!(
            "'{said}' begins no feature; write 'Feature: <name>', with a capital letter and a colon{}",
            and_alike(line)
        );
    }
    format!(
        "a feature file begins with a line 'Feature: <name>', and this one with '{said}'; write that line above it{}",
        and_alike(line)
    )
}
