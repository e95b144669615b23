//! `junit.xml`: the run in CI's list of test results.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::latency;
use super::markdown::NEVER_BEGUN;
use super::promises::{Unjudged, unjudged};
use super::{ReportError, RunRecord, promises};
use crate::outcome::Outcome;

/// The scenarios as test cases of their features, or for a run without scenarios its promises. Fail becomes a failure; inconclusive
/// and incomplete become errors, which is how the format says that a test could not be judged.
pub(super) fn xml(record: &RunRecord) -> Result<String, ReportError> {
    let mut report = Report::new("harness");
    for suite in suites(record) {
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|error| ReportError::Write {
        path: PathBuf::from("junit.xml"),
        source: std::io::Error::other(error),
    })
}

fn suites(record: &RunRecord) -> Vec<TestSuite> {
    let mut cases: BTreeMap<&str, Vec<TestCase>> = BTreeMap::new();
    let mut add = |suite, case| cases.entry(suite).or_default().push(case);
    for scenario in &record.scenarios {
        let detail = scenario.detail.as_deref().unwrap_or_default();
        let mut case = case(&scenario.name, scenario.outcome, detail);
        case.set_classname(scenario.feature.as_str());
        if let Some(ms) = scenario.duration_ms {
            case.set_time(Duration::from_millis(ms));
        }
        if !scenario.pace.is_production() {
            case.add_property(("pace", scenario.pace.to_string().as_str()));
        }
        add(scenario.feature.as_str(), case);
    }
    for scenario in &record.never_begun {
        let mut case = case(&scenario.name, Outcome::Incomplete, NEVER_BEGUN);
        case.set_classname(scenario.feature.as_str());
        add(scenario.feature.as_str(), case);
    }
    for scenario in &record.not_run {
        let mut status = TestCaseStatus::skipped();
        status.set_message(format!("not run here: it needs {}", scenario.needs));
        let mut case = TestCase::new(scenario.name.as_str(), status);
        case.set_classname(scenario.feature.as_str());
        add(scenario.feature.as_str(), case);
    }
    if record.scenarios.is_empty() {
        for promise in promises(record) {
            let mut detail = format!("found {}", promise.found);
            if !promise.detail.is_empty() {
                detail = format!("{detail}; {}", promise.detail);
            }
            add(
                record.title(),
                case(&promise.promised, promise.outcome, &detail),
            );
        }
        for Unjudged { why, promised } in unjudged(record) {
            for promised in promised {
                let mut status = TestCaseStatus::skipped();
                status.set_message(format!("not judged: {why}"));
                add(record.title(), TestCase::new(promised, status));
            }
        }
        for (hop, why) in latency::without_figure(record) {
            let mut status = TestCaseStatus::skipped();
            status.set_message(format!("not measured: {why}"));
            add(
                record.title(),
                TestCase::new(format!("latency of {hop}"), status),
            );
        }
    }
    // The verdict is a test case of its own, so that the list of a run that was cut off, or judged nothing, is never green.
    let verdict = record.verdict();
    let reasons = verdict.reasons.join("; ");
    add(record.title(), case("verdict", verdict.outcome, &reasons));
    cases
        .into_iter()
        .map(|(name, cases)| {
            let mut suite = TestSuite::new(name);
            if name == record.title() {
                let pace = record.paces().join("; ");
                suite.add_properties((!pace.is_empty()).then_some(("pace", pace.as_str())));
            }
            suite.add_test_cases(cases);
            suite
        })
        .collect()
}

fn case(name: &str, outcome: Outcome, detail: &str) -> TestCase {
    let mut status = match outcome {
        Outcome::Pass => TestCaseStatus::success(),
        Outcome::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Inconclusive | Outcome::Incomplete => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
    };
    if outcome != Outcome::Pass {
        status.set_type(outcome.as_str());
        status.set_message(detail);
    }
    TestCase::new(name, status)
}
