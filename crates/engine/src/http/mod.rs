//! The HTTP parts that both services share: parsed requests, answers, error documents, XML, CORS, and the listener.
//!
//! A function without I/O answers each request ([`crate::services::Services::answer`]); only `listener` uses sockets.

mod case;
pub(crate) mod cors;
pub(crate) mod error;
pub(crate) mod listener;
pub(crate) mod metadata;
pub(crate) mod properties;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod tls;
pub(crate) mod xml;
