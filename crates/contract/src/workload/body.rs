//! Bodies of messages: a text with placeholders, or a JSON object whose texts have placeholders.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

use super::misspelt::CURLY;
use super::placeholder::Placeholder;
use super::template::Template;

/// A body, or a value within one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A text. As a whole body it is sent as it is, within an object it is a string of JSON.
    Text(Template),
    /// An object of JSON.
    Object(Vec<(String, Body)>),
    /// A list of JSON.
    List(Vec<Body>),
    /// Any other value.
    Constant(Value),
}

/// One step of the path to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// To a field of an object.
    Field(String),
    /// To an element of a list, from 0.
    Place(usize),
}

/// The path to a value, and its template.
pub(super) type Leaf<'a> = (Vec<Step>, &'a Template);

impl Body {
    /// Every template in the body, with its path.
    pub fn leaves(&self) -> Vec<Leaf<'_>> {
        let mut leaves = Vec::new();
        self.gather(&mut Vec::new(), &mut leaves);
        leaves
    }

    fn gather<'a>(&'a self, way: &mut Vec<Step>, leaves: &mut Vec<Leaf<'a>>) {
        let mut inside = |step, body: &'a Self| {
            way.push(step);
            body.gather(way, leaves);
            way.pop();
        };
        match self {
            Self::Text(template) => leaves.push((way.clone(), template)),
            Self::Object(fields) => fields
                .iter()
                .for_each(|(name, body)| inside(Step::Field(name.clone()), body)),
            Self::List(list) => list
                .iter()
                .enumerate()
                .for_each(|(at, body)| inside(Step::Place(at), body)),
            Self::Constant(_) => {}
        }
    }

    /// The body with every placeholder filled in; `None` if one has no value.
    pub fn fill<'a>(
        &self,
        value: &mut dyn FnMut(Placeholder) -> Option<Cow<'a, str>>,
    ) -> Option<String> {
        match self {
            Self::Text(template) => template.fill(value),
            _ => Some(self.json(value)?.to_string()),
        }
    }

    fn json<'a>(
        &self,
        value: &mut dyn FnMut(Placeholder) -> Option<Cow<'a, str>>,
    ) -> Option<Ordered> {
        Some(match self {
            Self::Constant(constant) => Ordered::Value(constant.clone()),
            Self::Text(template) => {
                let text = template.fill(&mut *value)?;
                let number = template.whole().filter(|hole| hole.format.is_number());
                let number = number.and_then(|_| text.parse::<Number>().ok());
                Ordered::Value(number.map_or_else(|| Value::from(text), Value::from))
            }
            Self::List(list) => {
                let list = list.iter().map(|body| body.json(value));
                Ordered::List(list.collect::<Option<_>>()?)
            }
            Self::Object(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, body)| Some((name.clone(), body.json(value)?)));
                Ordered::Object(fields.collect::<Option<_>>()?)
            }
        })
    }

    /// The body without the values whose placeholder `of` accepts; for messages that lack something.
    #[must_use]
    pub fn without(&self, of: &impl Fn(Placeholder) -> bool) -> Self {
        let is_of = |body: &Self| matches!(body, Self::Text(template) if template.holes().any(of));
        match self {
            Self::Object(fields) => Self::Object(
                fields
                    .iter()
                    .filter(|(_, body)| !is_of(body))
                    .map(|(name, body)| (name.clone(), body.without(of)))
                    .collect(),
            ),
            Self::List(list) => Self::List(
                list.iter()
                    .filter(|body| !is_of(body))
                    .map(|body| body.without(of))
                    .collect(),
            ),
            other => other.clone(),
        }
    }
}

/// A JSON value whose fields stay in the order of the description.
enum Ordered {
    Value(Value),
    List(Vec<Ordered>),
    Object(Vec<(String, Ordered)>),
}

impl fmt::Display for Ordered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => write!(f, "{value}"),
            Self::List(list) => {
                f.write_str("[")?;
                for (at, value) in list.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "," };
                    write!(f, "{comma}{value}")?;
                }
                f.write_str("]")
            }
            Self::Object(fields) => {
                f.write_str("{")?;
                for (at, (name, value)) in fields.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "," };
                    write!(f, "{comma}{}:{value}", Value::from(name.as_str()))?;
                }
                f.write_str("}")
            }
        }
    }
}

/// The text, or the number as text, at the path `way` in `json`; `None` if there is none, or if a field on the path is
/// repeated.
pub fn text_at<'a>(json: &'a str, way: &[Step]) -> Option<Cow<'a, str>> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let found = At(way).deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    found
}

struct At<'w>(&'w [Step]);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then_some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then(|| Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then(|| number.to_string().into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then(|| number.to_string().into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(self.0.is_empty().then(|| number.to_string().into()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (wanted, rest) = match self.0 {
            [Step::Field(name), rest @ ..] => (Some(name.as_str()), rest),
            _ => (None, &[][..]),
        };
        let mut found = None;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if Some(&*key) == wanted {
                let value = map.next_value_seed(At(rest))?;
                if found.replace(value).is_some() {
                    return Err(serde::de::Error::custom("a field is said twice"));
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found.flatten())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let (wanted, rest) = match self.0 {
            [Step::Place(place), rest @ ..] => (Some(*place), rest),
            _ => (None, &[][..]),
        };
        let (mut found, mut place) = (None, 0);
        loop {
            if Some(place) == wanted {
                match list.next_element_seed(At(rest))? {
                    Some(value) => found = value,
                    None => return Ok(found),
                }
            } else if list.next_element::<IgnoredAny>()?.is_none() {
                return Ok(found);
            }
            place += 1;
        }
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Body;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or fields with texts")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Body, E> {
                text.parse().map(Body::Text).map_err(E::custom)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Body, E> {
                Ok(Body::Constant(value.into()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Body, E> {
                Ok(Body::Constant(value.into()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Body, E> {
                Ok(Body::Constant(value.into()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Body, E> {
                Ok(Body::Constant(value.into()))
            }

            fn visit_unit<E>(self) -> Result<Body, E> {
                Ok(Body::Constant(Value::Null))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Body, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Body::Object(fields))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Body, A::Error> {
                let mut list = Vec::new();
                while let Some(value) = seq.next_element()? {
                    list.push(value);
                }
                Ok(Body::List(list))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl JsonSchema for Body {
    fn schema_name() -> Cow<'static, str> {
        "Body".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "object", "array"],
            "minLength": 1,
            "minProperties": 1,
            "minItems": 1,
            "not": { "type": "string", "pattern": CURLY },
        })
    }
}

/// The value of a column as text: a text, a number of any type (tables store it as number or text), or `true` or `false`.
/// `None` if it is missing or of another type.
pub(super) fn column(entity: &Map<String, Value>, name: &str) -> Option<String> {
    match entity.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(json: &str) -> Body {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_body_keeps_its_order_and_its_types() {
        let body = body(r#"{"z":"{id}","a":[1,"{seq:number}",null],"n":{"x":true,"t":"n{seq}"}}"#);
        let mut value =
            |hole: Placeholder| Some(Cow::Owned(hole.name.to_string().replace("seq", "7")));
        let filled = body.fill(&mut value).unwrap();
        assert_eq!(
            filled,
            r#"{"z":"id","a":[1,7,null],"n":{"x":true,"t":"n7"}}"#
        );
        let texts = body
            .leaves()
            .into_iter()
            .map(|(way, _)| text_at(&filled, &way));
        let texts: Vec<_> = texts.map(|text| text.unwrap().into_owned()).collect();
        assert_eq!(texts, ["id", "7", "n7"]);
        let shorter = body.without(&|hole| hole.name.to_string() == "id");
        assert_eq!(shorter.leaves().len(), 2);
    }

    #[test]
    fn what_is_not_there_or_is_there_twice_is_not_read() {
        let field = |name: &str| vec![Step::Field(name.to_owned())];
        for json in [
            "",
            "[]",
            "7",
            "\"id\"",
            "{}",
            r#"{"id":null}"#,
            r#"{"id":{}}"#,
            r#"{"id":"a","id":"b"}"#,
            r#"{"id":"a"} {"id":"b"}"#,
            r#"["a"]"#,
        ] {
            assert_eq!(text_at(json, &field("id")), None, "{json}");
        }
        assert_eq!(
            text_at(r#"{"x":{"id":"b"},"id":"a"}"#, &field("id")).as_deref(),
            Some("a")
        );
    }
}
