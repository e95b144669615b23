//! What columns of rows are, and what is said of them.

use super::*;

fn message(n: usize, text: &str) -> Value {
    json!({"id": format!("job-{n}"), "text": text, "at": format!("2026-11-23T13:14:1{n}.123+02:00"), "total": 12.5, "express": n != 1})
}

#[test]
fn a_column_holds_what_its_own_message_has_in_every_row() {
    let text = found(message, |n, text| {
        let parent = ["root", "root", "job-0"][n];
        let kept = if n == 2 { text } else { "redacted" };
        json!({"PartitionKey": "x", "RowKey": format!("job-{n}"), "ParentId": parent, "Text": kept})
    });
    has(
        &text,
        &[
            "\"RowKey\": \"{id}\"",
            "NOT TOLD: The column ParentId holds /id in some rows, and not in all that of the row's own message: row 1 has \"root\" where its message \
             has \"job-0\"; it is left out",
            "NOT TOLD: The column Text holds /text in some rows, and not in all that of the row's own message: row 1 has \"redacted\" where",
        ],
    );
    assert!(
        !text.contains("\"ParentId\"") && !text.contains("\"Text\":"),
        "{text}"
    );
}

/// A queue shows other messages than those whose rows are there already.
#[test]
fn rows_of_other_messages_count_for_nothing() {
    let text = found(message, |n, text| match n {
        0 => json!({"RowKey": "job-0", "Text": text}),
        _ => json!({"RowKey": format!("job-9{n}"), "Text": "of another message"}),
    });
    has(&text, &["\"RowKey\": \"{id}\"", "\"Text\": \"{payload}\""]);
}

#[test]
fn no_payload_is_written_into_a_key() {
    let text = found(
        |n, text| json!({"id": format!("job-{n}"), "name": format!("n-{n}"), "text": text}),
        |n, _| json!({"PartitionKey": format!("n-{n}"), "RowKey": format!("job-{n}")}),
    );
    has(
        &text,
        &[
            "\"RowKey\": \"{id}\"",
            "NOT TOLD: The column PartitionKey holds {payload2}, and payloads have characters that no key can hold (/ \\ # ?): write a value such as \"n-0\" into the",
        ],
    );
}

#[test]
fn values_in_another_form_are_found_or_told() {
    let base64 = |text: &str| base64::prelude::BASE64_STANDARD.encode(text);
    let text = found(message, |n, text| {
        json!({"RowKey": format!("job-{n}"), "Coded": base64(text), "Escaped": text.replace(' ', "%20").replace('&', "%26"),
               "Express": n != 1, "Both": format!("{text} of job-{n}"), "Total": "12.50"})
    });
    has(
        &text,
        &[
            "\"Coded\": \"{payload:base64}\"",
            "\"Escaped\": \"{payload:url}\"",
            "\"Both\": \"{payload} of {id}\"",
            "The column Express holds /express of its message, which stays \"true\" in every message of a run: if the worker copies it, add \"Express\": \"true\"",
            "The column Total is the same in all rows here, as /total is in the messages: if it always is, add \"Total\": \"12.50\"",
        ],
    );
    // Of Int64, which tables give as a text.
    let big = |n: usize| 9_007_199_254_740_993_u64 + u64::try_from(n).unwrap();
    let text = found(
        |n, text| json!({"id": format!("job-{n}"), "ticks": big(n), "text": text}),
        |n, _| json!({"RowKey": format!("job-{n}"), "Ticks": big(n).to_string()}),
    );
    has(
        &text,
        &["The column Ticks holds /ticks of its message, which stays \"9007199254740993\""],
    );
    assert!(!text.contains("no value of a message"), "{text}");
}

#[test]
fn a_constant_is_shared_with_a_field_only_where_all_messages_have_it() {
    let text = found(
        message,
        |n, _| json!({"RowKey": format!("job-{n}"), "Gift": true}),
    );
    has(
        &text,
        &["The column Gift is the same in all rows here: if it always is, add \"Gift\": \"true\""],
    );
}

#[test]
fn a_time_of_the_message_in_another_form_is_its_time() {
    let ms = |n: usize| 1_795_432_450_123_u64 + 1000 * u64::try_from(n).unwrap();
    let text = found(message, |n, _| {
        json!({"RowKey": format!("job-{n}"), "Created": format!("2026-11-23T11:14:1{n}.123Z"), "Seconds": ms(n) / 1000,
               "Done": format!("2026-11-23T11:20:1{n}Z")})
    });
    has(
        &text,
        &[
            "\"Created\": \"{intended:rfc3339}\"",
            "NOT TOLD: The column Seconds is {intended:unix-s} too, and a description names one column for each time",
            "NOT TOLD: The column Done holds times of the worker's own: name it {received:rfc3339} or",
        ],
    );
    let text = found(
        message,
        |n, _| json!({"RowKey": format!("job-{n}"), "Ms": ms(n)}),
    );
    has(&text, &["\"Ms\": \"{intended:unix-ms}\""]);
    // As .NET writes a DateTime without a kind.
    let text = found(
        |n, text| json!({"id": format!("job-{n}"), "at": format!("2026-11-23T13:14:1{n}.1234567"), "text": text}),
        |n, _| json!({"RowKey": format!("job-{n}"), "At": format!("2026-11-23T13:14:1{n}.1234567Z"), "Local": format!("11/23/2026 1:14:1{n} PM")}),
    );
    has(
        &text,
        &[
            "The column At is the time that its message has in /at, in another form",
            "The column Local holds times in a form that no placeholder has (\"11/23/2026 1:14:10 PM\")",
        ],
    );
}

#[test]
fn two_rows_of_one_message_are_told() {
    let messages: Vec<Value> = (0..2).map(|n| message(n, TEXTS[n])).collect();
    let rows: Vec<Value> = [(0, 1), (0, 2), (1, 1), (1, 2)]
        .map(|(n, part)| json!({"PartitionKey": "p", "RowKey": format!("job-{n}-{part}"), "Part": part}))
        .to_vec();
    // Nothing but keys tells whose a row is, and these do not: no description is right.
    let text = described(&samples(&messages, &rows)).unwrap();
    has(
        &text,
        &[
            "NOT TOLD: Rows 1 and 2 are both of one message: several rows for one message are out of scope",
        ],
    );
    let steps: Vec<Value> = ["begun", "done"]
        .map(|state| json!({"PartitionKey": "p", "RowKey": "job-0", "State": state}))
        .to_vec();
    let text = described(&samples(&messages, &steps)).unwrap();
    has(
        &text,
        &[
            "NOT TOLD: Rows 1 and 2 have the same keys, so they are one row at two times",
            "written: updated",
        ],
    );
}

#[test]
fn rows_that_may_be_updated_are_told() {
    let text = found(
        message,
        |n, _| json!({"RowKey": format!("job-{n}"), "Status": (["done", "new", "done"][n]), "Version": n, "Updated_At": "2026-11-23T13:14:10Z"}),
    );
    has(
        &text,
        &[
            "NOT TOLD: whether rows are written once, as is taken here. Status, Updated_At, Version may change: if the worker upserts",
        ],
    );
    let text = found(message, |n, _| json!({"RowKey": format!("job-{n}")}));
    assert!(!text.contains("written once"), "{text}");
}

#[test]
fn swapped_files_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let messages = write("messages", "{\"id\": \"a-1\", \"text\": \"some text\"}\n");
    let rows = write("rows", "{\"PartitionKey\": \"p\", \"RowKey\": \"a-1\"}\n");
    let export = write("rows.csv", "PartitionKey,RowKey,Text\np,a-1,some text\n");
    assert!(of_files(&messages, &rows).is_ok());
    // A message may name the row that it is about.
    assert!(of_files(&rows, &rows).is_ok());
    for rows in [rows, export] {
        let error = of_files(&rows, &messages).unwrap_err();
        let error = format!("{error:#}");
        assert!(
            error.contains("holds none: the files are swapped; name messages with --messages"),
            "{error}"
        );
    }
}

#[test]
fn long_values_are_cut_in_comments() {
    let long = |text: &str| format!("{text} ").repeat(500);
    let text = found(
        |n, text| json!({"id": format!("job-{n}"), "text": long(text)}),
        |n, text| json!({"RowKey": format!("job-{n}"), "Head": text, "Same": long("x")}),
    );
    has(
        &text,
        &[
            "The column Head holds /text of its message, cut at a length or without the blanks around it (\"Please leave at the back door\" of \"Please leave at",
        ],
    );
    let comments = text.lines().filter(|line| line.trim().starts_with('#'));
    for line in comments {
        assert!(line.len() < 500, "{line}");
    }
}
