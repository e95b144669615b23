//! The `harness` command with one more subcommand, `mutant broken <how>`: a consumer that breaks the contract in one way.
//!
//! One executable for both, so that no test can run a stale build of either.

mod consumer;
mod mutation;
mod notice;
mod probe;
mod spoil;

use std::process::ExitCode;

use clap::{FromArgMatches as _, Parser as _, Subcommand as _};

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// A consumer that is broken on purpose
    Broken(consumer::Args),
}

fn main() -> ExitCode {
    let is_mutant = std::env::args().nth(1).is_some_and(|word| word == "broken");
    if !is_mutant {
        return harness::cli::main(harness::cli::Cli::parse());
    }
    let matches = Command::augment_subcommands(clap::Command::new("mutant")).get_matches();
    match Command::from_arg_matches(&matches) {
        Ok(Command::Broken(args)) => consumer::main(args),
        Err(error) => error.exit(),
    }
}
