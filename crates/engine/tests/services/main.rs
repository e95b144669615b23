//! Tests of both services as functions from requests to answers, on a clock that the test moves; and of their listeners
//! (`sockets`).

#![expect(clippy::unwrap_used, reason = "an unwrap in a test is an assertion")]

mod access;
mod addresses;
mod documents;
mod limits;
mod messages;
mod played;
mod properties;
mod signatures;
mod sockets;
mod transactions;
