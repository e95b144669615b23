//! Why a place stays as it is in the first message, from its values alone.

use std::collections::BTreeSet;

use serde_json::Value;

use super::hidden::is_packed_json;
use super::place::{Place, is_constant, short, text};
use super::times::{looks_like_time, time_format};

/// Whether it is one of the literal names of JSON: null, true or false (RFC 8259, section 3).
pub(super) fn is_literal(value: &Value) -> bool {
    value.is_null() || value.is_boolean()
}

/// Why a place stays as it is in the first message; `None` where it is a constant, or something may stand for it.
pub(super) fn frozen(place: &Place) -> Option<String> {
    let values = &place.values;
    let is_vast =
        |value: &Value| value.is_f64() && value.as_f64().is_some_and(|it| it.abs() >= 1e19);
    if values.iter().any(is_vast) {
        return Some(
            "is a number of more than 64 bits, for which no placeholder stands; it stays as it is in the first message. Have the sender write it \
             as a text for the test"
                .to_owned(),
        );
    }
    if is_constant(values) {
        return None;
    }
    if let Some(why) = unlike(values) {
        return Some(format!(
            "{why}; every message of a run has it as the first message here."
        ));
    }
    if values.iter().any(is_literal) || time_format(values).is_some() {
        return None;
    }
    let first = short(&text(values.first()?));
    if is_packed_json(place) {
        return Some(format!(
            "is JSON in base64 ({first}), for which no placeholder stands; it stays as it is in the first message."
        ));
    }
    if values.iter().map(text).all(|it| looks_like_time(&it)) {
        return Some(format!(
            "is a time in a form that no placeholder has ({first}); it stays as it is in the first message. If the sender can write times as \
             2026-11-23T13:14:10Z, write {{intended:rfc3339}}"
        ));
    }
    if !place.is_distinct_where_told() {
        let seen: BTreeSet<String> = place.texts().iter().map(|text| short(text)).collect();
        let more = seen.len().saturating_sub(5);
        let seen: Vec<String> = seen.into_iter().take(5).collect();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        return Some(format!(
            "repeats among the messages ({}{more}), as the values of a list do; it stays {first} in every message of a run.",
            seen.join(", ")
        ));
    }
    let numbers: Option<Vec<f64>> = values.iter().map(Value::as_f64).collect();
    let numbers = numbers.filter(|_| !values.iter().all(Value::is_u64))?;
    let why = if numbers.iter().any(|it| *it < 0.0) {
        "is a number that may be below zero, and {seq} counts from 1"
    } else {
        "is a number with a fraction, for which no placeholder stands"
    };
    Some(format!("{why}; it stays as it is in the first message."))
}

/// What is said of values that are not all of one type.
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
    let is_mixed = first.is_boolean() && values.len() > 1;
    is_mixed.then(|| "is true in some messages, and false in others".to_owned())
}
