//! The embedded engine's surface: requests of every kind, answered by the function behind its listeners.
//!
//! An input is up to 16 requests, separated by lines of `===`. Each is a line `queue POST /queue1/messages?ttl=1`, lines of
//! headers, an empty line, and a body. The account and a SAS are added, so that requests pass the authentication; a request with a
//! header `authorization` gets no SAS.

use std::sync::Arc;

use bytes::Bytes;
use engine::{Engine, Moment, PlayedClock, Request, Service, Services};
use hyper::{HeaderMap, Method, StatusCode, header::HeaderName, header::HeaderValue};

const MOST_REQUESTS: usize = 16;
const NOW: Moment = Moment::from_ticks(17_958_890_240_000_000);

/// Requests to a queue `queue1` and a table `table1` with a message and an entity in them.
pub(crate) fn requests(input: &[u8]) {
    let clock = Arc::new(PlayedClock::at(NOW));
    let services = Engine::builder().clock(clock).services();
    let services = services.expect("an engine in memory must start");
    for prepared in PREPARED {
        let answered = ask(&services, prepared.as_bytes());
        assert!(
            answered.is_some_and(|status| status.is_success()),
            "{prepared}"
        );
    }
    for request in split(input, b"\n===\n").into_iter().take(MOST_REQUESTS) {
        if let Some(status) = ask(&services, request) {
            assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
        }
    }
}

const PREPARED: [&str; 4] = [
    "queue PUT /queue1",
    "queue POST /queue1/messages\n\n<QueueMessage><MessageText>a</MessageText></QueueMessage>",
    "table POST /Tables\naccept: application/json\n\n{\"TableName\":\"table1\"}",
    "table POST /table1\naccept: application/json\n\n{\"PartitionKey\":\"p\",\"RowKey\":\"r\",\"N\":1}",
];

/// Answers one request, and returns the status; `None` if the input is not a request.
fn ask(services: &Services, input: &[u8]) -> Option<StatusCode> {
    let (head, body) = match find(input, b"\n\n") {
        Some(at) => (&input[..at], &input[at + 2..]),
        None => (input, &b""[..]),
    };
    let mut lines = std::str::from_utf8(head).ok()?.lines();
    let mut words = lines.next()?.splitn(3, ' ');
    let service = match words.next()? {
        "queue" => Service::Queue,
        "table" => Service::Table,
        _ => return None,
    };
    let method: Method = words.next()?.parse().ok()?;
    let target = words.next()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("127.0.0.1:10001"));
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let name: HeaderName = name.parse().ok()?;
        headers.append(name, HeaderValue::from_bytes(value.trim().as_bytes()).ok()?);
    }
    let query = if headers.contains_key("authorization") {
        query.to_owned()
    } else {
        format!("{query}&{}", services.sas())
    };
    let request = Request {
        method,
        path: format!("/{}{path}", engine::ACCOUNT),
        query,
        headers,
        body: Bytes::copy_from_slice(body),
        secure: false,
        peer: None,
        metadata_names: Vec::new(),
    };
    let answer = services.answer(service, &request);
    check(&answer);
    Some(answer.status)
}

/// Checks an answer: an error is a document with its code, and a body of type JSON is JSON.
fn check(answer: &engine::Answer) {
    let kind = answer.headers.get("content-type");
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") {
        let json: Result<serde_json::Value, _> = serde_json::from_slice(&answer.body);
        assert!(json.is_ok(), "JSON must be JSON");
    }
    if answer.status.is_client_error() {
        assert!(answer.headers.contains_key("x-ms-error-code"));
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn split<'a>(mut bytes: &'a [u8], at: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    while let Some(end) = find(bytes, at) {
        parts.push(&bytes[..end]);
        bytes = &bytes[end + at.len()..];
    }
    parts.push(bytes);
    parts
}
