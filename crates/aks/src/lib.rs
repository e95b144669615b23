//! A throw-away environment on Azure Kubernetes Service: brought up, found ready, and taken away without a rest.
//!
//! # How it works
//!
//! - [`up`](mod@up) computes what the environment can cost at most, writes the resource group into the [`ledger`], makes it with
//!   its tags, deploys `infra/`, pushes the images and applies `k8s/overlays/aks-spot`.
//! - [`check`](mod@check) tells ready from created. Each of its checks has its own message, and says what mends it.
//! - [`down`](mod@down) removes everything of one run, and fails while anything is left.
//! - [`sweep`](mod@sweep) removes what others left: by the prefix of the name, the tags and the expiry. It only tells, unless told
//!   to delete.
//!
//! [`standing`](fn@standing) tells others where an environment is that is up.
//!
//! All of Azure is spoken to by `az`, and all of Kubernetes by `kubectl`: what a run did can be read in its `calls.jsonl`, and
//! repeated by hand. Both are child processes behind one [`door`], which bounds each in time, writes it down without secrets,
//! and signs in again when a workflow's assertion is too old.
//!
//! # Limits
//!
//! Every step can be repeated, and may be cut off by a kill: the group is in the ledger and has its tags before anything else
//! exists. The crate depends on nothing of this project, so that a workflow's last job builds it within a minute. It judges no
//! workload.

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
mod refusal;
mod stamp;
mod standing;
mod sweep;
mod up;
mod wait;

use std::io::Write as _;
use std::process::ExitCode;

pub use args::Args;
pub use failure::Exit;
pub use standing::{Standing, shortage, standing};

use args::Command;
use failure::Failure;

/// Runs a command to its exit code; one that fails says what is wrong and what mends it.
pub fn main(args: Args) -> ExitCode {
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
    ExitCode::from(exit as u8)
}

/// Prints a line; a reader that has gone away is no error.
pub(crate) fn say(line: &str) {
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}
