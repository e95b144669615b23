//! What is said of a column that no template stands for.

use std::collections::BTreeSet;

use serde_json::Value;
use workflow::contract::workload::{Format, Name, Template};

use super::columns::Stored;
use super::embed::{SHORTEST, stands_in};
use super::owners::{Owned, held};
use super::place::{Place, is_constant, short, text};
use super::times::{are_other_times, instant, is_same_instant, with_format};

const LEFT_OUT: &str = "it is left out, and so not judged";

/// A constant of a longer text is not repeated in a comment.
const LONGEST: usize = 120;

/// Whether two values are the same but for their form.
fn is_alike(stored: &str, sent: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    let is_number = number(stored).is_some() && number(stored) == number(sent);
    let is_boolean = || matches!(&*stored.to_ascii_lowercase(), "true" | "false");
    stored == sent || is_number || stored.eq_ignore_ascii_case(sent) && is_boolean()
}

/// A line of the description for a column that is always `value`, after "add"; `None` where it is too long to be shown.
fn line(name: &str, value: &str) -> Option<String> {
    let (key, value) = (Value::from(name), Value::from(Template::of_text(value)));
    (value.to_string().len() <= LONGEST).then(|| format!("{key}: {value}"))
}

/// The place whose value each row has of its message, and that is the same in all messages of a run.
fn fixed<'a>(stored: &Stored<'_>, places: &'a [Place]) -> Option<&'a Place> {
    let others = places.iter().filter(|it| it.template.is_none());
    let mut others = others.filter(|it| !is_constant(&it.values));
    others.find(|place| {
        let pairs = stored.pairs(place);
        !pairs.is_empty() && pairs.iter().all(|(stored, sent)| is_alike(stored, sent))
    })
}

/// What a run has where each row has of its message what is the same in all messages of a run.
pub(super) fn fixed_text(stored: &Stored<'_>, places: &[Place]) -> Option<String> {
    let first = fixed(stored, places)?.values.first()?;
    Some(Template::of_text(&text(first)))
}

/// What is said of a column that holds what its message has where a run always has the same.
pub(super) fn frozen(stored: &Stored<'_>, places: &[Place]) -> Option<String> {
    let place = fixed(stored, places)?;
    let (name, way, first) = (stored.name, place.spoken(), text(place.values.first()?));
    // As the row has it: a number 10 of a message may be 10.0 there.
    let of_first = stored.owned.iter().find(|it| it.message == 0);
    let add = of_first.and_then(|it| line(&stored.key(), &it.text));
    let add = add.filter(|_| !place.values[0].is_null());
    let add = add.map_or(LEFT_OUT.to_owned(), |add| {
        format!("if the worker copies it, add {add}")
    });
    Some(format!(
        "The column {name} holds {way} of its message, which stays {} in every message of a run: {add}",
        short(&first)
    ))
}

/// What is said of a column that is the same in all rows; such a value may be a promise, or chance.
pub(super) fn constant(stored: &Stored<'_>, places: &[Place]) -> Option<String> {
    let first = stored.texts.first()?;
    let is_shared = |place: &&Place| {
        let texts = place.texts();
        place.template.is_none() && texts.iter().all(|it| is_alike(first, it))
    };
    let shared = places.iter().find(is_shared);
    if stored.values.iter().any(|it| *it != stored.values[0])
        || shared.is_none() && !is_constant(&stored.values)
    {
        return None;
    }
    let also = shared.map_or(String::new(), |place| {
        format!(", as {} is in the messages", place.way)
    });
    let name = stored.name;
    let add = line(&stored.key(), first).map_or_else(
        || "add it with its text".to_owned(),
        |line| format!("add {line}"),
    );
    let rows = if stored.is_optional {
        "all rows that have it"
    } else {
        "all rows here"
    };
    Some(format!(
        "The column {name} is the same in {rows}{also}: if it always is, {add}"
    ))
}

/// What a row stores, and what its message has.
type Pair<'a> = (&'a str, String);

/// What is said of a column that holds what its message has in a form that no placeholder has.
pub(super) fn another_form(stored: &Stored<'_>, places: &[Place]) -> Option<String> {
    let name = stored.name;
    let with = |is: &dyn Fn(&[Pair<'_>]) -> bool| {
        let mut places = places.iter().filter(|it| !it.values.is_empty());
        places.find(|place| {
            let pairs = stored.pairs(place);
            !pairs.is_empty() && is(&pairs)
        })
    };
    if let Some(place) = with(&is_same_instant) {
        let way = place.spoken();
        return Some(format!(
            "The column {name} is the time that its message has in {way}, in another form: write the time into the message as {} to have the \
             column judged; {LEFT_OUT}.",
            with_format(Name::Intended, Format::Rfc3339)
        ));
    }
    let is_form = |pairs: &[Pair<'_>]| {
        pairs
            .iter()
            .all(|(stored, sent)| is_alike(stored, sent) || is_encoded(stored, sent))
    };
    if let Some(place) = with(&is_form) {
        return Some(format!(
            "The column {name} holds {} of its message in another form ({}), for which no placeholder stands; {LEFT_OUT}.",
            place.spoken(),
            short(&stored.owned[0].text)
        ));
    }
    let is_time =
        are_other_times(&stored.values) && !stored.texts.iter().all(|text| instant(text).is_some());
    is_time.then(|| {
        format!(
            "The column {name} holds times in a form that no placeholder has ({}); {LEFT_OUT}.",
            short(&stored.texts[0])
        )
    })
}

/// Whether `stored` is `sent` in base64 or as URLs have it.
fn is_encoded(stored: &str, sent: &str) -> bool {
    ["{id:base64}", "{id:url}"].iter().any(|template| {
        let read: Result<Template, _> = template.parse();
        let read = read.ok();
        let found = read.as_ref().and_then(|it| it.read(stored, |_| true));
        found.is_some_and(|found| found.iter().any(|(_, text)| text == sent))
    })
}

/// What is said of times that are no message's.
pub(super) fn own_times(name: &str, format: Format) -> String {
    format!(
        "The column {name} holds times of the worker's own: name it {} or {} if it is one of these.",
        with_format(Name::Received, format),
        with_format(Name::Done, format)
    )
}

pub(super) fn differs_in_case(stored: &Stored<'_>, place: &Place) -> bool {
    let pairs = stored.pairs(place);
    let is_same = |(stored, sent): &(&str, String)| stored.to_lowercase() == sent.to_lowercase();
    !pairs.is_empty() && pairs.iter().all(is_same)
}

/// What is said of a column that differs from a place in case alone, in a way that no template has.
pub(super) fn in_case(stored: &Stored<'_>, places: &[Place]) -> Option<String> {
    let mut places = places.iter().filter(|it| !is_constant(&it.values));
    let place = places.find(|place| differs_in_case(stored, place))?;
    let (name, way) = (stored.name, place.spoken());
    Some(format!(
        "The column {name} differs from {way} of its message in case alone, and texts are compared to the letter; {LEFT_OUT}."
    ))
}

/// What is said of a column if some row holds what another message has at a place, and not what its own message has there.
pub(super) fn partly(stored: &Stored<'_>, places: &[Place]) -> Option<String> {
    for place in places.iter().filter(|it| it.template.is_some()) {
        let texts = place.texts();
        // A short one may be the same by chance.
        let known: BTreeSet<&String> = texts.iter().filter(|it| it.len() >= SHORTEST).collect();
        let held = stored.owned.iter().filter(|it| known.contains(&it.text));
        if held.count() == 0 {
            continue;
        }
        let differs = |it: &&Owned| it.text != texts[it.message];
        let other = stored.owned.iter().find(differs)?;
        return Some(format!(
            "The column {} holds {} in some rows, and not in all that of the row's own message: row {} has {} where its message has {}; \
             {LEFT_OUT}.",
            stored.name,
            place.spoken(),
            other.row,
            short(&other.text),
            short(&texts[other.message])
        ));
    }
    None
}

/// What is said of a column whose texts have what their messages have at `place` in them, or are within it.
pub(super) fn within(stored: &Stored<'_>, place: &Place) -> Option<String> {
    let (name, way) = (stored.name, place.spoken());
    let template = place.template.as_deref()?;
    // Times and digests are compared whole.
    let names = ["{id}", "{seq", "{payload"];
    let is_compared =
        names.iter().any(|name| template.starts_with(name)) || template.contains("{uuid");
    let pairs = stored.pairs(place);
    let first = pairs.first();
    let all = |is: &dyn Fn(&Pair<'_>) -> bool| !pairs.is_empty() && pairs.iter().all(is);
    if let (true, Some((text, sent))) = (is_compared, first) {
        if all(&|(stored, sent)| stands_in(stored, sent)) {
            return Some(format!(
                "The column {name} contains {way} of its message within another text ({} in {}): write what is beside it, with {template} in its \
                 place; {LEFT_OUT}.",
                short(sent),
                short(text)
            ));
        }
        let is_cut = |stored: &str, sent: &str| sent.starts_with(stored) || sent.trim() == stored;
        if all(&|(stored, sent)| stored.len() >= SHORTEST && is_cut(stored, sent)) {
            return Some(format!(
                "The column {name} holds {way} of its message, cut at a length or without the blanks around it ({} of {}): such columns cannot be \
                 described; {LEFT_OUT}.",
                short(text),
                short(sent)
            ));
        }
        if all(&|(stored, sent)| stands_in(sent, stored)) {
            return Some(format!(
                "The column {name} holds a part of {way} of its message ({} of {}): {}; {LEFT_OUT}.",
                short(text),
                short(sent),
                how_parts_are_described(place, template, text)
            ));
        }
    }
    many(stored, place)
}

/// What is said of rows each of which has what several messages have at `place`.
fn many(stored: &Stored<'_>, place: &Place) -> Option<String> {
    let known = place.texts();
    let is_long = known.iter().all(|text| text.len() >= SHORTEST);
    let texts = stored
        .texts
        .iter()
        .filter(|_| is_long && place.is_distinct());
    let most = texts.max_by_key(|text| held(&known, text).len())?;
    let count = held(&known, most).len();
    (count > 1).then(|| {
        format!(
            "The column {} contains {} of {count} messages ({}): one row for many messages is out of scope (docs/DESCRIPTION.md).",
            stored.name,
            place.spoken(),
            short(most)
        )
    })
}

/// What is said where nothing else is known.
pub(super) fn nothing(stored: &Stored<'_>, places: &[Place]) -> String {
    let name = stored.name;
    let has = |place: &&Place| {
        let texts = place.texts();
        !is_constant(&place.values) && stored.texts.iter().all(|it| texts.contains(it))
    };
    match places.iter().find(has) {
        Some(place) => format!(
            "The column {name} holds values that messages have at {} ({}), and nothing tells which row is of which message; {LEFT_OUT}.",
            place.spoken(),
            short(&stored.texts[0])
        ),
        None => format!(
            "The column {name} holds no value of a message that was recognised; {LEFT_OUT}."
        ),
    }
}

/// What to do where a column holds `part` of what is at a place.
fn how_parts_are_described(place: &Place, template: &str, part: &str) -> String {
    if place.way.is_empty() {
        let name = if part.contains(char::is_whitespace) {
            "{payload:xml} (or :url, :json, as the body writes it) where this part stands, and {payload}"
        } else {
            "{id} where this part stands, and {id}"
        };
        return format!("write the body with its parts, {name} here");
    }
    if template.starts_with("{payload") {
        // Payloads hold any character: in a URL, blanks and most others are written with %.
        return "where the worker takes it apart at a character, write the parts with payloads of their own that lack this character, such \
                as \"{payload2:url} {payload3:url}\" in the message, and the part's here"
            .to_owned();
    }
    format!("write into the message's field which part is {template}, and {template} here")
}
