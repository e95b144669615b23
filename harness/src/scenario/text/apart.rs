//! Characters that a reader cannot tell apart from others, or cannot see, and how a message names them.
//!
//! `letters` of the contract knows the characters; here is what they mean in a feature file. Source: "Unicode Normalization Forms" (UAX
//! #15), decomposed letters.

use std::fmt::Write as _;

use manifest::letters::{hidden, letter_alike, named, plain};

/// The same as what follows the rest of a message.
pub(in crate::scenario) fn and_alike(text: &str) -> String {
    letter_alike(text).map_or_else(String::new, |told| format!("; {told}"))
}

/// Names what cannot be told apart from a keyword, in a line that may have been meant as one of any language.
pub(in crate::scenario) fn of_keyword(line: &str) -> Option<String> {
    let before = before_name(line);
    let colon = || before.ends_with('\u{ff1a}').then(|| named('\u{ff1a}', ':'));
    letter_alike(before)
        .or_else(colon)
        .or_else(|| decomposed(before))
}

/// `line` with the keyword that it was meant to begin with: characters of ASCII and single letters up to the colon.
pub(super) fn as_meant(line: &str) -> String {
    let before = before_name(line);
    let rest = &line[before.len()..];
    let before = match letter_alike(before) {
        Some(_) => plain(before),
        None => before.replace('\u{ff1a}', ":"),
    };
    format!("{}{rest}", composed(&before))
}

/// What stands before the colon of `line`, and the colon: a name may be in any script.
pub(super) fn before_name(line: &str) -> &str {
    let mut letters = line.char_indices();
    let colon = letters.find(|(_, letter)| [':', '\u{ff1a}'].contains(letter));
    let end = colon.map_or(line.len(), |(at, letter)| at + letter.len_utf8());
    &line[..end]
}

/// Marks, each with letters that it stands above or below in keywords (`gherkin-languages.json`), and what the two are as one.
const MARKED: &[(char, &str, &str)] = &[
    ('\u{300}', "aeio", "àèìò"),
    (
        '\u{301}',
        "EIaceiosuy\u{39f}\u{3b1}\u{3b5}\u{3b7}\u{3b9}\u{3bf}",
        "ÉÍáćéíóśúý\u{38c}\u{3ac}\u{3ad}\u{3ae}\u{3af}\u{3cc}",
    ),
    ('\u{302}', "aej", "âêĵ"),
    ('\u{303}', "an", "ãñ"),
    ('\u{304}', "aei", "āēī"),
    ('\u{306}', "ag\u{438}", "ăğ\u{439}"),
    ('\u{307}', "ez", "ėż"),
    ('\u{308}', "Oaeou\u{456}", "Öäëöü\u{457}"),
    ('\u{309}', "a", "\u{1ea3}"),
    ('\u{30a}', "a", "å"),
    ('\u{30b}', "o", "ő"),
    ('\u{30c}', "Ccdlnrstz", "Ččďľňřšťž"),
    ('\u{31b}', "u", "ư"),
    ('\u{323}', "i", "\u{1ecb}"),
    ('\u{326}', "St", "Șț"),
    ('\u{327}', "Scst", "Şçşţ"),
    ('\u{328}', "au", "ąų"),
];

/// The letter that `letter` and `mark` are as one.
fn one_of(letter: char, mark: char) -> Option<char> {
    let (_, letters, whole) = MARKED.iter().find(|(of, ..)| *of == mark)?;
    let at = letters.chars().position(|it| it == letter)?;
    whole.chars().nth(at)
}

/// `text` with single letters in place of letters and marks (UAX #15, form C), as far as keywords have them.
fn composed(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    for letter in text.chars() {
        let last = whole.chars().next_back();
        match last.and_then(|last| one_of(last, letter)) {
            Some(one) => {
                whole.pop();
                whole.push(one);
            }
            None => whole.push(letter),
        }
    }
    whole
}

/// Names the first letter of `text` that is written as a letter and a mark, as file names of macOS are. Keywords are single letters,
/// and look the same (UAX #15, form C).
fn decomposed(text: &str) -> Option<String> {
    let mut pairs = text.chars().zip(text.chars().skip(1));
    let (letter, mark) = pairs.find(|(letter, mark)| one_of(*letter, *mark).is_some())?;
    Some(format!(
        "'{letter}{mark}' in it is two characters, '{letter}' and U+{:04X}, and keywords have one in its place: save the file in Unicode's \
         form C, as 'uconv -x nfc FILE' does, or on macOS 'iconv -f UTF-8-MAC -t UTF-8 FILE'",
        u32::from(mark)
    ))
}

/// Whether `text` has invisible characters.
pub(in crate::scenario) fn has_hidden(text: &str) -> bool {
    text.chars().any(|letter| hidden(letter).is_some())
}

/// `line` as a reader sees it.
pub(super) fn seen(line: &str) -> String {
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

/// `text` for a message, with invisible characters shown as their codes.
pub(in crate::scenario) fn shown(text: &str) -> String {
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
mod tests {
    use super::*;

    /// UAX #15: U+00E9 is e and U+0301 in form D.
    #[test]
    fn a_letter_in_two_characters_is_named() {
        let told = of_keyword("Sce\u{301}nario: quatre").unwrap();
        assert!(
            told.starts_with("'e\u{301}' in it is two characters, 'e' and U+0301"),
            "{told}"
        );
        assert_eq!(of_keyword("Sc\u{e9}nario: quatr\u{65}\u{301}"), None);
        assert_eq!(
            as_meant("Sce\u{301}nario\u{ff1a} e\u{301}"),
            "Sc\u{e9}nario: e\u{301}"
        );
    }
}
