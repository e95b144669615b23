//! Tests of the JSON of entities.

use super::*;
use crate::{Binary, DateTime, Guid};
use azure_core::Uuid;
use serde::Serialize;
use std::collections::BTreeMap;
use time::macros::datetime;

fn json<T: Serialize>(entity: &T) -> Result<String, EntityError> {
    let mut out = Vec::new();
    encode(entity, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[derive(Serialize)]
struct Sample<T> {
    #[serde(rename = "PartitionKey")]
    partition: &'static str,
    #[serde(rename = "RowKey")]
    row: &'static str,
    #[serde(rename = "Value")]
    value: T,
}

fn value<T: Serialize>(value: T) -> Result<String, EntityError> {
    let text = json(&Sample {
        partition: "p",
        row: "r",
        value,
    })?;
    let rest = text
        .strip_prefix(r#"{"PartitionKey":"p","RowKey":"r""#)
        .unwrap();
    Ok(rest
        .strip_suffix('}')
        .unwrap()
        .trim_start_matches(',')
        .to_owned())
}

#[test]
fn each_type_is_annotated_as_the_service_expects() {
    let typed = |edm: &str, text: &str| format!(r#""Value@odata.type":"{edm}","Value":{text}"#);
    assert_eq!(value(true).unwrap(), r#""Value":true"#);
    assert_eq!(value("a\"b\n").unwrap(), r#""Value":"a\"b\n""#);
    assert_eq!(value(-5_i32).unwrap(), r#""Value":-5"#);
    assert_eq!(value(5_u16).unwrap(), r#""Value":5"#);
    assert_eq!(
        value(i64::MAX).unwrap(),
        typed("Edm.Int64", "\"9223372036854775807\"")
    );
    assert_eq!(
        value(i64::MIN).unwrap(),
        typed("Edm.Int64", "\"-9223372036854775808\"")
    );
    assert_eq!(value(7_u32).unwrap(), typed("Edm.Int64", "\"7\""));
    assert_eq!(value(7_u64).unwrap(), typed("Edm.Int64", "\"7\""));
    assert_eq!(value(1.0_f64).unwrap(), typed("Edm.Double", "1.0"));
    assert_eq!(value(0.1_f64).unwrap(), typed("Edm.Double", "0.1"));
    assert_eq!(value(f64::NAN).unwrap(), typed("Edm.Double", "\"NaN\""));
    assert_eq!(
        value(f64::INFINITY).unwrap(),
        typed("Edm.Double", "\"Infinity\"")
    );
    assert_eq!(
        value(f64::NEG_INFINITY).unwrap(),
        typed("Edm.Double", "\"-Infinity\"")
    );
    assert_eq!(
        value(Binary(vec![0, 255])).unwrap(),
        typed("Edm.Binary", "\"AP8=\"")
    );
    let time = DateTime::from(datetime!(2026-11-23 1:02:03 UTC));
    assert_eq!(
        value(time).unwrap(),
        typed("Edm.DateTime", "\"2026-11-23T01:02:03.0000000Z\"")
    );
    let guid = Guid(Uuid::from_u128(1));
    assert_eq!(
        value(guid).unwrap(),
        typed("Edm.Guid", "\"00000000-0000-0000-0000-000000000001\"")
    );
}

#[test]
fn options_newtypes_and_unit_variants_are_transparent() {
    #[derive(Serialize)]
    struct Wrapped(Option<DateTime>);
    #[derive(Serialize)]
    enum Colour {
        Red,
    }
    assert_eq!(value(None::<i64>).unwrap(), "");
    assert_eq!(value(()).unwrap(), "");
    assert_eq!(value(Some(1_i64)).unwrap(), value(1_i64).unwrap());
    let time = DateTime::from(datetime!(2026-11-23 1:02:03 UTC));
    assert_eq!(value(Wrapped(Some(time))).unwrap(), value(time).unwrap());
    assert_eq!(value(Colour::Red).unwrap(), r#""Value":"Red""#);
    assert_eq!(value('x').unwrap(), r#""Value":"x""#);
}

#[test]
fn what_a_table_cannot_store_is_named() {
    let unsupported = |result: Result<String, EntityError>| match result.unwrap_err() {
        EntityError::UnsupportedType { property, found } => format!("{property}: {found}"),
        other => panic!("{other}"),
    };
    assert_eq!(
        unsupported(value(vec![1, 2])),
        "Value: a list (for bytes use tables::Binary)"
    );
    assert_eq!(
        unsupported(value((1, 2))),
        "Value: a tuple or array (for bytes use tables::Binary)"
    );
    assert_eq!(
        unsupported(value(BTreeMap::from([("a", 1)]))),
        "Value: a map"
    );
    assert_eq!(
        value(u64::MAX).unwrap_err(),
        EntityError::IntegerTooLarge {
            property: "Value".to_owned(),
            value: u64::MAX
        }
    );
    assert_eq!(
        json(&5).unwrap_err(),
        EntityError::NotAnObject {
            found: "an integer"
        }
    );
    let numbered = BTreeMap::from([(1, "a")]);
    assert!(matches!(
        json(&numbered).unwrap_err(),
        EntityError::NotAnObject { .. }
    ));
}

#[test]
fn keys_must_be_there_be_strings_and_be_valid() {
    #[derive(Serialize)]
    struct Keys<P, R> {
        #[serde(rename = "PartitionKey")]
        partition: P,
        #[serde(rename = "RowKey")]
        row: R,
    }
    let missing = BTreeMap::from([("PartitionKey", "p")]);
    assert_eq!(
        json(&missing).unwrap_err(),
        EntityError::MissingKey("RowKey")
    );
    for (error, key) in [
        (
            json(&Keys {
                partition: 5,
                row: "r",
            }),
            "PartitionKey",
        ),
        (
            json(&Keys {
                partition: "p",
                row: 5_i64,
            }),
            "RowKey",
        ),
        (
            json(&Keys {
                partition: "p",
                row: None::<&str>,
            }),
            "RowKey",
        ),
        (
            json(&Keys {
                partition: "p",
                row: Guid::default(),
            }),
            "RowKey",
        ),
        (
            json(&Keys {
                partition: 0.5,
                row: "r",
            }),
            "PartitionKey",
        ),
        (
            json(&Keys {
                partition: [1],
                row: "r",
            }),
            "PartitionKey",
        ),
    ] {
        assert!(
            matches!(error.unwrap_err(), EntityError::KeyNotAString { key: k, .. } if k == key)
        );
    }
    let slash = json(&Keys {
        partition: "p",
        row: "a/b",
    })
    .unwrap_err();
    assert!(
        slash.to_string().contains("RowKey holds '/' at byte 1"),
        "{slash}"
    );
}

#[test]
fn keys_are_found_again_in_the_text() {
    let row = Sample {
        partition: "it's \"quoted\" é",
        row: "",
        value: 1,
    };
    let mut out = b"before".to_vec();
    let keys = encode(&row, &mut out).unwrap();
    assert_eq!(keys.partition(&out), "it's \"quoted\" é");
    assert_eq!(keys.row(&out), "");
}

#[test]
fn flattened_fields_and_maps_are_properties_and_timestamp_is_left_out() {
    #[derive(Serialize)]
    struct Keys {
        #[serde(rename = "PartitionKey")]
        partition: &'static str,
        #[serde(rename = "RowKey")]
        row: &'static str,
    }
    #[derive(Serialize)]
    struct Flat {
        #[serde(flatten)]
        keys: Keys,
        #[serde(rename = "Timestamp")]
        timestamp: Option<DateTime>,
        #[serde(flatten)]
        rest: BTreeMap<String, i64>,
    }
    let flat = Flat {
        keys: Keys {
            partition: "p",
            row: "r",
        },
        timestamp: Some(DateTime::from(datetime!(2026-11-23 0:00 UTC))),
        rest: BTreeMap::from([("Count".to_owned(), 3)]),
    };
    assert_eq!(
        json(&flat).unwrap(),
        r#"{"PartitionKey":"p","RowKey":"r","Count@odata.type":"Edm.Int64","Count":"3"}"#
    );
}

/// A reader takes such properties for annotations and drops them, so the written value would be lost.
#[test]
fn a_name_that_no_property_can_have_is_refused_before_anything_is_sent() {
    for name in ["odata.etag", "x@odata.type", "my-prop", "1st", "a b", ""] {
        let entity = BTreeMap::from([("PartitionKey", "p"), ("RowKey", "r"), (name, "v")]);
        let error = json(&entity).unwrap_err();
        assert!(matches!(error, EntityError::Name(_)), "{name}: {error}");
    }
    let read = crate::Entity::new("p", "r").with("odata.etag", "W/\"1\"");
    assert!(matches!(json(&read), Err(EntityError::Name(_))));
}
