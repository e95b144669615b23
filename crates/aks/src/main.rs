//! `aks`: creates an AKS environment for one night, checks it, and removes it. `harness aks` runs the same code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    aks::main(aks::Args::parse())
}
