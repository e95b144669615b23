//! A body and its columns, from the values at the places of all messages.

use serde_json::{Map, Value};
use workflow::contract::workload::Template;

use super::columns::columns;
use super::hidden;
use super::names::name;
use super::owners::Rows;
use super::place::{Place, further, places};
use super::{asked, embed};

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    /// The body, its texts templates.
    pub(super) body: Value,
    /// The columns, each with its template.
    pub(super) columns: Vec<(String, String)>,
    /// What could not be told, in sentences.
    pub(super) untold: Vec<String>,
}

impl Found {
    pub(super) fn of_objects(objects: &[Value], rows: &[Map<String, Value>]) -> Self {
        let mut places = places(objects);
        hidden::add(&mut places);
        let rows = Rows::of(&places, rows);
        let mut untold = Vec::new();
        name(&mut places, &rows, &mut untold);
        untold.extend(asked::of_places(&places));
        further(objects, &mut untold);
        outer(objects, &mut places, &mut untold);
        let mut body = objects[0].clone();
        for place in places.iter().filter(|it| it.inside.is_none()) {
            let Some(value) = body.pointer_mut(&place.way) else {
                continue;
            };
            let constant = || Some(Template::of_text(value.as_str()?));
            if let Some(template) = place.template.clone().or_else(constant) {
                *value = template.into();
            }
        }
        let columns = columns(&places, &rows, &mut untold);
        Self {
            body,
            columns,
            untold,
        }
    }

    /// Of bodies that are one value of JSON each: a text in quotes, or a number.
    pub(super) fn of_values(values: &[Value], rows: &[Map<String, Value>]) -> Self {
        let is_text = values.iter().all(Value::is_string);
        let (mut found, is_id) = Self::of_whole(values.to_vec(), rows, Vec::new());
        if is_text {
            let template = found.body.as_str().unwrap_or_default();
            found.body = if is_id {
                format!("\"{template}\"").into()
            } else {
                template.replace('}', ":json}").into()
            };
        }
        found
    }

    /// Of bodies that are no JSON, the whole is an id, or the payload.
    pub(super) fn of_texts(texts: &[String], rows: &[Map<String, Value>]) -> Self {
        let untold = vec![
            "The messages are no JSON: the whole body is taken for the payload. Where it has parts, as a=1&b=2 and XML do, write them \
             with placeholders."
                .to_owned(),
        ];
        let values = texts.iter().map(|text| Value::from(text.as_str()));
        Self::of_whole(values.collect(), rows, untold).0
    }

    /// Also returns whether the body is an id; `untold` is said where it is not.
    fn of_whole(
        values: Vec<Value>,
        rows: &[Map<String, Value>],
        mut untold: Vec<String>,
    ) -> (Self, bool) {
        let is_text = values.iter().all(Value::is_string);
        let mut all = [Place {
            values,
            ..Place::default()
        }];
        let rows = Rows::of(&all, rows);
        name(&mut all, &rows, &mut Vec::new());
        let found = all[0].template.take().map(|it| it.replace(":number", ""));
        // Parts have characters between them, as a=1&b=2, a;b and XML have.
        let has_parts = all[0]
            .texts()
            .iter()
            .any(|text| text.contains(['=', '&', ';', ',', '|', '<']));
        let is_id = |template: &String| {
            !has_parts
                && ["{id", "{uuid", "{seq"]
                    .iter()
                    .any(|it| template.contains(it))
        };
        let id = found.filter(is_id);
        let is_id = id.is_some();
        let otherwise = || if is_text { "{payload}" } else { "{seq}" }.to_owned();
        let template = id.unwrap_or_else(otherwise);
        if is_id {
            untold.clear();
        }
        all[0].template = Some(template.clone());
        let columns = columns(&all, &rows, &mut untold);
        let found = Self {
            body: template.into(),
            columns,
            untold,
        };
        (found, is_id)
    }

    /// Whether something in the body tells which message it is.
    pub(super) fn identifies(&self) -> bool {
        let body = self.body.to_string();
        ["{id", "{seq", "{uuid", "{payload"]
            .iter()
            .any(|name| body.contains(name))
    }
}

/// Adds the texts that hold JSON, as templates of what was found in them.
fn outer(objects: &[Value], places: &mut Vec<Place>, untold: &mut Vec<String>) {
    let mut ways: Vec<String> = Vec::new();
    for (way, _) in places.iter().filter_map(|it| it.inside.as_ref()) {
        if !ways.contains(way) {
            ways.push(way.clone());
        }
    }
    for way in ways {
        let inside = places.iter().filter_map(|place| {
            let (_, within) = place.inside.as_ref().filter(|(outer, _)| *outer == way)?;
            Some((within.as_str(), place.template.as_deref()?))
        });
        let inside: Vec<_> = inside.collect();
        let values: Vec<Value> = objects
            .iter()
            .map(|each| each.pointer(&way).cloned().unwrap_or_default())
            .collect();
        let first = values.first().and_then(Value::as_str).unwrap_or_default();
        let template = embed::json(first, &inside);
        if template.is_none() {
            untold.push(format!(
                "{way} holds JSON of which nothing could be told; it stays as it is in the first message."
            ));
        }
        places.push(Place {
            way,
            values,
            template,
            inside: None,
        });
    }
}
