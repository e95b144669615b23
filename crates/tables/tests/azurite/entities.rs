//! Tests of one entity: inserted, read, changed, deleted.

use crate::support::{code, with_table};
use azure_core::{Uuid, http::StatusCode};
use serde::{Deserialize, Serialize};
use tables::{
    Binary, DateTime, Entity, ErrorCode, Guid, Stored, TableClient, UpdateMode, Value,
    models::{
        Metadata, TableClientDeleteEntityOptions, TableClientGetEntityOptions,
        TableClientInsertEntityOptions, TableClientUpdateEntityOptions, WriteResultHeaders as _,
    },
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Every {
    partition_key: String,
    row_key: String,
    text: String,
    yes: bool,
    small: i32,
    big: i64,
    half: f64,
    whole: f64,
    huge: f64,
    endless: f64,
    at: DateTime,
    id: Guid,
    raw: Binary,
    absent: Option<i64>,
    present: Option<i64>,
}

fn every(row_key: &str) -> Every {
    Every {
        partition_key: "p".to_owned(),
        row_key: row_key.to_owned(),
        text: "\"quoted\" it's\n\u{1f980} \\ \u{7f}".to_owned(),
        yes: true,
        small: i32::MIN,
        big: i64::MIN,
        half: 0.1,
        whole: 3.0,
        huge: 1e300,
        endless: f64::NEG_INFINITY,
        at: DateTime::now(),
        id: Guid(Uuid::new_v4()),
        raw: Binary((0..=255).collect()),
        absent: None,
        present: Some(0),
    }
}

async fn get<T: serde::de::DeserializeOwned>(table: &TableClient, row_key: &str) -> Stored<T> {
    table
        .get_entity("p", row_key, None)
        .await
        .unwrap()
        .into_model()
        .unwrap()
}

#[test]
fn every_type_comes_back_as_it_went_in_with_and_without_metadata() {
    with_table(async |table| {
        let entity = every("r");
        let inserted = table.insert_entity(&entity, None).await.unwrap();
        for metadata in [Metadata::Minimal, Metadata::None] {
            let options = TableClientGetEntityOptions {
                metadata,
                ..Default::default()
            };
            let response = table
                .get_entity::<Every>("p", "r", Some(options))
                .await
                .unwrap();
            let stored = response.into_model().unwrap();
            assert_eq!(stored.entity, entity);
            assert_eq!(stored.etag, inserted.etag());
            assert!(stored.timestamp.is_some());
        }
    });
}

#[test]
fn nan_comes_back_as_nan() {
    with_table(async |table| {
        let entity = Entity::new("p", "r").with("N", f64::NAN);
        table.insert_entity(&entity, None).await.unwrap();
        let stored = get::<Entity>(&table, "r").await;
        assert!(matches!(stored.entity.get("N"), Some(Value::Double(n)) if n.is_nan()));
    });
}

#[test]
fn an_entity_of_any_shape_keeps_every_type() {
    with_table(async |table| {
        let typed = every("r");
        table.insert_entity(&typed, None).await.unwrap();
        let expected = Entity::new("p", "r")
            .with("Text", &typed.text)
            .with("Yes", true)
            .with("Small", typed.small)
            .with("Big", typed.big)
            .with("Half", typed.half)
            .with("Whole", typed.whole)
            .with("Huge", typed.huge)
            .with("Endless", typed.endless)
            .with("At", typed.at)
            .with("Id", typed.id)
            .with("Raw", typed.raw)
            .with("Present", 0_i64);
        let stored = get::<Entity>(&table, "r").await;
        assert_eq!(stored.entity, expected);

        table.delete_entity("p", "r", None).await.unwrap();
        table.insert_entity(&stored.entity, None).await.unwrap();
        assert_eq!(get::<Entity>(&table, "r").await.entity, expected);
    });
}

#[test]
fn a_second_insert_of_the_same_keys_is_refused() {
    with_table(async |table| {
        let first = Entity::new("p", "r").with("N", 1);
        let response = table.insert_entity(&first, None).await.unwrap();
        assert_eq!(response.status(), StatusCode::NoContent);
        let second = Entity::new("p", "r").with("N", 2);
        assert_eq!(
            code(table.insert_entity(&second, None).await),
            ErrorCode::EntityAlreadyExists
        );
        assert_eq!(get::<Entity>(&table, "r").await.entity, first);
    });
}

#[test]
fn an_insert_can_send_the_stored_entity_back() {
    with_table(async |table| {
        let options = TableClientInsertEntityOptions {
            return_content: true,
            ..Default::default()
        };
        let entity = every("r");
        let response = table.insert_entity(&entity, Some(options)).await.unwrap();
        assert_eq!(response.status(), StatusCode::Created);
        let echoed: Stored<Every> = response.body().json().unwrap();
        assert_eq!(echoed.entity, entity);
        assert!(echoed.timestamp.is_some());
    });
}

#[test]
fn select_limits_the_properties() {
    with_table(async |table| {
        table.insert_entity(&every("r"), None).await.unwrap();
        let options = TableClientGetEntityOptions {
            select: Some(vec!["Big".to_owned(), "Yes".to_owned()]),
            ..Default::default()
        };
        let response = table
            .get_entity::<Entity>("p", "r", Some(options))
            .await
            .unwrap();
        let entity = response.into_model().unwrap().entity;
        let names: Vec<&str> = entity.properties.keys().map(String::as_str).collect();
        assert_eq!(names, ["Big", "Yes"]);
        assert_eq!(entity.get("Big"), Some(&Value::Int64(i64::MIN)));
    });
}

#[test]
fn merge_keeps_what_it_does_not_name_and_replace_does_not() {
    with_table(async |table| {
        let entity = |name: &str| Entity::new("p", "r").with(name, 1);
        table.insert_entity(&entity("A"), None).await.unwrap();
        for (name, mode, upsert, expected) in [
            ("B", UpdateMode::Merge, false, vec!["A", "B"]),
            ("C", UpdateMode::Merge, true, vec!["A", "B", "C"]),
            ("D", UpdateMode::Replace, false, vec!["D"]),
            ("E", UpdateMode::Replace, true, vec!["E"]),
        ] {
            let response = if upsert {
                table
                    .upsert_entity(&entity(name), mode, None)
                    .await
                    .unwrap()
            } else {
                table
                    .update_entity(&entity(name), mode, None)
                    .await
                    .unwrap()
            };
            let stored = get::<Entity>(&table, "r").await;
            assert_eq!(
                stored.entity.properties.keys().collect::<Vec<_>>(),
                expected,
                "{name}"
            );
            assert_eq!(stored.etag, response.etag(), "{name}");
        }
    });
}

#[test]
fn update_needs_an_entity_and_upsert_does_not() {
    with_table(async |table| {
        for mode in [UpdateMode::Merge, UpdateMode::Replace] {
            let entity = Entity::new("p", format!("{mode:?}")).with("N", 1);
            assert_eq!(
                code(table.update_entity(&entity, mode, None).await),
                ErrorCode::ResourceNotFound
            );
            table.upsert_entity(&entity, mode, None).await.unwrap();
            assert_eq!(get::<Entity>(&table, &entity.row_key).await.entity, entity);
        }
    });
}

#[test]
fn a_write_of_a_version_that_is_gone_is_refused() {
    with_table(async |table| {
        let old = table
            .insert_entity(&Entity::new("p", "r"), None)
            .await
            .unwrap()
            .etag();
        assert!(old.is_some());
        let newer = Entity::new("p", "r").with("N", 1);
        let new = table
            .update_entity(&newer, UpdateMode::Replace, None)
            .await
            .unwrap()
            .etag();
        assert_ne!(old, new);

        for mode in [UpdateMode::Merge, UpdateMode::Replace] {
            let options = TableClientUpdateEntityOptions {
                if_match: old.clone(),
                ..Default::default()
            };
            let refused = table
                .update_entity(&Entity::new("p", "r"), mode, Some(options))
                .await;
            assert_eq!(code(refused), ErrorCode::UpdateConditionNotSatisfied);
        }
        let options = TableClientDeleteEntityOptions {
            if_match: old,
            ..Default::default()
        };
        let refused = table.delete_entity("p", "r", Some(options)).await;
        assert_eq!(code(refused), ErrorCode::UpdateConditionNotSatisfied);
        assert_eq!(get::<Entity>(&table, "r").await.entity, newer);

        let options = TableClientUpdateEntityOptions {
            if_match: new,
            ..Default::default()
        };
        let newest = table
            .update_entity(&newer, UpdateMode::Merge, Some(options))
            .await
            .unwrap()
            .etag();
        let options = TableClientDeleteEntityOptions {
            if_match: newest,
            ..Default::default()
        };
        table.delete_entity("p", "r", Some(options)).await.unwrap();
    });
}

#[test]
fn what_was_deleted_is_gone() {
    with_table(async |table| {
        table
            .insert_entity(&Entity::new("p", "r"), None)
            .await
            .unwrap();
        table.delete_entity("p", "r", None).await.unwrap();
        let gone = table.get_entity::<Entity>("p", "r", None).await;
        assert_eq!(code(gone), ErrorCode::ResourceNotFound);
        let again = table.delete_entity("p", "r", None).await;
        assert_eq!(code(again), ErrorCode::ResourceNotFound);
    });
}
