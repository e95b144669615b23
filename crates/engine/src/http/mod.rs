//! What both services share of HTTP: requests taken apart, answers, errors as documents, XML, CORS, and the listener.
//!
//! A request is answered by a function without I/O ([`crate::services::Services::answer`]); only `listener` touches sockets.

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
