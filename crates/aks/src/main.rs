//! `aks`: an AKS environment for one night, by itself. `harness aks` is the same.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    aks::main(aks::Args::parse())
}
