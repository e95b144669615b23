//! The command line. Every flag has an environment twin.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::names::Run;

/// An AKS environment for one night: up, check, down, sweep
#[derive(Debug, Parser)]
#[command(name = "aks", version, after_help = EXIT_CODES)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The exit codes, for the end of `--help`.
pub const EXIT_CODES: &str = "\
Exit codes: 0 done; 2 wrong flag, file or plan; 3 Azure or Kubernetes refused, or is not ready; 5 not signed in, or access \
denied; 6 a program or file is missing here; 8 something is left; 11 Azure could not give what was asked (quota, capacity).";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create everything, in a resource group that is tagged first; can be repeated
    Up(UpArgs),
    /// Tell whether what was created is ready: KEDA, node provisioning, sign-in, roles, scaling
    Check(CheckArgs),
    /// Remove everything of one run, and fail while anything is left
    Down(DownArgs),
    /// Name the environments whose time is over; remove them with --delete
    Sweep(SweepArgs),
    /// Print a token for the cluster, as kubectl and other clients ask for one
    #[command(hide = true)]
    Token(Common),
}

/// What every command has.
#[derive(Debug, Clone, clap::Args)]
pub struct Common {
    /// Where ledger, calls and kubeconfig are
    #[arg(long, env = "EDW_AKS_OUT", default_value = "target/aks")]
    pub out: PathBuf,
    /// Seconds between two polls of a slow operation; the number of polls stays the same
    #[arg(long, env = "EDW_AKS_POLL_SECONDS", default_value_t = 10)]
    pub poll_seconds: u64,
}

/// Of `up`.
#[derive(Debug, Clone, clap::Args)]
pub struct UpArgs {
    /// What every command has.
    #[command(flatten)]
    pub common: Common,
    /// Name of the environment: 3 to 24 lower-case letters, digits and dashes; made from the present time unless given
    #[arg(long, env = "EDW_AKS_RUN")]
    pub run: Option<Run>,
    /// Region
    #[arg(long, env = "EDW_AKS_LOCATION", default_value = "eastus")]
    pub location: String,
    /// Hours from now after which a sweep may remove everything; must be longer than the night with its time-outs
    #[arg(long, env = "EDW_AKS_EXPIRES_HOURS", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=24))]
    pub expires_hours: u16,
    /// Most that the environment may cost until then, in USD; a higher bound is refused before anything is created
    #[arg(long, env = "EDW_AKS_CEILING", default_value_t = 10.0)]
    pub ceiling: f64,
    /// Limit of virtual cores of the Spot pool
    #[arg(long, env = "EDW_AKS_SPOT_CPU", default_value_t = 16, value_parser = clap::value_parser!(u16).range(2..=64))]
    pub spot_cpu: u16,
    /// Limit of virtual cores of the on-demand pool
    #[arg(long, env = "EDW_AKS_ON_DEMAND_CPU", default_value_t = 8, value_parser = clap::value_parser!(u16).range(2..=64))]
    pub on_demand_cpu: u16,
    /// Messages that all scenarios together may send, for the cost of storage operations
    #[arg(long, env = "EDW_AKS_MESSAGES", default_value_t = 200_000)]
    pub messages: u64,
    /// Prices in the form of an answer of the Retail Prices API; fetched unless given
    #[arg(long, env = "EDW_AKS_PRICES")]
    pub prices: Option<PathBuf>,
    /// The repository's root, with `infra/` and `k8s/`
    #[arg(long, env = "EDW_AKS_ROOT", default_value = ".")]
    pub root: PathBuf,
    /// Say what would be created and what it costs at most, and create nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Of `check`.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckArgs {
    /// What every command has.
    #[command(flatten)]
    pub common: Common,
    /// Name of the environment, as `up` said it
    #[arg(long, env = "EDW_AKS_RUN")]
    pub run: Run,
}

/// Of `down`.
#[derive(Debug, Clone, clap::Args)]
pub struct DownArgs {
    /// What every command has.
    #[command(flatten)]
    pub common: Common,
    /// Name of the environment, as `up` said it; no file of `up` is needed
    #[arg(long, env = "EDW_AKS_RUN")]
    pub run: Run,
}

/// Of `sweep`.
#[derive(Debug, Clone, clap::Args)]
pub struct SweepArgs {
    /// What every command has.
    #[command(flatten)]
    pub common: Common,
    /// Remove them, instead of only naming them
    #[arg(long)]
    pub delete: bool,
    /// Use this as the present time (UTC, as 2026-11-23T05:00:00Z), to see what would be swept by then
    #[arg(long)]
    pub as_of: Option<String>,
}
