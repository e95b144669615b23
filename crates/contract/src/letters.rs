//! Names of invisible characters, and of those that look like others; and texts that git leaves in files.
//!
//! Sources: "Unicode Security Mechanisms" (UTS #39), confusables, of which these are the letters of keywords, names and values; the
//! dashes and quotes that word processors and web pages write in place of those of ASCII ("smart punctuation").

/// The name of a character that is invisible or looks like a space.
pub fn hidden(letter: char) -> Option<&'static str> {
    Some(match letter {
        '\t' => "tab",
        '\u{85}' | '\u{2028}' | '\u{2029}' => "another end of line",
        '\u{a0}' => "no-break space",
        '\u{202f}' => "narrow no-break space",
        '\u{ad}' => "soft hyphen",
        '\u{200b}' => "zero width space",
        '\u{200c}' => "zero width non-joiner",
        '\u{200d}' => "zero width joiner",
        '\u{2060}' => "word joiner",
        '\u{feff}' => "byte order mark",
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "mark of a direction of writing"
        }
        '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{205f}' | '\u{3000}' => "space of another width",
        letter if letter.is_control() => "control character",
        _ => return None,
    })
}

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

/// Marks that word processors, chats and web pages write in place of one of ASCII, with their names.
const MARKS: &[(char, char, &str)] = &[
    ('\u{2010}', '-', "a hyphen"),
    ('\u{2011}', '-', "a hyphen that breaks no line"),
    ('\u{2012}', '-', "a figure dash"),
    ('\u{2013}', '-', "an en dash"),
    ('\u{2014}', '-', "an em dash"),
    ('\u{2015}', '-', "a horizontal bar"),
    ('\u{2212}', '-', "a minus sign"),
    ('\u{2018}', '\'', "a curly quote"),
    ('\u{2019}', '\'', "a curly quote"),
    ('\u{201a}', '\'', "a low quote"),
    ('\u{201b}', '\'', "a curly quote"),
    ('\u{2032}', '\'', "a prime"),
    ('\u{201c}', '"', "a curly quote"),
    ('\u{201d}', '"', "a curly quote"),
    ('\u{201e}', '"', "a low quote"),
    ('\u{201f}', '"', "a curly quote"),
    ('\u{2033}', '"', "a double prime"),
    ('\u{ab}', '"', "an angle quote"),
    ('\u{bb}', '"', "an angle quote"),
    ('\u{b5}', 'u', "a micro sign"),
    ('\u{3bc}', 'u', "a letter of Greek"),
    ('\u{2044}', '/', "a fraction slash"),
    ('\u{2215}', '/', "a division slash"),
];

/// The letter of ASCII that `letter` looks like. Those of full width are ASCII at another place.
fn letter_of(letter: char) -> Option<char> {
    let code = u32::from(letter);
    if (0xff01..=0xff5e).contains(&code) {
        return char::from_u32(code - 0xfee0);
    }
    let found = ALIKE.iter().find(|(other, _)| *other == letter);
    found.map(|(_, ascii)| *ascii)
}

/// The character of ASCII that `letter` looks like: a letter, a dash or a quote.
pub fn ascii(letter: char) -> Option<char> {
    let mark = || MARKS.iter().find(|(other, ..)| *other == letter);
    letter_of(letter).or_else(|| mark().map(|(_, ascii, _)| *ascii))
}

/// `text` with letters of ASCII in place of those that look like them. Dashes and quotes stay.
pub fn plain(text: &str) -> String {
    let letters = text.chars();
    letters
        .map(|letter| letter_of(letter).unwrap_or(letter))
        .collect()
}

/// `text` with letters, dashes and quotes of ASCII in place of those that look like them.
pub fn as_ascii(text: &str) -> String {
    let letters = text.chars();
    letters
        .map(|letter| ascii(letter).unwrap_or(letter))
        .collect()
}

/// Names the first letter of `text` that looks like another one, and what to write.
pub fn letter_alike(text: &str) -> Option<String> {
    let (letter, ascii) = first(text, letter_of)?;
    Some(named(letter, ascii))
}

/// Names the first letter, dash or quote of `text` that looks like another one, and what to write.
pub fn alike(text: &str) -> Option<String> {
    let (letter, ascii) = first(text, ascii)?;
    Some(named(letter, ascii))
}

/// The first character of `text` that looks like one of ASCII by `of`.
///
/// A text in another script has such letters, too: those count only in a word that also has letters or digits of ASCII, or in a text
/// that has nothing else.
fn first(text: &str, of: fn(char) -> Option<char>) -> Option<(char, char)> {
    let is_whole = text.chars().all(|it| it.is_ascii() || of(it).is_some());
    let mut words = text.split_whitespace();
    words.find_map(|word| {
        let is_mixed = word.contains(|c: char| c.is_ascii_alphanumeric());
        let mut letters = word.chars();
        letters.find_map(|letter| {
            let ascii = of(letter)?;
            (is_whole || is_mixed).then_some((letter, ascii))
        })
    })
}

/// Names `letter`, which looks like `ascii`, and says what to write.
pub fn named(letter: char, ascii: char) -> String {
    let which = which(letter);
    format!("'{letter}' in it is {which}, and not '{ascii}'; write '{ascii}'")
}

/// The code and the kind of `letter`, which looks like one of ASCII.
pub fn which(letter: char) -> String {
    let mark = MARKS.iter().find(|(other, ..)| *other == letter);
    let kind = match letter {
        _ if let Some((.., name)) = mark => name,
        '\u{370}'..='\u{3ff}' => "a letter of Greek",
        '\u{400}'..='\u{52f}' => "a letter of Cyrillic",
        _ => "a character of full width",
    };
    format!("U+{:04X}, {kind}", u32::from(letter))
}

/// Names the first character of `text`, a value of ASCII alone such as a duration or a name, that cannot be seen or that looks like
/// another one, and says what to write.
pub fn misleading(text: &str) -> Option<String> {
    let mut letters = text.chars();
    let unseen = letters.find_map(|letter| Some((letter, hidden(letter)?)));
    match unseen.filter(|(letter, _)| !letter.is_ascii()) {
        Some((letter, name)) => Some(format!(
            "in it is U+{:04X} ({name}), which cannot be seen; write a space, or nothing",
            u32::from(letter)
        )),
        None => alike(text),
    }
}

/// The same as what follows the rest of a message.
pub fn and_misleading(text: &str) -> String {
    misleading(text).map_or_else(String::new, |told| format!("; {told}"))
}

/// The text that git has left in `text`, with its line: an unresolved conflict ("git merge", "How conflicts are presented"), or
/// the pointer to a file of Git LFS ("The Pointer").
pub fn left_by_git(text: &str) -> Option<(usize, &'static str)> {
    if text.starts_with("version https://git-lfs.github.com/") {
        let pointer = "the file is a pointer of Git LFS; fetch its content with 'git lfs pull'";
        return Some((1, pointer));
    }
    let mut lines = (1..).zip(text.lines());
    let (line, _) = lines.find(|(_, line)| line.starts_with("<<<<<<< "))?;
    let is_whole = text.lines().any(|line| line.starts_with(">>>>>>> "));
    let conflict =
        "a conflict of git begins here, which nobody has resolved; choose one of its sides";
    is_whole.then_some((line, conflict))
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
            // What word processors make of --, - and quotes.
            (
                "\u{2014}messages",
                "'\u{2014}' in it is U+2014, an em dash, and not '-'; write '-'",
            ),
            (
                "1\u{2013}5 s",
                "'\u{2013}' in it is U+2013, an en dash, and not '-'; write '-'",
            ),
            (
                "\u{201c}orders\u{201d}",
                "'\u{201c}' in it is U+201C, a curly quote, and not '\"'; write '\"'",
            ),
            (
                "250\u{b5}s",
                "'\u{b5}' in it is U+00B5, a micro sign, and not 'u'; write 'u'",
            ),
        ] {
            assert_eq!(alike(text).as_deref(), Some(told), "{text}");
        }
        assert_eq!(letter_alike("1\u{2013}5 s"), None);
        assert_eq!(plain("1\u{2013}5 \u{ff53}"), "1\u{2013}5 s");
        assert_eq!(as_ascii("1\u{2013}5 \u{ff53}"), "1-5 s");
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

    #[test]
    fn a_value_of_ascii_with_another_character_is_told_which() {
        for (text, told) in [
            (
                "5\u{a0}s",
                Some(
                    "in it is U+00A0 (no-break space), which cannot be seen; write a space, or nothing",
                ),
            ),
            (
                "\u{2212}5s",
                Some("'\u{2212}' in it is U+2212, a minus sign, and not '-'; write '-'"),
            ),
            ("5 s\t\n", None),
            ("", None),
        ] {
            assert_eq!(misleading(text).as_deref(), told, "{text:?}");
        }
        assert!(and_misleading("5\u{200b}s").starts_with("; in it is U+200B (zero width space)"));
    }

    #[test]
    fn what_git_leaves_is_told_from_text() {
        let conflict = "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> other\n";
        assert_eq!(left_by_git(conflict).unwrap().0, 2);
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 12\n";
        assert!(left_by_git(pointer).unwrap().1.contains("git lfs pull"));
        for text in [
            "",
            "version: 1\n",
            "<<<<<<< here it begins\n",
            "Title\n=======\n",
        ] {
            assert_eq!(left_by_git(text), None, "{text}");
        }
    }
}
