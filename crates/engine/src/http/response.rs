//! An answer, before the common headers are added.

use bytes::Bytes;
use hyper::{
    HeaderMap, StatusCode,
    header::{HeaderName, HeaderValue},
};

/// Status, headers and body.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers, without those that the HTTP layer sets itself (`date`, `content-length`).
    pub headers: HeaderMap,
    /// Names of metadata that must not be written in lower case, without `x-ms-meta-`.
    pub metadata_names: Vec<String>,
    /// Body; empty for none.
    pub body: Bytes,
}

impl Answer {
    pub(crate) fn new(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::with_capacity(8),
            metadata_names: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// Sets a header. An invalid value (with a line break) is left out.
    #[must_use]
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.set(HeaderName::from_static(name), value);
        self
    }

    pub(crate) fn set(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            self.headers.insert(name, value);
        }
    }

    #[must_use]
    pub(crate) fn body(self, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut answer = self;
        answer.headers.insert(
            hyper::header::CONTENT_TYPE,
            HeaderValue::from_static(content_type),
        );
        answer.body = body.into();
        answer
    }
}
