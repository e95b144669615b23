//! Tests of which polls count as activity for the cooldown.

use super::*;

/// The scale loop's decision at an inactive poll 301 s after an activity, if `poll`, 200 s after that activity, did not count
/// as one.
fn after_a_poll(
    annotations: Annotations,
    current: u32,
    raw: Result<u64, ScalerError>,
) -> Option<(u32, Reason)> {
    let settings = Settings::default();
    let phases = Phases {
        second: Duration::ZERO,
        ..Phases::default()
    };
    let ago = Some(seconds(200));
    let mut scale_loop = ScaleLoop::new(&settings, seconds(3_600), ago, &phases);
    let first = state(&settings, raw, current);
    scale_loop.poll(&settings, &annotations, seconds(0), first, current);
    let second = state(&settings, OK, 1);
    let plain = Annotations::default();
    scale_loop.poll(&settings, &plain, seconds(101), second, 1)
}

const COLD: Option<(u32, Reason)> = Some((0, Reason::Deactivated));

/// Source: KEDA `scale_scaledobjects.go`, `RequestScale`: the case `isError` comes before the one that sets `LastActiveTime`.
#[test]
fn a_forced_activation_with_an_error_does_not_prolong_the_cooldown() {
    let forced = Annotations {
        force_activation: true,
        ..Annotations::default()
    };
    assert_eq!(after_a_poll(forced, 1, ERROR), COLD);
    assert_eq!(after_a_poll(forced, 1, OK), None);
}

/// Source: KEDA `scale_scaledobjects.go`, `RequestScale`: `currentReplicas < minReplicas` asks for `scaleFromZeroOrIdle`; at
/// the minimum or above, an idle count changes nothing, and activity is recorded even while scale-out is paused.
#[test]
fn activity_at_the_minimum_is_noted_although_there_is_an_idle_count() {
    let settings = Settings {
        min_replica_count: 3,
        idle_replica_count: Some(0),
        ..Settings::default()
    };
    let paused = Annotations {
        paused_scale_out: true,
        ..Annotations::default()
    };
    let phases = Phases {
        second: Duration::ZERO,
        ..Phases::default()
    };
    let mut scale_loop = ScaleLoop::new(&settings, seconds(3_600), None, &phases);
    let messages = |length| state(&settings, Ok(length), 3);
    let active = scale_loop.poll(&settings, &paused, seconds(0), messages(1), 3);
    assert_eq!(active, None);
    let plain = Annotations::default();
    let soon = scale_loop.poll(&settings, &plain, seconds(299), messages(0), 3);
    assert_eq!(soon, None);
    let later = scale_loop.poll(&settings, &plain, seconds(302), messages(0), 3);
    assert_eq!(later, Some((0, Reason::Deactivated)));
}

/// Source: KEDA `scale_scaledobjects.go`, `scaleFromZeroOrIdle`: it returns before `LastActiveTime` is set.
#[test]
fn activity_at_zero_is_not_noted_while_scale_out_is_paused() {
    let paused = Annotations {
        paused_scale_out: true,
        ..Annotations::default()
    };
    assert_eq!(after_a_poll(paused, 0, Ok(7)), COLD);
    assert_eq!(after_a_poll(Annotations::default(), 0, Ok(7)), None);
    // Above zero only the HPA is paused, and activity is recorded.
    assert_eq!(after_a_poll(paused, 1, Ok(7)), None);
}
