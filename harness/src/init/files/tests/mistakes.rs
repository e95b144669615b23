//! What is given in place of messages.

use super::*;

#[test]
fn messages_over_several_lines_are_read() {
    let all = [json!({"id": 1, "a": {"b": []}}), json!({"id": 2, "a": {}})];
    let pretty = all.clone().map(|it| format!("{it:#}"));
    assert_eq!(texts(&pretty.join("\n")), pretty);
    assert_eq!(texts(&pretty.concat()), pretty);
    assert_eq!(texts(&format!("{}\n\n{}\n", all[0], pretty[1])).len(), 2);
    // Messages that are lists.
    let lists = all.map(|it| format!("{:#}", json!([it])));
    assert_eq!(texts(&lists.join("\n")), lists);
    let good = "{\n  \"id\": 1\n}\n";
    for (text, said) in [
        (
            format!("{good}{{\n  \"id\": 2,\n"),
            "the object that begins on line 4 is no JSON: it ends too early, as what was cut off does; write the rest; mend it",
        ),
        (
            format!("{good},\n{good}"),
            "line 4 is no JSON: a comma stands between two objects; leave the commas away, or make a list of all with [ and ]; mend",
        ),
        (
            "{\n  id: 1\n}\n".to_owned(),
            "line 2 is no JSON: a field's name must stand in double quotes: 'id: 1'; Python writes JSON with json.dumps(..., default=str), \
             and JavaScript with JSON.stringify(...); mend it",
        ),
        (
            "[\n{\"id\": 1},\n{\"id\": 2}\n];\n".to_owned(),
            "line 4 is no JSON: this is no JSON: ';'",
        ),
        (
            "{\n  messageId: 'a',\n  dequeueCount: 1\n}\n".to_owned(),
            "line 2 is no JSON: a field's name must stand in double quotes",
        ),
        (
            "{\"id\": 1, \"no\n{\"id\": 2}\n".to_owned(),
            "line 1 is no JSON: it ends too early",
        ),
    ] {
        let error = wrong(&text);
        assert!(error.starts_with(said), "{text}: {error}");
    }
}

/// What `aws sqs receive-message`, an event of Lambda, Service Bus Explorer, `rabbitmqadmin get` and `gcloud pubsub subscriptions pull` print.
#[test]
fn messages_of_other_services_are_told() {
    let sqs = "Amazon SQS";
    let bus = "Azure Service Bus or Event Hubs";
    for (text, service) in [
        (
            json!({"Messages": [{"MessageId": "0e32", "ReceiptHandle": "AQ", "MD5OfBody": "51", "Body": "{}"}]}),
            sqs,
        ),
        (
            json!({"Records": [{"messageId": "0e32", "receiptHandle": "AQ", "body": "{}", "eventSource": "aws:sqs"}]}),
            sqs,
        ),
        (
            json!([{"body": {"id": 1}, "sequenceNumber": 1, "enqueuedTimeUtc": "2026-03-10", "deliveryCount": 0, "lockToken": "0e32"}]),
            bus,
        ),
        (
            json!([{"Body": "{}", "Offset": "0", "SequenceNumber": 1, "EnqueuedTime": "2026-03-10", "PartitionKey": null}]),
            bus,
        ),
        (
            json!([{"payload": "{}", "routing_key": "work", "exchange": "", "redelivered": false, "payload_bytes": 2}]),
            "RabbitMQ",
        ),
        (
            json!([{"ackId": "a", "message": {"data": "e30="}}]),
            "Google Pub/Sub",
        ),
    ] {
        let error = wrong(&text.to_string());
        let said = format!(
            "entry 1 of the list is what {service} tells of a message, and the harness tests"
        );
        assert!(error.starts_with(&said), "{text}: {error}");
    }
}

/// The formats of the Azure CLI (`az storage message peek -o ...`), and what Azurite writes.
#[test]
fn formats_for_people_and_logs_are_told() {
    let id = "0e32a1a7-6a3c-4a5e-9d55-3b0b0a0f7c11";
    let tsv = format!(
        "{{\"id\": 1}}\t0\t2026-03-17T08:11:03+00:00\t{id}\t2026-03-10T08:11:03+00:00\t\t\n"
    );
    for (text, said) in [
        (
            "- content: '{\"id\": 1}'\n  dequeueCount: 0\n  id: a\n",
            "it is what the Azure CLI prints with -o yaml; print",
        ),
        (
            "Content    DequeueCount    ExpirationTime\n---------  --------------  ------\n{\"id\": 1}  0  2026-03-17\n",
            "it is a table, as the Azure CLI prints with -o table",
        ),
        (
            &tsv,
            "line 1 is what the Azure CLI prints of a message with -o tsv; print",
        ),
        (
            "2026-03-10T08:11:03.123Z 0e32a1a7 info: QueueStorageContextMiddleware: RequestMethod=POST\n",
            "line 1 is a line of a log, as Azurite writes into its debug log",
        ),
        (
            "127.0.0.1 - - [10/Mar/2026:08:11:03 +0000] \"POST /devstoreaccount1/work/messages HTTP/1.1\" 201 -\n",
            "line 1 is a line of a log of requests, as Azurite prints, and no message",
        ),
        (
            "<azure.storage.queue._models.QueueMessage object at 0x7f01>\n",
            "line 1 is what a program prints of an object; print the text of each",
        ),
        (
            "PeekedMessageItem{messageId='a', body={\"id\": 1}}\n",
            "line 1 is what a program prints of an object; print",
        ),
        (
            "MessageId     : 0e32\nMessageText   : {\"id\": 1}\n",
            "it is a list of fields, as PowerShell prints it; print the messages again with ConvertTo-Json",
        ),
        (
            "ERROR: The specified queue does not exist.\nErrorCode:QueueNotFound\n",
            "it is an error of the service in place of messages: \"ERROR: The specified",
        ),
        (
            "{\"error\": {\"code\": \"AuthorizationFailure\", \"message\": \"\"}}\n",
            "it is an error of the service in place of messages: \"{",
        ),
        (
            "<?xml version=\"1.0\"?>\n<Error><Code>QueueNotFound</Code></Error>\n",
            "it is an error of the service in place of messages: \"<?xml",
        ),
    ] {
        let error = wrong(text);
        assert!(error.starts_with(said), "{text}: {error}");
    }
}
