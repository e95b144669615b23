//! Tests of parsing the bodies of both services.

use super::*;

fn own() -> Lens {
    Lens::own("r1".parse().unwrap())
}

#[test]
fn deliveries_are_read_with_their_ids_and_counts() {
    let xml = br#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?><QueueMessagesList>
        <QueueMessage><MessageId>m1</MessageId><InsertionTime>x</InsertionTime><PopReceipt>a=/</PopReceipt>
        <DequeueCount>2</DequeueCount><MessageText>{&quot;id&quot;:&quot;r1-7&quot;,&quot;msg&quot;:&quot;&lt;&quot;}</MessageText></QueueMessage>
        <QueueMessage><MessageId>m2</MessageId><DequeueCount>1</DequeueCount><MessageText>no JSON</MessageText></QueueMessage>
        </QueueMessagesList>"#;
    let found = answered_messages(&own(), xml).unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|m| (&*m.queue_id, m.id.as_deref(), m.attempt))
        .collect();
    assert_eq!(told, [("m1", Some("r1-7"), Some(2)), ("m2", None, Some(1))]);
    assert_eq!(found[0].receipt, Some(canonical_receipt("a=/")));
    assert_eq!(
        answered_messages(&own(), b"<QueueMessagesList/>"),
        Ok(vec![])
    );
    let strange = Err("an answer that is no list of messages".to_owned());
    assert_eq!(answered_messages(&own(), b"<Queue"), strange);
    assert_eq!(answered_messages(&own(), b"\x1f\x8b"), strange);
}

#[test]
fn an_update_tells_whether_its_body_is_the_one_that_was_handed_over() {
    let xml = |body: &str| {
        let message = format!("<MessageText>{body}</MessageText>");
        format!("<QueueMessage><MessageId>m1</MessageId>{message}</QueueMessage>")
    };
    let list = format!(
        "<QueueMessagesList>{}</QueueMessagesList>",
        xml("a &amp; b")
    );
    let handed_over = answered_messages(&own(), list.as_bytes()).unwrap()[0].print;
    let updated = |xml: &str| updated_print(&Headers::default(), xml.as_bytes());
    assert_eq!(updated(""), Ok(None));
    assert_eq!(updated("<QueueMessage/>"), Ok(None));
    assert_eq!(updated(&xml("a &#38; b")), Ok(handed_over));
    assert!(handed_over.is_some() && updated(&xml("a")) != Ok(handed_over));
    assert!(updated("no XML").is_err());
}

#[test]
fn a_put_tells_its_message_and_what_it_poisons() {
    let put = |queue: &str, xml: &[u8]| put_message(&own(), queue, &Headers::default(), xml);
    let plain = put(
        "q",
        b"<QueueMessage><MessageText>{\"id\":\"r1-7\"}</MessageText></QueueMessage>",
    );
    assert_eq!(plain.unwrap().id.as_deref(), Some("r1-7"));
    let envelope = serde_json::json!({
        "reason": "digest-mismatch", "detail": "", "messageId": "m9", "attempt": 1, "consumer": "c",
        "poisonedStamp": contract::Stamp::from_micros(1), "part": 1, "parts": 1, "body": "{\"id\":\"r1-8\"}",
    });
    let xml = format!("<QueueMessage><MessageText>{envelope}</MessageText></QueueMessage>");
    let poison = put("q-poison", xml.as_bytes()).unwrap();
    assert_eq!(
        (poison.id.as_deref(), poison.poisons.as_deref()),
        (Some("r1-8"), Some("m9"))
    );
    let claims = Claimed {
        date: Some(contract::Stamp::from_micros(1)),
        attempt: Some(1),
        consumer: Some("c".to_owned()),
        ..Claimed::default()
    };
    assert_eq!(poison.claims, Some(claims));
    let elsewhere = put("q", xml.as_bytes()).unwrap();
    assert_eq!((elsewhere.id, elsewhere.poisons), (None, None));
    let part = xml.replace("\"parts\":1", "\"parts\":2");
    let unfinished = put("q-poison", part.as_bytes()).unwrap();
    assert_eq!(
        (unfinished.id.as_deref(), unfinished.poisons),
        (Some("r1-8"), None)
    );
    assert_eq!(
        (
            poison.poisons_in_part,
            unfinished.poisons_in_part.as_deref()
        ),
        (None, Some("m9"))
    );
}

#[test]
fn a_body_of_another_type_is_not_understood() {
    let of_type = |kind: &'static str| Headers::read([("content-type", Some(kind))].into_iter());
    let json = br#"{"PartitionKey":"p","RowKey":"r"}"#;
    let insert = |headers: &Headers, json: &[u8]| {
        let method = hyper::Method::POST;
        let target = crate::request::Target {
            service: crate::Service::Table,
            base: "",
            method: &method,
            path: "/T",
            query: None,
        };
        row(&own(), &Request::of(target, headers), headers, json)
    };
    for kind in [
        "application/json",
        "application/json;odata=nometadata",
        "application/json; charset=utf-8",
    ] {
        assert!(insert(&of_type(kind), json).unwrap().is_some(), "{kind}");
    }
    assert!(insert(&Headers::default(), json).unwrap().is_some());
    for (kind, strange) in [
        (
            "application/atom+xml",
            "the content type \"application/atom+xml\"",
        ),
        (
            "application/json; charset=utf-16",
            "the content type \"application/json; charset=utf-16\"",
        ),
    ] {
        assert_eq!(insert(&of_type(kind), json), Err(strange.to_owned()));
    }
    for broken in [
        "",
        "[]",
        r#"{"PartitionKey":"p"}"#,
        r#"{"PartitionKey":1,"RowKey":"r"}"#,
        r#"{"PartitionKey":"p","RowKey":"r","RowKey":"s"}"#,
    ] {
        let strange = Err("a body that is no entity".to_owned());
        assert_eq!(
            insert(&Headers::default(), broken.as_bytes()),
            strange,
            "{broken}"
        );
    }
    let put = |kind, xml: &[u8]| put_message(&own(), "q", &of_type(kind), xml).map(|_| ());
    let xml = b"<QueueMessage><MessageText>x</MessageText></QueueMessage>";
    assert_eq!(put("application/xml", xml), Ok(()));
    assert_eq!(
        put("application/json", xml),
        Err("the content type \"application/json\"".to_owned())
    );
    assert_eq!(
        put("text/xml", b"<x/>"),
        Err("a body that is no queue message".to_owned())
    );
}

#[test]
fn what_a_row_claims_is_read_column_by_column() {
    let claimed = |json: serde_json::Value| {
        let target = crate::request::Target {
            service: crate::Service::Table,
            base: "/acc",
            method: &hyper::Method::POST,
            path: "/acc/T",
            query: None,
        };
        let mut json = json;
        json["PartitionKey"] = "p".into();
        json["RowKey"] = "r".into();
        let (json, headers) = (json.to_string(), Headers::default());
        let read = row(
            &own(),
            &Request::of(target, &headers),
            &headers,
            json.as_bytes(),
        );
        read.unwrap().unwrap().delivery.unwrap()
    };
    let of = |attempt: serde_json::Value| {
        claimed(serde_json::json!({"attempt": attempt, "consumer": "c", "dateStamp": 7}))
    };
    assert_eq!(of(2.into()).attempt, Some(2));
    assert_eq!(of("2".into()).attempt, Some(2));
    assert_eq!(of(2.0.into()).attempt, None);
    let told = of(serde_json::Value::Null);
    assert_eq!((told.consumer.as_deref(), told.date), (Some("c"), None));
}

#[test]
fn the_operation_that_a_failed_transaction_blames_is_read() {
    let answer = |message: &str| {
        format!(
            "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 409 Conflict\r\nContent-ID: 2\r\n\r\n\
             {{\"odata.error\":{{\"code\":\"EntityAlreadyExists\",\"message\":{{\"lang\":\"en-US\",\"value\":\"{message}\"}}}}}}\r\n--b--\r\n"
        )
    };
    for (message, part) in [
        (
            "1:The specified entity already exists.\\nRequestId:1",
            Some(1),
        ),
        ("0:The specified entity already exists.", Some(0)),
        ("The specified entity already exists.", None),
        ("RequestId:1", None),
        (":", None),
    ] {
        assert_eq!(blamed_part(answer(message).as_bytes()), part, "{message}");
    }
    assert_eq!(blamed_part(b"HTTP/1.1 409 Conflict\r\n\r\n{"), None);
}

#[test]
fn errors_are_read_from_both_services_and_from_parts() {
    assert_eq!(
        error_code(b"<?xml?><Error><Code>ServerBusy</Code></Error>").as_deref(),
        Some("ServerBusy")
    );
    let json = br#"{"odata.error":{"code":"EntityAlreadyExists","message":{}}}"#;
    assert_eq!(error_code(json).as_deref(), Some("EntityAlreadyExists"));
    assert_eq!(error_code(b"<html>"), None);
    let parts = b"--b\r\n\r\nHTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 409 Conflict\r\n";
    assert_eq!(failed_part(parts), Some(409));
    assert_eq!(failed_part(b"HTTP/1.1 204 No Content"), None);
}

/// "Create Table": the name is in the body, and nowhere else.
#[test]
fn a_table_that_is_created_is_named_by_the_body() {
    let named = |json: &str| created_table(&Headers::default(), json.as_bytes());
    assert_eq!(named(r#"{"TableName":"mine"}"#).as_deref(), Ok("mine"));
    for json in [
        "",
        "{}",
        r#"{"TableName":1}"#,
        r#"{"TableName":"mine","TableName":"yours"}"#,
    ] {
        let strange = Err("a body that names no table".to_owned());
        assert_eq!(named(json), strange, "{json}");
    }
    let atom = [("content-type", Some("application/atom+xml"))];
    let atom = Headers::read(atom.into_iter());
    let strange = created_table(&atom, br#"{"TableName":"mine"}"#).unwrap_err();
    assert_eq!(strange, "the content type \"application/atom+xml\"");
}

/// The message of a row at wrong keys is that of its columns, as the auditor finds it in the table.
#[test]
fn a_row_is_told_by_its_columns_where_its_keys_do_not_tell_its_message() {
    let lens = |columns: &str| {
        let text = format!(
            "version: 1\nname: n\nmessage:\n  body:\n    id: '{{id}}'\n    n: '{{seq}}'\n    text: '{{payload}}'\nrow:\n  columns:\n    text: \
             '{{payload}}'\n{columns}worker:\n  command: x\n  variables:\n    Q: '{{queue-endpoint}}'\n    N: '{{queue}}'\n    T: \
             '{{table-endpoint}}'\n    M: '{{table}}'\n    S: '{{sas}}'\n"
        );
        let description = contract::workload::Description::read(&text).unwrap();
        Lens::new(description.into(), "r1".parse().unwrap())
    };
    let told = |lens: &Lens, key: &str, order: &str, of: u64| {
        let payloads = contract::Payloads {
            seed: 7,
            size: contract::PayloadSize::Sample,
        };
        let payload = payloads.payload(contract::Seq::new(of).unwrap());
        let json = serde_json::json!({"PartitionKey": "p", "RowKey": key, "order": order, "text": payload});
        let target = crate::request::Target {
            service: crate::Service::Table,
            base: "/acc",
            method: &hyper::Method::POST,
            path: "/acc/T",
            query: None,
        };
        let headers = Headers::default();
        let json = json.to_string();
        let read = row(
            lens,
            &Request::of(target, &headers),
            &headers,
            json.as_bytes(),
        );
        let read = read.unwrap().unwrap();
        (read.id, read.holds)
    };
    let id = |text: &str| Some(text.to_owned());
    let by_key = lens("    RowKey: '{id}'\n");
    assert_eq!(told(&by_key, "r1-7", "", 7), (None, None));
    assert_eq!(told(&by_key, "xr1-7", "", 7), (id("r1-7"), None));
    // Keys that name another message make the row that message's; its payload is told beside.
    assert_eq!(told(&by_key, "r1-8", "", 7), (None, id("r1-7")));
    let by_number = lens("    RowKey: '{seq}'\n    order: '{id}'\n");
    assert_eq!(told(&by_number, "7", "r1-7", 7), (None, None));
    // An id tells more than a number.
    assert_eq!(told(&by_number, "8", "r1-7", 7), (id("r1-7"), None));
    assert_eq!(told(&by_number, "8", "r1-7", 9), (id("r1-7"), id("r1-9")));
}
