//! Tests of the limits that policies set.

use super::*;

/// Source: Kubernetes `horizontal.go`, `calculateScaleUpLimitWithScalingRules`,
/// `calculateScaleDownLimitWithBehaviors`, `getReplicasChangePerPeriod`.
#[test]
#[expect(clippy::too_many_lines, reason = "a table, a row for each rule")]
fn policies_look_back_over_their_periods() {
    use PolicyKind::{Percent, Pods};
    use SelectPolicy::{Disabled, Max, Min};
    let pods = vec![policy(Pods, 4, 60)];
    let both = vec![policy(Pods, 4, 30), policy(Percent, 100, 60)];
    for (what, select_policy, policies, expected) in [
        (
            "4 pods a minute",
            Max,
            pods.clone(),
            [14, 14, 14, 14, 18, 18],
        ),
        (
            "the greater of both",
            Max,
            both.clone(),
            [20, 20, 24, 24, 40, 40],
        ),
        ("the smaller of both", Min, both, [14, 14, 18, 18, 22, 22]),
        (
            "10 % rounded up",
            Max,
            vec![policy(Percent, 11, 15)],
            [12, 14, 16, 18, 20, 23],
        ),
        ("disabled", Disabled, pods, [10; 6]),
        // 10 + 2147483647 is less than 10 in an int32.
        (
            "more pods than an int32 holds",
            Max,
            vec![policy(Pods, i32::MAX.unsigned_abs(), 15)],
            [10; 6],
        ),
        (
            "more than that by percent",
            Max,
            vec![policy(Percent, i32::MAX.unsigned_abs(), 15)],
            [100, 100, 100, 100, 100, 100],
        ),
    ] {
        let scale_up = Rules {
            select_policy,
            policies,
            ..Rules::default_up()
        };
        let settings = behaving(Behavior {
            scale_up,
            ..Behavior::default()
        });
        assert_eq!(syncs(&settings, 10, &[500; 6]), expected, "up, {what}");
    }
    for (what, select_policy, policies, expected) in [
        (
            "4 pods a minute",
            Max,
            vec![policy(Pods, 4, 60)],
            [36, 36, 36, 36, 32, 32],
        ),
        (
            "10 % rounded down",
            Max,
            vec![policy(Percent, 10, 15)],
            [36, 32, 28, 25, 22, 19],
        ),
        (
            "the smaller of both",
            Min,
            vec![policy(Pods, 1, 15), policy(Percent, 10, 15)],
            [39, 38, 37, 36, 35, 34],
        ),
        (
            "the greater of both",
            Max,
            vec![policy(Pods, 1, 15), policy(Percent, 10, 15)],
            [36, 32, 28, 25, 22, 19],
        ),
        ("disabled", Disabled, vec![policy(Pods, 1, 15)], [40; 6]),
    ] {
        let window = Some(Duration::ZERO);
        let scale_down = Rules {
            stabilization_window: window,
            select_policy,
            policies,
            ..Rules::default_down()
        };
        let settings = behaving(Behavior {
            scale_down,
            ..Behavior::default()
        });
        assert_eq!(syncs(&settings, 40, &[5; 6]), expected, "down, {what}");
    }
}
