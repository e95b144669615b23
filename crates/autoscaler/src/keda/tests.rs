//! Tests of the scale loop, poll by poll.

mod activity;
mod fallback;

use super::*;
use crate::scaler::Windows;
use crate::{FallbackBehavior, Queue};

const OK: Result<u64, ScalerError> = Ok(0);
const ERROR: Result<u64, ScalerError> = Err(ScalerError);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The state after a read of this many messages.
fn state(settings: &Settings, raw: Result<u64, ScalerError>, current: u32) -> State {
    let metric = metric(&mut Health::default(), settings, raw, current);
    State::of(settings, &[metric])
}

fn metric(
    health: &mut Health,
    settings: &Settings,
    raw: Result<u64, ScalerError>,
    current: u32,
) -> Metric {
    let observed = raw.map(|visible| Queue { visible, leased: 0 });
    let read = settings.read(0, observed, Duration::ZERO, &mut Windows::default());
    health.metric(settings, Reader::Poll, 0, read, current)
}

/// Polls without earlier failures; the last activity was `active_ago`, if there was one.
fn poll(
    settings: &Settings,
    active_ago: Option<u64>,
    current: u32,
    raw: Result<u64, ScalerError>,
) -> Option<(u32, Reason)> {
    let age = seconds(3_600);
    let phases = Phases {
        second: Duration::ZERO,
        ..Phases::default()
    };
    let active_ago = active_ago.map(seconds);
    let mut scale_loop = ScaleLoop::new(settings, age, active_ago, &phases);
    let state = state(settings, raw, current);
    scale_loop.poll(
        settings,
        &settings.annotations,
        Duration::ZERO,
        state,
        current,
    )
}

fn fallback(failure_threshold: u32, replicas: u32, behavior: FallbackBehavior) -> crate::Fallback {
    crate::Fallback {
        failure_threshold,
        replicas,
        behavior,
    }
}

/// Source of every row: KEDA `pkg/scaling/executor/scale_scaledobjects.go`, the function named; activity from
/// `pkg/scalers/azure_queue_scaler.go`, `GetMetricsAndActivity`, and `pkg/scaling/scale_handler.go`, `getScalerState`.
#[test]
#[expect(clippy::too_many_lines, reason = "a table, a row for each rule")]
fn a_poll_decides_as_the_executor_does() {
    let base = Settings::default();
    let active_20 = Settings {
        activation_queue_length: 20,
        ..base.clone()
    };
    let min_3 = Settings {
        min_replica_count: 3,
        ..base.clone()
    };
    let idle = Settings {
        idle_replica_count: Some(0),
        ..min_3.clone()
    };
    let idle_1 = Settings {
        idle_replica_count: Some(1),
        ..min_3.clone()
    };
    let falls_to_4 = Settings {
        fallback: Some(fallback(0, 4, FallbackBehavior::Static)),
        ..base.clone()
    };
    let may_fall_to_4 = Settings {
        fallback: Some(fallback(3, 4, FallbackBehavior::Static)),
        ..base.clone()
    };
    let may_fall_to_0 = Settings {
        fallback: Some(fallback(3, 0, FallbackBehavior::Static)),
        ..base.clone()
    };
    let falls_to_0 = Settings {
        fallback: Some(fallback(0, 0, FallbackBehavior::Static)),
        ..base.clone()
    };
    let annotated = |annotations| Settings {
        annotations,
        ..base.clone()
    };
    let forced = annotated(Annotations {
        force_activation: true,
        ..Annotations::default()
    });
    let no_out = annotated(Annotations {
        paused_scale_out: true,
        ..Annotations::default()
    });
    let no_in = annotated(Annotations {
        paused_scale_in: true,
        ..Annotations::default()
    });
    let up = |to| Some((to, Reason::Activated));
    let down = |to| Some((to, Reason::Deactivated));
    for (what, settings, active_ago, current, raw, expected) in [
        (
            "scaleFromZeroOrIdle: one message",
            &base,
            None,
            0,
            Ok(1),
            up(1),
        ),
        (
            "scaleFromZeroOrIdle: activation is strict",
            &active_20,
            None,
            0,
            Ok(20),
            None,
        ),
        (
            "scaleFromZeroOrIdle: one above activation",
            &active_20,
            None,
            0,
            Ok(21),
            up(1),
        ),
        (
            "scaleFromZeroOrIdle: to the minimum",
            &min_3,
            None,
            0,
            Ok(1),
            up(3),
        ),
        (
            "scaleFromZeroOrIdle: from idle to the minimum",
            &idle_1,
            None,
            1,
            Ok(1),
            up(3),
        ),
        (
            "scaleFromZeroOrIdle: paused-scale-out",
            &no_out,
            None,
            0,
            Ok(1),
            None,
        ),
        (
            "RequestScale: active above zero is the HPA's",
            &base,
            None,
            1,
            Ok(1_000),
            None,
        ),
        (
            "RequestScale: without idle, below the minimum is the HPA's",
            &min_3,
            None,
            1,
            Ok(1),
            None,
        ),
        (
            "RequestScale: force-activation",
            &forced,
            None,
            0,
            OK,
            up(1),
        ),
        (
            "RequestScale: force-activation in spite of an error",
            &forced,
            None,
            0,
            ERROR,
            up(1),
        ),
        (
            "RequestScale: inactive, below the minimum",
            &min_3,
            None,
            1,
            OK,
            Some((3, Reason::BelowMinimum)),
        ),
        (
            "RequestScale: inactive at the minimum",
            &min_3,
            None,
            3,
            OK,
            None,
        ),
        ("RequestScale: inactive at zero", &base, None, 0, OK, None),
        (
            "scaleToZeroOrIdle: never active, no initial cooldown",
            &base,
            None,
            7,
            OK,
            down(0),
        ),
        (
            "scaleToZeroOrIdle: within the cooldown",
            &base,
            Some(299),
            7,
            OK,
            None,
        ),
        (
            "scaleToZeroOrIdle: exactly the cooldown is not over",
            &base,
            Some(300),
            7,
            OK,
            None,
        ),
        (
            "scaleToZeroOrIdle: after the cooldown",
            &base,
            Some(301),
            7,
            OK,
            down(0),
        ),
        (
            "scaleToZeroOrIdle: to idle",
            &idle_1,
            Some(301),
            7,
            OK,
            down(1),
        ),
        (
            "scaleToZeroOrIdle: idle of zero, over a minimum",
            &idle,
            Some(301),
            3,
            OK,
            down(0),
        ),
        (
            "scaleToZeroOrIdle: at idle already",
            &idle_1,
            Some(301),
            1,
            OK,
            None,
        ),
        (
            "scaleToZeroOrIdle: paused-scale-in",
            &no_in,
            Some(301),
            7,
            OK,
            None,
        ),
        (
            "RequestScale: an error without fallback changes nothing",
            &base,
            Some(301),
            7,
            ERROR,
            None,
        ),
        (
            "RequestScale: an error before the threshold",
            &may_fall_to_4,
            Some(301),
            7,
            ERROR,
            None,
        ),
        (
            "RequestScale: the same with a fallback of 0 goes to zero",
            &may_fall_to_0,
            Some(301),
            7,
            ERROR,
            down(0),
        ),
        (
            "getScalerState: a fallback is active",
            &falls_to_4,
            None,
            0,
            ERROR,
            up(1),
        ),
        (
            "getScalerState: also one to 0 replicas",
            &falls_to_0,
            None,
            0,
            ERROR,
            up(1),
        ),
    ] {
        assert_eq!(poll(settings, active_ago, current, raw), expected, "{what}");
    }
}

/// Source: KEDA `scale_scaledobjects.go`, `scaleToZeroOrIdle`.
#[test]
fn the_initial_cooldown_counts_from_the_creation_while_never_active() {
    let settings = Settings {
        initial_cooldown_period: seconds(60),
        ..Settings::default()
    };
    let annotations = Annotations::default();
    for (age, now, second_ms, expected) in [
        (0, 59, 0, None),
        (0, 60, 0, None),
        (0, 61, 0, Some((0, Reason::Deactivated))),
        (50, 11, 0, Some((0, Reason::Deactivated))),
        // Created half a second after a whole second, which is the time in its metadata.
        (0, 60, 500, Some((0, Reason::Deactivated))),
    ] {
        let phases = Phases {
            second: Duration::from_millis(second_ms),
            ..Phases::default()
        };
        let mut scale_loop = ScaleLoop::new(&settings, seconds(age), None, &phases);
        let state = state(&settings, OK, 1);
        let scaled = scale_loop.poll(&settings, &annotations, seconds(now), state, 1);
        assert_eq!(scaled, expected, "age {age}, now {now}, {second_ms} ms");
    }
}

/// Source: `metav1.Time` is written in whole seconds; the status is read back for every poll (KEDA `scale_handler.go`,
/// `handleResult` and `checkScalers`).
#[test]
fn a_cooldown_ends_up_to_a_second_early() {
    let settings = Settings {
        cooldown_period: seconds(10),
        ..Settings::default()
    };
    let annotations = Annotations::default();
    for (second_ms, expected) in [(0, None), (400, Some((0, Reason::Deactivated)))] {
        let phases = Phases {
            second: Duration::from_millis(second_ms),
            ..Phases::default()
        };
        let mut scale_loop = ScaleLoop::new(&settings, Duration::ZERO, None, &phases);
        let mut poll = |now, raw| {
            let state = state(&settings, raw, 5);
            scale_loop.poll(&settings, &annotations, seconds(now), state, 5)
        };
        assert_eq!(poll(20, Ok(1)), None);
        assert_eq!(
            poll(30, OK),
            expected,
            "{second_ms} ms after a whole second"
        );
    }
}
