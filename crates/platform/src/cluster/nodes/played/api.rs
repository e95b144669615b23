//! Fakes for tests: an API server that sends nodes and warnings when a test says so, and an Azure Resource Manager over HTTP.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use azurite::{CertificateAuthority, Certified};
use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tower_test::mock;
use workflow::azure::{Arm, Secret};

use wire::Tls;

/// Sends changes to the watches.
#[derive(Debug)]
pub(super) struct Teller {
    pub(super) nodes: mpsc::Sender<Value>,
    pub(super) warnings: mpsc::Sender<Value>,
    pub(super) claims: mpsc::Sender<Value>,
}

/// A client of an API server that lists `nodes`, and then sends the changes that the teller gives it.
pub(super) fn server(nodes: Vec<Value>) -> (Client, Teller) {
    let (service, mut handle) =
        mock::pair::<Request<Body>, Response<UnsyncBoxBody<Bytes, Infallible>>>();
    let (tell_node, of_nodes) = mpsc::channel(16);
    let (tell_warning, of_warnings) = mpsc::channel(16);
    let (tell_claim, of_claims) = mpsc::channel(16);
    tokio::spawn(async move {
        let (mut of_nodes, mut of_warnings) = (Some(of_nodes), Some(of_warnings));
        let mut of_claims = Some(of_claims);
        while let Some((request, send)) = handle.next_request().await {
            let path = request.uri().to_string();
            let is_of_nodes = path.starts_with("/api/v1/nodes");
            let is_of_claims = path.starts_with("/apis/karpenter.sh/v1/nodeclaims");
            let body = if path.contains("watch=true") {
                let live = if is_of_nodes {
                    of_nodes.take()
                } else if is_of_claims {
                    of_claims.take()
                } else {
                    of_warnings.take()
                };
                watched(live)
            } else {
                let (kind, items) = if is_of_nodes {
                    ("NodeList", nodes.clone())
                } else if is_of_claims {
                    ("NodeClaimList", Vec::new())
                } else {
                    ("EventList", Vec::new())
                };
                let list = json!({"apiVersion": "v1", "kind": kind, "metadata": {"resourceVersion": "1"}, "items": items});
                Full::new(Bytes::from(list.to_string())).boxed_unsync()
            };
            send.send_response(Response::new(body));
        }
    });
    let teller = Teller {
        nodes: tell_node,
        warnings: tell_warning,
        claims: tell_claim,
    };
    (Client::new(service, "default"), teller)
}

/// The events of `live`, each on a line, as long as the teller lives; a watch that starts later gets none.
fn watched(live: Option<mpsc::Receiver<Value>>) -> UnsyncBoxBody<Bytes, Infallible> {
    let Some(live) = live else {
        return StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>())
            .boxed_unsync();
    };
    let lines = stream::unfold(live, async |mut live| {
        let event = live.recv().await?;
        Some((Bytes::from(format!("{event}\n")), live))
    });
    let lines = lines.chain(stream::pending());
    StreamBody::new(lines.map(|line| Ok(Frame::data(line)))).boxed_unsync()
}

/// A fake Azure Resource Manager that gives its answers in order, and records the requests.
pub(super) struct Manager {
    pub(super) arm: Arm,
    /// Its address, which clients are told to use.
    pub(super) base: String,
    pub(super) root: reqwest::Certificate,
    pub(super) asked: Arc<Mutex<Vec<String>>>,
    _serving: AbortOnDropHandle<()>,
}

impl Manager {
    /// Starts one that gives these answers, each a status and a body, and then 204.
    pub(super) async fn start(mut answers: Vec<(u16, &'static str)>) -> Self {
        answers.reverse();
        let authority = CertificateAuthority::new();
        let root = authority.certificate();
        let Certified { certificate, key } = authority.certify();
        let tls = Tls::new(root.clone(), &certificate, &key).expect("a certificate must be usable");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("https://{}", listener.local_addr().expect("an address"));
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let (log, answers) = (asked.clone(), Arc::new(Mutex::new(answers)));
        let serving = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let (tls, log, answers) = (tls.clone(), log.clone(), answers.clone());
                tokio::spawn(async move {
                    let stream = tls.accept(stream).await.expect("a client that trusts us");
                    let served = service_fn(move |request: Request<Incoming>| {
                        let line = format!("{} {}", request.method(), request.uri());
                        log.lock().expect("no holder may panic").push(line);
                        let next = answers.lock().expect("no holder may panic").pop();
                        let (status, body) = next.unwrap_or((204, ""));
                        let answer = Response::builder().status(status);
                        let answer = answer.body(Full::new(Bytes::from(body)));
                        async move { answer }
                    });
                    let connection = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), served);
                    // An error of the connection concerns the client only.
                    let _ = connection.await;
                });
            }
        });
        let root = reqwest::Certificate::from_pem(root.as_bytes()).expect("a certificate");
        let arm = Arm::with_token(&base, Secret::new("t"), std::slice::from_ref(&root))
            .expect("a client");
        Self {
            arm,
            base,
            root,
            asked,
            _serving: AbortOnDropHandle::new(serving),
        }
    }
}
