//! The mutants that fail a `When`.

use super::super::table::{Sentence, consumer};

#[expect(
    clippy::wildcard_imports,
    reason = "names of scenarios, which are there for this"
)]
use super::names::*;

/// Problems that are noticed before any `Then`: a load that cannot come to its end.
pub(crate) const WHENS: &[Sentence] = &[
    Sentence {
        says: "the queue stays empty for <time>",
        fails: &[consumer(
            "never-polls",
            EMPTY,
            "wait until consumer-1 asks storage",
        )],
    },
    Sentence {
        says: "<n> messages are sent at <words>, and one consumer is told to stop when it has <n> or more of them in hand",
        fails: &[consumer("ignores-sigterm", DRAIN, "has ended: not within")],
    },
];
