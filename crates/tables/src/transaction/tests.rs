//! Tests of transactions as they are sent and answered.

use super::*;
use crate::{Entity, ErrorCode};
use azure_core::{
    error::ErrorKind,
    http::{RawResponse, StatusCode, headers::Headers},
};

const TABLE: &str = "http://127.0.0.1:10002/devstoreaccount1/results";

fn transaction() -> Transaction {
    let mut transaction = Transaction::new(TABLE);
    let etag = Etag::from("W/\"1\"");
    transaction
        .insert(&Entity::new("p", "0").with("N", 1_i64))
        .unwrap();
    transaction
        .update(&Entity::new("p", "it's 1"), UpdateMode::Merge, Some(&etag))
        .unwrap();
    transaction
        .upsert(&Entity::new("p", "2"), UpdateMode::Replace)
        .unwrap();
    transaction.delete("p", "3", None).unwrap();
    transaction
}

#[test]
fn operations_are_written_as_the_service_reads_them() {
    let id = "11111111-1111-1111-1111-111111111111";
    let transaction = transaction();
    let own_id = transaction.id.to_string();
    let size = transaction.size_bytes();
    let batch = transaction.finish(TABLE).unwrap();
    assert_eq!(batch.body.len(), size);
    assert_eq!(
        batch.content_type,
        format!("multipart/mixed; boundary=batch_{own_id}")
    );
    let text = String::from_utf8(batch.body).unwrap().replace(&own_id, id);
    let part = format!(
        "--changeset_{id}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    );
    let common =
        "Accept: application/json;odata=minimalmetadata\r\nDataServiceVersion: 3.0;NetFx\r\n";
    let json = |json: &str| {
        format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}\r\n",
            json.len()
        )
    };
    let expected = [
        format!("--batch_{id}\r\nContent-Type: multipart/mixed; boundary=changeset_{id}\r\n\r\n"),
        format!("{part}POST {TABLE} HTTP/1.1\r\n{common}Prefer: return-no-content\r\n"),
        json(r#"{"PartitionKey":"p","RowKey":"0","N@odata.type":"Edm.Int64","N":"1"}"#),
        format!("{part}PATCH {TABLE}(PartitionKey='p',RowKey='it%27%27s%201') HTTP/1.1\r\n{common}If-Match: W/\"1\"\r\n"),
        json(r#"{"PartitionKey":"p","RowKey":"it's 1"}"#),
        format!("{part}PUT {TABLE}(PartitionKey='p',RowKey='2') HTTP/1.1\r\n{common}"),
        json(r#"{"PartitionKey":"p","RowKey":"2"}"#),
        format!("{part}DELETE {TABLE}(PartitionKey='p',RowKey='3') HTTP/1.1\r\n{common}If-Match: *\r\n\r\n"),
        format!("--changeset_{id}--\r\n--batch_{id}--\r\n"),
    ]
    .concat();
    assert_eq!(text, expected);
}

#[test]
fn another_partition_or_the_same_entity_twice_is_refused() {
    let mut transaction = transaction();
    assert_eq!(
        transaction.insert(&Entity::new("q", "9")).unwrap_err(),
        InvalidTransaction::OtherPartition {
            expected: "p".to_owned(),
            found: "q".to_owned()
        }
    );
    assert_eq!(
        transaction.delete("p", "it's 1", None).unwrap_err(),
        InvalidTransaction::DuplicateEntity {
            row_key: "it's 1".to_owned(),
            index: 1
        }
    );
    assert!(matches!(
        transaction.delete("p", "a/b", None),
        Err(InvalidTransaction::Entity(_))
    ));
    assert_eq!(
        (transaction.len(), transaction.partition_key()),
        (4, Some("p"))
    );
}

#[test]
fn the_hundred_and_first_operation_is_refused() {
    let mut transaction = Transaction::new(TABLE);
    for row in 0..MAX_OPERATIONS {
        transaction.delete("p", &row.to_string(), None).unwrap();
    }
    let size = transaction.size_bytes();
    assert_eq!(
        transaction.delete("p", "x", None).unwrap_err(),
        InvalidTransaction::TooManyOperations
    );
    assert_eq!((transaction.len(), transaction.size_bytes()), (100, size));
}

#[test]
fn four_mebibytes_fit_exactly() {
    let blob = "x".repeat(MAX_SIZE_BYTES / 4);
    let mut transaction = Transaction::new(TABLE);
    for row in ["0", "1", "2"] {
        transaction
            .insert(&Entity::new("p", row).with("Blob", blob.as_str()))
            .unwrap();
    }
    let before = transaction.size_bytes();
    let refused = transaction
        .insert(&Entity::new("p", "3").with("Blob", blob.as_str()))
        .unwrap_err();
    let InvalidTransaction::TooLarge { size_bytes } = refused else {
        panic!("{refused}");
    };
    assert_eq!((transaction.len(), transaction.size_bytes()), (3, before));
    // The content length has the same number of digits, so the remaining room is known to the byte.
    let room = blob.len() - (size_bytes - MAX_SIZE_BYTES);
    assert!(matches!(
        transaction.insert(&Entity::new("p", "3").with("Blob", &blob[..=room])),
        Err(InvalidTransaction::TooLarge { size_bytes }) if size_bytes == MAX_SIZE_BYTES + 1
    ));
    transaction
        .insert(&Entity::new("p", "3").with("Blob", &blob[..room]))
        .unwrap();
    assert_eq!(
        transaction.finish(TABLE).unwrap().body.len(),
        MAX_SIZE_BYTES
    );
}

#[test]
fn an_empty_transaction_and_one_for_another_table_are_not_sent() {
    assert_eq!(
        Transaction::new(TABLE).finish(TABLE).err(),
        Some(InvalidTransaction::Empty)
    );
    assert_eq!(
        transaction().finish("http://h/other").err(),
        Some(InvalidTransaction::OtherTable)
    );
}

fn answer(body: &str) -> Result<TransactionOutcome, azure_core::Error> {
    let response = RawResponse::from_bytes(
        StatusCode::Accepted,
        Headers::new(),
        body.as_bytes().to_vec(),
    );
    read_outcome(&response, &transaction().operations)
}

/// An answer with these HTTP answers in a changeset.
fn batch(parts: &[&str]) -> String {
    let start = "--changesetresponse_b\r\nContent-Type: application/http\r\n\
                 Content-Transfer-Encoding: binary\r\n\r\n";
    let parts: Vec<String> = parts.iter().map(|part| format!("{start}{part}")).collect();
    format!(
        "--batchresponse_a\r\nContent-Type: multipart/mixed; boundary=changesetresponse_b\r\n\r\n\
         {}--changesetresponse_b--\r\n--batchresponse_a--\r\n",
        parts.concat()
    )
}

const STORED: &str =
    "HTTP/1.1 204 No Content\r\nETag: W/\"datetime'1'\"\r\nDataServiceVersion: 3.0;\r\n\r\n\r\n";
const DELETED: &str = "HTTP/1.1 204 No Content\r\nX-Content-Type-Options: nosniff\r\n\r\n";

fn failed(message: &str) -> String {
    format!(
        "HTTP/1.1 409 Conflict\r\nContent-ID: 1\r\nContent-Type: application/json;odata=minimalmetadata\r\n\r\n\
         {{\"odata.error\":{{\"code\":\"EntityAlreadyExists\",\"message\":{{\"lang\":\"en-US\",\"value\":\"{message}\"}}}}}}\r\n"
    )
}

#[test]
fn etags_come_in_the_order_of_operations() {
    for line_end in ["\r\n", "\n"] {
        let body = batch(&[STORED, STORED, STORED, DELETED]).replace("\r\n", line_end);
        let outcome = answer(&body).unwrap();
        let etag = Some(Etag::from("W/\"datetime'1'\""));
        assert_eq!(outcome.etags, [etag.clone(), etag.clone(), etag, None]);
    }
}

#[test]
fn a_failed_operation_is_named_with_its_key_and_code() {
    let error = answer(&batch(&[&failed(
        "1:The specified entity already exists.\\nRequestId:1",
    )]))
    .unwrap_err();
    assert_eq!(ErrorCode::of(&error), Some(ErrorCode::EntityAlreadyExists));
    assert_eq!(error.http_status(), Some(StatusCode::Conflict));
    let failure = error.downcast_ref::<TransactionError>().unwrap();
    assert_eq!(failure.index, Some(1));
    assert_eq!(failure.operation, Some(OperationKind::Update));
    assert_eq!(failure.row_key.as_deref(), Some("it's 1"));
    assert_eq!(failure.code, Some(ErrorCode::EntityAlreadyExists));
    assert_eq!(
        error.to_string(),
        "operation 1 (update of PartitionKey \"p\", RowKey \"it's 1\") failed, and with it the transaction: \
         EntityAlreadyExists: The specified entity already exists."
    );
}

#[test]
fn a_failure_outside_of_a_changeset_is_read_too() {
    let part = failed("3:gone");
    let body = format!("--b\r\nContent-Type: application/http\r\n\r\n{part}--b--\r\n");
    let error = answer(&body).unwrap_err();
    assert_eq!(
        error.downcast_ref::<TransactionError>().unwrap().index,
        Some(3)
    );
}

#[test]
fn a_failure_without_a_place_blames_no_operation() {
    for message in [
        "no place",
        "99:out of range",
        "x1:not a number",
        ":nothing",
        "18446744073709551616:overflow",
    ] {
        let error = answer(&batch(&[&failed(message)])).unwrap_err();
        let failure = error.downcast_ref::<TransactionError>().unwrap();
        assert_eq!(
            (failure.index, failure.row_key.as_deref()),
            (None, None),
            "{message}"
        );
        assert!(
            error
                .to_string()
                .starts_with("an operation on PartitionKey \"p\" failed"),
            "{error}"
        );
    }
    let bare = "HTTP/1.1 500 Internal Server Error\r\n\r\n";
    let error = answer(&batch(&[bare])).unwrap_err();
    assert_eq!(error.downcast_ref::<TransactionError>().unwrap().code, None);
}

#[test]
fn a_failure_among_answers_to_all_is_found_by_its_place() {
    let part = failed("no place");
    let error = answer(&batch(&[STORED, STORED, &part, DELETED])).unwrap_err();
    assert_eq!(
        error.downcast_ref::<TransactionError>().unwrap().index,
        Some(2)
    );
}

#[test]
fn an_answer_cut_off_anywhere_is_never_a_success() {
    let whole = batch(&[STORED, STORED, STORED, DELETED]);
    assert!(answer(&whole).is_ok());
    // The outer closing line may lack its line end; its last hyphens distinguish it from another part.
    for length in 0..whole.len() - 2 {
        let error = answer(&whole[..length]).expect_err(&whole[..length]);
        assert_eq!(*error.kind(), ErrorKind::DataConversion, "{length}");
        assert!(
            error
                .to_string()
                .contains("whether it was carried out is not known"),
            "{error}"
        );
    }
}

#[test]
fn no_changed_byte_makes_the_reader_panic_or_invent_answers() {
    let operations = transaction().operations;
    let whole = batch(&[STORED, STORED, STORED, DELETED]).into_bytes();
    for position in 0..whole.len() {
        for byte in [0, b'\n', b'-', b':', b' ', b'9', 0xff] {
            let mut body = whole.clone();
            body[position] = byte;
            let response = RawResponse::from_bytes(StatusCode::Accepted, Headers::new(), body);
            if let Ok(outcome) = read_outcome(&response, &operations) {
                assert_eq!(outcome.etags.len(), 4, "byte {byte} at {position}");
            }
        }
    }
}

#[test]
fn malformed_answers_are_errors_that_say_what_is_wrong() {
    let deep = "--a\nContent-Type: multipart/mixed\n\n--b\nContent-Type: multipart/mixed\n\n--c\n\n--c--\n--b--\n--a--\n";
    for (body, reason) in [
        ("", "no boundary"),
        ("hello\nworld", "no boundary"),
        ("--\n", "no boundary"),
        ("--a\n--a--", "without an end to its headers"),
        ("--a\n\nx\n--a--", "a part of the type \"\""),
        (
            "--a\nContent-Type: text/html\n\n<html>\n--a--",
            "a part of the type \"text/html\"",
        ),
        (
            "--a\nContent-Type\n\n--a--",
            "\"Content-Type\" where a header should be",
        ),
        (
            "--a\nConténÐ-Type: x\n\n--a--",
            "\"ConténÐ-Type: x\" where a header should be",
        ),
        ("--a\n: x\n\n--a--", "\": x\" where a header should be"),
        (
            "--a\nContent-Type: application/http\n\n--a--",
            "\"\" where a status line should be",
        ),
        (
            "--a\nContent-Type: application/http\n\nHTTP/1.1 abc\n\n--a--",
            "where a status line should be",
        ),
        (
            "--a\nContent-Type: application/http\n\nHTTP/1.1 204\nbroken\n\n--a--",
            "\"broken\" where a header should be",
        ),
        (deep, "changesets inside of changesets"),
        ("--a\n\u{fffd}", "cut off"),
    ] {
        let error = answer(body).unwrap_err().to_string();
        assert!(error.contains(reason), "{body:?}: {error}");
    }
    let missing = answer(&batch(&[STORED])).unwrap_err().to_string();
    assert!(missing.ends_with("1 answers to 4 operations"), "{missing}");
}
