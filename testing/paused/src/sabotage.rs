//! Ways to break the platform on purpose, for tests of what scenarios notice. Nothing of a release can be broken by them.

use std::fmt::Debug;
use std::time::Duration;

use platform::autoscale::Scaling;

/// What is wrong with a platform; every method does nothing wrong unless it is replaced.
pub trait Sabotage: Debug + Send + Sync {
    /// What the autoscaler goes by instead of the scenario's `scaling`.
    fn scaling(&self, scaling: Scaling) -> Scaling {
        scaling
    }

    /// How many consumers the fleet sees to when the autoscaler wants so many.
    fn replicas(&self, wanted: u32) -> u32 {
        wanted
    }

    /// How long the fleet waits until it starts or ends consumers.
    fn delay(&self) -> Duration {
        Duration::ZERO
    }

    /// How long a consumer that runs waits until it asks for anything.
    fn idle(&self) -> Duration {
        Duration::ZERO
    }
}

/// Nothing is wrong.
#[derive(Debug)]
pub(crate) struct Sound;

impl Sabotage for Sound {}
