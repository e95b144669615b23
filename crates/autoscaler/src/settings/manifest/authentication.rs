//! `TriggerAuthentication` and `ClusterTriggerAuthentication`: the fields that affect an `azure-queue` trigger.

use serde::Deserialize;

use super::value::or_default;

/// An authentication of either kind (KEDA `apis/keda/v1alpha1/triggerauthentication_types.go`).
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct TriggerAuthentication {
    pub kind: String,
    pub name: String,
    pub spec: AuthenticationSpec,
}

/// `spec` (KEDA `TriggerAuthenticationSpec`).
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct AuthenticationSpec {
    pub pod_identity: Option<PodIdentity>,
    #[serde(default, deserialize_with = "or_default")]
    pub secret_target_ref: Vec<Parameter>,
    #[serde(default, deserialize_with = "or_default")]
    pub config_map_target_ref: Vec<Parameter>,
    #[serde(default, deserialize_with = "or_default")]
    pub env: Vec<Parameter>,
    pub file_path: Option<String>,
    pub hashi_corp_vault: Option<Secrets>,
    pub azure_key_vault: Option<Secrets>,
    pub gcp_secret_manager: Option<Secrets>,
    pub aws_secret_manager: Option<Secrets>,
    #[serde(default, deserialize_with = "or_default")]
    pub bound_service_account_token: Vec<Parameter>,
    pub oauth2: Option<OAuth2>,
}

/// `podIdentity` (KEDA `AuthPodIdentity`).
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct PodIdentity {
    #[serde(default, deserialize_with = "or_default")]
    pub provider: String,
    pub identity_id: Option<String>,
    pub identity_tenant_id: Option<String>,
    pub identity_authority_host: Option<String>,
    pub role_arn: Option<String>,
    #[serde(rename = "externalID")]
    pub external_id: Option<String>,
    pub identity_owner: Option<String>,
}

/// A parameter and its source, in any section: the other fields name the source.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct Parameter {
    pub parameter: String,
    pub name: Option<String>,
    pub key: Option<String>,
    pub container_name: Option<String>,
}

/// A secret store; KEDA's sign-in to it does not matter here.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Secrets {
    /// The parameters that come from it.
    #[serde(default, deserialize_with = "or_default")]
    pub secrets: Vec<Parameter>,
}

/// `oauth2` (KEDA `OAuth2`).
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "KEDA's reference documents its fields")]
pub struct OAuth2 {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub client_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub token_url: String,
}

impl AuthenticationSpec {
    /// Whether this parameter has a source that cannot be read here: a file, a Secret, a secret store, a token.
    pub(crate) fn gives_unseen(&self, parameter: &str) -> bool {
        let stores = [
            &self.hashi_corp_vault,
            &self.azure_key_vault,
            &self.gcp_secret_manager,
            &self.aws_secret_manager,
        ];
        let secrets = stores.into_iter().flatten().flat_map(|it| &it.secrets);
        let given = self.bound_service_account_token.iter();
        // A file can hold any of them.
        self.file_path.as_ref().is_some_and(|it| !it.is_empty())
            || given.chain(secrets).any(|it| it.parameter == parameter)
    }
}
