//! Finds the likely mistake behind a code of Microsoft Entra, and the command that mends it.
//!
//! Entra's codes are meant for people and may change ("Microsoft Entra authentication and authorization error codes"): only the
//! text of advice depends on them.

use std::fmt;

use time::OffsetDateTime;

use super::Assertion;
use super::shell::{output_of, told, word_or};

/// The sign-in request, as far as known; for advice only.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The directory (`AZURE_TENANT_ID`).
    pub tenant: String,
    /// The identity's client id (`AZURE_CLIENT_ID`).
    pub client: String,
    /// The pod's name (`POD_NAME`).
    pub pod: String,
    /// The claims of the pod's token.
    pub(in crate::azure) assertion: Assertion,
}

/// The probable mistake, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The mistake, in words.
    pub cause: String,
    /// The commands to run.
    pub steps: Vec<Step>,
}

/// One command, with words before it that say what it is for. No words follow a command, because a shell would take them for
/// arguments (zsh even after a `#`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The purpose of the command, such as `mend it with`.
    pub purpose: &'static str,
    /// The command, in one line, with placeholders such as `<group>` for unknown values.
    pub command: String,
}

impl Step {
    pub(super) const fn new(purpose: &'static str, command: String) -> Self {
        Self { purpose, command }
    }

    /// The command that mends the mistake.
    pub(super) const fn mend(command: String) -> Self {
        Self::new("mend it with", command)
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.cause)?;
        for Step { purpose, command } in &self.steps {
            write!(f, "; {purpose}: {command}")?;
        }
        Ok(())
    }
}

/// The options that name a federated credential.
const CREDENTIAL: &str = "--identity-name <identity> --resource-group <group> --name <credential>";

/// Prints the cluster's issuer.
const ISSUER: &str = "az aks show --resource-group <group> --name <cluster> --query oidcIssuerProfile.issuerUrl -o tsv";

/// Prints the tenant of the subscription that `az` is signed in to.
const TENANT: &str = "az account show --query tenantId -o tsv";

/// The audience of the tokens that workload identity projects.
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// The text for a claim if the pod's token cannot be read.
const UNREADABLE: &str = "which the pod's token does not tell";

/// The mistake behind a refused sign-in with `code` (`AADSTS700213`).
pub fn mistake(code: &str, asked: &Asked) -> Option<Mistake> {
    let Asked { tenant, client, .. } = asked;
    let Assertion { iss, sub, aud, exp } = &asked.assertion;
    let (issuer, subject) = (told(iss, UNREADABLE), told(sub, UNREADABLE));
    let to_subject = word_or(sub, "system:serviceaccount:<namespace>:<service-account>");
    let one = |cause: String, step| (cause, vec![step]);
    let (cause, steps) = match code.strip_prefix("AADSTS")? {
        "70021" | "700223" => one(
            format!(
                "identity {} has no federated credential for this service account",
                told(client, "(AZURE_CLIENT_ID is not set)")
            ),
            create_credential(&asked.assertion, &to_subject),
        ),
        "700211" => one(
            format!(
                "the federated credential is for another issuer than this cluster's, {issuer} (the slash at its end counts)"
            ),
            federated("update", &format!("--issuer {}", output_of(ISSUER))),
        ),
        "700212" => one(
            format!(
                "the pod's token is for the audience {}, and the federated credential is not; workload identity projects \
                 tokens for {AUDIENCE}",
                told(aud, UNREADABLE)
            ),
            federated("update", &format!("--audiences {AUDIENCE}")),
        ),
        "700213" | "7002138" => one(
            format!(
                "the federated credential is for another service account than the pod's, {subject} (namespace and name \
                 count, and their case)"
            ),
            federated("update", &format!("--subject {to_subject}")),
        ),
        "700024" => out_of_time(*exp, asked),
        "7000272" | "50013" | "700027" | "50027" => unsigned(issuer, asked),
        "50166" | "90061" => one(
            format!(
                "Entra cannot read the keys of the issuer {issuer}: the cluster publishes none, or not to the internet"
            ),
            Step::mend(
                "az aks update --resource-group <group> --name <cluster> --enable-oidc-issuer --enable-workload-identity"
                    .to_owned(),
            ),
        ),
        "700016" => one(
            format!(
                "no identity in tenant {tenant} has the client id {client}: the annotation azure.workload.identity/client-id \
                 of the service account is wrong, or the identity was deleted"
            ),
            Step::new(
                "see the right one with",
                "az identity show --resource-group <group> --name <identity> --query clientId -o tsv".to_owned(),
            ),
        ),
        "90002" | "900023" => one(
            format!("there is no tenant {tenant}: AZURE_TENANT_ID is wrong, or it is of another cloud"),
            Step::new("see the right one with", TENANT.to_owned()),
        ),
        _ => return None,
    };
    Some(Mistake { cause, steps })
}

fn create_credential(assertion: &Assertion, subject: &str) -> Step {
    let issuer = word_or(&assertion.iss, &output_of(ISSUER));
    let audience = word_or(&assertion.aud, AUDIENCE);
    let with = format!("--issuer {issuer} --subject {subject} --audiences {audience}");
    federated("create", &with)
}

/// The mistake if the assertion's signature cannot be verified.
fn unsigned(issuer: &str, asked: &Asked) -> (String, Vec<Step>) {
    let cause = format!(
        "the pod's token is not signed by a key that its issuer, {issuer}, publishes: another cluster signed it, keys were \
         rotated and the pod still has a token of before, or Entra has not read the new ones yet (of a new cluster, that can \
         take half an hour)"
    );
    let steps = vec![
        Step::new("compare its issuer with the cluster's", ISSUER.to_owned()),
        Step::new("restart the pod for a new token", delete_pod(asked)),
    ];
    (cause, steps)
}

fn federated(verb: &str, with: &str) -> Step {
    Step::mend(format!(
        "az identity federated-credential {verb} {CREDENTIAL} {with}"
    ))
}

/// The mistake if the assertion is not valid yet or has expired: it is stale by this machine's clock, otherwise one of the
/// clocks is wrong.
fn out_of_time(expires: i64, asked: &Asked) -> (String, Vec<Step>) {
    if expires != 0 && expires <= OffsetDateTime::now_utc().unix_timestamp() {
        let cause = "the pod's token has expired and the kubelet has not renewed it, or the pod mounts a copy that is never \
                     renewed (a subPath mount is not)";
        let step = Step::new("start the pod anew with", delete_pod(asked));
        return (cause.to_owned(), vec![step]);
    }
    let cause = "by this node's clock the pod's token is valid, and by Entra's it is not: the clocks of the node and of the \
                 API server must be right to 5 minutes (look at the node's with 'chronyc tracking')";
    // A node of node auto-provisioning belongs to a `NodeClaim`, and to no node pool of the cluster.
    let steps = vec![
        Step::new(
            "replace the nodes of a node pool with",
            "az aks nodepool upgrade --node-image-only --resource-group <group> --cluster-name <cluster> --name <pool>"
                .to_owned(),
        ),
        Step::new(
            "find the claim of a node of node auto-provisioning (column NODE) with",
            "kubectl get nodeclaims".to_owned(),
        ),
        Step::new(
            "replace such a node with",
            "kubectl delete nodeclaim <nodeclaim>".to_owned(),
        ),
    ];
    (cause.to_owned(), steps)
}

/// Deletes the pod, which its Deployment then replaces. The subject of its token has the namespace.
fn delete_pod(asked: &Asked) -> String {
    let parts: Vec<_> = asked.assertion.sub.split(':').collect();
    let namespace = match parts[..] {
        ["system", "serviceaccount", namespace, _] => namespace,
        _ => "",
    };
    format!(
        "kubectl delete pod {} --namespace {}",
        word_or(&asked.pod, "<pod>"),
        word_or(namespace, "<namespace>")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked {
        Asked {
            tenant: "tenant-1".to_owned(),
            client: "client-1".to_owned(),
            pod: "pod-1".to_owned(),
            assertion: Assertion {
                iss: "https://issuer/".to_owned(),
                sub: "system:serviceaccount:ns:sa".to_owned(),
                aud: "api://x".to_owned(),
                exp: 1,
            },
        }
    }

    #[test]
    fn each_code_names_the_value_that_does_not_match_and_the_command() {
        for (code, names, mends) in [
            (
                "AADSTS70021",
                "client-1",
                "--subject system:serviceaccount:ns:sa",
            ),
            ("AADSTS700223", "client-1", "federated-credential create"),
            (
                "AADSTS700211",
                "https://issuer/",
                "federated-credential update",
            ),
            (
                "AADSTS700212",
                "api://x",
                "--audiences api://AzureADTokenExchange",
            ),
            (
                "AADSTS700213",
                "system:serviceaccount:ns:sa",
                "--subject system",
            ),
            ("AADSTS7002138", "their case", "--subject system"),
            ("AADSTS7000272", "https://issuer/", "az aks show"),
            ("AADSTS50013", "https://issuer/", "az aks show"),
            ("AADSTS700027", "https://issuer/", "az aks show"),
            ("AADSTS50027", "https://issuer/", "az aks show"),
            ("AADSTS50166", "https://issuer/", "--enable-oidc-issuer"),
            ("AADSTS700016", "client-1", "az identity show"),
            ("AADSTS90002", "tenant-1", "az account show"),
            ("AADSTS900023", "tenant-1", "az account show"),
        ] {
            let mistake = mistake(code, &asked()).unwrap();
            assert!(mistake.cause.contains(names), "{code}: {mistake}");
            let command = &mistake.steps[0].command;
            assert!(command.contains(mends), "{code}: {mistake}");
            assert!(command.starts_with("az "), "{code}: {mistake}");
        }
        for code in ["", "700213", "AADSTS1", "CredentialUnavailable"] {
            assert_eq!(mistake(code, &asked()), None, "{code:?}");
        }
    }

    #[test]
    fn a_stale_token_is_told_from_a_clock_that_is_wrong() {
        let cause = |exp: i64| {
            let mut asked = asked();
            asked.assertion.exp = exp;
            mistake("AADSTS700024", &asked).unwrap().cause
        };
        assert!(cause(1).contains("has expired"));
        assert!(cause(i64::MAX).contains("clocks"));
    }

    #[test]
    fn a_pod_is_deleted_in_its_namespace_and_a_node_of_no_pool_by_its_claim() {
        let commands = |code: &str, exp: i64| {
            let mut asked = asked();
            asked.assertion.exp = exp;
            let steps = mistake(code, &asked).unwrap().steps;
            steps.into_iter().map(|step| step.command)
        };
        let delete = "kubectl delete pod pod-1 --namespace ns";
        assert!(commands("AADSTS700024", 1).any(|command| command == delete));
        assert!(commands("AADSTS7000272", 1).any(|command| command == delete));
        let claim = "kubectl delete nodeclaim <nodeclaim>";
        assert!(commands("AADSTS700024", i64::MAX).any(|command| command == claim));
    }

    #[test]
    fn a_claim_that_cannot_be_read_is_a_placeholder() {
        let unknown = Asked::default();
        let created = mistake("AADSTS70021", &unknown).unwrap().to_string();
        for part in [
            "--issuer \"$(az aks show --resource-group <group> --name <cluster>",
            "--subject system:serviceaccount:<namespace>:<service-account>",
            "--audiences api://AzureADTokenExchange",
        ] {
            assert!(created.contains(part), "{part:?} is missing in {created}");
        }
        for code in [
            "70021", "700211", "700212", "700213", "700024", "50013", "50166",
        ] {
            let told = mistake(&format!("AADSTS{code}"), &unknown).unwrap();
            for Step { command, .. } in &told.steps {
                assert!(
                    !command.contains("  ") && !command.ends_with(' '),
                    "{command:?}"
                );
            }
            assert!(
                !told.cause.contains(", ,") && !told.cause.contains("  "),
                "{told}"
            );
        }
    }
}
