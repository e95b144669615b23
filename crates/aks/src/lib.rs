//! A throw-away environment on Azure Kubernetes Service: creates it, checks that it is ready, and removes it completely.
//!
//! # How it works
//!
//! - [`up`](mod@up) computes an upper bound of the cost, writes the resource group into the [`ledger`], creates it with its
//!   tags, deploys `infra/`, pushes the images and applies `k8s/overlays/aks-spot`.
//! - [`check`](mod@check) tells whether the environment is ready. Each check has its own message with advice.
//! - [`down`](mod@down) removes everything of one run, and fails while anything is left.
//! - [`sweep`](mod@sweep) finds environments that other runs left, by the prefix of the name, the tags and the expiry. It
//!   deletes them only if told to.
//!
//! [`standing`](fn@standing) returns the data of an environment that is up.
//!
//! All requests to Azure go through `az`, and all requests to Kubernetes through `kubectl`: a run's `calls.jsonl` has its
//! commands, which users can repeat by hand. Both are child processes run by one [`door`], which limits their time, records
//! them without secrets, and signs in again when a workflow's assertion has expired.
//!
//! # Limits
//!
//! Every step can be repeated, and may be cut off by a kill: the group is in the ledger and has its tags before anything else
//! exists. The crate depends on no other crate of this project, so that a workflow's last job can build it within a minute. It
//! judges no workload.

pub mod args;
mod check;
mod cost;
mod door;
mod down;
mod environment;
mod failure;
mod kubernetes;
mod ledger;
mod names;
mod panics;
mod refusal;
mod stamp;
mod standing;
mod sweep;
mod up;
mod wait;

use std::io::Write as _;
use std::process::ExitCode;

pub use args::Args;
pub use check::probe_variables;
pub use failure::Exit;
pub use standing::{Standing, shortage, standing};

use args::Command;
use failure::Failure;

/// Runs a command and returns its exit code; prints the error of a failed command, and advice.
pub fn main(args: Args) -> ExitCode {
    panics::watch();
    let done = match args.command {
        Command::Up(args) => up::up(&args),
        Command::Check(args) => check::check(&args),
        Command::Down(args) => down::down(&args),
        Command::Sweep(args) => sweep::sweep(&args),
        Command::Token(args) => kubernetes::token(&args),
    };
    let exit = done.unwrap_or_else(|failure: Failure| {
        let mut stderr = std::io::stderr().lock();
        drop(write!(stderr, "{failure}"));
        failure.exit
    });
    ExitCode::from(exit.unless_panicked(panics::any()) as u8)
}

/// Prints a line; a closed output is no error.
pub(crate) fn say(line: &str) {
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}
