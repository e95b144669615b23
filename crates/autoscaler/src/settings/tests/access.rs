//! Tests of KEDA's access to the queue.

use serde_json::{Value, json};

use super::{sample, with};
use crate::manifest::TriggerAuthentication;
use crate::{RefusedBy, ScaledObject, Surroundings, Variables};

const TRIGGER: &str = "spec.triggers[0]";
const CONNECTION: &str = "AccountName=a;AccountKey=b";

fn authentication(kind: &str, spec: Value) -> Surroundings {
    Surroundings {
        authentications: vec![TriggerAuthentication {
            kind: kind.to_owned(),
            name: "keda-az-credentials".to_owned(),
            spec: serde_json::from_value(spec).unwrap(),
        }],
        ..Surroundings::default()
    }
}

fn namespaced(spec: Value) -> Surroundings {
    authentication("TriggerAuthentication", spec)
}

fn identity(identity: &Value) -> Surroundings {
    namespaced(json!({ "podIdentity": identity }))
}

fn refused(manifest: Value, around: &Surroundings) -> Vec<(String, RefusedBy)> {
    let object: ScaledObject = serde_json::from_value(manifest).unwrap();
    let refusals = object.settings_in(around).err();
    let refusals = refusals.into_iter().flat_map(|refusals| refusals.0);
    refusals.map(|it| (it.field, it.by)).collect()
}

/// The sample's trigger with `key` of its metadata set, and neither an authentication nor an account.
fn bare(key: &str, value: &str) -> Value {
    let manifest = with(sample(), "/spec/triggers/0/authenticationRef", Value::Null);
    let field = format!("/spec/triggers/0/metadata/{key}");
    with(manifest, &field, json!(value))
}

/// Source: KEDA `pkg/scalers/azure_queue_scaler.go`, `parseAzureQueueMetadata`: "no connection setting given".
#[test]
fn without_an_identity_a_connection_must_be_given() {
    let nothing = Surroundings::default();
    let refusal = [(TRIGGER.to_owned(), RefusedBy::Keda)];
    assert_eq!(refused(bare("queueLength", "5"), &nothing), refusal);
    for blank in ["", "  "] {
        assert_eq!(refused(bare("connectionFromEnv", blank), &nothing), refusal);
    }
    let unnamed = json!({ "name": "" });
    let unnamed = with(sample(), "/spec/triggers/0/authenticationRef", unnamed);
    assert_eq!(refused(unnamed, &nothing), refusal);
    assert_eq!(refused(bare("connectionFromEnv", "C"), &nothing), []);
    assert_eq!(refused(bare("connection", CONNECTION), &nothing), []);
    // An authentication that is not listed may supply it.
    assert_eq!(refused(sample(), &nothing), []);
    for (spec, gives) in [
        (
            json!({ "secretTargetRef": [{ "parameter": "connection", "name": "s", "key": "k" }] }),
            true,
        ),
        (
            json!({ "secretTargetRef": [{ "parameter": "connectionString", "name": "s", "key": "k" }] }),
            false,
        ),
        (
            json!({ "env": [{ "parameter": "connection", "name": "C" }] }),
            true,
        ),
        (
            json!({ "azureKeyVault": { "vaultUri": "v", "secrets": [{ "parameter": "connection", "name": "s" }] } }),
            true,
        ),
        (json!({ "podIdentity": { "provider": "none" } }), false),
        (json!({}), false),
    ] {
        let expected = if gives { &[] } else { &refusal[..] };
        assert_eq!(
            refused(sample(), &namespaced(spec.clone())),
            expected,
            "{spec}"
        );
    }
}

/// Source: KEDA `pkg/scaling/resolver/scale_resolvers.go`, `ResolveContainerEnv` and `resolveEnv`.
#[test]
fn a_variable_must_be_in_the_container_of_the_scale_target() {
    let value = |value: &str| Some(value.to_owned());
    for (variables, complete, refuses) in [
        (vec![("C", value(CONNECTION))], true, false),
        (vec![("C", None)], true, false),
        (vec![("C", value(" "))], true, true),
        (vec![("D", value("x"))], true, true),
        (vec![("D", value("x"))], false, false),
        (vec![("C", value("UseDevelopmentStorage=true"))], true, true),
        (vec![("C", value("x"))], true, true),
        (vec![("C", value("${FROM_THE_PIPELINE}"))], true, false),
    ] {
        let values = variables.iter();
        let around = Surroundings {
            variables: Some(Variables {
                values: values
                    .map(|(name, it)| ((*name).to_owned(), it.clone()))
                    .collect(),
                complete,
            }),
            ..Surroundings::default()
        };
        let field = format!("{TRIGGER}.metadata.connectionFromEnv");
        let refusal = (field, RefusedBy::Keda);
        let expected: Vec<_> = refuses.then_some(refusal).into_iter().collect();
        let seen = refused(bare("connectionFromEnv", "C"), &around);
        assert_eq!(seen, expected, "{variables:?}");
    }
}

/// Source: Azure SDK for Go `sdk/storage/azqueue/internal/shared/shared.go`, `ParseConnectionString`; Kubernetes
/// `apimachinery/pkg/util/validation/validation.go`, `IsRelaxedEnvVarName`.
#[test]
fn a_name_in_place_of_a_connection_string_and_the_other_way_round_are_refused() {
    let nothing = Surroundings::default();
    let of = |key: &str| vec![(format!("{TRIGGER}.metadata.{key}"), RefusedBy::Keda)];
    assert_eq!(
        refused(bare("connection", "AzureWebJobsStorage"), &nothing),
        of("connection")
    );
    assert_eq!(refused(bare("connection", "${STORAGE}"), &nothing), []);
    let object = bare("connectionFromEnv", CONNECTION);
    assert_eq!(refused(object.clone(), &nothing), of("connectionFromEnv"));
    let object: ScaledObject = serde_json::from_value(object).unwrap();
    let told = object.settings().unwrap_err().to_string();
    assert!(told.contains("belongs into a Secret"), "{told}");
    assert!(!told.contains("AccountKey=b"), "{told}");
    let spec = json!({ "env": [{ "parameter": "connection", "name": CONNECTION }] });
    let field = "TriggerAuthentication/keda-az-credentials spec.env[0].name";
    assert_eq!(
        refused(sample(), &namespaced(spec)),
        [(field.to_owned(), RefusedBy::Keda)]
    );
}

/// Source: KEDA `pkg/scaling/resolver/scale_resolvers.go`, `resolveAuthRef`, which makes an empty text of an error of
/// `ResolveContainerEnv` ("couldn't find container with name"), and `resolveAuthSecret` of a missing key; `typed_config.go`, `configParamValue`: an empty text is none.
#[test]
fn an_authentication_reads_a_container_and_a_variable_that_there_are() {
    let env = |name: &str, container: Option<&str>| json!({ "env": [{ "parameter": "connection", "name": name, "containerName": container }] });
    let map = |name: &str, key: &str| json!({ "configMapTargetRef": [{ "parameter": "connection", "name": name, "key": key }] });
    let secret = |name: &str, key: &str| json!({ "secretTargetRef": [{ "parameter": "connection", "name": name, "key": key }] });
    let both = json!({
        "env": [{ "parameter": "connection", "name": "C" }],
        "configMapTargetRef": [{ "parameter": "connection", "name": "m", "key": "none" }]
    });
    let container = |name: &str, variable: &str, complete| {
        let values = [(variable.to_owned(), Some(CONNECTION.to_owned()))];
        let values = values.into();
        (name.to_owned(), Variables { values, complete })
    };
    let fixed = |spec| Surroundings {
        containers: Some(vec![
            container("app", "C", true),
            container("side", "S", false),
        ]),
        config_maps: [(
            "m".to_owned(),
            [("k".to_owned(), CONNECTION.to_owned())].into(),
        )]
        .into(),
        secrets: [("s".to_owned(), ["k".to_owned()].into())].into(),
        ..namespaced(spec)
    };
    for (spec, wrong) in [
        (env("C", None), None),
        (env("C", Some("")), None),
        (env("C", Some("app")), None),
        (env("S", Some("side")), None),
        // It may come from a Secret.
        (env("T", Some("side")), None),
        (env("C", Some("sidecar")), Some("env[0].containerName")),
        (env("S", None), Some("env[0].name")),
        (env("S", Some("app")), Some("env[0].name")),
        (map("m", "k"), None),
        (map("elsewhere", "k"), None),
        (map("m", "j"), Some("configMapTargetRef[0].key")),
        (secret("s", "k"), None),
        (secret("elsewhere", "k"), None),
        (secret("s", "j"), Some("secretTargetRef[0].key")),
        // The later section counts, even if it gives nothing.
        (both, Some("configMapTargetRef[0].key")),
    ] {
        let field = |it| format!("TriggerAuthentication/keda-az-credentials spec.{it}");
        let expected: Vec<_> = wrong
            .map(|it| (field(it), RefusedBy::Keda))
            .into_iter()
            .collect();
        assert_eq!(refused(sample(), &fixed(spec.clone())), expected, "{spec}");
        // If the target is unknown, so is the value.
        let unknown = namespaced(spec);
        assert_eq!(refused(sample(), &unknown), []);
    }
    // KEDA then reads the metadata.
    let manifest = with(
        sample(),
        "/spec/triggers/0/metadata/connection",
        json!(CONNECTION),
    );
    assert_eq!(refused(manifest, &fixed(env("C", Some("sidecar")))), []);
    let told = serde_json::from_value::<ScaledObject>(sample()).unwrap();
    let told = told.settings_in(&fixed(env("C", Some("sidecar"))));
    let told = told.unwrap_err().0.remove(0).reason;
    assert_eq!(
        told,
        "is sidecar, and the scale target has no such container, so that KEDA finds nothing: write app or side"
    );
}

/// Source: KEDA `azure_queue_scaler.go`, `parseAzureQueueMetadata`: "no accountName given", "pod identity %s not supported".
#[test]
fn workload_identity_needs_the_name_of_the_account() {
    let workload = identity(&json!({ "provider": "azure-workload" }));
    assert_eq!(refused(sample(), &workload), []);
    for account in [Value::Null, json!(" ")] {
        let field = "/spec/triggers/0/metadata/accountName";
        let field_of = format!("{TRIGGER}.metadata.accountName");
        let seen = refused(with(sample(), field, account), &workload);
        assert_eq!(seen, [(field_of, RefusedBy::Keda)]);
    }
    let provider = "TriggerAuthentication/keda-az-credentials spec.podIdentity.provider";
    let aws = identity(&json!({ "provider": "aws" }));
    let refusal = (provider.to_owned(), RefusedBy::Keda);
    assert_eq!(refused(sample(), &aws), [refusal]);
}

/// Source: KEDA `triggerauthentication_webhook.go`, `validateSpec`; `triggerauthentication_types.go`, `AuthPodIdentity`.
#[test]
fn an_authentication_that_a_cluster_refuses_is_refused() {
    use RefusedBy::{Keda, Schema};
    let workload = |field: &str, value: &str| {
        let mut identity = json!({ "provider": "azure-workload" });
        identity[field] = json!(value);
        identity
    };
    let authority = json!({ "provider": "azure-workload", "identityAuthorityHost": "https://a" });
    for (spec, field, by) in [
        (json!({ "provider": "azure" }), "provider", Schema),
        (json!({ "identityId": "x" }), "provider", Schema),
        (workload("identityId", ""), "identityId", Keda),
        (workload("identityTenantId", ""), "identityTenantId", Keda),
        (workload("identityOwner", "pod"), "identityOwner", Schema),
        (authority, "identityTenantId", Keda),
        (
            json!({ "provider": "aws", "externalID": "x" }),
            "roleArn",
            Keda,
        ),
    ] {
        let field = format!("TriggerAuthentication/keda-az-credentials spec.podIdentity.{field}");
        let seen = refused(sample(), &identity(&spec));
        assert_eq!(seen, [(field, by)], "{spec}");
    }
    let file = json!({ "filePath": "/auth.json" });
    let refusal = "TriggerAuthentication/keda-az-credentials spec.filePath";
    let seen = refused(sample(), &namespaced(file.clone()));
    assert_eq!(seen, [(refusal.to_owned(), Keda)]);
    let of_cluster =
        json!({ "name": "keda-az-credentials", "kind": "ClusterTriggerAuthentication" });
    let of_cluster = with(sample(), "/spec/triggers/0/authenticationRef", of_cluster);
    let cluster = authentication("ClusterTriggerAuthentication", file);
    assert_eq!(refused(of_cluster, &cluster), []);
    let oauth2 = json!({ "oauth2": { "clientId": "c", "tokenUrl": "ftp://t" } });
    let refusal = "TriggerAuthentication/keda-az-credentials spec.oauth2.tokenUrl";
    assert_eq!(
        refused(sample(), &namespaced(oauth2)),
        [(refusal.to_owned(), Keda)]
    );
}

/// Source: KEDA `keda.sh_triggerauthentications.yaml`, the `required` fields.
#[test]
fn a_parameter_without_its_source_is_refused() {
    let spec = json!({
        "secretTargetRef": [{ "parameter": "connection", "name": "s" }, { "parameter": "connection", "name": "s", "key": "k" }],
        "configMapTargetRef": [{ "parameter": "connection" }],
        "env": [{ "parameter": "connection" }, { "parameter": "connection", "name": "C" }]
    });
    let authentication = TriggerAuthentication {
        kind: "TriggerAuthentication".to_owned(),
        name: "auth".to_owned(),
        spec: serde_json::from_value(spec).unwrap(),
    };
    let refusals = authentication.refusals();
    let fields: Vec<_> = refusals.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "spec.secretTargetRef[0].key",
            "spec.configMapTargetRef[0].name",
            "spec.configMapTargetRef[0].key",
            "spec.env[0].name",
        ]
    );
}

/// Source: KEDA `pkg/scalers/scalersconfig/typed_config.go`, `configParamValue`: `key = sc.TriggerMetadata[..FromEnv]`, `m[key]`, and only
/// then `strings.TrimSpace(param)`.
#[test]
fn space_around_the_name_of_a_variable_is_a_part_of_it() {
    let nothing = Surroundings::default();
    for name in [" C", "C ", "C\n", "\tC"] {
        let object: ScaledObject = serde_json::from_value(bare("connectionFromEnv", name)).unwrap();
        let told = object.settings().unwrap_err().to_string();
        assert!(
            told.contains("write connectionFromEnv: C on one line"),
            "{told}"
        );
    }
    let values = [(" C".to_owned(), Some(CONNECTION.to_owned()))].into();
    let variables = Variables {
        values,
        complete: true,
    };
    let around = Surroundings {
        variables: Some(variables),
        ..nothing
    };
    assert_eq!(refused(bare("connectionFromEnv", " C"), &around), []);
}
