//! What signals do to `harness`: asked to stop, it ends in order; however it is ended, no process is left, and what is
//! left in storage is swept away.

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

/// How long a load may take that is cut off after its first seconds; many times what it needs.
const DEADLINE: Duration = Duration::from_secs(60);

/// Between two looks at what is waited for.
const LOOK: Duration = Duration::from_millis(20);

fn pid(id: u32) -> Pid {
    Pid::from_raw(id.try_into().expect("a process id must fit"))
}
