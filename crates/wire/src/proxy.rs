//! The proxy: HTTP/1.1 in, HTTP/1.1 out, each request judged by the faults and written to the history.

use std::io;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use contract::Stamp;
use futures::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Service;
use super::asked::{self, Asked};
use super::fault::{Effect, Faults, Moment, Ruling, mix};
use super::lane::{Asker, Lane};
use super::upstream::{NotReached, Upstream};
use super::{Answer, Crossing, History, Operation, Tls};

/// Most bytes of a body that is looked into: 32 messages of 64 KiB escaped, or a transaction of 4 MiB, and room.
const MOST_INSPECTED: usize = 32 * 1024 * 1024;

/// Longest wait for storage to answer: longer than any client of this project waits.
const UPSTREAM: Duration = Duration::from_secs(120);

type Body = BoxBody<Bytes, io::Error>;

/// The addresses of the queue and the table service, account included, such as `http://127.0.0.1:10001/devstoreaccount1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// The queue service.
    pub queue: String,
    /// The table service.
    pub table: String,
}

/// Sits between clients and storage. Each client has a [`Lane`] of its own, so that the proxy knows who asks.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    queue: Arc<Upstream>,
    table: Arc<Upstream>,
    history: History,
    faults: Faults,
    /// Requests under way, also those whose client is gone: what storage does to them is evidence.
    under_way: TaskTracker,
    panicked: AtomicBool,
    /// Those whose ways are open.
    clients: Mutex<Vec<Weak<Asker>>>,
}

impl Proxy {
    /// A proxy for storage at `storage`, connected to it where it can be reached. Where that speaks HTTPS, `tls` is how, and
    /// clients find HTTPS at the proxy as well.
    pub async fn start(
        storage: &Endpoints,
        history: History,
        faults: Faults,
        tls: Option<Tls>,
    ) -> anyhow::Result<Self> {
        let under_way = TaskTracker::new();
        let shared = Shared {
            queue: Arc::new(Upstream::of(&storage.queue, tls.as_ref(), &under_way)?),
            table: Arc::new(Upstream::of(&storage.table, tls.as_ref(), &under_way)?),
            history,
            faults,
            under_way,
            panicked: AtomicBool::new(false),
            clients: Mutex::default(),
        };
        tokio::join!(shared.queue.connect_ahead(), shared.table.connect_ahead());
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Every request and its answer.
    pub fn history(&self) -> &History {
        &self.shared.history
    }

    /// The rules that it goes by.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Opens a way to storage for the client called `name`.
    pub async fn lane(&self, name: &str) -> anyhow::Result<Lane> {
        let client = Arc::new(Asker::new(name));
        self.clients().push(Arc::downgrade(&client));
        let open = CancellationToken::new();
        let endpoint = async |service| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .with_context(|| format!("open a proxy port for {name}"))?;
            let port = listener.local_addr()?.port();
            let lane = Arc::new(Way {
                shared: self.shared.clone(),
                client: client.clone(),
                service,
                open: open.clone(),
            });
            let upstream = lane.upstream();
            let url = format!("{}://127.0.0.1:{port}{}", upstream.scheme(), upstream.base);
            self.shared.under_way.spawn(accept(listener, lane));
            anyhow::Ok(url)
        };
        let endpoints = Endpoints {
            queue: endpoint(Service::Queue).await?,
            table: endpoint(Service::Table).await?,
        };
        Ok(Lane::new(endpoints, client, open.drop_guard()))
    }

    /// Messages that clients have received, and neither asked to be deleted nor handed back.
    pub fn in_hand(&self) -> u64 {
        let mut clients = self.clients();
        clients.retain(|client| client.strong_count() > 0);
        let open = clients.iter().filter_map(Weak::upgrade);
        open.map(|client| client.in_hand()).sum()
    }

    /// Waits until the client called `name` receives messages and then has at least `count` in hand: received, and neither
    /// asked to be deleted nor handed back. So its work on some of them is still to begin.
    pub async fn until_received(
        &self,
        name: &str,
        count: usize,
        patience: Duration,
    ) -> anyhow::Result<()> {
        self.known(name)?.until_received(count, patience).await
    }

    /// Waits until the client called `name` has at least `count` messages in hand.
    pub async fn until_in_hand(
        &self,
        name: &str,
        count: usize,
        patience: Duration,
    ) -> anyhow::Result<()> {
        self.known(name)?.until_in_hand(count, patience).await
    }

    fn known(&self, name: &str) -> anyhow::Result<Arc<Asker>> {
        let client = self.client(name);
        client.with_context(|| format!("find {name}: it has no way to storage"))
    }

    fn client(&self, name: &str) -> Option<Arc<Asker>> {
        let clients = self.clients();
        let open = clients.iter().filter_map(Weak::upgrade);
        open.into_iter().find(|client| client.name == name)
    }

    fn clients(&self) -> MutexGuard<'_, Vec<Weak<Asker>>> {
        let clients = &self.shared.clients;
        clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until every request under way has its answer in the history, and tells whether the history is whole. All lanes
    /// must be closed.
    pub async fn finish(&self) -> anyhow::Result<()> {
        let ended = async {
            self.shared.under_way.close();
            self.shared.under_way.wait().await;
            self.shared.queue.close().await;
            self.shared.table.close().await;
        };
        tokio::time::timeout(UPSTREAM, ended).await.context(
            "wait for the requests under way in the proxy: storage does not answer them",
        )?;
        self.shared.under_way.reopen();
        self.check()
    }

    /// Whether the history holds all that was to be written so far.
    pub fn check(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            !self.shared.panicked.load(Ordering::Relaxed),
            "keep the history: a task of the proxy panicked, which is a bug of the harness"
        );
        self.shared.history.check()?;
        Ok(())
    }
}

/// One of the two services of a lane.
#[derive(Debug)]
struct Way {
    shared: Arc<Shared>,
    client: Arc<Asker>,
    service: Service,
    open: CancellationToken,
}

/// Serves connections until the lane is closed.
async fn accept(listener: TcpListener, way: Arc<Way>) {
    let mut connections = JoinSet::new();
    let open = way.open.clone();
    loop {
        let accepted = tokio::select! {
            () = open.cancelled() => return,
            Some(ended) = connections.join_next() => {
                if ended.is_err() {
                    way.shared.panicked.store(true, Ordering::Relaxed);
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        // A client that was gone before it was accepted; or no file descriptor left, which a pause may cure.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        connections.spawn(connection(stream, way.clone()));
    }
}

async fn connection(stream: TcpStream, way: Arc<Way>) {
    // Without it, the last segment of an answer waits for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let stream = Resettable {
        stream,
        reset: reset.clone(),
    };
    match way.upstream().tls() {
        None => serve(stream, way, reset).await,
        Some(tls) => {
            // A client that does not trust the certificate goes away here, and says why.
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, way, reset).await;
            }
        }
    }
}

async fn serve<S>(stream: S, way: Arc<Way>, reset: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = hyper::service::service_fn(move |request| {
        let (way, reset) = (way.clone(), reset.clone());
        async move { way.serve(request, reset).await }
    });
    // How a connection ends is the client's affair, or the fault's.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// An answer's body: whole where it is evidence or a fault needs it, else as it comes.
enum Carried {
    Whole(Bytes),
    Streamed(Incoming),
}

/// What is known of a request that is under way.
struct Task {
    parts: Parts,
    body: Bytes,
    crossing: Crossing,
    ruling: Ruling,
    /// Cancelled when the client goes away.
    gone: CancellationToken,
}

impl Way {
    fn upstream(&self) -> &Arc<Upstream> {
        match self.service {
            Service::Queue => &self.shared.queue,
            Service::Table => &self.shared.table,
        }
    }

    fn now(&self) -> Stamp {
        self.shared.history.now()
    }

    /// An error ends the connection without an answer.
    async fn serve(
        self: Arc<Self>,
        request: hyper::Request<Incoming>,
        reset: Arc<AtomicBool>,
    ) -> io::Result<Response<Body>> {
        self.client.has_asked.store(true, Ordering::Release);
        let (parts, body) = request.into_parts();
        let body = inspected(body).await?;
        let crossing = self.recognise(&parts, &body);
        let client = &self.client;
        client.asks(&crossing);
        let faults = &self.shared.faults;
        let ruling = faults.judge(crossing.operation, &client.name, &client.doomed);
        let gone = CancellationToken::new();
        // The connection drops what it waits for when the client ends it.
        let _listens = gone.clone().drop_guard();
        let task = Task {
            parts,
            body,
            crossing,
            ruling,
            gone,
        };
        // A task of its own: a client that goes away does not take back what it has asked for.
        let way = self.clone();
        let task = self
            .shared
            .under_way
            .spawn(async move { way.ask(task).await });
        let asked = task.await.unwrap_or_else(|_| {
            self.shared.panicked.store(true, Ordering::Relaxed);
            None
        });
        self.answer(asked, ruling, &reset).await
    }

    fn recognise(&self, parts: &Parts, body: &[u8]) -> Crossing {
        let told = Asked {
            service: self.service,
            base: &self.upstream().base,
            method: &parts.method,
            path: parts.uri.path(),
            query: parts.uri.query(),
            headers: &parts.headers,
            body,
        };
        told.crossing(&self.client.name, self.now())
    }

    /// Asks storage, unless a fault says otherwise, and writes the history before the client can know the answer.
    async fn ask(&self, task: Task) -> Option<Response<Carried>> {
        let Task {
            parts,
            body,
            mut crossing,
            ruling,
            gone,
        } = task;
        if !ruling.delay.is_zero() {
            tokio::time::sleep(ruling.delay).await;
            crossing.fault = Some(format!("{} ms late", ruling.delay.as_millis()));
        }
        if let Some(effect) = ruling.effect {
            crossing.fault = Some(effect.to_string());
        }
        let answer = match ruling.effect {
            Some(Effect::Refuse(refusal)) => {
                let (kind, text) = refusal.body(self.service);
                let mut answer = Response::new(Carried::Whole(Bytes::from(text)));
                *answer.status_mut() = StatusCode::from_u16(refusal.status())
                    .expect("a documented status must be one");
                let headers = answer.headers_mut();
                headers.insert(CONTENT_TYPE, kind.parse().expect("a constant must parse"));
                let code = refusal.code().parse().expect("a constant must parse");
                headers.insert("x-ms-error-code", code);
                Some(answer)
            }
            Some(Effect::Reset(Moment::Before)) => None,
            Some(Effect::Kill(Moment::Before)) => {
                self.client.kill().await;
                None
            }
            _ => {
                let stream =
                    crossing.operation == Operation::QueryEntities && ruling.effect.is_none();
                let asked = self.forward(parts, body, stream).await;
                note_answer(&mut crossing, &asked);
                asked.ok()
            }
        };
        if ruling.effect == Some(Effect::Kill(Moment::AfterEffect)) {
            self.client.kill().await;
        }
        crossing.ended = self.now();
        crossing.unheard = gone.is_cancelled();
        self.client.was_answered(&crossing);
        self.shared.history.append(&crossing);
        answer
    }

    async fn forward(
        &self,
        mut parts: Parts,
        body: Bytes,
        stream: bool,
    ) -> anyhow::Result<Response<Carried>> {
        // The connection's own headers end here; the client sets those of the next.
        remove_own(&mut parts.headers);
        let asked = async {
            let request = hyper::Request::from_parts(parts, Full::new(body));
            let (parts, body) = self.upstream().ask(request).await?.into_parts();
            let body = if stream && parts.status.is_success() {
                Carried::Streamed(body)
            } else {
                Carried::Whole(body.collect().await?.to_bytes())
            };
            anyhow::Ok(Response::from_parts(parts, body))
        };
        tokio::time::timeout(UPSTREAM, asked)
            .await
            .context("no answer in time")?
    }

    /// Hands the answer to the client, as far as the fault lets it.
    async fn answer(
        &self,
        asked: Option<Response<Carried>>,
        ruling: Ruling,
        reset: &AtomicBool,
    ) -> io::Result<Response<Body>> {
        let cut = || Err(io::Error::from(io::ErrorKind::ConnectionReset));
        match ruling.effect {
            Some(Effect::Reset(Moment::Before | Moment::AfterEffect) | Effect::Kill(_)) => {
                reset.store(true, Ordering::Relaxed);
                return cut();
            }
            Some(Effect::Withhold) => {
                // The client goes away first, or the lane is closed.
                self.open.cancelled().await;
                return cut();
            }
            _ => {}
        }
        // Storage did not answer: neither does the proxy.
        let Some(answer) = asked else { return cut() };
        let (mut parts, body) = answer.into_parts();
        remove_own(&mut parts.headers);
        let body = match body {
            Carried::Whole(body) => body,
            Carried::Streamed(body) => {
                return Ok(Response::from_parts(
                    parts,
                    body.map_err(io::Error::other).boxed(),
                ));
            }
        };
        let body = match ruling.effect {
            Some(Effect::Truncate) => half(&mut parts.headers, &body),
            Some(Effect::Reset(Moment::DuringAnswer)) => {
                reset.store(true, Ordering::Relaxed);
                half(&mut parts.headers, &body)
            }
            Some(Effect::Garble) => whole(garbled(&body, ruling.draw)),
            _ => whole(body),
        };
        Ok(Response::from_parts(parts, body))
    }
}

/// Writes into `crossing` what storage answered.
fn note_answer(crossing: &mut Crossing, asked: &anyhow::Result<Response<Carried>>) {
    let answer = match asked {
        Ok(answer) => answer,
        Err(error) => {
            crossing.answer = if error.downcast_ref::<NotReached>().is_some() {
                Answer::NotAsked
            } else {
                Answer::None(format!("{error:#}"))
            };
            return;
        }
    };
    let body = match answer.body() {
        Carried::Whole(body) => body,
        Carried::Streamed(_) => &Bytes::new(),
    };
    let code = answer.headers().get("x-ms-error-code");
    let code = code.and_then(|code| code.to_str().ok());
    asked::answered(crossing, answer.status(), code, body);
}

fn remove_own(headers: &mut HeaderMap) {
    for name in [CONNECTION, TRANSFER_ENCODING, CONTENT_LENGTH] {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

async fn inspected(body: Incoming) -> io::Result<Bytes> {
    let limited = Limited::new(body, MOST_INSPECTED).collect().await;
    Ok(limited.map_err(io::Error::other)?.to_bytes())
}

fn whole(body: Bytes) -> Body {
    Full::new(body).map_err(|never| match never {}).boxed()
}

/// The first half of `body` under the length of all of it; then the connection ends. An empty body has no half: its
/// connection ends with the head.
fn half(headers: &mut HeaderMap, body: &Bytes) -> Body {
    headers.insert(CONTENT_LENGTH, body.len().max(1).into());
    let first = Ok(Frame::data(body.slice(..body.len() / 2)));
    let cut = Err(io::Error::from(io::ErrorKind::ConnectionReset));
    StreamBody::new(stream::iter([first, cut])).boxed()
}

/// `body` with about every eighth byte changed, the first of all: no parser may take it for what it was.
fn garbled(body: &Bytes, draw: u64) -> Bytes {
    let garble = |(at, byte): (usize, &u8)| {
        let draw = mix(draw ^ at as u64);
        if at == 0 || draw.is_multiple_of(8) {
            byte ^ u8::try_from(draw >> 57 | 1).unwrap_or(1)
        } else {
            *byte
        }
    };
    body.iter().enumerate().map(garble).collect()
}

/// A connection that is reset instead of closed when told to: closing sends what is buffered and then FIN, a reset is RST.
struct Resettable {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Resettable {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Resettable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Resettable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
