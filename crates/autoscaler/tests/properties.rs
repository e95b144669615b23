//! Properties that hold for all settings and all loads.

use std::time::Duration;

use autoscaler::{
    Autoscaler, Behavior, Decision, DecisionMaker, Envelope, Fallback, FallbackBehavior,
    LengthStrategy, Load as _, Observation, Phases, Policy, PolicyKind, Queue, Reason,
    RecordedQueue, ReplicaSeries, Rules, ScalerError, SelectPolicy, Settings, Start, Uncertainty,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const SLACK: Duration = Duration::from_secs(2);

/// One call of the model.
#[derive(Debug)]
struct Tick {
    now: Duration,
    polled: bool,
    synced: bool,
    length: Result<u64, ScalerError>,
    before: u32,
    decisions: Vec<Decision>,
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Runs the model, with each call late by a value of `lateness` (thousandths of the slack). If the load gives no answer, an
/// even lateness waits for it, and an odd one gives up after as many thousandths of that wait.
fn run(
    settings: &Settings,
    start: &Start,
    load: &RecordedQueue,
    lateness: &[u32],
    horizon: Duration,
) -> Vec<Tick> {
    let mut model = Autoscaler::new(settings.clone(), start);
    let mut lateness = lateness.iter().copied().cycle();
    let mut ticks = Vec::new();
    while let Some(due) = model.next_due() {
        let late = lateness.next().unwrap_or(0);
        let mut now = due + SLACK * late / 1_000;
        if let Some(answered) = load.silent_until(now) {
            let left = answered.saturating_sub(now);
            now += if late % 2 == 0 {
                left
            } else {
                left / 1_000 * late
            };
        }
        if now > horizon {
            break;
        }
        let observed = load.at(now);
        let (polled, synced) = (model.next_poll() <= now, model.next_sync() <= now);
        let before = model.replicas();
        ticks.push(Tick {
            now,
            polled,
            synced,
            length: observed.map(|queue| settings.strategy.length(queue)),
            before,
            decisions: model.step(now, observed),
        });
    }
    ticks
}

fn series(start: &Start, ticks: &[Tick]) -> ReplicaSeries {
    let mut series = ReplicaSeries::starting_with(start.replicas);
    for decision in ticks.iter().flat_map(|tick| &tick.decisions) {
        series.push(decision.at, decision.to);
    }
    series
}

fn rules(down: bool) -> impl Strategy<Value = Rules> {
    let policy = (any::<bool>(), 1_u32..150, 1_u64..120).prop_map(|(pods, value, period)| Policy {
        kind: if pods {
            PolicyKind::Pods
        } else {
            PolicyKind::Percent
        },
        value,
        period: seconds(period),
    });
    let select = prop_oneof![
        Just(SelectPolicy::Max),
        Just(SelectPolicy::Min),
        Just(SelectPolicy::Disabled)
    ];
    let window = prop::option::of(0_u64..400);
    (window, select, prop::collection::vec(policy, 1..3)).prop_map(
        move |(window, select_policy, policies)| Rules {
            stabilization_window: window.or((!down).then_some(0)).map(seconds),
            select_policy,
            policies,
            tolerance: None,
        },
    )
}

prop_compose! {
    fn settings()(
        polling in 1_u64..31,
        cooldown in 0_u64..120,
        initial in 0_u64..60,
        min in 0_u32..5,
        above in 1_u32..40,
        idle in any::<bool>(),
        queue_length in 1_u64..20,
        activation in 0_i64..30,
        visible_only in any::<bool>(),
        behavior in prop::option::of((rules(false), rules(true))),
    ) -> Settings {
        Settings {
            polling_interval: seconds(polling),
            cooldown_period: seconds(cooldown),
            initial_cooldown_period: seconds(initial),
            idle_replica_count: (idle && min > 0).then_some(0),
            min_replica_count: min,
            max_replica_count: min + above,
            behavior: behavior.map(|(scale_up, scale_down)| Behavior { scale_up, scale_down }),
            queue_length,
            activation_queue_length: activation,
            strategy: if visible_only { LengthStrategy::VisibleOnly } else { LengthStrategy::All },
            ..Settings::default()
        }
    }
}

/// Settings with a fallback and a cached read.
fn failing_settings() -> impl Strategy<Value = Settings> {
    let behavior = prop_oneof![
        Just(FallbackBehavior::Static),
        Just(FallbackBehavior::CurrentReplicas),
        Just(FallbackBehavior::CurrentReplicasIfHigher),
        Just(FallbackBehavior::CurrentReplicasIfLower),
    ];
    let fallback = prop::option::of((0_u32..5, 0_u32..60, behavior));
    (settings(), fallback, any::<bool>()).prop_map(|(settings, fallback, use_cached_metrics)| {
        Settings {
            fallback: fallback.map(|(failure_threshold, replicas, behavior)| Fallback {
                failure_threshold,
                replicas,
                behavior,
            }),
            use_cached_metrics,
            ..settings
        }
    })
}

/// A load whose reads succeed with this probability.
fn load(readable: f64) -> impl Strategy<Value = RecordedQueue> {
    let queue =
        (0_u64..300, 0_u64..60, prop::bool::weighted(0.4)).prop_map(|(visible, leased, empty)| {
            Queue {
                visible: if empty { 0 } else { visible },
                leased: if empty { 0 } else { leased },
            }
        });
    let sample = (1_u64..150, queue, prop::bool::weighted(readable));
    prop::collection::vec(sample, 1..12).prop_map(|samples| {
        let mut at = Duration::ZERO;
        RecordedQueue::new(samples.into_iter().map(|(lasts, queue, readable)| {
            let observed: Observation = if readable {
                Ok(queue)
            } else {
                Err(ScalerError)
            };
            let sample = (at, observed);
            at += seconds(lasts);
            sample
        }))
    })
}

/// A load whose queue sometimes gives no answer for some seconds.
fn silent_load() -> impl Strategy<Value = RecordedQueue> {
    let queue = (0_u64..300, 0_u64..60).prop_map(|(visible, leased)| Queue { visible, leased });
    let sample = (10_u64..100, queue, prop::option::of(1_u64..15));
    prop::collection::vec(sample, 1..12).prop_map(|samples| {
        let mut at = Duration::ZERO;
        let mut all = Vec::new();
        for (lasts, queue, silence) in samples {
            all.push((at, Some(Ok(queue))));
            at += seconds(lasts);
            if let Some(silence) = silence {
                all.push((at, None));
                at += seconds(silence);
            }
        }
        all.push((at, Some(Ok(Queue::default()))));
        RecordedQueue::with_silence(all)
    })
}

prop_compose! {
    fn start()(replicas in 0_u32..5, age in 0_u64..100, active in prop::option::of(0_u64..100), poll in 0_u64..1_000, sync in 0_u64..1_000, second in 0_u64..1_000)
        -> (Start, u64, u64) {
        let phases = Phases { second: Duration::from_millis(second), ..Phases::default() };
        let active_ago = active.filter(|ago| *ago <= age).map(seconds);
        (Start { replicas, age: seconds(age), active_ago, phases, wall: Duration::ZERO }, poll, sync)
    }
}

/// A start within the bounds of these settings, with any phases in the periods.
fn within(settings: &Settings, (mut start, poll, sync): (Start, u64, u64)) -> Start {
    start.replicas = start
        .replicas
        .clamp(settings.min_replica_count, settings.max_replica_count);
    start.phases.poll = settings.polling_interval.mul_f64(poll as f64 / 1_000.0);
    start.phases.sync = settings
        .controller
        .sync_period
        .mul_f64(sync as f64 / 1_000.0);
    start
}

fn lateness() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(0_u32..1_000, 1..40)
}

proptest! {
    #[test]
    fn replicas_stay_in_their_bounds_whatever_fails(
        settings in failing_settings(), load in load(0.7), start in start(), late in lateness(),
    ) {
        let start = within(&settings, start);
        let mut replicas = start.replicas;
        for decision in run(&settings, &start, &load, &late, seconds(1_800)).iter().flat_map(|tick| &tick.decisions) {
            prop_assert_eq!(decision.from, replicas);
            prop_assert_ne!(decision.to, replicas);
            prop_assert!(decision.to <= settings.max_replica_count);
            prop_assert!(decision.to > 0 || decision.by == DecisionMaker::Keda, "the HPA never goes to zero");
            if settings.idle_replica_count.is_none() {
                prop_assert!(decision.to >= settings.min_replica_count);
            }
            replicas = decision.to;
        }
    }

    /// An active queue is never without replicas for longer than a poll, and never below the minimum for longer than a poll and
    /// a sync.
    #[test]
    fn an_active_poll_leaves_no_zero_behind(
        settings in settings(), load in load(1.0), start in start(), late in lateness(),
    ) {
        let start = within(&settings, start);
        let mut replicas = start.replicas;
        for tick in run(&settings, &start, &load, &late, seconds(1_800)) {
            replicas = tick.decisions.last().map_or(replicas, |decision| decision.to);
            let active = tick.length.is_ok_and(|length| i64::try_from(length).unwrap() > settings.activation_queue_length);
            if tick.polled && active {
                prop_assert!(replicas >= settings.hpa_min_replicas(), "{replicas} after {tick:?}");
            }
        }
    }

    /// KEDA scales to zero only when every active poll is at least the cooldown ago, less the second that the status rounds
    /// off.
    #[test]
    fn zero_comes_only_after_the_cooldown(
        settings in settings(), load in load(1.0), start in start(), late in lateness(),
    ) {
        let start = within(&settings, start);
        let ticks = run(&settings, &start, &load, &late, seconds(1_800));
        let mut last_active: Option<Duration> = None;
        for tick in &ticks {
            let active = tick.length.is_ok_and(|length| i64::try_from(length).unwrap() > settings.activation_queue_length);
            let deactivated = tick.decisions.iter().any(|decision| decision.reason == Reason::Deactivated);
            if deactivated {
                prop_assert!(tick.polled && !active);
                let earliest = match (last_active, start.active_ago) {
                    (Some(at), _) => at + settings.cooldown_period,
                    (None, Some(ago)) => settings.cooldown_period.saturating_sub(ago),
                    (None, None) => settings.initial_cooldown_period.saturating_sub(start.age),
                };
                prop_assert!(tick.now + seconds(1) > earliest, "{tick:?}, not before {earliest:?}");
            }
            if tick.polled && active {
                last_active = Some(tick.now);
            }
        }
    }

    /// The HPA never goes below its recommendations within its window.
    #[test]
    fn scale_in_waits_for_the_window(
        settings in settings(), load in load(1.0), start in start(), late in lateness(),
    ) {
        let start = within(&settings, start);
        let down = settings.behavior.as_ref().map(|behavior| &behavior.scale_down);
        let window = down.and_then(|rules| rules.stabilization_window).unwrap_or(seconds(300));
        let mut recommended: Vec<(Duration, u32)> = Vec::new();
        for tick in run(&settings, &start, &load, &late, seconds(1_800)) {
            // KEDA's poll in the same call comes first.
            let before = tick.decisions.iter().find(|it| it.by == DecisionMaker::Keda).map_or(tick.before, |it| it.to);
            if !tick.synced || before < settings.hpa_min_replicas() {
                continue;
            }
            let length = tick.length.unwrap();
            let ratio = length as f64 / (settings.queue_length * u64::from(before)) as f64;
            let kept = (0.9..=1.1).contains(&ratio);
            let wanted = if kept { before } else { u32::try_from(length.div_ceil(settings.queue_length)).unwrap() };
            recommended.push((tick.now, wanted));
            let fallen = tick.decisions.iter().find(|it| it.by == DecisionMaker::Hpa && it.reason == Reason::BelowTarget);
            if let Some(decision) = fallen {
                for (at, wanted) in recommended.iter().filter(|(at, _)| tick.now.saturating_sub(*at) < window) {
                    prop_assert!(*wanted <= decision.to, "{decision} at {:?}, {wanted} wanted at {at:?}", tick.now);
                }
                prop_assert!(down.is_none_or(|rules| rules.select_policy != SelectPolicy::Disabled));
            }
        }
    }

    /// The same calls give the same decisions.
    #[test]
    fn the_model_is_a_function_of_its_calls(
        settings in failing_settings(), load in load(0.8), start in start(), late in lateness(),
    ) {
        let start = within(&settings, start);
        let again = || series(&start, &run(&settings, &start, &load, &late, seconds(900)));
        prop_assert_eq!(again(), again());
    }
}

/// The run with this lateness is inside the envelope that knows neither the lateness nor the phases.
fn stays_inside(
    settings: &Settings,
    start: &Start,
    load: &RecordedQueue,
    late: &[u32],
) -> Result<(), TestCaseError> {
    let horizon = seconds(300);
    let uncertainty = Uncertainty {
        step: seconds(1),
        slack: SLACK,
        ..Uncertainty::default()
    };
    let envelope = Envelope::new(settings, start, load, horizon, &uncertainty);
    let run = series(start, &run(settings, start, load, late, horizon));
    prop_assert_eq!(envelope.excursions(&run), [], "{:?}", run);
    Ok(())
}

proptest! {
    // An envelope consists of tried runs and is no proof, and a rare chain of coincidences can leave it; 4,500 random cases had
    // none. So these cases are always the same; another seed finds other cases, and its findings go into the file of
    // regressions.
    #![proptest_config(ProptestConfig { cases: 48, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    /// Any phases, any lateness within the slack.
    #[test]
    fn every_run_is_inside_its_envelope(
        settings in settings(), load in load(1.0), start in start(), late in lateness(),
    ) {
        stays_inside(&settings, &within(&settings, start), &load, &late)?;
    }
}

proptest! {
    // Each of these takes three times as long, for the possible reactions to a read without an answer.
    #![proptest_config(ProptestConfig { cases: 16, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    /// The same for a queue that sometimes gives no answer, for every reaction of the loops.
    #[test]
    fn every_run_is_inside_its_envelope_though_reads_get_no_answer(
        settings in settings(), load in silent_load(), start in start(), late in lateness(),
    ) {
        stays_inside(&settings, &within(&settings, start), &load, &late)?;
    }
}
