use serde_json::json;
use workflow::contract::workload::{Description, Name};

use super::*;

fn samples(messages: &[Value], rows: &[Value]) -> Samples {
    let row = |value: &Value| value.as_object().expect("an object").clone();
    Samples {
        messages: messages.iter().map(Value::to_string).collect(),
        rows: rows.iter().map(row).collect(),
    }
}

fn read(samples: &Samples) -> (Description, String) {
    let text = described(samples).unwrap();
    let read = Description::read(&text).unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
    (read, text)
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
        text.contains("The column PartitionKey holds nothing"),
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
        *text = BASE64_STANDARD.encode(&*text);
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

#[test]
fn what_nothing_tells_is_said_and_no_message_at_all_is_an_error() {
    let text = described(&samples(&[json!({"a": "b c"})], &[json!({"RowKey": "r"})])).unwrap();
    assert!(
        text.contains("One message alone") && text.contains("no row holds anything"),
        "{text}"
    );
    let error = described(&Samples::default()).unwrap_err().to_string();
    assert!(error.contains("there is no message to look at"), "{error}");
}

#[test]
fn constants_with_braces_stay_as_they_are() {
    let message = |n: u32| json!({"id": format!("A-{n}"), "format": "{Level} of {id}", "text": format!("text of number {n}")});
    let found = samples(&[1, 2].map(message), &[json!({"RowKey": "A-1"})]);
    let (description, _) = read(&found);
    let body = description.message.body.fill(&mut |_| Some("x".into()));
    assert!(body.unwrap().contains("\"format\":\"{Level} of {id}\""));
}

/// Without files, the storage is named as to a consumer; with files, no storage is.
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
