//! Tests of documents: an entity at each level of metadata, and errors as XML and as JSON.

use serde_json::{Value as Json, json};

use crate::played::Played;

const ENTITY: &str = r#"{"PartitionKey":"it's","RowKey":"a b","Small":1,"Half":2.0,"Text":"x","Yes":true,"Null":null,
"Big@odata.type":"Edm.Int64","Big":"9007199254740993","At@odata.type":"Edm.DateTime","At":"2026-11-28T18:00:00.50Z",
"Id@odata.type":"Edm.Guid","Id":"A455C695-DF98-5678-AAAA-81D3367E5A34","Raw@odata.type":"Edm.Binary","Raw":"AAEC",
"Odd@odata.type":"Edm.Double","Odd":"NaN"}"#;

const TARGET: &str = "/table(PartitionKey='it''s',RowKey='a%20b')";

fn document(level: &str) -> Json {
    let played = Played::with_table();
    assert_eq!(played.table("POST", "/table", &[], ENTITY).status, 201);
    let accept = format!("application/json;odata={level}");
    let seen = played.table("GET", TARGET, &[("accept", &accept)], "");
    assert_eq!(seen.status, 200, "{}", seen.body);
    assert_eq!(
        seen.header("content-type"),
        format!("application/json;odata={level};streaming=true;charset=utf-8")
    );
    serde_json::from_str(&seen.body).unwrap()
}

/// The members at every level.
fn bare() -> Json {
    json!({
        "PartitionKey": "it's", "RowKey": "a b", "Timestamp": "2026-11-28T18:03:44Z",
        "Small": 1, "Half": 2.0, "Text": "x", "Yes": true, "Big": "9007199254740993", "At": "2026-11-28T18:00:00.5Z",
        "Id": "a455c695-df98-5678-aaaa-81d3367e5a34", "Raw": "AAEC", "Odd": "NaN",
    })
}

/// Adds these members.
fn and(mut document: Json, members: Json) -> Json {
    let Json::Object(more) = members else {
        panic!("members must be those of an object");
    };
    document.as_object_mut().unwrap().extend(more);
    document
}

fn minimal() -> Json {
    and(
        bare(),
        json!({
            "odata.metadata": "http://127.0.0.1:10001/devstoreaccount1/$metadata#table/@Element",
            "odata.etag": "W/\"datetime'2026-11-28T18%3A03%3A44Z'\"",
            "Big@odata.type": "Edm.Int64", "At@odata.type": "Edm.DateTime", "Id@odata.type": "Edm.Guid",
            "Raw@odata.type": "Edm.Binary", "Odd@odata.type": "Edm.Double",
        }),
    )
}

#[test]
fn without_metadata_there_are_properties_alone() {
    assert_eq!(document("nometadata"), bare());
}

#[test]
fn minimal_metadata_has_the_version_and_types_that_json_cannot_tell() {
    assert_eq!(document("minimalmetadata"), minimal());
}

#[test]
fn full_metadata_has_addresses_and_the_type_of_the_timestamp_too() {
    let path = "table(PartitionKey='it%27%27s',RowKey='a%20b')";
    let expected = and(
        minimal(),
        json!({
            "odata.type": "devstoreaccount1.table",
            "odata.id": format!("http://127.0.0.1:10001/devstoreaccount1/{path}"),
            "odata.editLink": path,
            "Timestamp@odata.type": "Edm.DateTime",
        }),
    );
    assert_eq!(document("fullmetadata"), expected);
}

#[test]
fn an_error_is_xml_for_queues_and_json_for_tables() {
    let played = Played::new();
    let xml = played.queue("GET", "/missing?comp=metadata", &[], "");
    assert_eq!(xml.elements("Code"), ["QueueNotFound"]);
    let message = xml.elements("Message")[0];
    assert!(
        message.starts_with("The specified queue does not exist.\nRequestId:"),
        "{message}"
    );
    assert!(
        message.ends_with("\nTime:2026-11-28T18:03:44Z"),
        "{message}"
    );
    let seen = played.table("GET", "/missing()", &[], "");
    let json: Json = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(json["odata.error"]["code"], "TableNotFound");
    assert_eq!(json["odata.error"]["message"]["lang"], "en-US");
    let atom = played.table(
        "GET",
        "/missing()",
        &[("accept", "application/atom+xml")],
        "",
    );
    assert_eq!(
        (atom.status, atom.elements("Code")),
        (415, vec!["AtomFormatNotSupported"])
    );
}

#[test]
fn every_answer_names_its_request_and_version() {
    let played = Played::with_queue();
    let headers = [
        ("x-ms-client-request-id", "mine"),
        ("x-ms-version", "2019-02-02"),
    ];
    let seen = played.queue("GET", "/queue?comp=metadata", &headers, "");
    assert_eq!(seen.header("x-ms-client-request-id"), "mine");
    assert_eq!(seen.header("x-ms-version"), "2019-02-02");
    assert_eq!(seen.header("x-ms-request-id").len(), 36);
}

#[test]
fn a_query_goes_on_where_its_continuation_says() {
    let played = Played::with_table();
    for row in ["a", "b", "c"] {
        let entity = json!({"PartitionKey": "é/".replace('/', "x"), "RowKey": row}).to_string();
        assert_eq!(played.table("POST", "/table", &[], &entity).status, 201);
    }
    let first = played.table("GET", "/table()?$top=2", &[], "");
    let next = |name: &str| {
        first
            .header(&format!("x-ms-continuation-{name}"))
            .to_owned()
    };
    let (partition, row) = (next("nextpartitionkey"), next("nextrowkey"));
    let target = format!("/table()?$top=2&NextPartitionKey={partition}&NextRowKey={row}");
    let second = played.table("GET", &target, &[], "");
    let rows: Json = serde_json::from_str(&second.body).unwrap();
    assert_eq!(rows["value"][0]["RowKey"], "c");
    assert_eq!(second.header("x-ms-continuation-nextrowkey"), "");
    let broken = played.table("GET", "/table()?NextPartitionKey=nonsense", &[], "");
    assert_eq!(broken.code, "InvalidInput");
    let nothing = played.table("GET", "/table()?$top=0", &[], "");
    assert_eq!(
        (
            nothing.status,
            nothing.header("x-ms-continuation-nextrowkey")
        ),
        (200, "")
    );
}
