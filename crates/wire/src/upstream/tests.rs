//! Tests of which connections to storage are used again.

#![expect(
    clippy::disallowed_methods,
    reason = "a test's tasks and threads end with it, and what they do is asserted"
)]

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::service::service_fn;
use tokio::net::TcpListener;

use super::*;

/// A storage that answers every request, and counts its connections.
async fn storage() -> (Arc<Upstream>, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/account", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::Relaxed);
            let answer =
                service_fn(async |_| Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())));
            let served = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer);
            tokio::spawn(served);
        }
    });
    let upstream = Upstream::of(&url, None, &TaskTracker::new()).unwrap();
    (Arc::new(upstream), connections)
}

async fn ask(upstream: &Arc<Upstream>) {
    let request = Request::get("/account/queue")
        .body(Full::default())
        .unwrap();
    let answer = upstream.ask(request).await.unwrap();
    answer.into_body().collect().await.unwrap();
    // The connection is idle after this.
    upstream.under_way.close();
    upstream.under_way.wait().await;
    upstream.under_way.reopen();
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_rests_for_a_moment_is_used_again() {
    let (upstream, connections) = storage().await;
    for _ in 0..5 {
        ask(&upstream).await;
        tokio::time::advance(REST * 9 / 10).await;
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_storage_may_be_closing_is_not_used_again() {
    let (upstream, connections) = storage().await;
    ask(&upstream).await;
    tokio::time::advance(REST).await;
    ask(&upstream).await;
    assert_eq!(connections.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn connections_opened_ahead_are_not_used_after_a_long_rest_either() {
    let (upstream, connections) = storage().await;
    upstream.connect_ahead().await;
    assert_eq!(connections.load(Ordering::Relaxed), CONNECTIONS);
    tokio::time::advance(REST).await;
    ask(&upstream).await;
    assert_eq!(connections.load(Ordering::Relaxed), CONNECTIONS + 1);
}
