//! Tests of values as people and Helm write them.

use serde_json::{Value, json};

use super::{sample, settings, with};
use crate::{LengthStrategy, RefusedBy, ScaledObject, Settings};

/// Source: Kubernetes `apiextensions-apiserver`, `PruneNonNullableNullsWithoutDefaults`: a missing value is not validated.
#[test]
fn fields_without_a_value_are_as_good_as_absent() {
    let expected = settings(sample()).unwrap();
    let mut manifest = sample();
    manifest["metadata"]["annotations"] = Value::Null;
    let spec = &mut manifest["spec"];
    for field in [
        "fallback",
        "advanced",
        "idleReplicaCount",
        "initialCooldownPeriod",
    ] {
        spec[field] = Value::Null;
    }
    let trigger = &mut spec["triggers"][0];
    for field in ["useCachedMetrics", "metricType", "name"] {
        trigger[field] = Value::Null;
    }
    trigger["metadata"]["queueLengthStrategy"] = Value::Null;
    assert_eq!(settings(manifest).unwrap(), expected);
    let nothing = json!({ "autoscaling.keda.sh/paused": null });
    let manifest = with(sample(), "/metadata/annotations", nothing);
    assert_eq!(settings(manifest).unwrap(), expected);
}

fn length(text: &str) -> Settings {
    let field = "/spec/triggers/0/metadata/queueLength";
    settings(with(sample(), field, json!(text))).unwrap()
}

/// Source: KEDA `pkg/scalers/scalersconfig/typed_config.go`, `configParamValue` (which trims, and treats an empty value as
/// absent) and `setConfigValueHelper`.
#[test]
fn metadata_is_trimmed() {
    assert_eq!(length(" 7").queue_length, 7);
    assert_eq!(length("\t7\n").queue_length, 7);
    assert_eq!(length(" ").queue_length, 5);
    let field = "/spec/triggers/0/metadata/queueName";
    settings(with(sample(), field, json!(" "))).unwrap_err();
}

/// Source: KEDA `azure_queue_scaler.go`, `azureQueueMetadata` (int64), and `typed_config.go`, `setConfigValueHelper`.
#[test]
fn a_length_beyond_all_numbers_is_told_with_what_it_may_be() {
    let refused = |key: &str, text: &str| {
        let field = format!("/spec/triggers/0/metadata/{key}");
        let refusals = settings(with(sample(), &field, json!(text))).unwrap_err();
        let refusal = refusals.0.into_iter().next().unwrap();
        (refusal.by, refusal.reason)
    };
    for key in ["queueLength", "activationQueueLength"] {
        let (by, reason) = refused(key, "99999999999999999999999");
        assert_eq!(by, RefusedBy::Keda);
        assert!(reason.contains("to 9223372036854775807"), "{reason}");
        let (by, reason) = refused(key, "1e300");
        assert_eq!(by, RefusedBy::Keda);
        assert!(reason.contains("must be a whole number"), "{reason}");
    }
    // KEDA accepts it, and there would never be more than one replica.
    let (by, reason) = refused("queueLength", "9223372036854775807");
    assert_eq!(by, RefusedBy::Model);
    assert!(reason.contains("never be a second"), "{reason}");
    assert_eq!(length("2147483647").queue_length, 2_147_483_647);
}

/// Source: KEDA `typed_config.go`, `setValue`, and `azure_queue_scaler.go`, `getMessageCount`.
#[test]
fn a_list_of_strategies_counts_all_messages() {
    for (text, expected) in [
        (" visibleonly ", LengthStrategy::VisibleOnly),
        ("all,visibleonly", LengthStrategy::All),
        ("visibleonly, visibleonly", LengthStrategy::All),
    ] {
        let field = "/spec/triggers/0/metadata/queueLengthStrategy";
        let settings = settings(with(sample(), field, json!(text))).unwrap();
        assert_eq!(settings.strategy, expected, "{text:?}");
    }
}

fn warned(manifest: Value) -> Vec<String> {
    let object: ScaledObject = serde_json::from_value(manifest).unwrap();
    let warnings = object.warnings();
    warnings.into_iter().map(|warning| warning.field).collect()
}

/// Source: KEDA `azure_queue_scaler.go`, `azureQueueMetadata`; `typed_config.go`, `checkUnexpectedParameterExist`.
#[test]
fn keys_that_azure_queue_does_not_have_are_warned_of() {
    assert_eq!(warned(sample()), [""; 0]);
    for key in ["messageCount", "activationQueueLengtht", "queueNameFromEnv"] {
        let manifest = with(
            sample(),
            &format!("/spec/triggers/0/metadata/{key}"),
            json!("9"),
        );
        assert_eq!(settings(manifest.clone()), settings(sample()));
        assert_eq!(warned(manifest), [format!("triggers[0].metadata.{key}")]);
    }
}

/// Source: Azure Storage, "Naming queues and metadata". KEDA accepts any name, and gets an error at each read.
#[test]
fn a_queue_that_cannot_be_there_is_refused() {
    let named = |name: &str| {
        let field = "/spec/triggers/0/metadata/queueName";
        let refusals = settings(with(sample(), field, json!(name))).err();
        refusals.map(|refusals| refusals.to_string())
    };
    for name in [
        "orders",
        "a-b",
        "abc",
        "0rders",
        &"a".repeat(63),
        " orders ",
    ] {
        assert_eq!(named(name), None, "{name}");
    }
    for name in [
        "My_Queue",
        "Orders",
        "ab",
        "-orders",
        "orders-",
        "a--b",
        &"a".repeat(64),
    ] {
        let told = named(name).unwrap();
        assert!(
            told.starts_with("spec.triggers[0].metadata.queueName: ")
                && told.contains("3 to 63 small letters")
                && told.ends_with("(storage refuses each read, so that KEDA scales nothing by it)"),
            "{told}"
        );
    }
    for name in ["${QUEUE}", "<queue>", "$(QUEUE_NAME)"] {
        let told = named(name).unwrap();
        assert!(told.contains("looks like a placeholder"), "{told}");
    }
}

/// Source: Kubernetes `pkg/registry/autoscaling/horizontalpodautoscaler/strategy.go`, `dropDisabledFields`.
#[test]
fn a_tolerance_is_said_to_need_kubernetes_1_35() {
    let behavior = json!({ "scaleDown": { "tolerance": "50m" } });
    let advanced = json!({ "horizontalPodAutoscalerConfig": { "behavior": behavior } });
    let warnings = settings(with(sample(), "/spec/advanced", advanced))
        .unwrap()
        .warnings();
    let warning = warnings
        .iter()
        .find(|it| it.field.ends_with("scaleDown.tolerance"))
        .unwrap();
    assert!(warning.reason.contains("1.35"), "{warning}");
}
