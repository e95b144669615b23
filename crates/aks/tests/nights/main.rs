//! Whole nights, played on stand-ins for `az`, `kubectl`, `docker` and `curl`: what succeeds, every failure that is known of AKS,
//! and a kill at every single call; in the end nothing is left in the stand-ins' books.
//!
//! This binary is its own stand-in: started under one of those names, it plays that program, with books in a file. So every
//! command goes through PATH and a real process, as in a real night.

mod azure;
mod books;
mod cluster;
mod commands;
mod failures;
mod kills;
mod night;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&name).file_name().and_then(|name| name.to_str());
    if let Some(program @ ("az" | "kubectl" | "docker" | "curl")) = name {
        return books::play(program);
    }
    let trials = [failures::trials(), kills::trials(), commands::trials()];
    let trials: Vec<Trial> = trials.into_iter().flatten().collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
