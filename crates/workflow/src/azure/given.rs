//! Settings as they come out of files and other programs: with quotes around them, or with white space at their ends.

/// Quotes that people and programs put around a value, opening and closing.
const QUOTES: [(char, char); 5] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('\u{201c}', '\u{201d}'),
    ('\u{2018}', '\u{2019}'),
];

/// `text` without what is around it: white space, as from the end of a file or a line of CR and LF; a byte order mark; and a
/// pair of quotes, as `az storage ... generate-sas` prints them and `docker run --env-file` keeps them ("docker container
/// run", `--env-file`: values are taken as they are). Nothing that is set here begins and ends with quotes itself.
pub(super) fn bare(text: &str) -> &str {
    let text = trim(text);
    let quoted = QUOTES.into_iter().find_map(|(open, close)| {
        let rest = text.strip_prefix(open)?;
        rest.strip_suffix(close)
    });
    quoted.map_or(text, trim)
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
        ] {
            assert_eq!(bare(text), "sv=1&sig=a%3D", "{text:?}");
        }
        for text in ["", "\"", "\"a", "a'", "a\"b"] {
            assert_eq!(bare(text), text);
        }
        assert_eq!(bare("\"\""), "");
    }
}
