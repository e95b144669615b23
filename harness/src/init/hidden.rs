//! GUIDs within longer texts of messages, as in the address of a blob or the id of a mail, and texts in base64.

use serde_json::Value;
use workflow::contract::workload::is_uuid;

use super::guid;
use super::kind::decoded;
use super::place::{Place, is_constant, several_values};

/// A GUID with its dashes has as many letters.
const GUID: usize = 36;

/// Adds a place for the GUID that each text of another place has in it, if no place is a GUID as a whole.
pub(super) fn add(places: &mut Vec<Place>) {
    let is_whole = |place: &Place| {
        place.is_text() && !is_constant(&place.values) && guid::template(&place.texts()).is_some()
    };
    if places.iter().any(is_whole) {
        return;
    }
    let inner: Vec<Place> = places.iter().filter_map(within).collect();
    places.extend(inner);
}

fn within(place: &Place) -> Option<Place> {
    if !place.is_text() || is_constant(&place.values) {
        return None;
    }
    let values: Option<Vec<Value>> = place
        .texts()
        .iter()
        .map(|text| only_guid(text).map(Value::from))
        .collect();
    Some(Place {
        // No field has this name, so the body stays as it is there.
        way: format!("{} (the GUID in it)", place.way),
        values: values?,
        ..Place::default()
    })
}

/// The GUID in a text that has one, and only one.
fn only_guid(text: &str) -> Option<&str> {
    let starts = text.char_indices().map(|(at, _)| at);
    let mut found = starts.filter_map(|at| text.get(at..at + GUID).filter(|it| is_uuid(it)));
    found.next().filter(|_| found.next().is_none())
}

/// The text that `text` is in base64, if it can be no other text: a short one, or one with blanks around it, may be base64 by
/// chance.
pub(super) fn unpacked(text: &str) -> Option<String> {
    const SHORTEST: usize = 8;
    let is_odd = |c: char| c.is_control() && !c.is_whitespace();
    let is_certain = text.len() >= SHORTEST && text.trim() == text;
    let text = decoded(text).filter(|_| is_certain)?;
    (!text.contains(is_odd)).then_some(text)
}

/// Whether each text at `place` is a text in base64. One alone may be so by chance.
pub(super) fn is_packed(place: &Place) -> bool {
    let texts = place.texts();
    place.is_text() && texts.len() > 1 && texts.iter().all(|text| unpacked(text).is_some())
}

/// Whether each text at `place` is JSON in base64, with more than one value in it.
pub(super) fn is_packed_json(place: &Place) -> bool {
    let is_json = |text: &String| unpacked(text).is_some_and(|it| several_values(&it).is_some());
    place.is_text() && place.texts().iter().all(is_json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_unpacked_only_if_it_is_base64_for_certain_and_decoded_in_any_case() {
        for (text, found, is_certain) in [
            ("aGVsbG8gd29ybGQ=", "hello world", true),
            (" aGVsbG8gd29ybGQ=\n", "hello world", false),
            ("YWJj", "abc", false),
            (
                "AAECAwQFBgc=",
                "\0\u{1}\u{2}\u{3}\u{4}\u{5}\u{6}\u{7}",
                false,
            ),
        ] {
            assert_eq!(decoded(text).as_deref(), Some(found), "{text:?}");
            let certain = is_certain.then_some(found);
            assert_eq!(unpacked(text).as_deref(), certain, "{text:?}");
        }
        for text in ["hello world!", "/////w=="] {
            assert_eq!((decoded(text), unpacked(text)), (None, None), "{text:?}");
        }
    }
}
