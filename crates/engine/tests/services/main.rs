//! Both services as functions from requests to answers, on a clock that the test moves: no sockets, no waiting.

#![expect(clippy::unwrap_used, reason = "an unwrap in a test is an assertion")]

mod access;
mod addresses;
mod documents;
mod limits;
mod messages;
mod played;
mod properties;
mod transactions;
