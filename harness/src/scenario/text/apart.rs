//! Characters that a reader cannot tell apart from others, or cannot see, and how a message names them.
//!
//! Sources: "Unicode Security Mechanisms" (UTS #39), confusables, of which these are the letters that keywords and sentences have;
//! "Unicode Normalization Forms" (UAX #15), decomposed letters.

use std::fmt::Write as _;

use manifest::letters::hidden;

/// Letters of Cyrillic and of Greek that look like one of ASCII.
const ALIKE: &[(char, char)] = &[
    ('\u{430}', 'a'),
    ('\u{435}', 'e'),
    ('\u{43e}', 'o'),
    ('\u{440}', 'p'),
    ('\u{441}', 'c'),
    ('\u{443}', 'y'),
    ('\u{445}', 'x'),
    ('\u{456}', 'i'),
    ('\u{458}', 'j'),
    ('\u{455}', 's'),
    ('\u{501}', 'd'),
    ('\u{4bb}', 'h'),
    ('\u{51b}', 'q'),
    ('\u{51d}', 'w'),
    ('\u{410}', 'A'),
    ('\u{412}', 'B'),
    ('\u{415}', 'E'),
    ('\u{41a}', 'K'),
    ('\u{41c}', 'M'),
    ('\u{41d}', 'H'),
    ('\u{41e}', 'O'),
    ('\u{420}', 'P'),
    ('\u{421}', 'C'),
    ('\u{422}', 'T'),
    ('\u{425}', 'X'),
    ('\u{406}', 'I'),
    ('\u{405}', 'S'),
    ('\u{3bf}', 'o'),
    ('\u{3bd}', 'v'),
    ('\u{391}', 'A'),
    ('\u{392}', 'B'),
    ('\u{395}', 'E'),
    ('\u{3a4}', 'T'),
    ('\u{39f}', 'O'),
];

/// The character of ASCII that `letter` looks like. Those of full width are ASCII at another place.
fn ascii(letter: char) -> Option<char> {
    let code = u32::from(letter);
    if (0xff01..=0xff5e).contains(&code) {
        return char::from_u32(code - 0xfee0);
    }
    let found = ALIKE.iter().find(|(other, _)| *other == letter);
    found.map(|(_, ascii)| *ascii)
}

/// `text` with characters of ASCII in place of those that look like them.
pub(in crate::scenario) fn plain(text: &str) -> String {
    let letters = text.chars();
    letters
        .map(|letter| ascii(letter).unwrap_or(letter))
        .collect()
}

/// Names the first character of `text` that looks like another one, and what to write.
///
/// A text in another script has such letters, too: those count only in a word that also has letters of ASCII, or in a text that has
/// nothing else.
pub(in crate::scenario) fn alike(text: &str) -> Option<String> {
    let is_whole = plain(text).is_ascii();
    let mut words = text.split_whitespace();
    let found = words.find_map(|word| {
        let is_mixed = word.contains(|c: char| c.is_ascii_alphabetic());
        let mut letters = word.chars();
        letters.find_map(|letter| {
            let ascii = ascii(letter)?;
            (is_whole || is_mixed).then_some((letter, ascii))
        })
    });
    found.map(|(letter, ascii)| named(letter, ascii))
}

fn named(letter: char, ascii: char) -> String {
    format!(
        "'{letter}' in it is U+{:04X}, {}, and not '{ascii}'; write '{ascii}'",
        u32::from(letter),
        kind(letter)
    )
}

/// The same as what follows the rest of a message.
pub(in crate::scenario) fn and_alike(text: &str) -> String {
    alike(text).map_or_else(String::new, |told| format!("; {told}"))
}

fn kind(letter: char) -> &'static str {
    match letter {
        '\u{370}'..='\u{3ff}' => "a letter of Greek",
        '\u{400}'..='\u{52f}' => "a letter of Cyrillic",
        _ => "a character of full width",
    }
}

/// Names what cannot be told apart from a keyword, in a line that may have been meant as one of any language.
pub(in crate::scenario) fn of_keyword(line: &str) -> Option<String> {
    let before = before_name(line);
    let colon = || before.ends_with('\u{ff1a}').then(|| named('\u{ff1a}', ':'));
    alike(before).or_else(colon).or_else(|| decomposed(before))
}

/// `line` with the keyword that it was meant to begin with: characters of ASCII and single letters up to the colon.
pub(super) fn as_meant(line: &str) -> String {
    let before = before_name(line);
    let rest = &line[before.len()..];
    let before = match alike(before) {
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

    /// UTS #39, `confusables.txt`: U+043E and U+03BF look like o, and U+FF1A like a colon.
    #[test]
    fn a_character_that_looks_like_another_is_named() {
        for (text, told) in [
            (
                "4 c\u{43e}nsumers",
                "'\u{43e}' in it is U+043E, a letter of Cyrillic, and not 'o'; write 'o'",
            ),
            (
                "4 c\u{3bf}nsumers",
                "'\u{3bf}' in it is U+03BF, a letter of Greek, and not 'o'; write 'o'",
            ),
            (
                "Scenario\u{ff1a} Four",
                "'\u{ff1a}' in it is U+FF1A, a character of full width, and not ':'; write ':'",
            ),
            (
                "\u{ff14} consumers",
                "'\u{ff14}' in it is U+FF14, a character of full width, and not '4'; write '4'",
            ),
        ] {
            assert_eq!(alike(text).as_deref(), Some(told), "{text}");
        }
        for text in [
            "4 consumers",
            "Größe",
            // Words of Russian.
            "Допустим со склада",
            "Сценарий: он",
            "99 % é",
        ] {
            assert_eq!(alike(text), None, "{text}");
        }
    }

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
