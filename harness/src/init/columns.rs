//! What the columns of all rows are, from the values of the messages that the rows are of.

use std::collections::BTreeSet;

use serde_json::Value;
use workflow::contract::Digest;
use workflow::contract::workload::{Format, Name, Template};

use super::asked::{self, are_words};
use super::embed::{embedded, parts};
use super::hidden::unpacked;
use super::owners::{KEYS, Owned, Rows};
use super::place::{Place, is_constant, several_values, short};
use super::times::{same_time, time_format};
use super::{guid, said};

/// What a column seems to hold.
pub(super) enum Seen {
    /// What this template stands for.
    Template(String),
    /// Something else, in a sentence.
    Untold(String),
}

/// What all rows have in a column.
pub(super) struct Stored<'a> {
    pub(super) name: &'a str,
    pub(super) values: Vec<Value>,
    pub(super) texts: Vec<String>,
    /// Whether some rows have none.
    pub(super) is_optional: bool,
    /// Those of which the message is known.
    pub(super) owned: Vec<Owned>,
}

impl Stored<'_> {
    /// Its name in a description.
    pub(super) fn key(&self) -> String {
        let optional = if self.is_optional { "?" } else { "" };
        format!("{}{optional}", self.name)
    }

    /// What is stored in each row of which the message is known, and what the message has at `place`.
    pub(super) fn pairs(&self, place: &Place) -> Vec<(&str, String)> {
        let texts = place.texts();
        let owned = self.owned.iter();
        owned
            .map(|it| (it.text.as_str(), texts[it.message].clone()))
            .collect()
    }
}

/// The template of every column in which the values of places are found.
pub(super) fn columns(
    places: &[Place],
    rows: &Rows<'_>,
    untold: &mut Vec<String>,
) -> Vec<(String, String)> {
    untold.extend(rows.untold());
    let known = rows.known();
    let names: BTreeSet<&String> = known.iter().flat_map(|row| row.keys()).collect();
    let mut found: Vec<(String, String)> = Vec::new();
    for name in names.into_iter().filter(|name| !is_of_the_service(name)) {
        let values = known.iter().filter_map(|row| row.get(name).cloned());
        let values: Vec<Value> = values.filter(|value| !value.is_null()).collect();
        if values.is_empty() {
            continue;
        }
        let absent = known.len() - values.len();
        let stored = Stored {
            name,
            texts: values.iter().map(super::place::text).collect(),
            values,
            is_optional: absent > 0,
            owned: rows.owned(name),
        };
        match seen(&stored, places) {
            Seen::Template(template) => {
                let texts: Vec<&str> = stored.owned.iter().map(|it| it.text.as_str()).collect();
                untold.extend(asked::literals(name, &template, &texts, places));
                if absent > 0 {
                    untold.push(format!(
                        "The column {name} is absent from {absent} of {} rows, so it is written {name}?, and a row without it is right: take the \
                         ? away if every row must have it.",
                        known.len()
                    ));
                }
                found.push((stored.key(), template));
            }
            Seen::Untold(why) => untold.push(why),
        }
    }
    one_of_each_time(&mut found, untold);
    found
}

/// Whether it is the table service's own, or tells of the type of another (OData annotations; the Azure CLI writes `etag`).
pub(super) fn is_of_the_service(name: &str) -> bool {
    matches!(name, "Timestamp" | "etag") || name.starts_with("odata.") || name.contains("@odata.")
}

/// Of several columns with one time, a description names one: the most exact.
fn one_of_each_time(found: &mut Vec<(String, String)>, untold: &mut Vec<String>) {
    for name in ["{intended", "{sent"] {
        let is_coarse = |template: &String| template.contains(":unix");
        let mut those: Vec<(String, String)> = found
            .iter()
            .filter(|it| it.1.starts_with(name))
            .cloned()
            .collect();
        those.sort_by_key(|(_, template)| is_coarse(template));
        for (column, template) in those.into_iter().skip(1) {
            found.retain(|it| it.0 != column);
            untold.push(format!(
                "The column {} is {template} too, and a description names one column for each time; it is left out, and so not judged.",
                column.trim_end_matches('?')
            ));
        }
    }
}

fn seen(stored: &Stored<'_>, places: &[Place]) -> Seen {
    let named: Vec<&Place> = places.iter().filter(|it| it.template.is_some()).collect();
    if let Some(template) = told(stored, &named, places) {
        return as_key(stored, template);
    }
    if let Some(said) = said::frozen(stored, places) {
        return Seen::Untold(said);
    }
    if let Some(said) = said::constant(stored, places) {
        return Seen::Untold(said);
    }
    if let Some(said) = said::another_form(stored, places) {
        return Seen::Untold(said);
    }
    if let Some(format) = time_format(&stored.values) {
        return Seen::Untold(said::own_times(stored.name, format));
    }
    if let Some(said) = said::in_case(stored, places).or_else(|| said::partly(stored, places)) {
        return Seen::Untold(said);
    }
    let within = named.iter().find_map(|place| said::within(stored, place));
    Seen::Untold(within.unwrap_or_else(|| said::nothing(stored, places)))
}

/// One way to read a column: the template by which all of its rows hold what their messages have at a place.
type Reading<'a> = &'a dyn Fn(&Place) -> Option<String>;

/// What stands for all that is stored in rows of which the message is known.
fn told(stored: &Stored<'_>, named: &[&Place], all: &[Place]) -> Option<String> {
    if stored.owned.is_empty() {
        return None;
    }
    // The first that fits any place, then the next.
    let readings: [Reading<'_>; 5] = [
        &|place| same(stored, place),
        &|place| guid::column(place, &stored.pairs(place)).or_else(|| in_letters(stored, place)),
        &|place| escaped(stored, place),
        &|place| digest(stored, place),
        &|place| same_time(place, &stored.pairs(place)),
    ];
    let mut whole = readings
        .iter()
        .filter_map(|reading| named.iter().find_map(|place| reading(place)));
    if let Some(template) = whole.next() {
        return Some(template);
    }
    if let Some(objects) = objects(stored) {
        return json(stored, &objects, named, all);
    }
    let of_rows = |place: &Place| {
        let sent = stored.pairs(place).into_iter().map(|it| it.1);
        parts(place, &sent.collect::<Vec<_>>())
    };
    let parts: Vec<_> = all.iter().flat_map(of_rows).collect();
    let texts: Vec<String> = stored.owned.iter().map(|it| it.text.clone()).collect();
    embedded(&texts, &parts)
}

/// What every row of a column has as JSON with more than one value in it.
fn objects(stored: &Stored<'_>) -> Option<Vec<Value>> {
    let texts = stored.owned.iter().map(|it| it.text.as_str());
    texts.map(several_values).collect()
}

/// The template of a column that holds JSON as a text: `objects`, one for each row.
fn json(stored: &Stored<'_>, objects: &[Value], named: &[&Place], all: &[Place]) -> Option<String> {
    let mut templates = Vec::new();
    for leaf in super::place::places(objects) {
        let texts = leaf.texts();
        let owned = stored.owned.iter().zip(&texts);
        let owned: Vec<Owned> = owned
            .map(|(owner, text)| Owned {
                text: text.clone(),
                ..owner.clone()
            })
            .collect();
        let inner = Stored {
            name: stored.name,
            texts,
            values: leaf.values.clone(),
            is_optional: false,
            owned,
        };
        match told(&inner, named, all) {
            Some(template) => templates.push((leaf.way, template)),
            None if is_constant(&leaf.values) => {}
            None => templates.push((leaf.way, said::fixed_text(&inner, all)?)),
        }
    }
    let templates: Vec<(&str, &str)> = templates
        .iter()
        .map(|(way, template)| (way.as_str(), template.as_str()))
        .collect();
    super::embed::json(&stored.owned.first()?.text, &templates)
}

/// The template of `place` where every row holds what its message has there, also with zeros before it.
fn same(stored: &Stored<'_>, place: &Place) -> Option<String> {
    // A number stays one, or becomes its digits: both are read.
    let template = place.template.as_ref()?.replace(":number", "");
    let pairs = stored.pairs(place);
    if pairs.iter().all(|(stored, sent)| stored == sent) {
        return Some(template);
    }
    let digits = pairs.first()?.0.len();
    let is_padded = template == "{seq}"
        && pairs.iter().all(|(stored, sent)| {
            let is_number = stored.bytes().all(|byte| byte.is_ascii_digit());
            let bare = stored.trim_start_matches('0');
            stored.len() == digits && is_number && bare == sent.trim_start_matches('0')
        });
    is_padded.then(|| format!("{{seq:0{digits}}}"))
}

/// The template of a column whose texts are the values of `place`, all in large or all in small letters.
fn in_letters(stored: &Stored<'_>, place: &Place) -> Option<String> {
    let template = match place.template.as_deref()? {
        "{id}" => "{id",
        "{digest}" | "{digest:upper}" => "{digest",
        _ => return None,
    };
    let all = |is: fn(char) -> bool| !stored.texts.iter().any(|text| text.contains(is));
    // Ids of runs are in small letters.
    let format = match (all(char::is_lowercase), all(char::is_uppercase)) {
        (true, false) => ":upper",
        (false, true) => "",
        _ => return None,
    };
    said::differs_in_case(stored, place).then(|| format!("{template}{format}}}"))
}

/// The template of a column that holds what `place` has, escaped as URLs, XML and JSON have it, or in base64.
fn escaped(stored: &Stored<'_>, place: &Place) -> Option<String> {
    let template = place.template.as_deref()?.replace(":number", "");
    let is_plain = !template.contains(':');
    let hole = template.parse::<Template>().ok()?.whole()?;
    if hole.format == Format::Base64 {
        let is_unpacked =
            |(stored, sent): &(&str, String)| unpacked(sent).as_deref() == Some(*stored);
        let is_all = stored.pairs(place).iter().all(is_unpacked);
        return is_all.then(|| template.replace(":base64", ""));
    }
    let fits = hole.name.identifies() && is_plain;
    ["base64", "url", "xml", "json"]
        .iter()
        .filter(|_| fits)
        .map(|format| template.replace('}', &format!(":{format}}}")))
        .find(|template| {
            let Ok(read) = template.parse::<Template>() else {
                return false;
            };
            stored.pairs(place).iter().all(|(stored, sent)| {
                let found = read.read(stored, Name::identifies).unwrap_or_default();
                found.first().is_some_and(|(_, text)| text == sent)
            })
        })
}

/// The template of a column that holds the SHA-256 of the payload.
fn digest(stored: &Stored<'_>, place: &Place) -> Option<String> {
    if place.template.as_deref() != Some("{payload}") {
        return None;
    }
    let pairs = stored.pairs(place);
    let of: Vec<String> = pairs
        .iter()
        .map(|it| Digest::of(&it.1).to_string())
        .collect();
    let all = |same: &dyn Fn(&str, &String) -> bool| {
        pairs.iter().zip(&of).all(|(pair, of)| same(pair.0, of))
    };
    if all(&|stored, of| stored == of) {
        return Some("{digest}".to_owned());
    }
    all(&|stored, of| stored == of.to_uppercase()).then(|| "{digest:upper}".to_owned())
}

/// A template of a column, or what is said of it where the column is a key that cannot hold a payload.
fn as_key(stored: &Stored<'_>, template: String) -> Seen {
    let read = template.parse::<Template>();
    let is_key = KEYS.contains(&stored.name);
    let holds = |name: &dyn Fn(Name, Format) -> bool| {
        read.as_ref()
            .is_ok_and(|it| it.holes().any(|hole| name(hole.name, hole.format)))
    };
    if is_key && holds(&|name, _| !name.is_known()) {
        return Seen::Untold(format!(
            "The column {} holds {template}, and nobody can say beforehand what this will be: such a key is not judged.",
            stored.name
        ));
    }
    if is_key && holds(&|name, format| matches!(name, Name::Payload(_)) && format != Format::Url) {
        let instead = if are_words(&stored.texts) {
            format!(
                "write a value such as {} into the message in its place, and add it here",
                short(&stored.texts[0])
            )
        } else {
            "write {id} into the message in place of the payload, and {id} here".to_owned()
        };
        return Seen::Untold(format!(
            "The column {} holds {template}, and payloads have characters that no key can hold (/ \\ # ?): {instead}; it is left out, and so not \
             judged.",
            stored.name
        ));
    }
    Seen::Template(template)
}
