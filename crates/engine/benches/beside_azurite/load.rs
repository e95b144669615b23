//! The measured loads: puts, whole cycles of a consumer, receives with a backlog.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use crate::client::Connection;

/// Concurrent connections, each with one request at a time.
const CONNECTIONS: usize = 32;
/// Bytes of each message's text.
pub(crate) const TEXT_BYTES: usize = 100;

/// The addresses of one side's services.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    queue: String,
    table: String,
    sas: String,
}

impl Place {
    /// Addresses like `http://127.0.0.1:10001/devstoreaccount1`.
    pub(crate) fn new(queue_url: &str, table_url: &str, sas: &str) -> Self {
        let authority = |url: &str| url.split('/').nth(2).unwrap().to_owned();
        Self {
            queue: authority(queue_url),
            table: authority(table_url),
            sas: sas.to_owned(),
        }
    }

    fn target(&self, path: &str, query: &str) -> String {
        format!("/devstoreaccount1/{path}?{query}{}", self.sas)
    }
}

/// The client load on one side.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    place: Arc<Place>,
}

impl Load {
    pub(crate) fn new(place: Place) -> Self {
        Self {
            place: Arc::new(place),
        }
    }

    /// Puts `count` messages into a queue, and returns the rate per second.
    pub(crate) async fn puts(&self, queue: &str, count: usize) -> f64 {
        self.create(queue).await;
        let target = self
            .place
            .target(&format!("{queue}/messages"), "messagettl=604800&");
        let text = "x".repeat(TEXT_BYTES);
        let body = format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>");
        let left = Arc::new(AtomicUsize::new(count));
        let begun = Instant::now();
        self.on_each_connection(async |mut connection: Connection| {
            while taken(&left) {
                connection
                    .ask("POST", &target, "content-type: application/xml\r\n", &body)
                    .await;
            }
        })
        .await;
        count as f64 / begun.elapsed().as_secs_f64()
    }

    /// Puts `count` messages, then receives 32 at a time, inserts an entity for each and deletes it. Returns the messages per
    /// second of the second part.
    pub(crate) async fn cycles(&self, queue: &str, count: usize) -> f64 {
        self.puts(queue, count).await;
        let mut tables = Connection::open(&self.place.table).await;
        let table = format!("t{}", queue.replace('-', ""));
        let target = self.place.target("Tables", "");
        let body = format!("{{\"TableName\":\"{table}\"}}");
        tables.ask("POST", &target, JSON, &body).await;
        let (place, queue) = (Arc::clone(&self.place), queue.to_owned());
        let begun = Instant::now();
        self.on_each_connection(async |mut connection: Connection| {
            let mut tables = Connection::open(&place.table).await;
            let receive = place.target(
                &format!("{queue}/messages"),
                "numofmessages=32&visibilitytimeout=600&",
            );
            let insert = place.target(&table, "");
            loop {
                let received = connection.ask("GET", &receive, "", "").await;
                let messages = messages(&received.body);
                if messages.is_empty() {
                    return;
                }
                for (id, receipt) in messages {
                    let entity = format!(
                        "{{\"PartitionKey\":\"{}\",\"RowKey\":\"{id}\",\"data\":\"{receipt}\"}}",
                        &id[..2]
                    );
                    tables.ask("POST", &insert, INSERT, &entity).await;
                    let delete = place.target(
                        &format!("{queue}/messages/{id}"),
                        &format!("popreceipt={receipt}&"),
                    );
                    connection.ask("DELETE", &delete, "", "").await;
                }
            }
        })
        .await;
        count as f64 / begun.elapsed().as_secs_f64()
    }

    /// Receives `count` times from a queue, one message at a time on one connection, and returns the rate per second.
    pub(crate) async fn receives(&self, queue: &str, count: usize) -> f64 {
        let target = self
            .place
            .target(&format!("{queue}/messages"), "visibilitytimeout=600&");
        let mut connection = Connection::open(&self.place.queue).await;
        let begun = Instant::now();
        for _ in 0..count {
            connection.ask("GET", &target, "", "").await;
        }
        count as f64 / begun.elapsed().as_secs_f64()
    }

    /// Receives and deletes a message and puts another one, `count` times, and returns the rate per second. The size of the
    /// backlog stays the same.
    pub(crate) async fn exchanges(&self, queue: &str, count: usize) -> f64 {
        let (place, queue) = (Arc::clone(&self.place), queue.to_owned());
        let left = Arc::new(AtomicUsize::new(count));
        let text = "x".repeat(TEXT_BYTES);
        let body = format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>");
        let begun = Instant::now();
        self.on_each_connection(async |mut connection: Connection| {
            let receive = place.target(&format!("{queue}/messages"), "visibilitytimeout=600&");
            let put = place.target(&format!("{queue}/messages"), "");
            while taken(&left) {
                let received = connection.ask("GET", &receive, "", "").await;
                for (id, receipt) in messages(&received.body) {
                    let delete = place.target(
                        &format!("{queue}/messages/{id}"),
                        &format!("popreceipt={receipt}&"),
                    );
                    connection.ask("DELETE", &delete, "", "").await;
                }
                connection
                    .ask("POST", &put, "content-type: application/xml\r\n", &body)
                    .await;
            }
        })
        .await;
        count as f64 / begun.elapsed().as_secs_f64()
    }

    /// Creates a table and inserts `count` rows into one partition of it.
    pub(crate) async fn rows(&self, table: &str, count: usize) {
        let mut connection = Connection::open(&self.place.table).await;
        let target = self.place.target("Tables", "");
        let body = format!("{{\"TableName\":\"{table}\"}}");
        connection.ask("POST", &target, JSON, &body).await;
        let target = self.place.target(table, "");
        for number in 0..count {
            let row =
                format!("{{\"PartitionKey\":\"p\",\"RowKey\":\"{number:08}\",\"N\":{number}}}");
            connection.ask("POST", &target, INSERT, &row).await;
        }
    }

    /// Queries one row by a filter on both keys `count` times, on one connection, and returns the rate per second.
    pub(crate) async fn queries(&self, table: &str, rows: usize, count: usize) -> f64 {
        let mut connection = Connection::open(&self.place.table).await;
        let begun = Instant::now();
        for number in 0..count {
            // Steps of a prime number reach all rows of the table.
            let row = number * 7_919 % rows;
            let filter =
                format!("$filter=PartitionKey%20eq%20'p'%20and%20RowKey%20eq%20'{row:08}'&");
            let target = self.place.target(&format!("{table}()"), &filter);
            let found = connection.ask("GET", &target, JSON, "").await;
            assert!(
                found.body.contains(&format!("\"N\":{row}}}")),
                "{}",
                found.body
            );
        }
        count as f64 / begun.elapsed().as_secs_f64()
    }

    async fn create(&self, queue: &str) {
        let target = self.place.target(queue, "");
        let mut connection = Connection::open(&self.place.queue).await;
        connection.ask("PUT", &target, "", "").await;
    }

    /// Deletes a queue.
    pub(crate) async fn remove(&self, queue: &str) {
        let target = self.place.target(queue, "");
        let mut connection = Connection::open(&self.place.queue).await;
        connection.ask("DELETE", &target, "", "").await;
    }

    /// Runs `action` on each of the connections to the Queue service concurrently.
    async fn on_each_connection(&self, action: impl AsyncFn(Connection)) {
        let mut all = Vec::new();
        for _ in 0..CONNECTIONS {
            all.push(action(Connection::open(&self.place.queue).await));
        }
        futures::future::join_all(all).await;
    }
}

const JSON: &str =
    "content-type: application/json\r\naccept: application/json;odata=nometadata\r\n";
const INSERT: &str = "content-type: application/json\r\naccept: application/json;odata=nometadata\r\nprefer: return-no-content\r\n";

/// Takes one from `left`; `false` if nothing is left.
fn taken(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
        left.checked_sub(1)
    })
    .is_ok()
}

/// Ids and pop receipts, escaped, of the messages in a list.
fn messages(body: &str) -> Vec<(String, String)> {
    let texts = |name: &str| -> Vec<String> {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let parts = body.split(open.as_str()).skip(1);
        parts
            .map(|part| {
                part.split(close.as_str())
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            })
            .collect()
    };
    let escape = |text: String| {
        text.replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D")
    };
    let receipts = texts("PopReceipt").into_iter().map(escape);
    texts("MessageId").into_iter().zip(receipts).collect()
}
