//! What scaling settings would do, without running anything.
//!
//! - [`simulate`]: what settings would do to a load, as the model of KEDA and the HPA has it, and what would be better.
//! - [`recording`]: what a real cluster did, held against the model.

pub mod recording;
pub mod simulate;
