//! The `producer` binary.

use clap::Parser;
use workflow::exit::Exit;
use workflow::{flags, shutdown};

#[derive(Parser)]
#[command(name = "producer", version)]
struct Cli {
    #[command(flatten)]
    args: producer::Args,
}

fn main() -> Exit {
    // Before the flags are read: on a busy node even that takes a while.
    shutdown::hold();
    producer::main(flags::parse::<Cli>().args)
}
