//! The `harness` command, as a shell runs it. All in one test target, so that cargo runs its slow tests in parallel.

#![expect(
    clippy::disallowed_methods,
    reason = "a test's tasks and threads end with it, and what they do is asserted"
)]

#[cfg(target_os = "linux")]
mod described;
mod disk;
mod field;
mod foreign;
mod guard;
mod lint;
mod recording;
mod signals;
mod simulate;
mod storage;
mod usage;
mod verify;
