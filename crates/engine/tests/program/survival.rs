//! Tests of kill -9 under load: no acknowledged write is lost, and nothing deleted comes back.
//!
//! Workers put, receive, delete and insert; after a number of acknowledgements, which depends on the seed, the process is
//! killed. Then an engine in this process opens the directory, on a clock at which every lease has expired, and returns all
//! data. An operation without an answer may have happened or not. `ENGINE_KILLS` is the number of kills; `docs/ENGINE.md`
//! reports 100.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use engine::{Engine, Moment, PlayedClock};
use reqwest::{Method, StatusCode};
use serde_json::Value as Json;
use tokio::sync::Notify;

use crate::{
    client::{Services, elements},
    process::Process,
};

const KILLS: usize = 4;
const WORKERS: usize = 8;
/// Longer than any lease.
const LATER: Duration = Duration::from_secs(8 * 24 * 60 * 60);

/// The workers' knowledge: whether each message and row must exist, must not, or may.
#[derive(Debug, Default)]
struct Ledger {
    put: BTreeSet<String>,
    deleted: BTreeSet<String>,
    unknown: BTreeSet<String>,
    /// Messages that a worker received, possibly before the worker that put them had its answer.
    received: BTreeSet<String>,
    rows: BTreeSet<String>,
    unknown_rows: BTreeSet<String>,
}

/// Counts acknowledgements, and signals when there are enough.
#[derive(Debug)]
struct Countdown {
    left: AtomicUsize,
    over: Notify,
}

impl Countdown {
    fn count(&self) {
        let before = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                Some(left.saturating_sub(1))
            });
        if before == Ok(1) {
            self.over.notify_one();
        }
    }
}

#[test]
fn a_kill_loses_nothing_acknowledged_and_brings_back_nothing_deleted() {
    let kills = std::env::var("ENGINE_KILLS").map_or(KILLS, |count| count.parse().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for kill in 0..kills {
        // Spread over early and late moments of a load, the same ones in each run.
        let acknowledgements = 20 + kill * 7919 % 1_500;
        runtime.block_on(one_kill(directory.path(), kill, acknowledgements));
    }
}

async fn one_kill(directory: &Path, kill: usize, acknowledgements: usize) {
    let path = directory.display().to_string();
    let mut process = Process::start(&["--directory", &path]);
    // Account and key are those of all emulators, so a SAS of one engine is valid for another.
    let sas = Engine::builder().start().await.unwrap().sas();
    let services = Services::new(&process.queue_url, &process.table_url, sas);
    services
        .queue(Method::PUT, "work", "", String::new())
        .await
        .unwrap();
    let create = r#"{"TableName":"results"}"#.to_owned();
    services
        .table(Method::POST, "Tables", "", create)
        .await
        .unwrap();
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let countdown = Arc::new(Countdown {
        left: AtomicUsize::new(acknowledgements),
        over: Notify::new(),
    });
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| {
            let name = format!("{kill}-{worker}");
            tokio::spawn(work(
                name,
                services.clone(),
                Arc::clone(&ledger),
                Arc::clone(&countdown),
            ))
        })
        .collect();
    countdown.over.notified().await;
    process.kill();
    for worker in workers {
        worker.await.unwrap();
    }
    let ledger = std::mem::take(&mut *ledger.lock().unwrap());
    verify(directory, &ledger).await;
}

/// Changes the ledger. The lock is never held across an await.
fn note(ledger: &Mutex<Ledger>, change: impl FnOnce(&mut Ledger)) {
    change(&mut ledger.lock().unwrap());
}

/// Works until an answer is lost.
async fn work(
    name: String,
    services: Services,
    ledger: Arc<Mutex<Ledger>>,
    countdown: Arc<Countdown>,
) {
    for number in 0.. {
        let text = format!("{name}-{number}");
        note(&ledger, |known| {
            known.unknown.insert(text.clone());
        });
        let body = format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>");
        let put = services
            .queue(Method::POST, "work/messages", "messagettl=-1", body)
            .await;
        let Ok(StatusCode::CREATED) = put.map(|answer| answer.status()) else {
            return;
        };
        note(&ledger, |known| {
            if !known.received.contains(&text) {
                known.unknown.remove(&text);
                known.put.insert(text.clone());
            }
            known.unknown_rows.insert(text.clone());
        });
        countdown.count();
        let row = format!(r#"{{"PartitionKey":"p","RowKey":"{text}","Text":"{text}"}}"#);
        let inserted = services.table(Method::POST, "results", "", row).await;
        let Ok(StatusCode::CREATED) = inserted.map(|answer| answer.status()) else {
            return;
        };
        note(&ledger, |known| {
            known.unknown_rows.remove(&text);
            known.rows.insert(text);
        });
        countdown.count();
        if number % 2 == 1 && !finish_one(&services, &ledger, &countdown).await {
            return;
        }
    }
}

/// Receives a message and deletes it; returns whether both answers came.
async fn finish_one(services: &Services, ledger: &Mutex<Ledger>, countdown: &Countdown) -> bool {
    let query = "visibilitytimeout=600";
    let Ok(received) = services
        .queue(Method::GET, "work/messages", query, String::new())
        .await
    else {
        return false;
    };
    let Ok(body) = received.text().await else {
        return false;
    };
    let first = |name| elements(&body, name).pop();
    let (Some(id), Some(receipt), Some(text)) = (
        first("MessageId"),
        first("PopReceipt"),
        first("MessageText"),
    ) else {
        return true;
    };
    note(ledger, |known| {
        known.received.insert(text.clone());
        known.put.remove(&text);
        known.unknown.insert(text.clone());
    });
    let receipt = receipt
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D");
    let path = format!("work/messages/{id}");
    let query = format!("popreceipt={receipt}");
    let deleted = services
        .queue(Method::DELETE, &path, &query, String::new())
        .await;
    let Ok(StatusCode::NO_CONTENT) = deleted.map(|answer| answer.status()) else {
        return false;
    };
    note(ledger, |known| {
        known.unknown.remove(&text);
        known.deleted.insert(text);
    });
    countdown.count();
    true
}

/// Compares everything in the directory with the workers' knowledge. Leaves the directory empty.
async fn verify(directory: &Path, ledger: &Ledger) {
    let clock = PlayedClock::at(Moment::from(SystemTime::now() + LATER));
    let builder = Engine::builder()
        .directory(directory)
        .clock(Arc::new(clock));
    let engine = builder.start().await.unwrap();
    let services = Services::new(&engine.queue_url(), &engine.table_url(), engine.sas());
    let found = messages(&services).await;
    let lost: Vec<_> = ledger.put.difference(&found).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let back: Vec<_> = ledger.deleted.intersection(&found).collect();
    assert!(back.is_empty(), "deleted and back: {back:?}");
    let known: BTreeSet<_> = ledger.put.union(&ledger.unknown).cloned().collect();
    let phantoms: Vec<_> = found.difference(&known).collect();
    assert!(phantoms.is_empty(), "never put in this round: {phantoms:?}");

    let rows = rows(&services).await;
    let lost: Vec<_> = ledger.rows.difference(&rows).collect();
    assert!(lost.is_empty(), "inserted and lost: {lost:?}");
    let known: BTreeSet<_> = ledger.rows.union(&ledger.unknown_rows).cloned().collect();
    let phantoms: Vec<_> = rows.difference(&known).collect();
    assert!(
        phantoms.is_empty(),
        "never inserted in this round: {phantoms:?}"
    );
    services
        .queue(Method::DELETE, "work/messages", "", String::new())
        .await
        .unwrap();
    services
        .table(Method::DELETE, "Tables('results')", "", String::new())
        .await
        .unwrap();
    engine.shutdown().await;
}

async fn messages(services: &Services) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    loop {
        let query = "numofmessages=32&visibilitytimeout=600";
        let answer = services
            .queue(Method::GET, "work/messages", query, String::new())
            .await;
        let texts = elements(&answer.unwrap().text().await.unwrap(), "MessageText");
        if texts.is_empty() {
            return found;
        }
        for text in texts {
            assert!(found.insert(text.clone()), "{text} is there twice");
        }
    }
}

async fn rows(services: &Services) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut query = String::new();
    loop {
        let answer = services
            .table(Method::GET, "results()", &query, String::new())
            .await
            .unwrap();
        let next = |name: &str| {
            let value = answer.headers().get(format!("x-ms-continuation-{name}"))?;
            Some(format!("{name}={}", value.to_str().unwrap()))
        };
        let next = next("nextpartitionkey").zip(next("nextrowkey"));
        let body: Json = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        for row in body["value"].as_array().unwrap() {
            assert_eq!(row["RowKey"], row["Text"], "a row must be whole");
            found.insert(row["RowKey"].as_str().unwrap().to_owned());
        }
        match next {
            Some((partition, row)) => query = format!("{partition}&{row}"),
            None => return found,
        }
    }
}
