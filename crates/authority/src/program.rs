//! The authority as a program in a pod, and the interface by which the harness controls it. Like the wire's, it uses HTTP on the
//! loopback address of its pod, where forwarded ports arrive; each request can be repeated without a further effect.
//!
//! | request | answer |
//! |---|---|
//! | `GET /seen` | [`Seen`](crate::Seen) |
//! | `GET /secrets` | every token that was given and every assertion that was received |
//! | `PUT /away` | connections are closed at once; `204` |
//! | `DELETE /away` | connections are served again; `204` |

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contract::Stamp;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::Authority;

/// The header that distinguishes one start of the program from the next.
pub(super) const LIFE: &str = "x-edw-life";

/// An authority as a program.
#[derive(Debug)]
pub struct Program {
    authority: Authority,
    /// Part of every answer: after a restart, exchanges that were counted are forgotten, and its key is another.
    life: String,
}

impl Program {
    /// A program of this `authority`.
    pub fn new(authority: Authority) -> Self {
        Self {
            authority,
            life: Stamp::now().as_micros().to_string(),
        }
    }

    /// Serves the control interface at `control`, until this future is dropped.
    pub async fn serve(self: Arc<Self>, control: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                Some(_) = connections.join_next() => continue,
                accepted = control.accept() => accepted,
            };
            // No file descriptor is left; after a pause there may be one.
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let program = self.clone();
            let service = service_fn(move |request| {
                let answer = program.answer(&request);
                async move { Ok::<_, Infallible>(answer) }
            });
            connections.spawn(async move {
                let served = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                // An error of a connection concerns its client only.
                let _ = served.await;
            });
        }
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let (status, body) = self.told(request.method(), request.uri().path());
        let mut answer = Response::new(Full::new(body));
        *answer.status_mut() = status;
        let life = self.life.parse().expect("digits must fit a header");
        answer.headers_mut().insert(LIFE, life);
        answer
    }

    fn told(&self, method: &Method, path: &str) -> (StatusCode, Bytes) {
        if let Err(error) = self.authority.check() {
            return (
                StatusCode::INTERNAL_SERVER_ERROR,
                format!("{error:#}").into(),
            );
        }
        let done = (StatusCode::NO_CONTENT, Bytes::new());
        match (method, path.trim_matches('/')) {
            (&Method::GET, "seen") => (StatusCode::OK, json(&self.authority.seen())),
            (&Method::GET, "secrets") => (StatusCode::OK, json(&self.authority.secrets())),
            (&Method::PUT, "away") => {
                self.authority.set_away(true);
                done
            }
            (&Method::DELETE, "away") => {
                self.authority.set_away(false);
                done
            }
            (method, path) => (
                StatusCode::NOT_FOUND,
                format!("{method} /{path} is nothing that can be asked for here").into(),
            ),
        }
    }
}

fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value)
        .expect("strings and numbers must serialise")
        .into()
}

#[cfg(test)]
mod tests;
