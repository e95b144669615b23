//! What the columns of all rows are, from the values of the messages that the rows are of.

use std::collections::BTreeSet;

use serde_json::Value;
use workflow::contract::Digest;
use workflow::contract::workload::{Format, Name, Template};

use super::embed::{SHORTEST, embedded, parts};
use super::guid;
use super::owners::{KEYS, Owned, Rows, held};
use super::place::{Place, short};
use super::said;
use super::times::{same_time, time_format};

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
    /// Those of which the message is known.
    pub(super) owned: Vec<Owned>,
}

impl Stored<'_> {
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
    let names: BTreeSet<&String> = rows.all.iter().flat_map(|row| row.keys()).collect();
    let mut found: Vec<(String, String)> = Vec::new();
    for name in names.into_iter().filter(|name| !is_of_the_service(name)) {
        let values = rows.all.iter().filter_map(|row| row.get(name).cloned());
        let values: Vec<Value> = values.filter(|value| !value.is_null()).collect();
        if values.is_empty() {
            continue;
        }
        let optional = if values.len() < rows.all.len() {
            "?"
        } else {
            ""
        };
        let stored = Stored {
            name,
            texts: values.iter().map(super::place::text).collect(),
            values,
            owned: rows.owned(name),
        };
        match seen(&stored, places) {
            Seen::Template(template) => found.push((format!("{name}{optional}"), template)),
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
    if let Some(template) = told(stored, &named) {
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
    if let Some(said) = said::in_case(stored, &named).or_else(|| said::partly(stored, places)) {
        return Seen::Untold(said);
    }
    let within = named.iter().find_map(|place| within(stored, place));
    Seen::Untold(within.unwrap_or_else(|| said::nothing(stored)))
}

/// What stands for all that is stored in rows of which the message is known.
fn told(stored: &Stored<'_>, named: &[&Place]) -> Option<String> {
    if stored.owned.is_empty() {
        return None;
    }
    let places = named.iter().copied();
    let found = places.clone().find_map(|place| same(stored, place));
    let found = found.or_else(|| {
        places.clone().find_map(|place| {
            guid::column(place, &stored.pairs(place)).or_else(|| in_letters(stored, place))
        })
    });
    let found = found.or_else(|| places.clone().find_map(|place| escaped(stored, place)));
    let found = found.or_else(|| places.clone().find_map(|place| digest(stored, place)));
    let found = found.or_else(|| {
        places
            .clone()
            .find_map(|place| same_time(place, &stored.pairs(place)))
    });
    found.or_else(|| {
        let of_rows = |place: &Place| {
            let sent = stored.pairs(place).into_iter().map(|it| it.1);
            parts(place, &sent.collect::<Vec<_>>())
        };
        let parts: Vec<_> = places.flat_map(of_rows).collect();
        let texts: Vec<String> = stored.owned.iter().map(|it| it.text.clone()).collect();
        embedded(&texts, &parts)
    })
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
        return Seen::Untold(format!(
            "The column {} holds {template}, and payloads have characters that no key can hold (/ \\ # ?): write {{id}} into the message in \
             place of the payload, and {{id}} here; it is left out, and so not judged.",
            stored.name
        ));
    }
    Seen::Template(template)
}

/// What is said of a column whose texts have values of `place` in them, or are within these.
fn within(stored: &Stored<'_>, place: &Place) -> Option<String> {
    let (name, texts) = (stored.name, &stored.texts);
    let (way, template) = (place.spoken(), place.template.as_deref()?);
    // Times and digests are compared whole.
    let names = ["{id}", "{uuid", "{payload"];
    names.iter().find(|name| template.starts_with(**name))?;
    let known = place.texts();
    let most = texts.iter().max_by_key(|text| held(&known, text).len())?;
    match held(&known, most)[..] {
        [] => {
            let outer = |text: &String| known.iter().find(|it| it.contains(text.as_str()));
            let is_part = |it: &&String| it.len() >= SHORTEST && outer(it).is_some();
            let text = texts.iter().find(is_part)?;
            let (outer, how) = (outer(text)?, said::how_parts_are_described(template));
            Some(format!(
                "The column {name} holds a part of {way} of a message ({} of {}): {how}; it is left out, and so not judged.",
                short(text),
                short(outer)
            ))
        }
        [value] => Some(format!(
            "The column {name} contains {way} of a message within another text ({} in {}): write what is beside it, with {template} in its \
             place; it is left out, and so not judged.",
            short(&known[value]),
            short(most)
        )),
        ref several => Some(format!(
            "The column {name} contains {way} of {} messages ({}): one row for many messages is out of scope (docs/DESCRIPTION.md).",
            several.len(),
            short(most)
        )),
    }
}
