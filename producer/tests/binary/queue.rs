//! A real queue: its content is what the summary says.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use azurite::Azurite;
use nix::sys::signal::Signal;
use producer::{Event, Summary};
use tokio::sync::OnceCell;
use workflow::azure::credential::CredentialChoice;
use workflow::azure::{AccountArgs, AzureQueue, QueueArgs, Secret, Storage};
use workflow::contract::{Message, Seq};
use workflow::ports::WorkQueue as _;

use super::process::{Running, SIGNATURE, producer, run};

/// One Azurite for all tests here; its leash ends it, since statics are not dropped.
async fn shared() -> &'static Azurite {
    static SHARED: OnceCell<Azurite> = OnceCell::const_new();
    SHARED
        .get_or_init(|| async { Azurite::start().await.unwrap() })
        .await
}

fn open(azurite: &Azurite, name: &str) -> AzureQueue {
    let account = AccountArgs {
        account: None,
        endpoint_suffix: "core.windows.net".to_owned(),
        credential: CredentialChoice::Sas,
        sas: Some(Secret::new(azurite.sas())),
        connection_string: None,
    };
    let queue = QueueArgs {
        queue: name.parse().unwrap(),
        queue_endpoint: Some(azurite.queue_url().parse().unwrap()),
    };
    Storage::open(&account).unwrap().queue(&queue).unwrap()
}

fn producer_to(azurite: &Azurite, queue: &str) -> Command {
    let mut command = producer();
    command
        .env("AZURE_STORAGE_ACCOUNT_NAME", azurite.account())
        .env("AZURE_QUEUE_NAME", queue)
        .env("AZURE_QUEUE_ENDPOINT", azurite.queue_url())
        .env("AZURE_STORAGE_SAS_TOKEN", azurite.sas());
    command
}

/// Every message in the queue, with how often it is there.
async fn contents(queue: &AzureQueue) -> BTreeMap<u64, (u32, Message)> {
    let mut found = BTreeMap::new();
    loop {
        let deliveries = queue.receive(32, Duration::from_secs(600)).await.unwrap();
        if deliveries.is_empty() {
            return found;
        }
        for delivery in deliveries {
            let message = Message::decode(&delivery.body).unwrap();
            found.entry(message.id.seq.get()).or_insert((0, message)).0 += 1;
        }
    }
}

/// Checks that the queue has exactly the messages 1 to `begun`, as often as the run's duplicates require, with payloads that follow
/// from the seed.
async fn assert_matches(summary: &Summary, queue: &AzureQueue) {
    let found = contents(queue).await;
    let duplicates = summary.duplicates().unwrap();
    let payloads = workflow::contract::Payloads {
        seed: summary.seed,
        size: summary.payload,
    };
    assert_eq!(found.len() as u64, summary.begun);
    for (n, (copies, message)) in found {
        let seq = Seq::new(n).unwrap();
        assert!(n <= summary.begun);
        assert_eq!(
            copies,
            1 + u32::from(duplicates.is_duplicated(seq)),
            "message {n}"
        );
        assert_eq!(
            (message.id.run, message.msg),
            (summary.run.clone(), payloads.payload(seq))
        );
        assert!(message.sent_stamp >= message.src_stamp && message.sent_stamp <= summary.ended);
    }
}

#[tokio::test]
async fn complete_runs_are_complete() {
    let azurite = shared().await;
    let queue = open(azurite, "complete");
    let mut command = producer_to(azurite, "complete");
    command.args([
        "--create",
        "--shape=poisson:300/s",
        "--messages=300",
        "--payload=uniform:100..500",
    ]);
    let summary = run(command.arg("--duplicate-rate=0.1"))
        .assert(0, &[])
        .summary();
    assert_eq!((summary.acknowledged, summary.interrupted), (300, false));
    assert!(summary.duplicates_sent > 0);
    assert_matches(&summary, &queue).await;
}

#[tokio::test]
async fn interrupted_runs_are_truthful() {
    let azurite = shared().await;
    let queue = open(azurite, "interrupted");
    let mut running =
        Running::start(producer_to(azurite, "interrupted").args(["--create", "--rate=200"]));
    running
        .wait_for(|event| matches!(event, Event::Progress(progress) if progress.acknowledged > 0));
    running.signal(Signal::SIGINT);
    let summary = running.wait().assert(0, &["stopping"]).summary();
    assert!(summary.interrupted && summary.acknowledged == summary.begun);
    assert_matches(&summary, &queue).await;
}

#[tokio::test]
async fn the_samples_variables_are_enough() {
    let azurite = shared().await;
    let queue = open(azurite, "sample");
    queue.create().await.unwrap();
    let mut running = Running::start(&mut producer_to(azurite, "sample"));
    running
        .wait_for(|event| matches!(event, Event::Progress(progress) if progress.acknowledged >= 2));
    running.signal(Signal::SIGTERM);
    let summary = running.wait().assert(0, &[]).summary();
    assert_eq!((summary.shape.as_str(), summary.planned), ("sample", None));
    let found = contents(&queue).await;
    assert_eq!(found.len() as u64, summary.begun);
    let stamps: Vec<_> = found
        .values()
        .map(|(_, message)| message.src_stamp)
        .collect();
    for (n, (_, message)) in &found {
        assert_eq!(message.msg, format!("Scale Test Message : COUNT {n}"));
    }
    for pair in stamps.windows(2) {
        let gap = pair[1].micros_since(pair[0]);
        assert!(
            gap >= 999_000 && gap % 1_000_000 <= 1_000 || gap % 1_000_000 >= 999_000,
            "whole seconds: {gap} us"
        );
    }
}

#[tokio::test]
async fn what_is_missing_or_denied_is_told() {
    let azurite = shared().await;
    open(azurite, "denied").create().await.unwrap();
    let ended = run(producer_to(azurite, "nosuchqueue").args(["--rate=5"]));
    ended.assert(4, &["queue nosuchqueue", "does not exist", "--create"]);
    let sas = azurite.sas();
    let wrong: Vec<_> = sas
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some(("sig", _)) => format!("sig={SIGNATURE}"),
            _ => pair.to_owned(),
        })
        .collect();
    let mut command = producer_to(azurite, "denied");
    command
        .env("AZURE_STORAGE_SAS_TOKEN", wrong.join("&"))
        .args(["--rate=5"]);
    run(&mut command).assert(
        5,
        &["access denied", "the signature of the SAS does not fit"],
    );
}
