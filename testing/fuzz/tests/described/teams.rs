//! The workloads: each team's description, and its worker's code from message to row, written without the description.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use judge::audit::Violation;
use serde_json::{Value, json};

use super::worker::Wrong::{
    self, CountsWrongly, CutsTexts, DeletesFirst, FreshKeys, GivesUp, Mixes, Overwrites, Skips,
};

/// A team's workload.
pub(crate) struct Team {
    pub(crate) name: &'static str,
    pub(crate) yaml: &'static str,
    /// The row for a message: keys, and columns, of which the text is first.
    pub(crate) row: fn(&str, u32) -> Row,
    /// Whether a row is stored in two steps.
    pub(crate) is_updated: bool,
    /// Whether a worker waits for several messages, and writes one row for them.
    pub(crate) is_batched: bool,
    /// The faults that its worker can have, each with its violation.
    pub(crate) wrong: &'static [(Wrong, Violation)],
}

/// A row.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) partition: String,
    pub(crate) key: String,
    /// The column with the text of the message.
    pub(crate) text: &'static str,
    pub(crate) columns: Value,
}

pub(crate) const TEAMS: [Team; 6] = [
    Team {
        name: "known by its payload alone",
        yaml: "\
version: 1
name: by payload
message: { body: \"{payload}\" }
row: { columns: { text: \"{payload}\", tries: \"{attempt}\" } }
poison: {}
",
        row: |body, attempt| Row {
            partition: "p".into(),
            // Derived from the text, so that a second delivery finds the row of the first; a reader of the description could not derive it.
            key: BASE64_STANDARD.encode(body).replace('/', "_"),
            text: "text",
            columns: json!({"text": body, "tries": attempt}),
        },
        is_updated: false,
        is_batched: false,
        wrong: &[
            (DeletesFirst, Violation::Unsecured),
            (Skips, Violation::Lost),
            (FreshKeys, Violation::Duplicated),
            (CountsWrongly, Violation::Misreported),
            (GivesUp, Violation::Poisoned),
        ],
    },
    Team {
        name: "base64 and numbers",
        yaml: "\
version: 1
name: functions
message: { encoding: base64, body: { Id: \"{seq:number}\", Title: \"{payload2}\", Body: \"{payload}\" } }
row: { columns: { PartitionKey: orders, RowKey: \"{seq:010}\", Id: \"{seq}\", Title: \"{payload2}\", Body: \"{payload}\" } }
",
        row: |text, _| {
            let bytes = BASE64_STANDARD.decode(text).expect("base64");
            let order: Value = serde_json::from_slice(&bytes).expect("JSON");
            let id = order["Id"].as_i64().expect("a number");
            Row {
                partition: "orders".into(),
                key: format!("{id:010}"),
                text: "Body",
                columns: json!({"Id": id, "Title": order["Title"], "Body": order["Body"]}),
            }
        },
        is_updated: false,
        is_batched: false,
        wrong: &[
            (DeletesFirst, Violation::Unsecured),
            (Skips, Violation::Lost),
            (Mixes, Violation::Corrupted),
            (CutsTexts, Violation::Corrupted),
            (FreshKeys, Violation::Misplaced),
            (Overwrites, Violation::Overwritten),
        ],
    },
    Team {
        name: "a query string, and rows by date",
        yaml: "\
version: 1
name: query
message: { body: \"op=store&id={id:url}&text={payload:url}\" }
row: { columns: { order: \"{id}\", text: \"{payload}\" } }
",
        row: |body, _| {
            let of = |name: &str| {
                let mut pairs = body.split('&').filter_map(|pair| pair.split_once('='));
                let (_, value) = pairs.find(|(known, _)| *known == name).expect("a field");
                decoded(value)
            };
            let id = of("id");
            Row {
                partition: "2026-11-29".into(),
                key: format!("120000-{id}"),
                text: "text",
                columns: json!({"order": id, "text": of("text")}),
            }
        },
        is_updated: false,
        is_batched: false,
        wrong: &[
            (DeletesFirst, Violation::Unsecured),
            (Skips, Violation::Lost),
            (Mixes, Violation::Corrupted),
            (CutsTexts, Violation::Corrupted),
            (FreshKeys, Violation::Duplicated),
            (Overwrites, Violation::Overwritten),
        ],
    },
    Team {
        name: "rows that are updated in place",
        yaml: "\
version: 1
name: in place
message: { body: { job: \"{uuid}\", text: \"{payload}\" } }
row:
  written: updated
  columns: { PartitionKey: jobs, RowKey: \"{uuid}\", state: done, result: \"{payload}\", tries: \"{attempt}\" }
",
        row: |body, attempt| {
            let job: Value = serde_json::from_str(body).expect("JSON");
            Row {
                partition: "jobs".into(),
                key: job["job"].as_str().expect("a text").to_owned(),
                text: "result",
                columns: json!({"state": "done", "result": job["text"], "tries": attempt}),
            }
        },
        is_updated: true,
        is_batched: false,
        wrong: &[
            (DeletesFirst, Violation::Unsecured),
            (Skips, Violation::Lost),
            (Mixes, Violation::Corrupted),
            (CutsTexts, Violation::Corrupted),
            (CountsWrongly, Violation::Misreported),
        ],
    },
    Team {
        name: "XML, and a payload in several columns",
        yaml: "\
version: 1
name: xml
message: { body: '<order no=\"{seq}\"><title>{payload2:xml}</title><text>{payload:xml}</text></order>' }
row: { columns: { RowKey: \"order-{seq}\", title: \"{payload2}\", text: \"{payload}\", delivery: \"{attempt}\" } }
poison: { queue: \"{queue}-failed\", body: { why: \"{reason}\", message: \"{body}\" } }
",
        row: |body, attempt| {
            let between = |before: &str, after: &str| {
                let from = body.find(before).expect("an element") + before.len();
                let length = body[from..].find(after).expect("its end");
                let text = body[from..from + length].replace("&lt;", "<").replace("&gt;", ">");
                let text = text.replace("&quot;", "\"").replace("&apos;", "'");
                text.replace("&#13;", "\r").replace("&amp;", "&")
            };
            Row {
                partition: "orders".into(),
                key: format!("order-{}", between("no=\"", "\"")),
                text: "text",
                columns: json!({
                    "title": between("<title>", "</title>"), "text": between("<text>", "</text>"), "delivery": attempt,
                }),
            }
        },
        is_updated: false,
        is_batched: false,
        wrong: &[
            (DeletesFirst, Violation::Unsecured),
            (Mixes, Violation::Corrupted),
            (FreshKeys, Violation::Misplaced),
            (CountsWrongly, Violation::Misreported),
            (GivesUp, Violation::Poisoned),
        ],
    },
    Team {
        name: "the sample's, with keys that a second delivery finds again",
        yaml: "\
version: 1
name: sample
message: { body: { msg: \"{payload}\", srcStamp: \"{intended}\" } }
row: { columns: { data: \"{payload}\", srcStamp: \"{intended}\" } }
",
        row: |body, _| {
            let message: Value = serde_json::from_str(body).expect("JSON");
            Row {
                partition: "sample".into(),
                key: message["srcStamp"].as_str().expect("a stamp").to_owned(),
                text: "data",
                columns: json!({"data": message["msg"], "srcStamp": message["srcStamp"]}),
            }
        },
        is_updated: false,
        is_batched: false,
        wrong: &[
            (DeletesFirst, Violation::Unsecured),
            (Skips, Violation::Lost),
            (FreshKeys, Violation::Duplicated),
            (CutsTexts, Violation::Corrupted),
        ],
    },
];

/// One row for many messages.
pub(crate) const BATCHES: Team = Team {
    name: "batches",
    yaml: "\
version: 1
name: batches
message: { body: { id: \"{id}\", text: \"{payload}\" } }
row: { columns: { orders: \"{id}\" } }
",
    row: |body, _| {
        let order: Value = serde_json::from_str(body).expect("JSON");
        let id = order["id"].as_str().expect("an id");
        Row {
            partition: "batches".into(),
            key: id.to_owned(),
            text: "orders",
            columns: json!({"orders": id}),
        }
    },
    is_updated: false,
    is_batched: true,
    wrong: &[],
};

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        let mut digit = || char::from(rest.next().expect("a digit")).to_digit(16);
        bytes.push(if byte == b'%' {
            let two = digit().expect("hex") * 16 + digit().expect("hex");
            u8::try_from(two).expect("a byte")
        } else {
            byte
        });
    }
    String::from_utf8(bytes).expect("a text")
}
