//! Tests that transactions as clients send them are parsed, and that others are reported as not understood.

use contract::Digest;

use super::*;
use crate::Operation;

const BATCH: &str = "multipart/mixed; boundary=batch_1";

/// An insert, a replacement and a delete.
fn batch() -> String {
    let digest = Digest::of("x");
    format!(
        "--batch_1\r\nContent-Type: multipart/mixed; boundary=changeset_1\r\n\r\n--changeset_1\r\n\
         Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
         POST http://h:1/acc/T HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n\
         {{\"PartitionKey\":\"p\",\"RowKey\":\"r-1\",\"digest\":\"{digest}\"}}\r\n--changeset_1\r\n\
         Content-Type: application/http\r\n\r\nPUT http://h:1/acc/T(PartitionKey='p',RowKey='r-2') HTTP/1.1\r\n\
         Accept: y\r\n\r\n{{}}\r\n--changeset_1\r\n\r\nDELETE /acc/T(PartitionKey='p',RowKey='r-3') HTTP/1.1\r\n\
         If-Match: *\r\n\r\n--changeset_1--\r\n--batch_1--\r\n"
    )
}

fn read_as(kind: &str, body: &str) -> Transaction {
    let headers = Headers::read([("content-type", Some(kind))].into_iter());
    Transaction::of(
        &Lens::own("r1".parse().unwrap()),
        "/acc",
        &headers,
        body.as_bytes(),
    )
}

fn read(body: &str) -> Transaction {
    read_as(BATCH, body)
}

#[test]
fn the_rows_of_a_transaction_are_read() {
    let told = read(&batch());
    assert_eq!((&*told.table, told.strange), ("T", None));
    let rows: Vec<_> = told
        .rows
        .iter()
        .map(|row| (row.operation, &*row.keys.row, row.digest))
        .collect();
    assert_eq!(
        rows,
        [
            (Operation::InsertEntity, "r-1", Some(Digest::of("x"))),
            (Operation::UpsertEntity, "r-2", None),
            (Operation::DeleteEntity, "r-3", None),
        ]
    );
    let lines = batch().replace("\r\n", "\n");
    assert_eq!(read(&lines).strange, None);
    assert_eq!(
        read_as("multipart/mixed; boundary=\"batch_1\"", &batch()).strange,
        None
    );
}

#[test]
fn a_row_that_cannot_be_read_does_not_move_the_others() {
    let told = read(&batch().replace("\"RowKey\"", "\"Row\""));
    let rows: Vec<_> = told
        .rows
        .iter()
        .map(|row| (row.part, &*row.keys.row))
        .collect();
    assert_eq!(rows, [(Some(1), "r-2"), (Some(2), "r-3")]);
    assert_eq!(told.strange.as_deref(), Some("a body that is no entity"));
}

#[test]
fn an_entity_over_several_lines_is_read() {
    let told = read(&batch().replace(",\"RowKey\"", ",\r\n \"RowKey\""));
    assert_eq!((told.rows.len(), told.strange), (3, None));
}

#[test]
fn a_query_alone_is_a_batch() {
    let body = "--batch_1\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
                GET http://h/acc/T(PartitionKey='p',RowKey='r') HTTP/1.1\r\nAccept: application/json\r\n\r\n\r\n--batch_1--\r\n";
    let told = read(body);
    assert_eq!(told.strange, None);
    assert_eq!(told.rows[0].operation, Operation::GetEntity);
}

#[test]
fn transactions_of_other_forms_are_not_understood() {
    let batch = batch();
    let cases = [
        (
            read_as("application/json", &batch),
            "the content type \"application/json\"",
        ),
        (
            read_as("multipart/mixed", &batch),
            "a transaction without a boundary",
        ),
        (
            read(&batch.replace("Accept: y", "X-HTTP-Method: DELETE")),
            "PUT with X-HTTP-Method: DELETE",
        ),
        (
            read(&batch.replace("Accept: y", "X-Brew: y")),
            "the header x-brew",
        ),
        (
            read(&batch.replace(
                "/acc/T(PartitionKey='p',RowKey='r-3')",
                "/acc/U(PartitionKey='p',RowKey='r-3')",
            )),
            "a transaction over two tables",
        ),
        (
            read(&batch.replace("RowKey='r-2'", "Key='r-2'")),
            "row keys of this form",
        ),
        (
            read(&batch.replace("application/http", "text/plain; MERGE")),
            "a part that is no HTTP request",
        ),
        (
            read(&batch.replace("--batch_1--", "")),
            "a transaction without an end",
        ),
        (
            read(&format!("POST http://h/acc/T HTTP/1.1\r\n{batch}")),
            "a transaction with text outside of its parts",
        ),
        (
            read(&batch.replace("DELETE /acc", "BREW /acc")),
            "BREW on a path of this form",
        ),
    ];
    for (told, strange) in cases {
        assert_eq!(told.strange.as_deref(), Some(strange));
    }
}
