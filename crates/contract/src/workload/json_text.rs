//! Columns that hold a text of JSON. Programs write the same value in different forms, with other blanks, another order of fields, or `\u20ac` for `€`: such
//! columns are compared by value.

use std::fmt::Write as _;

use serde_json::Value;

use super::body::{Body, text_at};
use super::lens::{Lens, rank};
use super::placeholder::{Format, Placeholder};
use super::template::{Piece, Template};
use super::values::Owner;
use crate::{Payloads, Seq};

/// The form of a text of JSON: its values, with the templates of its texts and numbers.
#[derive(Debug, Clone)]
pub(super) struct JsonText(Body);

/// Stands around the number of a placeholder while the text around it is parsed: a character for private use.
const MARK: char = '\u{E000}';

impl JsonText {
    /// Reads `template` as an object or a list of JSON; `None` if it is none, or has no placeholder.
    pub(super) fn of(template: &Template) -> Option<Self> {
        let (mut text, mut holes) = (String::new(), Vec::new());
        let (mut in_string, mut escaped) = (false, false);
        for piece in template.pieces() {
            match piece {
                Piece::Text(literal) => {
                    for character in literal.chars() {
                        match character {
                            MARK => return None,
                            _ if escaped => escaped = false,
                            '\\' if in_string => escaped = true,
                            '"' => in_string = !in_string,
                            _ => {}
                        }
                    }
                    text.push_str(literal);
                }
                Piece::Hole(hole) => {
                    let format = match (hole.format, in_string) {
                        (Format::Json, true) => return None,
                        // The quotes belong to the JSON.
                        (Format::Json, false) => Format::Plain,
                        (Format::Plain, false) => Format::Number,
                        (format, _) => format,
                    };
                    let quote = if in_string { "" } else { "\"" };
                    write!(text, "{quote}{MARK}{}{MARK}{quote}", holes.len()).ok()?;
                    holes.push(Placeholder { format, ..*hole });
                }
            }
        }
        let value: Value = serde_json::from_str(&text).ok()?;
        let is_whole = value.is_object() || value.is_array();
        (is_whole && !holes.is_empty()).then(|| Self(body_of(value, &holes)))
    }
}

fn body_of(value: Value, holes: &[Placeholder]) -> Body {
    match value {
        Value::String(text) => Body::Text(template_of(&text, holes)),
        Value::Array(list) => Body::List(
            list.into_iter()
                .map(|value| body_of(value, holes))
                .collect(),
        ),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            Body::Object(
                fields
                    .map(|(name, value)| (name, body_of(value, holes)))
                    .collect(),
            )
        }
        constant => Body::Constant(constant),
    }
}

fn template_of(text: &str, holes: &[Placeholder]) -> Template {
    let parts = text.split(MARK).enumerate();
    let pieces = parts.filter_map(|(at, part)| {
        if at % 2 == 1 {
            let hole = holes.get(part.parse::<usize>().ok()?)?;
            return Some(Piece::Hole(*hole));
        }
        (!part.is_empty()).then(|| Piece::Text(part.to_owned()))
    });
    Template::of_pieces(pieces.collect())
}

impl Lens {
    /// Whether `text` is the value of the column number `at` of [`Lens::further`] for message `seq`; a text of JSON in any form.
    pub fn column_holds(&self, at: usize, text: &str, seq: Seq, payloads: Payloads) -> bool {
        let is_exact = self.holds(&self.further()[at].template, text, seq, payloads);
        is_exact
            || self.json_text(at).is_some_and(|JsonText(form)| {
                let value = serde_json::from_str(text);
                value.is_ok_and(|value| {
                    is_value(form, &value, &|template, text| {
                        self.holds(template, text, seq, payloads)
                    })
                })
            })
    }

    /// The owner of a row whose column number `at` of [`Lens::further`] holds `text`.
    pub(super) fn owner_in_column(&self, at: usize, text: &str) -> Owner {
        let template = &self.further()[at].template;
        let owner = self.owner_in(template, text);
        let Some(JsonText(form)) = self.json_text(at).filter(|_| owner == Owner::Nobody) else {
            return owner;
        };
        let mut leaves = form.leaves();
        leaves.retain(|(_, leaf)| rank(leaf) == rank(template));
        let owners = leaves.iter().filter_map(|(way, leaf)| {
            let text = text_at(text, way)?;
            Some(self.owner_in(leaf, &text))
        });
        let mut known = owners.filter(|owner| *owner != Owner::Nobody);
        known.next().unwrap_or(Owner::Nobody)
    }
}

/// Whether `value` has this form; `holds` says whether a text is the value of a template.
fn is_value(form: &Body, value: &Value, holds: &dyn Fn(&Template, &str) -> bool) -> bool {
    let is_number = |template: &Template| template.whole().is_some_and(|it| it.format.is_number());
    match (form, value) {
        (Body::Text(template), Value::String(text)) => {
            !is_number(template) && holds(template, text)
        }
        (Body::Text(template), Value::Number(number)) => {
            is_number(template) && holds(template, &number.to_string())
        }
        (Body::List(forms), Value::Array(values)) => {
            forms.len() == values.len()
                && forms
                    .iter()
                    .zip(values)
                    .all(|(form, value)| is_value(form, value, holds))
        }
        (Body::Object(forms), Value::Object(values)) => {
            let is_same = |(name, form): &(String, Body)| {
                values
                    .get(name)
                    .is_some_and(|value| is_value(form, value, holds))
            };
            forms.len() == values.len() && forms.iter().all(is_same)
        }
        (Body::Constant(constant), value) => constant == value,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PayloadSize;
    use crate::workload::Description;
    use serde_json::json;

    const PAYLOADS: Payloads = Payloads {
        seed: 7,
        size: PayloadSize::Sample,
    };

    fn lens(column: &str) -> Lens {
        let text = format!(
            "version: 1\nname: n\nmessage:\n  body:\n    id: '{{id}}'\n    text: '{{payload}}'\n    n: '{{seq}}'\nrow:\n  columns:\n    Json: '{column}'\nworker:\n  command: x\n  variables:\n    Q: '{{queue-endpoint}}'\n    N: '{{queue}}'\n    T: '{{table-endpoint}}'\n    M: '{{table}}'\n    S: '{{sas}}'\n"
        );
        Lens::new(
            Description::read(&text).unwrap().into(),
            "r1".parse().unwrap(),
        )
    }

    fn seq(n: u64) -> Seq {
        Seq::new(n).unwrap()
    }

    /// Python's `json.dumps` writes `\u20ac` for `€`, and a blank after `:` and `,`.
    fn in_ascii(text: &str) -> String {
        let units = text.encode_utf16().map(|unit| match u8::try_from(unit) {
            Ok(ascii) if ascii < 128 => char::from(ascii).to_string(),
            _ => format!("\\u{unit:04x}"),
        });
        units.collect()
    }

    #[test]
    fn json_is_compared_by_value_and_not_by_form() {
        let lens =
            lens(r#"{"note": "{payload}", "of": {"id": "{id}", "n": {seq}}, "a": [1, true, "x"]}"#);
        let payload = PAYLOADS.payload(seq(7));
        let right = json!({"note": payload, "of": {"id": "r1-7", "n": 7}, "a": [1, true, "x"]});
        let holds = |text: &str| lens.column_holds(0, text, seq(7), PAYLOADS);
        let (plain, pretty) = (
            right.to_string(),
            serde_json::to_string_pretty(&right).unwrap(),
        );
        assert!(holds(&plain));
        assert!(holds(&pretty));
        assert!(holds(&in_ascii(&pretty)));
        for (at, wrong) in [
            ("/note", json!("else")),
            ("/note", json!(null)),
            ("/of/id", json!("r1-8")),
            ("/of/n", json!(8)),
            // A number is not its digits.
            ("/of/n", json!("7")),
            ("/a", json!([1, true])),
            ("/a/1", json!(false)),
        ] {
            let mut value = right.clone();
            *value.pointer_mut(at).unwrap() = wrong;
            assert!(!holds(&value.to_string()), "{at}");
        }
        let mut more = right.clone();
        more["more"] = json!(1);
        assert!(!holds(&more.to_string()));
        assert!(!holds(&plain[1..]));
    }

    #[test]
    fn json_in_another_form_tells_its_message() {
        let by_id = lens(r#"{"text": "{payload}", "id": "{id}"}"#);
        assert_eq!(
            by_id.owner_in_column(0, r#"{ "id":"r1-7", "text":"" }"#),
            Owner::Ours(seq(7))
        );
        assert_eq!(by_id.owner_in_column(0, r#"{ "id":7 }"#), Owner::Nobody);
        let by_payload = lens(r#"{"text": {payload:json}}"#);
        let text = json!({"text": PAYLOADS.payload(seq(7))});
        let text = in_ascii(&serde_json::to_string_pretty(&text).unwrap());
        assert_eq!(by_payload.owner_in_column(0, &text), Owner::Ours(seq(7)));
    }

    #[test]
    fn only_a_whole_object_or_list_of_json_is_compared_by_value() {
        let is_json = |text: &str| JsonText::of(&text.parse().unwrap()).is_some();
        for text in [
            r#"{"a": "{id}"}"#,
            r#"["{id}"]"#,
            r#"{"a": {payload:json}}"#,
            r#"{"a": {seq}}"#,
        ] {
            assert!(is_json(text), "{text}");
        }
        for text in [
            "{id}",
            r#""{id}""#,
            "a {id}",
            r#"{"a": "{id}""#,
            r#"{"a": "b"}"#,
        ] {
            assert!(!is_json(text), "{text}");
        }
    }
}
