//! Templates: texts with placeholders such as `{id}` or `{lease:ms}`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::misspelt::{CURLY, Meant, at_brace};
use super::placeholder::{Format, NAMES, Name, PAYLOADS, Placeholder};

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Literal text.
    Text(String),
    /// A placeholder.
    Hole(Placeholder),
}

/// A text with placeholders. A brace that no name follows, such as `{"`, is text; `{'{'}` is a brace, whatever follows, and `{'$'}` a
/// dollar sign.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template(Vec<Piece>);

/// Error of an invalid template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A text that looks like a placeholder but is none, and the placeholder that was probably meant.
    #[error("{0} is no placeholder; {1}")]
    Unknown(String, Meant),
    /// A format that is not possible for the name.
    #[error("{{{name}:{format}}} has a format that {{{name}}} cannot have; it can have: {fitting}")]
    Format {
        /// The name.
        name: Name,
        /// The format.
        format: String,
        /// The possible formats.
        fitting: String,
    },
}

impl TemplateError {
    /// What is wrong, as it is written.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Unknown(written, _) => written.clone(),
            Self::Format { name, format, .. } => format!("{{{name}:{format}}}"),
        }
    }
}

impl Template {
    /// Makes a template of its parts.
    pub(super) const fn of_pieces(pieces: Vec<Piece>) -> Self {
        Self(pieces)
    }

    /// The parts of the template.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// Writes `text` as a template that stands for it, with any braces in it.
    pub fn of_text(text: &str) -> String {
        let read = text.parse::<Self>();
        let stays =
            read.is_ok_and(|it| it.0.iter().all(|piece| *piece == Piece::Text(text.into())));
        if stays {
            text.to_owned()
        } else {
            text.replace('{', "{'{'}")
        }
    }

    /// The placeholders of the template.
    pub fn holes(&self) -> impl Iterator<Item = Placeholder> + '_ {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Hole(hole) => Some(*hole),
            Piece::Text(_) => None,
        })
    }

    /// The placeholder, if it is the whole template.
    pub fn whole(&self) -> Option<Placeholder> {
        match self.0[..] {
            [Piece::Hole(hole)] => Some(hole),
            _ => None,
        }
    }

    /// The text with every placeholder filled in; `None` if one has no value.
    pub fn fill<'a>(
        &self,
        mut value: impl FnMut(Placeholder) -> Option<Cow<'a, str>>,
    ) -> Option<String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Hole(hole) => {
                    text.push_str(&hole.format.escaped(value(*hole)?));
                }
            }
        }
        Some(text)
    }

    /// The texts in the places of the placeholders that `wanted` accepts, if `text` has the form of the template. A placeholder
    /// ends at the first occurrence of the following text, the last one at the end of the text.
    pub fn read<'a>(
        &self,
        text: &'a str,
        wanted: impl Fn(Name) -> bool,
    ) -> Option<Vec<(Placeholder, Cow<'a, str>)>> {
        let (mut rest, mut found) = (text, Vec::new());
        for (at, piece) in self.0.iter().enumerate() {
            match piece {
                Piece::Text(literal) => rest = rest.strip_prefix(literal.as_str())?,
                Piece::Hole(hole) => {
                    let next = self.0.get(at + 1);
                    let (value, after) = take(*hole, rest, next)?;
                    if wanted(hole.name) {
                        found.push((*hole, value));
                    }
                    rest = after;
                }
            }
        }
        rest.is_empty().then_some(found)
    }
}

/// The value of `hole` at the beginning of `text`, and the rest.
fn take<'a>(
    hole: Placeholder,
    text: &'a str,
    next: Option<&Piece>,
) -> Option<(Cow<'a, str>, &'a str)> {
    if hole.format == Format::Json {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Cow<'a, str>>();
        let value = values.next()?.ok()?;
        let after = &text[values.byte_offset()..];
        return Some((value, after));
    }
    let end = match next {
        None => text.len(),
        Some(Piece::Text(literal)) => text.find(literal.as_str())?,
        // Two placeholders without text between them: the first one takes all characters that are valid for it.
        Some(Piece::Hole(_)) => text
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .unwrap_or(text.len()),
    };
    Some((hole.format.unescaped(&text[..end])?, &text[end..]))
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let (mut pieces, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some(open) = rest.find('{') {
            literal.push_str(&rest[..open]);
            let dollar = rest[..open].ends_with('$');
            rest = &rest[open..];
            if let Some((quoted, after)) = quoted(rest) {
                literal.push(quoted);
                rest = after;
            } else if let Some(inner) = name(rest) {
                // The form of shells and of JavaScript.
                if dollar {
                    let written = format!("${{{inner}}}");
                    let meant = Meant::by(&written, inner);
                    return Err(TemplateError::Unknown(written, meant));
                }
                if !literal.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Hole(hole(inner)?));
                rest = &rest[inner.len() + 2..];
            } else if let Some((written, name)) = at_brace(rest) {
                let written = if dollar {
                    format!("${written}")
                } else {
                    written.to_owned()
                };
                let meant = Meant::by(&written, name);
                return Err(TemplateError::Unknown(written, meant));
            } else {
                literal.push('{');
                rest = &rest[1..];
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Ok(Self(pieces))
    }
}

/// The brace or dollar sign that begins `text` in braces and quotes, such as `{'{'}`, and the rest.
fn quoted(text: &str) -> Option<(char, &str)> {
    let mut rest = text.strip_prefix("{'")?.chars();
    let quoted = rest.next().filter(|c| "{}$".contains(*c))?;
    Some((quoted, rest.as_str().strip_prefix("'}")?))
}

/// The text in the braces that begin `text`, if it has the form of a name with or without a format.
fn name(text: &str) -> Option<&str> {
    let (inner, _) = text.strip_prefix('{')?.split_once('}')?;
    let is_name = inner.starts_with(|c: char| c.is_ascii_lowercase())
        && inner
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_:".contains(c));
    is_name.then_some(inner)
}

fn hole(inner: &str) -> Result<Placeholder, TemplateError> {
    let (text, format) = match inner.split_once(':') {
        Some((text, format)) => (text, Some(format)),
        None => (inner, None),
    };
    let further = text.strip_prefix("payload").and_then(|n| n.parse().ok());
    let name = match further {
        Some(number @ 2..=PAYLOADS) => Some(Name::Payload(number)),
        _ => NAMES
            .iter()
            .find(|(known, _)| *known == text)
            .map(|(_, name)| *name),
    };
    let name = name.ok_or_else(|| {
        let written = format!("{{{inner}}}");
        let meant = Meant::by(&written, inner);
        TemplateError::Unknown(written, meant)
    })?;
    let format = match format {
        None => Format::Plain,
        Some(format) => Format::of(format, name).ok_or_else(|| TemplateError::Format {
            name,
            format: format.to_owned(),
            fitting: Format::all_for(name),
        })?,
    };
    Ok(Placeholder { name, format })
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                Piece::Hole(hole) => hole.fmt(f)?,
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A text with placeholders, each a name in braces, with or without a format after a colon. Formats of ids: \
                            {id:upper}, {uuid:upper}, {uuid:n}, {uuid:n-upper}, {digest:upper}; of counts: {seq:number}, {seq:010}; of \
                            times: {intended:rfc3339}, :unix-ms, :unix-s; of spans: {lease:s}, :ms, :hms; of texts within texts: \
                            {payload:json}, :url, :xml, :base64.",
            "type": ["string", "number", "boolean"],
            "not": { "type": "string", "pattern": CURLY },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(template: &str, text: &str) -> Option<Vec<String>> {
        let template: Template = template.parse().unwrap();
        let found = template.read(text, |_| true)?;
        Some(
            found
                .into_iter()
                .map(|(_, text)| text.into_owned())
                .collect(),
        )
    }

    #[test]
    fn what_is_filled_in_is_read_back() {
        for (template, filled) in [
            ("{id}", "id"),
            ("order-{seq}/{id}", "order-seq/id"),
            (
                r#"{"id": {id:json}, "n": [{seq}]}"#,
                r#"{"id": "id", "n": [seq]}"#,
            ),
            ("{ not a name }", "{ not a name }"),
            ("op=store&id={id:url}&n={seq:010}", "op=store&id=id&n=seq"),
            ("<id>{id:xml}</id>", "<id>id</id>"),
        ] {
            let parsed: Template = template.parse().unwrap();
            let text = parsed
                .fill(|hole| Some(hole.name.to_string().into()))
                .unwrap();
            assert_eq!(text, filled);
            let names: Vec<_> = parsed.holes().map(|hole| hole.name.to_string()).collect();
            assert_eq!(read(template, &text), Some(names));
        }
    }

    #[test]
    fn any_text_has_a_template_that_stands_for_it() {
        for text in [
            "",
            "plain",
            "{id}",
            "{Level} {{id}}",
            "${id}",
            "{'{'}",
            r#"{"a": "{id}"}"#,
            "{\"a\": {}}",
        ] {
            let template: Template = Template::of_text(text).parse().unwrap();
            assert_eq!(template.fill(|_| None).as_deref(), Some(text));
        }
        assert_eq!(Template::of_text("{\"a\": {}}"), "{\"a\": {}}");
    }

    #[test]
    fn a_text_of_another_form_is_not_read() {
        for (template, text) in [
            ("a{id}b", "a"),
            ("a{id}", "b"),
            ("{id:json}", "id"),
            ("x", "xy"),
        ] {
            assert_eq!(read(template, text), None, "{template} {text}");
        }
    }

    #[test]
    fn a_text_that_was_escaped_for_json_comes_back_whole() {
        let template: Template = "[{payload:json}]".parse().unwrap();
        let text = template.fill(|_| Some("a\"\\\n]".into())).unwrap();
        assert_eq!(text, r#"["a\"\\\n]"]"#);
        assert_eq!(
            read("[{payload:json}]", &text),
            Some(vec!["a\"\\\n]".to_owned()])
        );
    }

    #[test]
    fn what_no_placeholder_can_have_is_named() {
        let error = |text: &str| text.parse::<Template>().unwrap_err().to_string();
        assert_eq!(
            error("{id:rfc3339}"),
            "{id:rfc3339} has a format that {id} cannot have; it can have: json, url, xml, base64, upper"
        );
        assert!(error("{uuid:N}").ends_with("can have: json, url, xml, base64, upper, n, n-upper"));
        assert!(error("{payload:upper}").ends_with("can have: json, url, xml, base64"));
        assert!(error("{seq:n}").ends_with("can have: json, url, xml, base64, number, 010"));
        assert!(error("{payload77}").contains("{payload77}"));
    }

    #[test]
    fn every_name_is_read_as_it_is_shown() {
        for (text, name) in NAMES {
            assert_eq!(name.to_string(), text);
        }
        let template: Template = "{payload3}".parse().unwrap();
        assert_eq!(
            template.whole().map(|hole| hole.name),
            Some(Name::Payload(3))
        );
        for text in [
            "{payload3}",
            "a {uuid:n-upper}",
            "{seq:010}",
            "{intended:unix-ms}",
        ] {
            let template: Template = text.parse().unwrap();
            assert_eq!(template.to_string(), text);
        }
    }
}
