//! Tests of every refusal, with the component that refuses.

use serde_json::{Value, json};

use super::{sample, settings, with};
use crate::RefusedBy;

#[test]
#[expect(clippy::too_many_lines, reason = "a table, a row for each rule")]
fn what_a_cluster_refuses_is_refused_by_its_field() {
    let behavior = "/spec/advanced";
    let up = |rules: Value| json!({ "horizontalPodAutoscalerConfig": { "behavior": { "scaleUp": rules } } });
    let trigger = |value: Value| json!([value]);
    let queue = json!({ "queueName": "orders" });
    for (pointer, value, field, by) in [
        // KEDA scaledobject_types.go, kubebuilder markers
        (
            "/spec/pollingInterval",
            json!(0),
            "spec.pollingInterval",
            RefusedBy::Schema,
        ),
        (
            "/spec/cooldownPeriod",
            json!(-1),
            "spec.cooldownPeriod",
            RefusedBy::Schema,
        ),
        (
            "/spec/initialCooldownPeriod",
            json!(-1),
            "spec.initialCooldownPeriod",
            RefusedBy::Schema,
        ),
        (
            "/spec/maxReplicaCount",
            json!(0),
            "spec.maxReplicaCount",
            RefusedBy::Schema,
        ),
        (
            "/spec/maxReplicaCount",
            json!(1_i64 << 31),
            "spec.maxReplicaCount",
            RefusedBy::Schema,
        ),
        (
            "/spec/fallback",
            json!({ "failureThreshold": -1, "replicas": 1 }),
            "spec.fallback.failureThreshold",
            RefusedBy::Schema,
        ),
        (
            "/spec/fallback",
            json!({ "failureThreshold": 1, "replicas": 1, "behavior": "none" }),
            "spec.fallback.behavior",
            RefusedBy::Schema,
        ),
        (
            "/spec/scaleTargetRef",
            json!({ "name": "" }),
            "spec.scaleTargetRef.name",
            RefusedBy::Schema,
        ),
        ("/kind", json!("ScaledJob"), "kind", RefusedBy::Schema),
        // KEDA scaledobject_controller.go, checkTargetResourceIsScalable
        (
            "/spec/scaleTargetRef",
            json!({ "name": "a", "kind": "DaemonSet" }),
            "spec.scaleTargetRef.kind",
            RefusedBy::Keda,
        ),
        (
            "/spec/scaleTargetRef",
            json!({ "name": "a", "kind": "CronJob", "apiVersion": "batch/v1" }),
            "spec.scaleTargetRef.kind",
            RefusedBy::Keda,
        ),
        (
            "/spec/scaleTargetRef",
            json!({ "name": "a", "kind": "Pod", "apiVersion": "v1" }),
            "spec.scaleTargetRef.kind",
            RefusedBy::Keda,
        ),
        // KEDA scaledobject_webhook.go: verifyReplicaCount, verifyName, verifyTriggers, verifyScaledObjects
        (
            "/spec/minReplicaCount",
            json!(16),
            "spec.minReplicaCount",
            RefusedBy::Keda,
        ),
        (
            "/spec/idleReplicaCount",
            json!(1),
            "spec.idleReplicaCount",
            RefusedBy::Keda,
        ),
        (
            "/metadata/name",
            json!("x".repeat(55)),
            "metadata.name",
            RefusedBy::Keda,
        ),
        (
            "/spec/triggers",
            json!([]),
            "spec.triggers",
            RefusedBy::Keda,
        ),
        (
            "/spec/fallback",
            json!({ "failureThreshold": 1, "replicas": 1, "behavior": "scalingModifiers" }),
            "spec.fallback.behavior",
            RefusedBy::Keda,
        ),
        // KEDA azure_queue_scaler.go, azureQueueMetadata
        (
            "/spec/triggers/0/metadata/queueLength",
            json!("five"),
            "spec.triggers[0].metadata.queueLength",
            RefusedBy::Keda,
        ),
        // KEDA typed_config.go, setConfigValueHelper: numbers are JSON
        (
            "/spec/triggers/0/metadata/queueLength",
            json!("07"),
            "spec.triggers[0].metadata.queueLength",
            RefusedBy::Keda,
        ),
        (
            "/spec/triggers/0/metadata/activationQueueLength",
            json!("5.0"),
            "spec.triggers[0].metadata.activationQueueLength",
            RefusedBy::Keda,
        ),
        // KEDA azure_cloud_environment.go, ParseEnvironmentProperty
        (
            "/spec/triggers/0/metadata/cloud",
            json!("Private"),
            "spec.triggers[0].metadata.endpointSuffix",
            RefusedBy::Keda,
        ),
        (
            "/spec/triggers/0/metadata/cloud",
            json!("Azure"),
            "spec.triggers[0].metadata.cloud",
            RefusedBy::Keda,
        ),
        // KEDA scaletriggers_types.go, AuthenticationRef
        (
            "/spec/triggers/0/authenticationRef",
            json!({ "name": "a", "kind": "Secret" }),
            "spec.triggers[0].authenticationRef.kind",
            RefusedBy::Schema,
        ),
        (
            "/spec/triggers/0/metadata/queueLengthStrategy",
            json!("visible"),
            "spec.triggers[0].metadata.queueLengthStrategy",
            RefusedBy::Keda,
        ),
        (
            "/spec/triggers/0/metadata/queueName",
            Value::Null,
            "spec.triggers[0].metadata.queueName",
            RefusedBy::Keda,
        ),
        (
            "/spec/triggers/0/metricType",
            json!("Utilization"),
            "spec.triggers[0].metricType",
            RefusedBy::Keda,
        ),
        (
            "/metadata/annotations",
            json!({ "autoscaling.keda.sh/paused-replicas": "many" }),
            "metadata.annotations.autoscaling.keda.sh/paused-replicas",
            RefusedBy::Keda,
        ),
        // Kubernetes pkg/apis/autoscaling/validation/validation.go
        (
            "/spec/triggers/0/metadata/queueLength",
            json!("0"),
            "spec.triggers[0].metadata.queueLength",
            RefusedBy::Hpa,
        ),
        (
            behavior,
            up(json!({ "stabilizationWindowSeconds": 3_601 })),
            "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.stabilizationWindowSeconds",
            RefusedBy::Hpa,
        ),
        (
            behavior,
            up(json!({ "selectPolicy": "max" })),
            "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.selectPolicy",
            RefusedBy::Hpa,
        ),
        (
            behavior,
            up(json!({ "tolerance": "-0.1" })),
            "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.tolerance",
            RefusedBy::Hpa,
        ),
        (
            behavior,
            up(json!({ "policies": [{ "type": "Pods", "value": 0, "periodSeconds": 15 }] })),
            "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.policies[0].value",
            RefusedBy::Hpa,
        ),
        (
            behavior,
            up(json!({ "policies": [{ "type": "Pods", "value": 1, "periodSeconds": 1_801 }] })),
            "spec.advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.policies[0].periodSeconds",
            RefusedBy::Hpa,
        ),
        // Kubernetes validation.go, validateMetricTarget
        (
            "/spec/triggers/0/metricType",
            json!("averageValue"),
            "spec.triggers[0].metricType",
            RefusedBy::Hpa,
        ),
        // this model
        (
            "/spec/triggers",
            trigger(json!({ "type": "kafka", "metadata": queue })),
            "spec.triggers[0].type",
            RefusedBy::Model,
        ),
        (
            "/spec/triggers/0/metricType",
            json!("Value"),
            "spec.triggers[0].metricType",
            RefusedBy::Model,
        ),
    ] {
        let refusals = settings(with(sample(), pointer, value.clone()))
            .expect_err(pointer)
            .0;
        let seen: Vec<_> = refusals
            .iter()
            .map(|it| (it.field.as_str(), it.by))
            .collect();
        assert_eq!(seen, [(field, by)], "{pointer}: {value}");
    }
}

/// Sources: KEDA `hpa.go`, `getHPAName`, `gvkr.go`, `ParseGVKR`; Kubernetes `ValidateHorizontalPodAutoscalerName`; "Storage account
/// overview".
#[test]
fn names_that_nothing_in_a_cluster_has_are_refused_by_their_own_field() {
    let config = "advanced.horizontalPodAutoscalerConfig.name";
    let account = "/spec/triggers/0/metadata/accountName";
    let hpa = |name: &str| {
        let advanced = json!({ "horizontalPodAutoscalerConfig": { "name": name } });
        with(sample(), "/spec/advanced", advanced)
    };
    for (manifest, field, by) in [
        (hpa("My_HPA"), config, RefusedBy::Hpa),
        (hpa(&"a".repeat(300)), config, RefusedBy::Keda),
        (
            with(sample(), "/spec/scaleTargetRef/kind", json!("deployment")),
            "scaleTargetRef.kind",
            RefusedBy::Keda,
        ),
        (
            with(sample(), account, json!("${ACCOUNT}")),
            "triggers[0].metadata.accountName",
            RefusedBy::Storage,
        ),
        (
            with(sample(), account, json!("Acme-Storage")),
            "triggers[0].metadata.accountName",
            RefusedBy::Storage,
        ),
    ] {
        let refusals = settings(manifest).expect_err(field).0;
        let seen: Vec<_> = refusals
            .iter()
            .map(|it| (it.field.clone(), it.by))
            .collect();
        assert_eq!(seen, [(format!("spec.{field}"), by)], "{refusals:?}");
    }
    assert!(settings(hpa("orders.hpa")).is_ok());
}
