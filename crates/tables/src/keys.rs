//! Rules for `PartitionKey` and `RowKey`, and for names of properties, checked before a request is sent; and the encoding of
//! keys in a URL.
//!
//! Rules: <https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model>

use std::fmt::Write as _;

/// The longest key, in UTF-16 code units: 1 KiB, and the service counts two bytes a unit.
pub const MAX_KEY_UTF16_UNITS: usize = 512;

/// Reason why a `PartitionKey` or `RowKey` cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key contains a character that the service refuses in keys.
    #[error(
        "{key} holds {character:?} at byte {position}: '/', '\\', '#', '?' and control characters \
         are not allowed in keys, encode them first"
    )]
    ForbiddenCharacter {
        /// `PartitionKey` or `RowKey`.
        key: &'static str,
        /// The first such character.
        character: char,
        /// Its offset in the key, in bytes of UTF-8.
        position: usize,
    },
    /// The key is longer than [`MAX_KEY_UTF16_UNITS`].
    #[error(
        "{key} is {length} UTF-16 units long, more than the {MAX_KEY_UTF16_UNITS} (1 KiB) of the service"
    )]
    TooLong {
        /// `PartitionKey` or `RowKey`.
        key: &'static str,
        /// Its length in UTF-16 code units.
        length: usize,
    },
}

/// Checks one key; `key` names it in the error.
pub(crate) fn validate(key: &'static str, value: &str) -> Result<(), KeyError> {
    if let Some((position, character)) = value.char_indices().find(|(_, c)| is_forbidden(*c)) {
        return Err(KeyError::ForbiddenCharacter {
            key,
            character,
            position,
        });
    }
    // UTF-8 never has fewer units than UTF-16, so short keys need no second check.
    if value.len() > MAX_KEY_UTF16_UNITS {
        let length = value.encode_utf16().count();
        if length > MAX_KEY_UTF16_UNITS {
            return Err(KeyError::TooLong { key, length });
        }
    }
    Ok(())
}

/// The longest name of a property, in UTF-16 code units.
pub const MAX_NAME_UTF16_UNITS: usize = 255;

/// Reason why a text cannot be the name of a property.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The name is empty.
    #[error("a property has no name")]
    Empty,
    /// The name is longer than [`MAX_NAME_UTF16_UNITS`].
    #[error(
        "the name of a property is {length} UTF-16 units long, more than the {MAX_NAME_UTF16_UNITS} of the service"
    )]
    TooLong {
        /// Its length in UTF-16 code units.
        length: usize,
    },
    /// The name is not an identifier.
    #[error(
        "property {name:?} has {character:?} in its name at byte {position}: letters, digits and '_' are allowed, and no digit \
         comes first"
    )]
    ForbiddenCharacter {
        /// The name.
        name: String,
        /// The first invalid character in its place.
        character: char,
        /// Its offset in the name, in bytes of UTF-8.
        position: usize,
    },
}

/// Checks the name of a property: "Property names are case-sensitive strings up to 255 characters in size. They should follow
/// the naming rules for C# identifiers." Names such as `odata.etag` or `x@odata.type` would be read as annotations, so the
/// property would be lost.
///
/// Of characters beyond ASCII, only those that no identifier has are refused: white space, and control characters. The service
/// checks the rest.
pub(crate) fn validate_name(name: &str) -> Result<(), NameError> {
    let is_allowed = |at: usize, c: char| match c {
        '_' => true,
        '0'..='9' => at > 0,
        c if c.is_ascii() => c.is_ascii_alphabetic(),
        c => !c.is_whitespace() && !c.is_control(),
    };
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    let mut characters = name.char_indices();
    if let Some((position, character)) = characters.find(|(at, c)| !is_allowed(*at, *c)) {
        let name = name.to_owned();
        return Err(NameError::ForbiddenCharacter {
            name,
            character,
            position,
        });
    }
    if name.len() > MAX_NAME_UTF16_UNITS {
        let length = name.encode_utf16().count();
        if length > MAX_NAME_UTF16_UNITS {
            return Err(NameError::TooLong { length });
        }
    }
    Ok(())
}

/// `char::is_control` is exactly U+0000-1F and U+007F-9F, the range the service refuses.
fn is_forbidden(character: char) -> bool {
    matches!(character, '/' | '\\' | '#' | '?') || character.is_control()
}

/// Appends `text` percent-encoded: everything but RFC 3986's unreserved characters.
pub(crate) fn push_percent_encoded(out: &mut String, text: &str) {
    for byte in text.bytes() {
        push_encoded_byte(out, byte);
    }
}

/// Appends a key as the content of an OData string literal in a URL: quotes doubled, then encoded.
pub(crate) fn push_key(out: &mut String, key: &str) {
    for byte in key.bytes() {
        if byte == b'\'' {
            out.push_str("%27%27");
        } else {
            push_encoded_byte(out, byte);
        }
    }
}

fn push_encoded_byte(out: &mut String, byte: u8) {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
        out.push(char::from(byte));
    } else {
        write!(out, "%{byte:02X}").expect("writing to a String must succeed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> String {
        let mut out = String::new();
        push_key(&mut out, text);
        out
    }

    #[test]
    fn quotes_are_doubled_and_everything_reserved_is_encoded() {
        assert_eq!(key("it's"), "it%27%27s");
        assert_eq!(key("a b+c%20&=é"), "a%20b%2Bc%2520%26%3D%C3%A9");
        assert_eq!(key("Az09-._~"), "Az09-._~");
        assert_eq!(key("',RowKey='"), "%27%27%2CRowKey%3D%27%27");
    }

    /// "Understanding the Table service data model", "Property names", and the names of C# identifiers.
    #[test]
    fn names_of_properties_are_identifiers() {
        for name in [
            "a",
            "_a1",
            "Straße",
            "名前",
            "data",
            "odata",
            &"x".repeat(255),
        ] {
            assert_eq!(validate_name(name), Ok(()), "{name}");
        }
        for (name, character, position) in [
            ("odata.etag", '.', 5),
            ("x@odata.type", '@', 1),
            ("my-prop", '-', 2),
            ("1st", '1', 0),
            ("a b", ' ', 1),
            ("a:b", ':', 1),
            ("$a", '$', 0),
            ("a\u{a0}b", '\u{a0}', 1),
            ("é\n", '\n', 2),
        ] {
            let expected = NameError::ForbiddenCharacter {
                name: name.to_owned(),
                character,
                position,
            };
            assert_eq!(validate_name(name), Err(expected));
        }
        assert_eq!(validate_name(""), Err(NameError::Empty));
        assert_eq!(
            validate_name(&"x".repeat(256)),
            Err(NameError::TooLong { length: 256 })
        );
        assert_eq!(validate_name(&"名".repeat(255)), Ok(()));
    }

    #[test]
    fn every_forbidden_character_is_named_with_its_position() {
        let controls = (0..=0x1f).chain(0x7f..=0x9f).filter_map(char::from_u32);
        for character in controls.chain(['/', '\\', '#', '?']) {
            assert_eq!(
                validate("RowKey", &format!("ab{character}c")),
                Err(KeyError::ForbiddenCharacter {
                    key: "RowKey",
                    character,
                    position: 2
                })
            );
        }
    }

    #[test]
    fn neighbours_of_the_forbidden_ranges_are_allowed() {
        for text in ["", " ", "~", "\u{a0}", "100%", "it's", "\"", "日本", "🦀"] {
            assert_eq!(validate("PartitionKey", text), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn length_is_counted_in_utf16_units() {
        assert_eq!(validate("RowKey", &"x".repeat(512)), Ok(()));
        assert_eq!(
            validate("RowKey", &"x".repeat(513)),
            Err(KeyError::TooLong {
                key: "RowKey",
                length: 513
            })
        );
        assert_eq!(validate("RowKey", &"é".repeat(512)), Ok(()));
        assert_eq!(
            validate("RowKey", &"🦀".repeat(257)),
            Err(KeyError::TooLong {
                key: "RowKey",
                length: 514
            })
        );
    }
}
