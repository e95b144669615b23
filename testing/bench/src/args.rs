//! The command line.

use clap::{Parser, ValueEnum};

/// Measures producer and consumer, both sides of each comparison in one run against one Azurite
#[derive(Debug, Parser)]
#[command(name = "bench", version)]
pub(crate) struct Args {
    /// What to measure
    #[arg(value_enum, required = true)]
    pub(crate) what: Vec<What>,
    /// Number of rounds for each side; the sides take turns, and their medians are compared
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// Number of messages in one round of `put`
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u64).range(64..))]
    pub(crate) puts: u64,
    /// Number of messages in the queue at the begin of one round of `consume`, `memory` and `cpu`
    #[arg(long, default_value_t = 1_500, value_parser = clap::value_parser!(u64).range(64..))]
    pub(crate) backlog: u64,
    /// Number of requests in flight (`put`) or messages in flight (others), the same for both sides
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) concurrency: u16,
    /// Run one short round each, to see that everything works; the figures mean nothing
    #[arg(long)]
    pub(crate) smoke: bool,
}

/// One benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// All of them
    All,
    /// Producer against raw Put Message
    Put,
    /// Consumer against raw receive, insert and delete
    Consume,
    /// From exec of the consumer to its first Get Messages
    Start,
    /// Peak memory of the consumer at full speed
    Memory,
    /// CPU a message: consumer against the Azure SDK for Python
    Cpu,
    /// Producer's lateness at 10,000 messages/s
    Lateness,
}

impl Args {
    /// Whether the command line selects `what`.
    pub(crate) fn wants(&self, what: What) -> bool {
        self.what.contains(&what) || self.what.contains(&What::All)
    }

    /// The sizes of the benchmarks.
    pub(crate) fn sizes(&self) -> Sizes {
        let full = Sizes {
            rounds: self.rounds,
            puts: self.puts,
            backlog: self.backlog,
            concurrency: self.concurrency,
            warm_up: 3_000,
            starts: 20,
            lateness_seconds: 5,
        };
        if self.smoke {
            Sizes {
                rounds: 1,
                puts: 300,
                backlog: 200,
                warm_up: 200,
                starts: 3,
                lateness_seconds: 1,
                ..full
            }
        } else {
            full
        }
    }
}

/// The sizes of the benchmarks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) rounds: u32,
    pub(crate) puts: u64,
    pub(crate) backlog: u64,
    pub(crate) concurrency: u16,
    /// Messages that are put, and again put and consumed, before measuring: Azurite needs a few thousand requests until its code is
    /// compiled.
    pub(crate) warm_up: u64,
    /// Starts of the consumer.
    pub(crate) starts: u32,
    pub(crate) lateness_seconds: u32,
}
