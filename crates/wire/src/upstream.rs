//! The proxy's connections to storage.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, HeaderValue};
use hyper::http::uri::{PathAndQuery, Scheme};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::{Tls, lock};

/// Most connections to one service, and so most concurrent requests; others wait. Azurite works on one request at a time, so
/// more would only wait inside it. More connections would also have to be opened: Azurite accepts one in each turn of its event
/// loop, after all pending requests. With more, a dozen runs that began together waited for seconds.
pub(super) const CONNECTIONS: usize = 8;

/// How long an idle connection may be used again. Azurite (Node.js) closes one after 5 s, even if a request has just arrived:
/// that request gets a reset, which a client without retries does not survive. Half of that time leaves room for a busy event
/// loop.
const REST: Duration = Duration::from_millis(2500);

type Sender = SendRequest<Full<Bytes>>;

/// Error of a request that storage cannot have seen, because no connection could be made.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("storage was not reached")]
pub(super) struct NotReached;

/// One of the services of storage, and the connections to it, which are opened before they are needed.
#[derive(Debug)]
pub(super) struct Upstream {
    /// `host:port`, to connect to.
    address: String,
    /// The certificates for HTTPS; `None`: HTTP.
    tls: Option<Tls>,
    /// The value of the `Host` header.
    host: HeaderValue,
    /// The path of the account, without a slash at its end.
    pub(super) base: String,
    /// Idle connections, and since when they are idle. The one that has been idle longest is used next, so that none is idle
    /// for long.
    resting: Mutex<VecDeque<(Instant, Sender)>>,
    turns: Arc<Semaphore>,
    /// The tasks that drive the connections.
    drivers: TaskTracker,
    /// The tasks that wait until a connection is idle again.
    under_way: TaskTracker,
}

impl Upstream {
    /// Makes the client of the service at `url`, over `tls` if that is HTTPS; `under_way` counts pending requests.
    pub(super) fn of(
        url: &str,
        tls: Option<&Tls>,
        under_way: &TaskTracker,
    ) -> anyhow::Result<Self> {
        let uri: Uri = url
            .parse()
            .with_context(|| format!("read the storage address {url:?}"))?;
        let tls = match (uri.scheme(), tls) {
            (Some(scheme), _) if *scheme == Scheme::HTTP => None,
            (Some(scheme), Some(tls)) if *scheme == Scheme::HTTPS => Some(tls.clone()),
            (Some(scheme), None) if *scheme == Scheme::HTTPS => bail!(
                "proxy {url}: clients must find HTTPS here too; give a certificate for it and its key"
            ),
            _ => bail!("proxy {url}: only http and https are understood"),
        };
        let authority = uri
            .authority()
            .with_context(|| format!("proxy {url}: it has no host"))?;
        let port = authority
            .port_u16()
            .unwrap_or(if tls.is_some() { 443 } else { 80 });
        Ok(Self {
            address: format!("{}:{port}", authority.host()),
            tls,
            host: HeaderValue::from_str(authority.as_str())
                .with_context(|| format!("proxy {url}: its host fits no header"))?,
            base: uri.path().trim_end_matches('/').to_owned(),
            resting: Mutex::default(),
            turns: Arc::new(Semaphore::new(CONNECTIONS)),
            drivers: TaskTracker::new(),
            under_way: under_way.clone(),
        })
    }

    /// The scheme of the clients' address: `http` or `https`.
    pub(super) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Scheme and authority of the service's own address, at which only storage answers.
    pub(super) fn origin(&self) -> String {
        let host = self.host.to_str().unwrap_or_default();
        format!("{}://{host}", self.scheme())
    }

    pub(super) fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// Opens the connections, if storage is reachable, and returns when all can be used: an open TCP connection does not mean
    /// that storage has accepted it.
    pub(super) async fn connect_ahead(&self) {
        let one = async || {
            let mut sender = self.connect().await.ok()?;
            // Any answer will do; no client has permission for this request.
            let mut request = Request::head(format!("{}/", self.base))
                .body(Full::default())
                .ok()?;
            request.headers_mut().insert(HOST, self.host.clone());
            let answer = sender.send_request(request).await.ok()?;
            answer.into_body().collect().await.ok()?;
            sender.ready().await.ok()?;
            Some(sender)
        };
        let all = futures::future::join_all((0..CONNECTIONS).map(|_| one())).await;
        let now = Instant::now();
        self.resting()
            .extend(all.into_iter().flatten().map(|sender| (now, sender)));
    }

    /// Closes the connections. No request may be pending.
    pub(super) async fn close(&self) {
        self.resting().clear();
        self.drivers.close();
        self.drivers.wait().await;
        self.drivers.reopen();
    }

    /// Sends `request`. After an error storage may have seen it, unless the error is [`NotReached`].
    pub(super) async fn ask(
        self: &Arc<Self>,
        mut request: Request<Full<Bytes>>,
    ) -> anyhow::Result<Response<Incoming>> {
        // The request line has the path only; the host is in a header.
        request.headers_mut().insert(HOST, self.host.clone());
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
        let turn = self.turns.clone().acquire_owned().await?;
        let (answer, sender) = loop {
            let rested = self.rested();
            let is_new = rested.is_none();
            let mut sender = match rested {
                Some(rested) => rested,
                None => self.connect().await.context(NotReached)?,
            };
            match sender.try_send_request(request).await {
                Ok(answer) => break (answer, sender),
                // Storage had closed the connection while it was idle, and has seen nothing of the request.
                Err(mut error) => match error.take_message().filter(|_| !is_new) {
                    Some(unsent) => request = unsent,
                    None => return Err(error.into_error().into()),
                },
            }
        };
        let upstream = self.clone();
        self.under_way.spawn(upstream.rest(sender, turn));
        Ok(answer)
    }

    /// Waits until the answer's body has been read, then makes the connection idle and lets the next request take its turn.
    async fn rest(self: Arc<Self>, mut sender: Sender, turn: OwnedSemaphorePermit) {
        if sender.ready().await.is_ok() {
            self.resting().push_back((Instant::now(), sender));
        }
        drop(turn);
    }

    async fn connect(&self) -> anyhow::Result<Sender> {
        let address = &self.address;
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("connect to storage at {address}"))?;
        stream.set_nodelay(true)?;
        match &self.tls {
            None => self.shake_hands(stream).await,
            Some(tls) => self.shake_hands(tls.connect(address, stream).await?).await,
        }
    }

    async fn shake_hands<S>(&self, stream: S) -> anyhow::Result<Sender>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // An error of a connection is reported to the pending request.
        self.drivers.spawn(async move {
            let _ = connection.await;
        });
        Ok(sender)
    }

    /// An idle connection that may be used again. Closes those that have been idle for too long.
    fn rested(&self) -> Option<Sender> {
        let mut resting = self.resting();
        while let Some((since, sender)) = resting.pop_front() {
            if since.elapsed() < REST {
                return Some(sender);
            }
        }
        None
    }

    fn resting(&self) -> MutexGuard<'_, VecDeque<(Instant, Sender)>> {
        lock(&self.resting)
    }
}

#[cfg(test)]
mod tests;
