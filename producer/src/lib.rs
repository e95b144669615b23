//! `producer`: an open-loop load generator for an Azure Storage queue.
//!
//! Open loop: every message has a due time, fixed before the run by a [`Shape`] and a seed, and is sent then, whether or not
//! storage keeps up. A message that storage or generator delays has *lateness*, which is recorded for every message and carried in
//! it (`srcStamp` is the intended time, `sentStamp` the actual one), so a stall is visible and never averaged away (coordinated
//! omission).
//!
//! Every message ends in one [`SendEnd`]: acknowledged, unknown or failed. The [`Summary`] has the outcomes, so that an auditor
//! knows what must, may and must not be in the queue. Retries keep the message's id and body; a message that is in the queue twice
//! counts as one message to every consumer that follows the contract.
//!
//! A load may be cut into slices ([`Slice`]), each sent by a process of its own; [`merged`] merges their summaries into one.
//!
//! - [`Args`], [`main`]: the command line, for the binary and for embedding as a subcommand.
//! - [`Plan`], [`run_on_timer`]: a load as a library call, into any [`Sink`].
//! - [`Event`]: the output of `--progress json`, one event a line.

mod args;
mod closed_loop;
mod duplicates;
mod load;
mod merge;
mod pacer;
mod packed;
mod plan;
mod ranges;
pub mod rate;
mod report;
pub mod schedule;
mod send;
mod shape;
mod sink;
mod slice;
mod start;
mod summary;
mod tally;

pub use args::{Args, SinkChoice, described};
pub use duplicates::Duplicates;
pub use load::{LoadEnd, LoadError};
pub use merge::{all_lost, merged};
pub use packed::read_file;
pub use plan::{Persistence, Plan, new_run_id};
pub use ranges::SeqRanges;
pub use report::{Event, Progress, ProgressMode, Started};
pub use send::Fatal;
pub use shape::{ParseShapeError, Shape};
pub use sink::{NullSink, Sink};
pub use slice::{ParseSliceError, Slice};
pub use start::{Failure, main, run_on_timer};
pub use summary::{Exceptions, SUMMARY_VERSION, Summary, SummaryError, Times};
pub use tally::SendEnd;
