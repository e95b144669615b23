//! In which order, and beside which others, scenarios run.

#[expect(
    clippy::wildcard_imports,
    reason = "names of scenarios, which are there for this"
)]
use super::names::*;

/// Scenarios that measure time, and have to run alone to pass: that they pass, the suite of the features shows.
pub(crate) const SERIAL: &[&str] = &[SOON, WORK];

/// Scenarios that take longest begin first.
pub(crate) const LONGEST_FIRST: &[&str] = &[
    TAKEN_AWAY,
    WAVES,
    BURST,
    FORCED,
    NO_NOTICE,
    NODE_DRAIN,
    EVICTED,
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
