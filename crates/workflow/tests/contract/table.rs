//! Tests of result tables.

use std::collections::BTreeSet;

use futures::TryStreamExt as _;
use serde_json::Value;
use workflow::contract::{
    Digest, MAX_DATA_UTF16, Message, MessageId, ResultRow, Seq, Stamp, StoredRow,
};
use workflow::ports::{ErrorKind, InsertOutcome, ResultTable};

crate::facts!(crate::backend::memory_table(), crate::backend::azurite_table(), crate::backend::engine_table();
    an_inserted_row_is_read_back_whole,
    a_second_insert_is_already_done_and_changes_nothing,
    another_digest_is_a_conflict_and_is_never_overwritten,
    a_batch_is_stored_whole,
    a_batch_with_known_rows_tells_each_outcome,
    a_batch_over_two_partitions_is_refused,
    a_table_is_read_to_its_last_page,
    data_survives_unchanged,
    the_largest_payload_fits_and_one_more_does_not,
    creating_twice_is_no_error_and_deleting_twice_neither,
    an_empty_table_has_no_row_and_says_so,
    a_missing_table_is_named_as_such,
);

fn row_with(run: &str, seq: u64, payload: &str) -> ResultRow {
    let at = Stamp::from_micros(1_795_439_655_678_901);
    let id = MessageId::new(run.parse().unwrap(), Seq::new(seq).unwrap());
    ResultRow::of(
        Message::new(id, payload.into(), at, at),
        at,
        1,
        "consumer-1",
        "node-1",
    )
}

fn row(run: &str, seq: u64) -> ResultRow {
    row_with(run, seq, &format!("payload {seq}"))
}

/// The rows of the whole table, in the contract's form.
async fn rows(table: &impl ResultTable) -> Vec<StoredRow> {
    let entities: Vec<_> = table.all_entities().try_collect().await.unwrap();
    let row = |entity| serde_json::from_value(Value::Object(entity)).unwrap();
    entities.into_iter().map(row).collect()
}

async fn keys(table: &impl ResultTable) -> Vec<String> {
    let rows = rows(table).await.into_iter();
    rows.map(|row| row.row_key).collect()
}

/// The columns of a message's row, without the service's own time.
async fn columns(table: &impl ResultTable, id: &str) -> Option<StoredRow> {
    let found = table.get(&id.parse().unwrap()).await.unwrap()?;
    Some(StoredRow {
        timestamp: None,
        ..found
    })
}

async fn an_inserted_row_is_read_back_whole(table: impl ResultTable) {
    table.create().await.unwrap();
    let row = row("r1", 1);
    let outcome = table.insert(std::slice::from_ref(&row)).await.unwrap();
    assert_eq!(outcome, [InsertOutcome::Inserted]);
    let id = row.message_id().unwrap();
    let found = table.get(&id).await.unwrap().unwrap();
    let stored = StoredRow {
        timestamp: found.timestamp,
        ..row.into()
    };
    assert_eq!(found, stored);
    assert!(stored.timestamp.is_some(), "the service tells when");
    assert_eq!(
        rows(&table).await,
        [stored],
        "a scan must read what a get reads"
    );
    assert_eq!(table.get(&"r1-2".parse().unwrap()).await.unwrap(), None);
}

async fn a_second_insert_is_already_done_and_changes_nothing(table: impl ResultTable) {
    table.create().await.unwrap();
    let first = row("r1", 1);
    table.insert(std::slice::from_ref(&first)).await.unwrap();
    let second = ResultRow {
        attempt: 2,
        consumer: "consumer-2".into(),
        ..first.clone()
    };
    assert_eq!(
        table.insert(&[second]).await.unwrap(),
        [InsertOutcome::AlreadyDone]
    );
    assert_eq!(columns(&table, "r1-1").await, Some(first.into()));
}

async fn another_digest_is_a_conflict_and_is_never_overwritten(table: impl ResultTable) {
    table.create().await.unwrap();
    let first = row("r1", 1);
    table.insert(std::slice::from_ref(&first)).await.unwrap();
    let outcome = table
        .insert(&[row_with("r1", 1, "another payload")])
        .await
        .unwrap();
    let stored = Some(Digest::of("payload 1"));
    assert_eq!(outcome, [InsertOutcome::Conflict { stored }]);
    assert_eq!(columns(&table, "r1-1").await, Some(first.into()));
}

async fn a_batch_is_stored_whole(table: impl ResultTable) {
    table.create().await.unwrap();
    let rows: Vec<_> = (1..=31).map(|seq| row("r1", seq)).collect();
    let outcomes = table.insert(&rows).await.unwrap();
    assert_eq!(outcomes, vec![InsertOutcome::Inserted; 31]);
    assert_eq!(keys(&table).await.len(), 31);
}

async fn a_batch_with_known_rows_tells_each_outcome(table: impl ResultTable) {
    table.create().await.unwrap();
    table
        .insert(&[row("r1", 2), row_with("r1", 4, "other")])
        .await
        .unwrap();
    let rows: Vec<_> = (1..=5).map(|seq| row("r1", seq)).collect();
    let outcomes = table.insert(&rows).await.unwrap();
    let conflict = InsertOutcome::Conflict {
        stored: Some(Digest::of("other")),
    };
    let (new, known) = (InsertOutcome::Inserted, InsertOutcome::AlreadyDone);
    assert_eq!(outcomes, [new, known, new, conflict, new]);
    assert_eq!(keys(&table).await.len(), 5);
}

async fn a_batch_over_two_partitions_is_refused(table: impl ResultTable) {
    table.create().await.unwrap();
    let error = table
        .insert(&[row("r1", 1), row("r1", 40)])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected, "{error}");
    assert!(keys(&table).await.is_empty());
}

async fn a_table_is_read_to_its_last_page(table: impl ResultTable) {
    table.create().await.unwrap();
    // The service returns pages of 1,000 entities.
    for from in (0..1_200).step_by(32) {
        let rows: Vec<_> = (from..from + 32)
            .filter_map(Seq::new)
            .map(|s| row("r1", s.get()))
            .collect();
        table.insert(&rows).await.unwrap();
    }
    for neighbour in ["r", "r1-1", "r10", "r2"] {
        table.insert(&[row(neighbour, 1)]).await.unwrap();
    }
    let keys = keys(&table).await;
    assert_eq!(keys.len(), 1_219);
    let ids: BTreeSet<MessageId> = keys.iter().map(|key| key.parse().unwrap()).collect();
    assert_eq!(ids.len(), 1_219, "each row once");
}

async fn data_survives_unchanged(table: impl ResultTable) {
    table.create().await.unwrap();
    let payload = "quotes \" ' <tags> & \\ \n\t Zürich €uro 😀 \u{10FFFF} --batch_x";
    let rows = [row_with("r1", 1, payload), row_with("r1", 2, payload)];
    table.insert(&rows).await.unwrap();
    for (id, row) in ["r1-1", "r1-2"].into_iter().zip(rows) {
        assert_eq!(columns(&table, id).await, Some(row.into()));
    }
}

async fn the_largest_payload_fits_and_one_more_does_not(table: impl ResultTable) {
    table.create().await.unwrap();
    table
        .insert(&[row_with("r1", 1, &"x".repeat(MAX_DATA_UTF16))])
        .await
        .unwrap();
    let error = table
        .insert(&[row_with("r1", 2, &"x".repeat(MAX_DATA_UTF16 + 1))])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
}

async fn creating_twice_is_no_error_and_deleting_twice_neither(table: impl ResultTable) {
    table.create().await.unwrap();
    table.create().await.unwrap();
    table.delete_table().await.unwrap();
    table.delete_table().await.unwrap();
}

async fn a_missing_table_is_named_as_such(table: impl ResultTable) {
    let errors = [
        table.insert(&[row("r1", 1)]).await.unwrap_err(),
        table
            .insert(&[row("r1", 1), row("r1", 2)])
            .await
            .unwrap_err(),
        table
            .all_entities()
            .try_collect::<Vec<_>>()
            .await
            .unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::NoSuchResource, "{error}");
        assert!(error.to_string().contains(table.name()), "{error}");
    }
}

async fn an_empty_table_has_no_row_and_says_so(table: impl ResultTable) {
    table.create().await.unwrap();
    assert_eq!(table.get(&"r1-1".parse().unwrap()).await.unwrap(), None);
    assert!(keys(&table).await.is_empty());
}
