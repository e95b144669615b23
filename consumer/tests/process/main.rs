//! The real binary: command line, exit codes, signals, and every kind of answer from storage.

#![expect(
    clippy::disallowed_methods,
    reason = "a test's tasks and threads end with it, and what they do is asserted"
)]
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
