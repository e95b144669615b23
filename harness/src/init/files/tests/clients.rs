//! Messages as clients of the queue service tell them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::*;

const ALL: [&str; 2] = ["{\"id\":\"a<1\"}", "{\"id\":\"b&2\"}"];

/// What `told` makes of each text, as a list, on lines and over several lines.
fn are_unwrapped(told: impl Fn(&str) -> Value) {
    let all = ALL.map(told);
    for text in [
        json!(all).to_string(),
        format!("{}\n{}\n", all[0], all[1]),
        format!("{:#}\n{:#}\n", all[0], all[1]),
        json!({"requestId": "0e32", "receivedMessageItems": all}).to_string(),
        // A call for each, appended to one file.
        format!("{:#}\n{:#}\n", json!([all[0]]), json!([all[1]])),
        format!("{}\n{}\n", json!([all[0]]), json!([all[1]])),
    ] {
        assert_eq!(texts(&text), ALL, "{text}");
    }
    assert_eq!(texts(&all[0].to_string()), ALL[..1]);
}

/// The fields of `azure.storage.queue.QueueMessage`, of `PeekedMessageItem` and `DequeuedMessageItem` of `@azure/storage-queue`, of
/// `Azure.Storage.Queues.Models.PeekedMessage`, of `QueueMessageItem` of Java, and of their predecessors.
#[test]
fn what_clients_tell_of_a_message_is_its_text() {
    are_unwrapped(|text| {
        json!({"id": "0e32", "inserted_on": "2026-03-10 08:11:03+00:00", "expires_on": "2026-03-17 08:11:03+00:00",
                      "dequeue_count": 1, "content": text, "pop_receipt": null, "next_visible_on": null})
    });
    are_unwrapped(
        |text| json!({"messageId": "0e32", "messageText": text, "dequeueCount": 1, "insertedOn": "2026-03-10T08:11:03Z"}),
    );
    are_unwrapped(|text| {
        json!({"MessageId": "0e32", "MessageText": text, "Body": {}, "DequeueCount": 1, "InsertedOn": "2026-03-10T08:11:03Z",
                      "PopReceipt": "AgA", "NextVisibleOn": null, "ExpiresOn": null})
    });
    are_unwrapped(|text| {
        json!({"messageId": "0e32", "insertionTime": {"offset": "Z"}, "expirationTime": {"offset": "Z"}, "dequeueCount": 1,
                      "body": text})
    });
    are_unwrapped(
        |text| json!({"MessageID": "0e32", "MessageText": text, "InsertionTime": "2026-03-10T08:11:03Z", "DequeueCount": 1}),
    );
    are_unwrapped(
        |text| json!({"Id": "0e32", "AsString": text, "AsBytes": "", "DequeueCount": 1, "PopReceipt": null}),
    );
    are_unwrapped(
        |text| json!({"queueTrigger": text, "dequeueCount": 1, "id": "0e32", "insertionTime": "", "invocationId": "77"}),
    );
    // A Buffer of Node.js, and a text of JSON that the program that exported it has parsed.
    are_unwrapped(
        |text| json!({"messageId": "0e32", "messageText": {"type": "Buffer", "data": text.as_bytes()}, "dequeueCount": 1}),
    );
    are_unwrapped(|text| {
        let parsed: Value = serde_json::from_str(text).unwrap();
        json!({"id": "0e32", "content": parsed, "dequeueCount": 1})
    });
}

#[test]
fn a_message_with_fields_that_clients_use_too_is_a_message() {
    for message in [
        json!({"content": "a"}),
        json!({"body": "a", "id": "b"}),
        json!({"messageId": "a", "messageText": "b", "insertedOn": "c"}),
        json!({"dequeueCount": 5, "failed": {"id": 1}, "error": "d"}),
        json!({"id": "e", "dequeueCount": 5, "content": "f", "reason": "g"}),
        json!({"sequenceNumber": 1, "body": "h"}),
        json!({"exchange": "i", "payload": "j"}),
        json!({"Messages": [{"content": "k"}]}),
    ] {
        assert_eq!(texts(&message.to_string()), [message.to_string()]);
        assert_eq!(texts(&json!([message]).to_string()), [message.to_string()]);
    }
}

#[test]
fn what_a_client_prints_without_its_text_is_told() {
    let told = |field: &str, value: &Value| {
        wrong(&json!([{"MessageId": "0e32", "DequeueCount": 1, field: value}]).to_string())
    };
    for (value, said) in [
        (
            json!({"Length": 57, "IsEmpty": false, "MediaType": null}),
            "the Body of entry 1 of the list is an object of BinaryData, which was printed without what is in it; print Body.ToString()",
        ),
        (
            json!({}),
            "the Body of entry 1 of the list is an object of BinaryData",
        ),
        (
            json!(null),
            "the Body of entry 1 of the list is null, and nothing",
        ),
        (
            json!(7),
            "the Body of entry 1 of the list is no text, and nothing",
        ),
    ] {
        let told = told("Body", &value);
        assert!(told.starts_with(said), "{told}");
    }
}

/// `BinaryDataJsonConverter` of .NET writes base64.
#[test]
fn a_body_in_base64_may_be_the_printers() {
    let encoded = ALL.map(|text| BASE64_STANDARD.encode(text));
    let told = |field: &str| {
        let all = encoded
            .clone()
            .map(|text| json!({"MessageId": "0e32", field: text, "DequeueCount": 1}));
        let text = json!(all).to_string();
        let found = messages(&text).unwrap();
        assert_eq!(texts(&text), encoded);
        untold(&text, &found)
    };
    let said = told("Body").unwrap_or_default();
    assert!(said.starts_with("Whether the queue holds base64"), "{said}");
    assert_eq!(told("MessageText"), None);
    let lines = encoded.join("\n");
    assert_eq!(untold(&lines, &messages(&lines).unwrap()), None);
    let quoted = ALL.map(|text| Value::from(text).to_string()).join("\n");
    let said = untold(&quoted, &messages(&quoted).unwrap()).unwrap_or_default();
    assert!(
        said.starts_with("Whether the queue holds the quotes"),
        "{said}"
    );
}

/// The answer that the reference of `Peek Messages` shows.
#[test]
fn an_answer_of_the_rest_api_is_read() {
    let message = |text: &str| {
        let escaped = text
            .replace('&', "&#38;")
            .replace('<', "&lt;")
            .replace('"', "&quot;");
        format!(
            "<QueueMessage><MessageId>0e32</MessageId><DequeueCount>1</DequeueCount><MessageText>{escaped}</MessageText></QueueMessage>\n"
        )
    };
    let list = ALL.map(message).concat();
    let answer = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<QueueMessagesList>\n{list}</QueueMessagesList>\n"
    );
    assert_eq!(texts(&answer), ALL);
    assert_eq!(
        texts(&answer.replace("&#38;", "&#x26;").replace("&quot;", "\"")),
        ALL
    );
    let none = "<?xml version=\"1.0\"?><QueueMessagesList />";
    let told = wrong(none);
    assert!(
        told.starts_with("it is empty, and no message is in it"),
        "{told}"
    );
}

#[test]
fn a_table_of_messages_is_read() {
    let cells = ALL.map(|text| text.replace('"', "\"\""));
    let table = format!(
        "Id,Message Text,Insertion Time,Dequeue Count\r\n0e32,\"{}\",2026-03-10,0\r\n0e33,\"{}\",2026-03-10,0\r\n",
        cells[0], cells[1]
    );
    for table in [
        table.replace("Time,", "Time (UTC),"),
        table.replace(',', ";").replace("\"\";\"\"", "\"\",\"\""),
        table,
    ] {
        assert_eq!(texts(&table), ALL, "{table}");
    }
    // A text may have these names in it.
    assert_eq!(texts("order 7, dequeueCount 5\norder 8\n").len(), 2);
}
