//! Judges what a run left behind. It uses the evidence and the contract, and nothing else: no client, no clock, no runtime, no
//! code of producer or consumer, since a judge that shares code with the programs that it judges proves nothing.
//!
//! - [`audit`]: compares storage and the wire's history with the run's promises, message by message.
//! - [`measure`]: the latency of every hop, and its judgement against limits.
//! - [`compare`]: compares runs with other runs.
//! - [`ConsumerEnds`]: the ends of a run's consumers.
//! - [`Conclusion`]: combines the parts of a judgement into one outcome; [`Told`]: the parts that a run's log contains.
//! - [`Index`]: summary of a history while the run goes on. [`Timelines`]: the crossings of each witness in it.

pub mod audit;
pub mod compare;
mod conclusion;
mod ends;
mod index;
pub mod measure;
mod timelines;

pub use conclusion::{Conclusion, Part, Told};
pub use ends::{ConsumerEnds, unexpected_exits};
pub use index::Index;
pub use timelines::Timelines;
