use base64::Engine as _;
use serde_json::json;
use workflow::contract::workload::{Description, Name};

use super::*;

mod asked;
mod columns;
mod fields;

fn samples(messages: &[Value], rows: &[Value]) -> Examples {
    let row = |value: &Value| value.as_object().expect("an object").clone();
    Examples {
        messages: messages.iter().map(Value::to_string).collect(),
        rows: rows.iter().map(row).collect(),
    }
}

fn read(samples: &Examples) -> (Description, String) {
    let text = described(samples).unwrap();
    let read = Description::read(&text).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
    (read, text)
}

const TEXTS: [&str; 3] = [
    "Please leave at the back door",
    "Ring twice & wait",
    "Fragile: glass, handle with care",
];

/// The description of three messages and their rows, each made of its number and its text.
fn found(message: impl Fn(usize, &str) -> Value, row: impl Fn(usize, &str) -> Value) -> String {
    let all = |of: &dyn Fn(usize, &str) -> Value| -> Vec<Value> {
        TEXTS
            .iter()
            .enumerate()
            .map(|(n, text)| of(n, text))
            .collect()
    };
    let found = samples(&all(&message), &all(&row));
    let text = described(&found).unwrap();
    // Where no row is of a message, a person has to go on.
    if text.contains("no row holds anything") {
        return text;
    }
    read(&found).1
}

/// Holds that each of `lines` is in `text`.
fn has(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn what_messages_and_rows_have_in_common_is_found() {
    let message = |n: u32| {
        json!({"orderId": format!("A-{n}"), "text": format!("some text of number {n}, with blanks"), "kind": "order",
               "at": format!("2026-11-23T13:14:{n:02}Z")})
    };
    let row = |n: u32| {
        json!({"PartitionKey": "2026-11-23", "RowKey": format!("A-{n}"), "Timestamp": "2026-11-23T13:14:15Z",
               "result": format!("some text of number {n}, with blanks"), "finished": format!("2026-11-23T13:15:{n:02}Z")})
    };
    let found = samples(&[10, 11, 12].map(message), &[11, 12].map(row));
    let (description, text) = read(&found);
    assert!(description.message_has(Name::Id) && description.message_has(Name::Payload(1)));
    assert!(
        description.message_has(Name::Intended) && text.contains("\"kind\": \"order\""),
        "{text}"
    );
    let columns: Vec<_> = description
        .row
        .columns()
        .map(|it| (it.name, it.template.to_string()))
        .collect();
    let expected = [("RowKey", "{id}"), ("result", "{payload}")];
    assert_eq!(
        columns,
        expected.map(|(name, template)| (name.to_owned(), template.to_owned()))
    );
    assert!(text.contains("The column finished holds times"), "{text}");
    assert!(
        text.contains("The column PartitionKey is the same in all rows here: if it always is, add \"PartitionKey\": \"2026-11-23\""),
        "{text}"
    );
}

#[test]
fn base64_guids_and_numbers_are_found() {
    let message = |n: u32| {
        json!({"guid": format!("00000000-0000-4000-8000-0000000000{n:02}"), "no": n, "first": format!("the first text of {n}"),
               "second": format!("a second text {n}"), "at": 1_795_439_655_000_i64 + i64::from(n)})
    };
    let row = |n: u32| {
        json!({"PartitionKey": "x", "RowKey": format!("{n}9"), "No": n, "First": format!("the first text of {n}"),
                              "Guid": format!("00000000-0000-4000-8000-0000000000{n:02}")})
    };
    let mut found = samples(&[21, 22].map(message), &[21, 22].map(row));
    for text in &mut found.messages {
        *text = base64::prelude::BASE64_STANDARD.encode(&*text);
    }
    let (description, text) = read(&found);
    assert!(
        text.contains("encoding: base64") && text.contains("{intended:unix-ms}"),
        "{text}"
    );
    assert!(
        description.message_has(Name::Uuid) && description.message_has(Name::Payload(2)),
        "{text}"
    );
    assert_eq!(description.row.columns["Guid"].to_string(), "{uuid}");
    assert_eq!(description.row.columns["First"].to_string(), "{payload}");
}

/// The comment about column C, or its line, where rows with the values `stored` belong to `messages`.
fn column(messages: &[Value], stored: &[Value]) -> String {
    let rows = stored.iter().zip(messages);
    // Column `Of` identifies the message of each row.
    let row = |(value, message): (&Value, &Value)| json!({"C": value, "Of": message["id"]});
    let rows: Vec<_> = rows.map(row).collect();
    let (_, text) = read(&samples(messages, &rows));
    let mut lines = text.lines();
    let told = lines.find_map(|line| {
        let untold = line.strip_prefix("# NOT TOLD: The column C ");
        untold.or_else(|| line.trim().starts_with("\"C").then(|| line.trim()))
    });
    told.expect("something must be said of the column")
        .to_owned()
}

#[test]
fn a_column_with_a_guid_in_another_form_is_told_for_what_it_is() {
    let guid = |n: u32| format!("0a4eb195-932c-433e-b276-b2a334c0dc{n}");
    let with_guid = |n: u32| json!({"id": guid(n), "text": format!("some text of number {n}")});
    let guids = [61, 62].map(with_guid);
    for (stored, told) in [
        (
            [
                json!(guid(61).to_uppercase()),
                json!(guid(62).to_uppercase()),
            ],
            "\"C\": \"{uuid:upper}\"",
        ),
        (
            [
                json!(guid(61).replace('-', "")),
                json!(guid(62).replace('-', "")),
            ],
            "\"C\": \"{uuid:n}\"",
        ),
        (
            [
                json!(format!("{{{}}}", guid(61))),
                json!(format!("{{{}}}", guid(62))),
            ],
            "\"C\": \"{'{'}{uuid}}\"",
        ),
        (
            [
                json!(guid(61).replacen('a', "A", 1)),
                json!(guid(62).replacen('a', "A", 1)),
            ],
            "differs from /id of its message in case alone",
        ),
    ] {
        let said = column(&guids, &stored);
        assert!(said.starts_with(told), "{said}");
    }
}

#[test]
fn a_column_that_is_no_value_as_it_came_is_told_for_what_it_is() {
    let sizes = [61, 62]
        .map(|n| json!({"id": format!("k-{n}"), "text": format!("some text of number {n}"), "size": 2048}));
    let seqs = [40, 41].map(|n| json!({"id": n, "text": format!("some text of number {n}")}));
    let texts =
        [7, 8].map(|n| json!({"id": format!("k-{n}"), "text": format!("some text of number {n}")}));
    let names = ["Ada Lovelace", "Charles Babbage"]
        .map(|name| json!({"id": format!("k-{}", name.len()), "name": name}));
    let paths = [7, 8].map(|n| json!({"id": format!("in/f-90{n}.csv"), "text": "the same"}));
    for (messages, stored, told) in [
        (
            &texts,
            [json!("K-7"), json!("K-8")],
            "\"C\": \"{id:upper}\"",
        ),
        (
            &seqs,
            [json!("0000000040"), json!("0000000041")],
            "\"C\": \"{seq:010}\"",
        ),
        (
            &sizes,
            [json!(2048), json!(2048)],
            "is the same in all rows here, as /size is in the messages: if it always is, add \"C\": \"2048\"",
        ),
        (
            &texts,
            [json!("order k-7 done"), json!("order k-8 done")],
            "\"C\": \"order {id} done\"",
        ),
        (
            &texts,
            [json!("1: k-7"), json!("2: k-8")],
            "contains /id of its message within another text (\"k-7\" in \"1: k-7\")",
        ),
        (
            &texts,
            [json!("k-7,k-8"), json!("none")],
            "contains /id of 2 messages (\"k-7,k-8\"): one row for many messages is out of scope",
        ),
        (
            &paths,
            [json!("f-907"), json!("f-908")],
            "holds a part of /id of its message (\"f-907\" of \"in/f-907.csv\"): write into the message's field which part is {id}, and",
        ),
        (
            &names,
            [json!("Ada"), json!("Charles")],
            "holds /name of its message, cut at a length or without the blanks around it (\"Ada\" of \"Ada Lovelace\"): such columns cannot be described",
        ),
        (
            &texts,
            [json!("one"), json!("two")],
            "holds no value of a message that was recognised; it is left out",
        ),
    ] {
        let said = column(messages, &stored);
        assert!(said.starts_with(told), "{said}");
    }
}

#[test]
fn what_a_tool_says_of_columns_is_no_column() {
    let message = |n: u32| json!({"id": n, "text": format!("some text of number {n}")});
    let row = |n: u32| {
        json!({"RowKey": format!("{n:04}"), "Id": n.to_string(), "Id@odata.type": "Edm.Int64", "odata.etag": "W/", "etag": "W/",
               "Ok": true})
    };
    let found = samples(&[40, 41].map(message), &[40, 41].map(row));
    let (_, text) = read(&found);
    assert!(!text.contains("odata") && !text.contains("etag"), "{text}");
    assert!(text.contains("add \"Ok\": \"true\""), "{text}");
}

#[test]
fn what_nothing_tells_is_said_and_no_message_at_all_is_an_error() {
    let text = described(&samples(&[json!({"a": "b c"})], &[json!({"RowKey": "r"})])).unwrap();
    assert!(
        text.contains("One message alone") && text.contains("no row holds anything"),
        "{text}"
    );
    let error = described(&Examples::default()).unwrap_err().to_string();
    assert!(error.contains("there is no message to look at"), "{error}");
}

#[test]
fn guids_of_messages_keep_their_form() {
    let guid = |n: u32| format!("{{0A4EB195-932C-433E-B276-B2A334C0DC{n}}}");
    let message = |n: u32| json!({"Id": guid(n), "Text": format!("some text of number {n}")});
    let row =
        |n: u32| json!({"RowKey": guid(n).trim_matches(['{', '}']).to_lowercase(), "Id": guid(n)});
    let (description, text) = read(&samples(&[61, 62].map(message), &[61, 62].map(row)));
    assert!(text.contains("\"Id\": \"{'{'}{uuid:upper}}\""), "{text}");
    assert_eq!(description.row.columns["RowKey"].to_string(), "{uuid}");
}

#[test]
fn messages_that_are_lists_or_texts_of_json_stay_what_they_are() {
    let rows = [json!({"RowKey": "a", "Text": "text of number 1"})];
    let text = |n: u32| json!(format!("text of number {n}"));
    let (_, listed) = read(&samples(&[1, 2].map(|n| json!([text(n), "fixed"])), &rows));
    assert!(
        listed.contains("body: [\"{payload}\",\"fixed\"]"),
        "{listed}"
    );
    let (_, quoted) = read(&samples(&[1, 2].map(text), &rows));
    assert!(quoted.contains("body: \"{payload:json}\""), "{quoted}");
    assert!(quoted.contains("\"Text\": \"{payload}\""), "{quoted}");
    let (_, counted) = read(&samples(
        &[json!(7), json!(8)],
        &[json!({"RowKey": "0007"})],
    ));
    assert!(
        counted.contains("body: \"{seq}\"") && counted.contains("\"RowKey\": \"{seq:04}\""),
        "{counted}"
    );
}

#[test]
fn fields_that_not_all_messages_have_are_told() {
    let rows = [json!({"RowKey": "a-1"})];
    let messages = [
        json!({"id": "a-1", "text": "some text 1", "late": true, "note": "x"}),
        json!({"id": "a-2", "text": "some text 2", "late": false}),
        json!({"id": "a-3", "text": "some text 3", "late": true, "note": 7, "error": "none"}),
    ];
    let (_, text) = read(&samples(&messages, &rows));
    for said in [
        "NOT TOLD: /note is null or absent in some messages, as in number 2; every message of a run has it as the first message here.",
        "NOT TOLD: /late is true in some messages, and false in others; every message of a run",
        "NOT TOLD: Message 3 has /error, which the first message has not: no message of a run has it.",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn messages_that_nothing_tells_apart_and_rows_that_are_none_are_refused() {
    let rows = [json!({"RowKey": "a"})];
    for messages in [
        &[json!({})][..],
        &[json!({"ok": true}), json!({"ok": true})],
    ] {
        let error = described(&samples(messages, &rows))
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("nothing in the messages tells one from the next"),
            "{error}"
        );
    }
    let error = described(&samples(&[json!({"id": "a"})], &[]))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("there is no row to look at; let the worker finish a few messages"),
        "{error}"
    );
}

#[test]
fn constants_with_braces_stay_as_they_are() {
    let message = |n: u32| json!({"id": format!("A-{n}"), "format": "{Level} of {id}", "text": format!("text of number {n}")});
    let found = samples(&[1, 2].map(message), &[json!({"RowKey": "A-1"})]);
    let (description, _) = read(&found);
    let body = description.message.body.fill(&mut |_| Some("x".into()));
    assert!(body.unwrap().contains("\"format\":\"{Level} of {id}\""));
}

/// Without files, the storage is named by the same flags as for a consumer; with files, naming a storage is an error.
#[test]
fn a_queue_and_a_table_are_named_by_their_flags() {
    use clap::Parser as _;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        init: InitArgs,
    }
    let read =
        |flags: &[&str]| Cli::try_parse_from([&["init"], flags].concat()).map(|cli| cli.init);
    let named = read(&["--account=mine", "--queue=work", "--table=rows"]).unwrap();
    let queue = named.queue.map(|queue| queue.queue.to_string());
    assert_eq!(queue.as_deref(), Some("work"));
    assert_eq!(named.table.unwrap().table.to_string(), "rows");
    let files = read(&["--messages=m.jsonl", "--rows=r.jsonl"]).unwrap();
    assert!(files.queue.is_none() && files.table.is_none());
}
