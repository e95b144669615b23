//! Escapes of texts within texts: JSON, URLs, XML and Base64.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::placeholder::Format;

/// Escapes of characters in XML.
const IN_XML: [(char, &str); 5] = [
    ('&', "&amp;"),
    ('<', "&lt;"),
    ('>', "&gt;"),
    ('"', "&quot;"),
    ('\'', "&apos;"),
];

impl Format {
    /// Whether the format may change a text.
    pub(super) const fn escapes(self) -> bool {
        matches!(self, Self::Json | Self::Url | Self::Xml | Self::Base64)
    }

    /// Escapes `text` in this format.
    pub(super) fn escaped(self, text: Cow<'_, str>) -> Cow<'_, str> {
        match self {
            Self::Json => serde_json::Value::from(&*text).to_string().into(),
            Self::Url => in_url(&text).into(),
            Self::Xml => in_xml(&text).into(),
            Self::Base64 => BASE64_STANDARD.encode(&*text).into(),
            Self::Upper => text.to_ascii_uppercase().into(),
            Self::Bare => text.replace('-', "").into(),
            Self::BareUpper => text.replace('-', "").to_ascii_uppercase().into(),
            _ => text,
        }
    }

    /// Unescapes `text`; `None` if it is not in this format.
    pub(super) fn unescaped(self, text: &str) -> Option<Cow<'_, str>> {
        match self {
            Self::Json => serde_json::from_str(text).ok().map(Cow::Owned),
            Self::Url => of_url(text).map(Cow::Owned),
            Self::Xml => of_xml(text).map(Cow::Owned),
            Self::Base64 => {
                let bytes = BASE64_STANDARD.decode(text).ok()?;
                String::from_utf8(bytes).ok().map(Cow::Owned)
            }
            // Case does not matter for identifying an id; another check compares a column exactly.
            Self::Upper => Some(text.to_ascii_lowercase().into()),
            _ => Some(Cow::Borrowed(text)),
        }
    }
}

/// Percent-encodes all characters except unreserved ones (RFC 3986).
fn in_url(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(byte.into());
        } else {
            write!(escaped, "%{byte:02X}").expect("writing to a string must succeed");
        }
    }
    escaped
}

/// Also decodes `+` as a space, as in forms.
fn of_url(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn in_xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match IN_XML.iter().find(|(of, _)| *of == c) {
            Some((_, entity)) => escaped.push_str(entity),
            // A parser converts each line end to a line feed, unless it is escaped (XML 1.0, 2.11).
            None if c == '\r' => escaped.push_str("&#13;"),
            None => escaped.push(c),
        }
    }
    escaped
}

fn of_xml(text: &str) -> Option<String> {
    let (mut read, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('&') {
        let (entity, after) = after.split_once(';')?;
        read.push_str(before);
        let named = IN_XML
            .iter()
            .find(|(_, known)| known[1..known.len() - 1] == *entity);
        read.push(match (named, entity.strip_prefix('#')) {
            (Some((c, _)), _) => *c,
            (None, Some(number)) => {
                let hex = number.strip_prefix('x');
                let code = hex.map_or_else(|| number.parse(), |hex| u32::from_str_radix(hex, 16));
                char::from_u32(code.ok()?)?
            }
            (None, None) => return None,
        });
        rest = after;
    }
    read.push_str(rest);
    Some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Format; 5] = [
        Format::Plain,
        Format::Json,
        Format::Url,
        Format::Xml,
        Format::Base64,
    ];

    #[test]
    fn every_text_comes_back_whole() {
        for text in [
            "",
            " a+b&c=%41\n",
            "<a href=\"x\">'&amp;'</a>\r\n",
            "żółć 🚀",
            "\u{1}",
        ] {
            for format in ALL {
                let escaped = format.escaped(text.into());
                assert_eq!(
                    format.unescaped(&escaped).as_deref(),
                    Some(text),
                    "{format:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_written_otherwise_is_read_too_and_what_is_of_no_such_form_is_not() {
        assert_eq!(Format::Url.unescaped("a+b%2fc").as_deref(), Some("a b/c"));
        assert_eq!(Format::Xml.unescaped("&#65;&#x42;").as_deref(), Some("AB"));
        for (format, text) in [
            (Format::Json, "a"),
            (Format::Url, "%4"),
            (Format::Url, "%ff"),
            (Format::Xml, "&a"),
            (Format::Xml, "&nbsp;"),
            (Format::Base64, "ä"),
        ] {
            assert_eq!(format.unescaped(text), None, "{format:?} {text}");
        }
    }
}
