//! Tests of `ScaledJob`s that are accepted, and of those that are refused.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::settings::tests::scaled_job;
use crate::{Cron, LengthStrategy, QueueTrigger, Reads};

fn job(spec: &Value) -> Result<JobSettings, Refusals> {
    scaled_job(spec).settings()
}

/// Source: KEDA `withtriggers_types.go`, `scaledjob_types.go`, `scale_jobs.go`.
#[test]
fn a_scaled_job_that_sets_nothing_has_the_defaults() {
    assert_eq!(job(&json!({})).unwrap(), JobSettings::default());
    let empty = json!({ "scalingStrategy": null, "rollout": null, "maxReplicaCount": null });
    assert_eq!(job(&empty).unwrap(), JobSettings::default());
}

#[test]
fn the_fields_of_a_scaled_job_are_read() {
    let spec = json!({
        "pollingInterval": 10, "minReplicaCount": 2, "maxReplicaCount": 30,
        "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 0,
        "scalingStrategy": {
            "strategy": "custom", "customScalingQueueLengthDeduction": 1,
            "customScalingRunningJobPercentage": "0.5", "multipleScalersCalculation": "sum"
        },
        "triggers": [
            { "type": "azure-queue", "name": "a", "metadata": { "queueName": "orders", "queueLength": "1", "connectionFromEnv": "C" } },
            { "type": "azure-queue", "name": "b", "metadata": { "queueName": "mails", "queueLengthStrategy": "visibleonly", "connectionFromEnv": "C" } },
            { "type": "cron", "metadata": { "timezone": "UTC", "start": "0 8 * * *", "end": "0 18 * * *", "desiredReplicas": "4" } }
        ]
    });
    let expected = JobSettings {
        polling_interval: Duration::from_secs(10),
        min_replica_count: Some(2),
        max_replica_count: Some(30),
        strategy: JobStrategy::Custom {
            deduction: 1,
            running: 0.5,
        },
        calculation: Calculation::Sum,
        triggers: vec![
            Reads::Queue(QueueTrigger {
                queue_length: 1,
                ..QueueTrigger::default()
            }),
            Reads::Queue(QueueTrigger {
                strategy: LengthStrategy::VisibleOnly,
                elsewhere: Some(0),
                ..QueueTrigger::default()
            }),
            Reads::Cron(Cron::new("0 8 * * *", "0 18 * * *", "UTC", 4).unwrap()),
        ],
        paused: false,
        successful_jobs_history_limit: 3,
        failed_jobs_history_limit: 0,
    };
    assert_eq!(job(&spec).unwrap(), expected);
    // Source: KEDA scale_jobs.go, `NewScalingStrategy`.
    let unread = json!({ "scalingStrategy": { "strategy": "custom" } });
    assert_eq!(job(&unread).unwrap().strategy, JobStrategy::Default);
}

/// Source: Kubernetes `core/validation/validation.go`, `validateContainerCommon`; `batch/validation/validation.go`, `validateJobSpec` and
/// `validateGeneratedSelector`.
#[test]
fn a_job_that_the_api_server_refuses_is_refused_by_the_field_that_is_wrong() {
    let container = json!({ "name": "w", "image": "w:1" });
    for (pointer, value, field) in [
        (
            "/template/spec/containers/0",
            json!({ "name": "w" }),
            "template.spec.containers[0].image",
        ),
        (
            "/template/spec/containers/0/name",
            json!("My_Container"),
            "template.spec.containers[0].name",
        ),
        ("/backoffLimit", json!(-1), "backoffLimit"),
        (
            "/selector",
            json!({ "matchLabels": { "a": "b" } }),
            "selector",
        ),
    ] {
        let mut target = json!({
            "backoffLimit": 0, "selector": null,
            "template": { "spec": { "containers": [container] } }
        });
        assert!(job(&json!({ "jobTargetRef": target })).is_ok());
        *target.pointer_mut(pointer).unwrap() = value;
        let refusals = job(&json!({ "jobTargetRef": target })).unwrap_err().0;
        let seen: Vec<_> = refusals
            .iter()
            .map(|it| (it.field.clone(), it.by))
            .collect();
        let field = format!("spec.jobTargetRef.{field}");
        assert_eq!(seen, [(field, RefusedBy::Job)], "{target}");
    }
}

/// Sources: KEDA `keda.sh_scaledjobs.yaml`; `scale_jobs.go`, `generateJobs`; Kubernetes `batch/validation/validation.go`,
/// `validateJobSpec`.
#[test]
fn a_job_that_no_cluster_makes_or_the_model_does_not_know_is_refused() {
    let pod = |spec: Value| json!({ "template": { "spec": spec } });
    let containers = json!([{ "name": "w", "image": "w:1" }]);
    let with = |field: &str, value: Value| {
        let mut target = pod(json!({ "containers": containers }));
        target[field] = value;
        target
    };
    let policy = |policy: &str| pod(json!({ "containers": containers, "restartPolicy": policy }));
    let of_pod = |field: &str| format!("template.spec.{field}");
    for (target, field, by) in [
        (json!({}), "template".to_owned(), RefusedBy::Schema),
        (
            json!({ "template": {} }),
            of_pod("containers"),
            RefusedBy::Job,
        ),
        (pod(json!({})), of_pod("containers"), RefusedBy::Schema),
        (
            pod(json!({ "containers": [] })),
            of_pod("containers"),
            RefusedBy::Job,
        ),
        (policy("Always"), of_pod("restartPolicy"), RefusedBy::Job),
        (policy("never"), of_pod("restartPolicy"), RefusedBy::Job),
        (
            with("suspend", json!(true)),
            "suspend".to_owned(),
            RefusedBy::Model,
        ),
        (
            with("activeDeadlineSeconds", json!(60)),
            "activeDeadlineSeconds".to_owned(),
            RefusedBy::Model,
        ),
        (
            with("parallelism", json!(0)),
            "parallelism".to_owned(),
            RefusedBy::Model,
        ),
        (
            with("completions", json!(3)),
            "completions".to_owned(),
            RefusedBy::Model,
        ),
    ] {
        let refusals = job(&json!({ "jobTargetRef": target })).unwrap_err().0;
        let seen: Vec<_> = refusals
            .iter()
            .map(|it| (it.field.clone(), it.by))
            .collect();
        assert_eq!(
            seen,
            [(format!("spec.jobTargetRef.{field}"), by)],
            "{target}"
        );
    }
    for target in [
        policy("Never"),
        policy("OnFailure"),
        policy(""),
        with("suspend", json!(false)),
        with("parallelism", json!(1)),
        with("completions", Value::Null),
    ] {
        assert!(job(&json!({ "jobTargetRef": target })).is_ok(), "{target}");
    }
}

/// The refusing component is named together with the kind of the object.
#[test]
fn a_refusal_names_the_kind_that_is_refused() {
    let refusals = job(&json!({ "maxReplicaCount": 0 })).unwrap_err();
    let told = refusals.to_string();
    assert!(
        told.ends_with("(the API server refuses the ScaledJob)"),
        "{told}"
    );
    for kind in ["TriggerAuthentication", "ClusterTriggerAuthentication"] {
        let identity = json!({ "podIdentity": { "provider": "azure" } });
        let authentication = crate::manifest::TriggerAuthentication {
            kind: kind.to_owned(),
            name: "a".to_owned(),
            spec: serde_json::from_value(identity).unwrap(),
        };
        let told = Refusals(authentication.refusals()).to_string();
        assert!(
            told.ends_with(&format!("(the API server refuses the {kind})")),
            "{told}"
        );
    }
}

/// Source: KEDA `scaledjob_types.go`, kubebuilder markers; `scaletriggers_types.go`, `ValidateTriggers`.
#[test]
fn what_a_cluster_refuses_of_a_scaled_job_is_refused_by_its_field() {
    let trigger = |name: &str, kind: &str| {
        let metadata = json!({ "queueName": "orders", "connectionFromEnv": "C" });
        json!({ "type": kind, "name": name, "metadata": metadata })
    };
    let queue = "azure-queue";
    for (spec, field, by) in [
        (
            json!({ "jobTargetRef": null }),
            "spec.jobTargetRef",
            RefusedBy::Schema,
        ),
        (
            json!({ "maxReplicaCount": 0 }),
            "spec.maxReplicaCount",
            RefusedBy::Schema,
        ),
        (
            json!({ "minReplicaCount": -1 }),
            "spec.minReplicaCount",
            RefusedBy::Schema,
        ),
        (
            json!({ "failedJobsHistoryLimit": -1 }),
            "spec.failedJobsHistoryLimit",
            RefusedBy::Schema,
        ),
        (
            json!({ "rolloutStrategy": "fast" }),
            "spec.rolloutStrategy",
            RefusedBy::Schema,
        ),
        (
            json!({ "rollout": { "propagationPolicy": "orphan" } }),
            "spec.rollout.propagationPolicy",
            RefusedBy::Schema,
        ),
        (
            json!({ "scalingStrategy": { "strategy": "greedy" } }),
            "spec.scalingStrategy.strategy",
            RefusedBy::Schema,
        ),
        (
            json!({ "scalingStrategy": { "multipleScalersCalculation": "mean" } }),
            "spec.scalingStrategy.multipleScalersCalculation",
            RefusedBy::Schema,
        ),
        (json!({ "triggers": [] }), "spec.triggers", RefusedBy::Keda),
        (
            json!({ "triggers": [trigger("a", queue), trigger("a", queue)] }),
            "spec.triggers[1].name",
            RefusedBy::Keda,
        ),
        (
            json!({ "triggers": [trigger("a", "kafka")] }),
            "spec.triggers[0].type",
            RefusedBy::Model,
        ),
        (
            json!({ "triggers": [{ "type": queue, "metadata": { "queueName": "orders" } }] }),
            "spec.triggers[0]",
            RefusedBy::Keda,
        ),
    ] {
        let refusals = job(&spec).unwrap_err().0;
        let seen: Vec<_> = refusals
            .iter()
            .map(|it| (it.field.as_str(), it.by))
            .collect();
        assert_eq!(seen, [(field, by)], "{spec}");
    }
}
