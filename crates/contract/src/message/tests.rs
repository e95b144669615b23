//! Tests of parsing messages, and of refusing them for the right reason.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD as STANDARD, BASE64_URL_SAFE as URL_SAFE};

use super::*;

fn message() -> Message {
    let at = Stamp::from_micros(1_795_439_655_678_901);
    Message::new(
        "r1-1".parse().unwrap(),
        "Scale Test Message : COUNT 1".into(),
        at,
        at,
    )
}

fn with(field: &str, value: serde_json::Value) -> String {
    let mut json: serde_json::Value = serde_json::from_str(&message().encode()).unwrap();
    match value {
        serde_json::Value::Null => drop(json.as_object_mut().unwrap().remove(field)),
        value => json[field] = value,
    }
    json.to_string()
}

#[test]
fn a_message_round_trips_and_carries_the_samples_fields() {
    let body = message().encode();
    assert_eq!(Message::decode(&body), Ok(message()));
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(json["msg"], "Scale Test Message : COUNT 1");
    assert_eq!(json["srcStamp"], "2026-11-23 13:14:15.678901");
}

#[test]
fn each_missing_field_is_named() {
    for field in ["msg", "srcStamp", "id", "sentStamp", "digest"] {
        let error = Message::decode(&with(field, serde_json::Value::Null)).unwrap_err();
        assert_eq!(error, MessageError::MissingField(field));
    }
}

#[test]
fn each_malformed_field_is_named() {
    for field in ["srcStamp", "id", "sentStamp", "digest"] {
        let error = Message::decode(&with(field, "nonsense".into())).unwrap_err();
        assert!(
            matches!(error, MessageError::BadField { field: named, .. } if named == field),
            "{error}"
        );
    }
}

#[test]
fn bodies_that_are_no_messages_are_told_apart() {
    let reason = |body: &str| Message::decode(body).unwrap_err().reason();
    assert_eq!(reason("not json"), PoisonReason::NotJson);
    assert_eq!(reason(""), PoisonReason::NotJson);
    assert_eq!(reason("{\"msg\": \"cut o"), PoisonReason::NotJson);
    assert_eq!(reason("42"), PoisonReason::BadField);
    assert_eq!(reason(&with("msg", 7.into())), PoisonReason::BadField);
    assert_eq!(reason("[1]"), PoisonReason::BadField);
    for text in [
        "2026-11-28 order 5 shipped",
        "true story",
        "nullable",
        "-",
        "{} {}",
        "\u{feff}{}",
    ] {
        assert_eq!(reason(text), PoisonReason::NotJson, "{text:?}");
    }
    assert_eq!(reason("{}"), PoisonReason::MissingField);
    assert_eq!(
        reason(&with("msg", "tampered".into())),
        PoisonReason::DigestMismatch
    );
}

#[test]
fn a_payload_that_fits_no_column_is_oversized_and_the_largest_that_fits_is_not() {
    let sized = |units: usize| {
        let at = Stamp::default();
        Message::new("r1-1".parse().unwrap(), "ä".repeat(units), at, at).encode()
    };
    assert!(Message::decode(&sized(MAX_DATA_UTF16)).is_ok());
    assert_eq!(
        Message::decode(&sized(MAX_DATA_UTF16 + 1)),
        Err(MessageError::Oversized {
            utf16: MAX_DATA_UTF16 + 1
        })
    );
}

/// A list with the texts of a message's fields in their order is not an object (RFC 8259, section 4), and not a message.
#[test]
fn a_list_of_a_messages_texts_is_no_message() {
    let json: serde_json::Value = serde_json::from_str(&message().encode()).unwrap();
    let texts = ["msg", "srcStamp", "id", "sentStamp", "digest"].map(|field| json[field].clone());
    for body in [
        serde_json::json!(texts).to_string(),
        serde_json::json!([json]).to_string(),
    ] {
        let error = Message::decode(&body).unwrap_err();
        assert_eq!(error.reason(), PoisonReason::BadField, "{body}");
        assert!(error.to_string().contains("it is a list"), "{error}");
        assert_eq!(id_of_body(&body), None);
    }
    assert_eq!(id_of_body("[\"r1-1\"]"), None);
}

#[test]
fn a_good_message_in_base64_says_so() {
    let encode = |bytes: &[u8]| STANDARD.encode(bytes);
    let good = message().encode();
    for body in [
        encode(good.as_bytes()),
        encode(format!("\u{feff}{good}").as_bytes()),
        format!("\"{}\"", encode(good.as_bytes())),
        encode(good.as_bytes()).trim_end_matches('=').to_owned(),
        URL_SAFE.encode(good.as_bytes()) + "\n",
    ] {
        let error = Message::decode(&body).unwrap_err();
        let is_text = body.starts_with('"');
        let reason = if is_text {
            PoisonReason::BadField
        } else {
            PoisonReason::NotJson
        };
        assert_eq!(error.reason(), reason);
        assert!(
            error.to_string().contains("base64 of a good message"),
            "{error}"
        );
    }
    let json = Message::decode(&encode(b"{\"a\":1}"))
        .unwrap_err()
        .to_string();
    assert!(json.contains("base64 of JSON"), "{json}");
    // Letters and digits that may be Base64 of anything.
    let word = Message::decode("hello123").unwrap_err().to_string();
    assert!(!word.contains("base64"), "{word}");
}

/// Message bodies in public reports (`docs/FIELD.md`).
#[test]
fn bodies_of_other_systems_are_told_apart() {
    for (body, reason, words) in [
        // Azure/azure-functions-host#3886: str() of bytes, in Python
        (
            "b'eyJkYXRlIjogIjEyMyIsICJsb2NhdGlvbiI6ICJzb21ld2hlcmUifQ=='",
            PoisonReason::NotJson,
            "base64 of JSON",
        ),
        // Azure/azure-webjobs-sdk#2667: Event Grid delivers one event unchanged
        (
            r#"{"topic":"/subscriptions/s","subject":"/blobServices/default","eventType":"Microsoft.Storage.BlobCreated","id":"831e1650-001e-001b-66ab-eeb76e069631","data":{},"dataVersion":"","metadataVersion":"1"}"#,
            PoisonReason::MissingField,
            "`msg` is missing",
        ),
        // The schema of Event Grid for webhooks, and of Sonepar's: a list of events
        (
            r#"[{"id":"1","eventType":"x","data":{}}]"#,
            PoisonReason::BadField,
            "it is a list",
        ),
        // argoproj/argo-events#2627: base64 of JSON
        (
            "eyJoZWxsbyI6ICJ3b3JsZCJ9",
            PoisonReason::NotJson,
            "base64 of JSON",
        ),
        // azure-webjobs-sdk, the quickstart's message
        ("Hello, World!", PoisonReason::NotJson, "expected value"),
        // A message of the sample, encoded twice by its serialiser
        (
            r#""{\"msg\": \"Scale Test\", \"srcStamp\": \"2024-01-01\"}""#,
            PoisonReason::BadField,
            "encoded twice",
        ),
        // Azure-Samples/aks-event-driven-replicate-from-aws: the sample's own message
        (
            r#"{"msg": "Scale Test Message : COUNT 1", "srcStamp": "2024-10-01 10:00:00.000000"}"#,
            PoisonReason::MissingField,
            "`id` is missing",
        ),
        // .NET's classic SDK wrote XML into the queue
        (
            "<QueueMessage><MessageText>x</MessageText></QueueMessage>",
            PoisonReason::NotJson,
            "expected value",
        ),
    ] {
        let error = Message::decode(body).unwrap_err();
        assert_eq!(error.reason(), reason, "{body}: {error}");
        assert!(error.to_string().contains(words), "{body}: {error}");
    }
}

#[test]
fn no_reason_names_a_type_of_ours() {
    let good = message().encode();
    for body in [
        "[]",
        "7",
        "true",
        "null",
        "\"text\"",
        "true story",
        "77u/eyJh",
        "{",
        "{}",
        "[1, 2",
        "\u{feff}{}",
        &with("msg", 7.into()),
        &with("id", serde_json::json!(["a"])),
        &with("digest", true.into()),
        &with("sentStamp", 1_795_439_655_u64.into()),
        &good.replacen('{', "{\"id\":\"r1-2\",", 1),
        &format!("{good}{good}"),
        "<xml/>",
        "",
        " ",
        "\u{0}",
    ] {
        let error = Message::decode(body).unwrap_err().to_string();
        for ours in [
            "struct", "Wire", "Cow", "Option", "borrowed", "tuple", "map", "seq",
        ] {
            assert!(!error.contains(ours), "{body:?}: {error}");
        }
    }
}

#[test]
fn a_field_of_another_type_is_named() {
    for (field, value, found) in [
        ("msg", serde_json::json!(7), "a number"),
        ("id", serde_json::json!(["r1-1"]), "a list"),
        ("digest", serde_json::json!(true), "a boolean"),
        ("srcStamp", serde_json::json!({}), "an object"),
    ] {
        let error = Message::decode(&with(field, value)).unwrap_err();
        let expected = format!("field `{field}` is malformed: it is {found}, not a text");
        assert_eq!(error.to_string(), expected);
    }
}

proptest::proptest! {
    #[test]
    fn decoding_any_text_never_panics(body in ".*") {
        let _ = Message::decode(&body);
    }
}
