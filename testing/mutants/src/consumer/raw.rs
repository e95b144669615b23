//! Storage requests of attacks: plain HTTP, without any client library.

use std::io::Write as _;
use std::net::TcpStream;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, IF_MATCH};
use reqwest::{Client, Method, Url};
use serde_json::{Value, json};
use workflow::contract::ResultRow;
use workflow::ports::Lease;

/// The content of a request: its content type and its text.
type Body<'a> = (&'a str, String);

/// The mutant's connection to storage.
#[derive(Debug)]
pub(super) struct Raw {
    client: Client,
    sas: String,
    pub(super) queue: Url,
    pub(super) table: Url,
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

    /// The same connection around the wire: the harness's environment, which any process can read, has the real address of storage.
    pub(super) fn around(&self) -> Self {
        let told = environment_of(std::os::unix::process::parent_id());
        let [queue, table] = ["EDW_AZURITE_QUEUE_URL", "EDW_AZURITE_TABLE_URL"]
            .map(|name| url_in(&told, name).expect(name));
        Self::new(queue, table, self.sas.clone())
    }

    /// The same connection in the name of another consumer of this harness, whose environment has its own address of the wire.
    pub(super) fn as_another(&self) -> Option<Self> {
        Some(self.of_another()?.1)
    }

    /// The same, with the name of the other consumer.
    pub(super) fn of_another(&self) -> Option<(String, Self)> {
        let (own, parent) = (std::process::id(), std::os::unix::process::parent_id());
        // Each thread lists the children that it has started.
        let threads = std::fs::read_dir(format!("/proc/{parent}/task")).ok()?;
        let lists = threads.filter_map(|thread| {
            let path = thread.ok()?.path().join("children");
            std::fs::read_to_string(path).ok()
        });
        let children: String = lists.collect();
        let others = children.split_whitespace().filter_map(|id| id.parse().ok());
        others.filter(|id| *id != own).find_map(|id| {
            let told = environment_of(id);
            let queue = url_in(&told, "AZURE_QUEUE_ENDPOINT")?;
            let table = url_in(&told, "AZURE_TABLE_ENDPOINT")?;
            let name = value_in(&told, "POD_NAME")?.to_owned();
            (queue != self.queue).then(|| (name, Self::new(queue, table, self.sas.clone())))
        })
    }

    /// The status of the answer, and its body.
    pub(super) async fn ask(
        &self,
        method: &str,
        base: &Url,
        path: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
        body: Option<Body<'_>>,
    ) -> (u16, String) {
        let base = base.as_str().trim_end_matches('/').to_owned();
        let url = format!("{base}/{path}?{}", self.sas);
        let mut url: Url = url.parse().expect("a URL");
        url.query_pairs_mut().extend_pairs(query);
        let method: Method = method.parse().expect("a method");
        let mut request = self.client.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some((content_type, text)) = body {
            request = request.header(CONTENT_TYPE, content_type).body(text);
        }
        let is_table = base.as_str() == self.table.as_str().trim_end_matches('/');
        if is_table && !headers.iter().any(|(name, _)| *name == ACCEPT.as_str()) {
            request = request.header(ACCEPT, "application/json;odata=nometadata");
        }
        match request.send().await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                (status, answer.text().await.unwrap_or_default())
            }
            Err(error) => (0, error.to_string()),
        }
    }

    pub(super) async fn insert(&self, table: &str, row: &Value) -> bool {
        let (status, _) = self
            .ask("POST", &self.table, table, &[], &[], Some(json_body(row)))
            .await;
        status == 201 || status == 204
    }

    /// Sends the insert of a row, and asks for an answer in a format that storage refuses to write.
    pub(super) async fn insert_as_atom(&self, table: &str, row: &Value) {
        let accept = [(ACCEPT.as_str(), "application/atom+xml")];
        let body = Some(json_body(row));
        self.ask("POST", &self.table, table, &[], &accept, body)
            .await;
    }

    /// Sends the insert of a row, and closes the connection at once.
    pub(super) fn insert_and_hang_up(&self, table: &str, row: &Value) -> std::io::Result<()> {
        let (host, port) = (self.table.host_str(), self.table.port_or_known_default());
        let (host, port) = host.zip(port).expect("storage must have an address");
        let path = format!(
            "{}/{table}?{}",
            self.table.path().trim_end_matches('/'),
            self.sas
        );
        let (_, body) = json_body(row);
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: application/json;odata=nometadata\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        TcpStream::connect((host, port))?.write_all(request.as_bytes())
    }

    pub(super) async fn create_table(&self, table: &str) {
        let named = json!({"TableName": table});
        self.ask(
            "POST",
            &self.table,
            "Tables",
            &[],
            &[],
            Some(json_body(&named)),
        )
        .await;
    }

    pub(super) async fn delete_table(&self, table: &str) {
        let path = format!("Tables('{table}')");
        self.ask("DELETE", &self.table, &path, &[], &[], None).await;
    }

    /// Sends POST to a row, with a header that names another method.
    pub(super) async fn tunnel(
        &self,
        table: &str,
        row: &ResultRow,
        method: &str,
        body: &Value,
    ) -> bool {
        let headers = [("X-HTTP-Method", method), (IF_MATCH.as_str(), "*")];
        let path = path_of(table, row);
        let (status, _) = self
            .ask(
                "POST",
                &self.table,
                &path,
                &[],
                &headers,
                Some(json_body(body)),
            )
            .await;
        status == 204
    }

    pub(super) async fn delete_row(&self, table: &str, row: &ResultRow) {
        let headers = [(IF_MATCH.as_str(), "*")];
        let path = path_of(table, row);
        self.ask("DELETE", &self.table, &path, &[], &headers, None)
            .await;
    }

    /// Merges `body` into a row, within a transaction.
    pub(super) async fn merge_in_transaction(
        &self,
        table: &str,
        row: &ResultRow,
        body: &Value,
    ) -> bool {
        self.change_in_transaction("MERGE", &path_of(table, row), "If-Match: *", body)
            .await
    }

    /// Inserts a row, alone in a transaction.
    pub(super) async fn insert_in_transaction(&self, table: &str, row: &Value) -> bool {
        self.change_in_transaction("POST", table, "Prefer: return-no-content", row)
            .await
    }

    /// Sends a transaction of one request, with this further header.
    async fn change_in_transaction(
        &self,
        method: &str,
        path: &str,
        header: &str,
        body: &Value,
    ) -> bool {
        let url = format!("{}/{path}", self.table);
        let head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary";
        let accept = "Accept: application/json;odata=minimalmetadata";
        let request = format!(
            "{method} {url} HTTP/1.1\r\nContent-Type: application/json\r\n{accept}\r\n{header}\r\n\r\n{body}\r\n"
        );
        let text = format!(
            "--batch_a\r\nContent-Type: multipart/mixed; boundary=changeset_b\r\n\r\n--changeset_b\r\n{head}\r\n\r\n{request}\
             --changeset_b--\r\n--batch_a--\r\n"
        );
        let body = Some(("multipart/mixed; boundary=batch_a", text));
        let (status, text) = self
            .ask("POST", &self.table, "$batch", &[], &[], body)
            .await;
        status == 202 && text.contains("204")
    }

    pub(super) async fn delete(&self, queue: &str, lease: &Lease) -> bool {
        let path = format!("{queue}/messages/{}", lease.message_id);
        let receipt = [("popreceipt", lease.pop_receipt.as_str())];
        let (status, _) = self
            .ask("DELETE", &self.queue, &path, &receipt, &[], None)
            .await;
        status == 204
    }

    /// Gives a message another body, with a lease of this many seconds. Returns the new receipt.
    pub(super) async fn rewrite(
        &self,
        queue: &str,
        lease: &Lease,
        body: &str,
        seconds: &str,
    ) -> Option<String> {
        let path = format!("{queue}/messages/{}", lease.message_id);
        let query = [
            ("popreceipt", lease.pop_receipt.as_str()),
            ("visibilitytimeout", seconds),
        ];
        let url = format!("{}/{path}?{}", self.queue, self.sas);
        let mut url: Url = url.parse().ok()?;
        url.query_pairs_mut().extend_pairs(query);
        let request = self.client.put(url).header(CONTENT_TYPE, XML);
        let answer = request.body(message_xml(body)).send().await.ok()?;
        let receipt = answer.headers().get("x-ms-popreceipt")?;
        receipt.to_str().ok().map(str::to_owned)
    }

    /// Puts a message, hidden for this many seconds. Returns its id and receipt.
    pub(super) async fn put(
        &self,
        queue: &str,
        body: &str,
        seconds: &str,
    ) -> Option<(String, String)> {
        let path = format!("{queue}/messages");
        let query = [("visibilitytimeout", seconds)];
        let body = Some((XML, message_xml(body)));
        let (status, answer) = self
            .ask("POST", &self.queue, &path, &query, &[], body)
            .await;
        let between = |tag: &str| {
            let (_, rest) = answer.split_once(&format!("<{tag}>"))?;
            rest.split('<').next().map(str::to_owned)
        };
        (status == 201).then_some(())?;
        Some((between("MessageId")?, between("PopReceipt")?))
    }

    /// Puts a message that storage keeps for this many seconds.
    pub(super) async fn put_for(&self, queue: &str, body: &str, seconds: &str) {
        let (path, query) = (format!("{queue}/messages"), [("messagettl", seconds)]);
        let body = Some((XML, message_xml(body)));
        self.ask("POST", &self.queue, &path, &query, &[], body)
            .await;
    }

    pub(super) async fn create_queue(&self, queue: &str) {
        self.ask("PUT", &self.queue, queue, &[], &[], None).await;
    }

    pub(super) async fn delete_queue(&self, queue: &str) {
        self.ask("DELETE", &self.queue, queue, &[], &[], None).await;
    }

    pub(super) async fn set_metadata(&self, queue: &str) {
        let (query, headers) = ([("comp", "metadata")], [("x-ms-meta-done", "1")]);
        self.ask("PUT", &self.queue, queue, &query, &headers, None)
            .await;
    }

    pub(super) async fn clear(&self, queue: &str) {
        let path = format!("{queue}/messages");
        self.ask("DELETE", &self.queue, &path, &[], &[], None).await;
    }

    /// Sends a request with a token that no authority has issued.
    pub(super) async fn peek_with_a_bad_token(&self, queue: &str) {
        let headers = [
            (AUTHORIZATION.as_str(), "Bearer nobody.gave.this"),
            ("x-ms-version", "2021-12-02"),
        ];
        let (path, query) = (format!("{queue}/messages"), [("peekonly", "true")]);
        self.ask("GET", &self.queue, &path, &query, &headers, None)
            .await;
    }
}

const XML: &str = "application/xml";

fn json_body(body: &Value) -> Body<'static> {
    ("application/json", body.to_string())
}

fn message_xml(body: &str) -> String {
    let body = body
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!("<QueueMessage><MessageText>{body}</MessageText></QueueMessage>")
}

fn path_of(table: &str, row: &ResultRow) -> String {
    let (partition, key) = (&row.partition_key, &row.row_key);
    format!("{table}(PartitionKey='{partition}',RowKey='{key}')")
}

fn environment_of(process: u32) -> String {
    std::fs::read_to_string(format!("/proc/{process}/environ")).unwrap_or_default()
}

fn url_in(environment: &str, name: &str) -> Option<Url> {
    value_in(environment, name)?.parse().ok()
}

fn value_in<'e>(environment: &'e str, name: &str) -> Option<&'e str> {
    let mut pairs = environment
        .split('\0')
        .filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    Some(value)
}
