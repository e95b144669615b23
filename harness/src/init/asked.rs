//! What a person has to look at, although a template was found: names that were taken for likely, and text beside a placeholder.

use workflow::contract::workload::{Piece, Template};

use super::place::{Place, short};

/// What is said of the places of a message that have a template.
pub(super) fn of_places(places: &[Place]) -> Vec<String> {
    let ids = places.iter().filter_map(form_of_id);
    let words = places.iter().filter_map(single_words);
    let empty = places.iter().filter_map(empty);
    let times = places.iter().filter_map(other_time);
    times.chain(ids).chain(words).chain(empty).collect()
}

/// Ids of a run have a form of their own.
fn form_of_id(place: &Place) -> Option<String> {
    place.template.as_deref().filter(|it| *it == "{id}")?;
    let texts = place.texts();
    let first = texts.first()?;
    let prefix = &first[..first.find(|c: char| c.is_ascii_digit())?];
    let has_form = |text: &String| {
        let rest = text.strip_prefix(prefix);
        rest.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let is_form = !prefix.is_empty() && texts.len() > 1 && texts.iter().all(has_form);
    is_form.then(|| {
        format!(
            "{} is {prefix:?} and a number in every message here, and ids of a run look otherwise: if the worker needs this form, write \
             \"{}{{seq}}\" here and in the columns.",
            place.spoken(),
            Template::of_text(prefix)
        )
    })
}

/// Whether every text at `place` is one word, as the values of a list, addresses and numbers of articles are.
pub(super) fn are_words(texts: &[String]) -> bool {
    const LONGEST: usize = 64;
    let is_word = |text: &String| {
        !text.is_empty() && text.len() <= LONGEST && !text.contains(char::is_whitespace)
    };
    texts.iter().all(is_word)
}

fn single_words(place: &Place) -> Option<String> {
    let template = place.template.as_deref()?;
    let is_payload = template.starts_with("{payload") && !template.contains(':');
    let texts = place.texts();
    let first = texts.first().filter(|_| is_payload && are_words(&texts))?;
    Some(format!(
        "{} is taken for a free text ({template}), so a run sends any text there, with blanks, newlines and characters of four bytes. If the \
         worker needs one of a list, an address or the like, write a value of these in its place, such as {}.",
        place.spoken(),
        short(first)
    ))
}

fn empty(place: &Place) -> Option<String> {
    let template = place.template.as_deref()?;
    let texts = place.texts();
    let is_empty = template.starts_with("{payload") && texts.iter().any(String::is_empty);
    is_empty.then(|| {
        format!(
            "{} is empty in some messages; every message of a run has a text there.",
            place.spoken()
        )
    })
}

/// A time may be another than that of the message.
fn other_time(place: &Place) -> Option<String> {
    const OF_MESSAGES: [&str; 22] = [
        "time",
        "timestamp",
        "at",
        "ts",
        "date",
        "when",
        "creat",
        "sent",
        "send",
        "queue",
        "occur",
        "publish",
        "intend",
        "submi",
        "emit",
        "order",
        "placed",
        "insert",
        "issued",
        "received",
        "now",
        "utc",
    ];
    let template = place.template.as_deref()?;
    let name = ["{intended", "{sent"]
        .iter()
        .find(|name| template.starts_with(**name))?;
    let field = place
        .way
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let is_of_message = OF_MESSAGES.iter().any(|it| {
        // Short words stand in many others.
        let is_short = it.len() < 4;
        field == *it || field.ends_with(&format!("_{it}")) || !is_short && field.contains(it)
    });
    let is_other = ["due", "expir", "birth", "until", "deliver", "start", "end"];
    let is_other = is_other.iter().any(|it| field.starts_with(it));
    let meaning = if *name == "{intended" {
        "for which a message is intended"
    } else {
        "at which a message is sent"
    };
    (is_other || !is_of_message).then(|| {
        format!(
            "{} is taken for the time {meaning} ({template}): if it is another, such as a date on which something is due, write a time in its \
             place.",
            place.spoken()
        )
    })
}

/// What is said of text with digits beside the placeholders of a column: it may be a date, a host or the number of an attempt.
pub(super) fn literals(
    name: &str,
    template: &str,
    texts: &[&str],
    places: &[Place],
) -> Option<String> {
    if places
        .iter()
        .any(|it| it.template.as_deref() == Some(template))
    {
        return None;
    }
    let read: Template = template.parse().ok()?;
    let is_told = |text: &&String| {
        text.contains(|c: char| c.is_ascii_digit())
            && texts.iter().all(|it| it.contains(text.as_str()))
    };
    let mut literals = read.pieces().iter().filter_map(|piece| match piece {
        Piece::Text(text) => Some(text),
        Piece::Hole(_) => None,
    });
    let literal = literals.find(is_told)?;
    read.holes().next()?;
    Some(format!(
        "The column {name} has {} beside its placeholders in every row here. If that changes (a date, a host, the number of an attempt), leave \
         the column out.",
        short(literal)
    ))
}
