//! Tests of transactions: all or nothing.

use crate::support::{code, with_table};
use azure_core::http::{Etag, StatusCode};
use futures::TryStreamExt as _;
use tables::{
    Entity, ErrorCode, MAX_OPERATIONS, OperationKind, TableClient, TransactionError, UpdateMode,
};

async fn all(table: &TableClient) -> Vec<Entity> {
    table
        .query_entities(None)
        .unwrap()
        .try_collect()
        .await
        .unwrap()
}

fn entity(row: &str) -> Entity {
    Entity::new("it's one", row)
        .with("Big", i64::MAX)
        .with("Text", "a\r\n--batch_x\r\nb")
}

#[test]
fn a_transaction_of_every_kind_of_operation_is_carried_out() {
    with_table(async |table| {
        for row in ["deleted", "merged", "replaced"] {
            table.insert_entity(&entity(row), None).await.unwrap();
        }
        let change = |row: &str| Entity::new("it's one", row).with("New", true);
        let mut transaction = table.transaction();
        transaction.insert(&entity("inserted")).unwrap();
        transaction
            .update(&change("merged"), UpdateMode::Merge, None)
            .unwrap();
        transaction
            .update(&change("replaced"), UpdateMode::Replace, None)
            .unwrap();
        transaction
            .upsert(&change("upserted"), UpdateMode::Replace)
            .unwrap();
        transaction.delete("it's one", "deleted", None).unwrap();
        let outcome = table.submit_transaction(transaction, None).await.unwrap();
        let has_etag: Vec<bool> = outcome.etags.iter().map(Option::is_some).collect();
        assert_eq!(has_etag, [true, true, true, true, false]);

        let expected = [
            entity("inserted"),
            entity("merged").with("New", true),
            change("replaced"),
            change("upserted"),
        ];
        assert_eq!(all(&table).await, expected);
    });
}

#[test]
fn a_hundred_operations_are_carried_out() {
    with_table(async |table| {
        let mut transaction = table.transaction();
        for row in 0..MAX_OPERATIONS {
            transaction.insert(&entity(&format!("{row:03}"))).unwrap();
        }
        let outcome = table.submit_transaction(transaction, None).await.unwrap();
        assert_eq!(outcome.etags.len(), MAX_OPERATIONS);
        assert_eq!(all(&table).await.len(), MAX_OPERATIONS);
    });
}

#[test]
fn one_failing_operation_undoes_all_and_is_named() {
    with_table(async |table| {
        table.insert_entity(&entity("there"), None).await.unwrap();
        let mut transaction = table.transaction();
        for row in ["0", "1", "there", "3"] {
            transaction.insert(&entity(row)).unwrap();
        }
        let error = table
            .submit_transaction(transaction, None)
            .await
            .unwrap_err();
        assert_eq!(ErrorCode::of(&error), Some(ErrorCode::EntityAlreadyExists));
        assert_eq!(error.http_status(), Some(StatusCode::Conflict));
        let failed = error.downcast_ref::<TransactionError>().unwrap();
        assert_eq!(
            (failed.index, failed.operation),
            (Some(2), Some(OperationKind::Insert))
        );
        assert_eq!(failed.partition_key, "it's one");
        assert_eq!(failed.row_key.as_deref(), Some("there"));
        assert_eq!(failed.code, Some(ErrorCode::EntityAlreadyExists));
        assert_eq!(all(&table).await, [entity("there")]);
    });
}

#[test]
fn each_way_to_fail_has_its_code() {
    with_table(async |table| {
        let (partition, merge) = ("it's one", UpdateMode::Merge);
        let old = Etag::from("W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\"");
        let (there, gone) = (entity("there"), entity("gone"));
        table.insert_entity(&there, None).await.unwrap();

        let started = || {
            let mut transaction = table.transaction();
            transaction
                .upsert(&entity("before"), UpdateMode::Replace)
                .unwrap();
            transaction
        };
        let mut cases = [(); 4].map(|()| started());
        cases[0].update(&there, merge, Some(&old)).unwrap();
        cases[1].delete(partition, "there", Some(&old)).unwrap();
        cases[2].update(&gone, merge, None).unwrap();
        cases[3].delete(partition, "gone", None).unwrap();
        let (stale, absent) = (
            ErrorCode::UpdateConditionNotSatisfied,
            ErrorCode::ResourceNotFound,
        );
        for (case, expected) in cases.into_iter().zip([&stale, &stale, &absent, &absent]) {
            let error = table.submit_transaction(case, None).await.unwrap_err();
            let failed = error.downcast_ref::<TransactionError>().unwrap();
            assert_eq!(
                (failed.index, failed.code.as_ref()),
                (Some(1), Some(expected)),
                "{error}"
            );
        }
        assert_eq!(all(&table).await, [there]);
    });
}

#[test]
fn a_transaction_on_a_table_that_is_gone_fails() {
    with_table(async |table| {
        table.delete(None).await.unwrap();
        let mut transaction = table.transaction();
        transaction.insert(&entity("r")).unwrap();
        assert_eq!(
            code(table.submit_transaction(transaction, None).await),
            ErrorCode::TableNotFound
        );
    });
}
