//! Tests of the proxy between an independent client (reqwest) and a fake storage.

#![expect(
    clippy::disallowed_methods,
    reason = "a test's tasks and threads end with it, and what they do is asserted"
)]

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Response, body::Incoming};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use super::*;
use contract::workload::Lens;

fn own() -> Lens {
    Lens::own("r1".parse().unwrap())
}

mod connections;
mod elsewhere;

const ROW: &str = r#"{"PartitionKey":"r1.07","RowKey":"r1-7","data":"x"}"#;

/// A fake storage that accepts everything, and records the requests.
struct Storage {
    base: String,
    asked: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
    _serving: AbortOnDropHandle<()>,
}

impl Storage {
    /// Starts it; `keeps_alive`: whether it keeps connections open between requests.
    async fn start(keeps_alive: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/acc", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = asked.clone();
        let connections: Arc<AtomicUsize> = Arc::default();
        let accepted = connections.clone();
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                accepted.fetch_add(1, Ordering::Relaxed);
                let log = log.clone();
                let service =
                    hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
                        let log = log.clone();
                        async move {
                            let line = format!("{} {}", request.method(), request.uri());
                            // Leaves out the proxy's own requests that open connections.
                            let counts = request.method() != hyper::Method::HEAD;
                            let body = request.into_body().collect().await.unwrap().to_bytes();
                            if counts {
                                let body = String::from_utf8_lossy(&body);
                                log.lock().unwrap().push(format!("{line} {body}"));
                            }
                            let answer =
                                Full::new(Bytes::from("a row, stored, told in many words"));
                            Ok::<_, Infallible>(
                                Response::builder().status(201).body(answer).unwrap(),
                            )
                        }
                    });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .keep_alive(keeps_alive)
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self {
            base,
            asked,
            connections,
            _serving: AbortOnDropHandle::new(serving),
        }
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

struct Rig {
    storage: Storage,
    proxy: Proxy,
    lane: Option<Lane>,
    history: History,
    _dir: tempfile::TempDir,
}

impl Rig {
    async fn new() -> Self {
        Self::before(Storage::start(true).await).await
    }

    async fn before(storage: Storage) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let history = History::open(dir.path()).unwrap();
        let endpoints = Endpoints {
            queue: storage.base.clone(),
            table: storage.base.clone(),
        };
        let proxy = Proxy::start(&endpoints, history.clone(), Faults::new(1), None, own())
            .await
            .unwrap();
        let lane = Some(proxy.lane("consumer-1").await.unwrap());
        Self {
            storage,
            proxy,
            lane,
            history,
            _dir: dir,
        }
    }

    /// Inserts a row; returns the answer's status and body, or the client's error.
    async fn insert(&self) -> Result<(u16, String), reqwest::Error> {
        self.insert_by(&reqwest::Client::new()).await
    }

    async fn insert_by(&self, client: &reqwest::Client) -> Result<(u16, String), reqwest::Error> {
        let url = &self.lane.as_ref().unwrap().endpoints().table;
        let request = client.post(format!("{url}/T?sig=secret"));
        let answer = request.body(ROW).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    async fn insert_under(&self, effect: FaultKind) -> Result<(u16, String), reqwest::Error> {
        let rule = Rule::on(Operation::InsertEntity, effect);
        let _guard = self.proxy.faults().install(rule);
        self.insert().await
    }

    /// Closes the lane, and returns the whole history.
    async fn history(&mut self) -> Vec<Crossing> {
        self.lane = None;
        self.proxy.finish().await.unwrap();
        self.history
            .written()
            .read()
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    }
}

#[tokio::test]
async fn what_passes_arrives_unchanged_and_is_written_down() {
    let mut rig = Rig::new().await;
    let answer = rig.insert().await.unwrap();
    assert_eq!(
        answer,
        (201, "a row, stored, told in many words".to_owned())
    );
    assert_eq!(
        *rig.storage.asked.lock().unwrap(),
        [format!("POST /acc/T?sig=secret {ROW}")]
    );
    let history = rig.history().await;
    let [crossing] = &history[..] else {
        panic!("{history:?}")
    };
    assert_eq!(
        (&*crossing.client, crossing.operation, &*crossing.resource),
        ("consumer-1", Operation::InsertEntity, "T")
    );
    assert_eq!(
        (
            crossing.answer.clone(),
            crossing.happened(),
            &crossing.fault
        ),
        (Answer::Status(201, None), Happened::Yes, &None)
    );
    assert_eq!(&*crossing.rows[0].keys.row, "r1-7");
    assert!(crossing.began <= crossing.ended);
    let text = serde_json::to_string(crossing).unwrap();
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let rig = Rig::new().await;
    let url = format!("{}/T", rig.lane.as_ref().unwrap().endpoints().table);
    let one_connection = reqwest::Client::builder()
        .pool_max_idle_per_host(1)
        .build()
        .unwrap();
    for _ in 0..3 {
        let answer = one_connection.post(&url).body(ROW).send().await.unwrap();
        assert_eq!(answer.bytes().await.unwrap().len(), 33);
    }
    assert_eq!(rig.storage.asked(), 3);
}

#[tokio::test]
async fn a_refusal_keeps_the_request_from_storage() {
    let mut rig = Rig::new().await;
    let (status, body) = rig
        .insert_under(FaultKind::Refuse(Refusal::ServerBusy))
        .await
        .unwrap();
    assert_eq!((status, rig.storage.asked()), (503, 0));
    assert!(body.contains("ServerBusy"), "{body}");
    let history = rig.history().await;
    assert_eq!(
        (history[0].happened(), history[0].fault.as_deref()),
        (Happened::No, Some("503 ServerBusy"))
    );
}

#[tokio::test]
async fn a_reset_before_keeps_the_request_from_storage_and_one_after_does_not() {
    for (moment, asked) in [
        (Moment::Before, 0),
        (Moment::AfterEffect, 1),
        (Moment::DuringAnswer, 1),
    ] {
        let mut rig = Rig::new().await;
        let answer = rig.insert_under(FaultKind::Reset(moment)).await;
        assert!(answer.is_err(), "{moment:?}: {answer:?}");
        assert_eq!(rig.storage.asked(), asked, "{moment:?}");
        let happened = rig.history().await[0].happened();
        assert_eq!(happened == Happened::Yes, asked == 1, "{moment:?}");
    }
}

#[tokio::test]
async fn a_truncated_answer_is_an_error_and_a_garbled_one_is_not_what_it_was() {
    let rig = Rig::new().await;
    assert!(rig.insert_under(FaultKind::Truncate).await.is_err());
    let url = &rig.lane.as_ref().unwrap().endpoints().table;
    let rule = Rule::on(Operation::InsertEntity, FaultKind::Garble);
    let _guard = rig.proxy.faults().install(rule);
    let answer = reqwest::Client::new().post(format!("{url}/T")).body(ROW);
    let garbled = answer.send().await.unwrap().bytes().await.unwrap();
    let whole = b"a row, stored, told in many words";
    assert_eq!(garbled.len(), whole.len());
    assert_ne!(garbled[0], whole[0]);
    assert_eq!(rig.storage.asked(), 2);
}

#[tokio::test]
async fn a_client_that_does_not_wait_for_its_answer_has_not_heard_it() {
    let mut rig = Rig::new().await;
    let late = FaultKind::Delay(Duration::from_secs(1));
    let late = Rule::on(Operation::InsertEntity, late);
    let guard = rig.proxy.faults().install(late);
    let url = format!("{}/T", rig.lane.as_ref().unwrap().endpoints().table);
    let hasty = tokio::spawn(reqwest::Client::new().post(url).body(ROW).send());
    while guard.struck() == 0 {
        tokio::task::yield_now().await;
    }
    hasty.abort();
    drop(guard);
    assert_eq!(rig.insert().await.unwrap().0, 201);
    let history = rig.history().await;
    let unheard = history.iter().map(|crossing| crossing.unheard);
    assert_eq!(unheard.collect::<Vec<_>>(), [false, true]);
}

#[tokio::test]
async fn an_answer_withheld_has_its_effect_and_is_written_down() {
    let mut rig = Rig::new().await;
    let guard = rig
        .proxy
        .faults()
        .install(Rule::on(Operation::InsertEntity, FaultKind::Withhold));
    let url = format!("{}/T", rig.lane.as_ref().unwrap().endpoints().table);
    let waiting = tokio::spawn(reqwest::Client::new().post(url).body(ROW).send());
    while rig.storage.asked() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    assert_eq!(guard.struck(), 1);
    assert_eq!(rig.history().await[0].happened(), Happened::Yes);
    assert!(waiting.await.unwrap().is_err());
}

/// Records that it was called.
#[derive(Debug, Default)]
struct Played(AtomicUsize);

#[async_trait]
impl Killer for Played {
    async fn kill(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_kill_hits_the_client_at_its_moment() {
    for (moment, asked) in [(Moment::Before, 0), (Moment::AfterEffect, 1)] {
        let rig = Rig::new().await;
        let killer = Arc::new(Played::default());
        let lane = rig.lane.as_ref().unwrap();
        lane.set_killer(killer.clone());
        assert!(rig.insert_under(FaultKind::Kill(moment)).await.is_err());
        assert_eq!(killer.0.load(Ordering::Relaxed), 1);
        assert!(lane.was_killed());
        assert_eq!(rig.storage.asked(), asked, "{moment:?}");
    }
}

#[tokio::test]
async fn a_lane_knows_what_its_client_has_in_hand() {
    let rig = Rig::new().await;
    let lane = rig.lane.as_ref().unwrap();
    let crossing = |operation, status, ids: &[&str], hidden_s| Crossing {
        client: "consumer-1".to_owned(),
        operation,
        resource: "q".to_owned(),
        began: contract::Stamp::now(),
        ended: contract::Stamp::now(),
        answer: Answer::Status(status, None),
        failed_part: None,
        fault: None,
        unheard: false,
        messages: (ids.iter())
            .map(|id| Handled {
                queue_id: (*id).to_owned(),
                hidden_s,
                ..Handled::default()
            })
            .collect(),
        rows: vec![],
        strange: None,
        clock_us: 0,
        pauses: vec![],
    };
    let client = lane.client();
    let receive = |ids| client.was_answered(&crossing(Operation::ReceiveMessages, 200, ids, None));
    let asks = |operation, id, hidden_s| client.asks(&crossing(operation, 0, &[id], hidden_s));
    let before = std::time::Instant::now();
    receive(&["a", "b", "c", "d"]);
    asks(Operation::UpdateMessage, "a", Some(60));
    assert!(client.has_received_since(before));
    asks(Operation::UpdateMessage, "d", Some(0));
    let only_hands_back = !client.has_received_since(before);
    assert!(only_hands_back);
    receive(&["d"]);
    asks(Operation::DeleteMessage, "b", None);
    asks(Operation::UpdateMessage, "c", Some(0));
    // A receive without messages does not count; a receive of one more leaves the client with three.
    // It has finished a message, so that handing another back does not make it idle.
    assert!(client.has_received_since(before));
    let received = tokio::join!(
        client.until_received(3, Duration::from_secs(60)),
        client.until_received(4, Duration::ZERO),
        async {
            receive(&[]);
            receive(&["e"]);
        }
    );
    received.0.unwrap();
    let error = received.1.unwrap_err().to_string();
    assert!(error.contains("has 4 in hand: it has 3 after"), "{error}");
}
