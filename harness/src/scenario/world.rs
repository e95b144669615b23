//! The state of one scenario.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use workflow::contract::PayloadSize;

use crate::audit::{ExpectedPoison, Traffic};
use crate::environment::{ConsumerOptions, Environment};
use crate::run::{Collected, Departure, Identity, Load, Run, Sent};
use crate::wire::{Guard, Rule};

/// What a step returns.
pub(super) type StepResult = Result<(), StepError>;

/// Why a step failed, with all its causes: Cucumber prints an error's own text only.
pub(super) struct StepError(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for StepError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl std::fmt::Display for StepError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#}", self.0)
    }
}

/// What every scenario of a suite shares.
pub(crate) struct Suite {
    pub(crate) environment: Arc<dyn Environment>,
    /// Where run directories go.
    pub(crate) out: PathBuf,
    /// A seed for every run, to repeat one.
    pub(crate) seed: Option<u64>,
}

/// One scenario: what it is given, what was done, what was found.
#[derive(cucumber::World, Default)]
#[world(init = Self::default)]
pub(crate) struct Scenario {
    pub(super) suite: OnceLock<Arc<Suite>>,
    pub(super) consumers: u32,
    pub(super) options: ConsumerOptions,
    pub(super) payload: PayloadSize,
    /// What is to break on the way to storage.
    pub(super) rules: Vec<Rule>,
    /// The same at work, from the run's beginning to its end.
    pub(super) faults: Vec<Guard>,
    pub(super) run: Option<Run>,
    pub(super) sent: Option<(Load, Sent)>,
    pub(super) injected: Option<Injected>,
    pub(super) departure: Option<Departure>,
    pub(super) collected: Option<Collected>,
}

/// A message that the scenario itself put into the queue.
#[derive(Debug, Clone)]
pub(super) struct Injected {
    pub(super) body: String,
    pub(super) expected: ExpectedPoison,
}

impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.run {
            None => f.write_str("no run was started"),
            Some(run) => {
                let identity = run.identity();
                writeln!(f, "run {}, seed {}", identity.run, identity.seed)?;
                write!(f, "logs in {}", run.dir().logs().display())
            }
        }
    }
}

impl Scenario {
    pub(super) fn suite(&self) -> anyhow::Result<&Arc<Suite>> {
        self.suite
            .get()
            .context("the suite must be set before the first step")
    }

    /// Prepares the run, once.
    pub(super) async fn run(&mut self) -> anyhow::Result<&mut Run> {
        if self.run.is_none() {
            let suite = self.suite()?;
            let identity = Identity::fresh(suite.seed);
            let run = Run::prepare(suite.environment.clone(), identity, &suite.out).await?;
            let rules = self.rules.iter();
            self.faults = rules
                .map(|rule| run.faults().install(rule.clone()))
                .collect();
            self.run = Some(run);
        }
        self.run.as_mut().context("the run must be there")
    }

    /// Prepares the run and starts the given consumers.
    pub(super) async fn run_with_consumers(&mut self) -> anyhow::Result<&mut Run> {
        let (consumers, options) = (self.consumers, self.options.clone());
        let run = self.run().await?;
        run.fleet().start(consumers, &options).await?;
        Ok(run)
    }

    pub(super) fn load(&self, messages: u64, shape: producer::Shape) -> Load {
        Load {
            messages,
            shape,
            payload: self.payload,
            duplicate_rate: 0.0,
        }
    }

    pub(super) fn collected(&self) -> anyhow::Result<&Collected> {
        self.collected
            .as_ref()
            .context("nothing is judged yet: 'every message has exactly one result' comes first")
    }

    /// What crossed the wire in the judged run.
    pub(super) fn traffic(&self) -> anyhow::Result<&Traffic> {
        let traffic = self.collected()?.audit.traffic.as_ref();
        traffic.context("the run has no history of the wire")
    }

    pub(super) fn injected(&self) -> anyhow::Result<&Injected> {
        self.injected.as_ref().context("no bad message was sent")
    }
}
