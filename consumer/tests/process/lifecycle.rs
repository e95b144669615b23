//! Signals, Spot notices and probes of a running consumer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::routing::{MethodRouter, get};
use nix::sys::signal::Signal;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::script::{Scripted, Step};
use crate::support::{Consumer, SAS, storage};

/// A consumer that has one message in flight.
async fn busy(flags: &[&str]) -> (Scripted, Consumer) {
    let scripted = Scripted::start(|_, _| None).await;
    let url = scripted.url();
    let mut flags = flags.to_vec();
    flags.extend(["--log", "info,consumer=debug"]);
    let mut consumer = Consumer::start(&flags, &storage(&url, &url, SAS));
    consumer.until("delivery begun").await;
    (scripted, consumer)
}

/// Serves Scheduled Events at `path`, and returns the address.
async fn serve(path: &str, events: MethodRouter) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}{path}", listener.local_addr().unwrap());
    let router = Router::new().route(path, events);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    endpoint
}

#[tokio::test]
async fn sigterm_finishes_what_is_in_flight_and_exits_0() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let (scripted, consumer) = busy(&["--work", "fixed:1s"]).await;
        consumer.signal(signal);
        let (code, last) = consumer.end().await;
        assert_eq!((code, &last["deleted"]), (Some(0), &1.into()), "{last}");
        assert_eq!(
            (scripted.count(Step::Delete), scripted.count(Step::Release)),
            (1, 0)
        );
    }
}

/// PID 1 has no default handlers: a signal that came before the process listens would be lost.
#[tokio::test]
async fn sigterm_during_the_start_is_kept_until_the_consumer_listens() {
    let dir = tempfile::tempdir().unwrap();
    let roots = dir.path().join("roots.pem");
    nix::unistd::mkfifo(&roots, nix::sys::stat::Mode::S_IRWXU).unwrap();
    // The consumer reads its roots early in its start, and waits for them. Nobody answers at its storage.
    let url = "https://127.0.0.1:1/devstoreaccount1";
    let mut environment = storage(url, url, SAS);
    environment.push(("SSL_CERT_FILE", roots.to_str().unwrap()));
    let consumer = Consumer::start(&[], &environment);
    // Opens once the consumer reads. Later reads find a file.
    let pipe = tokio::fs::File::options().write(true).open(&roots).await;
    let certificate = azurite::CertificateAuthority::new().certificate();
    let file = dir.path().join("file.pem");
    std::fs::write(&file, &certificate).unwrap();
    std::fs::rename(&file, &roots).unwrap();
    consumer.signal(Signal::SIGTERM);
    let mut pipe = pipe.unwrap();
    pipe.write_all(certificate.as_bytes()).await.unwrap();
    pipe.shutdown().await.unwrap();
    drop(pipe);
    let (code, last) = consumer.end().await;
    assert_eq!(code, Some(0), "{last}");
}

#[tokio::test]
async fn work_that_outlasts_the_grace_period_is_handed_back_and_exits_7() {
    let (scripted, consumer) = busy(&["--work", "fixed:60s", "--grace", "100ms"]).await;
    consumer.signal(Signal::SIGTERM);
    let (code, last) = consumer.end().await;
    assert_eq!((code, &last["released"]), (Some(7), &1.into()), "{last}");
    assert_eq!(
        (scripted.count(Step::Release), scripted.count(Step::Delete)),
        (1, 0)
    );
}

#[tokio::test]
async fn a_second_signal_exits_at_once() {
    let (scripted, mut consumer) = busy(&["--work", "fixed:60s"]).await;
    consumer.signal(Signal::SIGTERM);
    consumer.until("draining").await;
    consumer.signal(Signal::SIGTERM);
    let (code, _) = consumer.end().await;
    assert_eq!((code, scripted.count(Step::Insert)), (Some(143), 0));
}

#[tokio::test]
async fn a_spot_notice_of_this_node_begins_the_drain_and_one_of_another_does_not() {
    let ours = Arc::new(AtomicBool::new(false));
    let (polled, mut polls) = tokio::sync::watch::channel(0);
    let (announced, polled) = (Arc::clone(&ours), Arc::new(polled));
    let events = move || async move {
        polled.send_modify(|polls| *polls += 1);
        let node = if announced.load(Ordering::Relaxed) {
            "node-1"
        } else {
            "node-2"
        };
        format!(
            r#"{{"Events":[{{"EventId":"e1","EventType":"Preempt","Resources":["{node}"],"NotBefore":""}}]}}"#
        )
    };
    let endpoint = serve("/metadata/scheduledevents", get(events)).await;

    let flags = [
        "--scheduled-events-endpoint",
        &endpoint,
        "--node",
        "node-1",
        "--work",
        "fixed:4s",
    ];
    let (scripted, mut consumer) = busy(&flags).await;
    // The answers to the first two polls were about another node.
    polls.wait_for(|polls| *polls >= 3).await.unwrap();
    assert!(
        !consumer
            .events
            .iter()
            .any(|event| event["message"] == "draining")
    );
    ours.store(true, Ordering::Relaxed);
    consumer.until("Spot eviction announced: draining").await;
    let (code, last) = consumer.end().await;
    assert_eq!((code, scripted.count(Step::Delete)), (Some(0), 1), "{last}");
}

/// As node auto-provisioning ends a pod: the notice, and SIGTERM with a second of grace long before the announced end.
#[tokio::test]
async fn sigterm_in_the_drain_of_a_notice_hands_back_at_once_and_exits_0() {
    let ours = Arc::new(AtomicBool::new(false));
    let announced = Arc::clone(&ours);
    let events = move || async move {
        if announced.load(Ordering::Relaxed) {
            r#"{"Events":[{"EventId":"e1","EventType":"Preempt","Resources":["node-1"],"NotBefore":""}]}"#
        } else {
            r#"{"Events":[]}"#
        }
    };
    let endpoint = serve("/", get(events)).await;

    let flags = [
        "--scheduled-events-endpoint",
        &endpoint,
        "--node",
        "node-1",
        "--work",
        "fixed:1h",
        "--grace",
        "1h",
    ];
    let (scripted, mut consumer) = busy(&flags).await;
    ours.store(true, Ordering::Relaxed);
    consumer.until("draining").await;
    consumer.signal(Signal::SIGTERM);
    let (code, last) = consumer.end().await;
    assert_eq!((code, &last["released"]), (Some(0), &1.into()), "{last}");
    assert_eq!(scripted.count(Step::Insert), 0);
}

#[tokio::test]
async fn an_endpoint_that_talks_nonsense_is_one_warning_and_its_later_notice_still_counts() {
    let (polled, mut polls) = tokio::sync::watch::channel(0);
    let events = move || {
        polled.send_modify(|polls| *polls += 1);
        let nonsense = *polled.borrow() <= 2;
        let event =
            r#"{"EventId":"e1","EventType":"Terminate","Resources":["node-1"],"NotBefore":""}"#;
        let document = format!(r#"{{"DocumentIncarnation":7,"Events":[{event}]}}"#);
        std::future::ready(if nonsense { "{".to_owned() } else { document })
    };
    let endpoint = serve("/", get(events)).await;

    let flags = [
        "--scheduled-events-endpoint",
        &endpoint,
        "--node",
        "node-1",
        "--listen",
        "127.0.0.1:0",
        "--work",
        "fixed:5s",
    ];
    let (scripted, mut consumer) = busy(&flags).await;
    polls.wait_for(|polls| *polls >= 3).await.unwrap();
    consumer.until("Spot eviction announced: draining").await;
    let warnings: Vec<_> = consumer
        .events
        .iter()
        .filter(|event| event["level"] == "WARN")
        .map(|event| event["message"].as_str().unwrap_or_default())
        .collect();
    let expected = [
        "scheduled events cannot be read; polling on",
        "Spot eviction announced: draining",
    ];
    assert_eq!(warnings, expected);
    let listening = consumer.events.iter();
    let mut listening = listening.filter(|event| event["message"] == "listening");
    let address = listening.next().unwrap()["address"].as_str().unwrap();
    let metrics = reqwest::Client::builder().no_proxy().build().unwrap();
    let metrics = metrics.get(format!("http://{address}/metrics"));
    let metrics = metrics.send().await.unwrap().text().await.unwrap();
    let notices = "consumer_eviction_notices_total 1";
    assert!(metrics.contains(notices), "{metrics}");
    let (code, last) = consumer.end().await;
    assert_eq!((code, scripted.count(Step::Delete)), (Some(0), 1), "{last}");
}

#[tokio::test]
async fn probes_and_metrics_answer() {
    let (_scripted, mut consumer) = {
        let scripted = Scripted::start(|step, nth| {
            (step == Step::Receive && nth == 1).then_some((503, "ServerBusy"))
        })
        .await;
        let url = scripted.url();
        let flags = ["--listen", "127.0.0.1:0", "--work", "fixed:60s"];
        (scripted, Consumer::start(&flags, &storage(&url, &url, SAS)))
    };
    let address = consumer.until("listening").await["address"]
        .as_str()
        .unwrap()
        .to_owned();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let asked = |path: &'static str| {
        let (client, url) = (client.clone(), format!("http://{address}{path}"));
        async move {
            let answer = client.get(url).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        }
    };
    assert_eq!(asked("/livez").await.0, 200);
    consumer.until("ready: queue and table answer").await;
    assert_eq!(asked("/readyz").await, (200, "ready\n".to_owned()));
    let metrics = asked("/metrics").await.1;
    assert!(metrics.contains("consumer_received_total 1"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
    consumer.signal(Signal::SIGTERM);
    consumer.until("draining").await;
    assert_eq!(
        asked("/readyz").await,
        (503, "not ready: draining\n".to_owned())
    );
    consumer.signal(Signal::SIGTERM);
    assert_eq!(consumer.end().await.0, Some(143));
}
