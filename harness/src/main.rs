//! The `harness` command.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    harness::cli::main(harness::cli::Cli::parse())
}
