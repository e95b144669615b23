//! Tests of manifests that are accepted or refused.

mod access;
mod edges;
mod refusals;
mod triggers;
mod values;

use std::time::Duration;

use serde_json::{Value, json};

use super::*;

fn sample() -> Value {
    json!({
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": { "name": "aws2az-queue-scaleobj", "namespace": "aqs-demo" },
        "spec": {
            "scaleTargetRef": { "name": "aqs-app" },
            "minReplicaCount": 0,
            "maxReplicaCount": 15,
            "pollingInterval": 30,
            "cooldownPeriod": 10,
            "triggers": [{
                "type": "azure-queue",
                "authenticationRef": { "name": "keda-az-credentials" },
                "metadata": {
                    "queueName": "aws2azmsgs",
                    "queueLength": "5",
                    "activationQueueLength": "20",
                    "accountName": "account",
                    "cloud": "AzurePublicCloud"
                }
            }]
        }
    })
}

/// A `ScaledJob` with these fields in its `spec`.
pub(super) fn scaled_job(spec: &Value) -> ScaledJob {
    let mut whole = json!({
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledJob",
        "metadata": { "name": "orders" },
        "spec": {
            "jobTargetRef": { "template": { "spec": { "containers": [{ "name": "w", "image": "w:1" }] } } },
            "triggers": [{ "type": "azure-queue", "metadata": { "queueName": "orders", "connectionFromEnv": "C" } }]
        }
    });
    for (field, value) in spec.as_object().unwrap() {
        whole["spec"][field] = value.clone();
    }
    serde_json::from_value(whole).unwrap()
}

/// `manifest` with `value` at `pointer`, or without the field if `value` is null.
fn with(mut manifest: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = manifest
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap();
    if value.is_null() {
        parent.remove(key);
    } else {
        parent.insert(key.to_owned(), value);
    }
    manifest
}

fn settings(manifest: Value) -> Result<Settings, Refusals> {
    serde_json::from_value::<ScaledObject>(manifest)
        .unwrap()
        .settings()
}

#[test]
fn the_samples_manifest_is_read() {
    let expected = Settings {
        max_replica_count: 15,
        cooldown_period: Duration::from_secs(10),
        activation_queue_length: 20,
        ..Settings::default()
    };
    assert_eq!(settings(sample()).unwrap(), expected);
}

/// Source: KEDA `withtriggers_types.go`, `scaledobject_types.go`, `scale_executor.go`, `azure_queue_scaler.go`.
#[test]
fn a_manifest_that_sets_nothing_has_the_defaults() {
    let mut manifest = sample();
    manifest["spec"] = json!({
        "scaleTargetRef": { "name": "aqs-app" },
        "triggers": [{ "type": "azure-queue", "metadata": { "queueName": "orders", "connectionFromEnv": "C" } }]
    });
    assert_eq!(settings(manifest).unwrap(), Settings::default());
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let manifest = with(sample(), "/spec/pollingInterval", json!(0));
    let refusals = settings(with(manifest, "/spec/maxReplicaCount", json!(-3))).unwrap_err();
    let text = refusals.to_string();
    assert!(
        text.contains("spec.pollingInterval: is 0, must be 1 to"),
        "{text}"
    );
    assert!(text.contains("spec.maxReplicaCount: is -3"), "{text}");
}

/// Source: KEDA `scaledobject_types.go`, `CheckReplicaCountBoundsAreValid`.
#[test]
fn idle_replicas_of_zero_need_an_explicit_minimum() {
    let manifest = with(sample(), "/spec/idleReplicaCount", json!(0));
    assert_eq!(
        settings(manifest.clone()).unwrap().idle_replica_count,
        Some(0)
    );
    settings(with(manifest, "/spec/minReplicaCount", Value::Null)).unwrap_err();
}

#[test]
fn a_typing_error_in_a_field_and_a_bare_number_in_metadata_are_refused() {
    for (pointer, value, message) in [
        (
            "/spec/coolDownPeriod",
            json!(10),
            "unknown field `coolDownPeriod`",
        ),
        (
            "/spec/triggers/0/metadata/queueLength",
            json!(5),
            "in quotes",
        ),
    ] {
        let manifest = with(sample(), pointer, value);
        let error = serde_json::from_value::<ScaledObject>(manifest).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}

/// Source: Kubernetes `pkg/apis/autoscaling/v2/defaults.go`, `copyHPAScalingRules`.
#[test]
fn an_explicit_behavior_gets_defaults_where_it_is_silent() {
    let set = |behavior: Value| {
        let advanced = json!({ "horizontalPodAutoscalerConfig": { "behavior": behavior } });
        settings(with(sample(), "/spec/advanced", advanced))
            .unwrap()
            .behavior
    };
    assert_eq!(set(json!({})), Some(Behavior::default()));
    assert_eq!(
        set(json!({ "scaleUp": { "policies": [] }, "scaleDown": { "tolerance": "50m" } })),
        Some(Behavior {
            scale_down: Rules {
                tolerance: Some(0.05),
                ..Rules::default_down()
            },
            ..Behavior::default()
        })
    );
    let policies = json!([{ "type": "Percent", "value": 50, "periodSeconds": 60 }]);
    let down = json!({ "stabilizationWindowSeconds": 60, "selectPolicy": "Min", "policies": policies, "tolerance": 0.2 });
    assert_eq!(
        set(json!({ "scaleDown": down })).unwrap().scale_down,
        Rules {
            stabilization_window: Some(Duration::from_secs(60)),
            select_policy: SelectPolicy::Min,
            policies: vec![Policy {
                kind: PolicyKind::Percent,
                value: 50,
                period: Duration::from_secs(60)
            }],
            tolerance: Some(0.2),
        }
    );
}

/// Source: KEDA `controllers/keda/hpa.go`, `newHPAForScaledObject`.
#[test]
fn a_paused_direction_makes_the_behavior_explicit() {
    let annotations = Annotations {
        paused_scale_in: true,
        ..Annotations::default()
    };
    let settings = Settings::default();
    assert_eq!(settings.effective_behavior(&Annotations::default()), None);
    let behavior = settings.effective_behavior(&annotations).unwrap();
    assert_eq!(behavior.scale_down.select_policy, SelectPolicy::Disabled);
    assert_eq!(behavior.scale_up, Rules::default_up());
    let annotations = Annotations {
        paused_scale_out: true,
        ..Annotations::default()
    };
    let behavior = settings.effective_behavior(&annotations).unwrap();
    assert_eq!(behavior.scale_up.select_policy, SelectPolicy::Disabled);
    assert_eq!(behavior.scale_down, Rules::default_down());
}

/// Each of these is a time of KEDA's executor (`defaultCooldownPeriod`, `defaultInitialCooldownPeriod`), of Kubernetes'
/// `HPAControllerConfiguration`, or of a `behavior`: an undivided time would end too late for a faster load.
#[test]
fn faster_settings_have_every_time_divided() {
    let with = |factor: u32| {
        let time = |seconds: u64| Duration::from_secs(seconds) / factor;
        let policies = vec![Policy {
            kind: PolicyKind::Percent,
            value: 50,
            period: time(60),
        }];
        let rules = |window: u64| Rules {
            stabilization_window: Some(time(window)),
            select_policy: SelectPolicy::Min,
            policies: policies.clone(),
            tolerance: Some(0.2),
        };
        Settings {
            polling_interval: time(30),
            cooldown_period: time(240),
            initial_cooldown_period: time(120),
            behavior: Some(Behavior {
                scale_up: rules(30),
                scale_down: rules(90),
            }),
            controller: ControllerFlags {
                sync_period: time(15),
                tolerance: 0.1,
                downscale_stabilization: time(300),
                status_resolution: time(1),
            },
            ..Settings::default()
        }
    };
    assert_eq!(with(1).faster(10), with(10));
}

/// Source: KEDA `scaledobject_types.go`, `NeedToBePausedByAnnotation`, `getBoolAnnotation`.
#[test]
fn annotations_pause_whatever_they_say_except_false() {
    let read = |name: &str, value: &str| {
        let annotations = json!({ format!("autoscaling.keda.sh/{name}"): value });
        settings(with(sample(), "/metadata/annotations", annotations))
            .unwrap()
            .annotations
    };
    assert_eq!(read("paused", "true").paused, Some(Paused::Here));
    assert_eq!(read("paused", "yes").paused, Some(Paused::Here));
    assert_eq!(read("paused", "False").paused, None);
    assert_eq!(read("paused-replicas", "3").paused, Some(Paused::At(3)));
    assert!(read("paused-scale-in", "").paused_scale_in);
    assert!(read("paused-scale-out", "1").paused_scale_out);
    assert!(!read("force-activation", "0").force_activation);
}

#[test]
fn the_samples_faults_are_warned_about_by_name() {
    let fields = |settings: &Settings| -> Vec<_> {
        settings
            .warnings()
            .iter()
            .map(|warning| warning.field.clone())
            .collect()
    };
    let sample = settings(sample()).unwrap();
    let unset = "advanced.horizontalPodAutoscalerConfig.behavior";
    assert_eq!(
        fields(&sample),
        ["activationQueueLength", "cooldownPeriod", unset]
    );
    let careful = Settings {
        behavior: Some(Behavior::default()),
        ..Settings::default()
    };
    assert_eq!(fields(&careful), [""; 0]);
    let visible = Settings {
        strategy: LengthStrategy::VisibleOnly,
        ..careful.clone()
    };
    assert_eq!(fields(&visible), ["queueLengthStrategy"]);
    let idle = Settings {
        min_replica_count: 3,
        idle_replica_count: Some(1),
        ..careful.clone()
    };
    assert_eq!(fields(&idle), ["idleReplicaCount"]);
    let useless = Settings {
        min_replica_count: 1,
        polling_interval: Duration::from_secs(5),
        ..careful
    };
    assert_eq!(fields(&useless), ["pollingInterval"]);
}

/// KEDA `pkg/scalers/azure_queue_scaler.go`: `azureQueueMetadata` bounds no number, and `GetMetricsAndActivity` is active above it.
#[test]
fn an_activation_below_zero_is_taken_and_an_empty_queue_is_active() {
    let pointer = "/spec/triggers/0/metadata/activationQueueLength";
    let always = settings(with(sample(), pointer, json!("-1"))).unwrap();
    assert!(always.is_active(crate::Queue::default(), Duration::ZERO));
    let warnings = always.warnings();
    let mut warnings = warnings.iter().map(ToString::to_string);
    assert!(warnings.any(|it| it.contains("an empty queue is active")));
    let never = settings(with(sample(), pointer, json!("0"))).unwrap();
    assert!(!never.is_active(crate::Queue::default(), Duration::ZERO));
}
