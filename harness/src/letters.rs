//! Characters that cannot be seen, by name.

/// The name of a character that cannot be seen, or not be told from a space.
pub(crate) fn hidden(letter: char) -> Option<&'static str> {
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
