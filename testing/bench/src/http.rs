//! The raw load's HTTP client: one keep-alive connection that does nothing but send bytes and read the answer.

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HOST;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// A request without its connection.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    /// Path and query, SAS included.
    pub(crate) target: &'a str,
    pub(crate) headers: &'static [(&'static str, &'static str)],
    pub(crate) body: Bytes,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    authority: String,
    /// The task that drives the connection, until this is dropped. The next request on a broken connection fails.
    _driver: JoinSet<()>,
}

impl Connection {
    /// Connects to `host:port`.
    pub(crate) async fn open(authority: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(authority)
            .await
            .with_context(|| format!("connect to {authority}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut driver = JoinSet::new();
        driver.spawn(async move { drop(connection.await) });
        Ok(Self {
            sender,
            authority: authority.to_owned(),
            _driver: driver,
        })
    }

    /// Sends the request, and reads the whole answer; any status but 2xx is an error.
    pub(crate) async fn call(&mut self, call: Call<'_>) -> anyhow::Result<Bytes> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(call.target)
            .header(HOST, &self.authority);
        for (name, value) in call.headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(call.body))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        // The query holds the SAS, so the error must not contain it.
        let path = call.target.split('?').next().unwrap_or_default();
        ensure!(
            status.is_success(),
            "{} {path}: storage answered {status}: {}",
            call.method,
            String::from_utf8_lossy(&body)
        );
        Ok(body)
    }
}
