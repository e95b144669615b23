//! The auditor: compares what a run left behind with its promises, message by message.
//!
//! It uses the contract and the content of storage, and nothing else: no storage client, no clock, no code of the producer or
//! the consumer, because a judge that shares code with the programs that it judges proves nothing. It reads rows as a stream,
//! in any order, and needs six bits per message and two sums per thousand messages; with a history of the wire it needs 40
//! bytes more per message, because every row of the table must be one that the wire has seen stored.
//!
//! ```
//! use contract::{PayloadSize, Payloads};
//! use judge::audit::{Auditor, Expectation, Judged as _};
//!
//! let payloads = Payloads { seed: 7, size: PayloadSize::Sample };
//! let mut auditor = Auditor::new(Expectation::new("r1".parse()?, payloads, 1))?;
//! // for each row: auditor.row(&row); for each body left: auditor.left_in_queue(&body); ...
//! let audit = auditor.finish();
//! assert_eq!(audit.reasons(), ["1 message lost"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod absent;
mod account;
mod activity;
mod answers;
mod auditor;
mod body;
mod claims;
mod clocks;
mod content;
mod deliveries;
mod expectation;
mod fates;
mod findings;
mod hearing;
mod inserts;
mod known;
mod nameless;
mod poison;
mod protocol;
mod seen;
mod skew;
mod stamps;
mod starvation;
mod testimony;
mod verdict;
mod ways;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::sample_crossing;

pub use auditor::Auditor;
pub use content::Flaw;
pub use evidence::audit::{
    AtWork, Audit, ClientTraffic, Fates, Finding, Foreign, MAX_WITNESSES, NotJudged, QueueTraffic,
    Removals, RowSummary, SendCounts, StampBlocks, StorageNames, StorageTime, Traffic, Violation,
    Witness,
};
pub use expectation::{
    Expectation, ExpectationError, ExpectedPoison, MAX_MESSAGES, SendOutcome, Sends,
};
pub use protocol::Protocol;
pub(crate) use starvation::SLOW;
pub use starvation::Starved;
pub use testimony::Testimony;
pub use verdict::{Judged, Shown};
