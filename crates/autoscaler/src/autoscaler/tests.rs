//! Tests of both loops together.

mod triggers;

use super::*;
use crate::{Fallback, FallbackBehavior, Queue};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "an observation, as the model takes it"
)]
fn queue(visible: u64) -> Observation {
    Ok(Queue { visible, leased: 0 })
}

/// The decisions until `horizon`, as times in seconds and replicas.
fn run(model: &mut Autoscaler, horizon: u64, load: impl Fn(u64) -> Observation) -> Vec<(u64, u32)> {
    let mut scaled = Vec::new();
    while let Some(now) = model.next_due().filter(|due| *due <= seconds(horizon)) {
        let decisions = model.step(now, load(now.as_secs()));
        scaled.extend(decisions.iter().map(|it| (it.at.as_secs(), it.to)));
    }
    scaled
}

fn fresh(settings: Settings) -> Autoscaler {
    Autoscaler::new(settings, &Start::default())
}

/// Source: measured on a Kubernetes with KEDA 2.20: a burst of 200, queueLength 5, max 15, behavior unset.
#[test]
fn a_burst_of_200_scales_0_1_4_8_15() {
    let settings = Settings {
        max_replica_count: 15,
        polling_interval: seconds(5),
        ..Settings::default()
    };
    let scaled = run(&mut fresh(settings), 300, |_| queue(200));
    assert_eq!(scaled, [(0, 1), (15, 4), (30, 8), (45, 15)]);
}

#[test]
fn the_samples_cooldown_ends_all_replicas_with_the_first_empty_poll() {
    let settings = Settings {
        max_replica_count: 15,
        cooldown_period: seconds(10),
        activation_queue_length: 20,
        ..Settings::default()
    };
    let scaled = run(&mut fresh(settings), 300, |now| {
        queue(if now < 100 { 200 } else { 20 })
    });
    assert_eq!(scaled, [(0, 1), (15, 4), (30, 8), (45, 15), (120, 0)]);
}

/// Source: recorded on Kubernetes 1.36 with KEDA 2.20 (`tests/recordings/sawtooth-windows.csv`), where it scaled up at once.
#[test]
fn the_replicas_of_the_first_sync_count_for_one_window_from_then_on() {
    let mut behavior = Behavior::default();
    behavior.scale_up.stabilization_window = Some(seconds(30));
    let settings = Settings {
        polling_interval: seconds(5),
        behavior: Some(behavior),
        ..Settings::default()
    };
    let phases = Phases {
        poll: seconds(2),
        sync: seconds(7),
        ..Phases::default()
    };
    for (age, scaled_at) in [(0, 37), (8, 37), (23, 22), (3_600, 7)] {
        let start = Start {
            age: seconds(age),
            phases,
            ..Start::default()
        };
        let mut model = Autoscaler::new(settings.clone(), &start);
        let scaled = run(&mut model, 40, |_| queue(25));
        assert_eq!(scaled, [(2, 1), (scaled_at, 5)], "{age} s old");
    }
}

#[test]
fn a_late_step_delays_what_follows() {
    let mut model = fresh(Settings::default());
    model.step(seconds(3), queue(0));
    assert_eq!(
        (model.next_poll(), model.next_sync()),
        (seconds(33), seconds(15))
    );
    model.step(seconds(40), queue(0));
    assert_eq!(
        (model.next_poll(), model.next_sync()),
        (seconds(70), seconds(55))
    );
}

/// Source: KEDA `controllers/keda/scaledobject_controller.go`, `handlePause`.
#[test]
fn a_pause_sets_its_replicas_and_stops_both_loops() {
    let annotations = Annotations {
        paused: Some(Paused::At(3)),
        ..Annotations::default()
    };
    let mut model = fresh(Settings {
        annotations,
        ..Settings::default()
    });
    let scaled = run(&mut model, 600, |_| queue(200));
    assert_eq!(scaled, [(0, 3)]);
    assert_eq!(model.next_due(), None);
    model.annotate(seconds(700), Annotations::default());
    assert_eq!(run(&mut model, 730, |_| queue(200)), [(715, 6), (730, 12)]);
}

#[test]
fn a_pause_at_the_replicas_that_there_are_has_nothing_to_do() {
    let mut model = fresh(Settings::default());
    assert_eq!(run(&mut model, 20, |_| queue(200)), [(0, 1), (15, 4)]);
    let at = |replicas| Annotations {
        paused: Some(Paused::At(replicas)),
        ..Annotations::default()
    };
    model.annotate(seconds(20), at(4));
    assert_eq!(model.next_due(), None);
    model.annotate(seconds(20), at(5));
    assert!(model.next_due().is_some());
}

#[test]
fn an_annotation_that_pauses_and_resumes_nothing_leaves_the_loops_as_they_are() {
    let mut model = fresh(Settings::default());
    run(&mut model, 20, |_| queue(200));
    let before = (model.next_poll(), model.next_sync());
    let paused_scale_in = Annotations {
        paused_scale_in: true,
        ..Annotations::default()
    };
    model.annotate(seconds(20), paused_scale_in);
    assert_eq!((model.next_poll(), model.next_sync()), before);
}

#[test]
fn paused_without_a_number_keeps_what_there_is() {
    let mut model = fresh(Settings::default());
    assert_eq!(run(&mut model, 20, |_| queue(200)), [(0, 1), (15, 4)]);
    model.annotate(
        seconds(20),
        Annotations {
            paused: Some(Paused::Here),
            ..Annotations::default()
        },
    );
    assert_eq!(model.next_due(), None);
    assert_eq!(model.step(seconds(60), queue(0)), []);
    assert_eq!(model.replicas(), 4);
}

/// Source: KEDA `scale_handler.go`, `GetScaledObjectMetrics`.
#[test]
fn cached_metrics_show_the_hpa_the_last_poll() {
    for (use_cached_metrics, expected) in [
        (false, vec![(0, 1), (15, 4)]),
        (true, vec![(0, 1), (30, 4)]),
    ] {
        let mut model = fresh(Settings {
            use_cached_metrics,
            ..Settings::default()
        });
        let scaled = run(&mut model, 30, |now| queue(if now == 0 { 5 } else { 20 }));
        assert_eq!(scaled, expected, "cached: {use_cached_metrics}");
    }
    // Every sync until the next poll.
    let mut model = fresh(Settings {
        use_cached_metrics: true,
        polling_interval: seconds(60),
        ..Settings::default()
    });
    let scaled = run(&mut model, 60, |now| queue(if now == 0 { 5 } else { 20 }));
    assert_eq!(scaled, [(0, 1), (60, 4)]);
}

/// Source: KEDA `scale_handler.go`, `GetScaledObjectMetrics`: what `ReadRecord` finds is used with its `ScalerError`; the scaler
/// is asked only where there is no record.
#[test]
fn a_cached_failure_is_not_read_anew_by_the_hpa() {
    let start = Start {
        replicas: 2,
        age: seconds(60),
        active_ago: Some(seconds(1)),
        ..Start::default()
    };
    for (use_cached_metrics, expected) in [(true, vec![(30, 4)]), (false, vec![(15, 4), (30, 8)])] {
        let settings = Settings {
            use_cached_metrics,
            ..Settings::default()
        };
        let mut model = Autoscaler::new(settings, &start);
        let scaled = run(&mut model, 30, |now| match now {
            0 => Err(ScalerError),
            _ => queue(200),
        });
        assert_eq!(scaled, expected, "cached: {use_cached_metrics}");
    }
    // KEDA 2.20 `ClearScalersCache`: the sync that met the failure has forgotten it, and the next one does not wait for the next poll.
    let settings = Settings {
        use_cached_metrics: true,
        polling_interval: seconds(120),
        ..Settings::default()
    };
    let mut model = Autoscaler::new(settings, &start);
    let scaled = run(&mut model, 60, |now| match now {
        0 => Err(ScalerError),
        _ => queue(200),
    });
    assert_eq!(scaled, [(30, 4), (45, 8), (60, 16)]);
}

/// Source: KEDA `scaledobject_controller.go`, `handlePause` (deletes the HPA) and `reconcileScaledObject` (makes it again);
/// Kubernetes `horizontal.go`, `reconcileKey`: the controller forgets what it recommended only when it finds no HPA at its
/// next sync.
#[test]
fn a_pause_that_ends_before_the_next_sync_loses_no_recommendation() {
    for (resumed, scaled_in) in [(102, 330), (110, 440)] {
        let start = Start {
            replicas: 10,
            age: seconds(3_600),
            ..Start::default()
        };
        let settings = Settings {
            min_replica_count: 1,
            ..Settings::default()
        };
        let mut model = Autoscaler::new(settings, &start);
        let load = |now: u64| queue(if now <= 15 { 50 } else { 0 });
        assert_eq!(run(&mut model, 100, load), []);
        let paused = Annotations {
            paused: Some(Paused::Here),
            ..Annotations::default()
        };
        model.annotate(seconds(100), paused);
        model.annotate(seconds(resumed), Annotations::default());
        let scaled = run(&mut model, 450, load);
        assert_eq!(scaled, [(scaled_in, 1)], "resumed at {resumed} s");
    }
}

/// Source: KEDA `fallback.go`: both the operator's and the HPA's failed reads count.
#[test]
fn an_unreadable_queue_falls_back_after_failures_of_both_loops() {
    let fallback = Some(Fallback {
        failure_threshold: 3,
        replicas: 6,
        behavior: FallbackBehavior::Static,
    });
    let start = Start {
        replicas: 2,
        active_ago: Some(seconds(1)),
        age: seconds(60),
        ..Start::default()
    };
    let mut model = Autoscaler::new(
        Settings {
            fallback,
            ..Settings::default()
        },
        &start,
    );
    // Failures at 0 (poll), 15 (sync) and 30 (poll); the fourth failure, at 30 (sync), falls back.
    let scaled = run(&mut model, 60, |_| Err(ScalerError));
    assert_eq!(scaled, [(30, 4), (45, 6)]);
}

#[test]
fn the_hpa_takes_idle_replicas_above_zero_back_to_the_minimum() {
    let settings = Settings {
        idle_replica_count: Some(1),
        min_replica_count: 3,
        cooldown_period: seconds(0),
        ..Settings::default()
    };
    let start = Start {
        replicas: 3,
        age: seconds(60),
        ..Start::default()
    };
    let scaled = run(&mut Autoscaler::new(settings, &start), 50, |_| queue(0));
    assert_eq!(scaled, [(0, 1), (15, 3), (30, 1), (30, 3)]);
}

#[test]
fn replicas_set_by_others_are_taken_up() {
    let mut model = fresh(Settings {
        max_replica_count: 8,
        ..Settings::default()
    });
    assert_eq!(run(&mut model, 14, |_| queue(5)), [(0, 1)]);
    model.set_replicas(20);
    assert_eq!(run(&mut model, 15, |_| queue(5)), [(15, 8)]);
}

#[test]
fn a_decision_says_that_it_is_the_models() {
    let decisions = fresh(Settings::default()).step(seconds(0), queue(1));
    let text = decisions
        .iter()
        .map(ToString::to_string)
        .collect::<String>();
    assert_eq!(text, "model of KEDA: 0 to 1 replicas, the queue is active");
}
