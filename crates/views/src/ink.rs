//! Colours and line widths of a terminal.

use std::os::fd::AsFd;

use evidence::outcome::Outcome;
use terminal_size::{Width, terminal_size_of};

/// The number of columns that a line on `terminal` may use: a wrapped line cannot be rewritten in place, and a full last column
/// wraps.
pub fn columns(terminal: impl AsFd) -> usize {
    let size = terminal_size_of(terminal);
    size.map_or(USUAL, |(Width(columns), _)| {
        usize::from(columns).saturating_sub(1)
    })
}

/// The number for a terminal of 80 columns.
pub const USUAL: usize = 79;

/// The style of output: with colours or without.
#[derive(Clone, Copy)]
pub struct Ink {
    /// Whether there are colours.
    pub colour: bool,
    /// Columns that a line may use.
    pub columns: usize,
}

impl Ink {
    /// Wraps `content` at words into lines that fit, each after the first indented by `indent`. Only for a terminal, because
    /// piped output is searched by lines. A longer word is not broken, so that it can be copied.
    pub fn folded(self, first: &str, indent: usize, content: &str) -> Vec<String> {
        let mut lines = vec![first.to_owned()];
        for (at, word) in content.split(' ').enumerate() {
            let line = lines.last_mut().expect("there is a first line");
            let needed = line.chars().count() + 1 + word.chars().count();
            if at > 0 && self.colour && needed > self.columns {
                lines.push(format!("{}{word}", " ".repeat(indent)));
            } else {
                if at > 0 {
                    line.push(' ');
                }
                line.push_str(word);
            }
        }
        lines
    }

    /// `text` in the colour of the ANSI `code`.
    pub fn paint(self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// `text` in the colour of an outcome.
    pub fn outcome(self, outcome: Outcome, text: &str) -> String {
        let code = match outcome {
            Outcome::Pass => "32",
            Outcome::Fail => "31",
            Outcome::Inconclusive | Outcome::Incomplete => "33",
        };
        self.paint(code, text)
    }

    /// The name of an outcome, on a background of its colour.
    pub fn banner(self, outcome: Outcome) -> String {
        let code = match outcome {
            Outcome::Pass => "1;30;42",
            Outcome::Fail => "1;97;41",
            Outcome::Inconclusive | Outcome::Incomplete => "1;30;43",
        };
        self.paint(code, &format!(" {} ", outcome.as_str().to_uppercase()))
    }

    /// `text` as a heading.
    pub fn title(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// `text` in a faint colour.
    pub fn faint(self, text: &str) -> String {
        self.paint("2", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NARROW: Ink = Ink {
        colour: true,
        columns: 79,
    };

    #[test]
    fn prose_is_folded_at_words_where_a_person_looks() {
        let content = "word ".repeat(40);
        let lines = NARROW.folded("  ? ", 4, content.trim());
        assert!(lines.len() > 2, "{lines:?}");
        assert!(
            lines
                .iter()
                .all(|line| line.len() <= 79 && !line.ends_with(' ')),
            "{lines:?}"
        );
        assert!(lines[1].starts_with("    word"), "{lines:?}");
        let piped = Ink {
            colour: false,
            ..NARROW
        };
        assert_eq!(piped.folded("  ? ", 4, content.trim()).len(), 1);
    }
}
