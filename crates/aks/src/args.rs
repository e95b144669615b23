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
denied; 6 a program or file is missing here; 8 a resource is left; 11 Azure could not give what was asked (quota, capacity).";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create an environment in its own resource group, which is tagged before anything else is made; safe to run again
    Up(UpArgs),
    /// Check that an environment is ready: KEDA, node provisioning, sign-in, roles, scaling
    Check(CheckArgs),
    /// Remove all resources of an environment; fails while any is left
    Down(DownArgs),
    /// List the environments whose time is over; remove them with --delete
    Sweep(SweepArgs),
    /// Print a token for the cluster, as kubectl and other clients ask for one
    #[command(hide = true)]
    Token(Common),
}

/// What every command has.
#[derive(Debug, Clone, clap::Args)]
pub struct Common {
    /// Directory for the data of environments: ledger, record of calls, kubeconfig
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
    /// Name of the environment: 3 to 24 lower-case letters, digits and dashes [default: made from the present time]
    #[arg(long, env = "EDW_AKS_RUN")]
    pub run: Option<Run>,
    /// Azure region
    #[arg(long, env = "EDW_AKS_LOCATION", default_value = "eastus")]
    pub location: String,
    /// Hours from now after which `aks sweep` may remove the environment, 1 to 24; must be longer than the night with its
    /// time-outs
    #[arg(long, env = "EDW_AKS_EXPIRES_HOURS", default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..=24))]
    pub expires_hours: u16,
    /// Highest cost of the environment until it expires, in USD; if it could cost more, nothing is created
    #[arg(long, env = "EDW_AKS_CEILING", default_value_t = 10.0)]
    pub ceiling: f64,
    /// Highest number of virtual cores in the Spot pool, 2 to 64
    #[arg(long, env = "EDW_AKS_SPOT_CPU", default_value_t = 8, value_parser = clap::value_parser!(u16).range(2..=64))]
    pub spot_cpu: u16,
    /// Highest number of virtual cores in the on-demand pool, 2 to 64
    #[arg(long, env = "EDW_AKS_ON_DEMAND_CPU", default_value_t = 8, value_parser = clap::value_parser!(u16).range(2..=64))]
    pub on_demand_cpu: u16,
    /// Number of messages that all scenarios together may send, to estimate the cost of storage operations
    #[arg(long, env = "EDW_AKS_MESSAGES", default_value_t = 200_000)]
    pub messages: u64,
    /// File of prices, as the Azure Retail Prices API answers [default: fetched from that API]
    #[arg(long, env = "EDW_AKS_PRICES")]
    pub prices: Option<PathBuf>,
    /// Root of the repository, with `infra/` and `k8s/`
    #[arg(long, env = "EDW_AKS_ROOT", default_value = ".")]
    pub root: PathBuf,
    /// Print what would be created and its highest cost, and create nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Of `check`.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckArgs {
    /// What every command has.
    #[command(flatten)]
    pub common: Common,
    /// Name of the environment, as `up` printed it
    #[arg(long, env = "EDW_AKS_RUN")]
    pub run: Run,
}

/// Of `down`.
#[derive(Debug, Clone, clap::Args)]
pub struct DownArgs {
    /// What every command has.
    #[command(flatten)]
    pub common: Common,
    /// Name of the environment, as `up` printed it; no file of `up` is needed
    #[arg(long, env = "EDW_AKS_RUN")]
    pub run: Run,
}

/// Of `sweep`.
#[derive(Debug, Clone, clap::Args)]
pub struct SweepArgs {
    /// What every command has.
    #[command(flatten)]
    pub common: Common,
    /// Remove the environments instead of only listing them
    #[arg(long)]
    pub delete: bool,
    /// Present time to assume, in UTC such as 2026-11-23T05:00:00Z, to see what would be removed by then [default: now]
    #[arg(long)]
    pub as_of: Option<String>,
}
