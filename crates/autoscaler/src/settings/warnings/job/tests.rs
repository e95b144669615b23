//! Tests of each value that KEDA interprets otherwise than it looks, with KEDA's function.

use serde_json::{Value, json};

use crate::settings::tests::scaled_job as job;
use crate::{JobStrategy, Refusals, RefusedBy, ScaledJob, Warning};

fn strategy(strategy: &Value) -> ScaledJob {
    job(&json!({ "scalingStrategy": strategy }))
}

fn custom(percentage: &str) -> ScaledJob {
    strategy(&json!({ "strategy": "custom", "customScalingRunningJobPercentage": percentage }))
}

/// Source: KEDA `scale_jobs.go`, `NewScalingStrategy`; Go `strconv.ParseFloat`.
#[test]
fn a_percentage_that_is_no_number_makes_the_strategy_default_and_is_told() {
    for (percentage, part) in [
        ("0.5x", "\"0.5x\" is no number"),
        ("50%", "\"50%\" is no number"),
        (" 0.5", "\" 0.5\" is no number"),
        ("0,5", "\"0,5\" is no number"),
        ("1e999", "\"1e999\" is no number"),
        ("", "is missing"),
    ] {
        let job = custom(percentage);
        let strategy = job.settings().unwrap().strategy;
        assert_eq!(strategy, JobStrategy::Default, "{percentage:?}");
        let [Warning { field, reason }] = &job.warnings()[..] else {
            panic!("{percentage:?}: {:?}", job.warnings())
        };
        assert_eq!(field, super::PERCENTAGE);
        assert!(reason.starts_with(part), "{reason}");
        assert!(reason.contains("default"), "{reason}");
    }
    let unset = strategy(&json!({ "strategy": "custom" })).warnings();
    assert!(unset[0].reason.starts_with("is missing"), "{unset:?}");
    for (percentage, running) in [("0.5", 0.5), ("1", 1.0), (".25", 0.25), ("5e-1", 0.5)] {
        let job = custom(percentage);
        let expected = JobStrategy::Custom {
            deduction: 0,
            running,
        };
        assert_eq!(job.settings().unwrap().strategy, expected);
        assert_eq!(job.warnings(), [], "{percentage}");
    }
}

/// The name says percentage, but KEDA multiplies by the number (`scale_jobs.go`, `customScalingStrategy`).
#[test]
fn a_percentage_of_50_is_a_factor() {
    for percentage in ["50", "-0.5"] {
        let job = custom(percentage);
        assert!(matches!(
            job.settings().unwrap().strategy,
            JobStrategy::Custom { .. }
        ));
        let reason = &job.warnings()[0].reason;
        assert!(reason.contains("is a factor and no percentage"), "{reason}");
    }
    for odd in ["inf", "NaN", "0x1p-2"] {
        let Refusals(refusals) = custom(odd).settings().unwrap_err();
        let seen: Vec<_> = refusals
            .iter()
            .map(|it| (it.by, it.field.as_str()))
            .collect();
        let field = format!("spec.{}", super::PERCENTAGE);
        assert_eq!(seen, [(RefusedBy::Model, field.as_str())], "{odd}");
    }
}

/// Sources: KEDA `scale_jobs.go`, `NewScalingStrategy`, `getPendingJobCount` and `areAllPendingPodConditionsFulfilled`;
/// `scaledjob_types.go`, `MaxReplicaCount`.
#[test]
fn what_has_another_effect_than_it_says_is_told() {
    for (spec, field, part) in [
        (
            json!({ "scalingStrategy": { "customScalingQueueLengthDeduction": 1 } }),
            super::DEDUCTION,
            "without effect: the strategy is default",
        ),
        (
            json!({ "scalingStrategy": { "strategy": "eager", "customScalingRunningJobPercentage": "0.5" } }),
            super::PERCENTAGE,
            "without effect: the strategy is eager",
        ),
        (
            json!({ "scalingStrategy": { "pendingPodConditions": ["Ready"] } }),
            super::PENDING,
            "without effect: the strategy default",
        ),
        (
            json!({ "scalingStrategy": { "strategy": "accurate", "pendingPodConditions": ["Ready", "PodScheduled", "Ready"] } }),
            super::PENDING,
            "has Ready twice",
        ),
        (
            json!({ "scalingStrategy": { "strategy": "eager", "pendingPodConditions": ["ready"] } }),
            super::PENDING,
            "\"ready\" is no condition",
        ),
        (
            json!({ "minReplicaCount": 5, "maxReplicaCount": 3 }),
            "minReplicaCount",
            "is over maxReplicaCount: KEDA takes 3 for both, and 3 jobs at least with 3 besides make 6",
        ),
    ] {
        let job = job(&spec);
        assert!(job.settings().is_ok(), "{spec}");
        let [warning] = &job.warnings()[..] else {
            panic!("{spec}: {:?}", job.warnings())
        };
        assert_eq!(warning.field, field);
        assert!(warning.reason.starts_with(part), "{warning}");
    }
    for spec in [
        json!({ "minReplicaCount": 5 }),
        json!({ "minReplicaCount": 3, "maxReplicaCount": 3 }),
        json!({ "scalingStrategy": { "strategy": "accurate", "pendingPodConditions": ["Ready", "example.com/warm"] } }),
        json!({ "scalingStrategy": { "customScalingRunningJobPercentage": "", "pendingPodConditions": [] } }),
    ] {
        assert_eq!(job(&spec).warnings(), [], "{spec}");
    }
}
