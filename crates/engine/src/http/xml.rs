//! XML: parsed into a small tree, and written with escapes. The size of request bodies is limited.

use quick_xml::{Reader, events::Event};

use super::error::ServiceError;

/// The declaration at the beginning of each document.
pub(crate) const DECLARATION: &str = r#"<?xml version="1.0" encoding="utf-8"?>"#;

/// Deepest nesting of elements: documents of the services have four levels.
const DEEPEST: usize = 16;

/// An element: its name, its children, and its text if it has no children.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) children: Vec<Element>,
    pub(crate) text: String,
}

impl Element {
    /// The first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of that name.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }
}

/// Parses a document.
///
/// # Errors
/// 400 `InvalidXmlDocument` for an invalid one.
pub(crate) fn parse(body: &[u8]) -> Result<Element, ServiceError> {
    let invalid = || ServiceError::invalid_xml();
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|_| invalid())?;
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().map_err(|_| invalid())? {
            Event::Start(start) => {
                if open.len() > DEEPEST {
                    return Err(invalid());
                }
                open.push(named(start.local_name().as_ref())?);
            }
            Event::Empty(start) => add(&mut open, named(start.local_name().as_ref())?)?,
            Event::End(_) => {
                let element = open.pop().ok_or_else(invalid)?;
                add(&mut open, element)?;
            }
            Event::Text(text) => {
                let text = text.decode().map_err(|_| invalid())?;
                last(&mut open)?.text.push_str(&text);
            }
            Event::CData(text) => {
                let text = text.decode().map_err(|_| invalid())?;
                last(&mut open)?.text.push_str(&text);
            }
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref().map_err(|_| invalid())? {
                    Some(character) => character,
                    None => {
                        entity(&reference.decode().map_err(|_| invalid())?).ok_or_else(invalid)?
                    }
                };
                last(&mut open)?.text.push(character);
            }
            // No client needs a document's own entities, which could expand without limit.
            Event::DocType(_) => return Err(invalid()),
            Event::Eof => break,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
    match open.pop() {
        Some(document)
            if open.is_empty()
                && document.children.len() == 1
                && document.text.trim().is_empty() =>
        {
            document.children.into_iter().next().ok_or_else(invalid)
        }
        _ => Err(invalid()),
    }
}

fn named(name: &[u8]) -> Result<Element, ServiceError> {
    let name = std::str::from_utf8(name).map_err(|_| ServiceError::invalid_xml())?;
    Ok(Element {
        name: name.to_owned(),
        ..Element::default()
    })
}

fn last(open: &mut [Element]) -> Result<&mut Element, ServiceError> {
    open.last_mut().ok_or_else(ServiceError::invalid_xml)
}

fn add(open: &mut [Element], element: Element) -> Result<(), ServiceError> {
    last(open)?.children.push(element);
    Ok(())
}

fn entity(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => return None,
    })
}

/// Appends a text with XML escapes. An unescaped carriage return would be read back as a line feed.
pub(crate) fn escape_into(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['<', '>', '&', '"', '\r']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'&' => "&amp;",
            b'"' => "&quot;",
            _ => "&#13;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

/// Appends an element with a text.
pub(crate) fn element(out: &mut String, name: &str, text: &str) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    escape_into(out, text);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Whether XML 1.0 can represent a text ("Extensible Markup Language", 2.2).
pub(crate) fn is_representable(text: &str) -> bool {
    text.chars().all(|c| {
        matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_with_its_escapes() {
        let body = "\u{feff}<?xml version=\"1.0\"?><a xmlns:x=\"y\"><b>1 &lt; 2 &amp;&#65;&#x42;</b><c/><b>x<![CDATA[<y>]]></b></a>";
        let root = parse(body.as_bytes()).unwrap();
        assert_eq!(root.name, "a");
        let texts: Vec<&str> = root.children.iter().map(|child| &*child.text).collect();
        assert_eq!(texts, ["1 < 2 &AB", "", "x<y>"]);
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(1000), "</a>".repeat(1000));
        for body in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a>&unknown;</a>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            &deep,
        ] {
            assert!(parse(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn what_is_escaped_is_read_back() {
        let text = "<a> & \"b\" 'c' \r\n \t ]]>";
        let mut body = String::new();
        element(&mut body, "t", text);
        assert_eq!(parse(body.as_bytes()).unwrap().text, text);
    }
}
