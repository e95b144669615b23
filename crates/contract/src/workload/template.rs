//! Templates: texts with placeholders such as `{id}` or `{lease:ms}`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::placeholder::{Format, NAMES, Name, PAYLOADS, Placeholder};

/// From this likeness on, a name may be meant by one that is misspelt.
const LIKE: f64 = 0.8;

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text that stays as it is.
    Text(String),
    /// What is filled in.
    Hole(Placeholder),
}

/// A text with placeholders. A brace that no name follows, such as `{"`, is text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template(Vec<Piece>);

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A name that nobody knows.
    #[error("{{{0}}} is no placeholder{1}")]
    Unknown(String, String),
    /// A format that does not fit the name.
    #[error("{{{name}:{format}}} has a format that {{{name}}} cannot have; it can have: {fitting}")]
    Format {
        /// The name.
        name: Name,
        /// The format.
        format: String,
        /// What it could be.
        fitting: String,
    },
}

impl Template {
    /// Its pieces.
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// Its placeholders.
    pub fn holes(&self) -> impl Iterator<Item = Placeholder> + '_ {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Hole(hole) => Some(*hole),
            Piece::Text(_) => None,
        })
    }

    /// The placeholder that is all of it.
    pub fn whole(&self) -> Option<Placeholder> {
        match self.0[..] {
            [Piece::Hole(hole)] => Some(hole),
            _ => None,
        }
    }

    /// The text with every placeholder filled in; `None` where one has no value.
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

    /// What stands in `text` at each placeholder that `wanted` wants, where `text` has the form of the template. A placeholder ends where
    /// the text after it begins for the first time, and the last one where the text ends.
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

/// What `hole` holds at the beginning of `text`, and what follows.
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
        // Two in a row: the first takes what may be of it.
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
            rest = &rest[open..];
            let inner = rest[1..].split_once('}').map(|(inner, _)| inner);
            let is_name = |inner: &&str| {
                inner.starts_with(|c: char| c.is_ascii_lowercase())
                    && inner
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "-_:".contains(c))
            };
            if let Some(inner) = inner.filter(is_name) {
                if !literal.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Hole(hole(inner)?));
                rest = &rest[inner.len() + 2..];
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
        let likeness = |known: &str| strsim::jaro_winkler(known, text);
        let near = NAMES.iter().map(|(known, _)| *known);
        let near = near.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        let near = near.filter(|near| likeness(near) >= LIKE);
        let hint = near.map_or_else(
            || "; docs/DESCRIPTION.md lists those there are".to_owned(),
            |near| format!("; do you mean {{{near}}}?"),
        );
        TemplateError::Unknown(text.to_owned(), hint)
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
                Piece::Hole(hole) => write!(f, "{{{}}}", hole.name)?,
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
        json_schema!({ "type": "string" })
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
    fn what_is_no_placeholder_is_named_with_what_may_be_meant() {
        let error = |text: &str| text.parse::<Template>().unwrap_err().to_string();
        assert_eq!(
            error("{xyz}"),
            "{xyz} is no placeholder; docs/DESCRIPTION.md lists those there are"
        );
        assert_eq!(
            error("{payloads}"),
            "{payloads} is no placeholder; do you mean {payload}?"
        );
        assert_eq!(
            error("{id:rfc3339}"),
            "{id:rfc3339} has a format that {id} cannot have; it can have: json, url, xml, base64"
        );
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
        assert_eq!(template.to_string(), "{payload3}");
    }
}
