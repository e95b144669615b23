//! KEDA's access to the queue: by a connection string, or by an identity.

use super::super::manifest::{
    AuthenticationSpec, OAuth2, PodIdentity, Trigger, TriggerAuthentication,
};
use super::super::surroundings::Resolved;
use super::super::{Refusal, RefusedBy, Surroundings};
use super::Check;
use super::connection::{self, NO_VARIABLE, is_variable};
use super::trigger::given;

/// KEDA `triggerauthentication_types.go`, `AuthPodIdentity`, the enumeration of its `provider`.
const PROVIDERS: [&str; 5] = ["azure-workload", "gcp", "aws", "aws-eks", "none"];
const KINDS: [&str; 2] = ["TriggerAuthentication", "ClusterTriggerAuthentication"];

impl TriggerAuthentication {
    /// Reasons why a cluster would refuse the authentication, or KEDA would not use it.
    pub fn refusals(&self) -> Vec<Refusal> {
        let kind = KINDS.into_iter().find(|kind| *kind == self.kind);
        let mut check = Check::of(kind.unwrap_or(KINDS[0]));
        if let Some(identity) = &self.spec.pod_identity {
            check.pod_identity(identity);
        }
        check.sources(&self.spec);
        // KEDA's `validateSpec` returns earlier if the identity has another provider.
        let identity = self.spec.pod_identity.as_ref();
        let seen = identity.is_none_or(|it| ["azure-workload", "aws"].contains(&&*it.provider));
        if let Some(oauth2) = self.spec.oauth2.as_ref().filter(|_| seen) {
            check.oauth2(oauth2);
        }
        // KEDA scale_resolvers.go, `resolveAuthRef`.
        let file = self.spec.file_path.as_deref().unwrap_or_default();
        if !file.is_empty() && self.kind != "ClusterTriggerAuthentication" {
            let reason = "is for a ClusterTriggerAuthentication only";
            check.refuse(RefusedBy::Keda, "spec.filePath", reason);
        }
        check.refusals
    }
}

impl Check {
    /// KEDA `triggerauthentication_webhook.go`, `validateSpec`; `scale_resolvers.go`, `ResolveAuthRefAndPodIdentity`.
    fn pod_identity(&mut self, identity: &PodIdentity) {
        let provider = identity.provider.as_str();
        let field = |name: &str| format!("spec.podIdentity.{name}");
        if !PROVIDERS.contains(&provider) {
            let reason = format!("is {provider:?}, must be {}", PROVIDERS.join(", "));
            return self.refuse(RefusedBy::Schema, field("provider"), reason);
        }
        if let Some(owner) = identity.identity_owner.as_deref()
            && !["keda", "workload"].contains(&owner)
        {
            let reason = format!("is {owner:?}, must be keda or workload");
            self.refuse(RefusedBy::Schema, field("identityOwner"), reason);
        }
        let empty = |text: &Option<String>| text.as_deref() == Some("");
        let set = |text: &Option<String>| text.as_ref().is_some_and(|it| !it.is_empty());
        let tenant = &identity.identity_tenant_id;
        if provider == "azure-workload" {
            if empty(&identity.identity_id) {
                let reason = "is empty: write the client id of the identity, or leave it away";
                self.refuse(RefusedBy::Keda, field("identityId"), reason);
            }
            if set(&identity.identity_authority_host) {
                if !set(tenant) {
                    let reason = "is missing: identityAuthorityHost needs it";
                    self.refuse(RefusedBy::Keda, field("identityTenantId"), reason);
                }
            } else if empty(tenant) {
                let reason = "is empty: write the tenant's id, or leave it away";
                self.refuse(RefusedBy::Keda, field("identityTenantId"), reason);
            }
        }
        if provider == "aws" {
            let owner = identity.identity_owner.as_deref();
            if set(&identity.role_arn) && owner == Some("workload") {
                let reason = "cannot be set where the identity is the workload's";
                self.refuse(RefusedBy::Keda, field("roleArn"), reason);
            }
            if set(&identity.external_id) && !set(&identity.role_arn) {
                let reason = "is missing: externalID needs it";
                self.refuse(RefusedBy::Keda, field("roleArn"), reason);
            }
        }
    }

    /// Checks the `required` fields of each entry (KEDA `keda.sh_triggerauthentications.yaml`).
    fn sources(&mut self, spec: &AuthenticationSpec) {
        for (section, entries, has_key) in [
            ("secretTargetRef", &spec.secret_target_ref, true),
            ("configMapTargetRef", &spec.config_map_target_ref, true),
            ("env", &spec.env, false),
        ] {
            for (n, entry) in entries.iter().enumerate() {
                let lacks = [
                    (entry.name.is_none(), "name"),
                    (has_key && entry.key.is_none(), "key"),
                ];
                for (_, name) in lacks.into_iter().filter(|(lacks, _)| *lacks) {
                    let field = format!("spec.{section}[{n}].{name}");
                    self.refuse(RefusedBy::Schema, field, "is missing");
                }
            }
        }
    }

    fn oauth2(&mut self, oauth2: &OAuth2) {
        let kind = oauth2.kind.as_deref().unwrap_or("clientCredentials");
        if kind != "clientCredentials" {
            let reason = format!("is {kind:?}, must be clientCredentials");
            self.refuse(RefusedBy::Schema, "spec.oauth2.type", reason);
        }
        if oauth2.client_id.is_empty() {
            self.refuse(RefusedBy::Keda, "spec.oauth2.clientId", "is missing");
        }
        let url = oauth2.token_url.split_once("://");
        let url = url.filter(|(scheme, rest)| {
            let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
            ["http", "https"].contains(scheme) && !host.is_empty()
        });
        if url.is_none() {
            let reason = format!("is {:?}, must be an http or https URL", oauth2.token_url);
            self.refuse(RefusedBy::Keda, "spec.oauth2.tokenUrl", reason);
        }
    }

    /// Checks how KEDA signs in (KEDA `azure_queue_scaler.go`, `parseAzureQueueMetadata`, its `switch` on the pod identity).
    pub(super) fn access(&mut self, trigger: &Trigger, field: &str, around: &Surroundings) {
        let reference = trigger.authentication_ref.as_ref();
        if let Some(kind) = reference.and_then(|it| it.kind.as_deref())
            && !KINDS.contains(&kind)
        {
            let field = format!("{field}.authenticationRef.kind");
            let reason = format!("is {kind:?}, must be {}", KINDS.join(" or "));
            return self.refuse(RefusedBy::Schema, field, reason);
        }
        // KEDA scale_resolvers.go, `resolveAuthRef`: a reference without a name is none.
        let Some(reference) = reference.filter(|it| !it.name.is_empty()) else {
            return self.connection(trigger, field, around, None);
        };
        // The content of an unknown authentication is unknown.
        let Some(found) = around.authentication(reference) else {
            return;
        };
        let refused = found.refusals().into_iter().map(|refusal| Refusal {
            field: format!("{}/{} {}", found.kind, found.name, refusal.field),
            ..refusal
        });
        let sound = self.refusals.len();
        self.refusals.extend(refused);
        if self.refusals.len() > sound {
            return;
        }
        let provider = found.spec.pod_identity.as_ref();
        match provider.map_or("none", |it| it.provider.as_str()) {
            "none" => self.connection(trigger, field, around, Some(found)),
            "azure-workload" => {
                if given(trigger, "accountName").is_none() {
                    let field = format!("{field}.metadata.accountName");
                    let reason = "is missing: with workload identity, name the storage account";
                    self.refuse(RefusedBy::Keda, field, reason);
                }
            }
            other => {
                let field = format!("{}/{} spec.podIdentity.provider", found.kind, found.name);
                let reason =
                    format!("is {other}, which azure-queue does not support: write azure-workload");
                self.refuse(RefusedBy::Keda, field, reason);
            }
        }
    }

    /// Checks that a connection string comes from somewhere: the authentication, then the metadata, then the environment of the
    /// scale target (KEDA `azureQueueMetadata`, the order of `connection`).
    fn connection(
        &mut self,
        trigger: &Trigger,
        field: &str,
        around: &Surroundings,
        found: Option<&TriggerAuthentication>,
    ) {
        let mut nothing = None;
        match found.map(|found| connection_of(found, around)) {
            Some(Given::Unseen) => return,
            Some(Given::Text { field, text }) => {
                return self.connection_string(&text, field, "is connection, whose value ");
            }
            Some(Given::Nothing { field, reason }) => nothing = Some((field, reason)),
            Some(Given::Not) | None => {}
        }
        if let Some(text) = given(trigger, "connection") {
            return self.connection_string(text, format!("{field}.metadata.connection"), "");
        }
        let Some(variable) = given(trigger, "connectionFromEnv") else {
            let (field, reason) = nothing.unwrap_or_else(|| {
                let reason = "names no way to the queue: give metadata.connectionFromEnv, or an authenticationRef that gives \
                              the parameter connection or workload identity";
                (field.to_owned(), reason.to_owned())
            });
            return self.refuse(RefusedBy::Keda, field, reason);
        };
        self.connection_from_env(trigger, variable, field, around);
    }

    /// KEDA `scale_resolvers.go`, `resolveEnv`; `typed_config.go`, `configParamValue`: it trims what a variable holds, and not the
    /// variable's name.
    fn connection_from_env(
        &mut self,
        trigger: &Trigger,
        trimmed: &str,
        field: &str,
        around: &Surroundings,
    ) {
        let field = format!("{field}.metadata.connectionFromEnv");
        let variable = trigger.metadata.get("connectionFromEnv");
        let variable = variable.map_or(trimmed, |text| text.0.as_str());
        let variables = around.variables.as_ref();
        let is_there = || variables.is_some_and(|it| it.values.contains_key(variable));
        if variable != trimmed && is_variable(trimmed) && !is_there() {
            let reason = format!(
                "is {variable:?}: the space around a variable's name is a part of it to KEDA, which finds no such variable; write \
                 connectionFromEnv: {trimmed} on one line"
            );
            return self.refuse(RefusedBy::Keda, field, reason);
        }
        if !is_variable(variable) {
            return self.refuse(RefusedBy::Keda, field, NO_VARIABLE);
        }
        let Some(variables) = variables else {
            return;
        };
        match variables.values.get(variable) {
            Some(Some(text)) if !text.trim().is_empty() => {
                let of = format!("is {variable}, whose value ");
                self.connection_string(text.trim(), field, &of);
            }
            Some(None) => {}
            None if !variables.complete => {}
            _ => {
                let reason = format!(
                    "is {variable}, which the container of the scale target does not have, or which is empty there"
                );
                self.refuse(RefusedBy::Keda, field, reason);
            }
        }
    }

    /// Refuses a text that KEDA's client does not accept as a connection string; `of` names its source, if `field` only refers
    /// to it.
    fn connection_string(&mut self, text: &str, field: String, of: &str) {
        if let Some((by, problem)) = connection::problem(text) {
            self.refuse(by, field, format!("{of}{problem}"));
        }
    }
}

/// The value that an authentication gives for `connection`.
enum Given {
    /// A value that cannot be read here.
    Unseen,
    /// This text, from this field.
    Text { field: String, text: String },
    /// No value, although this field should give one.
    Nothing { field: String, reason: String },
    /// The authentication has no field for it.
    Not,
}

/// Of several sources the last one counts, even if it gives nothing (KEDA `scale_resolvers.go`, `resolveAuthRef`).
fn connection_of(found: &TriggerAuthentication, around: &Surroundings) -> Given {
    let spec = &found.spec;
    if spec.gives_unseen("connection") {
        return Given::Unseen;
    }
    let variables = spec.env.iter().enumerate();
    let variables = variables.map(|(n, entry)| ("env", n, entry));
    let maps = spec.config_map_target_ref.iter().enumerate();
    let maps = maps.map(|(n, entry)| ("configMapTargetRef", n, entry));
    let secrets = spec.secret_target_ref.iter().enumerate();
    let secrets = secrets.map(|(n, entry)| ("secretTargetRef", n, entry));
    let mut of_connection = variables.chain(maps).chain(secrets);
    let Some((section, n, entry)) =
        of_connection.rfind(|(_, _, entry)| entry.parameter == "connection")
    else {
        return Given::Not;
    };
    // A `ClusterTriggerAuthentication` uses the `ConfigMap` objects of KEDA's own namespace.
    let resolved = match section {
        "env" => around.variable(entry),
        _ if found.kind == "ClusterTriggerAuthentication" => Resolved::Unknown,
        "configMapTargetRef" => around.configured(entry),
        _ => around.secret(entry),
    };
    let field = |name: &str| format!("{}/{} spec.{section}[{n}].{name}", found.kind, found.name);
    match resolved {
        Resolved::Unknown => Given::Unseen,
        Resolved::Text(text) => Given::Text {
            field: field("parameter"),
            text,
        },
        Resolved::Nothing(name, reason) => Given::Nothing {
            field: field(name),
            reason,
        },
    }
}
