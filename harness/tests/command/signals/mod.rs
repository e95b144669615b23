//! What signals do to `harness`: a harness that is asked to stop ends in order; however it ends, no process is left, and a sweep
//! removes what is left in storage.

use std::time::Duration;

use nix::unistd::Pid;

mod forwarder;
#[cfg(target_os = "linux")]
mod killed;
mod ledger;
mod load;
mod stopped;
mod storage;
mod suite;
mod sweep;

/// How long a load may take that is ended after its first seconds; many times what it needs.
const DEADLINE: Duration = Duration::from_secs(60);

/// Time between two looks at a condition.
const LOOK: Duration = Duration::from_millis(20);

fn pid(id: u32) -> Pid {
    Pid::from_raw(id.try_into().expect("a process id must fit"))
}
