//! Connections of clients: accepted until their lane is closed, and reset instead of closed if a fault requires it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::gate::Gate;
use super::proxy::Shared;
use super::upstream::Upstream;
use super::way::{Body, Way};

/// The destination of a connection.
#[derive(Debug, Clone)]
pub(super) enum Door {
    /// The lane of one client.
    Lane(Arc<Way>),
    /// The lane of the client that each request names in its path.
    Gate(Arc<Gate>),
}

impl Door {
    fn shared(&self) -> &Arc<Shared> {
        match self {
            Self::Lane(way) => &way.shared,
            Self::Gate(gate) => &gate.shared,
        }
    }

    fn upstream(&self) -> &Arc<Upstream> {
        match self {
            Self::Lane(way) => way.upstream(),
            Self::Gate(gate) => gate.shared.upstream(gate.service),
        }
    }

    fn open(&self) -> &CancellationToken {
        match self {
            Self::Lane(way) => &way.open,
            Self::Gate(gate) => &gate.open,
        }
    }

    async fn serve(
        self,
        request: Request<Incoming>,
        reset: Arc<AtomicBool>,
    ) -> io::Result<Response<Body>> {
        match self {
            Self::Lane(way) => way.serve(request, reset).await,
            Self::Gate(gate) => gate.serve(request, reset).await,
        }
    }
}

/// Serves connections until the lane is closed.
pub(super) async fn accept(listener: TcpListener, door: Door) {
    let mut connections = JoinSet::new();
    let open = door.open().clone();
    loop {
        let accepted = tokio::select! {
            () = open.cancelled() => return,
            Some(ended) = connections.join_next() => {
                if ended.is_err() {
                    door.shared().panicked.store(true, Ordering::Relaxed);
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        // The client went away before the accept, or no file descriptor is left, which a pause may mend.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        connections.spawn(connection(stream, door.clone()));
    }
}

async fn connection(stream: TcpStream, door: Door) {
    // Otherwise the last segment of an answer waits for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let stream = Resettable {
        stream,
        reset: reset.clone(),
    };
    match door.upstream().tls().cloned() {
        None => serve(stream, door, reset).await,
        Some(tls) => {
            // A client that does not trust the certificate ends the handshake and reports it itself.
            if let Ok(stream) = tls.accept(stream).await {
                serve(stream, door, reset).await;
            }
        }
    }
}

async fn serve<S>(stream: S, door: Door, reset: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = hyper::service::service_fn(move |request| {
        let (door, reset) = (door.clone(), reset.clone());
        async move { door.serve(request, reset).await }
    });
    // An error of a connection concerns the client, or was caused by a fault.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// A connection that can be reset instead of closed: closing sends buffered data and then FIN, a reset sends RST.
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
