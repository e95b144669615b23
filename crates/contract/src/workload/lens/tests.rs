use serde_json::{Map, Value, json};

use super::*;
use crate::{Message, PayloadSize, PoisonEnvelope, PoisonReason, ResultRow, StoredRow};

const PAYLOADS: Payloads = Payloads {
    seed: 11,
    size: PayloadSize::Fixed(200),
};

fn at(micros: i64) -> Stamp {
    Stamp::from_micros(1_795_439_655_678_901 + micros)
}

fn seq(n: u64) -> Seq {
    Seq::new(n).unwrap()
}

fn lens(message: &str, row: &str) -> Lens {
    let text = format!("version: 1\nname: x\nmessage:\n{message}\nrow:\n  columns:\n{row}\n");
    let description = Description::read(&text).unwrap_or_else(|problems| panic!("{problems:?}"));
    Lens::new(Arc::new(description), "r1".parse().unwrap())
}

fn entity(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else {
        panic!("an object")
    };
    map
}

#[test]
fn our_own_description_writes_what_our_own_producer_does_and_reads_what_our_own_consumer_does() {
    let own = Lens::own("r1".parse().unwrap());
    for n in [1, 33, 700] {
        let id = MessageId::new("r1".parse().unwrap(), seq(n));
        let message = Message::new(id.clone(), PAYLOADS.payload(seq(n)), at(0), at(7));
        let body = own.message(PAYLOADS, seq(n), at(0), at(7));
        assert_eq!(body, message.encode());
        assert_eq!(own.owner_of_message(&body), Owner::Ours(seq(n)));
        assert_eq!(own.id_of_message(&body), Some(id.to_string()));
        let row = ResultRow::of(message, at(9), 2, "consumer-1", "node-1");
        let json = serde_json::to_value(&row).unwrap();
        let read = own.row(&entity(json));
        assert_eq!(read, StoredRow::from(row));
        assert_eq!(own.owner_of_row(&read), Owner::Ours(seq(n)));
        assert!(own.is_at_its_keys(&read, seq(n), PAYLOADS));
        assert!(!own.is_at_its_keys(&read, seq(n + 1), PAYLOADS));
        let words = format!("PartitionKey {}, RowKey {id}", id.partition_key());
        assert_eq!(own.keys_in_words(seq(n), PAYLOADS), words);
    }
}

#[test]
fn our_own_description_reads_what_our_own_consumer_gives_up() {
    let own = Lens::own("r1".parse().unwrap());
    let envelope = PoisonEnvelope {
        reason: PoisonReason::Oversized,
        detail: "too large".into(),
        message_id: "q-1".into(),
        attempt: 3,
        consumer: "consumer-1".into(),
        poisoned_stamp: at(0),
        part: 1,
        parts: 1,
        body: "a body".into(),
    };
    for text in envelope.clone().encode() {
        assert_eq!(own.set_aside(&text), Some(SetAside::from(&envelope)));
        assert_eq!(own.set_aside(&text.replace("oversized", "no-reason")), None);
    }
    assert_eq!(own.set_aside("a body"), None);
    assert_eq!(own.poison_queue("work").as_deref(), Some("work-poison"));
    assert!(own.is_poison_queue("work-poison", Some("work")));
    assert!(!own.is_poison_queue("other-poison", Some("work")));
    assert!(own.is_poison_queue("any-poison", None) && !own.is_poison_queue("-poison", None));
    let names: Vec<_> = PoisonReason::ALL
        .iter()
        .map(|reason| reason.as_str())
        .collect();
    assert_eq!(own.description().poison.as_ref().unwrap().reasons, names);
}

#[test]
fn a_message_is_told_by_whatever_it_holds() {
    for message in [
        "  body: \"{payload}\"",
        "  body: \"order {seq}: {payload}\"",
        "  body:\n    order: { no: \"{seq:number}\" }\n    lines: [\"{payload}\"]",
        "  body:\n    id: \"{uuid}\"\n    text: \"{payload}\"",
        "  encoding: base64\n  body:\n    text: \"{payload}\"",
        "  body: \"[[{payload:json}], {}]\"",
    ] {
        let lens = lens(
            message,
            "    text: \"{payload}\"".replace("text", "data").as_str(),
        );
        let text = lens.message(PAYLOADS, seq(42), at(0), at(1));
        assert_eq!(lens.owner_of_message(&text), Owner::Ours(seq(42)), "{text}");
        assert_eq!(lens.id_of_message(&text).as_deref(), Some("r1-42"));
        assert_eq!(lens.owner_of_message("something else"), Owner::Nobody);
    }
}

#[test]
fn a_row_is_told_by_ids_of_any_type_and_by_its_payload() {
    let message = "  body:\n    no: \"{seq:number}\"\n    guid: \"{uuid}\"\n    a: \"{payload}\"\n    b: \"{payload2}\"";
    let by_number = lens(message, "    no: \"{seq}\"\n    b: \"{payload2}\"");
    let second = PAYLOADS.further(2).payload(seq(7));
    for no in [json!(7), json!("7")] {
        let row = by_number.row(&entity(
            json!({"PartitionKey": "2026-11-23", "RowKey": "x", "no": no, "b": second}),
        ));
        assert_eq!(by_number.owner_of_row(&row), Owner::Ours(seq(7)));
        assert_eq!(by_number.count_in(&row), Some(seq(7)));
        assert!(by_number.has_ids() && !by_number.has_keys());
    }
    let by_key = lens(
        message,
        "    RowKey: \"order-{uuid}\"\n    all: \"{payload} {payload2}\"",
    );
    let key = by_key.known(
        Placeholder {
            name: Name::Uuid,
            format: super::super::Format::Plain,
        },
        PAYLOADS,
        seq(7),
    );
    let key = format!("order-{}", key.unwrap());
    assert_eq!(by_key.owner_of_keys("", &key), Owner::Ours(seq(7)));
    let all = format!("{} {second}", PAYLOADS.payload(seq(7)));
    let template = &by_key.further()[0].template;
    assert!(by_key.holds(template, &all, seq(7), PAYLOADS));
    assert!(!by_key.holds(template, &all, seq(8), PAYLOADS));
    let by_payload = lens(message, "    first: \"{payload}\"");
    let row = by_payload.row(&entity(
        json!({"RowKey": "r", "first": PAYLOADS.payload(seq(3))}),
    ));
    assert_eq!(by_payload.owner_of_row(&row), Owner::Nobody);
    assert_eq!(by_payload.count_in(&row), Some(seq(3)));
    assert!(!by_payload.has_ids());
}

#[test]
fn what_a_row_lacks_is_seen_and_optional_columns_may_be_absent() {
    let lens = lens(
        "  body:\n    id: \"{id}\"\n    t: \"{payload}\"\n    at: \"{intended:unix-ms}\"",
        "    id: \"{id}\"\n    t: \"{payload}\"\n    at: \"{intended:unix-ms}\"\n    by?: \"{worker}\"",
    );
    let whole = entity(json!({"id": "r1-1", "t": "x", "at": 1_795_439_655_678_i64}));
    assert_eq!(lens.row(&whole).src_stamp, Some(at(-901)));
    assert!(lens.described(Name::Worker).unwrap().is_optional);
}

#[test]
fn a_constant_that_is_a_boolean_or_a_number_is_held_against_columns_of_its_type_and_against_texts()
{
    let holds = |written: &str, stored: Value| {
        let lens = lens(
            "  body: { id: \"{id}\" }",
            &format!("    RowKey: \"{{id}}\"\n    Flag: {written}"),
        );
        let row = lens.row(&entity(json!({"RowKey": "r1-1", "Flag": stored})));
        let text = row.further[0].as_deref();
        let template = &lens.further()[0].template;
        text.is_some_and(|text| lens.holds(template, text, seq(1), PAYLOADS))
    };
    for (written, stored) in [
        ("true", json!(true)),
        ("True", json!(true)),
        ("FALSE", json!(false)),
        ("\"true\"", json!(true)),
        ("true", json!("true")),
        ("2048", json!(2048)),
        ("2048", json!("2048")),
    ] {
        assert!(holds(written, stored.clone()), "{written}: {stored}");
    }
    for (written, stored) in [
        ("true", json!(false)),
        ("false", json!(true)),
        ("true", json!("True")),
        ("true", json!(1)),
        ("\"yes\"", json!(true)),
        ("true", json!(null)),
        ("2048", json!(2049)),
    ] {
        assert!(!holds(written, stored.clone()), "{written}: {stored}");
    }
}

#[test]
fn a_step_of_a_row_that_comes_about_in_steps_says_what_it_leaves_to_others() {
    let message = "  body: { id: \"{id}\", t: \"{payload}\" }";
    let columns =
        "    RowKey: \"{id}\"\n    state: done\n    t: \"{payload}\"\n    by?: \"{worker}\"";
    let step = entity(json!({"RowKey": "r1-1", "state": "running"}));
    let updated = lens(message, &format!("{columns}\n  written: updated"));
    assert_eq!(updated.lacking(&step), ["t"]);
    assert!(lens(message, columns).lacking(&step).is_empty());
}

#[test]
fn a_poison_queue_that_holds_messages_as_they_were_is_read() {
    let text = "version: 1\nname: f\nmessage:\n  encoding: base64\n  body: \"{payload}\"\nrow:\n  columns: { d: \"{payload}\" }\npoison: {}\n";
    let lens = Lens::new(
        Arc::new(Description::read(text).unwrap()),
        "r1".parse().unwrap(),
    );
    let message = lens.message(PAYLOADS, seq(5), at(0), at(0));
    let found = lens.set_aside(&message).unwrap();
    assert_eq!((found.part, found.parts, found.reason), (1, 1, None));
    assert_eq!(lens.owner_of_message(&found.body), Owner::Ours(seq(5)));
}

/// The values of the placeholders of `template` in `text`.
fn read_as(template: &str, text: &str) -> Vec<String> {
    let template: Template = template.parse().unwrap();
    let found = template.read(text, |_| true).unwrap_or_default();
    found
        .into_iter()
        .map(|(_, text)| text.into_owned())
        .collect()
}

#[test]
fn messages_that_are_no_json_hold_any_payload_and_give_it_back() {
    for form in [
        "op=store&id={id:url}&text={payload:url}&at={intended:rfc3339}",
        "<order no=\"{seq}\"><id>{id:xml}</id><text>{payload:xml}</text></order>",
        "{seq:010}|{payload:base64}|{digest}",
    ] {
        let lens = lens(&format!("  body: '{form}'"), "    text: \"{payload}\"");
        for n in [1, 9, 31, 700] {
            let text = lens.message(PAYLOADS, seq(n), at(0), at(1));
            assert_eq!(lens.owner_of_message(&text), Owner::Ours(seq(n)), "{text}");
            let payload = PAYLOADS.payload(seq(n));
            assert!(read_as(form, &text).contains(&payload), "{text}");
        }
    }
}

#[test]
fn rows_with_numbers_for_ids_in_any_writing_are_read_and_other_numbers_are_not_theirs() {
    let message = "  encoding: base64\n  body: { Id: \"{seq:number}\", Text: \"{payload}\" }";
    let lens = lens(
        message,
        "    PartitionKey: orders\n    RowKey: \"{seq:010}\"\n    Id: \"{seq}\"\n    Text: \"{payload}\"\n    Raw: \"{payload:base64}\"",
    );
    let payload = PAYLOADS.payload(seq(17));
    let row = |key: &str, id: Value, raw: String| {
        lens.row(&entity(json!({
            "PartitionKey": "orders", "RowKey": key, "Id": id, "Text": payload, "Raw": raw,
        })))
    };
    let raw = BASE64_STANDARD.encode(&payload);
    // An Int32 is a JSON number, an Int64 a text of digits.
    for id in [json!(17), json!("17")] {
        let row = row("0000000017", id, raw.clone());
        assert_eq!(lens.owner_of_row(&row), Owner::Ours(seq(17)));
        assert!(lens.is_at_its_keys(&row, seq(17), PAYLOADS));
        assert!(!lens.is_at_its_keys(&row, seq(18), PAYLOADS));
        for (column, text) in lens.further().iter().zip(&row.further) {
            let text = text.as_deref().unwrap();
            assert!(
                lens.holds(&column.template, text, seq(17), PAYLOADS),
                "{text}"
            );
            assert!(
                !lens.holds(&column.template, text, seq(18), PAYLOADS),
                "{text}"
            );
        }
    }
    let short = row("17", json!(17), raw);
    assert!(!lens.is_at_its_keys(&short, seq(17), PAYLOADS));
}

/// `Guid.ToString` of .NET: `D` is the default, `N` has no hyphens, `B` braces, `P` parentheses; its letters are lower-case,
/// those of SQL Server and many tools upper-case.
#[test]
fn a_guid_is_written_and_read_in_every_form_that_there_is_and_in_no_other() {
    let plain = "{uuid}";
    for (form, begin, letters, dashes) in [
        (plain, "", false, true),
        ("{uuid:upper}", "", true, true),
        ("{uuid:n}", "", false, false),
        ("{uuid:n-upper}", "", true, false),
        ("{'{'}{uuid}}", "{", false, true),
        ("{'{'}{uuid:upper}}", "{", true, true),
        ("({uuid})", "(", false, true),
    ] {
        let quoted = Value::from(form);
        let lens = lens(
            &format!("  encoding: base64\n  body: {{ Id: {quoted}, Text: \"{{payload}}\" }}"),
            &format!("    RowKey: {quoted}\n    Of: {quoted}"),
        );
        let message = lens.message(PAYLOADS, seq(43_981), at(0), at(1));
        assert_eq!(
            lens.owner_of_message(&message),
            Owner::Ours(seq(43_981)),
            "{form}"
        );
        let body: Value = serde_json::from_str(&lens.decoded(&message).unwrap()).unwrap();
        let id = body["Id"].as_str().unwrap();
        assert!(id.starts_with(begin), "{id}");
        assert_eq!(id.contains("ABCD"), letters, "{id}");
        assert_eq!(id.contains('-'), dashes, "{id}");
        let row = |id: &str| lens.row(&entity(json!({"RowKey": id, "Of": id})));
        let right = row(id);
        assert_eq!(
            lens.owner_of_row(&right),
            Owner::Ours(seq(43_981)),
            "{form}"
        );
        assert!(lens.is_at_its_keys(&right, seq(43_981), PAYLOADS), "{form}");
        assert!(
            !lens.is_at_its_keys(&right, seq(43_982), PAYLOADS),
            "{form}"
        );
        // It identifies the message, but is not in the right form.
        let other = if letters {
            id.to_lowercase()
        } else {
            id.to_uppercase()
        };
        let other = row(&other);
        assert_eq!(
            lens.owner_of_row(&other),
            Owner::Ours(seq(43_981)),
            "{form}"
        );
        assert!(
            !lens.is_at_its_keys(&other, seq(43_981), PAYLOADS),
            "{form}"
        );
        let further = other.further[0].as_deref().unwrap();
        assert!(!lens.holds(&lens.further()[0].template, further, seq(43_981), PAYLOADS));
        assert_eq!(lens.ids_in(&format!("{id} {id}")), 1, "{form}");
    }
}

#[test]
fn ids_and_digests_in_large_letters_are_those_of_their_message() {
    let lens = lens(
        "  body: { id: \"{id}\", text: \"{payload}\" }",
        "    RowKey: \"k-{id:upper}\"\n    Hash: \"{digest:upper}\"\n    Run: \"{run:upper}\"",
    );
    let hash = Digest::of(&PAYLOADS.payload(seq(7)))
        .to_string()
        .to_uppercase();
    let row = lens.row(&entity(
        json!({"RowKey": "k-R1-7", "Hash": hash, "Run": "R1"}),
    ));
    assert_eq!(lens.owner_of_row(&row), Owner::Ours(seq(7)));
    assert!(lens.is_at_its_keys(&row, seq(7), PAYLOADS));
    assert_eq!(row.digest, Some(Digest::of(&PAYLOADS.payload(seq(7)))));
    let run = row.further[0].as_deref().unwrap();
    assert!(lens.holds(&lens.further()[0].template, run, seq(7), PAYLOADS));
    let small = lens.row(&entity(
        json!({"RowKey": "k-r1-7", "Hash": hash, "Run": "r1"}),
    ));
    assert!(!lens.is_at_its_keys(&small, seq(7), PAYLOADS));
}

/// Table storage hands over an `Edm.Int64` as text ("Property types in JSON").
#[test]
fn an_attempt_is_a_whole_number_also_as_text() {
    let own = Lens::own("r1".parse().unwrap());
    for (attempt, read) in [
        (json!(2), Some(2)),
        (json!("2"), Some(2)),
        (json!(2.5), None),
        (json!("two"), None),
        (json!(null), None),
    ] {
        let row = json!({"PartitionKey": "r1.00", "RowKey": "r1-1", "attempt": attempt});
        assert_eq!(own.row(&entity(row)).attempt, read, "{attempt}");
    }
}
