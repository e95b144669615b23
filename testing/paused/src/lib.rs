//! A second platform for the harness, for tests only: workers as tasks, storage in memory, the model of KEDA and the HPA, and a
//! paused clock, so that an hour takes a second.
//!
//! It offers no wire, no nodes, no sign-in and no outage; a scenario with a step that needs one of these is not run. Scenarios
//! about scaling run here with the times of a cluster. [`Sabotage`] breaks the autoscaler or the fleet on purpose.

mod memory;
mod platform;
mod sabotage;
mod sender;
mod workers;

pub use platform::Paused;
pub use sabotage::Sabotage;
