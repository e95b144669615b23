//! The `harness` command, as a shell runs it. One target, so that cargo runs its slow tests side by side.

mod foreign;
mod guard;
mod lint;
mod signals;
mod usage;
mod verify;
