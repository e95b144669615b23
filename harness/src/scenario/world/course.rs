//! How far a scenario has come: it is given, it runs, it is judged. What belongs to a later part is not there in an earlier one.

use std::time::Duration;

use anyhow::Context as _;

use crate::audit::ExpectedPoison;
use crate::run::{Collected, Injected, Load, Run, Sent, ToldToStop};
use crate::wire::InForce;

/// How far a scenario has come.
#[derive(Default)]
pub(super) enum Course {
    /// Nothing runs yet.
    #[default]
    Given,
    /// Its run has begun.
    Running(Box<Running>),
    /// What its run left behind is judged.
    Judged(Box<Running>, Box<Collected>),
}

/// A run that has begun, and what the scenario has done in it.
pub(in crate::scenario) struct Running {
    /// The run.
    pub(in crate::scenario) run: Run,
    /// The rules that break its requests, from its beginning to its end.
    pub(in crate::scenario) faults: Vec<Box<dyn InForce>>,
    /// The load, once it is sent.
    pub(super) sent: Option<(Load, Sent)>,
    /// A bad message that the scenario put into the queue.
    pub(in crate::scenario) injected: Option<Injected>,
    /// The consumer that was told to stop, once it has ended.
    pub(in crate::scenario) told_to_stop: Option<ToldToStop>,
    /// Names of the consumers that said that they were ready while storage did not let them work.
    pub(in crate::scenario) early: Vec<String>,
    /// How long a step has waited for the work after everything was sent: a limit on the work counts from there.
    pub(in crate::scenario) waited: Duration,
}

impl Running {
    pub(super) fn new(run: Run, faults: Vec<Box<dyn InForce>>) -> Self {
        Self {
            run,
            faults,
            sent: None,
            injected: None,
            told_to_stop: None,
            early: Vec::new(),
            waited: Duration::ZERO,
        }
    }

    /// The load that was sent.
    pub(in crate::scenario) fn sent(&self) -> anyhow::Result<&(Load, Sent)> {
        self.sent.as_ref().context("nothing was sent")
    }

    /// The messages that must end in the poison queue.
    pub(in crate::scenario) fn expected_poison(&self) -> ExpectedPoison {
        let injected = self.injected.as_ref();
        injected.map_or_else(ExpectedPoison::default, |it| it.expected.clone())
    }

    /// The bad message that the scenario put into the queue.
    pub(in crate::scenario) fn injected(&self) -> anyhow::Result<&Injected> {
        self.injected.as_ref().context("no bad message was sent")
    }

    /// The consumer that was told to stop.
    pub(in crate::scenario) fn told_to_stop(&self) -> anyhow::Result<&ToldToStop> {
        let told = self.told_to_stop.as_ref();
        told.context("no consumer was told to stop")
    }
}

impl Course {
    /// The run, once it has begun.
    pub(super) fn running(&self) -> Option<&Running> {
        match self {
            Self::Given => None,
            Self::Running(running) | Self::Judged(running, _) => Some(running),
        }
    }

    /// The same, to be changed.
    pub(super) fn running_mut(&mut self) -> Option<&mut Running> {
        match self {
            Self::Given => None,
            Self::Running(running) | Self::Judged(running, _) => Some(running),
        }
    }

    /// What the run left behind, once it is judged.
    pub(super) fn collected(&self) -> Option<&Collected> {
        match self {
            Self::Given | Self::Running(_) => None,
            Self::Judged(_, collected) => Some(collected),
        }
    }

    /// Goes on to what was found; a run that is judged again has the later judgement. Before a run has begun nothing is judged.
    pub(super) fn judge(&mut self, collected: Collected) {
        *self = match std::mem::take(self) {
            Self::Given => Self::Given,
            Self::Running(running) | Self::Judged(running, _) => {
                Self::Judged(running, Box::new(collected))
            }
        };
    }
}
