//! A text in YAML as a tree, in which every value knows its line.

use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};
use serde_saphyr::{Error, Options, Spanned};

/// A value, and the line, from 1, in which it begins.
#[derive(Debug, Clone)]
pub(super) struct YamlValue {
    pub(super) line: u64,
    pub(super) content: Content,
}

/// What stands there.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<YamlValue>),
    Fields(Vec<(Key, YamlValue)>),
}

/// The name of a field, and its line.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) line: u64,
}

/// How descriptions are read: `true` and `false` are booleans, and `yes` and `no` are texts, as in YAML 1.2.
pub(super) fn options() -> Options {
    serde_saphyr::options! { strict_booleans: true }
}

impl YamlValue {
    /// The tree of `text`.
    pub(super) fn read(text: &str) -> Result<Self, Error> {
        serde_saphyr::from_str_with_options(text, options())
    }

    /// The line of the value at `way`, whose steps are names of fields and places in lists; that of the deepest value on the way, if it
    /// ends before. The line of an object, a list or nothing is that of its name.
    pub(super) fn line_of<S: AsRef<str>>(&self, way: &[S]) -> u64 {
        let (mut node, mut line) = (self, self.line);
        for step in way {
            let Some((begins, inner)) = node.inside(step.as_ref()) else {
                break;
            };
            let is_scalar = !matches!(
                inner.content,
                Content::Null | Content::List(_) | Content::Fields(_)
            );
            line = if is_scalar && inner.line > 0 {
                inner.line
            } else {
                begins
            };
            node = inner;
        }
        line
    }

    /// What `step` leads to, and the line in which that begins. A column that may be absent is found by its bare name too.
    fn inside(&self, step: &str) -> Option<(u64, &Self)> {
        match &self.content {
            Content::Fields(fields) => {
                let is_named = |name: &str| {
                    let mut fields = fields.iter();
                    fields.find(|(key, _)| key.name == name)
                };
                let found = is_named(step).or_else(|| is_named(&format!("{step}?")));
                found.map(|(key, node)| (key.line, node))
            }
            Content::List(list) => {
                let node = list.get(step.parse::<usize>().ok()?)?;
                Some((node.line, node))
            }
            _ => None,
        }
    }

    /// The same as a value of JSON.
    pub(super) fn json(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(value) => (*value).into(),
            Content::Number(number) => number.clone().into(),
            Content::Text(text) => text.as_str().into(),
            Content::List(list) => list.iter().map(Self::json).collect(),
            Content::Fields(fields) => {
                let fields = fields.iter();
                fields
                    .map(|(key, node)| (key.name.clone(), node.json()))
                    .collect()
            }
        }
    }
}

/// The line of `written` in a value that begins in line `begins` of `text` and has `before` in front of it: a later one in a text after `|`,
/// whose lines are those of the file, and the first in any other.
pub(super) fn line_within(text: &str, begins: u64, before: &str, written: &str) -> u64 {
    let further = before.matches('\n').count();
    let first = usize::try_from(begins.saturating_sub(1)).unwrap_or(usize::MAX);
    let line = text.lines().nth(first.saturating_add(further));
    match u64::try_from(further) {
        Ok(further) if line.is_some_and(|line| line.contains(written)) => begins + further,
        _ => begins,
    }
}

impl<'de> Deserialize<'de> for YamlValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Spanned::<Content>::deserialize(deserializer)?;
        Ok(Self {
            line: read.referenced.line(),
            content: read.value,
        })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, a list or fields")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
        Ok(Content::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Content, E> {
        Ok(Content::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Content, E> {
        Ok(Content::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Content, E> {
        let number = Number::from_f64(value);
        Ok(number.map_or_else(|| Content::Text(value.to_string()), Content::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element()? {
            nodes.push(node);
        }
        Ok(Content::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = map.next_key::<Spanned<String>>()? {
            let key = Key {
                name: name.value,
                line: name.referenced.line(),
            };
            fields.push((key, map.next_value()?));
        }
        Ok(Content::Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_line() {
        let text = "\
a:
  b:
    - x
    - \"y\"
  c: >
    folded
    text
d: {e: 1,
    f: [2,
      3]}
g:
h?: 'two
  lines'
i:
  \"below\"
j: &k {l: 1}
m: *k
";
        let root = YamlValue::read(text).unwrap();
        for (way, line) in [
            (&["a"][..], 1),
            (&["a", "b"], 2),
            (&["a", "b", "0"], 3),
            (&["a", "b", "1"], 4),
            (&["a", "c"], 6),
            (&["a", "nowhere"], 1),
            (&["d", "e"], 8),
            (&["d", "f", "0"], 9),
            (&["d", "f", "1"], 10),
            (&["g"], 11),
            (&["h"], 12),
            (&["i"], 15),
            (&["m"], 17),
            (&[], 1),
        ] {
            assert_eq!(root.line_of(way), line, "{way:?}");
        }
    }
}
