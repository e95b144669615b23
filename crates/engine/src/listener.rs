//! The listener of one service: accepts connections, reads requests within limits, and answers them with [`Services`].

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Collected, Full, Limited};
use hyper::{
    Response, StatusCode,
    body::{Body as _, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    auth::Service,
    clock::Moment,
    http::{case, error::ServiceError, request::Request, response::Answer},
    services::Services,
};

/// Largest body, in bytes: 4 MiB of the service plus the parts of a transaction; for the Queue service, 64 KiB with escapes.
const MOST_TABLE_BYTES: usize = 5 * 1024 * 1024;
const MOST_QUEUE_BYTES: usize = 1024 * 1024;
/// Largest head of a request, in bytes: an address of 64 KiB, 8 KiB of metadata, and the rest.
const MOST_HEAD_BYTES: usize = 128 * 1024;
/// Bodies up to this size are read at once. Larger ones share a limited amount of memory, whatever the number of clients.
const SMALL_BODY_BYTES: usize = 64 * 1024;
const LARGE_BODIES_BYTES: usize = 512 * 1024 * 1024;
/// Most concurrent connections. Further ones wait to be accepted.
const MOST_CONNECTIONS: usize = 4_096;
/// Time limit for the head of a request once it has begun, and for its body.
const HEAD_LIMIT: Duration = Duration::from_secs(60);
const BODY_LIMIT: Duration = Duration::from_secs(60);
/// Time limit for the TLS handshake.
const TLS_LIMIT: Duration = Duration::from_secs(10);
/// Pause after a failed accept, for example because no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The parts of a listener.
#[derive(Clone)]
pub(crate) struct Listener {
    pub(crate) services: Services,
    pub(crate) service: Service,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) ending: CancellationToken,
    pub(crate) connections: TaskTracker,
    /// Memory for large bodies, in blocks of [`SMALL_BODY_BYTES`]; both services share it.
    pub(crate) large_bodies: Arc<Semaphore>,
}

/// Makes the shared memory limit for large bodies of both services.
pub(crate) fn large_bodies() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(LARGE_BODIES_BYTES / SMALL_BODY_BYTES))
}

impl Listener {
    /// Accepts connections until it is told to end.
    pub(crate) async fn run(self, socket: TcpListener) {
        let slots = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let listener = Arc::new(self);
        loop {
            let accepted = tokio::select! {
                () = listener.ending.cancelled() => return,
                accepted = accept(&socket, &slots) => accepted,
            };
            match accepted {
                Ok((stream, peer, slot)) => {
                    let connection = Arc::clone(&listener);
                    listener.connections.spawn(async move {
                        connection.serve(stream, peer).await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn serve(&self, stream: TcpStream, peer: SocketAddr) {
        // An answer is one small write, so Nagle's algorithm would only delay it.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.speak(TokioIo::new(stream), peer).await;
        };
        match tokio::time::timeout(TLS_LIMIT, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.speak(TokioIo::new(stream), peer).await,
            Ok(Err(error)) => tracing::debug!(%error, "TLS was not negotiated"),
            Err(_) => tracing::debug!("TLS was not negotiated in time"),
        }
    }

    async fn speak<I>(&self, io: I, peer: SocketAddr)
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let service = service_fn(|request| async move {
            Ok::<_, std::convert::Infallible>(self.answer(request, peer).await)
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(HEAD_LIMIT)
            .preserve_header_case(true)
            .max_buf_size(MOST_HEAD_BYTES)
            .half_close(true);
        let connection = http.serve_connection(io, service);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = &mut connection => ended,
            () = self.ending.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection has failed");
        }
    }

    async fn answer(
        &self,
        request: hyper::Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<Full<Bytes>> {
        let answer = match self.read(request, peer).await {
            Ok(request) => self.services.answer(self.service, &request),
            Err(error) => {
                let now: Moment = self.services.clock.now();
                let answer = error.xml(&uuid::Uuid::new_v4().to_string(), now);
                // The rest of the request is not read.
                answer.header("connection", "close")
            }
        };
        response(answer).await
    }

    /// Reads a body. A large one waits until there is memory for it besides other large ones.
    async fn collect(
        &self,
        body: Incoming,
        most: usize,
    ) -> Result<Collected<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
        let size = body.size_hint().exact();
        let size = size.map_or(most, |size| usize::try_from(size).unwrap_or(most));
        let _room = if size > SMALL_BODY_BYTES {
            let blocks = u32::try_from(size.div_ceil(SMALL_BODY_BYTES))?;
            Some(self.large_bodies.acquire_many(blocks).await?)
        } else {
            None
        };
        Limited::new(body, most).collect().await
    }

    async fn read(
        &self,
        request: hyper::Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Request, ServiceError> {
        let most = match self.service {
            Service::Queue => MOST_QUEUE_BYTES,
            Service::Table => MOST_TABLE_BYTES,
        };
        let (parts, body) = request.into_parts();
        if body.size_hint().lower() > most as u64 {
            return Err(ServiceError::request_body_too_large());
        }
        let body = if body.is_end_stream() {
            Bytes::new()
        } else {
            let collected = tokio::time::timeout(BODY_LIMIT, self.collect(body, most));
            match collected.await {
                Ok(Ok(body)) => body.to_bytes(),
                Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
                    return Err(ServiceError::request_body_too_large());
                }
                Ok(Err(error)) => {
                    return Err(ServiceError::invalid_input(format!(
                        "The body cannot be read: {error}"
                    )));
                }
                Err(_) => {
                    let message = "The operation could not be completed within the permitted time.";
                    let status = StatusCode::REQUEST_TIMEOUT;
                    return Err(ServiceError::new(status, "OperationTimedOut", message));
                }
            }
        };
        Ok(Request {
            metadata_names: case::sent(&parts.headers, &parts.extensions).await,
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body,
            secure: self.tls.is_some(),
            peer: Some(peer.ip()),
        })
    }
}

/// Accepts one connection, once there is a slot for it.
async fn accept(
    socket: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await;
    let slot = slot.map_err(io::Error::other)?;
    let (stream, peer) = socket.accept().await?;
    Ok((stream, peer, slot))
}

async fn response(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    if !answer.metadata_names.is_empty() {
        *response.extensions_mut() = case::writing(&answer.metadata_names).await;
    }
    response
}
