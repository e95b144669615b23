//! The real binary against a real Azurite.

use azurite::Azurite;
use futures::StreamExt as _;
use nix::sys::signal::Signal;
use serde_json::{Map, Value};
use tokio::sync::OnceCell;
use workflow::azure::credential::CredentialChoice;
use workflow::azure::{AccountArgs, AzureQueue, AzureTable, QueueArgs, Secret, Storage, TableArgs};
use workflow::contract::{
    Message, MessageId, PoisonEnvelope, PoisonReason, RunId, Seq, Stamp, StoredRow,
};
use workflow::ports::{ResultTable as _, StorageError, WorkQueue as _};

use crate::support::{Consumer, Ended, run};

/// A queue and a table of their own in an Azurite.
struct Site {
    queue_url: String,
    table_url: String,
    sas: String,
    name: String,
    queue: AzureQueue,
    poison: AzureQueue,
    table: AzureTable,
}

/// One Azurite for all tests here; its leash ends it, since statics are not dropped.
async fn shared() -> &'static Azurite {
    static SHARED: OnceCell<Azurite> = OnceCell::const_new();
    SHARED
        .get_or_init(|| async { Azurite::start().await.unwrap() })
        .await
}

impl Site {
    fn of(azurite: &Azurite, name: &str) -> Self {
        let (queue_url, table_url, sas) = (azurite.queue_url(), azurite.table_url(), azurite.sas());
        let account = AccountArgs {
            account: None,
            endpoint_suffix: "core.windows.net".into(),
            credential: CredentialChoice::Sas,
            sas: Some(Secret::new(&*sas)),
            connection_string: None,
        };
        let queues = QueueArgs {
            queue: name.parse().unwrap(),
            queue_endpoint: queue_url.parse().ok(),
        };
        let tables = TableArgs {
            table: name.parse().unwrap(),
            table_endpoint: table_url.parse().ok(),
        };
        let storage = Storage::open(&account).unwrap();
        Self {
            queue: storage.queue(&queues).unwrap(),
            poison: storage
                .queue_named(&queues.queue.poison().unwrap(), &queues)
                .unwrap(),
            table: storage.table(&tables).unwrap(),
            name: name.to_owned(),
            queue_url,
            table_url,
            sas,
        }
    }

    async fn created(self) -> Self {
        self.queue.create().await.unwrap();
        self.table.create().await.unwrap();
        self
    }

    fn environment<'a>(&'a self, sas: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            ("AZURE_QUEUE_ENDPOINT", &self.queue_url),
            ("AZURE_TABLE_ENDPOINT", &self.table_url),
            ("AZURE_STORAGE_SAS_TOKEN", sas),
            ("AZURE_QUEUE_NAME", &self.name),
            ("AZURE_TABLE_NAME", &self.name),
        ]
    }

    async fn run(&self, flags: &[&str]) -> Ended {
        run(flags, &self.environment(&self.sas)).await
    }

    fn start(&self, flags: &[&str]) -> Consumer {
        Consumer::start(flags, &self.environment(&self.sas))
    }

    async fn put(&self, seqs: std::ops::RangeInclusive<u64>) {
        for seq in seqs {
            let id = MessageId::new(self.run_id(), Seq::new(seq).unwrap());
            let message = Message::new(id, format!("payload {seq}"), Stamp::now(), Stamp::now());
            self.queue.send(&message.encode()).await.unwrap();
        }
    }

    fn run_id(&self) -> RunId {
        self.name.parse().unwrap()
    }

    /// The attempts of the stored rows, in key order.
    async fn attempts(&self) -> Vec<Option<u32>> {
        let attempt = |row: Result<Map<String, Value>, StorageError>| {
            let row: StoredRow = serde_json::from_value(row.unwrap().into()).unwrap();
            row.attempt
        };
        self.table.all_entities().map(attempt).collect().await
    }
}

#[tokio::test]
async fn every_message_becomes_one_row() {
    let site = Site::of(shared().await, "consumerrows").created().await;
    site.put(1..=200).await;
    let ended = site.run(&["--exit-when-idle", "200ms"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(site.attempts().await, vec![Some(1); 200]);
    assert_eq!(site.queue.approximate_count().await.unwrap(), 0);
}

#[tokio::test]
async fn what_is_missing_or_denied_is_refused_with_advice() {
    let site = Site::of(shared().await, "consumerstart");
    let missing = site.run(&[]).await;
    assert_eq!(missing.code, Some(4), "{}", missing.stderr);
    assert!(missing.stderr.contains("--create"), "{}", missing.stderr);

    site.queue.create().await.unwrap();
    let missing = site.run(&[]).await;
    assert_eq!(missing.code, Some(4), "{}", missing.stderr);
    assert!(
        missing.stderr.contains("TableNotFound"),
        "{}",
        missing.stderr
    );

    let wrong = site.sas.replace("sig=", "sig=AAAA");
    let denied = run(&[], &site.environment(&wrong)).await;
    assert_eq!(denied.code, Some(5), "{}", denied.stderr);
    assert!(
        denied
            .stderr
            .contains("the signature of the SAS does not fit"),
        "{}",
        denied.stderr
    );
}

#[tokio::test]
async fn a_probe_needs_neither_queue_nor_table_and_says_what_is_refused() {
    let site = Site::of(shared().await, "consumerprobe");
    let ended = site.run(&["--probe"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("put, got, inserted and deleted"),
        "{}",
        ended.stderr
    );

    let wrong = site.sas.replace("sig=", "sig=AAAA");
    let denied = run(&["--probe"], &site.environment(&wrong)).await;
    assert_eq!(denied.code, Some(5), "{}", denied.stderr);
    assert!(denied.stderr.contains("make a queue"), "{}", denied.stderr);
}

#[tokio::test]
async fn what_is_missing_is_created_where_asked() {
    let site = Site::of(shared().await, "consumercreate");
    let ended = site.run(&["--create", "--exit-when-idle", "100ms"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(site.queue.approximate_count().await.unwrap(), 0);
    assert_eq!(site.attempts().await, []);
}

#[tokio::test]
async fn redelivery_after_a_kill_stores_one_row() {
    let site = Site::of(shared().await, "consumerkill").created().await;
    site.put(1..=10).await;
    let flags = [
        "--work",
        "fixed:30s",
        "--visibility",
        "2s",
        "--log",
        "info,consumer=debug",
    ];
    let mut killed = site.start(&flags);
    killed.until("delivery begun").await;
    killed.signal(Signal::SIGKILL);
    assert_eq!(killed.end().await.0, None);

    // The test takes at least as long as the leases of the killed consumer.
    let ended = site
        .run(&["--exit-when-idle", "3s", "--idle-poll-max", "200ms"])
        .await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(site.attempts().await, vec![Some(2); 10]);
}

#[tokio::test]
async fn leases_are_renewed_while_slow_work_goes_on() {
    let site = Site::of(shared().await, "consumerslow").created().await;
    site.put(1..=5).await;
    // Longer than a lease by more than the delay of a busy machine; a renewal may be late by half a lease.
    let flags = [
        "--work",
        "fixed:7s",
        "--visibility",
        "5s",
        "--exit-when-idle",
        "200ms",
        "--idle-poll-max",
        "200ms",
    ];
    let (code, last) = site.start(&flags).end().await;
    assert_eq!(code, Some(0), "{last}");
    assert!(last["renewed"].as_u64() >= Some(5), "{last}");
    assert_eq!(
        (&last["lease_lost"], &last["redelivered"]),
        (&0.into(), &0.into()),
        "{last}"
    );
    assert_eq!(site.attempts().await, vec![Some(1); 5]);
}

#[tokio::test]
async fn a_body_that_is_no_message_goes_to_a_poison_queue_that_is_made_for_it() {
    let site = Site::of(shared().await, "consumerpoison").created().await;
    site.queue
        .send("<not a \"message\" & no JSON>")
        .await
        .unwrap();
    let ended = site.run(&["--exit-when-idle", "100ms"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let peeked = site.poison.peek(32).await.unwrap();
    let envelope: PoisonEnvelope = serde_json::from_str(&peeked[0].body).unwrap();
    assert_eq!((envelope.reason, peeked.len()), (PoisonReason::NotJson, 1));
    assert_eq!(envelope.body, "<not a \"message\" & no JSON>");
    assert_eq!(site.queue.approximate_count().await.unwrap(), 0);
}

#[tokio::test]
async fn storage_that_goes_away_and_comes_back_is_ridden_out() {
    let directory = tempfile::tempdir().unwrap();
    let mut azurite = Azurite::builder()
        .directory(directory.path())
        .start()
        .await
        .unwrap();
    let site = Site::of(&azurite, "consumeraway").created().await;
    let mut consumer = site.start(&["--idle-poll-max", "200ms"]);
    consumer.until("ready: queue and table answer").await;
    azurite.halt().await.unwrap();
    consumer.until("storage lost").await;
    azurite.resume().await.unwrap();
    consumer.until("storage back").await;
    consumer.assert_only_ours_spoke();
    site.put(1..=20).await;
    while site.queue.approximate_count().await.unwrap() > 0 {
        tokio::task::yield_now().await;
    }
    consumer.signal(Signal::SIGTERM);
    let (code, last) = consumer.end().await;
    assert_eq!((code, site.attempts().await.len()), (Some(0), 20), "{last}");
    azurite.stop().await;
}
