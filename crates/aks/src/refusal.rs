//! Refusals of `az` and `kubectl`, distinguished by the codes in their errors.
//!
//! Codes are those of Azure Resource Manager ("Troubleshoot common Azure deployment errors"), AKS ("error codes"), Entra
//! ("AADSTS error codes") and of kubectl's own messages.

use std::fmt;

use crate::failure::{Exit, Failure};

/// Reason why a program failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The program is not in PATH.
    NoProgram,
    /// The program did not end within its time limit, and was killed.
    TimedOut,
    /// The assertion with which `az` signed in is older than ten minutes.
    AssertionExpired,
    NotSignedIn,
    Quota,
    NoCapacity,
    /// Two federated credentials of one identity were written at the same time.
    CredentialConflict,
    /// A new identity is not replicated everywhere yet.
    PrincipalNotFound,
    /// Another operation on the same resource is in progress.
    Busy,
    BeingDeleted,
    Locked,
    Forbidden,
    NotFound,
    /// The region does not offer this version of Kubernetes any more.
    Version,
    /// The cluster does not know a kind: an add-on is not installed yet.
    Undefined,
    Unreachable,
    Other,
}

/// Each kind with its texts, the most specific kind first: an error may contain several.
const WORDS: [(Kind, &[&str]); 15] = [
    (Kind::AssertionExpired, &["AADSTS700024"]),
    (Kind::NotSignedIn, &["az login", "No subscription found"]),
    (
        Kind::Quota,
        &[
            "QuotaExceeded",
            "InsufficientVCPUQuota",
            "exceeding approved",
            // In each of the three texts of node auto-provisioning (karpenter-provider-azure, `commonerrorhandlers.go`).
            "vCPU quota",
        ],
    ),
    (
        Kind::NoCapacity,
        &[
            "SkuNotAvailable",
            "AllocationFailed",
            "OverconstrainedAllocationRequest",
            "NotAvailableForSubscription",
            "VMSizeNotSupported",
            // What AKS answers where a subscription may not have a size in a region.
            "is not allowed in your subscription",
            // As in node auto-provisioning (karpenter-provider-azure, `commonerrorhandlers.go`, `cloudprovider.go` and `vminstance.go`).
            "unable to allocate resources",
            "azureskunotavailable",
            "all requested instance types were unavailable",
            "no instance types available",
        ],
    ),
    (Kind::Version, &["K8sVersionNotSupported"]),
    (
        Kind::CredentialConflict,
        &["ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"],
    ),
    (Kind::PrincipalNotFound, &["PrincipalNotFound"]),
    (Kind::BeingDeleted, &["ResourceGroupBeingDeleted"]),
    (
        Kind::Busy,
        &[
            "DeploymentActive",
            "AnotherOperationInProgress",
            "OperationPreempted",
        ],
    ),
    (Kind::Locked, &["ScopeLocked"]),
    (
        Kind::Forbidden,
        &[
            "AuthorizationFailed",
            "LinkedAuthorizationFailed",
            "Forbidden",
            "Unauthorized",
            "denied:",
            "unauthorized:",
        ],
    ),
    (
        Kind::NotFound,
        &[
            "ResourceGroupNotFound",
            "ResourceNotFound",
            "NotFound",
            "could not be found",
        ],
    ),
    (
        Kind::Undefined,
        &["no matches for kind", "doesn't have a resource type"],
    ),
    (
        Kind::Unreachable,
        &[
            "connection refused",
            "TLS handshake timeout",
            "i/o timeout",
            "no such host",
            "failed calling webhook",
            "no endpoints available",
            "ServiceUnavailable",
            "InternalServerError",
            "TooManyRequests",
        ],
    ),
    (Kind::Other, &[]),
];

/// A failed call of a program.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The command, without secrets.
    pub(crate) command: String,
    pub(crate) kind: Kind,
    /// Its error text, without secrets.
    pub(crate) text: String,
}

impl Refusal {
    /// Makes the refusal of a program that ended with an error.
    pub(crate) fn of(command: String, text: String) -> Self {
        let holds = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let kind = WORDS.iter().find(|(_, words)| holds(words));
        let kind = kind.map_or(Kind::Other, |(kind, _)| *kind);
        Self {
            command,
            kind,
            text,
        }
    }

    /// Whether a later try may succeed.
    pub(crate) fn passes(&self) -> bool {
        matches!(
            self.kind,
            Kind::CredentialConflict
                | Kind::PrincipalNotFound
                | Kind::Busy
                | Kind::BeingDeleted
                | Kind::Unreachable
        )
    }

    /// The exit code of a command that this refusal ends, and advice.
    pub(crate) fn judged(&self) -> (Exit, Option<&'static str>) {
        match self.kind {
            Kind::NoProgram => (
                Exit::Missing,
                Some("install the program, or set PATH; docs/AKS.md lists what is needed"),
            ),
            Kind::TimedOut => (
                Exit::NotReady,
                Some("run the same command again: every step can be repeated"),
            ),
            Kind::AssertionExpired | Kind::NotSignedIn => (
                Exit::Denied,
                Some(
                    "in a workflow, give the job `id-token: write`, AZURE_CLIENT_ID and AZURE_TENANT_ID; elsewhere, sign in: az login",
                ),
            ),
            Kind::Quota => (
                Exit::Inconclusive,
                Some(
                    "choose another --location, or ask for quota in the region, of which there is: az vm list-usage --location <region>",
                ),
            ),
            Kind::NoCapacity => (
                Exit::Inconclusive,
                Some("choose another --location, or another systemVmSize in infra/defaults.json"),
            ),
            Kind::Version => (
                Exit::Usage,
                Some(
                    "set kubernetesVersion in infra/defaults.json to one of: az aks get-versions --location <region> --output table",
                ),
            ),
            Kind::Locked => (
                Exit::Partial,
                Some("remove the lock: az lock list --resource-group <group>"),
            ),
            Kind::Forbidden => (
                Exit::Denied,
                Some(
                    "give the identity the roles that docs/AKS.md lists under \"Once\"; a new role may take ten minutes to count",
                ),
            ),
            Kind::CredentialConflict
            | Kind::PrincipalNotFound
            | Kind::Busy
            | Kind::BeingDeleted
            | Kind::Unreachable => (
                Exit::NotReady,
                Some("run the same command again in some minutes"),
            ),
            Kind::NotFound | Kind::Undefined | Kind::Other => (Exit::NotReady, None),
        }
    }
}

impl Failure {
    /// Makes the failure of an operation that was refused.
    pub(crate) fn refused(what: impl Into<String>, refusal: &Refusal) -> Self {
        let (exit, mend) = refusal.judged();
        let failure = Self::new(exit, what).said(refusal.to_string());
        match mend {
            Some(mend) => failure.mend(mend),
            None => failure,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.command)?;
        let lines: Vec<_> = self
            .text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        // The last lines of a long error have the innermost cause.
        for line in &lines[lines.len().saturating_sub(12)..] {
            writeln!(formatter, "{line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_code_of_an_error_tells_its_kind() {
        for (text, kind) in [
            (
                r#"{"code":"DeploymentFailed","details":[{"code":"QuotaExceeded"}]}"#,
                Kind::Quota,
            ),
            (
                "(SkuNotAvailable) The requested size is not available; NotFound",
                Kind::NoCapacity,
            ),
            (
                "AADSTS700024: Client assertion is not within its valid time range; run az login",
                Kind::AssertionExpired,
            ),
            (
                "ERROR: Please run 'az login' to setup account.",
                Kind::NotSignedIn,
            ),
            (
                "(ResourceGroupNotFound) Resource group 'x' could not be found.",
                Kind::NotFound,
            ),
            (
                "error: the server doesn't have a resource type \"nodepools\"",
                Kind::Undefined,
            ),
            (
                "Error from server (Forbidden): pods is forbidden",
                Kind::Forbidden,
            ),
            (
                "(BadRequest) The VM size of Standard_D4s_v5 is not allowed in your subscription in location 'eastus'.",
                Kind::NoCapacity,
            ),
            (
                "(AgentPoolK8sVersionNotSupported) Version 1.36.1 is not supported in this region.",
                Kind::Version,
            ),
            ("anything else", Kind::Other),
        ] {
            assert_eq!(
                Refusal::of(String::new(), text.to_owned()).kind,
                kind,
                "{text}"
            );
        }
    }
}
