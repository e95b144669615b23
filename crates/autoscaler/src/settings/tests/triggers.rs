//! Tests of several triggers, cron, and formulas.

use super::*;
use crate::Cron;

/// The sample with a second queue, a cron trigger and a formula.
fn several() -> Value {
    let mut manifest = sample();
    manifest["spec"]["triggers"][0]["name"] = json!("orders");
    let triggers = manifest["spec"]["triggers"].as_array_mut().unwrap();
    triggers.push(json!({
        "type": "azure-queue", "name": "invoices", "useCachedMetrics": true,
        "authenticationRef": { "name": "keda-az-credentials" },
        "metadata": { "queueName": "invoices", "queueLength": "10", "accountName": "account" }
    }));
    triggers.push(json!({
        "type": "cron", "name": "day",
        "metadata": { "timezone": "Europe/Berlin", "start": "0 8 * * 1-5", "end": "0 18 * * 1-5", "desiredReplicas": "4" }
    }));
    manifest
}

fn with_modifiers(modifiers: &Value) -> Value {
    with(
        several(),
        "/spec/advanced",
        json!({ "scalingModifiers": modifiers }),
    )
}

#[test]
fn the_first_queue_is_asked_about_unless_another_is_named() {
    let object: ScaledObject = serde_json::from_value(several()).unwrap();
    let first = object.settings().unwrap();
    assert_eq!((first.trigger_index, first.queue_length), (0, 5));
    assert_eq!(first.trigger_name.as_deref(), Some("orders"));
    let cron = Cron::new("0 8 * * 1-5", "0 18 * * 1-5", "Europe/Berlin", 4).unwrap();
    let invoices = |elsewhere| QueueTrigger {
        queue_length: 10,
        elsewhere,
        ..QueueTrigger::default()
    };
    let trigger = |name: &str, reads, use_cached_metrics| Trigger {
        name: Some(name.to_owned()),
        reads,
        use_cached_metrics,
    };
    let day = trigger("day", Reads::Cron(cron), false);
    let expected = [
        trigger("invoices", Reads::Queue(invoices(Some(0))), true),
        day.clone(),
    ];
    assert_eq!(first.others, expected);

    let mut around = Surroundings {
        load_queue: Some("invoices".to_owned()),
        ..Surroundings::default()
    };
    around.waiting.insert("aws2azmsgs".to_owned(), 7);
    let second = object.settings_in(&around).unwrap();
    assert_eq!((second.trigger_index, second.queue_length), (1, 10));
    assert!(second.use_cached_metrics);
    let sample = QueueTrigger {
        activation_queue_length: 20,
        elsewhere: Some(7),
        ..QueueTrigger::default()
    };
    let orders = trigger("orders", Reads::Queue(sample), false);
    assert_eq!(second.others, [orders, day]);

    around.load_queue = Some("mails".to_owned());
    let refusal = object.settings_in(&around).unwrap_err().0.remove(0);
    assert_eq!(
        (refusal.field.as_str(), refusal.by),
        ("spec.triggers", RefusedBy::Model)
    );
}

#[test]
fn a_formula_is_read_with_its_targets() {
    let modifiers = json!({
        "formula": "max(orders, invoices) + day", "target": "2.5", "activationTarget": "3", "metricType": "AverageValue"
    });
    let modifiers = settings(with_modifiers(&modifiers))
        .unwrap()
        .modifiers
        .unwrap();
    assert_eq!(modifiers.formula.text(), "max(orders, invoices) + day");
    assert_eq!((modifiers.target, modifiers.activation_target), (2.5, 3.0));
    assert!(!modifiers.whole_target);
    // KEDA scaledobject_types.go, `IsUsingModifiers`.
    assert_eq!(
        settings(with_modifiers(&json!({}))).unwrap().modifiers,
        None
    );
}

#[test]
fn a_formula_is_not_held_against_triggers_that_are_refused() {
    let mut manifest = with_modifiers(&json!({ "formula": "max(orders, lag)", "target": "2" }));
    manifest["spec"]["triggers"][1] = json!({ "type": "kafka", "name": "lag", "metadata": {} });
    let refused = settings(manifest).unwrap_err();
    let fields: Vec<_> = refused.0.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(fields, ["spec.triggers[1].type"]);
}

/// Source: KEDA `scaledobject_webhook.go`, `ValidateAndCompileScalingModifiers`; `scaletriggers_types.go`, `ValidateTriggers`;
/// `cron_scaler.go`, `Validate`; `scalers_builder.go`, `buildScaler`.
#[test]
#[expect(clippy::too_many_lines, reason = "a table, a row for each rule")]
fn what_a_cluster_refuses_of_several_triggers_is_refused_by_its_field() {
    let cron = |key: &str, value: Value| {
        with(
            several(),
            &format!("/spec/triggers/2/metadata/{key}"),
            value,
        )
    };
    let modifiers = |formula: &str, target: &str| {
        with_modifiers(&json!({ "formula": formula, "target": target }))
    };
    let in_cron = "spec.triggers[2].metadata.";
    let in_formula = "spec.advanced.scalingModifiers.";
    for (manifest, field, by) in [
        (
            cron("timezone", json!("Europe/berlin")),
            format!("{in_cron}timezone"),
            RefusedBy::Keda,
        ),
        (
            cron("timezone", Value::Null),
            format!("{in_cron}timezone"),
            RefusedBy::Keda,
        ),
        (
            cron("start", json!("@daily")),
            format!("{in_cron}start"),
            RefusedBy::Keda,
        ),
        (
            cron("end", json!("0 8 * * 1-5")),
            format!("{in_cron}end"),
            RefusedBy::Keda,
        ),
        (
            cron("desiredReplicas", json!("0")),
            format!("{in_cron}desiredReplicas"),
            RefusedBy::Keda,
        ),
        (
            cron("desiredReplicas", json!("-1")),
            format!("{in_cron}desiredReplicas"),
            RefusedBy::Model,
        ),
        (
            with(several(), "/spec/triggers/2/useCachedMetrics", json!(true)),
            "spec.triggers[2].useCachedMetrics".to_owned(),
            RefusedBy::Keda,
        ),
        (
            with(several(), "/spec/triggers/2/name", json!("orders")),
            "spec.triggers[2].name".to_owned(),
            RefusedBy::Keda,
        ),
        (
            with(several(), "/spec/triggers/2/type", json!("prometheus")),
            "spec.triggers[2].type".to_owned(),
            RefusedBy::Model,
        ),
        (
            with(several(), "/spec/triggers/2/type", json!("azurequeue")),
            "spec.triggers[2].type".to_owned(),
            RefusedBy::Keda,
        ),
        (
            with(
                several(),
                "/spec/triggers/1/metadata/queueLength",
                json!("0"),
            ),
            "spec.triggers[1].metadata.queueLength".to_owned(),
            RefusedBy::Hpa,
        ),
        (
            modifiers("orders + mails", "1"),
            format!("{in_formula}formula"),
            RefusedBy::Keda,
        ),
        (
            modifiers("orders > 1", "1"),
            format!("{in_formula}formula"),
            RefusedBy::Keda,
        ),
        (
            modifiers("median(orders, day)", "1"),
            format!("{in_formula}formula"),
            RefusedBy::Model,
        ),
        (
            modifiers("orders", "0"),
            format!("{in_formula}target"),
            RefusedBy::Keda,
        ),
        (
            modifiers("orders", ""),
            format!("{in_formula}target"),
            RefusedBy::Keda,
        ),
        (
            modifiers("orders", "0.0001"),
            format!("{in_formula}target"),
            RefusedBy::Hpa,
        ),
        (
            modifiers("orders", "1e300"),
            format!("{in_formula}target"),
            RefusedBy::Hpa,
        ),
        (
            modifiers("", "1"),
            format!("{in_formula}formula"),
            RefusedBy::Keda,
        ),
        (
            with_modifiers(&json!({ "formula": "orders", "target": "1", "metricType": "Value" })),
            format!("{in_formula}metricType"),
            RefusedBy::Model,
        ),
        (
            with_modifiers(
                &json!({ "formula": "orders", "target": "1", "metricType": "Utilization" }),
            ),
            format!("{in_formula}metricType"),
            RefusedBy::Schema,
        ),
        (
            with_modifiers(
                &json!({ "formula": "orders", "target": "1", "activationTarget": "few" }),
            ),
            format!("{in_formula}activationTarget"),
            RefusedBy::Keda,
        ),
    ] {
        let refusals = settings(manifest).expect_err(&field).0;
        let seen: Vec<_> = refusals
            .iter()
            .map(|it| (it.field.as_str(), it.by))
            .collect();
        assert_eq!(seen, [(field.as_str(), by)], "{refusals:?}");
    }
}

#[test]
fn what_has_no_effect_is_warned_of() {
    let manifest = with(
        several(),
        "/spec/triggers/2/metadata/timeZone",
        json!("UTC"),
    );
    let object: ScaledObject = serde_json::from_value(manifest).unwrap();
    let fields: Vec<_> = object.warnings().into_iter().map(|it| it.field).collect();
    assert_eq!(fields, ["triggers[2].metadata.timeZone"]);
    let mut manifest = with_modifiers(&json!({ "formula": "orders", "target": "2.5" }));
    manifest["spec"]["fallback"] = json!({ "failureThreshold": 1, "replicas": 2 });
    let warnings = settings(manifest).unwrap().warnings();
    let mut fields = warnings.iter().map(|it| it.field.as_str());
    assert!(
        fields.any(|it| it == "advanced.scalingModifiers.target"),
        "{warnings:?}"
    );
}

/// Sources: `expr-lang/expr`, `vm/runtime/helpers.go`, `Divide`; KEDA `formula.go`, `calculateScalingModifiersFormula`.
#[test]
fn a_formula_that_may_divide_by_zero_is_warned_of_with_the_values() {
    let told = |formula: &str| {
        let manifest = with_modifiers(&json!({ "formula": formula, "target": "2" }));
        let mut warnings = settings(manifest).unwrap().warnings();
        warnings.retain(|it| it.field == "advanced.scalingModifiers.formula");
        warnings.pop().map(|it| it.reason)
    };
    let queues = told("orders / invoices").unwrap();
    let expected = "with orders at 1 and invoices at 0 it comes to an infinite number";
    assert!(queues.starts_with(expected), "{queues}");
    let number = told("day / day").unwrap_or_default();
    assert_eq!(number, "", "nothing is wanted then");
    let number = told("orders + invoices / invoices").unwrap();
    assert!(number.contains("comes to no number (0 / 0)"), "{number}");
    for harmless in [
        "orders / day * 0 + 1",
        "orders / max(invoices, 1)",
        "day > 0 ? orders / day : orders",
    ] {
        let told = told(harmless);
        assert_eq!(
            told.is_some(),
            harmless.contains("* 0"),
            "{harmless}: {told:?}"
        );
    }
}

/// Source: KEDA `pkg/scalers/cron_scaler.go`, `GetMetricsAndActivity`; `robfig/cron`, `spec.go`, `Next` (the zero time).
#[test]
fn a_schedule_that_never_comes_is_told_with_what_keda_makes_of_it() {
    let warned = |key: &str, schedule: &str| {
        let field = format!("/spec/triggers/2/metadata/{key}");
        let manifest = with(several(), &field, json!(schedule));
        let object: ScaledObject = serde_json::from_value(manifest).unwrap();
        object.warnings()
    };
    for (key, effect) in [("start", "active all the time"), ("end", "is never active")] {
        let [warning] = &warned(key, "0 0 31 2 *")[..] else {
            panic!("{:?}", warned(key, "0 0 31 2 *"))
        };
        assert_eq!(warning.field, format!("triggers[2].metadata.{key}"));
        assert!(warning.reason.contains(effect), "{}", warning.reason);
        assert_eq!(warned(key, "0 0 29 2 *"), []);
    }
    let never = with(
        several(),
        "/spec/triggers/2/metadata/end",
        json!("0 0 31 4 *"),
    );
    let never = with(
        never,
        "/spec/triggers/2/metadata/start",
        json!("0 0 30 2 *"),
    );
    let object: ScaledObject = serde_json::from_value(never).unwrap();
    let warnings = object.warnings();
    assert_eq!(warnings.len(), 2);
    for warning in warnings {
        let told = &warning.reason;
        assert!(told.contains("active all the time"), "{told}");
    }
}
