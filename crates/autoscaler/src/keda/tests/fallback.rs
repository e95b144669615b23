//! An unreadable queue.

use super::*;

/// Source: KEDA `pkg/fallback/fallback.go`, `GetMetricsWithFallback`, `doFallback`.
#[test]
fn fallback_begins_when_more_reads_than_the_threshold_failed_in_a_row() {
    let settings = Settings {
        fallback: Some(fallback(2, 4, FallbackBehavior::Static)),
        ..Settings::default()
    };
    let mut health = Health::default();
    let values = [ERROR, ERROR, Ok(3), ERROR, ERROR, ERROR, ERROR, OK, ERROR]
        .map(|raw| health.metric(&settings, raw, 1).value);
    let fallen = Ok(20);
    assert_eq!(
        values,
        [ERROR, ERROR, Ok(3), ERROR, ERROR, fallen, fallen, OK, ERROR]
    );
}

/// Source: KEDA `fallback.go`, `doFallback`.
#[test]
fn a_fallback_reports_the_messages_of_the_replicas_it_wants() {
    for (behavior, current, expected) in [
        (FallbackBehavior::Static, 9, 4),
        (FallbackBehavior::CurrentReplicas, 9, 9),
        (FallbackBehavior::CurrentReplicas, 2, 2),
        (FallbackBehavior::CurrentReplicasIfHigher, 9, 9),
        (FallbackBehavior::CurrentReplicasIfHigher, 2, 4),
        (FallbackBehavior::CurrentReplicasIfLower, 9, 4),
        (FallbackBehavior::CurrentReplicasIfLower, 2, 2),
    ] {
        let settings = Settings {
            fallback: Some(fallback(0, 4, behavior)),
            ..Settings::default()
        };
        let metric = Health::default().metric(&settings, ERROR, current);
        assert_eq!(metric.value, Ok(expected * 5), "{behavior:?} at {current}");
        assert!(metric.fallback);
    }
}
