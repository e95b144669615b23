//! Text files from editors, spreadsheets and shells: UTF-8 or UTF-16, with or without a byte order mark.

/// Whether `bytes`, the beginning of a file, are UTF-16: by the byte order mark, or otherwise by the position of zeros, for a
/// file that begins with an ASCII character.
pub const fn is_utf16(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..]
    )
}

/// Decodes `bytes`, without a byte order mark; `None` if they are neither UTF-8 nor UTF-16, or no text.
pub fn decode(bytes: &[u8]) -> Option<String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (units, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = units.iter().copied().map(unit).collect();
        rest.is_empty().then(|| String::from_utf16(&units).ok())?
    };
    match bytes {
        [0xff, 0xfe, text @ ..] => wide(text, u16::from_le_bytes),
        [0xfe, 0xff, text @ ..] => wide(text, u16::from_be_bytes),
        [0, _, ..] => wide(bytes, u16::from_be_bytes),
        [_, 0, ..] => wide(bytes, u16::from_le_bytes),
        text => {
            let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
            String::from_utf8(text.to_vec()).ok()
        }
    }
}

/// The column separator that the first line of a table declares, such as `sep=;`, which Excel interprets and does not show.
pub fn declared_separator(line: &str) -> Option<char> {
    let line = line.trim_matches([' ', '\r', '\n', '"']);
    let (name, value) = line.split_once('=')?;
    let mut letters = value.chars();
    // White space at the end of lines is trimmed, so a missing separator is a tab.
    let separator = letters.next().unwrap_or('\t');
    (name.eq_ignore_ascii_case("sep") && letters.next().is_none()).then_some(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_excel_tells_the_separator() {
        for (line, separator) in [
            ("sep=;", Some(';')),
            ("\"Sep=,\"\r\n", Some(',')),
            ("sep=\t", Some('\t')),
            ("sep=", Some('\t')),
            ("sep=;;", None),
            ("step=;", None),
            ("t_s;total;replicas", None),
        ] {
            assert_eq!(declared_separator(line), separator, "{line:?}");
        }
    }

    #[test]
    fn every_encoding_of_a_text_is_the_text() {
        let text = "offset_s\n# größe\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (bytes, wide) in [
            (text.as_bytes().to_vec(), false),
            ([b"\xef\xbb\xbf", text.as_bytes()].concat(), false),
            ([&[0xff, 0xfe], little.as_slice()].concat(), true),
            ([&[0xfe, 0xff], big.as_slice()].concat(), true),
            (little, true),
            (big, true),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Some(text), "{bytes:?}");
            assert_eq!(is_utf16(&bytes), wide, "{bytes:?}");
        }
        for none in [&b"\xe4\xf6"[..], b"\xff\xfea", b"a\0\0"] {
            assert_eq!(decode(none), None, "{none:?}");
        }
        assert_eq!(decode(b"").as_deref(), Some(""));
    }
}
