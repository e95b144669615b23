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
        .map(|raw| metric(&mut health, &settings, raw, 1).value);
    let [fallen, error] = [Ok(Some(20_000)), Err(ScalerError)];
    let [three, none] = [3_000, 0].map(|messages| Ok(Some(messages)));
    assert_eq!(
        values,
        [
            error, error, three, error, error, fallen, fallen, none, error
        ]
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
        let metric = metric(&mut Health::default(), &settings, ERROR, current);
        let messages = expected * 5 * 1_000;
        assert_eq!(
            metric.value,
            Ok(Some(messages)),
            "{behavior:?} at {current}"
        );
        assert!(metric.fallback);
    }
}
