//! Facts about the environment of a run, the same for a load, a scenario and a suite.

use crate::events::Fact;

/// The environment of a run; `storage` names the service that holds its queues and table.
pub fn setting(storage: String) -> Vec<Fact> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    vec![
        Fact::new("storage", storage),
        Fact::new("machine", format!("{os} {arch}, {cores} cores")),
    ]
}

/// The versions of the programs that judge a storage which others have filled.
pub fn versions() -> Vec<Fact> {
    vec![Fact::new("harness", env!("CARGO_PKG_VERSION"))]
}
