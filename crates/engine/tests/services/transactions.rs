//! Tests of entity group transactions.

use crate::played::{Played, Seen};

const KIND: (&str, &str) = ("content-type", "multipart/mixed; boundary=batch_1");

/// A change: method, address after the account, additional headers, body.
type Change<'a> = (&'a str, String, &'a str, String);

fn submit(played: &Played, changes: &[Change<'_>]) -> Seen {
    let mut parts = String::new();
    for (number, (method, address, headers, body)) in changes.iter().enumerate() {
        let part = format!(
            "--changeset_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n{method} http://127.0.0.1:10002/devstoreaccount1/{address} HTTP/1.1\r\nContent-ID: {number}\r\nPrefer: return-no-content\r\n{headers}\r\n{body}\r\n"
        );
        parts.push_str(&part);
    }
    let body = format!(
        "--batch_1\r\nContent-Type: multipart/mixed; boundary=changeset_1\r\n\r\n{parts}--changeset_1--\r\n--batch_1--\r\n"
    );
    played.table("POST", "/$batch", &[KIND], &body)
}

fn insert<'a>(partition: &str, row: &str) -> Change<'a> {
    let body = format!(r#"{{"PartitionKey":"{partition}","RowKey":"{row}"}}"#);
    ("POST", "table".to_owned(), "", body)
}

fn address(row: &str) -> String {
    format!("table(PartitionKey='p',RowKey='{row}')")
}

fn statuses(seen: &Seen) -> Vec<&str> {
    let lines = seen
        .body
        .lines()
        .filter_map(|line| line.strip_prefix("HTTP/1.1 "));
    lines.map(|line| &line[..3]).collect()
}

fn is_there(played: &Played, row: &str) -> bool {
    played
        .table("GET", &format!("/{}", address(row)), &[], "")
        .status
        == 200
}

#[test]
fn all_changes_happen_and_each_is_answered_in_its_order() {
    let played = Played::with_table();
    submit(&played, &[insert("p", "old"), insert("p", "gone")]);
    let changes = [
        insert("p", "new"),
        (
            "PUT",
            address("old"),
            "If-Match: *\r\n",
            r#"{"A":1}"#.to_owned(),
        ),
        ("MERGE", address("upserted"), "", r#"{"A":1}"#.to_owned()),
        ("DELETE", address("gone"), "If-Match: *\r\n", String::new()),
    ];
    let seen = submit(&played, &changes);
    assert_eq!(
        (seen.status, statuses(&seen)),
        (202, vec!["204", "204", "204", "204"])
    );
    assert!(
        seen.header("content-type")
            .starts_with("multipart/mixed; boundary=batchresponse_")
    );
    assert_eq!(seen.body.matches("ETag: W/").count(), 3, "{}", seen.body);
    for number in 0..4 {
        assert!(seen.body.contains(&format!("Content-ID: {number}\r\n")));
    }
    for (row, there) in [
        ("new", true),
        ("old", true),
        ("upserted", true),
        ("gone", false),
    ] {
        assert_eq!(is_there(&played, row), there, "{row}");
    }
}

#[test]
fn a_failure_undoes_everything_and_names_its_operation() {
    let played = Played::with_table();
    submit(&played, &[insert("p", "there")]);
    let seen = submit(
        &played,
        &[insert("p", "a"), insert("p", "b"), insert("p", "there")],
    );
    assert_eq!((seen.status, statuses(&seen)), (202, vec!["409"]));
    assert!(
        seen.body
            .contains("\"2:The specified entity already exists."),
        "{}",
        seen.body
    );
    assert!(seen.body.contains("Content-ID: 2\r\n"));
    assert!(!is_there(&played, "a") && !is_there(&played, "b"));
}

#[test]
fn what_a_transaction_may_not_be_is_refused_by_its_code() {
    let played = Played::with_table();
    let many: Vec<Change<'_>> = (0..101).map(|row| insert("p", &row.to_string())).collect();
    for (changes, code) in [
        (
            vec![insert("p", "a"), insert("p", "a")],
            "1:A command with RowKey 'a' is already present",
        ),
        (
            vec![insert("p", "a"), insert("q", "a")],
            "CommandsInBatchActOnDifferentPartitions",
        ),
        (
            many,
            "0:The batch request operation exceeds the maximum 100 changes per change set.",
        ),
        (
            vec![("GET", address("a"), "", String::new())],
            "NotImplemented",
        ),
        (
            vec![(
                "POST",
                "missing".to_owned(),
                "",
                r#"{"PartitionKey":"p","RowKey":"r"}"#.to_owned(),
            )],
            "TableNotFound",
        ),
    ] {
        let seen = submit(&played, &changes);
        assert_eq!(seen.status, 202);
        assert!(seen.body.contains(code), "{code}: {}", seen.body);
        assert!(!is_there(&played, "a"));
    }
}

#[test]
fn a_single_read_is_a_batch_without_a_change_set() {
    let played = Played::with_table();
    submit(&played, &[insert("p", "there")]);
    let read = |row: &str| {
        let body = format!(
            "--batch_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET http://h/devstoreaccount1/{} HTTP/1.1\r\nAccept: application/json;odata=nometadata\r\n\r\n\r\n--batch_1--\r\n",
            address(row)
        );
        played.table("POST", "/$batch", &[KIND], &body)
    };
    let found = read("there");
    assert_eq!(statuses(&found), ["200"]);
    assert!(found.body.contains(r#""RowKey":"there""#));
    assert!(
        read("missing")
            .body
            .contains("0:The specified resource does not exist.")
    );
}

#[test]
fn a_malformed_batch_is_refused_as_a_whole() {
    let played = Played::with_table();
    for body in [
        "",
        "--batch_1--",
        "--batch_1\r\n\r\n\r\n--batch_1--\r\n",
        "nonsense",
    ] {
        let seen = played.table("POST", "/$batch", &[KIND], body);
        assert_eq!(
            (seen.status, seen.code.as_str()),
            (400, "InvalidInput"),
            "{body}"
        );
    }
    let seen = played.table("POST", "/$batch", &[("content-type", "text/plain")], "");
    assert_eq!(seen.status, 400);
}
