//! Unknown fields of a `TriggerAuthentication`, each with the field that was meant.
//!
//! Source: KEDA `config/crd/bases/keda.sh_triggerauthentications.yaml`. Left out: how KEDA signs in to a store of secrets.

use serde_json::Value;

use super::meant::meant;

const SPEC: &[&str] = &[
    "awsSecretManager",
    "azureKeyVault",
    "boundServiceAccountToken",
    "configMapTargetRef",
    "env",
    "filePath",
    "gcpSecretManager",
    "hashiCorpVault",
    "oauth2",
    "podIdentity",
    "secretTargetRef",
];

const IDENTITY: &[&str] = &[
    "externalID",
    "identityAuthorityHost",
    "identityId",
    "identityOwner",
    "identityTenantId",
    "provider",
    "roleArn",
];

const OAUTH2: &[&str] = &[
    "clientId",
    "clientSecret",
    "scopes",
    "tokenUrl",
    "tokenUrlParams",
    "type",
];

/// Lists, each with the fields of its entries.
const LISTS: [(&str, &[&str]); 4] = [
    ("secretTargetRef", &["key", "name", "parameter"]),
    ("configMapTargetRef", &["key", "name", "parameter"]),
    ("env", &["containerName", "name", "parameter"]),
    (
        "boundServiceAccountToken",
        &["parameter", "serviceAccountName"],
    ),
];

/// Stores of secrets, each with the fields of an entry of its `secrets`.
const STORES: [(&str, &[&str]); 4] = [
    (
        "hashiCorpVault",
        &["key", "parameter", "path", "pkiData", "type"],
    ),
    ("azureKeyVault", &["name", "parameter", "version"]),
    ("gcpSecretManager", &["id", "parameter", "version"]),
    (
        "awsSecretManager",
        &[
            "name",
            "parameter",
            "secretKey",
            "versionId",
            "versionStage",
        ],
    ),
];

/// Each unknown field of `spec`, with what to write.
pub(super) fn unknown(spec: &Value) -> Vec<String> {
    let mut told = Vec::new();
    fields("spec", spec, SPEC, &mut told);
    for (name, known) in LISTS {
        entries(&format!("spec.{name}"), &spec[name], known, &mut told);
    }
    for (name, known) in STORES {
        let place = format!("spec.{name}");
        let store = &spec[name];
        let identity = format!("{place}.podIdentity");
        entries(
            &format!("{place}.secrets"),
            &store["secrets"],
            known,
            &mut told,
        );
        fields(&identity, &store["podIdentity"], IDENTITY, &mut told);
    }
    fields(
        "spec.podIdentity",
        &spec["podIdentity"],
        IDENTITY,
        &mut told,
    );
    fields("spec.oauth2", &spec["oauth2"], OAUTH2, &mut told);
    told
}

fn entries(place: &str, list: &Value, known: &[&str], told: &mut Vec<String>) {
    let list = list.as_array().into_iter().flatten();
    for (n, entry) in list.enumerate() {
        fields(&format!("{place}[{n}]"), entry, known, told);
    }
}

fn fields(place: &str, value: &Value, known: &[&str], told: &mut Vec<String>) {
    let fields = value.as_object().into_iter().flat_map(|it| it.keys());
    for field in fields.filter(|it| !known.contains(&it.as_str())) {
        let meant = meant(known, field);
        let meant = meant.unwrap_or_else(|| format!("; there are {}", known.join(", ")));
        told.push(format!("{place}.{field}: is an unknown field{meant}"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Manifests, parse};

    fn told(spec: &str) -> String {
        let text = format!(
            "apiVersion: keda.sh/v1alpha1\nkind: TriggerAuthentication\nmetadata: {{name: auth}}\nspec: {spec}\n"
        );
        let documents = parse("a.yaml", &text).unwrap();
        Manifests::from_documents(&documents)
            .map_or_else(|error| error.to_string(), |_| String::new())
    }

    /// Sources: KEDA `keda.sh_triggerauthentications.yaml`; Kubernetes, strict field validation ("strict decoding error: unknown field").
    #[test]
    fn an_unknown_field_of_an_entry_is_told_with_the_one_that_was_meant() {
        for (spec, parts) in [
            (
                "{secretTargetRef: [{parameter: connection, nam: s, key: k}]}",
                &["spec.secretTargetRef[0].nam: is an unknown field; write name"][..],
            ),
            (
                "{env: [{parametr: connection, name: C}]}",
                &["spec.env[0].parametr: is an unknown field; write parameter"],
            ),
            (
                "{env: [{parameter: connection, name: C, container: c}]}",
                &["spec.env[0].container: is an unknown field; write containerName"],
            ),
            (
                "{podIdentity: {provider: azure-workload, idendityId: i}}",
                &["spec.podIdentity.idendityId: is an unknown field; write identityId"],
            ),
            (
                "{podIdentity: {provider: azure-workload, identityID: i}}",
                &[
                    "spec.podIdentity.identityID: is",
                    "have their case; write identityId",
                ],
            ),
            (
                "{podIdentiy: {provider: azure-workload}}",
                &["spec.podIdentiy: is an unknown field; write podIdentity"],
            ),
            (
                "{secretTargetRef: [{parameter: a, name: s, key: k}, {parameter: b, secretName: s, key: k}]}",
                &[
                    "spec.secretTargetRef[1].secretName: is an unknown field; there are key, name, parameter",
                ],
            ),
            (
                "{azureKeyVault: {vaultUri: u, podIdentity: {provder: aws}, secrets: [{parameter: a, secretName: s}]}}",
                &[
                    "spec.azureKeyVault.secrets[0].secretName: is",
                    "podIdentity.provder: is an unknown field; write provider",
                ],
            ),
            (
                "{configMapTargetRef: [{par\u{430}meter: a, name: s, key: k}]}",
                &["U+0430, a letter of Cyrillic"],
            ),
        ] {
            let told = told(spec);
            assert!(
                told.starts_with("read TriggerAuthentication/auth of a.yaml: "),
                "{told}"
            );
            for part in parts {
                assert!(told.contains(part), "{spec}: {told}");
            }
        }
    }

    #[test]
    fn known_fields_are_taken() {
        for spec in [
            "{}",
            "{secretTargetRef: [{parameter: connection, name: s, key: k}], env: [{parameter: p, name: C, containerName: c}]}",
            "{podIdentity: {provider: azure-workload, identityId: i, identityTenantId: t, identityAuthorityHost: h}}",
            "{hashiCorpVault: {address: a, authentication: token, secrets: [{parameter: p, key: k, path: x, type: secretV2}]}}",
            "{gcpSecretManager: {secrets: [{parameter: p, id: i, version: '1'}]}, boundServiceAccountToken: [{parameter: p, serviceAccountName: s}]}",
            "{awsSecretManager: {podIdentity: {provider: aws}, secrets: [{parameter: p, name: i, versionId: '1', secretKey: k}]}}",
        ] {
            assert_eq!(told(spec), "", "{spec}");
        }
    }
}
