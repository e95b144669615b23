//! What fields of messages are.

use super::*;
use workflow::contract::Digest;

const GUIDS: [&str; 3] = [
    "c6a53877-7733-4bdb-9721-0dff076ce2ef",
    "0d464138-a623-4255-bfc1-ea36f17fd374",
    "617959ce-3f1f-45a8-9e52-71007814e8a2",
];

fn no_row(_: usize, _: &str) -> Value {
    json!({"RowKey": "none", "Done": "never"})
}

#[test]
fn a_guid_and_a_number_stand_side_by_side() {
    let text = found(
        |n, text| json!({"correlationId": GUIDS[n], "orderId": 1000 + n, "text": text}),
        |n, text| json!({"PartitionKey": "p", "RowKey": (1000 + n).to_string(), "Text": text}),
    );
    has(
        &text,
        &[
            "\"correlationId\": \"{uuid}\"",
            "\"orderId\": \"{seq:number}\"",
            "\"RowKey\": \"{seq}\"",
            "\"Text\": \"{payload}\"",
        ],
    );
}

#[test]
fn of_several_numbers_the_one_in_a_key_or_called_an_id_is_the_number() {
    let ids = [84411, 84415, 84422];
    for (name, key) in [("orderId", "none".to_owned()), ("no", "84411".to_owned())] {
        let text = found(
            |n, text| json!({"count": ([3, 5, 7][n]), name: ids[n], "text": text}),
            |n, text| {
                let key = if n == 0 {
                    key.clone()
                } else {
                    key.replace("84411", &ids[n].to_string())
                };
                json!({"RowKey": key, "Text": text, "Count": ([3, 5, 7][n])})
            },
        );
        has(
            &text,
            &[
                &format!("\"{name}\": \"{{seq:number}}\""),
                "NOT TOLD: /count is a second number, and {seq} stands for another; it stays as it is in the first message.",
                "NOT TOLD: The column Count holds /count of its message, which stays \"3\" in every message of a run: if the worker copies it, \
                 add \"Count\": \"3\"",
            ],
        );
    }
}

#[test]
fn the_field_in_a_key_or_called_an_id_is_the_id_and_not_the_first() {
    let mails = ["a@x.example", "b@y.example", "c@z.example"];
    // By its name alone.
    let text = found(
        |n, text| json!({"email": mails[n], "id": format!("a-{n}"), "paid": mails[n].len() + n, "text": text}),
        no_row,
    );
    has(&text, &["\"id\": \"{id}\"", "\"email\": \"{payload2}\""]);
    // By the key, whatever it is called.
    let text = found(
        |n, text| json!({"address": mails[n], "ref": format!("r-{n}"), "text": text}),
        |n, _| json!({"PartitionKey": "p", "RowKey": format!("r-{n}")}),
    );
    has(
        &text,
        &[
            "\"ref\": \"{id}\"",
            "\"address\": \"{payload2}\"",
            "\"RowKey\": \"{id}\"",
        ],
    );
    // Also where the key has more than the id.
    let text = found(
        |n, text| json!({"address": mails[n], "ref": format!("r-{n}"), "text": text}),
        |n, _| json!({"PartitionKey": "p", "RowKey": format!("order-r-{n}")}),
    );
    has(&text, &["\"ref\": \"{id}\"", "\"RowKey\": \"order-{id}\""]);
    // An id of digits alone is a number.
    let text = found(
        |n, text| json!({"amount": format!("{}.50", 12 + n), "id": (900 + n).to_string(), "text": text}),
        |n, _| json!({"RowKey": format!("{:012}", 900 + n), "Id": 900 + n, "Amount": 12.5 + [0.0, 1.0, 2.0][n]}),
    );
    has(
        &text,
        &[
            "\"id\": \"{seq}\"",
            "\"RowKey\": \"{seq:012}\"",
            "\"Id\": \"{seq}\"",
            "/amount is a number in a text, for which no placeholder stands",
            "The column Amount holds /amount of its message, which stays \"12.50\"",
        ],
    );
}

#[test]
fn times_that_cannot_be_read_are_told_and_are_no_id() {
    for stamp in [
        "2026-11-23T13:14:1N.1234567",
        "/Date(179543965500N)/",
        "11/23/2026 1:14:1N PM",
    ] {
        let at = |n: usize| stamp.replace('N', &n.to_string());
        let text = found(
            |n, text| json!({"at": at(n), "ref": format!("O-{n}"), "text": text}),
            |_, _| json!({"RowKey": "none"}),
        );
        has(
            &text,
            &[
                "NOT TOLD: /at is a time in a form that no placeholder has (",
                "\"ref\": \"{id}\"",
                &format!("\"at\": \"{}\"", at(0)),
            ],
        );
    }
}

#[test]
fn values_that_repeat_stay_constants_and_are_named() {
    let status = ["new", "paid", "new"];
    let text = found(
        |n, text| json!({"orderId": format!("o-{n}"), "status": status[n], "text": text}),
        |n, _| json!({"PartitionKey": status[n], "RowKey": format!("o-{n}"), "Status": status[n]}),
    );
    has(
        &text,
        &[
            "\"status\": \"new\"",
            "NOT TOLD: /status repeats among the messages (\"new\", \"paid\"), as the values of a list do; it stays \"new\" in every message",
            "The column Status holds /status of its message, which stays \"new\" in every message of a run: if the worker copies it, add \"Status\": \"new\"",
            "The column PartitionKey holds /status of its message",
            "\"text\": \"{payload}\"",
        ],
    );
}

#[test]
fn texts_that_hold_an_id_have_it_in_them() {
    let text = found(
        |n, text| {
            json!({"id": GUIDS[n], "urn": format!("urn:uuid:{}", GUIDS[n]), "subject": format!("orders/O-{n}"),
                   "data": {"orderId": format!("O-{n}"), "text": text}})
        },
        |n, _| json!({"RowKey": format!("O-{n}"), "Subject": format!("orders/O-{n}"), "Bare": format!("<{}>", GUIDS[n].replace('-', ""))}),
    );
    has(
        &text,
        &[
            "\"subject\": \"orders/{id}\"",
            "\"urn\": \"urn:uuid:{uuid}\"",
            "\"orderId\":\"{id}\"",
            "\"Subject\": \"orders/{id}\"",
            "\"Bare\": \"<{uuid:n}>\"",
        ],
    );
}

#[test]
fn a_second_guid_and_a_tenth_text_stay_and_are_named() {
    let text = found(
        |n, text| json!({"customerId": GUIDS[(n + 1) % 3], "orderId": GUIDS[n], "again": GUIDS[n].replace('-', ""), "text": text}),
        |n, _| json!({"PartitionKey": GUIDS[(n + 1) % 3], "RowKey": GUIDS[n]}),
    );
    has(
        &text,
        &[
            "\"orderId\": \"{uuid}\"",
            "\"again\": \"{uuid:n}\"",
            &format!("\"customerId\": \"{}\"", GUIDS[1]),
            "NOT TOLD: /customerId is a GUID of its own, and {uuid} stands for that of /orderId alone; it stays",
            "The column PartitionKey holds /customerId of its message, which stays",
        ],
    );
    let many = |n: usize| -> serde_json::Map<String, Value> {
        let field = |k: usize| (format!("f{k}"), json!(format!("text {k} of {n} here")));
        (0..11).map(field).collect()
    };
    let text = found(
        |n, _| many(n).into(),
        |n, _| json!({"RowKey": "none", "F": format!("text 9 of {n} here")}),
    );
    has(
        &text,
        &[
            "{payload9}",
            "NOT TOLD: /f9 is a text beyond the nine payloads that a message can have; it stays as it is in the first message.",
        ],
    );
    assert_eq!(text.matches("beyond the nine").count(), 2, "{text}");
}

#[test]
fn numbers_that_no_placeholder_stands_for_are_named() {
    for (ids, said) in [
        (
            [
                "12345678901234567890120",
                "12345678901234567890121",
                "12345678901234567890122",
            ],
            "/id is a number of more than 64 bits",
        ),
        (
            ["-5", "-4", "-3"],
            "/id is a number that may be below zero, and {seq} counts from 1",
        ),
        (["1.5", "2.5", "3.5"], "/id is a number with a fraction"),
    ] {
        let id = |n: usize| -> Value { serde_json::from_str(ids[n]).unwrap() };
        let text = found(
            |n, text| json!({"id": id(n), "text": text}),
            |n, text| json!({"RowKey": ids[n], "Text": text}),
        );
        has(
            &text,
            &[&format!("NOT TOLD: {said}"), "\"Text\": \"{payload}\""],
        );
    }
}

#[test]
fn a_digest_is_that_of_the_payload_or_a_text() {
    let sha = |text: &str| Digest::of(text).to_string();
    // The longest text is not the one with the digest.
    let text = found(
        |n, text| json!({"id": format!("d-{n}"), "note": format!("{text}, and a longer note of it"), "text": text, "sha": sha(text).to_uppercase()}),
        |n, text| json!({"RowKey": sha(text).to_uppercase(), "Id": format!("d-{n}"), "Sha": sha(text)}),
    );
    has(
        &text,
        &[
            "\"sha\": \"{digest:upper}\"",
            "\"text\": \"{payload}\"",
            "\"RowKey\": \"{digest:upper}\"",
            "\"Sha\": \"{digest}\"",
        ],
    );
    // Of another text.
    let text = found(
        |n, text| json!({"id": format!("d-{n}"), "text": text, "sha": sha(&format!("{text} with salt"))}),
        |n, text| json!({"RowKey": format!("d-{n}"), "Sha": sha(&format!("{text} with salt")), "Own": sha(text)}),
    );
    has(
        &text,
        &[
            "NOT TOLD: /sha looks like a SHA-256, and is that of no payload of the message: it is taken for a text.",
            "\"sha\": \"{payload2}\"",
            "\"Sha\": \"{payload2}\"",
            "\"Own\": \"{digest}\"",
        ],
    );
}

#[test]
fn json_in_a_text_has_placeholders_in_it() {
    let inner = |n: usize, text: &str| {
        format!("{{\"id\": \"N-{n}\", \"kind\": \"a\", \"text\": \"{text}\"}}")
    };
    let text = found(
        |n, text| json!({"type": "x", "payload": inner(n, text)}),
        |n, text| json!({"RowKey": format!("N-{n}"), "Json": inner(n, text), "Text": text}),
    );
    let template =
        "\"{\\\"id\\\": {id:json}, \\\"kind\\\": \\\"a\\\", \\\"text\\\": {payload:json}}\"";
    has(
        &text,
        &[
            &format!("\"payload\": {template}"),
            &format!("\"Json\": {template}"),
            "\"RowKey\": \"{id}\"",
            "\"Text\": \"{payload}\"",
        ],
    );
}

#[test]
fn bodies_that_are_an_id_alone_are_one() {
    let rows: Vec<Value> = (0..3)
        .map(|n| json!({"RowKey": format!("file-{n}.pdf")}))
        .collect();
    let mut files = samples(&[], &rows);
    files.messages = (0..3).map(|n| format!("file-{n}.pdf")).collect();
    has(&read(&files).1, &["body: \"{id}\"", "\"RowKey\": \"{id}\""]);
}
