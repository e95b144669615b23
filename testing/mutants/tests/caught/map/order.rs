//! The order of scenarios, and which of them measure time.

#[expect(
    clippy::wildcard_imports,
    reason = "names of scenarios, which are there for this"
)]
use super::names::*;

/// Scenarios that measure time, and must run alone to pass; the suite of the features shows that they pass.
pub(crate) const TIMED: &[&str] = &[SOON, STEADY, WORK];

/// The scenarios that take longest begin first.
pub(crate) const LONGEST_FIRST: &[&str] = &[
    EVICTED,
    TAKEN_AWAY,
    WAVES,
    BURST,
    FORCED,
    NO_NOTICE,
    NODE_DRAIN,
    ON_DEMAND,
    SOON,
    LONG,
    REPLACED,
    UNREACHABLE,
    STRANDED,
    AT_ONCE,
    GIVEN_UP,
    NO_TOKEN,
    EXPIRED,
    DRAIN,
];
