//! The feature files of this repository, without a process: their form, their pace, and their numbers.

mod cluster;
mod form;
mod needs;
mod workloads;

use std::path::{Path, PathBuf};

use super::selection::{Case, all_cases};

/// The directory of this repository with this name.
fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// Every scenario of the features, as a cluster runs it.
pub(super) fn cases() -> Vec<Case> {
    all_cases(&directory("features")).unwrap()
}
