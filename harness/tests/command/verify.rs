//! `harness verify` judges tables of other programs, from the producer's summary alone.

mod leased;
mod shared;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use engine::Engine;
use harness::audit::Violation;
use harness::measure::Hop;
use harness::report::RunRecord;
use serde_json::json;
use tables::{TableClient, TableClientOptions};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use workflow::azure::credential::CredentialChoice;
use workflow::azure::{AccountArgs, AzureQueue, QueueArgs, Secret, Storage};
use workflow::azure::{AzureTable, TableArgs};
use workflow::contract::{Message, ResultRow, Stamp};
use workflow::ports::{Delivery, ResultTable as _, WorkQueue as _};

use crate::storage::shared_engine;

const MESSAGES: usize = 40;

/// A load that was sent, with an empty table.
struct Sent {
    engine: &'static Engine,
    /// The name of its queue and of its table, which no other test uses.
    name: String,
    queue: AzureQueue,
    summary: PathBuf,
    out: TempDir,
}

impl Sent {
    async fn new() -> Self {
        static SENT: AtomicU32 = AtomicU32::new(1);
        let name = format!("sent{}", SENT.fetch_add(1, Ordering::Relaxed));
        let engine = shared_engine();
        let out = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
        let sent = Self {
            queue: queue(engine, &name),
            name,
            summary: out.path().join("producer.json"),
            out,
            engine,
        };
        sent.load("r1", MESSAGES, &sent.summary).await;
        sent
    }

    /// Sends `messages` as `run`.
    async fn load(&self, run: &str, messages: usize, summary: &Path) {
        let mut producer = self.harness("producer");
        producer
            .args(["--create", "--shape=burst", "--seed=5"])
            .arg(format!("--run={run}"))
            .arg(format!("--messages={messages}"))
            .arg(format!("--summary={}", summary.display()));
        let output = producer.output().await.expect("the producer must start");
        assert!(output.status.success(), "{output:?}");
    }

    /// `harness command` with the same storage flags as a consumer.
    fn harness(&self, command: &str) -> Command {
        let mut harness = Command::new(env!("CARGO_BIN_EXE_harness"));
        harness
            .arg(command)
            .env("AZURE_STORAGE_ACCOUNT_NAME", self.engine.account())
            .env("AZURE_QUEUE_NAME", &self.name)
            .env("AZURE_TABLE_NAME", &self.name)
            .env("AZURE_QUEUE_ENDPOINT", self.engine.queue_url())
            .env("AZURE_TABLE_ENDPOINT", self.engine.table_url())
            .env("AZURE_STORAGE_SAS_TOKEN", self.engine.sas())
            .env("EDW_CREDENTIAL", "sas")
            .env("EDW_OUT", self.out.path());
        harness
    }

    fn verify(&self, arguments: &[&str]) -> Command {
        let mut verify = self.harness("verify");
        verify.arg("--summary").arg(&self.summary).args(arguments);
        verify
    }

    async fn verified(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let verified = self.verify(arguments).output().await;
        said(&verified.expect("the harness must start"))
    }

    /// The record of the only verification.
    fn record(&self) -> RunRecord {
        let entries = std::fs::read_dir(self.out.path()).expect("the directory");
        let mut dirs = entries.map(|entry| entry.expect("an entry").path());
        let dir = dirs.find(|path| path.is_dir()).expect("a report");
        RunRecord::read(&dir).expect("its event log")
    }

    fn table(&self) -> TableClient {
        let url = format!("{}?{}", self.engine.table_url(), self.engine.sas());
        let options = TableClientOptions::default();
        let url = url.parse().expect("a URL");
        TableClient::new(url, &self.name, None, Some(options)).expect("a table")
    }
}

fn storage(engine: &Engine) -> Storage {
    let storage = Storage::open(&AccountArgs {
        account: None,
        endpoint_suffix: "core.windows.net".to_owned(),
        credential: CredentialChoice::Sas,
        sas: Some(Secret::new(engine.sas())),
        connection_string: None,
    });
    storage.expect("a storage")
}

fn queue(engine: &Engine, name: &str) -> AzureQueue {
    let queue = storage(engine).queue(&QueueArgs {
        queue: name.parse().expect("a queue's name"),
        queue_endpoint: Some(engine.queue_url().parse().expect("a URL")),
    });
    queue.expect("a queue")
}

fn said(output: &Output) -> (Option<i32>, String) {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    (
        output.status.code(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

/// A worker with a table of another form: a new key for each row, the id and the payload in columns of other names.
async fn foreign_worker(sent: &Sent) {
    let table = sent.table();
    table.create(None).await.expect("a table");
    let hidden = std::time::Duration::from_secs(60);
    let mut row = 0;
    loop {
        let deliveries = sent.queue.receive(32, hidden).await.expect("messages");
        if deliveries.is_empty() {
            return;
        }
        for delivery in deliveries {
            let message = Message::decode(&delivery.body).expect("a message");
            row += 1;
            let entity = json!({
                "PartitionKey": "all", "RowKey": format!("row-{row}"),
                "messageId": message.id.to_string(), "payload": message.msg,
            });
            table.insert_entity(&entity, None).await.expect("a row");
            sent.queue.delete(&delivery.lease).await.expect("a delete");
        }
    }
}

#[tokio::test]
async fn a_table_with_columns_of_its_own_is_judged_by_its_ids_and_payloads() {
    let sent = Sent::new().await;
    let own = ["--id-column=messageId", "--data-column=payload"];
    let (code, text) = sent.verified(&own).await;
    assert_eq!(code, Some(4), "no table yet: {text}");

    foreign_worker(&sent).await;
    let (code, text) = sent.verified(&own).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("40 messages stored exactly once each"),
        "{text}"
    );
    assert!(!text.contains("misplaced"), "keys were not judged: {text}");

    // A column that no row has says nothing about the consumer.
    let (code, text) = sent.verified(&["--id-column=nothing"]).await;
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains("none of the 40 rows has a message id in it"),
        "{text}"
    );

    // Judged by the contract, no row is right.
    let (code, text) = sent.verified(&[]).await;
    assert_eq!(code, Some(10), "{text}");

    // One row is there twice, one is deleted.
    let table = sent.table();
    let again = json!({
        "PartitionKey": "all", "RowKey": "again", "messageId": "r1-7", "payload": "something else",
    });
    table.insert_entity(&again, None).await.expect("a row");
    table
        .delete_entity("all", "row-1", None)
        .await
        .expect("a delete");
    let (code, text) = sent.verified(&own).await;
    assert_eq!(code, Some(10), "{text}");
    for violation in ["1 message lost", "1 duplicated", "1 corrupted"] {
        assert!(
            text.contains(violation),
            "{violation:?} is missing in {text}"
        );
    }
    assert_eq!(
        reports(sent.out.path()),
        3,
        "each verification has its own directory"
    );
}

fn reports(out: &Path) -> usize {
    let entries = std::fs::read_dir(out).expect("the directory");
    let reports = entries.filter(|entry| {
        let path = entry.as_ref().expect("an entry").path();
        path.join("report.html").is_file()
    });
    reports.count()
}

#[tokio::test]
async fn a_summary_that_is_missing_or_wrong_is_named() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory");
    let wrong = directory.path().join("wrong.json");
    std::fs::write(&wrong, "{}").expect("a file");
    let cut_off = directory.path().join("cut-off.json");
    std::fs::write(&cut_off, "{\n  \"version\": 1,\n  \"ru").expect("a file");
    for (arguments, text) in [
        (vec!["--summary=/no/such.json"], "read /no/such.json"),
        (
            vec!["--run=r9"],
            "r9/producer.json and none in a suite's directory",
        ),
        (
            vec![&*format!("--summary={}", wrong.display())],
            "wrong.json is no summary of the producer: it is JSON of another kind, an object without fields; give what the producer wrote with --summary FILE",
        ),
        (
            vec![&*format!("--summary={}", cut_off.display())],
            "cut-off.json is no summary of the producer: line 3: it ends too early, as what was cut off does",
        ),
        (vec![], "--summary"),
    ] {
        let mut verify = Command::new(env!("CARGO_BIN_EXE_harness"));
        verify
            .arg("verify")
            .args(&arguments)
            .args([
                "--account=devstoreaccount1",
                "--queue=work",
                "--table=results",
            ])
            .env("EDW_OUT", directory.path());
        let (code, said) = said(&verify.output().await.expect("the harness must start"));
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(text), "{text:?} is missing in {said}");
    }
}

/// A worker of the contract that the test drives.
struct Worker<'a> {
    queue: &'a AzureQueue,
    table: AzureTable,
}

impl<'a> Worker<'a> {
    async fn new(sent: &'a Sent) -> Self {
        let table = storage(sent.engine).table(&TableArgs {
            table: sent.name.parse().expect("a table's name"),
            table_endpoint: Some(sent.engine.table_url().parse().expect("a URL")),
        });
        let table = table.expect("a table");
        table.create().await.expect("a table");
        Self {
            queue: &sent.queue,
            table,
        }
    }

    /// Receives all visible messages, and leases them for a minute.
    async fn receive_all(&self) -> Vec<Delivery> {
        let mut all = Vec::new();
        loop {
            let lease = Duration::from_secs(60);
            let deliveries = self.queue.receive(32, lease).await.expect("messages");
            if deliveries.is_empty() {
                return all;
            }
            all.extend(deliveries);
        }
    }

    /// Stores and deletes `deliveries`. Their rows claim an intended time that is `earlier` than the real one.
    async fn finish(&self, deliveries: &[Delivery], earlier: Duration) {
        for delivery in deliveries {
            let message = Message::decode(&delivery.body).expect("a message");
            let row = ResultRow::of(message, Stamp::now(), delivery.attempt, "worker", "here");
            let earlier = i64::try_from(earlier.as_micros()).expect("a short time");
            let row = ResultRow {
                src_stamp: Stamp::from_micros(row.src_stamp.as_micros() - earlier),
                ..row
            };
            self.table.insert(&[row]).await.expect("a row");
            let deleted = self.queue.delete(&delivery.lease).await;
            deleted.expect("a delete");
        }
    }
}
