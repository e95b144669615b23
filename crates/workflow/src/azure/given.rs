//! Clean-up of settings from files and other programs: surrounding quotes and white space.

/// Quotes that people and programs put around a value, opening and closing.
const QUOTES: [(char, char); 5] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('\u{201c}', '\u{201d}'),
    ('\u{2018}', '\u{2019}'),
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
