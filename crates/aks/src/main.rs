//! `aks`: brings an AKS environment for one night up, checks it, and takes it away. `harness aks` runs the same code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    aks::main(aks::Args::parse())
}
