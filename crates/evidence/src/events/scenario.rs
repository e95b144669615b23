//! Scenarios of a suite, as recorded in its event log.

use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;
use crate::pace::Pace;

/// A scenario that begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioStarted {
    /// The feature's name.
    pub feature: String,
    /// The scenario's name.
    pub name: String,
    /// Its location: `features/exactly_once.feature:12`.
    pub location: String,
    /// The directory of its own run, relative to the log's; it exists once the run has begun.
    pub run_dir: String,
    /// How many times faster than in production it runs; absent at 1.
    #[serde(default, skip_serializing_if = "Pace::is_production")]
    pub pace: Pace,
}

/// A scenario that was not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotRun {
    /// The feature's name.
    pub feature: String,
    /// The scenario's name.
    pub name: String,
    /// Its location.
    pub location: String,
    /// The missing capability, in words.
    pub needs: String,
}

/// The result of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its keyword and sentence: `Given 2 consumers`.
    pub sentence: String,
    /// Its outcome.
    pub outcome: Outcome,
    /// The reason, if it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Its duration, in milliseconds.
    pub duration_ms: u64,
}

/// The result of a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioEnd {
    /// The feature's name.
    pub feature: String,
    /// The scenario's name.
    pub name: String,
    /// Its location: `features/exactly_once.feature:12`.
    pub location: String,
    /// Its outcome.
    pub outcome: Outcome,
    /// The reason, if it did not pass: the step and its message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The result of its run, in a sentence, if it passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// Its duration, in milliseconds; absent if its end was not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// The directory of its own run, relative to the log's, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_dir: Option<String>,
    /// How many times faster than in production it ran; absent at 1.
    #[serde(default, skip_serializing_if = "Pace::is_production")]
    pub pace: Pace,
}
