//! The `harness` command with two more subcommands: `mutant broken <how>` is a consumer that breaks the contract in one way;
//! `mutant scaled <how>` runs scenarios on the paused platform with an autoscaler or a fleet that is broken in one way.
//!
//! One executable for both, so that no test can run a stale build of either.

mod consumer;
mod driver;
mod mutation;
mod notice;
mod probe;
mod spoil;

use std::process::ExitCode;

use clap::{FromArgMatches as _, Subcommand as _};

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// A consumer that is broken on purpose
    Broken(Box<consumer::Args>),
    /// Scenarios with an autoscaler or a fleet that is broken on purpose
    Scaled(Box<driver::Args>),
}

fn main() -> ExitCode {
    let word = std::env::args().nth(1);
    let is_mutant = word.is_some_and(|word| word == "broken" || word == "scaled");
    if !is_mutant {
        return harness::cli::main("harness");
    }
    let matches = Command::augment_subcommands(clap::Command::new("mutant")).get_matches();
    match Command::from_arg_matches(&matches) {
        Ok(Command::Broken(args)) => consumer::main(*args),
        Ok(Command::Scaled(args)) => driver::main(&args),
        Err(error) => error.exit(),
    }
}
