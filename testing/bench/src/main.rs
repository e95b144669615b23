//! The benchmarks: `ci/bench`, or `cargo run --release -p bench -- all`. The head of each module says what it measures;
//! BENCHMARKS.md has the figures.

mod args;
mod consume;
mod cpu;
mod figures;
mod http;
mod lateness;
mod machine;
mod messages;
mod process;
mod put;
mod python;
mod raw;
mod run;
mod start;
mod storage;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

/// Exit codes: 0 every target is met, 1 something could not be measured, 3 a target is missed (2 is clap's own).
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Box::pin(run::run(&args::Args::parse())).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(3),
        Err(error) => {
            // If standard error is closed, only the exit code tells of the error.
            drop(writeln!(io::stderr(), "bench: failed to {error:#}"));
            ExitCode::FAILURE
        }
    }
}
