//! The way from the proxy to storage.

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

/// Most connections to one service, and so most requests that it works on at once; others wait their turn. Azurite works
/// on one request at a time, so more would only wait inside it. What more would cost is new connections: it accepts one of
/// them in each turn of its event loop, behind all requests of the others, which kept requests of a dozen runs that began
/// together waiting for seconds.
pub(super) const CONNECTIONS: usize = 8;

/// How long a connection may rest and be used again. Azurite (Node.js) closes one after 5 s, and does so without looking
/// whether a request has just come: that one gets a reset, which clients that do not try again die of. Half of that leaves
/// room for an event loop that is busy.
const REST: Duration = Duration::from_millis(2500);

type Sender = SendRequest<Full<Bytes>>;

/// No connection could be made: storage has seen nothing of the request.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("storage was not reached")]
pub(super) struct NotReached;

/// One of the services of storage, and the connections to it, which are opened before they are needed.
#[derive(Debug)]
pub(super) struct Upstream {
    /// `host:port`, to connect to.
    address: String,
    /// How it is spoken to over HTTPS; plainly when absent.
    tls: Option<Tls>,
    /// As requests name it.
    host: HeaderValue,
    /// The path of the account, without a slash at its end.
    pub(super) base: String,
    /// Connections that are not in use, and since when. The one that rested longest is next, so that none rests for long.
    resting: Mutex<VecDeque<(Instant, Sender)>>,
    turns: Arc<Semaphore>,
    /// What drives the connections.
    drivers: TaskTracker,
    /// What waits until they may rest again.
    under_way: TaskTracker,
}

impl Upstream {
    /// The service at `url`, over `tls` where that is HTTPS; `under_way` is where requests are counted that have not come to their end.
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

    /// How clients find it: `http` or `https`.
    pub(super) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Scheme and authority of the service's own address, which nobody but storage answers at.
    pub(super) fn origin(&self) -> String {
        let host = self.host.to_str().unwrap_or_default();
        format!("{}://{host}", self.scheme())
    }

    pub(super) fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// Opens the connections, as far as storage can be reached, and returns when all are of use: that the kernel has made one
    /// does not say that storage has accepted it.
    pub(super) async fn connect_ahead(&self) {
        let one = async || {
            let mut sender = self.connect().await.ok()?;
            // Whatever it answers: nobody may do this.
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

    /// Closes the connections. No request may be under way.
    pub(super) async fn close(&self) {
        self.resting().clear();
        self.drivers.close();
        self.drivers.wait().await;
        self.drivers.reopen();
    }

    /// Asks for `request`. An error leaves open whether storage has seen it, unless it is [`NotReached`].
    pub(super) async fn ask(
        self: &Arc<Self>,
        mut request: Request<Full<Bytes>>,
    ) -> anyhow::Result<Response<Incoming>> {
        // A request names its host in a header and nothing but the path in its line.
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
                // Storage had closed the connection while it rested, and has seen nothing of the request.
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

    /// Lets the connection rest once the answer's body has been read, and only then another take its turn.
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
        // How a connection ends is told to whoever has asked on it.
        self.drivers.spawn(async move {
            let _ = connection.await;
        });
        Ok(sender)
    }

    /// A connection that may be used again. Those that have rested for too long are closed.
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
