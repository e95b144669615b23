//! One address for many clients that cannot each have their own: the pods of a Deployment share their settings, except for
//! values that Kubernetes fills in. The first segment of the path names the client
//! (`/aqs-app-7d9f4-x2k8p/account/queue/messages`), and is removed before storage gets the request.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::http::uri::PathAndQuery;
use hyper::{Request, Response, Uri};
use tokio_util::sync::CancellationToken;

use super::Service;
use super::lane::{Asker, Killer};
use super::proxy::Shared;
use super::way::{Body, Way, inspected};

/// Makes the killer of the client with this name.
pub(super) type KillerOf = Box<dyn Fn(&str) -> Arc<dyn Killer> + Send + Sync>;

/// The clients that have connected through a gate.
pub(super) struct Comers {
    known: Mutex<HashMap<String, Arc<Asker>>>,
    killer_of: KillerOf,
}

impl fmt::Debug for Comers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Comers").finish_non_exhaustive()
    }
}

impl Comers {
    pub(super) fn new(killer_of: KillerOf) -> Self {
        Self {
            known: Mutex::default(),
            killer_of,
        }
    }

    /// The client with this name, known or not yet.
    pub(super) fn called(&self, name: &str) -> Arc<Asker> {
        let mut known = super::lock(&self.known);
        if let Some(asker) = known.get(name) {
            return asker.clone();
        }
        let asker = Arc::new(Asker::new(name));
        asker.set_killer((self.killer_of)(name));
        known.insert(name.to_owned(), asker.clone());
        asker
    }
}

/// The address of one service, for all clients.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) shared: Arc<Shared>,
    pub(super) service: Service,
    pub(super) open: CancellationToken,
    pub(super) comers: Arc<Comers>,
}

impl Gate {
    pub(super) async fn serve(
        self: Arc<Self>,
        request: Request<Incoming>,
        reset: Arc<AtomicBool>,
    ) -> io::Result<Response<Body>> {
        let (mut parts, body) = request.into_parts();
        let nobody = || io::Error::new(io::ErrorKind::InvalidInput, "the path names no client");
        let name = named(&mut parts).ok_or_else(nobody)?;
        let mut body = inspected(body).await?;
        if parts.uri.path().ends_with("/$batch") {
            let origin = self.shared.upstream(self.service).origin();
            body = readdressed(&body, &name, &origin);
        }
        let way = Arc::new(Way {
            shared: self.shared.clone(),
            client: self.comers.called(&name),
            service: self.service,
            open: self.open.clone(),
        });
        way.carry(parts, body, reset).await
    }
}

/// Removes the first segment of the path, and returns it. `None` if there is none, or nothing after it.
fn named(parts: &mut Parts) -> Option<String> {
    let whole = parts.uri.path_and_query()?.as_str();
    let (name, rest) = whole.strip_prefix('/')?.split_once('/')?;
    if name.is_empty() {
        return None;
    }
    let rest = PathAndQuery::try_from(format!("/{rest}")).ok()?;
    let name = name.to_owned();
    parts.uri = Uri::from(rest);
    Some(name)
}

/// Readdresses the parts of a transaction's body, which contain full URLs: each gets `origin`, its address without a wire, and
/// loses the segment with the client's name. Only request lines are changed (`POST http://host/name/account/Table HTTP/1.1`):
/// row data are in lines of JSON, which begin with a brace.
fn readdressed(body: &Bytes, name: &str, origin: &str) -> Bytes {
    let mut changed = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        match std::str::from_utf8(line)
            .ok()
            .and_then(|line| request_line(line, name, origin))
        {
            Some(line) => changed.extend_from_slice(line.as_bytes()),
            None => changed.extend_from_slice(line),
        }
    }
    changed.into()
}

/// A request line as storage expects it; `None` for any other line.
fn request_line(line: &str, name: &str, origin: &str) -> Option<String> {
    let (method, rest) = line.split_once(' ')?;
    let (address, version) = rest.rsplit_once(' ')?;
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_method || !version.starts_with("HTTP/1.") {
        return None;
    }
    let after_scheme = address.find("://").map(|at| at + 3);
    let path = after_scheme.unwrap_or_default();
    let path = path + address[path..].find('/')?;
    let rest = address[path..].strip_prefix('/')?.strip_prefix(name)?;
    let rest = rest.strip_prefix('/')?;
    // A path without an origin stays without one.
    let origin = after_scheme.map_or("", |_| origin);
    Some(format!("{method} {origin}/{rest} {version}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(uri: &str) -> Option<(String, String)> {
        let (mut parts, ()) = Request::builder().uri(uri).body(()).unwrap().into_parts();
        let name = named(&mut parts)?;
        Some((name, parts.uri.to_string()))
    }

    #[test]
    fn the_first_segment_names_the_client_and_storage_never_sees_it() {
        let (name, rest) =
            taken("/pod-1/account/queue/messages?numofmessages=32&sig=a%2Fb").unwrap();
        assert_eq!(name, "pod-1");
        assert_eq!(rest, "/account/queue/messages?numofmessages=32&sig=a%2Fb");
        let (name, rest) = taken("http://wire:10001/pod-1/account").unwrap();
        assert_eq!((name.as_str(), rest.as_str()), ("pod-1", "/account"));
        for nobody in ["/", "/account", "//account/queue"] {
            assert_eq!(taken(nobody), None, "{nobody}");
        }
    }

    #[test]
    fn the_parts_of_a_transaction_lose_it_too_and_rows_keep_every_byte() {
        const ORIGIN: &str = "https://account.table.test";
        let body = "--batch_1\r\n\r\nPOST http://wire:10002/pod-1/account/T HTTP/1.1\r\n\
            Content-Type: application/json\r\n\r\n{\"data\":\"PUT /pod-1/x HTTP/1.1\"}\r\n\
            PUT /pod-1/account/T(PartitionKey='a b',RowKey='pod-1') HTTP/1.1\r\n--batch_1--\r\n";
        let expected = body
            .replacen(
                "http://wire:10002/pod-1/account",
                "https://account.table.test/account",
                1,
            )
            .replacen("PUT /pod-1/account", "PUT /account", 1);
        let changed = readdressed(&Bytes::from(body), "pod-1", ORIGIN);
        assert_eq!(changed, expected);
        // Another client's name, which no client sends.
        let other = Bytes::from("POST /pod-10/account/T HTTP/1.1\r\n");
        assert_eq!(readdressed(&other, "pod-1", ORIGIN), other);
        let binary = Bytes::from_static(b"\xff\xfe POST /pod-1/ HTTP/1.1\n");
        assert_eq!(readdressed(&binary, "pod-1", ORIGIN), binary);
    }
}
