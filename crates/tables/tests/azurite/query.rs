//! Tests of queries: filters, selections, and pages up to the last one.

use crate::support::with_table;
use azure_core::{Uuid, http::pager::PagerOptions};
use futures::{StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use tables::{
    Binary, DateTime, Entity, Filter, Guid, Stored, TableClient, Value,
    models::{Metadata, TableClientQueryEntitiesOptions},
};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Row {
    #[serde(rename = "PartitionKey")]
    partition: String,
    #[serde(rename = "RowKey")]
    key: String,
    #[serde(rename = "Number")]
    number: i64,
}

fn row(number: usize) -> Row {
    Row {
        // Quotes and spaces are also in continuation headers.
        partition: format!("it's {} +%", number / 100 % 3),
        key: format!("row {number:05}"),
        number: i64::try_from(number).unwrap(),
    }
}

/// Inserts rows with transactions of 100 rows of one partition each.
async fn fill(table: &TableClient, rows: usize) -> BTreeSet<Row> {
    let all: Vec<Row> = (0..rows).map(row).collect();
    for chunk in all.chunks(100) {
        let mut transaction = table.transaction();
        for row in chunk {
            transaction.insert(row).unwrap();
        }
        table.submit_transaction(transaction, None).await.unwrap();
    }
    all.into_iter().collect()
}

#[test]
fn a_query_goes_on_to_the_last_page() {
    with_table(async |table| {
        let expected = fill(&table, 2_345).await;
        for metadata in [Metadata::Minimal, Metadata::None] {
            let options = TableClientQueryEntitiesOptions {
                metadata,
                ..Default::default()
            };
            let mut pages = table
                .query_entities::<Row>(Some(options))
                .unwrap()
                .into_pages();
            let mut sizes = Vec::new();
            let mut found = BTreeSet::new();
            while let Some(page) = pages.try_next().await.unwrap() {
                let rows: Vec<Row> = page.into_model().unwrap().value;
                sizes.push(rows.len());
                found.extend(rows);
            }
            assert_eq!(sizes, [1_000, 1_000, 345]);
            assert_eq!(found, expected);
        }
    });
}

#[test]
fn top_is_the_size_of_a_page_and_not_of_the_answer() {
    with_table(async |table| {
        let expected = fill(&table, 250).await;
        let options = TableClientQueryEntitiesOptions {
            top: Some(100),
            ..Default::default()
        };
        let pages = table
            .query_entities::<Row>(Some(options.clone()))
            .unwrap()
            .into_pages();
        assert_eq!(pages.count().await, 3);
        let rows = table.query_entities::<Row>(Some(options.clone())).unwrap();
        assert_eq!(rows.try_collect::<BTreeSet<Row>>().await.unwrap(), expected);
        let first = table.query_entities::<Row>(Some(options)).unwrap().take(7);
        assert_eq!(first.try_collect::<Vec<Row>>().await.unwrap().len(), 7);
    });
}

#[test]
fn a_query_can_go_on_in_another_pager() {
    with_table(async |table| {
        let expected = fill(&table, 250).await;
        let mut options = TableClientQueryEntitiesOptions {
            top: Some(100),
            ..Default::default()
        };
        let mut pages = table
            .query_entities::<Row>(Some(options.clone()))
            .unwrap()
            .into_pages();
        let first = pages
            .try_next()
            .await
            .unwrap()
            .unwrap()
            .into_model()
            .unwrap()
            .value;
        let continuation = pages.into_continuation();
        let token = continuation.clone().map(String::from).unwrap();
        assert!(
            !token.contains("sig="),
            "a token must not carry the SAS: {token}"
        );

        options.method_options = PagerOptions {
            continuation,
            ..Default::default()
        };
        let rest = table.query_entities::<Row>(Some(options)).unwrap();
        let mut found: BTreeSet<Row> = rest.try_collect().await.unwrap();
        assert_eq!(found.len(), 150);
        found.extend(first);
        assert_eq!(found, expected);
    });
}

#[test]
fn stored_rows_carry_their_version() {
    with_table(async |table| {
        fill(&table, 3).await;
        for metadata in [Metadata::Minimal, Metadata::None] {
            let options = TableClientQueryEntitiesOptions {
                metadata,
                ..Default::default()
            };
            let rows = table.query_entities::<Stored<Row>>(Some(options)).unwrap();
            let rows: Vec<Stored<Row>> = rows.try_collect().await.unwrap();
            assert_eq!(rows.len(), 3);
            for stored in rows {
                let Row { partition, key, .. } = &stored.entity;
                let read = table.get_entity::<Row>(partition, key, None).await.unwrap();
                assert_eq!(read.into_model().unwrap(), stored);
                assert!(stored.etag.is_some() && stored.timestamp.is_some());
            }
        }
    });
}

#[test]
fn a_filter_finds_values_of_every_type() {
    with_table(async |table| {
        let (at, id) = (DateTime::now(), Guid(Uuid::new_v4()));
        let values: [(&str, Value); 8] = [
            ("Text", "it's".into()),
            ("Yes", true.into()),
            ("Small", (-7).into()),
            ("Big", i64::MAX.into()),
            ("Double", 2.5.into()),
            ("At", at.into()),
            ("Id", id.into()),
            ("Raw", Binary(vec![0, 1, 255]).into()),
        ];
        for (name, value) in &values {
            let entity = Entity::new("p", *name).with(*name, value.clone());
            table.insert_entity(&entity, None).await.unwrap();
        }
        for (name, value) in values {
            let options = TableClientQueryEntitiesOptions {
                filter: Some(Filter::partition("p") & Filter::eq(name, value)),
                ..Default::default()
            };
            let found = table.query_entities::<Entity>(Some(options)).unwrap();
            let found: Vec<Entity> = found.try_collect().await.unwrap();
            let rows: Vec<&str> = found.iter().map(|entity| entity.row_key.as_str()).collect();
            assert_eq!(rows, [name]);
        }
    });
}

#[test]
fn comparisons_and_prefixes_choose_the_right_rows() {
    with_table(async |table| {
        for (row, number) in [("a-1", 1), ("a-2", 2), ("b-1", 3), ("a.", 4), ("a", 5)] {
            let entity = Entity::new("p", row).with("N", number);
            table.insert_entity(&entity, None).await.unwrap();
        }
        for (filter, expected) in [
            (Filter::row_prefix("a-"), vec!["a-1", "a-2"]),
            (Filter::row_prefix("a"), vec!["a", "a-1", "a-2", "a."]),
            (Filter::partition_prefix("q"), vec![]),
            (Filter::gt("N", 3), vec!["a", "a."]),
            (Filter::ge("N", 3) & Filter::ne("N", 4), vec!["a", "b-1"]),
            (
                Filter::lt("N", 2) | Filter::eq("RowKey", "a."),
                vec!["a-1", "a."],
            ),
            (!Filter::le("N", 3), vec!["a", "a."]),
            (Filter::raw("N eq 5"), vec!["a"]),
        ] {
            let text = filter.to_string();
            let options = TableClientQueryEntitiesOptions {
                filter: Some(filter),
                select: Some(vec!["RowKey".to_owned()]),
                ..Default::default()
            };
            let found = table.query_entities::<Entity>(Some(options)).unwrap();
            let found: Vec<Entity> = found.try_collect().await.unwrap();
            assert!(
                found.iter().all(|entity| entity.properties.is_empty()),
                "{text}"
            );
            let mut rows: Vec<&str> = found.iter().map(|entity| entity.row_key.as_str()).collect();
            rows.sort_unstable();
            assert_eq!(rows, expected, "{text}");
        }
    });
}

#[test]
fn an_entity_that_does_not_fit_the_type_is_an_error_and_no_empty_answer() {
    with_table(async |table| {
        table
            .insert_entity(&Entity::new("p", "r").with("Number", "many"), None)
            .await
            .unwrap();
        let rows = table.query_entities::<Row>(None).unwrap();
        let error = rows.try_collect::<Vec<Row>>().await.unwrap_err();
        assert!(
            error.to_string().contains("an integer (Edm.Int64)"),
            "{error}"
        );
    });
}
