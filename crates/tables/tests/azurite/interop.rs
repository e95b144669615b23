//! Tests that this crate and the Azure SDK for Python agree when they read and write the same table.

use crate::{keys::NASTY, python, support::with_table};
use azure_core::{Uuid, http::Etag};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures::TryStreamExt as _;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use tables::{
    Binary, DateTime, Entity, ErrorCode, Filter, Guid, Stored, TableClient, UpdateMode, Value,
    models::{
        TableClientQueryEntitiesOptions, TableClientUpdateEntityOptions, WriteResultHeaders as _,
    },
};
use time::macros::datetime;

/// Limit values of every type. Python has microseconds only, so times have six decimals.
fn every_type() -> Entity {
    Entity::new("every", "type")
        .with("Text", "it's \"quoted\" \\ \n\u{1f980} é")
        .with("Empty", "")
        .with("Digits", "123")
        .with("Yes", true)
        .with("No", false)
        .with("Small", i32::MIN)
        .with("Zero", 0)
        .with("Big", i64::MAX)
        .with("Deep", i64::MIN)
        .with("LittleBig", 1_i64)
        .with("Half", 0.1)
        .with("Whole", 3.0)
        .with("Huge", 1e300)
        .with("Tiny", -5e-324)
        .with("Endless", f64::INFINITY)
        .with("Bottomless", f64::NEG_INFINITY)
        .with(
            "At",
            DateTime::from(datetime!(2026-11-23 01:02:03.456789 UTC)),
        )
        .with("First", DateTime::from(datetime!(1601-01-01 00:00:00 UTC)))
        .with(
            "Last",
            DateTime::from(datetime!(9999-12-31 23:59:59.999999 UTC)),
        )
        .with("Id", Guid(Uuid::new_v4()))
        .with("Raw", Binary((0..=255).collect()))
        .with("None", Binary(Vec::new()))
}

fn nasty_keys() -> Vec<Entity> {
    let entity = |key: &&str| Entity::new(*key, format!("row of {key}")).with("Key", *key);
    NASTY.iter().map(entity).collect()
}

/// The type and text of a value in the script's form.
fn typed(value: &Value) -> Json {
    match value {
        Value::Binary(value) => json!(["Edm.Binary", STANDARD.encode(value)]),
        Value::Boolean(value) => json!(["Edm.Boolean", value.to_string()]),
        Value::DateTime(value) => {
            let text = value.to_string();
            // Seven decimals with a zero at the end, of which Python writes six.
            json!([
                "Edm.DateTime",
                text.strip_suffix("0Z").unwrap().to_owned() + "Z"
            ])
        }
        Value::Double(value) => json!(["Edm.Double", value.to_string()]),
        Value::Guid(value) => json!(["Edm.Guid", value.to_string()]),
        Value::Int32(value) => json!(["Edm.Int32", value.to_string()]),
        Value::Int64(value) => json!(["Edm.Int64", value.to_string()]),
        Value::String(value) => json!(["Edm.String", value]),
        other => panic!("{other:?}"),
    }
}

fn untyped(value: &Json) -> Value {
    let text = value[1].as_str().unwrap();
    let quoted = json!(text);
    match value[0].as_str().unwrap() {
        "Edm.Binary" => Value::Binary(serde_json::from_value(quoted).unwrap()),
        "Edm.Boolean" => Value::Boolean(text.parse().unwrap()),
        "Edm.DateTime" => Value::DateTime(serde_json::from_value(quoted).unwrap()),
        "Edm.Double" => Value::Double(text.parse().unwrap()),
        "Edm.Guid" => Value::Guid(serde_json::from_value(quoted).unwrap()),
        "Edm.Int32" => Value::Int32(text.parse().unwrap()),
        "Edm.Int64" => Value::Int64(text.parse().unwrap()),
        "Edm.String" => Value::String(text.to_owned()),
        other => panic!("{other}"),
    }
}

fn document(entity: &Entity) -> Json {
    let properties: BTreeMap<&String, Json> = entity
        .properties
        .iter()
        .map(|(name, value)| (name, typed(value)))
        .collect();
    json!({"keys": [entity.partition_key, entity.row_key], "properties": properties})
}

/// The entities that Python read.
fn entities(answer: &Json) -> Vec<Entity> {
    let entity = |document: &Json| {
        let key = |index: usize| document["keys"][index].as_str().unwrap();
        let mut entity = Entity::new(key(0), key(1));
        for (name, value) in document["properties"].as_object().unwrap() {
            entity = entity.with(name, untyped(value));
        }
        entity
    };
    answer.as_array().unwrap().iter().map(entity).collect()
}

/// Runs an action of the Python script on the table.
async fn ask_python(table: &TableClient, action: &str, mut job: Json) -> Json {
    let python = python::find().expect("the test must have looked for Python");
    let mut endpoint = table.url().clone();
    endpoint.set_query(None);
    job["action"] = action.into();
    job["endpoint"] = endpoint.as_str().into();
    job["sas"] = table.url().query().unwrap().into();
    job["table"] = table.table_name().into();
    #[expect(clippy::disallowed_methods, reason = "it is awaited at once")]
    let answer = tokio::task::spawn_blocking(move || python::run(python, &job)).await;
    answer.unwrap()
}

fn keys_of(entities: &[Entity]) -> Json {
    let keys = entities
        .iter()
        .map(|entity| json!([entity.partition_key, entity.row_key]));
    json!({"keys": keys.collect::<Vec<_>>()})
}

fn documents(entities: &[Entity]) -> Json {
    json!({"entities": entities.iter().map(document).collect::<Vec<_>>()})
}

async fn read(table: &TableClient, entity: &Entity) -> Stored<Entity> {
    let (partition, row) = (&entity.partition_key, &entity.row_key);
    let response = table.get_entity(partition, row, None).await.unwrap();
    response.into_model().unwrap()
}

#[test]
fn python_reads_every_type_and_key_that_rust_wrote() {
    if python::find().is_none() {
        return;
    }
    with_table(async |table| {
        let mut written = nasty_keys();
        // For a finer time than Python's own, the SDK keeps the service's text.
        let ticks = DateTime::from(datetime!(2026-11-23 01:02:03.456_789_1 UTC));
        written.push(every_type().with("Ticks", ticks));
        for entity in &written {
            table.insert_entity(entity, None).await.unwrap();
        }
        let answer = ask_python(&table, "get", keys_of(&written)).await;
        assert_eq!(entities(&answer), written);
        for (seen, entity) in answer.as_array().unwrap().iter().zip(&written) {
            let etag = read(&table, entity).await.etag.unwrap();
            assert_eq!(seen["etag"], etag.as_ref());
        }
    });
}

#[test]
fn rust_reads_every_type_and_key_that_python_wrote() {
    if python::find().is_none() {
        return;
    }
    with_table(async |table| {
        let mut written = nasty_keys();
        written.push(every_type());
        ask_python(&table, "insert", documents(&written)).await;
        for entity in &written {
            assert_eq!(read(&table, entity).await.entity, *entity);
        }
        let not_a_number = Entity::new("p", "r").with("N", f64::NAN);
        ask_python(
            &table,
            "insert",
            documents(std::slice::from_ref(&not_a_number)),
        )
        .await;
        let stored = read(&table, &not_a_number).await.entity;
        assert!(matches!(stored.get("N"), Some(Value::Double(n)) if n.is_nan()));
    });
}

#[test]
fn transactions_of_either_are_read_by_the_other() {
    if python::find().is_none() {
        return;
    }
    with_table(async |table| {
        let rows = |from: u32| {
            (from..from + 3).map(|row| Entity {
                row_key: row.to_string(),
                ..every_type()
            })
        };
        let (rust, theirs): (Vec<Entity>, Vec<Entity>) = (rows(0).collect(), rows(3).collect());
        let mut transaction = table.transaction();
        for entity in &rust {
            transaction.insert(entity).unwrap();
        }
        table.submit_transaction(transaction, None).await.unwrap();
        ask_python(&table, "insert_together", documents(&theirs)).await;

        let filter = Filter::partition("every") & Filter::ge("RowKey", "0");
        let all = [rust, theirs].concat();
        let answer = ask_python(&table, "query", json!({"filter": filter.as_str()})).await;
        assert_eq!(entities(&answer), all);
        let options = TableClientQueryEntitiesOptions {
            filter: Some(filter),
            ..Default::default()
        };
        let found = table.query_entities::<Entity>(Some(options)).unwrap();
        assert_eq!(found.try_collect::<Vec<_>>().await.unwrap(), all);
    });
}

#[test]
fn a_version_means_the_same_to_both() {
    if python::find().is_none() {
        return;
    }
    with_table(async |table| {
        let entity = Entity::new("it's", "one").with("N", 1);
        let replace_if = async |etag: &Etag| {
            let job = json!({"entity": document(&entity), "etag": etag.as_ref()});
            ask_python(&table, "replace_if", job).await
        };
        let old = table
            .insert_entity(&entity, None)
            .await
            .unwrap()
            .etag()
            .unwrap();
        assert_eq!(replace_if(&old).await, Json::Null);
        assert_eq!(
            replace_if(&old).await,
            ErrorCode::UpdateConditionNotSatisfied.as_str()
        );

        let update = async |etag: Etag| {
            let options = TableClientUpdateEntityOptions {
                if_match: Some(etag),
                ..Default::default()
            };
            table
                .update_entity(&entity, UpdateMode::Replace, Some(options))
                .await
        };
        let refused = update(old).await.unwrap_err();
        assert_eq!(
            ErrorCode::of(&refused),
            Some(ErrorCode::UpdateConditionNotSatisfied)
        );
        let seen = ask_python(&table, "get", keys_of(std::slice::from_ref(&entity))).await;
        update(Etag::from(seen[0]["etag"].as_str().unwrap()))
            .await
            .unwrap();
    });
}
