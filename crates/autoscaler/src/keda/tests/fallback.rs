//! Tests of an unreadable queue.

use super::*;
use crate::scaler::Read;

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

/// Source: KEDA `pkg/scaling/scale_handler.go`, `checkScalers`, `GetScaledObjectMetrics` and `performGetScalersCache`: two reads that
/// begin before either has failed count as one, unless both have the poll's copy of the status.
#[test]
fn reads_that_fail_side_by_side_count_from_what_their_copies_had_as_they_began() {
    let settings = Settings {
        fallback: Some(fallback(1, 4, FallbackBehavior::Static)),
        ..Settings::default()
    };
    let error = Read {
        value: Err(ScalerError),
        active: false,
    };
    let both = |health: &mut Health| {
        health.begin(Reader::Poll);
        health.begin(Reader::Sync);
        [Reader::Poll, Reader::Sync].map(|reader| {
            let metric = health.metric(&settings, reader, 0, error, 1);
            health.end(reader, &[metric]);
            metric.fallback
        })
    };
    let mut apart = Health::default();
    assert_eq!(both(&mut apart), [false, false]);
    // The second pair begins with one failure. The poll has made the scalers that the HPA's read uses.
    assert_eq!(both(&mut apart), [true, true]);
    let mut shared = Health::cached_by_poll();
    assert_eq!(both(&mut shared), [false, true]);
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
