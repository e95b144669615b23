//! The `consumer` binary: parse, run, exit code. Everything else is in the library, which the harness embeds.

use clap::Parser;
use workflow::exit::Exit;
use workflow::{flags, shutdown};

/// Competing consumer: takes messages from an Azure Storage queue, works, and stores one row each in an Azure Storage
/// table
#[derive(Parser)]
#[command(name = "consumer", version)]
struct Cli {
    #[command(flatten)]
    args: consumer::Args,
}

fn main() -> Exit {
    // Before the flags are read: on a busy node even that takes a while.
    shutdown::hold();
    consumer::main(flags::parse::<Cli>().args)
}
