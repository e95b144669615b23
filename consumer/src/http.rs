//! `/livez`, `/readyz` and `/metrics`.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::str::FromStr;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::run::Shared;

/// The address of probes and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Listen {
    /// No address.
    #[default]
    None,
    /// At this address; port 0 takes a free one.
    At(SocketAddr),
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        text.parse()
            .map(Self::At)
            .map_err(|_| "must be 'none' or an address and port, such as 0.0.0.0:8080".to_owned())
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::At(address) => address.fmt(f),
        }
    }
}

impl Listen {
    /// Takes the port, so that a port in use is found before any message is received.
    pub(crate) fn bind(self) -> io::Result<Option<TcpListener>> {
        let Self::At(address) = self else {
            return Ok(None);
        };
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(Some(listener))
    }
}

/// Serves until dropped.
pub(crate) async fn serve(listener: TcpListener, shared: Shared) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    axum::serve(listener, router(shared)).await
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/livez", get(|| async { "live\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(shared)
}

async fn readyz(State(shared): State<Shared>) -> impl IntoResponse {
    match shared.health.unready() {
        None => (StatusCode::OK, "ready\n".to_owned()),
        Some(why) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("not ready: {why}\n"),
        ),
    }
}

async fn metrics(State(shared): State<Shared>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shared.metrics.encode())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_is_none_or_an_address() {
        assert_eq!("none".parse(), Ok(Listen::None));
        assert_eq!(
            "0.0.0.0:8080".parse::<Listen>().unwrap().to_string(),
            "0.0.0.0:8080"
        );
        for text in ["", "8080", "localhost", "1.2.3.4:99999"] {
            assert!(
                text.parse::<Listen>().unwrap_err().contains("0.0.0.0:8080"),
                "{text:?}"
            );
        }
    }

    #[test]
    fn a_port_in_use_is_found_at_once() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = Listen::At(taken.local_addr().unwrap()).bind().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
