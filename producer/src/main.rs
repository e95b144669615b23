//! The `producer` binary.

use clap::Parser;
use workflow::exit::Exit;
use workflow::flags;

#[derive(Parser)]
#[command(name = "producer", version)]
struct Cli {
    #[command(flatten)]
    args: producer::Args,
}

fn main() -> Exit {
    producer::main(flags::parse::<Cli>().args)
}
