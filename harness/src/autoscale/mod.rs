//! Consumers that come and go with the backlog: the model of KEDA and the HPA reads a ScaledObject, looks at the live queue and
//! says how many there are to be. What it decides is called the model's, never KEDA's.
//!
//! [`Scaling`] is what it goes by, [`Scaler`] the loop, [`Recording`] what it saw and did, to be held against what the model
//! allows: as is done with the recording of a real cluster.

mod recording;
mod scaler;
mod scaling;

pub use recording::Recording;
pub use scaler::{Driven, Scaler, Target};
pub use scaling::{Scaling, ScalingError};
