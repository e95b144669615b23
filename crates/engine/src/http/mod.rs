//! The HTTP parts that both services share, without I/O: parsed requests, answers, error documents, XML, CORS, versions.

pub(crate) mod case;
pub(crate) mod cors;
pub(crate) mod error;
pub(crate) mod metadata;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod tls;
pub(crate) mod version;
pub(crate) mod xml;
