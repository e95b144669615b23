//! Consumers that come and go with the backlog: the model of KEDA and the HPA reads a ScaledObject, looks at the live queue and
//! says how many there are to be. What it decides is called the model's, never KEDA's.
//!
//! [`Scaling`] is what it goes by, [`Pod`] what each consumer is told, [`Scaler`] the loop, which reads the queue as KEDA does
//! (`read`), [`ScalingRecord`] what it saw and did, to be held against what the model has for the same queue, tick for tick, with the
//! settings of the scenario, whatever settings the loop went by.

mod pod;
mod read;
mod recording;
mod scaler;
mod scaling;

pub use pod::Pod;
pub use recording::ScalingRecord;
pub use scaler::{Driven, Scaler, Target};
pub use scaling::{Scaling, ScalingError};
