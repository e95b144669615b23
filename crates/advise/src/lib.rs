//! Predicts the effect of scaling settings, without running anything.
//!
//! - [`simulate`]: the effect of settings on a load, by the model of KEDA and the HPA, and better settings.
//! - [`recording`]: compares a recording of a real cluster with the model.

pub mod recording;
pub mod simulate;
