//! What a run runs on: the same facts for a load, a scenario and a suite.

use crate::events::Fact;

/// Where it runs; `storage` is what produces the evidence.
pub fn setting(storage: String) -> Vec<Fact> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    vec![
        Fact::new("storage", storage),
        Fact::new("machine", format!("{os} {arch}, {cores} cores")),
    ]
}

/// The versions of what judges a storage that others have filled.
pub fn versions() -> Vec<Fact> {
    vec![Fact::new("harness", env!("CARGO_PKG_VERSION"))]
}
