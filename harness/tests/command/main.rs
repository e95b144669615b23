//! The `harness` command, as a shell runs it. One target, so that cargo runs its slow tests side by side.

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
