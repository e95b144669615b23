//! What a person is asked to look at, and what is found within longer texts.

use base64::prelude::BASE64_STANDARD;

use super::*;

fn order(n: usize, text: &str) -> Value {
    json!({"id": guid(n), "text": text})
}

fn guid(n: usize) -> String {
    format!("5bc8fbbc-bde5-4099-8164-d8399f767c4{n}")
}

#[test]
fn text_with_digits_beside_a_placeholder_is_asked_about() {
    let text = found(
        order,
        |n, text| json!({"PartitionKey": "orders", "RowKey": format!("20260310-{}", guid(n)), "File": format!("out/{}.json", guid(n)), "Text": text}),
    );
    has(
        &text,
        &[
            "\"RowKey\": \"20260310-{uuid}\"",
            "NOT TOLD: The column RowKey has \"20260310-\" beside its placeholders in every row here. If that changes (a date, a host, the",
            "\"File\": \"out/{uuid}.json\"",
        ],
    );
    assert!(!text.contains("The column File"), "{text}");
}

#[test]
fn a_guid_within_a_longer_text_is_the_id() {
    let text = found(
        |n, _| json!({"blobUrl": format!("https://a.example/in/{}.jpg", guid(n)), "mail": format!("<{}@a.example>", guid(n))}),
        |n, _| json!({"PartitionKey": "x", "RowKey": guid(n), "Thumb": format!("https://a.example/out/{}_s.jpg", guid(n))}),
    );
    has(
        &text,
        &[
            "\"blobUrl\": \"https://a.example/in/{uuid}.jpg\"",
            "\"mail\": \"<{uuid}@a.example>\"",
            "\"RowKey\": \"{uuid}\"",
            "\"Thumb\": \"https://a.example/out/{uuid}_s.jpg\"",
        ],
    );
}

#[test]
fn words_forms_of_ids_and_other_times_are_asked_about() {
    let text = found(
        |n, text| json!({"id": format!("ORD-{n}"), "city": (["Rome", "Bonn", "Lima"][n]), "text": text, "dueDate": format!("2026-12-0{}T00:00:00Z", n + 1), "createdAt": format!("2026-11-23T13:14:1{n}Z")}),
        |n, text| json!({"PartitionKey": (["Rome", "Bonn", "Lima"][n]), "RowKey": format!("ORD-{n}"), "Text": text}),
    );
    has(
        &text,
        &[
            "NOT TOLD: /id is \"ORD-\" and a number in every message here, and ids of a run look otherwise: if the worker needs this form, write \"ORD-{seq}\"",
            "NOT TOLD: /city is taken for a free text ({payload2}), so",
            "write a value such as \"Rome\" into the message in its place, and add it here",
            "NOT TOLD: /dueDate is taken for the time at which a message is sent ({sent:rfc3339}): if it is another",
        ],
    );
    assert!(!text.contains("/createdAt"), "{text}");
    assert!(!text.contains("/text is"), "{text}");
}

#[test]
fn a_date_of_digits_is_no_number() {
    let text = found(
        |n, text| json!({"id": guid(n), "day": 20_260_310 + n, "text": text}),
        |n, text| json!({"PartitionKey": format!("{}", 20_260_310 + n), "RowKey": guid(n), "Text": text}),
    );
    has(
        &text,
        &["\"day\": 20260310", "NOT TOLD: /day is a time in a form"],
    );
}

#[test]
fn texts_in_base64_keep_it_and_json_in_it_is_told() {
    let packed = |text: &str| BASE64_STANDARD.encode(text);
    let text = found(
        |n, text| json!({"id": guid(n), "data": packed(text), "args": packed(&format!("[\"{text}\"]"))}),
        |n, text| json!({"PartitionKey": "p", "RowKey": guid(n), "Data": packed(text), "Text": text}),
    );
    has(
        &text,
        &[
            "\"data\": \"{payload:base64}\"",
            "\"Data\": \"{payload:base64}\"",
            "\"Text\": \"{payload}\"",
            "NOT TOLD: /args is JSON in base64 (",
        ],
    );
}

#[test]
fn json_in_a_column_has_placeholders_for_json() {
    let text = found(
        |n, text| json!({"id": guid(n), "text": text, "kind": (["a1", "b1", "a1"][n])}),
        |n, text| {
            let inner =
                json!({"id": guid(n), "note": text, "kind": (["a1", "b1", "a1"][n]), "v": 2});
            json!({"PartitionKey": "p", "RowKey": guid(n), "Json": inner.to_string()})
        },
    );
    has(
        &text,
        &[
            "\"Json\": \"{\\\"id\\\":{uuid:json},\\\"kind\\\":\\\"a1\\\",\\\"note\\\":{payload:json},\\\"v\\\":2}\"",
        ],
    );
}

#[test]
fn rows_of_no_message_and_columns_that_some_rows_lack_are_told() {
    let rows = |n: usize, text: &str| match n {
        0 => json!({"PartitionKey": "order", "RowKey": guid(0), "Text": text, "Note": text}),
        1 => json!({"PartitionKey": "order", "RowKey": guid(1), "Text": text}),
        _ => json!({"PartitionKey": "audit", "RowKey": "log", "msg": "stored"}),
    };
    let text = found(order, rows);
    has(
        &text,
        &[
            "NOT TOLD: 1 of 3 rows are of no message here, row 3 first, and are not looked at.",
            "NOT TOLD: The column Note is absent from 1 of 2 rows, so it is written Note?, and a row without it is right",
            "\"Text\": \"{payload}\"",
            "The column PartitionKey is the same in all rows here: if it always is, add \"PartitionKey\": \"order\"",
        ],
    );
    assert!(!text.contains("msg"), "{text}");
}

#[test]
fn short_values_numbers_and_what_stays_are_found_in_keys() {
    let text = found(
        |n, text| json!({"tenant": (["acme", "globex", "acme"][n]), "no": 1 + n, "text": text}),
        |n, text| {
            let tenant = ["acme", "globex", "acme"][n];
            json!({"PartitionKey": "p", "RowKey": format!("{tenant}_{}", 1 + n), "Text": text})
        },
    );
    has(&text, &["\"RowKey\": \"acme_{seq}\""]);
    let text = found(
        |n, text| json!({"id": format!("a{n}"), "text": text}),
        |n, text| json!({"PartitionKey": "p", "RowKey": format!("k-a{n}"), "Text": text}),
    );
    has(&text, &["\"RowKey\": \"k-{id}\""]);
}

#[test]
fn numbers_are_offered_as_the_row_has_them() {
    let text = found(
        |n, text| json!({"id": guid(n), "price": 10 * (n + 1), "text": text}),
        |n, text| json!({"PartitionKey": "p", "RowKey": guid(n), "Price": (10.0 * [1.0, 2.0, 3.0][n]), "Text": text}),
    );
    has(&text, &["if the worker copies it, add \"Price\": \"10.0\""]);
}

#[test]
fn bodies_with_parts_are_no_ids() {
    let found = samples(
        &[],
        &[
            json!({"PartitionKey": "p", "RowKey": "1000"}),
            json!({"PartitionKey": "p", "RowKey": "1001"}),
        ],
    );
    let examples = Examples {
        messages: ["id=1000&text=a+b", "id=1001&text=c+d"]
            .map(str::to_owned)
            .to_vec(),
        ..found
    };
    let text = described(&examples).unwrap();
    has(
        &text,
        &[
            "as a=1&b=2 and XML do, write them",
            "The column RowKey holds a part of the body of its message (\"1000\" of \"id=1000&text=a+b\"): write the body with its parts, {id} where",
        ],
    );
}
