//! Tests of the replica calculation and its limits.

mod events;
mod policies;

use proptest::prelude::*;

use super::*;
use crate::scaler::thousandths;
use crate::{Policy, PolicyKind, Rules, SelectPolicy};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn settings(min: u32, max: u32) -> Settings {
    Settings {
        min_replica_count: min,
        max_replica_count: max,
        ..Settings::default()
    }
}

/// Settings of 0 to 100 replicas with this behavior.
fn behaving(behavior: Behavior) -> Settings {
    Settings {
        behavior: Some(behavior),
        ..settings(0, 100)
    }
}

fn policy(kind: PolicyKind, value: u32, period: u64) -> Policy {
    Policy {
        kind,
        value,
        period: seconds(period),
    }
}

/// The HPA's readings for this many messages.
fn messages(settings: &Settings, length: u64) -> Vec<Reading> {
    vec![Reading {
        usage: Ok(thousandths(length)),
        target: settings.target(0),
    }]
}

const FAILED: Reading = Reading {
    usage: Err(ScalerError),
    target: 1_000,
};

fn proposed(settings: &Settings, behavior: Option<&Behavior>, length: u64, current: u32) -> u32 {
    let [Reading { usage, target }] = messages(settings, length)[..] else {
        unreachable!("one metric");
    };
    proposal(settings, behavior, usage.unwrap(), target, current)
}

/// The replicas after each sync, 15 s apart, for these queue lengths.
fn syncs(settings: &Settings, from: u32, lengths: &[u64]) -> Vec<u32> {
    let mut hpa = Hpa::default();
    let mut current = from;
    let mut run = |(n, length): (u64, &u64)| {
        let behavior = settings.behavior.as_ref();
        let metrics = || messages(settings, *length);
        let scaled = hpa.sync(settings, behavior, seconds(15 * n), current, metrics);
        if let Some((to, _)) = scaled {
            current = to;
        }
        current
    };
    (0..).zip(lengths).map(&mut run).collect()
}

/// Source: Kubernetes `horizontal.go`, `enqueueHPA` and `recordInitialRecommendation`: the first sync is a period after the
/// creation, and records the replicas that it finds.
#[test]
fn an_hpa_has_noted_the_replicas_of_its_first_sync_if_that_is_over() {
    for (age, sync, noted) in [
        // The next sync is at 77 s, so there were syncs at 17 s, 32 s, 47 s and 62 s.
        (70, 7, vec![(seconds(17), 0)]),
        (60, 15, vec![(seconds(15), 0)]),
        // Its first sync is still to come.
        (0, 15, vec![]),
        (8, 7, vec![]),
    ] {
        let start = Start {
            age: seconds(age),
            phases: crate::Phases {
                sync: seconds(sync),
                ..crate::Phases::default()
            },
            ..Start::default()
        };
        let hpa = Hpa::at_zero(&Settings::default(), &start);
        assert_eq!(hpa.recommendations, noted, "{age} s old, syncs in {sync} s");
        assert_eq!(
            hpa.synced,
            !noted.is_empty(),
            "{age} s old, syncs in {sync} s"
        );
    }
}

/// Source: Kubernetes `horizontal.go`, `stabilizeRecommendationWithBehaviors`: the 0 replicas of the first sync, 15 s after the
/// creation, hold back a scale up for as long as its window lasts, and no longer.
#[test]
fn the_replicas_of_a_first_sync_count_by_their_age() {
    let mut behavior = Behavior::default();
    behavior.scale_up.stabilization_window = Some(seconds(120));
    let settings = behaving(behavior);
    for (age, expected) in [(3_600, 5), (135, 5), (119, 1)] {
        let start = Start {
            age: seconds(age),
            ..Start::default()
        };
        let mut hpa = Hpa::at_zero(&settings, &start);
        let behavior = settings.behavior.as_ref();
        let metrics = || messages(&settings, 50);
        let scaled = hpa.sync(&settings, behavior, seconds(15), 1, metrics);
        assert_eq!(scaled.map_or(1, |it| it.0), expected, "{age} s old");
    }
}

/// Source: Kubernetes `horizontal.go`, `reconcileAutoscaler`: the reason of a rescale is the metric above or below its target.
#[test]
fn a_rescale_says_whether_the_metric_is_above_or_below_its_target() {
    let settings = settings(0, 100);
    let sync = |current, length| {
        let metrics = || messages(&settings, length);
        Hpa::default().sync(&settings, None, seconds(0), current, metrics)
    };
    assert_eq!(sync(2, 20), Some((4, Reason::AboveTarget)));
    // Its first sync records the 2 replicas, and they stay for the window.
    assert_eq!(sync(2, 1), None);
    let at_once = Settings {
        controller: crate::ControllerFlags {
            downscale_stabilization: Duration::ZERO,
            ..crate::ControllerFlags::default()
        },
        ..settings.clone()
    };
    let mut hpa = Hpa::default();
    assert_eq!(
        hpa.sync(&at_once, None, seconds(0), 2, || messages(&at_once, 10)),
        None
    );
    let fewer = hpa.sync(&at_once, None, seconds(15), 2, || messages(&at_once, 5));
    assert_eq!(fewer, Some((1, Reason::BelowTarget)));
}

/// Source: Kubernetes `replica_calculator.go`, `GetExternalPerPodMetricReplicas`, `isWithin`.
#[test]
fn the_proposal_is_the_quotient_rounded_up_outside_the_tolerance() {
    for (target, length, current, expected) in [
        (5, 200, 1, 40),
        (5, 21, 1, 5),
        (5, 20, 1, 4),
        (5, 0, 10, 0),
        // exactly 0.9 and 1.1 are within
        (5, 45, 10, 10),
        (5, 44, 10, 9),
        (5, 55, 10, 10),
        (5, 56, 10, 12),
        (5, 5, 1, 1),
        (1, 10, 10, 10),
        // a target of 0: infinite, or not a number
        (0, 7, 3, i32::MAX.unsigned_abs()),
        (0, 0, 3, 0),
        (1, u64::MAX, 1, i32::MAX.unsigned_abs()),
    ] {
        let settings = Settings {
            queue_length: target,
            ..Settings::default()
        };
        let proposed = proposed(&settings, None, length, current);
        assert_eq!(
            proposed, expected,
            "{length} messages of {target} with {current}"
        );
    }
}

/// Source: Kubernetes `horizontal.go`, `tolerancesForHpa`.
#[test]
fn a_tolerance_of_its_own_holds_in_its_direction() {
    let rules = |tolerance, rules| Rules { tolerance, ..rules };
    let behavior = Behavior {
        scale_up: rules(Some(0.0), Rules::default_up()),
        scale_down: rules(None, Rules::default_down()),
    };
    let settings = Settings::default();
    assert_eq!(proposed(&settings, Some(&behavior), 51, 10), 11);
    assert_eq!(proposed(&settings, Some(&behavior), 45, 10), 10);
    let behavior = Behavior {
        scale_up: rules(None, Rules::default_up()),
        scale_down: rules(Some(0.0), Rules::default_down()),
    };
    assert_eq!(proposed(&settings, Some(&behavior), 45, 10), 9);
    assert_eq!(proposed(&settings, Some(&behavior), 51, 10), 10);
}

/// Source: Kubernetes `horizontal.go`, `reconcileAutoscaler`.
#[test]
fn bounds_are_restored_and_zero_is_left_alone_without_a_look_at_the_metric() {
    let unread = || -> Vec<Reading> { panic!("must not be read") };
    for (what, current, expected) in [
        ("ScalingDisabled", 0, None),
        (
            "above Spec.MaxReplicas",
            20,
            Some((10, Reason::AboveMaximum)),
        ),
        ("below Spec.MinReplicas", 2, Some((3, Reason::BelowMinimum))),
    ] {
        let scaled = Hpa::default().sync(&settings(3, 10), None, seconds(0), current, unread);
        assert_eq!(scaled, expected, "{what}");
    }
    let failed = || vec![FAILED];
    let scaled = Hpa::default().sync(&settings(0, 10), None, seconds(0), 4, failed);
    assert_eq!(scaled, None, "FailedGetExternalMetric");
}

/// Source: Kubernetes `horizontal.go`, `computeReplicasForMetrics`.
#[test]
fn the_largest_of_several_metrics_counts_and_one_that_fails_keeps_what_there_is() {
    let wants = |replicas: u64| Reading {
        usage: Ok(thousandths(replicas * 5)),
        target: 5_000,
    };
    for (metrics, current, expected) in [
        (vec![wants(3), wants(7), wants(5)], 4, Some(7)),
        (vec![wants(0), wants(2)], 4, Some(2)),
        (vec![wants(7), FAILED], 4, Some(7)),
        (vec![FAILED, wants(2)], 4, None),
        (vec![FAILED, wants(4)], 4, Some(4)),
        (vec![FAILED, FAILED], 4, None),
        // A negative value, which a formula may give.
        (
            vec![Reading {
                usage: Ok(-3_000),
                target: 5_000,
            }],
            4,
            Some(0),
        ),
    ] {
        let wanted = largest(&settings(0, 10), None, &metrics, current);
        assert_eq!(wanted, expected, "{metrics:?} with {current}");
    }
}

/// Source: Kubernetes `horizontal.go`, `calculateScaleUpLimit`, `convertDesiredReplicasWithRules`.
#[test]
fn without_behavior_replicas_grow_to_four_or_twofold_a_sync() {
    assert_eq!(syncs(&settings(0, 15), 1, &[200; 4]), [4, 8, 15, 15]);
    assert_eq!(syncs(&settings(0, 100), 3, &[500; 5]), [6, 12, 24, 48, 96]);
    assert_eq!(syncs(&settings(0, 3), 1, &[200; 2]), [3, 3]);
    assert_eq!(syncs(&settings(0, 100), 1, &[15; 2]), [3, 3]);
}

/// Source: Kubernetes `horizontal.go`, `stabilizeRecommendation`: a recommendation exactly as old as the window counts.
/// Source: Kubernetes `horizontal.go`, `convertDesiredReplicasWithRules`: fewer than the minimum become the minimum at once, and
/// the limit of a scale up is for every other number.
#[test]
fn without_behavior_only_less_than_the_minimum_is_raised_to_it() {
    let ten = settings(10, 100);
    let limited = [9, 10, 11].map(|desired| limits::without_behavior(1, desired, &ten));
    assert_eq!(limited, [10, 4, 4]);
}

#[test]
fn without_behavior_replicas_fall_after_five_minutes() {
    let mut lengths = vec![50];
    lengths.extend([0; 23]);
    let replicas = syncs(&settings(0, 15), 10, &lengths);
    assert_eq!(replicas[..21], [10; 21], "up to and with 300 s");
    assert_eq!(replicas[21..], [1; 3], "from 315 s on");
    assert_eq!(
        *syncs(&settings(4, 15), 10, &lengths).last().unwrap(),
        4,
        "to the minimum"
    );
}

/// Source: Kubernetes `horizontal.go`, `stabilizeRecommendationWithBehaviors`: a recommendation exactly as old as the window
/// does not count.
#[test]
fn with_behavior_the_edge_of_the_window_is_outside() {
    let settings = Settings {
        behavior: Some(Behavior::default()),
        ..settings(0, 15)
    };
    let mut lengths = vec![50];
    lengths.extend([0; 23]);
    let replicas = syncs(&settings, 10, &lengths);
    assert_eq!(replicas[..20], [10; 20]);
    assert_eq!(replicas[20..], [1; 4]);
}

/// Source: Kubernetes `horizontal.go`, `recordInitialRecommendation`.
#[test]
fn the_replicas_found_at_first_count_as_recommended() {
    assert_eq!(syncs(&settings(0, 15), 10, &[5; 22])[19..], [10, 10, 1]);
}

/// Source: Kubernetes `defaults.go`, `defaultHPAScaleUpRules`; `horizontal.go`, `calculateScaleUpLimitWithScalingRules`.
#[test]
fn an_explicit_behavior_adds_four_where_an_unset_one_stops_at_four() {
    let settings = Settings {
        behavior: Some(Behavior::default()),
        ..settings(0, 100)
    };
    assert_eq!(syncs(&settings, 1, &[500; 5]), [5, 10, 20, 40, 80]);
}

/// Source: Kubernetes `horizontal.go`, `stabilizeRecommendationWithBehaviors`.
#[test]
fn a_window_upwards_waits_for_the_lowest_recommendation() {
    let scale_up = Rules {
        stabilization_window: Some(seconds(60)),
        ..Rules::default_up()
    };
    let settings = behaving(Behavior {
        scale_up,
        ..Behavior::default()
    });
    // The initial replicas hold the number for a minute, then the lowest of the last four recommendations counts.
    assert_eq!(
        syncs(&settings, 2, &[50, 50, 50, 25, 50, 50, 50, 50]),
        [2, 2, 2, 2, 5, 5, 5, 10]
    );
}

/// Source: Kubernetes `horizontal.go`, `storeScaleEvent`: an outdated event is overwritten although the other direction's
/// policy looks back further.
#[test]
fn an_event_outdated_for_its_own_direction_is_overwritten() {
    let behavior = Behavior {
        scale_down: Rules {
            stabilization_window: Some(Duration::ZERO),
            policies: vec![policy(PolicyKind::Pods, 1, 600)],
            ..Rules::default_down()
        },
        ..Behavior::default()
    };
    let mut events = ScaleEvents::default();
    events.note(&behavior, seconds(0), 1, 5);
    events.note(&behavior, seconds(30), 5, 7);
    // 600 s ago there would have been 5 replicas, not 1: the first event is lost.
    let limit = events.limit(&settings(0, 100), &behavior, seconds(60), 7, 1);
    assert_eq!(limit, 4);
}

proptest! {
    /// The same HPA never asks for fewer replicas when it sees more messages.
    #[test]
    fn more_messages_never_mean_fewer_replicas(
        history in prop::collection::vec(0_u64..400, 0..30),
        current in 1_u32..40,
        less in 0_u64..400,
        more in 0_u64..400,
        explicit in any::<bool>(),
    ) {
        let behavior = explicit.then(Behavior::default);
        let settings = Settings { behavior, ..settings(0, 40) };
        let behavior = settings.behavior.as_ref();
        let mut hpa = Hpa::default();
        let mut replicas = current;
        let mut now = seconds(0);
        for length in history {
            let scaled = hpa.sync(&settings, behavior, now, replicas, || messages(&settings, length));
            replicas = scaled.map_or(replicas, |scaled| scaled.0);
            now += seconds(15);
        }
        let ask = |length| {
            let scaled = hpa.clone().sync(&settings, behavior, now, replicas, || messages(&settings, length));
            scaled.map_or(replicas, |scaled| scaled.0)
        };
        let (few, many) = (ask(less.min(more)), ask(less.max(more)));
        prop_assert!(few <= many, "{few} for fewer, {many} for more");
    }
}
