//! The data contract: everything that crosses the queue or lands in the table, and nothing that does I/O.
//!
//! A run has an id and a seed; message `seq` of a run has the id `<run>-<seq>` and a payload that is a function of
//! seed and `seq`. What must exist at the end is therefore known without storing it, for any number of messages.
//!
//! [`workload`]: how messages and rows look, as descriptions; the project's own is one of them.
//! [`duration`], [`number`] and [`histogram`]: how values are written on a command line and in the producer's summary.
//! [`text`]: files in the encodings that people have; [`letters`]: characters that cannot be seen.
//! [`clock`]: the wall clock, which a simulation replaces.

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
