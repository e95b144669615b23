//! Clean-up of settings from files and other programs: surrounding quotes and white space.

use crate::contract::letters;

/// Quotes that people and programs put around a value, opening and closing; the last ones are those of German and French.
const QUOTES: [(char, char); 9] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('\u{201c}', '\u{201d}'),
    ('\u{2018}', '\u{2019}'),
    ('\u{201d}', '\u{201d}'),
    ('\u{201e}', '\u{201c}'),
    ('\u{201a}', '\u{2018}'),
    ('\u{ab}', '\u{bb}'),
];

/// Returns `text` without surrounding white space, such as line ends; without a byte order mark; and without a pair of quotes,
/// which `az storage ... generate-sas` prints and `docker run --env-file` keeps ("docker container run", `--env-file`: values
/// are taken as they are). No valid value of a setting here begins and ends with quotes itself.
pub(super) fn bare(text: &str) -> &str {
    let text = trim(text);
    let quoted = QUOTES.into_iter().find_map(|(open, close)| {
        let rest = text.strip_prefix(open)?;
        rest.strip_suffix(close)
    });
    quoted.map_or(text, trim)
}

/// What is wrong with `text`, a value of ASCII alone, to complete a sentence: the first other character, by its code, since the text may
/// be a secret.
pub(super) fn no_ascii(text: &str) -> Option<String> {
    let letter = text.chars().find(|letter| !letter.is_ascii())?;
    let known = letters::misleading(text)
        .filter(|told| told.contains(&format!("{:04X}", u32::from(letter))));
    let Some(told) = known else {
        let code = u32::from(letter);
        return Some(format!(
            "has U+{code:04X}, which cannot stand in it; copy it again, as plain text"
        ));
    };
    Some(format!(
        "has a character that is not what it looks like: {told}"
    ))
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{200b}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_white_space_and_marks_around_a_value_are_no_part_of_it() {
        for text in [
            "sv=1&sig=a%3D",
            "\"sv=1&sig=a%3D\"",
            "'sv=1&sig=a%3D'\r\n",
            " \" sv=1&sig=a%3D \" ",
            "\u{201c}sv=1&sig=a%3D\u{201d}",
            "\u{feff}sv=1&sig=a%3D\u{a0}",
            "\u{201e}sv=1&sig=a%3D\u{201c}",
            "\u{ab}\u{a0}sv=1&sig=a%3D\u{a0}\u{bb}",
        ] {
            assert_eq!(bare(text), "sv=1&sig=a%3D", "{text:?}");
        }
        for text in ["", "\"", "\"a", "a'", "a\"b"] {
            assert_eq!(bare(text), text);
        }
        assert_eq!(bare("\"\""), "");
    }
}
