//! A way to storage on which something is done to the harness at an exact request.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use azurite::Azurite;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, TRANSFER_ENCODING};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// What the harness asks for, as far as its ledger is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A queue or table is created.
    Create,
    /// A message is sent.
    Put,
    /// A queue or table is removed.
    Remove,
    /// Anything else; the first is the check that storage is there, before there is a run.
    Other,
}

/// When the request is struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// When it arrives: storage never has it.
    Before,
    /// When storage has done it, before the answer.
    After,
}

/// What is done, and when.
pub(crate) struct Cut {
    pub(crate) step: Step,
    /// Counted from 1.
    pub(crate) nth: usize,
    pub(crate) moment: Moment,
    pub(crate) strike: Box<dyn Fn() + Send + Sync>,
}

/// Listens in front of Azurite; nothing is taken until it is opened.
pub(crate) struct Forwarder {
    queue: TcpListener,
    table: TcpListener,
}

/// What went through a forwarder.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    /// What was created, in its order: what a list of storage's contents says of each.
    pub(crate) created: Vec<String>,
    /// The request that was struck, and what storage had answered.
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

    /// What tells a harness to use it.
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

    /// Forwards from now on, also what waits already. As long as the runtime lives.
    pub(crate) fn open(self, azurite: &Azurite, cut: Cut) -> Arc<Mutex<Seen>> {
        let shared = Arc::new(Shared {
            cut,
            met: Mutex::default(),
            seen: Arc::default(),
        });
        let seen = shared.seen.clone();
        let sides = [
            (self.queue, azurite.queue_url()),
            (self.table, azurite.table_url()),
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
    /// Requests of the step that is cut.
    met: Mutex<usize>,
    seen: Arc<Mutex<Seen>>,
}

async fn connection(stream: TcpStream, url: String, shared: Arc<Shared>) {
    let client = reqwest::Client::builder().no_proxy().build();
    let client = client.expect("a client");
    let service = hyper::service::service_fn(|request| shared.serve(&client, &url, request));
    // It ends when its client does.
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

/// What a request asks for; of what it creates, what a list of storage's contents then says.
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

/// The headers of a connection end with it; the client sets its own.
fn remove_own(headers: &mut HeaderMap) {
    for name in [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}
