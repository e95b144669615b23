//! A fake API server: it gives the answers of a test, and records the requests.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::stream;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tower_test::mock;

/// A request: method, path with query, and the body.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Value,
}

/// An answer.
pub(crate) struct Answer {
    status: u16,
    text: String,
    /// Whether the connection then stays open, like that of a watch.
    is_open: bool,
}

impl Answer {
    /// An object, or a list.
    pub(crate) fn ok(value: &Value) -> Self {
        Self {
            status: 200,
            text: value.to_string(),
            is_open: false,
        }
    }

    /// Events of a watch, after which the server ends it.
    pub(crate) fn events(events: &[Value]) -> Self {
        let lines = events.iter().map(|event| format!("{event}\n"));
        Self {
            status: 200,
            text: lines.collect(),
            is_open: false,
        }
    }

    /// A watch without events that does not end.
    pub(crate) fn watching() -> Self {
        Self {
            status: 200,
            text: String::new(),
            is_open: true,
        }
    }

    /// Lines of a log.
    pub(crate) fn text(text: &str) -> Self {
        Self {
            status: 200,
            text: text.to_owned(),
            is_open: false,
        }
    }

    /// A refusal in the API server's form.
    pub(crate) fn refused(status: u16, reason: &str, message: &str) -> Self {
        let value = json!({
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status, "reason": reason, "message": message,
        });
        Self {
            status,
            text: value.to_string(),
            is_open: false,
        }
    }
}

/// The requests so far.
pub(crate) type Log = Arc<Mutex<Vec<Asked>>>;

/// A client of a server whose answers `answer` gives.
pub(crate) fn played(mut answer: impl FnMut(&Asked) -> Answer + Send + 'static) -> (Client, Log) {
    let (service, mut handle) =
        mock::pair::<Request<Body>, Response<UnsyncBoxBody<Bytes, Infallible>>>();
    let log = Log::default();
    let asked = log.clone();
    tokio::spawn(async move {
        while let Some((request, send)) = handle.next_request().await {
            let (parts, body) = request.into_parts();
            let body = body.collect_bytes().await.unwrap_or_default();
            let question = Asked {
                method: parts.method.to_string(),
                path: parts.uri.to_string(),
                body: serde_json::from_slice(&body).unwrap_or_default(),
            };
            let Answer {
                status,
                text,
                is_open,
            } = answer(&question);
            asked.lock().expect("no holder may panic").push(question);
            let response = Response::builder().status(status);
            let body = if is_open {
                StreamBody::new(stream::pending::<Result<_, Infallible>>()).boxed_unsync()
            } else {
                Full::new(Bytes::from(text)).boxed_unsync()
            };
            let response = response.body(body);
            send.send_response(response.expect("an answer must be one"));
        }
    });
    (Client::new(service, "default"), log)
}
