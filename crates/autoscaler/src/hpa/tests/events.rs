//! Tests of recorded changes of replicas, which later syncs use.

use super::*;

/// Settings with a change of at most 4 pods per minute in both directions, without a window.
fn four_a_minute() -> Settings {
    let rules = |default: Rules| Rules {
        stabilization_window: Some(Duration::ZERO),
        policies: vec![policy(PolicyKind::Pods, 4, 60)],
        ..default
    };
    behaving(Behavior {
        scale_up: rules(Rules::default_up()),
        scale_down: rules(Rules::default_down()),
    })
}

/// Source: Kubernetes `horizontal.go`, `calculateScaleUpLimitWithScalingRules`: `periodStartReplicas` is the current count less
/// `replicasAddedInCurrentPeriod`, and with `replicasDeletedInCurrentPeriod`; `calculateScaleDownLimitWithBehaviors` alike.
#[test]
fn a_policy_looks_back_on_changes_of_both_directions() {
    let settings = four_a_minute();
    assert_eq!(syncs(&settings, 10, &[5, 500]), [6, 14]);
    assert_eq!(syncs(&settings, 10, &[500, 5]), [14, 6]);
}

/// Source: Kubernetes `horizontal.go`, `reconcileAutoscaler`: `storeScaleEvent` follows every change, including one that
/// restores `maxReplicas` or `minReplicas`.
#[test]
fn restored_bounds_are_scale_events() {
    let max_10 = Settings {
        max_replica_count: 10,
        ..four_a_minute()
    };
    // Four per minute from 20 would allow 16 only, so nothing more is taken from the 10 before a minute is over.
    assert_eq!(
        syncs(&max_10, 20, &[5, 5, 5, 5, 5, 5]),
        [10, 10, 10, 10, 6, 6]
    );
    let min_10 = Settings {
        min_replica_count: 10,
        ..four_a_minute()
    };
    assert_eq!(
        syncs(&min_10, 2, &[500, 500, 500, 500, 500, 500]),
        [10, 10, 10, 10, 14, 14]
    );
}

/// Source: Kubernetes `horizontal.go`, `markScaleEventsOutdated`: a scale-up event is outdated once it is older than the longest
/// period of the scale-up policies, which is 15 s here. The periods of the other direction do not count.
#[test]
fn an_event_exactly_as_old_as_the_longest_period_is_kept() {
    let rules = Rules {
        stabilization_window: Some(Duration::ZERO),
        policies: vec![policy(PolicyKind::Pods, 1, 600)],
        ..Rules::default_down()
    };
    let behavior = Behavior {
        scale_down: rules,
        ..Behavior::default()
    };
    for (second, expected) in [(15, 1), (16, 4)] {
        let mut events = ScaleEvents::default();
        events.note(&behavior, seconds(0), 1, 5);
        events.note(&behavior, seconds(second), 5, 7);
        // 600 s ago there was 1 replica, or 5 if the first event is lost.
        let limit = events.limit(&settings(0, 100), &behavior, seconds(60), 7, 1);
        assert_eq!(limit, expected, "{second} s");
    }
}
