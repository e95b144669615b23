//! Tests of whole nights with fake `az`, `kubectl`, `docker` and `curl`: successes, every failure that is known of AKS, and a
//! kill at every single call; in the end nothing is left in the fakes' state.
//!
//! This binary is its own fake: started under one of those names, it acts as that program, with its state in a file. So every
//! command uses PATH and a real process, as in a real night.

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

/// Default number of concurrent trials: each mostly waits for one small program after the other.
const AT_A_TIME: usize = 6;

fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_default();
    let name = Path::new(&name).file_name().and_then(|name| name.to_str());
    if let Some(program @ ("az" | "kubectl" | "docker" | "curl")) = name {
        return books::play(program);
    }
    // The longest ones first.
    let trials = [kills::trials(), failures::trials(), commands::trials()];
    let trials: Vec<Trial> = trials.into_iter().flatten().collect();
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_A_TIME);
    libtest_mimic::run(&arguments, trials).exit_code()
}
