//! The data contract: all data that cross the queue or are stored in the table. No I/O.
//!
//! A run has an id and a seed; message `seq` of a run has the id `<run>-<seq>` and a payload that is a function of seed and
//! `seq`. So the expected result is known without storing it, for any number of messages.
//!
//! [`workload`]: descriptions of messages and rows; the project's own workload is one of them.
//! [`duration`], [`number`] and [`histogram`]: formats of values on a command line and in the producer's summary.
//! [`text`]: files in various encodings.
//! [`clock`]: the wall clock, which a simulation replaces.
//! [`panics`]: whether any part of the process has panicked, for the programs of the workload and for the wire.

pub mod clock;
mod digest;
pub mod duration;
pub mod histogram;
mod id;
pub mod iso;
pub mod json;
pub mod letters;
mod message;
pub mod number;
pub mod panics;
mod payload;
mod poison;
mod row;
mod stamp;
mod stamp_sums;
pub mod text;
pub mod workload;
pub mod yaml;

pub use digest::{Digest, ParseDigestError};
pub use id::{BUCKET_BLOCK, BUCKETS, MessageId, ParseIdError, RunId, Seq};
pub use message::{MAX_DATA_UTF16, MAX_MESSAGE_BYTES, Message, MessageError, id_of_body};
pub use payload::{ParsePayloadSizeError, PayloadSize, Payloads};
pub use poison::{POISON_SUFFIX, ParseReasonError, PoisonEnvelope, PoisonReason};
pub use row::{ResultRow, StoredRow};
pub use stamp::{ParseStampError, Stamp};
pub use stamp_sums::{ParseStampSumsError, STAMP_BLOCK, StampSums};
