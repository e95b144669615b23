//! The `producer` binary.

use clap::Parser;
use workflow::exit::Exit;

#[derive(Parser)]
#[command(name = "producer", version)]
struct Cli {
    #[command(flatten)]
    args: producer::Args,
}

fn main() -> Exit {
    producer::main(Cli::parse().args)
}
