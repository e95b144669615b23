//! Scaling of consumers by the queue's length: a model of KEDA and the HPA reads a ScaledObject, polls the live queue and
//! decides the number of replicas. Reports call these decisions the model's, never KEDA's.
//!
//! [`Scaling`] holds the settings, [`Pod`] the consumer's configuration, [`Scaler`] the loop, which reads the queue as KEDA
//! does (`read`). [`ScalingRecord`] records what the scaler saw and did. It is compared, tick for tick, with the model's
//! decisions for the same queue under the scenario's settings, also if the scaler used other settings.

mod pod;
mod read;
mod recording;
mod scaler;
mod scaling;

pub use pod::Pod;
pub use recording::ScalingRecord;
pub use scaler::{Driven, Scaler, Target};
pub use scaling::{Scaling, ScalingError};
