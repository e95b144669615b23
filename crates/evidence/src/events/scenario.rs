//! Scenarios of a suite, as its event log has them.

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
    /// Where it is: `features/exactly_once.feature:12`.
    pub location: String,
    /// The directory of its own run, relative to the log's; there once the run has begun.
    pub run_dir: String,
    /// How many times as fast as in production things happen in it; absent at 1.
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
    /// Where it is.
    pub location: String,
    /// What it needs that is not there, in words.
    pub needs: String,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its keyword and sentence: `Given 2 consumers`.
    pub sentence: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, when it did not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// How a scenario ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    /// The feature's name.
    pub feature: String,
    /// The scenario's name.
    pub name: String,
    /// Where it is: `features/exactly_once.feature:12`.
    pub location: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, when it did not pass: the step and its message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What its run found, in a sentence, when it passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// How long it took, in milliseconds; absent when nobody saw its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// The directory of its own run, relative to the log's, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_dir: Option<String>,
    /// How many times as fast as in production things happened in it; absent at 1.
    #[serde(default, skip_serializing_if = "Pace::is_production")]
    pub pace: Pace,
}
