//! Guesses what the values at one place of all messages are.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use workflow::contract::Digest;
use workflow::contract::workload::{Format, Name, Template, time_of};

use super::columns::columns;
use super::guid;

/// A text that is longer than this, or that has a blank, is not an id.
const LONGEST_ID: usize = 64;

/// The guessed body and columns.
#[derive(Debug)]
pub(super) struct Found {
    /// The body, with templates for its texts.
    pub(super) body: Value,
    /// The columns, each with its template.
    pub(super) columns: Vec<(String, String)>,
    /// Sentences about what could not be guessed.
    pub(super) untold: Vec<String>,
}

/// The values at one place of all messages.
pub(super) struct Place {
    pub(super) way: String,
    pub(super) values: Vec<Value>,
    pub(super) template: Option<String>,
}

impl Found {
    pub(super) fn of_objects(objects: &[Value], rows: &[Map<String, Value>]) -> Self {
        let mut places = Vec::new();
        gather(&objects[0], "", objects, &mut places);
        let mut untold = Vec::new();
        name(&mut places, &mut untold);
        further(objects, &mut untold);
        let mut body = objects[0].clone();
        for place in &places {
            let Some(value) = body.pointer_mut(&place.way) else {
                continue;
            };
            let constant = || Some(Template::of_text(value.as_str()?));
            if let Some(template) = place.template.clone().or_else(constant) {
                *value = template.into();
            }
        }
        let columns = columns(&places, rows, &mut untold);
        Self {
            body,
            columns,
            untold,
        }
    }

    /// The places of bodies that are one JSON value each: a text in quotes, or a number.
    pub(super) fn of_values(values: &[Value], rows: &[Map<String, Value>]) -> Self {
        let is_text = values.iter().all(Value::is_string);
        let template = if is_text { "{payload}" } else { "{seq}" };
        let mut found = Self::of_whole(values.to_vec(), template, Vec::new(), rows);
        if is_text {
            found.body = "{payload:json}".into();
        }
        found
    }

    /// The place of bodies that are not JSON: the whole body is the payload.
    pub(super) fn of_texts(texts: &[String], rows: &[Map<String, Value>]) -> Self {
        let untold = vec![
            "The messages are no JSON: the whole body is taken for the payload. Where it has parts, as a=1&b=2 and XML do, write them \
             with placeholders."
                .to_owned(),
        ];
        let values = texts.iter().map(|text| Value::from(text.as_str()));
        Self::of_whole(values.collect(), "{payload}", untold, rows)
    }

    fn of_whole(
        values: Vec<Value>,
        template: &str,
        mut untold: Vec<String>,
        rows: &[Map<String, Value>],
    ) -> Self {
        let place = Place {
            way: String::new(),
            values,
            template: Some(template.to_owned()),
        };
        let columns = columns(&[place], rows, &mut untold);
        Self {
            body: template.into(),
            columns,
            untold,
        }
    }

    /// Whether a value in the body identifies the message.
    pub(super) fn identifies(&self) -> bool {
        let body = self.body.to_string();
        ["{id", "{seq", "{uuid", "{payload"]
            .iter()
            .any(|name| body.contains(name))
    }
}

/// Collects every place of `first` with a scalar, and the values of all messages at that place.
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
            template: None,
        }),
    }
}

fn texts(values: &[Value]) -> Option<Vec<&str>> {
    values.iter().map(Value::as_str).collect()
}

/// How times at a place are written, if they are times.
pub(super) fn time_format(values: &[Value]) -> Option<Format> {
    if let Some(texts) = texts(values) {
        let formats = [Format::Plain, Format::Rfc3339];
        return formats
            .into_iter()
            .find(|format| texts.iter().all(|text| time_of(text, *format).is_some()));
    }
    // Years from 2001 to 2096.
    let within = |scale: i64| {
        let all = values.iter().map(Value::as_i64);
        all.into_iter().all(|number| {
            number.is_some_and(|n| (1_000_000_000 * scale..4_000_000_000 * scale).contains(&n))
        })
    };
    [(1_000, Format::UnixMs), (1, Format::UnixS)]
        .into_iter()
        .find_map(|(scale, format)| within(scale).then_some(format))
}

pub(super) fn with_format(name: Name, format: Format) -> String {
    let format = match format {
        Format::Rfc3339 => ":rfc3339",
        Format::UnixMs => ":unix-ms",
        Format::UnixS => ":unix-s",
        Format::Number => ":number",
        _ => "",
    };
    format!("{{{name}{format}}}")
}

/// The template of digests, in small or in large letters.
fn digest(texts: &[&str]) -> Option<&'static str> {
    let all = |is: fn(&str) -> bool| texts.iter().all(|text| is(text));
    if all(|text| text.parse::<Digest>().is_ok()) {
        return Some("{digest}");
    }
    let is_upper = |text: &str| {
        let has_small = text.contains(|c: char| c.is_ascii_lowercase());
        !has_small && text.to_ascii_lowercase().parse::<Digest>().is_ok()
    };
    all(is_upper).then_some("{digest:upper}")
}

/// Whether all of several values are the same.
pub(super) fn is_constant(values: &[Value]) -> bool {
    values.len() > 1 && values.iter().all(|value| *value == values[0])
}

fn distinct(values: &[Value]) -> bool {
    let all: BTreeSet<String> = values.iter().map(ToString::to_string).collect();
    all.len() == values.len()
}

/// The comment about values that are not all of one type.
fn unlike(values: &[Value]) -> Option<String> {
    let nothing = values.iter().position(Value::is_null);
    if let Some(at) = nothing.filter(|_| !values.iter().all(Value::is_null)) {
        return Some(format!(
            "is null or absent in some messages, as in number {}",
            at + 1
        ));
    }
    let kind = |value: &Value| (value.is_string(), value.is_number(), value.is_boolean());
    let first = values.first()?;
    if values.iter().any(|value| kind(value) != kind(first)) {
        return Some("is not of the same type in all messages".to_owned());
    }
    first
        .is_boolean()
        .then(|| "is true in some messages, and false in others".to_owned())
}

/// Adds comments about places that only other messages than the first have.
fn further(objects: &[Value], untold: &mut Vec<String>) {
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

/// Gives every place whose values differ its most likely template.
fn name(places: &mut [Place], untold: &mut Vec<String>) {
    let mut times = [Name::Intended, Name::Sent].into_iter();
    let mut has_id = false;
    let mut long = Vec::new();
    let samples = places.first().map_or(0, |place| place.values.len());
    if samples < 2 {
        untold.push(
            "One message alone does not tell constants from values: look at every field."
                .to_owned(),
        );
    }
    for (at, place) in places.iter_mut().enumerate() {
        let values = &place.values;
        let way = place.way.clone();
        if let Some(why) = unlike(values).filter(|_| !is_constant(values)) {
            untold.push(format!(
                "{way} {why}; every message of a run has it as the first message here."
            ));
            continue;
        }
        if is_constant(values)
            || values
                .iter()
                .any(|value| value.is_null() || value.is_boolean())
        {
            continue;
        }
        if let Some(format) = time_format(values) {
            place.template = times.next().map(|name| with_format(name, format));
            if place.template.is_none() {
                untold.push(format!(
                    "{way} is a third time, and stays as it is in the first message."
                ));
            }
            continue;
        }
        let Some(texts) = texts(values) else {
            if !has_id && distinct(values) && values.iter().all(Value::is_u64) {
                place.template = Some("{seq:number}".to_owned());
                has_id = true;
            } else {
                untold.push(format!("{way} is a number of which nobody can say what it means; it stays as it is in the first message."));
            }
            continue;
        };
        let is_short = |text: &&str| {
            text.len() <= LONGEST_ID && !text.contains(char::is_whitespace) && !text.is_empty()
        };
        if let Some(template) = guid::template(&texts) {
            place.template = Some(template);
            has_id = true;
        } else if let Some(template) = digest(&texts) {
            place.template = Some(template.to_owned());
        } else if !has_id && distinct(values) && texts.iter().all(is_short) {
            place.template = Some("{id}".to_owned());
            has_id = true;
        } else {
            let length = texts.iter().map(|text| text.len()).sum::<usize>();
            long.push((length, at));
        }
    }
    // The longest text is the payload.
    long.sort_by_key(|(length, at)| (std::cmp::Reverse(*length), *at));
    for (number, (_, at)) in (1..=9).zip(long) {
        let name = Name::Payload(number);
        places[at].template = Some(format!("{{{name}}}"));
    }
}
