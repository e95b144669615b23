//! Autoscalers and fleets that are broken on purpose, on the paused platform, where scaling scenarios take a second.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum;
use harness::scenario::{SuiteArgs, run, select};
use paused::{Paused, Sabotage};
use platform::Platform as _;
use platform::autoscale::Scaling;

/// One way to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// Not wrong at all: the measure of all others.
    None,

    // The autoscaler.
    /// The HPA syncs every 45 s.
    HpaThreeTimesSlower,
    /// Takes any message for a reason to activate.
    ActivatesAtOnce,
    /// Scales in as soon as there is less to do.
    Thrashes,
    /// Scales in step by step, before the cooldown is over.
    TakesAwayInSteps,

    // The fleet.
    /// Starts 8 consumers at most.
    StopsAtEight,
    /// Starts one consumer too many.
    StartsOneTooMany,
    /// Never ends the last consumer.
    KeepsTheLast,
    /// Starts and ends consumers a minute late.
    Lags,
    /// Has consumers run for five seconds before they ask for anything.
    WakesLate,
}

impl Sabotage for Fault {
    fn scaling(&self, mut scaling: Scaling) -> Scaling {
        let settings = &mut scaling.settings;
        match self {
            Self::HpaThreeTimesSlower => settings.controller.sync_period *= 3,
            Self::ActivatesAtOnce => settings.activation_queue_length = 0,
            Self::Thrashes => {
                settings.controller.downscale_stabilization = Duration::ZERO;
                settings.behavior = None;
            }
            Self::TakesAwayInSteps => {
                settings.controller.downscale_stabilization = Duration::ZERO;
                settings.cooldown_period = Duration::from_secs(300);
            }
            _ => {}
        }
        scaling
    }

    fn replicas(&self, wanted: u32) -> u32 {
        match self {
            Self::StopsAtEight => wanted.min(8),
            Self::StartsOneTooMany if wanted > 0 => wanted + 1,
            Self::KeepsTheLast => wanted.max(1),
            _ => wanted,
        }
    }

    fn delay(&self) -> Duration {
        match self {
            Self::Lags => Duration::from_secs(60),
            _ => Duration::ZERO,
        }
    }

    fn idle(&self) -> Duration {
        match self {
            Self::WakesLate => Duration::from_secs(5),
            _ => Duration::ZERO,
        }
    }
}

/// The mutation, and the scenarios to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    fault: Fault,
    #[command(flatten)]
    suite: SuiteArgs,
}

/// Runs the scenarios, and returns the exit code, as `harness run` does.
pub(crate) fn main(args: &Args) -> ExitCode {
    played(args).expect("the scenarios must run")
}

fn played(args: &Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("start a runtime")?;
    let paused = Paused::broken(args.fault);
    let selection = select(&args.suite, &paused.profile())?;
    let report = runtime.block_on(run(&args.suite, selection, Arc::new(paused)))?;
    Ok(ExitCode::from(report.record.verdict().outcome))
}
