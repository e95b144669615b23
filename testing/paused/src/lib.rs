//! A second platform for the harness, for tests alone: workers as tasks, storage in memory, the model of KEDA and the HPA, and a
//! clock that is paused, so that an hour takes a second.
//!
//! It has no wire, no nodes, no sign-in and no outage: what a step needs of these is not offered, and a scenario that needs it is
//! not run. Scenarios about scaling run here at a cluster's own times. [`Sabotage`] breaks the autoscaler or the fleet on purpose.

mod platform;
mod sabotage;
mod sender;
mod workers;

pub use platform::Paused;
pub use sabotage::Sabotage;
