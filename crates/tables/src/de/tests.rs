//! Tests of deserialising entities.

use crate::{Binary, DateTime, Entity, Guid, Stored, Value, models::EntityPage};
use azure_core::Uuid;
use serde::{Deserialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use time::macros::datetime;

const FULL: &str = r#"{"odata.metadata":"http://h/$metadata","odata.etag":"W/\"1\"",
    "PartitionKey":"p","RowKey":"r\"x","Timestamp":"2026-11-23T01:02:03.1234567Z",
    "Big@odata.type":"Edm.Int64","Big":"9223372036854775807","Small":5,
    "Nan@odata.type":"Edm.Double","Nan":"NaN","Whole":1.0,"Half":0.5,
    "At@odata.type":"Edm.DateTime","At":"2026-11-23T00:00:00Z",
    "Id@odata.type":"Edm.Guid","Id":"00000000-0000-0000-0000-000000000001",
    "Raw@odata.type":"Edm.Binary","Raw":"AP8=","Yes":true,"Text":"123","Gone":null}"#;

fn page<T: DeserializeOwned>(entity: &str) -> Result<Vec<T>, serde_json::Error> {
    serde_json::from_str::<EntityPage<T>>(&format!(
        r#"{{"odata.metadata":"m","value":[{entity}]}}"#
    ))
    .map(|page| page.value)
}

fn one<T: DeserializeOwned>(entity: &str) -> T {
    page(entity).unwrap().pop().unwrap()
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Full {
    partition_key: String,
    row_key: String,
    timestamp: DateTime,
    big: i64,
    small: i32,
    nan: f64,
    whole: f64,
    half: f32,
    at: Option<DateTime>,
    id: Guid,
    raw: Binary,
    yes: bool,
    text: String,
    gone: Option<u64>,
}

#[test]
fn a_struct_reads_every_type_and_sees_no_annotation() {
    let full: Full = one(FULL);
    assert_eq!(full.row_key, "r\"x");
    assert_eq!(full.big, i64::MAX);
    assert_eq!((full.small, full.half, full.yes), (5, 0.5, true));
    assert!(full.nan.is_nan() && (full.whole - 1.0).abs() < f64::EPSILON);
    assert_eq!(
        full.at,
        Some(DateTime::from(datetime!(2026-11-23 0:00 UTC)))
    );
    assert_eq!(full.id, Guid(Uuid::from_u128(1)));
    assert_eq!(full.raw, Binary(vec![0, 255]));
    assert_eq!((full.text.as_str(), full.gone), ("123", None));
}

#[test]
fn stored_adds_etag_and_timestamp_however_it_is_reached() {
    let at = DateTime::from(datetime!(2026-11-23 01:02:03.1234567 UTC));
    let direct: Stored<Full> = serde_json::from_str(FULL).unwrap();
    let in_page: Stored<Full> = one(FULL);
    for stored in [direct, in_page] {
        assert_eq!(stored.etag.unwrap().as_ref(), "W/\"1\"");
        assert_eq!(stored.timestamp, Some(at));
        assert_eq!(stored.entity.timestamp, at);
        assert_eq!(stored.entity.big, i64::MAX);
    }
}

#[test]
fn a_timestamp_that_is_noted_still_reaches_the_entity() {
    #[derive(Deserialize)]
    struct Row<T> {
        #[serde(rename = "Timestamp")]
        timestamp: T,
    }
    let at = DateTime::from(datetime!(2026-11-23 01:02:03.1234567 UTC));
    let optional: Stored<Row<Option<DateTime>>> = one(FULL);
    assert_eq!(
        (optional.entity.timestamp, optional.timestamp),
        (Some(at), Some(at))
    );
    let text: Stored<Row<String>> = one(FULL);
    assert_eq!(text.entity.timestamp, "2026-11-23T01:02:03.1234567Z");
    // An escape keeps the text from being borrowed.
    let escaped = FULL.replace("2026-11-23T01:02", "2026-11-23T01\\u003a02");
    let optional: Stored<Row<Option<DateTime>>> = one(&escaped);
    assert_eq!(
        (optional.entity.timestamp, optional.timestamp),
        (Some(at), Some(at))
    );
}

#[test]
fn without_metadata_the_etag_follows_from_the_timestamp() {
    let stored: Stored<Entity> =
        one(r#"{"PartitionKey":"p","RowKey":"r","Timestamp":"2026-11-23T01:02:03.1234567Z"}"#);
    assert_eq!(
        stored.etag.unwrap().as_ref(),
        "W/\"datetime'2026-11-23T01%3A02%3A03.1234567Z'\""
    );
    let selected: Stored<Entity> = one(r#"{"PartitionKey":"p"}"#);
    assert_eq!((selected.etag, selected.timestamp), (None, None));
}

#[test]
fn an_entity_of_any_shape_keeps_the_types() {
    let entity: Entity = one(FULL);
    assert_eq!(
        (entity.partition_key.as_str(), entity.row_key.as_str()),
        ("p", "r\"x")
    );
    assert_eq!(entity.get("Big"), Some(&Value::Int64(i64::MAX)));
    assert_eq!(entity.get("Small"), Some(&Value::Int32(5)));
    assert!(matches!(entity.get("Nan"), Some(Value::Double(nan)) if nan.is_nan()));
    assert_eq!(entity.get("Whole"), Some(&Value::Double(1.0)));
    assert!(matches!(entity.get("At"), Some(Value::DateTime(_))));
    assert!(matches!(entity.get("Id"), Some(Value::Guid(_))));
    assert_eq!(
        entity.get("Raw"),
        Some(&Value::Binary(Binary(vec![0, 255])))
    );
    assert_eq!(entity.get("Yes"), Some(&Value::Boolean(true)));
    assert_eq!(entity.get("Text"), Some(&Value::String("123".to_owned())));
    assert_eq!((entity.get("Gone"), entity.get("Timestamp")), (None, None));
}

/// The shortest text of a double must give the same double: `serde_json`'s faster parser is off by one in the last place here.
#[test]
fn doubles_come_back_to_the_last_place() {
    for double in [1.333_333_333_333_333_7, 5e-324, 0.1 + 0.2, f64::MAX] {
        let text = format!(r#"{{"PartitionKey": "p", "RowKey": "r", "F": {double:?}}}"#);
        let entity: Entity = serde_json::from_str(&text).unwrap();
        assert_eq!(entity.get("F"), Some(&Value::Double(double)), "{text}");
    }
}

#[test]
fn flattened_fields_and_maps_use_the_annotations() {
    #[derive(Deserialize)]
    struct Inner {
        #[serde(rename = "Big")]
        big: i64,
        #[serde(rename = "Nan")]
        nan: f64,
    }
    #[derive(Deserialize)]
    struct Outer {
        #[serde(flatten)]
        inner: Inner,
        #[serde(flatten)]
        rest: BTreeMap<String, serde_json::Value>,
    }
    let outer: Outer = one(FULL);
    assert_eq!(outer.inner.big, i64::MAX);
    assert!(outer.inner.nan.is_nan());
    assert_eq!(outer.rest["Text"], "123");
    assert!(outer.rest.keys().all(|name| !name.contains("odata")));
    let map: BTreeMap<String, serde_json::Value> = one(FULL);
    assert_eq!(map["Big"], i64::MAX);
}

#[test]
fn an_annotation_counts_for_its_own_property_only() {
    let entity: Entity =
        one(r#"{"PartitionKey":"p","RowKey":"r","A@odata.type":"Edm.Int64","B":"7"}"#);
    assert_eq!(entity.get("B"), Some(&Value::String("7".to_owned())));
}

#[test]
fn text_that_is_no_number_is_refused_where_one_is_wanted() {
    #[derive(Debug, Deserialize)]
    struct Row {
        #[serde(rename = "A")]
        _a: i64,
    }
    for (text, reason) in [
        (r#"{"A":"twelve"}"#, "an integer (Edm.Int64)"),
        (r#"{"A":"9223372036854775808"}"#, "an integer (Edm.Int64)"),
        (r#"{"A":1.5}"#, "i64"),
        (r#"{"B":1}"#, "missing field `A`"),
    ] {
        let error = page::<Row>(text).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn a_page_may_be_empty_and_must_be_a_page() {
    let empty: EntityPage<Entity> = serde_json::from_str(r#"{"value":[]}"#).unwrap();
    assert!(empty.value.is_empty());
    for malformed in [
        "{}",
        "[]",
        r#"{"value":5}"#,
        r#"{"value":[{"#,
        r#"{"value":[{}]"#,
    ] {
        assert!(
            serde_json::from_str::<EntityPage<Entity>>(malformed).is_err(),
            "{malformed}"
        );
    }
}
