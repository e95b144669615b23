//! The real binary: command line, exit codes, signals, and storage that answers in every way it may.

#![expect(
    clippy::unwrap_used,
    reason = "a test says what must hold: an unwrap is an assertion"
)]

mod azurite;
mod lifecycle;
mod script;
mod storage_answers;
mod support;
mod usage;
