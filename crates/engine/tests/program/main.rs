//! Tests of the program: its first output line, its exit codes, its end, and its directory after a kill -9.

#![expect(
    clippy::disallowed_methods,
    reason = "a test's tasks and threads end with it, and what they do is asserted"
)]
#![expect(clippy::unwrap_used, reason = "an unwrap in a test is an assertion")]

mod client;
mod command;
mod process;
mod samples;
mod survival;
