//! The case of metadata names. HTTP does not distinguish `x-ms-meta-Owner` from `x-ms-meta-owner`; a queue keeps the name as
//! sent.
//!
//! hyper returns names in lower case. It keeps their original case in an extension for proxies, which no other crate can read
//! or make. So this module uses hyper itself: an exchange in memory reveals the content of an extension, or makes one for an
//! answer. This is done only for requests and answers with metadata.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Empty;
use hyper::{
    HeaderMap, Request, Response, body::Incoming, header::HeaderName, http::Extensions,
    rt::ReadBufCursor, server::conn::http1, service::service_fn,
};

use super::metadata::PREFIX;

/// The names of a request's metadata as they were sent, without their prefix; empty if all are in lower case.
pub(crate) async fn sent(headers: &HeaderMap, extensions: &Extensions) -> Vec<String> {
    let names = headers.keys().filter(|name| is_metadata(name));
    let mut echoed = Response::new(Empty::new());
    for name in names {
        for value in headers.get_all(name) {
            echoed.headers_mut().append(name, value.clone());
        }
    }
    if echoed.headers().is_empty() {
        return Vec::new();
    }
    *echoed.extensions_mut() = extensions.clone();
    let written = exchange("GET / HTTP/1.1\r\n\r\n", |_| echoed.clone()).await;
    let written = String::from_utf8_lossy(&written).into_owned();
    let names = written.lines().filter_map(|line| {
        let (name, _) = line.split_once(':')?;
        let (prefix, name) = name.split_at_checked(PREFIX.len())?;
        prefix.eq_ignore_ascii_case(PREFIX).then_some(name)
    });
    let has_case = |name: &&str| name.bytes().any(|byte| byte.is_ascii_uppercase());
    names.filter(has_case).map(str::to_owned).collect()
}

/// The extension with which hyper writes metadata names in this case.
pub(crate) async fn writing(names: &[String]) -> Extensions {
    let mut request = String::from("GET / HTTP/1.1\r\n");
    for name in names {
        request.push_str(PREFIX);
        request.push_str(name);
        request.push_str(": x\r\n");
    }
    request.push_str("\r\n");
    let held = Arc::new(Mutex::new(Extensions::new()));
    exchange(&request, |request| {
        *held.lock().unwrap_or_else(PoisonError::into_inner) = request.extensions().clone();
        Response::new(Empty::new())
    })
    .await;
    let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *held)
}

fn is_metadata(name: &HeaderName) -> bool {
    name.as_str().starts_with(PREFIX)
}

/// Sends a request through hyper and returns the bytes of the answer.
async fn exchange(
    request: &str,
    answer: impl Fn(&Request<Incoming>) -> Response<Empty<Bytes>>,
) -> Vec<u8> {
    let mut memory = Memory {
        input: Bytes::copy_from_slice(request.as_bytes()),
        output: Vec::new(),
    };
    let service = service_fn(|request| {
        let answer = answer(&request);
        async { Ok::<_, Infallible>(answer) }
    });
    let mut http = http1::Builder::new();
    http.preserve_header_case(true)
        .keep_alive(false)
        .half_close(true);
    let connection = http.serve_connection(&mut memory, service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "the case of metadata names is not known");
    }
    memory.output
}

/// A connection in memory with its whole input, which keeps its output.
struct Memory {
    input: Bytes,
    output: Vec<u8>,
}

impl hyper::rt::Read for Memory {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self.input.len().min(buffer.remaining());
        let part = self.input.split_to(count);
        buffer.put_slice(&part);
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for Memory {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.output.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
