//! Tests of the limits of "Understanding the Table service data model", for insertions and updates.

use serde_json::{Map, Value as Json, json};

use crate::played::Played;

const TARGET: &str = "/table(PartitionKey='p',RowKey='r')";

/// The results of inserting and of putting an entity with these members.
fn written(members: &Json) -> [(u16, String); 2] {
    let played = Played::with_table();
    let mut entity = members.as_object().unwrap().clone();
    for key in ["PartitionKey", "RowKey"] {
        entity
            .entry(key)
            .or_insert_with(|| json!(if key == "RowKey" { "r" } else { "p" }));
    }
    let inserted = played.table("POST", "/table", &[], &Json::Object(entity).to_string());
    let put = played.table("PUT", TARGET, &[], &members.to_string());
    [(inserted.status, inserted.code), (put.status, put.code)]
}

fn refused(members: &Json, code: &str) {
    let expected = (400, code.to_owned());
    assert_eq!(written(members), [expected.clone(), expected]);
}

fn taken(members: &Json) {
    let [inserted, put] = written(members);
    assert_eq!((inserted.0, put.0), (201, 204), "{} {}", inserted.1, put.1);
}

fn many(count: usize) -> Json {
    let members: Map<String, Json> = (0..count).map(|n| (format!("P{n}"), json!(n))).collect();
    Json::Object(members)
}

#[test]
fn an_entity_has_at_most_252_properties_of_its_own() {
    taken(&many(252));
    refused(&many(253), "TooManyProperties");
}

#[test]
fn a_text_has_at_most_32_k_units_of_utf_16_and_a_binary_value_64_kib() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    taken(&json!({"A": "é".repeat(32 * 1024)}));
    refused(
        &json!({"A": "é".repeat(32 * 1024 + 1)}),
        "PropertyValueTooLarge",
    );
    refused(
        &json!({"A": "🦀".repeat(16 * 1024 + 1)}),
        "PropertyValueTooLarge",
    );
    let binary =
        |count| json!({"A@odata.type": "Edm.Binary", "A": STANDARD.encode(vec![0; count])});
    taken(&binary(64 * 1024));
    refused(&binary(64 * 1024 + 1), "PropertyValueTooLarge");
}

#[test]
fn an_entity_has_at_most_one_mib() {
    let text = "x".repeat(32 * 1024);
    let members = |count: usize| {
        let members: Map<String, Json> =
            (0..count).map(|n| (format!("P{n}"), json!(text))).collect();
        Json::Object(members)
    };
    taken(&members(15));
    refused(&members(16), "EntityTooLarge");
}

#[test]
fn a_merge_cannot_grow_an_entity_beyond_its_limit() {
    let played = Played::with_table();
    let text = "x".repeat(32 * 1024);
    for n in 0..16 {
        let merged = played.table(
            "PATCH",
            TARGET,
            &[],
            &json!({format!("P{n}"): text}).to_string(),
        );
        let expected = if n < 15 { "" } else { "EntityTooLarge" };
        assert_eq!(merged.code, expected, "{n}");
    }
}

#[test]
fn names_of_properties_are_identifiers_of_at_most_255_units() {
    taken(&json!({"é1_": 1, "A".repeat(255): 1}));
    refused(&json!({"A".repeat(256): 1}), "PropertyNameTooLong");
    for name in ["a-b", "1a", "", "a b", "a.b"] {
        refused(&json!({name: 1}), "PropertyNameInvalid");
    }
}

#[test]
fn values_must_be_of_their_types() {
    for members in [
        json!({"A@odata.type": "Edm.Int64", "A": "many"}),
        json!({"A@odata.type": "Edm.Int32", "A": 2_147_483_648_i64}),
        json!({"A": 2_147_483_648_i64}),
        json!({"A@odata.type": "Edm.DateTime", "A": ""}),
        json!({"A@odata.type": "Edm.Guid", "A": "1"}),
        json!({"A@odata.type": "Edm.Binary", "A": "***"}),
        json!({"A@odata.type": "Edm.Nonsense", "A": "1"}),
        json!({"A": {"nested": 1}}),
        json!({"A": [1]}),
    ] {
        refused(&members, "InvalidInput");
    }
}

#[test]
fn a_property_twice_is_refused() {
    let played = Played::with_table();
    let body = r#"{"PartitionKey":"p","RowKey":"r","A":1,"A":2}"#;
    assert_eq!(
        played.table("POST", "/table", &[], body).code,
        "DuplicatePropertiesSpecified"
    );
}

#[test]
fn keys_have_at_most_one_kib_and_no_forbidden_characters() {
    let played = Played::with_table();
    let insert = |partition: &str| {
        let entity = json!({"PartitionKey": partition, "RowKey": "r"}).to_string();
        played.table("POST", "/table", &[], &entity).code
    };
    assert_eq!(insert(&"é".repeat(512)), "");
    assert_eq!(insert(&"é".repeat(513)), "PropertyValueTooLarge");
    for forbidden in ["a/b", "a\\b", "a#b", "a?b", "a\tb", "a\u{7f}", "a\u{85}"] {
        assert_eq!(insert(forbidden), "OutOfRangeInput", "{forbidden:?}");
    }
    let missing = played.table("POST", "/table", &[], r#"{"PartitionKey":"p"}"#);
    assert_eq!(missing.code, "PropertiesNeedValue");
}

#[test]
fn versions_are_checked() {
    let played = Played::with_table();
    let put = |if_match: &str| {
        let headers = [("if-match", if_match)];
        let answer = played.table("PUT", TARGET, &headers, "{}");
        (
            answer.status,
            answer.code.clone(),
            answer.header("etag").to_owned(),
        )
    };
    assert_eq!(put("*").1, "ResourceNotFound");
    let created = played
        .table("PUT", TARGET, &[], "{}")
        .header("etag")
        .to_owned();
    assert_eq!(put("malformed").1, "InvalidInput");
    assert_eq!(put("W/\"datetime'2020-01-01T00%3A00%3A00Z'\"").0, 412);
    let (status, _, next) = put(&created);
    assert_eq!(status, 204);
    assert_ne!(next, created, "within one tick of the clock too");
    assert_eq!(put(&created).1, "UpdateConditionNotSatisfied");
    assert_eq!(
        played.table("DELETE", TARGET, &[], "").code,
        "MissingRequiredHeader"
    );
    assert_eq!(
        played
            .table("DELETE", TARGET, &[("if-match", &created)], "")
            .status,
        412
    );
    assert_eq!(
        played
            .table("DELETE", TARGET, &[("if-match", &next)], "")
            .status,
        204
    );
}
