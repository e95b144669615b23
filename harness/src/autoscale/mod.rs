//! Consumers that come and go with the backlog: the model of KEDA and the HPA reads a ScaledObject, looks at the live queue and
//! says how many there are to be. What it decides is called the model's, never KEDA's.
//!
//! [`Scaling`] is what it goes by, [`Pod`] what each consumer is told, [`Scaler`] the loop, [`Recording`] what it saw and did, to be held against what the model
//! allows: as is done with the recording of a real cluster.

mod pod;
mod recording;
mod scaler;
mod scaling;

pub use pod::Pod;
pub use recording::Recording;
pub use scaler::{Driven, Scaler, Target};
pub use scaling::{Scaling, ScalingError};
