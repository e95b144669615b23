//! Interface by which the harness controls a wire in another process. It uses HTTP, because the connection is a forwarded port;
//! each request can be repeated after a broken connection without a further effect.
//!
//! | request | answer |
//! |---|---|
//! | `GET /history?from=BYTES` | the history from this byte on, in whole lines; if it has no more, after at most a second |
//! | `PUT /rules/N` with a [`Rule`](crate::Rule) | the rule is in force |
//! | `DELETE /rules/N` | the rule is no longer in force |
//! | `PUT /held/NAME` | all requests of the client `NAME` are held back from storage |
//! | `DELETE /held/NAME` | they go on |
//! | `PUT /dead/NAME` | no request of the client `NAME` goes to storage any more |
//! | `GET /kills` | the clients that are to be killed, by number; if there are none, after at most a second |
//! | `PUT /kills/N` | this client is dead |
//! | `GET /status` | [`Status`] |
//! | `PUT /finish` | all clients are cut off, and every pending request is in the history; `204` |
//!
//! A client of this interface can have pods killed, so it listens on the loopback address of its pod only, where forwarded
//! ports arrive.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use contract::workload::Lens;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::gate::Comers;
use super::{Endpoints, Faults, History, Killer, Proxy, Tls, Wire as _};

/// How long a request waits for new data.
const NEWS: Duration = Duration::from_secs(1);

/// Most bytes of the history in one answer.
const PART: u64 = 1024 * 1024;

/// Largest rule, in bytes.
const RULE: usize = 64 * 1024;

/// Time limit for a client to be dead. The harness, which kills it, may have lost its connection to the cluster for a while.
const KILL: Duration = Duration::from_secs(60);

/// The header that distinguishes one start of the program from the next.
pub(super) const LIFE: &str = "x-edw-life";

/// Version of the history's content, raised with each change of the recorded data. A wire of another version would lack data
/// that the judge needs, and each row would seem wrong.
pub const FORMAT: u32 = 1;

/// The state of a wire.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its [`FORMAT`]; 0 for a wire that does not report it yet.
    #[serde(default)]
    pub format: u32,
    /// How often rules have struck, in total.
    pub struck: u64,
    /// How often each rule in force has struck.
    pub rules: BTreeMap<u64, u64>,
    /// The size of the history in bytes.
    pub history: u64,
    /// The first error, if there was one.
    pub trouble: Option<String>,
}

/// The clients that the harness is to kill.
#[derive(Debug, Clone)]
struct Wanted {
    open: Arc<watch::Sender<BTreeMap<u64, String>>>,
    asked: Arc<AtomicU64>,
}

/// Kills a client by asking the harness, which reads the request and answers when the client is dead.
#[derive(Debug)]
struct AskedFor {
    client: String,
    wanted: Wanted,
}

#[async_trait]
impl Killer for AskedFor {
    async fn kill(&self) {
        let number = self.wanted.asked.fetch_add(1, Ordering::Relaxed) + 1;
        let mut open = self.wanted.open.subscribe();
        self.wanted.open.send_modify(|open| {
            open.insert(number, self.client.clone());
        });
        // The client is cut off in any case, so without an answer it counts as killed.
        let dead = open.wait_for(|open| !open.contains_key(&number));
        let _ = timeout(KILL, dead).await;
    }
}

/// A wire as a program: its proxy and its control interface.
#[derive(Debug)]
pub struct Program {
    proxy: Proxy,
    clients: Arc<Comers>,
    wanted: Wanted,
    open: CancellationToken,
    /// Part of every answer: after a restart, rules are lost, and requests that were pending are not in the history.
    life: String,
}

impl Program {
    /// Starts a wire to `storage` for every client that connects to `queue` and `table`; continues `history`, and reads
    /// messages and rows through `lens`. If storage uses HTTPS, `tls` has the certificates, and clients must use HTTPS here as
    /// well.
    pub async fn start(
        storage: &Endpoints,
        history: History,
        seed: u64,
        [queue, table]: [TcpListener; 2],
        lens: Lens,
        tls: Option<Tls>,
    ) -> anyhow::Result<Self> {
        let life = history.now().as_micros().to_string();
        let proxy = Proxy::start(storage, history, Faults::new(seed), tls, lens).await?;
        let wanted = Wanted {
            open: Arc::new(watch::Sender::new(BTreeMap::new())),
            asked: Arc::default(),
        };
        let open = CancellationToken::new();
        let told = wanted.clone();
        let killer_of = move |client: &str| -> Arc<dyn Killer> {
            Arc::new(AskedFor {
                client: client.to_owned(),
                wanted: told.clone(),
            })
        };
        let clients = proxy.open_gates([queue, table], Box::new(killer_of), &open);
        Ok(Self {
            proxy,
            clients,
            wanted,
            open,
            life,
        })
    }

    /// Serves the control interface at `control` until `stop` is cancelled.
    pub async fn serve(self: Arc<Self>, control: TcpListener, stop: CancellationToken) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                Some(_) = connections.join_next() => continue,
                accepted = control.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            let program = self.clone();
            let service = service_fn(move |request| {
                let program = program.clone();
                async move { Ok::<_, Infallible>(program.answer(request).await) }
            });
            connections.spawn(async move {
                let served = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                // An error of a connection concerns its client only.
                let _ = served.await;
            });
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (status, body) = self
            .told(request)
            .await
            .unwrap_or_else(|(status, why)| (status, Bytes::from(why)));
        let mut answer = Response::new(Full::new(body));
        *answer.status_mut() = status;
        let life = self.life.parse().expect("digits must fit a header");
        answer.headers_mut().insert(LIFE, life);
        answer
    }

    async fn told(
        &self,
        request: Request<Incoming>,
    ) -> Result<(StatusCode, Bytes), (StatusCode, String)> {
        let path = request.uri().path().trim_matches('/').to_owned();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let method = request.method().clone();
        let done = (StatusCode::NO_CONTENT, Bytes::new());
        let own_fault =
            |error: anyhow::Error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}"));
        match (&method, &path.split('/').collect::<Vec<_>>()[..]) {
            (&Method::GET, ["history"]) => {
                let from = query
                    .strip_prefix("from=")
                    .and_then(|from| from.parse().ok());
                let from = from.ok_or_else(|| refused("`from` has no number of bytes"))?;
                let new = self.written_from(from).await.map_err(own_fault)?;
                Ok((StatusCode::OK, new))
            }
            (&Method::GET, ["status"]) => Ok((StatusCode::OK, json(&self.status()))),
            (&Method::GET, ["kills"]) => Ok((StatusCode::OK, json(&self.open_kills().await))),
            (&Method::PUT, ["kills", number]) => {
                let number = numbered(number)?;
                self.wanted.open.send_modify(|open| {
                    open.remove(&number);
                });
                Ok(done)
            }
            (&Method::PUT, ["rules", number]) => {
                let number = numbered(number)?;
                let body = Limited::new(request.into_body(), RULE).collect().await;
                let body = body.map_err(|error| refused(&format!("read the rule: {error}")))?;
                let rule = serde_json::from_slice(&body.to_bytes())
                    .map_err(|error| refused(&format!("read the rule: {error}")))?;
                self.proxy.faults().put(number, rule);
                Ok(done)
            }
            (&Method::DELETE, ["rules", number]) => {
                self.proxy.faults().remove(numbered(number)?);
                Ok(done)
            }
            (&Method::PUT | &Method::DELETE, ["held", name]) => {
                self.clients.called(name).hold(method == Method::PUT);
                Ok(done)
            }
            (&Method::PUT, ["dead", name]) => {
                self.clients.called(name).cut_off();
                Ok(done)
            }
            (&Method::PUT, ["finish"]) => {
                self.open.cancel();
                self.proxy.close().await.map_err(own_fault)?;
                Ok(done)
            }
            _ => Err((
                StatusCode::NOT_FOUND,
                format!("{method} /{path} is nothing that can be asked for here"),
            )),
        }
    }

    /// The history from byte `from` on, once there is more, limited to one answer.
    async fn written_from(&self, from: u64) -> anyhow::Result<Bytes> {
        let history = self.proxy.history();
        let mut bytes = history.bytes();
        let _ = timeout(NEWS, bytes.wait_for(|bytes| *bytes > from)).await;
        let until = *bytes.borrow();
        if until <= from {
            return Ok(Bytes::new());
        }
        // Lines are written whole, so `until` is the end of one; the reader joins answers, so their ends do not matter.
        let mut file = File::open(history.written().path())?;
        file.seek(SeekFrom::Start(from))?;
        let mut new = Vec::new();
        file.take((until - from).min(PART)).read_to_end(&mut new)?;
        Ok(new.into())
    }

    async fn open_kills(&self) -> BTreeMap<u64, String> {
        let mut open = self.wanted.open.subscribe();
        let _ = timeout(NEWS, open.wait_for(|open| !open.is_empty())).await;
        open.borrow().clone()
    }

    pub(super) fn status(&self) -> Status {
        let trouble = self.proxy.check().err();
        // Read in its own statement: its guard blocks the history's writer, which holds the lock that the check needs.
        let history = *self.proxy.history().bytes().borrow();
        Status {
            format: FORMAT,
            struck: self.proxy.struck(),
            rules: self.proxy.faults().counts(),
            history,
            trouble: trouble.map(|error| format!("{error:#}")),
        }
    }
}

fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value)
        .expect("a status must serialise")
        .into()
}

fn refused(why: &str) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, why.to_owned())
}

fn numbered(text: &str) -> Result<u64, (StatusCode, String)> {
    text.parse()
        .map_err(|_| refused("a rule or a kill is named by its number"))
}
