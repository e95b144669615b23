//! What people give by mistake in place of messages: other services' messages, logs, and formats of the Azure CLI that are for people.

use anyhow::{bail, ensure};
use serde_json::{Map, Value};

use super::envelope::plain;
use crate::init::place::short;

/// Fields that services tell of a message, and how many of them are no chance.
const SERVICES: [(&str, usize, &[&str]); 5] = [
    (
        "Amazon SQS",
        1,
        &["receipthandle", "md5ofbody", "md5ofmessageattributes"],
    ),
    (
        "Azure Service Bus or Event Hubs",
        3,
        &[
            "offset",
            "locktoken",
            "lockeduntil",
            "lockeduntilutc",
            "sequencenumber",
            "enqueuedsequencenumber",
            "enqueuedtime",
            "enqueuedtimeutc",
            "deliverycount",
            "applicationproperties",
        ],
    ),
    (
        "RabbitMQ",
        3,
        &[
            "routingkey",
            "exchange",
            "redelivered",
            "payload",
            "payloadencoding",
            "deliverytag",
        ],
    ),
    (
        "Kafka",
        4,
        &[
            "topic",
            "partition",
            "offset",
            "timestamptype",
            "tstype",
            "key",
            "value",
            "payload",
        ],
    ),
    ("Google Pub/Sub", 1, &["ackid"]),
];

/// The service that tells `message`, if it is none of Azure Storage.
pub(super) fn service(message: &Map<String, Value>) -> Option<&'static str> {
    let names: Vec<String> = message.keys().map(|name| plain(name)).collect();
    let mut services = SERVICES.iter();
    let found = services.find(|(_, least, own)| {
        let own = names.iter().filter(|name| own.contains(&name.as_str()));
        own.count() >= *least
    });
    found.map(|(service, ..)| *service)
}

/// Refuses texts that hold messages in a form from which they cannot be taken, or none.
pub(super) fn refuse(text: &str) -> anyhow::Result<()> {
    const AGAIN: &str = "print the messages again with az storage message peek -o json";
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let (first, second) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    let is_field = |line: &str| {
        let line = line.trim_start().trim_start_matches("- ");
        line.starts_with("dequeueCount:")
    };
    ensure!(
        !(first.starts_with("- ") && text.lines().any(is_field)),
        "it is what the Azure CLI prints with -o yaml; {AGAIN}"
    );
    let is_ruled = second.trim_start().starts_with("---")
        && second.trim_matches(['-', ' ', '\t', '\r']).is_empty();
    ensure!(
        !(is_ruled && plain(first).contains("dequeuecount")),
        "it is a table, as the Azure CLI prints with -o table, which leaves things out; {AGAIN}"
    );
    ensure!(
        !is_tsv(first),
        "line 1 is what the Azure CLI prints of a message with -o tsv; {AGAIN}"
    );
    ensure!(
        !is_printed(first),
        "line 1 is what a program prints of an object; print the text of each message on a line"
    );
    ensure!(
        !is_listed(first),
        "it is a list of fields, as PowerShell prints it; print the messages again with ConvertTo-Json"
    );
    if let Some(log) = log(first) {
        bail!("line 1 is a line of {log}, and no message; {AGAIN}, or write them, each on a line");
    }
    let is_cli = first.starts_with("ERROR: ") && text.contains("ErrorCode:");
    let is_xml = first.starts_with('<') && [first, second].iter().any(|it| it.contains("<Error>"));
    let is_json = || {
        let whole: Option<Map<String, Value>> = serde_json::from_str(text).ok();
        let error = whole.filter(|it| it.len() == 1).unwrap_or_default();
        let error = error.get("error").or_else(|| error.get("odata.error"));
        error.is_some_and(|error| error.get("code").is_some() && error.get("message").is_some())
    };
    ensure!(
        !is_cli && !is_xml && !is_json(),
        "it is an error of the service in place of messages: {}; {AGAIN}",
        short(text.trim())
    );
    Ok(())
}

/// Whether `line` is how a program prints an object: as its type alone (Python, .NET, Java, JavaScript, Go), or with its fields (Rust,
/// Java).
fn is_printed(line: &str) -> bool {
    let begins = |names: &[&str]| names.iter().any(|name| line.trim_start().starts_with(name));
    let is_name = begins(&[
        "<azure.",
        "Azure.Storage.Queues.",
        "com.azure.storage.",
        "[object Object]",
        "&{",
    ]);
    let of_fields = [
        "QueueMessage {",
        "PeekedMessage {",
        "QueueMessageItem{",
        "PeekedMessageItem{",
    ];
    is_name && !line.contains('"') || begins(&of_fields)
}

/// Whether `line` is a field of a message as PowerShell lists an object.
fn is_listed(line: &str) -> bool {
    let name = line.split_once(" : ").map(|(name, _)| plain(name));
    name.is_some_and(|name| ["messageid", "messagetext", "popreceipt"].contains(&name.as_str()))
}

/// Whether it is the content, the count, the end, the ID, the begin and so on, which the Azure CLI sorts by their names.
fn is_tsv(line: &str) -> bool {
    let cells: Vec<&str> = line.split('\t').collect();
    matches!(cells[..], [_, count, end, id, begin, ..]
        if count.parse::<u64>().is_ok() && is_time(end) && id.len() == 36 && is_time(begin))
}

/// Whether `text` begins as a time of ISO 8601 with its day.
fn is_time(text: &str) -> bool {
    let form =
        |(letter, form): (char, char)| letter == form || (form == '0' && letter.is_ascii_digit());
    text.len() > 19 && text.chars().zip("0000-00-00T00:00:00".chars()).all(form)
}

/// The log of Azurite that `line` is of. Lines of other logs may be messages.
fn log(line: &str) -> Option<&'static str> {
    let has = |names: &[&str]| names.iter().any(|name| line.contains(name));
    let is_level = |word: &str| ["error:", "warn:", "info:", "verbose:", "debug:"].contains(&word);
    let mut words = line.split_whitespace();
    let is_event = words.next().is_some_and(is_time) && words.take(2).any(is_level);
    if is_event && has(&["Azurite", "Middleware", "Handler"]) {
        return Some("a log, as Azurite writes into its debug log");
    }
    let is_request = has(&[" HTTP/1.1\" ", " HTTP/1.0\" "]) && has(&["/messages"]);
    is_request.then_some("a log of requests, as Azurite prints")
}
