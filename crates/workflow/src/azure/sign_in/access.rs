//! Finds the likely mistake behind a refusal of storage, and the command that mends it.

#[cfg(test)]
mod tests;

use std::fmt;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::mend::{Mistake, Step};
use super::shell::{output_of, word_or};

/// The signer of a request, as far as known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// A shared access signature, with its expiry time (`se=`).
    Sas {
        /// The time as the SAS has it; empty if it has none.
        expiry: String,
    },
    /// A managed or workload identity with this client id; empty for a machine's system-assigned identity.
    Identity {
        /// `AZURE_CLIENT_ID`.
        client: String,
    },
    /// The user who is signed in to the developer's tools.
    Developer,
}

/// The target of a request; for advice only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `queue` or `table`.
    pub service: &'static str,
    /// The queue's or table's name.
    pub name: String,
    /// The account's name; empty if the endpoint does not tell it.
    pub account: String,
    /// The signer of the request.
    pub signer: Signer,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.service, self.name)
    }
}

impl Target {
    fn role(&self) -> &'static str {
        match self.service {
            "queue" => "Storage Queue Data Contributor",
            _ => "Storage Table Data Contributor",
        }
    }

    fn account(&self) -> String {
        word_or(&self.account, "<account>")
    }

    /// Assigns the role to the signer. By object id, since `--assignee` looks the identity up in Microsoft Graph, which many
    /// users may not read ("az role assignment create", `--assignee-object-id`).
    fn assign(&self) -> Step {
        let (object, kind) = match &self.signer {
            Signer::Identity { client } if !client.is_empty() => {
                // Entra's client ids are GUIDs: inside double quotes, a shell would interpret other texts.
                let plain = client
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '-');
                let id = if plain { client } else { "<client-id>" };
                let list =
                    format!("az identity list --query \"[?clientId=='{id}'].principalId\" -o tsv");
                (output_of(&list), "ServicePrincipal")
            }
            Signer::Developer => (
                output_of("az ad signed-in-user show --query id -o tsv"),
                "User",
            ),
            _ => ("<object-id>".to_owned(), "ServicePrincipal"),
        };
        let scope = format!(
            "az storage account show --name {} --query id -o tsv",
            self.account()
        );
        Step::new(
            "give the identity that role with",
            format!(
                "az role assignment create --assignee-object-id {object} --assignee-principal-type {kind} --role \"{}\" --scope {}",
                self.role(),
                output_of(&scope)
            ),
        )
    }

    /// Makes a SAS signed with an account key.
    fn account_sas(&self) -> Step {
        Step::new("make one with", account_sas(&self.account()))
    }

    /// How to make another SAS, and what to do if the account accepts none that is signed with a key.
    fn other_sas(&self) -> Vec<Step> {
        if self.account == EMULATOR {
            return vec![Step::new(
                "the account is an emulator's, whose key is in the emulator's documentation (a connection string of it, or \
                 UseDevelopmentStorage=true, needs no SAS); make one with",
                emulator_sas(),
            )];
        }
        let keyless = if self.service == "queue" {
            Step::new(
                "where shared keys are off, make a SAS for this queue that your own sign-in signs with",
                self.user_delegation_sas().command,
            )
        } else {
            Step::new(
                "where shared keys are off, use an identity and no SAS, and give that identity the role with",
                self.assign().command,
            )
        };
        vec![self.account_sas(), keyless]
    }

    /// Makes a SAS signed by an identity, which the service supports for queues.
    fn user_delegation_sas(&self) -> Step {
        Step::new(
            "make a SAS for this queue that your own sign-in signs with",
            user_delegation_sas(&self.account(), &word_or(&self.name, "<queue>")),
        )
    }
}

/// The account of Azurite and of other emulators.
const EMULATOR: &str = "devstoreaccount1";

/// Makes a SAS for an emulator, whose account is unknown to `az login`; plain HTTP is allowed.
pub(super) fn emulator_sas() -> String {
    format!(
        "az storage account generate-sas --account-name {EMULATOR} --account-key <account-key> --services qt --resource-types sco \
         --permissions rwdlacup --expiry <YYYY-MM-DDTHH:MMZ> -o tsv"
    )
}

/// Makes a SAS for the queues and tables of `account`, signed with an account key.
pub(in crate::azure) fn account_sas(account: &str) -> String {
    format!(
        "az storage account generate-sas --account-name {account} --services qt --resource-types sco --permissions rwdlacup \
         --expiry <YYYY-MM-DDTHH:MMZ> --https-only -o tsv"
    )
}

/// Makes a SAS for a queue, signed by the signed-in user (a user delegation SAS).
fn user_delegation_sas(account: &str, queue: &str) -> String {
    format!(
        "az storage queue generate-sas --account-name {account} --name {queue} --permissions raup --expiry \
         <YYYY-MM-DDTHH:MMZ> --auth-mode login --as-user -o tsv"
    )
}

/// The mistake behind a refusal of storage with this `status` and `code`.
pub fn access_mistake(status: u16, code: &str, target: &Target) -> Option<Mistake> {
    let is_sas = matches!(target.signer, Signer::Sas { .. });
    let role = target.role();
    let (cause, steps) = match (status, code) {
        (403, "AuthenticationFailed" | "AuthorizationPermissionMismatch") if is_sas => {
            (of_sas(code, target), target.other_sas())
        }
        (403, "AuthorizationPermissionMismatch") => (
            format!(
                "the identity is known and lacks the role {role} on the account; an assignment takes up to 10 minutes to count"
            ),
            vec![target.assign()],
        ),
        (403, "AuthorizationFailure") => (
            if is_sas {
                "the account's firewall does not let this network in, or the SAS lacks a permission"
            } else {
                "the account's firewall does not let this network in"
            }
            .to_owned(),
            vec![Step::new(
                "see its rules with",
                format!("az storage account network-rule list --account-name {}", target.account()),
            )],
        ),
        (403, "KeyBasedAuthenticationNotPermitted") => {
            let mut steps = vec![target.assign()];
            if target.service == "queue" {
                steps.push(target.user_delegation_sas());
            }
            (
                format!(
                    "the account takes no SAS that an account key has signed: sign in with an identity that has the role {role}"
                ),
                steps,
            )
        }
        (401, "InvalidAuthenticationInfo") => (
            "the token is not for storage, or is of another tenant than the account's".to_owned(),
            vec![Step::new(
                "see the tenant of the account's subscription with",
                "az account show --query tenantId -o tsv".to_owned(),
            )],
        ),
        (400, "InvalidUri") => {
            let other = if target.service == "queue" { "table" } else { "queue" };
            (
                format!(
                    "the {} endpoint may be a {other} endpoint: set AZURE_{}_ENDPOINT to that of the account's {} service",
                    target.service,
                    target.service.to_uppercase(),
                    target.service
                ),
                Vec::new(),
            )
        }
        (400, _) if target.account.is_empty() => (
            "the endpoint names no account; that of Azurite and other emulators ends with the account's name, such as \
             http://127.0.0.1:10001/devstoreaccount1"
                .to_owned(),
            Vec::new(),
        ),
        _ => return None,
    };
    Some(Mistake { cause, steps })
}

/// The reason why a SAS is refused with `code`.
fn of_sas(code: &str, target: &Target) -> String {
    if code == "AuthorizationPermissionMismatch" {
        return format!(
            "the SAS does not grant this operation on the {}; it needs the permissions of the following one",
            target.service
        );
    }
    match &target.signer {
        Signer::Sas { expiry } if is_over(expiry) => format!("the SAS ended at {expiry}"),
        _ => "the signature of the SAS does not fit the rest of it, or its times do not include now: it must be given whole, as \
              it was made, without quotes and with its %-escapes"
            .to_owned(),
    }
}

/// Whether the expiry time of a SAS has passed.
fn is_over(expiry: &str) -> bool {
    let at = OffsetDateTime::parse(expiry, &Rfc3339);
    at.is_ok_and(|at| at <= OffsetDateTime::now_utc())
}
