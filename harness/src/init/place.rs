//! The places of a message: every field with a single value, also in JSON that a text holds, and what all messages have there.

use std::collections::BTreeSet;

use serde_json::Value;

/// The values at one place of all messages.
#[derive(Debug, Clone, Default)]
pub(super) struct Place {
    /// The way to it, as RFC 6901 writes one.
    pub(super) way: String,
    pub(super) values: Vec<Value>,
    pub(super) template: Option<String>,
    /// Of JSON within a text: the way to the text, and from there.
    pub(super) inside: Option<(String, String)>,
}

impl Place {
    pub(super) fn texts(&self) -> Vec<String> {
        self.values.iter().map(text).collect()
    }

    pub(super) fn is_text(&self) -> bool {
        self.values.iter().all(Value::is_string)
    }

    /// Whether no two messages have the same there.
    pub(super) fn is_distinct(&self) -> bool {
        let all: BTreeSet<String> = self.texts().into_iter().collect();
        all.len() == self.values.len()
    }

    /// Whether no two messages have the same text there, but for those that have none.
    pub(super) fn is_distinct_where_told(&self) -> bool {
        let told: Vec<String> = self
            .texts()
            .into_iter()
            .filter(|it| !it.is_empty())
            .collect();
        let all: BTreeSet<&String> = told.iter().collect();
        all.len() == told.len()
    }

    /// Its name in a sentence.
    pub(super) fn spoken(&self) -> &str {
        if self.way.is_empty() {
            "the body"
        } else {
            &self.way
        }
    }
}

/// A value as the text that a column has it as.
pub(super) fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The object or the list that `text` is as JSON.
pub(super) fn several_values(text: &str) -> Option<Value> {
    let read: Value = serde_json::from_str(text).ok()?;
    (read.is_object() || read.is_array()).then_some(read)
}

/// Whether all of several values are the same.
pub(super) fn is_constant(values: &[Value]) -> bool {
    values.len() > 1 && values.iter().all(|value| *value == values[0])
}

/// A text in a comment: whole, or its beginning.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// Every place of the first of `all` with a single value.
pub(super) fn places(all: &[Value]) -> Vec<Place> {
    let mut places = Vec::new();
    if let Some(first) = all.first() {
        gather(first, "", all, &mut places);
    }
    let nested: Vec<Place> = places.iter().filter_map(nested).flatten().collect();
    places.retain(|place| {
        !nested
            .iter()
            .any(|it| it.inside.as_ref().is_some_and(|it| it.0 == place.way))
    });
    places.extend(nested);
    places
}

fn gather(first: &Value, way: &str, all: &[Value], places: &mut Vec<Place>) {
    let step = |name: &str| format!("{way}/{}", name.replace('~', "~0").replace('/', "~1"));
    match first {
        Value::Object(fields) => {
            for (name, value) in fields {
                gather(value, &step(name), all, places);
            }
        }
        Value::Array(list) => {
            for (at, value) in list.iter().enumerate() {
                gather(value, &step(&at.to_string()), all, places);
            }
        }
        _ => places.push(Place {
            way: way.to_owned(),
            values: all
                .iter()
                .map(|each| each.pointer(way).cloned().unwrap_or_default())
                .collect(),
            ..Place::default()
        }),
    }
}

/// The places within the JSON that every message has at `place` as a text; `None` where it is another text, or always the same.
fn nested(place: &Place) -> Option<Vec<Place>> {
    if is_constant(&place.values) {
        return None;
    }
    let texts = place.values.iter().map(Value::as_str);
    let all = texts.map(|text| several_values(text?));
    let all: Vec<Value> = all.collect::<Option<_>>()?;
    let mut inner = Vec::new();
    gather(all.first()?, "", &all, &mut inner);
    for each in &mut inner {
        let outer = format!("{}{}", place.way, each.way);
        let within = std::mem::replace(&mut each.way, outer);
        each.inside = Some((place.way.clone(), within));
    }
    Some(inner)
}

/// What is said of places that other messages than the first have.
pub(super) fn further(objects: &[Value], untold: &mut Vec<String>) {
    for (number, object) in (1..).zip(objects) {
        let mut all = Vec::new();
        gather(object, "", &[], &mut all);
        let is_new = |place: &&Place| objects[0].pointer(&place.way).is_none();
        let new: Vec<&str> = all
            .iter()
            .filter(is_new)
            .map(|place| place.way.as_str())
            .collect();
        if !new.is_empty() {
            untold.push(format!(
                "Message {number} has {}, which the first message has not: no message of a run has it. Is it a message of another kind?",
                new.join(", ")
            ));
            return;
        }
    }
}
