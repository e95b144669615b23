//! Judges what a run left behind. It uses the evidence and the contract, and nothing else: no client, no clock, no runtime, no
//! code of producer or consumer, since a judge that shares code with the programs that it judges proves nothing.
//!
//! - [`audit`]: compares storage and the wire's history with the run's promises, message by message.
//! - [`measure`]: the latency of every hop, and its judgement against limits.
//! - [`compare`]: compares runs with other runs.
//! - [`ConsumerEnds`]: the ends of a run's consumers. [`departures`], [`evictions`], [`scaling`], [`deliveries`], [`poison`],
//!   [`identity`], [`readiness`]: what a scenario asks of a run, one function for each question.
//! - [`bottleneck()`]: the part that limits a rate; [`crowded`]: processor time that others took. [`secrets`]: whether a text holds one.
//! - [`nodes`]: which nodes were evicted. [`mod@silent`]: consumers that made no request. [`mod@search`]: the search for the highest rate.
//! - [`Conclusion`]: combines the parts of a judgement into one outcome; [`Told`]: the parts that a run's log contains.
//! - [`Index`]: summary of a history while the run goes on. [`Timelines`]: the crossings of each witness in it. [`Census`]: how
//!   many workers ran over time.

pub mod audit;
mod bottleneck;
mod census;
pub mod compare;
mod conclusion;
pub mod deliveries;
pub mod departures;
mod ends;
pub mod evictions;
pub mod identity;
mod index;
pub mod measure;
pub mod nodes;
pub mod poison;
mod processor;
pub mod readiness;
pub mod scaling;
mod search;
pub mod secrets;
mod silent;
mod timelines;

use std::fmt::Display;

use evidence::audit::StorageTime;
use evidence::outcome::NotPassed;

use audit::Starved as _;
pub use bottleneck::bottleneck;
pub use census::Census;
pub use conclusion::{Conclusion, Part, Stated, Told};
pub use ends::{ConsumerEnds, LeftOpen, unexpected_exits};
pub use index::{Index, Refused};
pub use processor::{Crowded, crowded};
pub use search::{breaks_a_promise, breaks_more_than_limits, disturbed, search};
pub use silent::{never_began, silent};
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

/// The same, unless a node was taken back that nobody had asked for: the messages in hand there come back late.
pub fn late_without(
    unasked_node: Option<&str>,
    late: impl Into<String>,
    storage: StorageTime,
) -> Kept {
    match unasked_node {
        Some(node) => Err(NotPassed::inconclusive(unasked(&late.into(), node))),
        None => self::late(late, storage),
    }
}

/// `found`, and that a node was taken back that nobody had asked for.
fn unasked(found: &str, node: &str) -> String {
    format!("{found}, but Azure took {node} back, and nobody had asked for that")
}

/// The judgement of a wait for something that the workload must do, `what`: what came, or a broken promise if it is late.
pub fn in_time<T>(waited: Result<T, impl Display>, what: impl Display) -> Result<T, NotPassed> {
    waited.map_err(|late| NotPassed::fail(format!("{what}: {late}")))
}

/// A broken promise unless `holds`.
fn fail_unless(holds: bool, reason: impl FnOnce() -> String) -> Kept {
    holds.then_some(()).ok_or_else(|| NotPassed::fail(reason()))
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
        let beside = |node| late_without(node, "it is late", storage(0)).unwrap_err();
        assert_eq!(beside(None), NotPassed::fail("it is late"));
        let told = "it is late, but Azure took n-1 back, and nobody had asked for that";
        assert_eq!(beside(Some("n-1")), NotPassed::inconclusive(told));
    }

    #[test]
    fn a_wait_returns_what_came_or_breaks_a_promise() {
        assert_eq!(in_time(Ok::<_, &str>(7), "wait until it has ended"), Ok(7));
        let late = in_time::<()>(Err("not within 2s"), "wait until it has ended");
        let told = "wait until it has ended: not within 2s";
        assert_eq!(late, Err(NotPassed::fail(told)));
    }
}
