//! Faults of the platform, for tests of what scenarios notice. No release contains them.

use std::fmt::Debug;
use std::time::Duration;

use platform::autoscale::Scaling;

/// The faults of a platform; a method that is not replaced has no fault.
pub trait Sabotage: Debug + Send + Sync {
    /// The settings that the autoscaler uses instead of the scenario's `scaling`.
    fn scaling(&self, scaling: Scaling) -> Scaling {
        scaling
    }

    /// How many consumers the fleet runs when the autoscaler wants `wanted`.
    fn replicas(&self, wanted: u32) -> u32 {
        wanted
    }

    /// How long the fleet waits before it starts or ends consumers.
    fn delay(&self) -> Duration {
        Duration::ZERO
    }

    /// How long a running consumer waits before it sends a request.
    fn idle(&self) -> Duration {
        Duration::ZERO
    }
}

/// A platform without faults.
#[derive(Debug)]
pub(crate) struct Sound;

impl Sabotage for Sound {}
