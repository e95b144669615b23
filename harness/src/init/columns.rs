//! Finds the template of each column of the rows, from the values of the messages.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use workflow::contract::workload::{Name, Template};

use super::guess::{Place, is_constant, time_format, with_format};
use super::guid;

/// A shorter text of a message may be part of any other text by chance.
const SHORTEST: usize = 3;

/// What a column seems to hold.
enum Seen {
    /// A template.
    Template(String),
    /// No template; this sentence says what the column holds.
    Untold(String),
}

/// The template of every column that holds the values of one place of the messages.
pub(super) fn columns(
    places: &[Place],
    rows: &[Map<String, Value>],
    untold: &mut Vec<String>,
) -> Vec<(String, String)> {
    let names: BTreeSet<&String> = rows.iter().flat_map(Map::keys).collect();
    let mut found = Vec::new();
    for name in names.into_iter().filter(|name| !is_of_the_service(name)) {
        let values = rows.iter().filter_map(|row| row.get(name).cloned());
        let values: Vec<Value> = values.filter(|value| !value.is_null()).collect();
        if values.is_empty() {
            continue;
        }
        let optional = if values.len() < rows.len() { "?" } else { "" };
        match seen(name, &values, places) {
            Seen::Template(template) => found.push((format!("{name}{optional}"), template)),
            Seen::Untold(why) => untold.push(why),
        }
    }
    found
}

/// Whether a column is the table service's own, or states the type of another one (OData annotations; the Azure CLI writes `etag`).
pub(super) fn is_of_the_service(name: &str) -> bool {
    matches!(name, "Timestamp" | "etag") || name.starts_with("odata.") || name.contains("@odata.")
}

fn seen(name: &str, values: &[Value], places: &[Place]) -> Seen {
    let texts: Vec<String> = values.iter().map(text).collect();
    let mut named = places.iter().filter(|place| place.template.is_some());
    if let Some(template) = named.clone().find_map(|place| same(place, &texts)) {
        return Seen::Template(template);
    }
    let others = named
        .clone()
        .find_map(|place| guid::column(place, &texts).or_else(|| in_letters(place, &texts)));
    if let Some(template) = others {
        return Seen::Template(template);
    }
    let left_out = "it is left out, and so not judged";
    if let Some(format) = time_format(values) {
        return Seen::Untold(format!(
            "The column {name} holds times of the worker's own: name it {} or {} if it is one of these.",
            with_format(Name::Received, format),
            with_format(Name::Done, format)
        ));
    }
    if let Some(place) = named.clone().find(|place| differs_in_case(place, &texts)) {
        let (way, template) = (&place.way, place.template.as_deref().unwrap_or_default());
        return Seen::Untold(format!(
            "The column {name} differs from {way} of a message in case alone, and {template} is compared to the letter; {left_out}."
        ));
    }
    if let Some(said) = constant(name, values, places) {
        return Seen::Untold(said);
    }
    named
        .find_map(|place| within(name, place, &texts))
        .unwrap_or_else(|| {
            Seen::Untold(format!(
                "The column {name} holds no value of a message here; {left_out}."
            ))
        })
}

/// The template of `place` if one of its values is one of `texts`, or would be without leading zeros in the text.
fn same(place: &Place, texts: &[String]) -> Option<String> {
    // A column may hold a number of the message as a number or as digits: both are read.
    let template = place.template.as_ref()?.replace(":number", "");
    let known: BTreeSet<String> = place.values.iter().map(text).collect();
    if texts.iter().any(|text| known.contains(text)) {
        return Some(template);
    }
    let digits = texts.first()?.len();
    let is_padded = template == "{seq}"
        && texts.iter().all(|text| {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            text.len() == digits && is_number
        });
    let is_known = |text: &String| known.contains(text.trim_start_matches('0'));
    (is_padded && texts.iter().any(is_known)).then(|| format!("{{seq:0{digits}}}"))
}

/// The template of a column whose texts are the values of `place`, all in large or all in small letters.
fn in_letters(place: &Place, texts: &[String]) -> Option<String> {
    let template = match place.template.as_deref()? {
        "{id}" => "{id",
        "{digest}" | "{digest:upper}" => "{digest",
        _ => return None,
    };
    let all = |is: fn(char) -> bool| !texts.iter().any(|text| text.contains(is));
    // Ids of runs are in small letters.
    let format = match (all(char::is_lowercase), all(char::is_uppercase)) {
        (true, false) => ":upper",
        (false, true) => "",
        _ => return None,
    };
    differs_in_case(place, texts).then(|| format!("{template}{format}}}"))
}

fn differs_in_case(place: &Place, texts: &[String]) -> bool {
    let lower = |value: &Value| text(value).to_lowercase();
    let known: BTreeSet<String> = place.values.iter().map(lower).collect();
    texts
        .iter()
        .any(|text| known.contains(&text.to_lowercase()))
}

/// The comment about a column that is the same in all rows; the equal values may be a promise, or chance.
fn constant(name: &str, values: &[Value], places: &[Place]) -> Option<String> {
    let first = values.first()?;
    let shared = places.iter().find(|place| {
        let known = place.template.is_none().then(|| place.values.first());
        known
            .flatten()
            .is_some_and(|value| text(value) == text(first))
    });
    if values.iter().any(|value| value != first) || shared.is_none() && !is_constant(values) {
        return None;
    }
    let (key, constant) = (
        Value::from(name),
        Value::from(Template::of_text(&text(first))),
    );
    let also = shared.map_or(String::new(), |place| {
        format!(", as {} is in the messages", place.way)
    });
    Some(format!(
        "The column {name} is the same in all rows here{also}: if it always is, add {key}: {constant}"
    ))
}

/// How to describe a worker where a column holds a part of a field that is `template`.
fn how_parts_are_described(template: &str) -> String {
    if template.starts_with("{payload") {
        // Payloads hold any character: a URL has blanks and most others percent-encoded.
        return "where the worker takes it apart at a character, write the parts with payloads of their own that lack this character, such \
                as \"{payload2:url} {payload3:url}\" in the message, and the part's here"
            .to_owned();
    }
    format!("write into the message's field which part is {template}, and {template} here")
}

/// The comment about a column whose texts contain values of `place`, or are parts of them.
fn within(name: &str, place: &Place, texts: &[String]) -> Option<Seen> {
    let way = if place.way.is_empty() {
        "the body"
    } else {
        &place.way
    };
    let template = place.template.as_deref()?;
    // Times and digests are compared as a whole, elsewhere.
    let names = ["{id}", "{uuid", "{payload"];
    names.iter().find(|name| template.starts_with(**name))?;
    let known: Vec<&str> = place.values.iter().filter_map(Value::as_str).collect();
    let known: Vec<&str> = known
        .into_iter()
        .filter(|it| it.len() >= SHORTEST)
        .collect();
    // One value may begin with another, as 1-10 begins with 1-1: what is left of the text decides.
    let found = |text: &String| {
        let mut held: Vec<&str> = known
            .iter()
            .copied()
            .filter(|it| text.contains(it))
            .collect();
        held.sort_by_key(|it| std::cmp::Reverse(it.len()));
        let mut rest = text.clone();
        held.retain(|it| {
            let is_held = rest.contains(it);
            rest = rest.replace(it, "\0");
            is_held
        });
        held
    };
    let most = texts.iter().max_by_key(|text| found(text).len())?;
    match found(most)[..] {
        [] => {
            let outer = |text: &String| known.iter().find(|it| it.contains(text.as_str()));
            let text = texts
                .iter()
                .find(|it| it.len() >= SHORTEST && outer(it).is_some())?;
            let outer = outer(text)?;
            let how = how_parts_are_described(template);
            Some(Seen::Untold(format!(
                "The column {name} holds a part of {way} of a message ({text:?} of {outer:?}): {how}; it is left out, and so not judged."
            )))
        }
        [value] => {
            let around = |text: &String| {
                let value = found(text).first().copied()?;
                let (before, after) = text.split_once(value)?;
                Some((before.to_owned(), after.to_owned()))
            };
            let mut all = texts.iter().map(around);
            let (before, after) = all.next()??;
            let is_alike = all.all(|each| each.as_ref() == Some(&(before.clone(), after.clone())));
            if texts.len() > 1 && is_alike {
                let (before, after) = (Template::of_text(&before), Template::of_text(&after));
                return Some(Seen::Template(format!("{before}{template}{after}")));
            }
            Some(Seen::Untold(format!(
                "The column {name} contains {way} of a message within another text ({value:?} in {most:?}): write what is beside it, \
                 with {template} in its place; it is left out, and so not judged."
            )))
        }
        ref several => Some(Seen::Untold(format!(
            "The column {name} contains {way} of {} messages ({most:?}): one row for many messages is out of scope \
             (docs/DESCRIPTION.md).",
            several.len()
        ))),
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
