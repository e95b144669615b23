//! Judges what a run left behind. It uses the evidence and the contract, and nothing else: no client, no clock, no runtime, no
//! code of producer or consumer, since a judge that shares code with the programs that it judges proves nothing.
//!
//! - [`audit`]: compares storage and the wire's history with the run's promises, message by message.
//! - [`measure`]: the latency of every hop, and its judgement against limits.
//! - [`compare`]: compares runs with other runs.
//! - [`ConsumerEnds`]: the ends of a run's consumers. [`departures`], [`evictions`], [`scaling`], [`deliveries`], [`poison`]: what
//!   a scenario asks of a run, one function for each question.
//! - [`nodes`]: which nodes were evicted. [`mod@silent`]: consumers that made no request. [`mod@search`]: the search for the highest rate.
//! - [`Conclusion`]: combines the parts of a judgement into one outcome; [`Told`]: the parts that a run's log contains.
//! - [`Index`]: summary of a history while the run goes on. [`Timelines`]: the crossings of each witness in it. [`Census`]: how
//!   many workers ran over time.

pub mod audit;
mod census;
pub mod compare;
mod conclusion;
pub mod deliveries;
pub mod departures;
mod ends;
pub mod evictions;
mod index;
pub mod measure;
pub mod nodes;
pub mod poison;
pub mod scaling;
mod search;
mod silent;
mod timelines;

use evidence::audit::StorageTime;
use evidence::outcome::NotPassed;

use audit::Starved as _;
pub use census::Census;
pub use conclusion::{Conclusion, Part, Stated, Told};
pub use ends::{ConsumerEnds, LeftOpen, unexpected_exits};
pub use index::Index;
pub use search::{breaks_a_promise, search};
pub use silent::silent;
pub use timelines::Timelines;

/// The judgement of one promise: kept, or why it is not.
pub type Kept = Result<(), NotPassed>;

/// The judgement of something that did not happen in time, for the reason `late`: a broken promise, unless `storage` delayed the
/// workload.
pub fn late(late: impl Into<String>, storage: StorageTime) -> Kept {
    let late = late.into();
    Err(if storage.is_starved() {
        NotPassed::inconclusive(format!("{late}, but {storage}"))
    } else {
        NotPassed::fail(late)
    })
}

#[cfg(test)]
mod tests {
    use evidence::outcome::Outcome;

    use super::*;

    /// Storage that kept requests waiting for half of the time may have delayed even a good consumer.
    #[test]
    fn what_is_late_is_a_broken_promise_unless_storage_kept_it_waiting() {
        let storage = |starved_ms| StorageTime {
            starved_ms,
            paused_ms: 0,
            observed_ms: 10_000,
        };
        let judged = |starved_ms| late("it is late", storage(starved_ms)).unwrap_err();
        assert_eq!(judged(0), NotPassed::fail("it is late"));
        assert_eq!(judged(4_999), NotPassed::fail("it is late"));
        assert_eq!(judged(5_000).outcome(), Outcome::Inconclusive);
        let told = "it is late, but storage kept requests waiting for 5s of 10s";
        assert_eq!(judged(5_000).to_string(), told);
    }
}
