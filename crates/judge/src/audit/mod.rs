//! The auditor: judges what a run left behind against what it promised, message by message.
//!
//! It sees the contract and what is in storage, and nothing else: no storage client, no clock, no code of the producer
//! or the consumer; a judge that shares code with the judged proves nothing. Rows are streamed through it, in any
//! order, and it remembers six bits a message and two sums for each thousand; where there is a history of the wire, 40 bytes a
//! message more: what the wire has seen stored is what must be in the table.
//!
//! ```
//! use contract::{PayloadSize, Payloads};
//! use judge::audit::{Auditor, Expectation, Verdict as _};
//!
//! let payloads = Payloads { seed: 7, size: PayloadSize::Sample };
//! let mut auditor = Auditor::new(Expectation::new("r1".parse()?, payloads, 1))?;
//! // for each row: auditor.row(&row); for each body left: auditor.left_in_queue(&body); ...
//! let audit = auditor.finish();
//! assert_eq!(audit.reasons(), ["1 message lost"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

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
pub use starvation::Starved;
pub use testimony::Testimony;
pub use verdict::{Shown, Verdict};
