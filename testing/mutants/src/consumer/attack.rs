//! Attacks on the judge: whatever a consumer can say to storage, and around the wire, that looks right in the end.

use reqwest::header::{ACCEPT, CONTENT_TYPE, IF_MATCH};
use reqwest::{Client, Method, Url};
use serde_json::{Value, json};
use workflow::contract::{PoisonReason, ResultRow};
use workflow::ports::{Delivery, Lease};

use super::{Consumer, Done};
use crate::mutation::Mutation;

/// How long a message may be hidden at most.
const A_WEEK: &str = "604800";

/// Storage as the mutant speaks to it, past all clients.
#[derive(Debug)]
pub(super) struct Raw {
    client: Client,
    sas: String,
    queue: Url,
    table: Url,
}

impl Raw {
    pub(super) fn new(queue: Url, table: Url, sas: String) -> Self {
        let client = Client::builder().no_proxy().build();
        Self {
            client: client.expect("a plain client must build"),
            sas,
            queue,
            table,
        }
    }

    /// The same around the wire: where the harness finds storage itself, as its own environment tells whoever looks.
    fn around(&self) -> Self {
        let path = format!("/proc/{}/environ", std::os::unix::process::parent_id());
        let text = std::fs::read_to_string(path).expect("the environment of the parent");
        let url = |name: &str| {
            let mut pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
            let (_, url) = pairs.find(|(key, _)| *key == name).expect(name);
            url.parse().expect("a URL")
        };
        Self::new(
            url("EDW_AZURITE_QUEUE_URL"),
            url("EDW_AZURITE_TABLE_URL"),
            self.sas.clone(),
        )
    }

    /// The status of the answer, and its body.
    async fn ask(
        &self,
        method: &str,
        base: &Url,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> (u16, String) {
        let base = base.as_str().trim_end_matches('/');
        let mut url: Url = format!("{base}/{path}?{}", self.sas)
            .parse()
            .expect("a URL");
        url.query_pairs_mut().extend_pairs(query);
        let method: Method = method.parse().expect("a method");
        let mut request = self.client.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            let accept = "application/json;odata=nometadata";
            request = request
                .header(CONTENT_TYPE, "application/json")
                .header(ACCEPT, accept)
                .body(body.to_string());
        }
        match request.send().await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                (status, answer.text().await.unwrap_or_default())
            }
            Err(error) => (0, error.to_string()),
        }
    }

    async fn insert(&self, table: &str, row: &Value) -> bool {
        let (status, _) = self
            .ask("POST", &self.table, table, &[], &[], Some(row))
            .await;
        status == 201 || status == 204
    }

    /// Sends POST to a row, and says that another method is meant.
    async fn tunnel(&self, table: &str, row: &ResultRow, method: &str, body: &Value) -> bool {
        let (partition, key) = (&row.partition_key, &row.row_key);
        let path = format!("{table}(PartitionKey='{partition}',RowKey='{key}')");
        let headers = [("X-HTTP-Method", method), (IF_MATCH.as_str(), "*")];
        let (status, _) = self
            .ask("POST", &self.table, &path, &[], &headers, Some(body))
            .await;
        status == 204
    }

    async fn delete(&self, queue: &str, lease: &Lease) {
        let path = format!("{queue}/messages/{}", lease.message_id);
        let receipt = [("popreceipt", lease.pop_receipt.as_str())];
        self.ask("DELETE", &self.queue, &path, &receipt, &[], None)
            .await;
    }
}

impl Consumer {
    /// Stores the row of a message in a way that must not pass; `None`: this mutant stores it as any other.
    pub(super) async fn attack(&self, row: &ResultRow, delivery: &Delivery) -> Option<Done> {
        let (raw, table) = (&self.attacks, self.args.storage.table.table.to_string());
        let right = serde_json::to_value(row).expect("a row must serialise");
        let early = json!({"dateStamp": row.dequeued_stamp, "dequeuedStamp": row.sent_stamp});
        let stored = match self.args.mutation {
            Mutation::MergesLater => {
                let mut wrong = right.clone();
                wrong["data"] = "not yet".into();
                raw.insert(&table, &wrong).await
                    && raw
                        .tunnel(&table, row, "MERGE", &with(&right, &early))
                        .await
            }
            Mutation::DeletesItsRow => {
                raw.insert(&table, &right).await
                    && raw.tunnel(&table, row, "DELETE", &json!({})).await
                    && raw.insert(&table, &with(&right, &early)).await
            }
            Mutation::WritesWhatCannotBeRead => {
                let vague = json!({
                    "attempt": 1.0, "attempt@odata.type": "Edm.Double", "consumer": "somebody else",
                });
                raw.insert(&table, &with(&with(&right, &early), &vague))
                    .await
            }
            Mutation::StoresElsewhereFirst => {
                let other = format!("{table}x");
                let named = json!({"TableName": other});
                raw.ask("POST", &raw.table, "Tables", &[], &[], Some(&named))
                    .await;
                raw.insert(&other, &right).await;
                self.delete(&delivery.lease).await;
                raw.insert(&table, &right).await;
                return Some(Done::Left);
            }
            Mutation::DeletesAroundTheWire => {
                let queue = self.args.storage.queue.queue.to_string();
                raw.around().delete(&queue, &delivery.lease).await;
                raw.insert(&table, &right).await;
                return Some(Done::Left);
            }
            Mutation::StoresAroundTheWire => raw.around().insert(&table, &right).await,
            Mutation::PoisonsWhatItStores => {
                self.hide(delivery, A_WEEK).await;
                return None;
            }
            Mutation::PoisonsForAMoment => {
                let (queue, lease) = self.hide(delivery, "0").await;
                self.delete(&delivery.lease).await;
                raw.delete(&queue, &lease).await;
                raw.insert(&table, &right).await;
                return Some(Done::Left);
            }
            _ => return None,
        };
        Some(if stored { Done::Secured } else { Done::Left })
    }

    /// Puts the message into the poison queue, hidden for so many seconds; where it is now.
    async fn hide(&self, delivery: &Delivery, seconds: &str) -> (String, Lease) {
        let queue = self.args.storage.queue.queue.poison().expect("a name");
        let envelope = self.envelope(delivery, PoisonReason::BadField, delivery.body.clone());
        let text = envelope.encode().join("");
        let text = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let raw = &self.attacks;
        let url = format!(
            "{}/{queue}/messages?{}&visibilitytimeout={seconds}",
            raw.queue.as_str().trim_end_matches('/'),
            raw.sas
        );
        let xml = format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>");
        let sent = raw.client.post(url).header(CONTENT_TYPE, "application/xml");
        let answer = sent.body(xml).send().await;
        let answer = match answer {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        };
        let between = |tag: &str| {
            let (_, rest) = answer.split_once(&format!("<{tag}>")).unwrap_or_default();
            rest.split('<').next().unwrap_or_default().to_owned()
        };
        let mut lease = delivery.lease.clone();
        (lease.message_id, lease.pop_receipt) = (between("MessageId"), between("PopReceipt"));
        (queue.to_string(), lease)
    }
}

/// `row` with the columns of `others`.
fn with(row: &Value, others: &Value) -> Value {
    let mut row = row.clone();
    if let (Value::Object(row), Value::Object(others)) = (&mut row, others) {
        row.extend(others.clone());
    }
    row
}
