//! Tests of several triggers, cron, fallback and formulas. Every expected course was worked out by hand: the operator polls at
//! 0 s and every 30 s, the HPA syncs at 15 s and every 15 s; at the same time, the poll comes first.

use super::*;
use crate::{Cron, Formula, Modifiers, QueueTrigger, Reads, Trigger};

fn other(name: &str, reads: Reads) -> Trigger {
    Trigger {
        name: Some(name.to_owned()),
        reads,
        use_cached_metrics: false,
    }
}

/// The main queue `orders`, with 5 messages per replica, and a second one, `invoices`, with 40 messages, 10 per replica.
fn beside_invoices() -> Settings {
    let invoices = QueueTrigger {
        queue_length: 10,
        elsewhere: Some(40),
        ..QueueTrigger::default()
    };
    Settings {
        max_replica_count: 15,
        trigger_name: Some("orders".to_owned()),
        others: vec![other("invoices", Reads::Queue(invoices))],
        ..Settings::default()
    }
}

fn with_formula(text: &str, target: f64, activation_target: f64) -> Settings {
    let names = [Some("orders"), Some("invoices")];
    Settings {
        modifiers: Some(Modifiers {
            formula: Formula::parse(text, &names).unwrap(),
            target,
            activation_target,
            whole_target: target.fract() == 0.0,
        }),
        ..beside_invoices()
    }
}

fn falls_back(settings: Settings, after: u32, replicas: u32, how: FallbackBehavior) -> Settings {
    Settings {
        fallback: Some(Fallback {
            failure_threshold: after,
            replicas,
            behavior: how,
        }),
        ..settings
    }
}

const UNREAD: Observation = Err(ScalerError);

/// Source: KEDA `scale_handler.go`, `getScaledObjectState`; Kubernetes `horizontal.go`, `computeReplicasForMetrics`.
#[test]
fn any_trigger_activates_and_the_largest_wish_counts() {
    let scaled = |orders| run(&mut fresh(beside_invoices()), 60, |_| orders);
    assert_eq!(scaled(queue(0)), [(0, 1), (15, 4)]);
    assert_eq!(scaled(queue(200)), [(0, 1), (15, 4), (30, 8), (45, 15)]);
    assert_eq!(scaled(UNREAD), [(0, 1), (15, 4)], "the other one counts");
}

/// Source: KEDA `cron_scaler.go`; a minute before 8 o'clock, and the cooldown counts from the last poll before 18 o'clock.
#[test]
fn a_cron_trigger_brings_its_replicas_when_its_time_comes() {
    let cron = Cron::new("0 8 * * *", "0 18 * * *", "UTC", 3).unwrap();
    let settings = Settings {
        others: vec![other("day", Reads::Cron(cron))],
        ..Settings::default()
    };
    let scaled = |wall| {
        let start = Start {
            wall: seconds(wall),
            ..Start::default()
        };
        let mut model = Autoscaler::new(settings.clone(), &start);
        run(&mut model, 11 * 3_600, |_| queue(0))
    };
    let minute_before = 7 * 3_600 + 59 * 60;
    assert_eq!(scaled(minute_before), [(60, 1), (60, 3), (36_330, 0)]);
    // Polls ten seconds later by that clock, at 7:59:10 and 7:59:40, and never on the hour.
    let later = [(60, 1), (60, 3), (36_330, 0)];
    assert_eq!(scaled(minute_before + 10), later);
}

/// Source: KEDA `fallback.go`, `GetMetricsWithFallback`: failures are counted by metric, and each falls back by itself.
#[test]
fn a_trigger_falls_back_beside_one_that_is_read() {
    let settings = falls_back(beside_invoices(), 2, 6, FallbackBehavior::Static);
    let scaled = run(&mut fresh(settings), 60, |_| UNREAD);
    assert_eq!(scaled, [(0, 1), (15, 4), (30, 6)]);
}

/// Source: KEDA `formula.go`, `calculateScalingModifiersFormula`; `hpa.go`, `getScaledObjectMetricSpecs`; activation by
/// `getScaledObjectState`, strictly more than `activationTarget`.
#[test]
fn a_formula_takes_the_place_of_its_triggers() {
    let scaled = |formula, target, activation| {
        let settings = with_formula(formula, target, activation);
        run(&mut fresh(settings), 60, |_| queue(60))
    };
    let ten = [(0, 1), (15, 4), (30, 8), (45, 10)];
    assert_eq!(scaled("orders + invoices", 10.0, 0.0), ten);
    assert_eq!(scaled("orders + invoices", 10.0, 99.0), ten);
    assert_eq!(scaled("orders + invoices", 10.0, 100.0), []);
    assert_eq!(scaled("orders > 60 ? orders : 0", 10.0, 0.0), []);
    // The formula's infinite number becomes KEDA's lowest integer on amd64 (Go specification, "Conversions between numeric
    // types").
    assert_eq!(scaled("orders / (invoices - 40)", 1.0, 0.0), []);
    assert_eq!(scaled("orders / (invoices - 40)", 1.0, -1.0), []);
    // 60 / 40 = 1.5, which Kubernetes keeps as 1500 thousandths; the target is 500 per replica.
    assert_eq!(scaled("orders / invoices", 0.5, 0.0), [(0, 1), (15, 3)]);
}

/// Observed on amd64 with KEDA's own `resource.Quantity`: the HPA reads an infinite number as 0, so it goes to its minimum
/// although 80 messages wait, and KEDA scales to zero after the cooldown of five minutes.
#[test]
fn a_formula_that_divides_by_an_empty_queue_takes_replicas_away() {
    let mut settings = with_formula("orders / (invoices - orders)", 1.0, 0.0);
    settings.behavior = Some(Behavior::default());
    settings.controller.downscale_stabilization = seconds(0);
    // 35 / 5 = 7; from the poll at 60 s on, 40 / 0. The last active poll was at 30 s.
    let scaled = run(&mut fresh(settings), 420, |now| {
        queue(if now < 60 { 35 } else { 40 })
    });
    assert_eq!(scaled, [(0, 1), (15, 5), (30, 7), (60, 1), (330, 0)]);
}

/// Source: KEDA `scale_handler.go`, `getScaledObjectState` (an error is never active with a formula); `fallback.go`, `doFallback`
/// and `HasValidFallback`; `formula.go`, `HandleScalingModifiers`, `scalingModifierTriggerValue` and
/// `scalingModifiersFallbackTarget`.
#[test]
fn a_formula_falls_back_to_its_target_or_to_what_it_says_of_nil() {
    let scaled = |formula, target, how| {
        let settings = falls_back(with_formula(formula, target, 0.0), 1, 3, how);
        run(&mut fresh(settings), 60, |_| UNREAD)
    };
    let sum = "orders + invoices";
    let fixed = FallbackBehavior::Static;
    assert_eq!(scaled(sum, 10.0, fixed), [(30, 1), (30, 3)]);
    assert_eq!(scaled(sum, 2.5, fixed), [], "no whole number");
    let by_formula = FallbackBehavior::ScalingModifiers;
    let either = scaled("orders ?? invoices", 10.0, by_formula);
    assert_eq!(either, [(30, 1), (30, 4)]);
    let neither = scaled("orders ?? nil", 10.0, by_formula);
    assert_eq!(neither, [(30, 1), (30, 3)], "the replicas of the fallback");
    assert_eq!(scaled(sum, 10.0, by_formula), [], "nil cannot be added");
    assert_eq!(
        scaled("orders", 10.0, by_formula),
        [],
        "KEDA puts it into float( ), which takes no nil"
    );
}

/// Source: KEDA `fallback.go`, `doFallback`: the record of the poll has the name of the composite metric, and the formula of the HPA's
/// read finds nothing under the trigger's own.
#[test]
fn a_fallback_that_is_cached_is_nil_to_the_formula_of_a_sync() {
    let scaled = |formula| {
        let how = FallbackBehavior::Static;
        let mut settings = falls_back(with_formula(formula, 10.0, 0.0), 1, 3, how);
        settings.use_cached_metrics = true;
        run(&mut fresh(settings), 45, |_| UNREAD)
    };
    assert_eq!(scaled("orders + invoices"), [(30, 1)]);
    assert_eq!(scaled("orders ?? invoices"), [(30, 1), (30, 4)]);
    // Without a formula, the record is the trigger's own.
    let settings = Settings {
        use_cached_metrics: true,
        ..falls_back(beside_invoices(), 1, 3, FallbackBehavior::Static)
    };
    let alone = Settings {
        others: vec![],
        ..settings
    };
    let scaled = run(&mut fresh(alone), 45, |_| UNREAD);
    assert_eq!(scaled, [(30, 1), (30, 3)]);
}

/// Source: KEDA `fallback.go`, `GetMetricsWithFallback`: the metrics server keeps -1 for nil, and a formula takes it for a number.
#[test]
fn a_nil_that_is_cached_is_minus_one_to_the_formula_of_a_sync() {
    let formula = with_formula("orders + 71", 10.0, 0.0);
    let settings = Settings {
        min_replica_count: 1,
        use_cached_metrics: true,
        ..falls_back(formula, 1, 3, FallbackBehavior::ScalingModifiers)
    };
    let start = Start {
        replicas: 5,
        ..Start::default()
    };
    let scaled = run(&mut Autoscaler::new(settings, &start), 45, |_| UNREAD);
    assert_eq!(scaled, [(30, 7)]);
}

/// Cron began an hour before: its replicas exist when the load begins, and the queue adds more.
#[test]
fn what_other_triggers_ask_for_is_there_at_rest() {
    let cron = Cron::new("0 8 * * *", "0 18 * * *", "UTC", 3).unwrap();
    let settings = Settings {
        others: vec![other("day", Reads::Cron(cron))],
        ..Settings::default()
    };
    let workload = crate::Workload {
        arrivals: crate::Arrivals::burst(50),
        service: crate::Service {
            work: crate::Work::Fixed(seconds(60)),
            in_flight: 1,
            start_delay: seconds(0),
            grace: seconds(30),
        },
    };
    let at = |hour: u64| {
        let start = Start {
            age: seconds(10 * 24 * 3_600),
            wall: seconds(24 * 3_600 + hour * 3_600),
            ..Start::default()
        };
        let series = crate::simulate(&settings, &start, &workload, seconds(10));
        series.replicas.counts()
    };
    // A sync at once: 50 / 5 = 10 replicas, but at most twice the present number, or 4.
    assert_eq!(at(9), [3, 6]);
    assert_eq!(at(19), [0, 1, 4]);
}
