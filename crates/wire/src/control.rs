//! How the harness speaks to a wire that runs elsewhere. HTTP, since what leads there is a forwarded port; every request may be made
//! again after a connection was cut, and changes nothing the second time.
//!
//! | request | answer |
//! |---|---|
//! | `GET /history?from=BYTES` | what is written from there on, whole lines; if nothing is, after a second at most |
//! | `PUT /rules/N` with a [`Rule`](crate::Rule) | it is at work |
//! | `DELETE /rules/N` | it is not |
//! | `GET /kills` | the clients that are to be killed, by number; if there are none, after a second at most |
//! | `PUT /kills/N` | that one is dead |
//! | `GET /status` | [`Status`] |
//! | `PUT /finish` | all clients are shut out, and every request that was under way is in the history; `204` |
//!
//! Who can reach it can kill pods: it listens at the loopback of its pod alone, where forwarded ports come out.

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

use super::{Endpoints, Faults, History, Killer, Proxy, Tls, Wire as _};

/// How long a request waits for something new.
const NEWS: Duration = Duration::from_secs(1);

/// Most bytes of history in one answer.
const PART: u64 = 1024 * 1024;

/// Most bytes of a rule.
const RULE: usize = 64 * 1024;

/// How long a client may take to be dead. Whoever kills it may have lost its way to the cluster for a while.
const KILL: Duration = Duration::from_secs(60);

/// The header that tells one life of the program from the next.
pub(super) const LIFE: &str = "x-edw-life";

/// What a history holds, counted up with each change of what is written down of a request. A wire of another count would leave out what the
/// judge looks for, and each row would seem to be wrong.
pub const FORMAT: u32 = 1;

/// How a wire stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Its [`FORMAT`]; 0 of a wire that does not know it yet.
    #[serde(default)]
    pub format: u32,
    /// How often rules have struck.
    pub struck: u64,
    /// How often each rule at work has.
    pub rules: BTreeMap<u64, u64>,
    /// The bytes of the history.
    pub history: u64,
    /// What has gone wrong, if anything has.
    pub trouble: Option<String>,
}

/// The clients that are to be killed.
#[derive(Debug, Clone)]
struct Wanted {
    open: Arc<watch::Sender<BTreeMap<u64, String>>>,
    asked: Arc<AtomicU64>,
}

/// What kills a client: whoever reads of it, and answers when it is done.
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
        // If nobody does it, the client is shut out all the same: it counts as killed.
        let dead = open.wait_for(|open| !open.contains_key(&number));
        let _ = timeout(KILL, dead).await;
    }
}

/// A wire as a program: what it serves, and what it is told.
#[derive(Debug)]
pub struct Program {
    proxy: Proxy,
    wanted: Wanted,
    open: CancellationToken,
    /// Told in every answer: after a restart, rules are gone, and requests that were under way are not in the history.
    life: String,
}

impl Program {
    /// A wire to `storage` for every client that comes to `queue` and `table`; it goes on with `history`, and reads messages and rows
    /// through `lens`. Where storage speaks HTTPS, `tls` is how, and clients find HTTPS here as well.
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
        proxy.open_gates([queue, table], Box::new(killer_of), &open);
        Ok(Self {
            proxy,
            wanted,
            open,
            life,
        })
    }

    /// Serves `control` until `stop` is cancelled.
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
                // How a connection ends is the asker's affair.
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

    /// The history from byte `from` on, once there is more than that, as far as one answer goes.
    async fn written_from(&self, from: u64) -> anyhow::Result<Bytes> {
        let history = self.proxy.history();
        let mut bytes = history.bytes();
        let _ = timeout(NEWS, bytes.wait_for(|bytes| *bytes > from)).await;
        let until = *bytes.borrow();
        if until <= from {
            return Ok(Bytes::new());
        }
        // Lines are written whole, so that `until` ends one; where an answer ends does not matter to who puts them together.
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
        // Read by itself: who looks at the number keeps the history from growing, and who writes the history keeps others from checking it.
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
