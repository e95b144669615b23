//! Tests of values at the very edge of what is allowed, and of references among several objects.

use serde_json::{Value, json};

use super::{Settings, sample, scaled_job, settings, with};
use crate::manifest::TriggerAuthentication;
use crate::{
    Behavior, Cron, Fallback, FallbackBehavior, Reads, RefusedBy, ScaledObject, SelectPolicy,
    Surroundings, Trigger, Variables,
};

/// KEDA `scaledobject_webhook.go`, `verifyHpas`, and `hpa.go`, `getHPAName`: a name may have 63 characters, the HPA's too.
#[test]
fn names_may_be_as_long_as_a_label() {
    let named = |length: usize, hpa: Option<usize>| {
        let named = with(sample(), "/metadata/name", json!("a".repeat(length)));
        let advanced = hpa.map(|length| {
            let name = "h".repeat(length);
            json!({ "horizontalPodAutoscalerConfig": { "name": name } })
        });
        settings(with(named, "/spec/advanced", advanced.into())).is_ok()
    };
    // If no name is given, KEDA writes keda-hpa- before that of the ScaledObject.
    assert!(named(54, None));
    assert!(!named(55, None));
    assert!(named(63, Some(63)));
    assert!(!named(64, Some(63)));
    assert!(!named(63, Some(64)));
}

/// KEDA `scaledobject_types.go`, `CheckReplicaCountBoundsAreValid`; `scaledjob_types.go`, `MaxReplicaCount`.
#[test]
fn the_minimum_may_be_the_maximum() {
    let same = with(sample(), "/spec/minReplicaCount", json!(15));
    let same = settings(same).unwrap();
    assert_eq!((same.min_replica_count, same.max_replica_count), (15, 15));
    let job = |min: u32, max: u32| {
        let job = scaled_job(&json!({ "minReplicaCount": min, "maxReplicaCount": max }));
        let settings = job.settings().unwrap();
        (settings.least(), settings.most_besides())
    };
    assert_eq!(job(4, 5), (4, 1));
    assert_eq!(job(5, 5), (5, 0));
    assert_eq!(job(6, 5), (5, 5));
}

/// KEDA `scaledobject_types.go`, `CheckFallbackValid`.
#[test]
fn a_fallback_by_the_formula_needs_one() {
    let fallback = json!({ "failureThreshold": 3, "replicas": 2, "behavior": "scalingModifiers" });
    let with_fallback = with(sample(), "/spec/fallback", fallback);
    let refusals = settings(with_fallback.clone()).unwrap_err().0;
    let fields: Vec<_> = refusals
        .iter()
        .map(|it| (it.field.as_str(), it.by))
        .collect();
    assert_eq!(fields, [("spec.fallback.behavior", RefusedBy::Keda)]);
    let modifiers = json!({ "scalingModifiers": { "formula": "q + 0", "target": "5" } });
    let named = with(with_fallback, "/spec/triggers/0/name", json!("q"));
    let read = settings(with(named, "/spec/advanced", modifiers)).unwrap();
    let fallback = read.fallback.unwrap();
    assert_eq!(fallback.behavior, FallbackBehavior::ScalingModifiers);
}

#[test]
fn each_refusal_has_a_line_of_its_own() {
    let wrong = with(sample(), "/spec/pollingInterval", json!(0));
    let wrong = with(wrong, "/spec/maxReplicaCount", json!(0));
    let refusals = settings(wrong).unwrap_err();
    let text = refusals.to_string();
    let lines: Vec<_> = text.split('\n').collect();
    let each: Vec<_> = refusals.0.iter().map(ToString::to_string).collect();
    assert_eq!(lines, each);
}

fn object(around: &Surroundings) -> Vec<String> {
    let object: ScaledObject = serde_json::from_value(sample()).unwrap();
    let refusals = object.settings_in(around).err();
    let refusals = refusals.into_iter().flat_map(|refusals| refusals.0);
    refusals.map(|it| it.field).collect()
}

fn authentication(kind: &str, name: &str, spec: Value) -> TriggerAuthentication {
    TriggerAuthentication {
        kind: kind.to_owned(),
        name: name.to_owned(),
        spec: serde_json::from_value(spec).unwrap(),
    }
}

/// KEDA `scale_resolvers.go`, `getTriggerAuthSpec`: by kind and name.
#[test]
fn an_authentication_is_found_by_its_kind_and_its_name() {
    let (right, wrong) = (
        json!({ "env": [{ "parameter": "connection", "name": "C" }] }),
        json!({ "podIdentity": { "provider": "none" } }),
    );
    let cluster = "ClusterTriggerAuthentication";
    let around = Surroundings {
        authentications: vec![
            authentication(cluster, "keda-az-credentials", wrong.clone()),
            authentication("TriggerAuthentication", "another", wrong),
            authentication("TriggerAuthentication", "keda-az-credentials", right),
        ],
        ..Surroundings::default()
    };
    assert_eq!(object(&around), [""; 0]);
}

/// KEDA `scale_resolvers.go`, `resolveEnv`: a variable may come from a Secret, whose value nobody knows here.
#[test]
fn a_variable_of_an_authentication_is_unknown_or_must_not_be_blank() {
    for (value, fields) in [
        (Some("AccountName=a;AccountKey=b"), vec![]),
        (None, vec![]),
        (
            Some(" "),
            vec!["TriggerAuthentication/keda-az-credentials spec.env[0].name".to_owned()],
        ),
    ] {
        let variables = Variables {
            values: [("C".to_owned(), value.map(str::to_owned))].into(),
            complete: true,
        };
        let spec = json!({ "env": [{ "parameter": "connection", "name": "C" }] });
        let around = Surroundings {
            containers: Some(vec![("app".to_owned(), variables)]),
            authentications: vec![authentication(
                "TriggerAuthentication",
                "keda-az-credentials",
                spec,
            )],
            ..Surroundings::default()
        };
        assert_eq!(object(&around), fields, "{value:?}");
    }
}

#[test]
fn warnings_begin_where_their_reason_does() {
    let fields = |change: &dyn Fn(&mut Settings)| -> Vec<String> {
        let mut settings = Settings {
            behavior: Some(Behavior::default()),
            ..Settings::default()
        };
        change(&mut settings);
        let warnings = settings.warnings().into_iter();
        warnings.map(|warning| warning.field).collect()
    };
    let none = [""; 0];
    assert_eq!(fields(&|_| ()), none);
    // The first poll after the cooldown comes no sooner than it ends.
    assert_eq!(fields(&|it| it.cooldown_period = it.polling_interval), none);
    assert_eq!(
        fields(&|it| it.cooldown_period = it.polling_interval / 2),
        ["cooldownPeriod"]
    );
    // To zero: by the minimum, or by an idle count of 0.
    let activation = |min: u32, idle: Option<u32>| {
        fields(&|it| {
            it.activation_queue_length = 1;
            (it.min_replica_count, it.idle_replica_count) = (min, idle);
        })
    };
    assert_eq!(activation(0, None), ["activationQueueLength"]);
    assert_eq!(activation(2, Some(0)), ["activationQueueLength"]);
    assert_eq!(activation(2, None), none);
    assert_eq!(activation(2, Some(1)), ["idleReplicaCount"]);
    // Another trigger may be active for the last messages.
    let beside = |it: &mut Settings| {
        let cron = Cron::new("0 8 * * *", "0 9 * * *", "UTC", 4).unwrap();
        it.activation_queue_length = 1;
        it.others = vec![Trigger {
            reads: Reads::Cron(cron),
            name: None,
            use_cached_metrics: false,
        }];
    };
    assert_eq!(fields(&beside), none);
    let field = "advanced.horizontalPodAutoscalerConfig.behavior.scaleUp.selectPolicy";
    let disabled = |it: &mut Settings| {
        let mut behavior = Behavior::default();
        behavior.scale_up.select_policy = SelectPolicy::Disabled;
        it.behavior = Some(behavior);
    };
    assert_eq!(fields(&disabled), [field]);
    let fallback = |replicas: u32| {
        fields(&|it| {
            it.fallback = Some(Fallback {
                failure_threshold: 3,
                replicas,
                behavior: FallbackBehavior::Static,
            });
        })
    };
    assert_eq!(fallback(0), ["fallback.replicas"]);
    assert_eq!(fallback(1), none);
}

/// The reasons why `manifest` is refused.
fn reasons(manifest: Value, around: &Surroundings) -> Vec<String> {
    let object: ScaledObject = serde_json::from_value(manifest).unwrap();
    let refusals = object.settings_in(around).err();
    let refusals = refusals.into_iter().flat_map(|refusals| refusals.0);
    refusals.map(|it| it.reason).collect()
}

/// The sample's trigger with a connection string in its metadata.
fn connected(text: &str) -> Value {
    let manifest = with(sample(), "/spec/triggers/0/authenticationRef", Value::Null);
    with(
        manifest,
        "/spec/triggers/0/metadata/connection",
        json!(text),
    )
}

/// Azure SDK for Go `sdk/storage/azqueue/internal/shared/shared.go`, `ParseConnectionString`.
#[test]
fn a_connection_string_is_told_what_it_lacks() {
    let nothing = Surroundings::default();
    for (text, told) in [
        (
            "QueueEndpoint=https://q/",
            "AccountKey or SharedAccessSignature",
        ),
        ("AccountName=a", "AccountKey or SharedAccessSignature"),
        (
            "QueueEndpoint=https://q/;AccountKey=k",
            "AccountName, which AccountKey needs",
        ),
        ("__CONNECTION", "no connection string"),
    ] {
        let reasons = reasons(connected(text), &nothing);
        assert!(
            reasons.len() == 1 && reasons[0].contains(told),
            "{text}: {reasons:?}"
        );
    }
    for text in ["AccountName=a;AccountKey=k", "__CONNECTION__"] {
        assert_eq!(reasons(connected(text), &nothing), [""; 0], "{text}");
    }
}

/// KEDA `scale_resolvers.go`, `ResolveContainerEnv`: what is not there is an empty text.
#[test]
fn a_variable_that_is_blank_is_told_as_one_that_is_not_there() {
    let manifest = with(sample(), "/spec/triggers/0/authenticationRef", Value::Null);
    let manifest = with(
        manifest,
        "/spec/triggers/0/metadata/connectionFromEnv",
        json!("C"),
    );
    let reason = |value: Option<&str>| {
        let values = value.map(|value| ("C".to_owned(), Some(value.to_owned())));
        let variables = Variables {
            values: values.into_iter().collect(),
            complete: true,
        };
        let around = Surroundings {
            variables: Some(variables),
            ..Surroundings::default()
        };
        reasons(manifest.clone(), &around)
    };
    assert_eq!(reason(Some(" ")), reason(None));
    assert_eq!(reason(Some(" ")).len(), 1);
}

/// KEDA `triggerauthentication_webhook.go`, `validateSpec`; a `ClusterTriggerAuthentication` reads KEDA's own namespace.
#[test]
fn rules_of_an_authentication_hold_for_what_they_are_about() {
    let refused = |kind: &str, spec: Value| {
        let reference = json!({ "name": "keda-az-credentials", "kind": kind });
        let manifest = with(sample(), "/spec/triggers/0/authenticationRef", reference);
        let around = Surroundings {
            authentications: vec![authentication(kind, "keda-az-credentials", spec)],
            config_maps: [("m".to_owned(), [].into())].into(),
            ..Surroundings::default()
        };
        !reasons(manifest, &around).is_empty()
    };
    let own = |spec| refused("TriggerAuthentication", spec);
    let is_wrong = |spec: Value, field: &str| {
        let object = authentication("TriggerAuthentication", "a", spec);
        object.refusals().iter().any(|it| it.field.ends_with(field))
    };
    let aws = |more: Value| {
        let mut identity = json!({ "provider": "aws" });
        for (field, value) in more.as_object().unwrap() {
            identity[field] = value.clone();
        }
        is_wrong(json!({ "podIdentity": identity }), "roleArn")
    };
    assert!(!aws(json!({ "roleArn": "r" })));
    assert!(!aws(json!({ "roleArn": "r", "identityOwner": "keda" })));
    assert!(!aws(json!({ "identityOwner": "workload" })));
    assert!(aws(json!({ "roleArn": "r", "identityOwner": "workload" })));
    let oauth2 = |url: &str| {
        let spec = json!({ "oauth2": { "clientId": "c", "tokenUrl": url } });
        is_wrong(spec, "tokenUrl")
    };
    assert!(oauth2("https:///token"));
    assert!(!oauth2("https://login/token"));
    let map = || json!({ "configMapTargetRef": [{ "parameter": "connection", "name": "m", "key": "k" }] });
    assert!(own(map()));
    assert!(!refused("ClusterTriggerAuthentication", map()));
}

#[test]
fn a_scaled_job_has_its_own_version_and_kind() {
    let whole = || scaled_job(&json!({}));
    assert!(whole().settings().is_ok());
    let mut version = whole();
    version.api_version = "keda.sh/v1".to_owned();
    let mut kind = whole();
    kind.kind = "ScaledObject".to_owned();
    for wrong in [version, kind] {
        let refusals = wrong.settings().unwrap_err().0;
        assert_eq!(refusals[0].field, "kind");
    }
}

#[test]
fn messages_wait_in_queues_that_a_trigger_reads_and_the_load_does_not() {
    let waiting = |queue: &str| {
        let around = Surroundings {
            waiting: [(queue.to_owned(), 7)].into(),
            ..Surroundings::default()
        };
        reasons(sample(), &around)
    };
    for (queue, told) in [
        ("aws2azmsgs", "the queue that the load comes into"),
        ("elsewhere", "has no azure-queue of the queue \"elsewhere\""),
    ] {
        let reasons = waiting(queue);
        assert!(
            reasons.len() == 1 && reasons[0].contains(told),
            "{reasons:?}"
        );
    }
}
