//! Judges what a run left behind. It sees the evidence and the contract, and nothing else: no client, no clock, no runtime, no
//! code of producer or consumer, since a judge that shares code with the judged proves nothing.
//!
//! - [`audit`]: what is in storage, and what crossed the wire, against what the run promised, message by message.
//! - [`measure`]: the latency of every hop, and what may be concluded from it.
//! - [`compare`]: runs held against other runs.
//! - [`ConsumerEnds`]: how the consumers of a run ended.
//! - [`Conclusion`]: how the parts of a judgement come to one outcome; [`Told`]: those of a run that its log tells of.
//! - [`Index`]: what a history tells while the run goes on. [`Timelines`]: the way of each witness through it.

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
