//! A forwarder in front of storage that signals the harness at an exact request.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use engine::Engine;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, TRANSFER_ENCODING};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// The kind of a request, as far as the ledger is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A queue or table is created.
    Create,
    /// A message is sent.
    Put,
    /// A queue or table is removed.
    Remove,
    /// Any other request; the first one checks that storage is there, before there is a run.
    Other,
}

/// When the signal is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// When the request arrives: storage never receives it.
    Before,
    /// When storage has processed it, before the answer.
    After,
}

/// The signal, and when it is sent.
pub(crate) struct Cut {
    pub(crate) step: Step,
    /// Counted from 1.
    pub(crate) nth: usize,
    pub(crate) moment: Moment,
    pub(crate) strike: Box<dyn Fn() + Send + Sync>,
}

/// Listens in front of a storage; no connection is accepted until it is opened.
pub(crate) struct Forwarder {
    queue: TcpListener,
    table: TcpListener,
}

/// Requests that a forwarder has seen.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    /// Queues and tables that were created, in order, each as a list of storage's contents shows it.
    pub(crate) created: Vec<String>,
    /// The request at which the signal was sent, and storage's answer.
    pub(crate) struck: Option<String>,
}

impl Forwarder {
    pub(crate) async fn bind() -> Self {
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        Self {
            queue: bind().await.expect("a port"),
            table: bind().await.expect("a port"),
        }
    }

    /// The environment variables that make a harness use it.
    pub(crate) fn variables(&self) -> [(&'static str, String); 3] {
        let url = |listener: &TcpListener| {
            let address = listener.local_addr().expect("it is bound");
            format!("http://{address}/{}", azurite::ACCOUNT)
        };
        [
            ("EDW_AZURITE_SOURCE", "address".to_owned()),
            ("EDW_AZURITE_QUEUE_URL", url(&self.queue)),
            ("EDW_AZURITE_TABLE_URL", url(&self.table)),
        ]
    }

    /// Forwards from now on, including connections that wait already, until the runtime ends.
    pub(crate) fn open(self, engine: &Engine, cut: Cut) -> Arc<Mutex<Seen>> {
        let shared = Arc::new(Shared {
            cut,
            met: Mutex::default(),
            seen: Arc::default(),
        });
        let seen = shared.seen.clone();
        let sides = [
            (self.queue, engine.queue_url()),
            (self.table, engine.table_url()),
        ];
        for (listener, url) in sides {
            let shared = shared.clone();
            tokio::spawn(async move {
                loop {
                    let (stream, _) = listener.accept().await.expect("a connection");
                    tokio::spawn(connection(stream, url.clone(), shared.clone()));
                }
            });
        }
        seen
    }
}

struct Shared {
    cut: Cut,
    /// Requests so far of the kind at which the signal is sent.
    met: Mutex<usize>,
    seen: Arc<Mutex<Seen>>,
}

async fn connection(stream: TcpStream, url: String, shared: Arc<Shared>) {
    // Without the root certificates of the system, which http does not need and which take milliseconds to read.
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]);
    let client = client.build();
    let client = client.expect("a client");
    let service = hyper::service::service_fn(|request| shared.serve(&client, &url, request));
    // The connection ends when its client closes it.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl Shared {
    /// An error ends the connection without an answer.
    async fn serve(
        &self,
        client: &reqwest::Client,
        url: &str,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, std::io::Error> {
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await.map_err(std::io::Error::other)?;
        let body = body.to_bytes();
        let target = parts
            .uri
            .path_and_query()
            .map_or("", |target| target.as_str());
        let target = target.trim_start_matches('/');
        let target = target.strip_prefix(azurite::ACCOUNT).unwrap_or(target);
        let (step, created) = recognise(parts.method.as_str(), target, &body);
        let struck = step == self.cut.step && {
            let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
            *met += 1;
            *met == self.cut.nth
        };
        if struck && self.cut.moment == Moment::Before {
            (self.cut.strike)();
            return Err(std::io::ErrorKind::ConnectionReset.into());
        }
        remove_own(&mut parts.headers);
        let answer = client
            .request(parts.method.clone(), format!("{url}{target}"))
            .headers(parts.headers)
            .body(body)
            .send()
            .await
            .map_err(std::io::Error::other)?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.map_err(std::io::Error::other)?;
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.created.extend(created.filter(|_| status.is_success()));
            if struck {
                let path = target.split('?').next().unwrap_or_default();
                seen.struck = Some(format!("{} {path}: {status}", parts.method));
            }
        }
        if struck {
            (self.cut.strike)();
        }
        remove_own(&mut headers);
        let mut forwarded = Response::new(Full::new(body));
        (*forwarded.status_mut(), *forwarded.headers_mut()) = (status, headers);
        Ok(forwarded)
    }
}

/// The kind of a request; for a creation also what a list of storage's contents then shows.
fn recognise(method: &str, target: &str, body: &[u8]) -> (Step, Option<String>) {
    let path = target.split('?').next().unwrap_or_default();
    let mut segments = path.trim_start_matches('/').split('/');
    match (method, segments.next(), segments.next()) {
        ("PUT", Some(queue), None) => (Step::Create, Some(format!("<Name>{queue}</Name>"))),
        ("POST", Some("Tables"), None) => {
            let body = String::from_utf8_lossy(body);
            (
                Step::Create,
                Some(body.trim_matches(['{', '}']).replace(": ", ":")),
            )
        }
        ("DELETE", Some(_), None) => (Step::Remove, None),
        ("POST", Some(_), Some("messages")) => (Step::Put, None),
        _ => (Step::Other, None),
    }
}

/// Removes the headers of one connection, which are not forwarded; the client sets its own.
fn remove_own(headers: &mut HeaderMap) {
    for name in [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}
