//! From a code of Microsoft Entra or of storage to the likely mistake, and to the `az` command that mends it.
//!
//! Entra's codes are for people, and not a contract ("Microsoft Entra authentication and authorization error codes"): nothing
//! but the text of an advice depends on them.

use std::fmt;

use time::OffsetDateTime;

use super::Assertion;

/// What signing in has asked for, as far as it is known; for advice only.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The directory (`AZURE_TENANT_ID`).
    pub tenant: String,
    /// The identity's client id (`AZURE_CLIENT_ID`).
    pub client: String,
    /// What the pod's token says of itself.
    pub(in crate::azure) assertion: Assertion,
}

/// What is probably wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// In words.
    pub cause: String,
    /// The command that mends it, or that shows the right value.
    pub mend: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; mend it with: {}", self.cause, self.mend)
    }
}

/// The options that name a federated credential.
const CREDENTIAL: &str = "--identity-name <identity> --resource-group <group> --name <credential>";

/// The cluster's issuer, as `az` tells it.
const ISSUER: &str = "\"$(az aks show --resource-group <group> --name <cluster> --query oidcIssuerProfile.issuerUrl -o tsv)\"";

/// The mistake behind a refusal to sign in with `code` (`AADSTS700213`).
pub fn mistake(code: &str, asked: &Asked) -> Option<Mistake> {
    let Asked {
        tenant,
        client,
        assertion,
    } = asked;
    let Assertion { iss, sub, aud, exp } = assertion;
    let federated = |verb: &str, with: &str| {
        format!("az identity federated-credential {verb} {CREDENTIAL} {with}")
    };
    let (cause, mend) = match code.strip_prefix("AADSTS")? {
        "70021" | "700223" => (
            format!("identity {client} has no federated credential for this service account"),
            federated(
                "create",
                &format!("--issuer {iss} --subject {sub} --audiences {aud}"),
            ),
        ),
        "700211" => (
            format!(
                "the federated credential is for another issuer than this cluster's, {iss} (the slash at its end counts)"
            ),
            federated("update", &format!("--issuer {ISSUER}")),
        ),
        "700212" => (
            format!(
                "the pod's token is for the audience {aud}, and the federated credential is not; workload identity projects \
                 tokens for api://AzureADTokenExchange"
            ),
            federated("update", "--audiences api://AzureADTokenExchange"),
        ),
        "700213" | "7002138" => (
            format!(
                "the federated credential is for another service account than the pod's, {sub} (namespace and name count, and \
                 their case)"
            ),
            federated("update", &format!("--subject {sub}")),
        ),
        "700024" => out_of_time(*exp),
        "7000272" | "50013" | "700027" | "50027" => (
            format!(
                "the pod's token is not signed by a key that its issuer, {iss}, publishes: another cluster signed it, keys \
                 were rotated and the pod still has a token of before, or Entra has not read the new ones yet (of a new \
                 cluster, that can take half an hour)"
            ),
            "az aks show --resource-group <group> --name <cluster> --query oidcIssuerProfile.issuerUrl -o tsv  # then \
             restart the pod for a new token"
                .to_owned(),
        ),
        "50166" | "90061" => (
            format!(
                "Entra cannot read the keys of the issuer {iss}: the cluster publishes none, or not to the internet"
            ),
            "az aks update --resource-group <group> --name <cluster> --enable-oidc-issuer --enable-workload-identity"
                .to_owned(),
        ),
        "700016" => (
            format!(
                "no identity in tenant {tenant} has the client id {client}: the annotation azure.workload.identity/client-id \
                 of the service account is wrong, or the identity was deleted"
            ),
            "az identity show --resource-group <group> --name <identity> --query clientId -o tsv".to_owned(),
        ),
        "90002" | "900023" => (
            format!("there is no tenant {tenant}: AZURE_TENANT_ID is wrong, or it is of another cloud"),
            "az account show --query tenantId -o tsv".to_owned(),
        ),
        _ => return None,
    };
    Some(Mistake { cause, mend })
}

/// An assertion outside of its times: stale by this machine's clock, else one of the clocks is wrong.
fn out_of_time(expires: i64) -> (String, String) {
    if expires != 0 && expires <= OffsetDateTime::now_utc().unix_timestamp() {
        (
            "the pod's token has expired and the kubelet has not renewed it, or the pod mounts a copy that is never renewed \
             (a subPath mount is not)"
                .to_owned(),
            "az aks command invoke --resource-group <group> --name <cluster> --command 'kubectl delete pod <pod>'"
                .to_owned(),
        )
    } else {
        (
            "by this node's clock the pod's token is valid, and by Entra's it is not: the clocks of the node and of the API \
             server must be right to 5 minutes"
                .to_owned(),
            "az aks nodepool upgrade --node-image-only --resource-group <group> --cluster-name <cluster> --name <pool>  # \
             replaces the node; look at its clock with 'chronyc tracking' first"
                .to_owned(),
        )
    }
}

/// The mistake behind a refusal of storage itself: `status` and `code` as it gave them, `service` `queue` or `table`.
pub fn access_mistake(status: u16, code: &str, service: &str) -> Option<Mistake> {
    let role = match service {
        "queue" => "Storage Queue Data Contributor",
        _ => "Storage Table Data Contributor",
    };
    let (cause, mend) = match (status, code) {
        (403, "AuthorizationPermissionMismatch") => (
            format!(
                "the identity is known and lacks the role {role} on the account; an assignment takes up to 10 minutes to count"
            ),
            format!(
                "az role assignment create --assignee \"$AZURE_CLIENT_ID\" --role \"{role}\" --scope \"$(az storage account \
                 show --name \"$AZURE_STORAGE_ACCOUNT_NAME\" --query id -o tsv)\""
            ),
        ),
        (403, "AuthorizationFailure") => (
            "the account's firewall does not let this network in, or the SAS lacks a permission".to_owned(),
            "az storage account network-rule list --account-name \"$AZURE_STORAGE_ACCOUNT_NAME\"".to_owned(),
        ),
        (403, "KeyBasedAuthenticationNotPermitted") => (
            "the account takes no SAS that an account key has signed: sign in with an identity".to_owned(),
            "az aks update --resource-group <group> --name <cluster> --enable-oidc-issuer --enable-workload-identity"
                .to_owned(),
        ),
        (401, "InvalidAuthenticationInfo") => (
            "the token is not for storage, or is of another tenant than the account's".to_owned(),
            "az account show --query tenantId -o tsv".to_owned(),
        ),
        _ => return None,
    };
    Some(Mistake { cause, mend })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked {
        Asked {
            tenant: "tenant-1".to_owned(),
            client: "client-1".to_owned(),
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
            assert!(mistake.mend.contains(mends), "{code}: {mistake}");
            assert!(mistake.mend.starts_with("az "), "{code}: {mistake}");
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
    fn a_missing_role_is_named_for_the_service_that_asked() {
        let mismatch = |service| access_mistake(403, "AuthorizationPermissionMismatch", service);
        let mend = |service| mismatch(service).unwrap().mend;
        assert!(mend("queue").contains("--role \"Storage Queue Data Contributor\""));
        assert!(mend("table").contains("--role \"Storage Table Data Contributor\""));
        assert_eq!(access_mistake(404, "QueueNotFound", "queue"), None);
        for (status, code) in [
            (403, "AuthorizationFailure"),
            (403, "KeyBasedAuthenticationNotPermitted"),
            (401, "InvalidAuthenticationInfo"),
        ] {
            let mistake = access_mistake(status, code, "queue").unwrap();
            assert!(mistake.mend.starts_with("az "), "{mistake}");
        }
    }
}
