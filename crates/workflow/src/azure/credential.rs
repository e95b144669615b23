//! Signing in: workload identity, managed identity, a job of GitHub Actions, the developer's own sign-in, or a SAS; never an
//! account key.

mod form;
mod github;

use std::borrow::Cow;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::Arc;

use azure_core::error::ErrorKind;
use azure_core::http::{ClientOptions, HttpClient, RetryOptions, Transport};
use azure_identity::{
    ClientAssertionCredentialOptions, DeveloperToolsCredential, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId, WorkloadIdentityCredential,
    WorkloadIdentityCredentialOptions,
};
use clap::ValueEnum;
use percent_encoding::percent_decode_str;

use crate::clock;

use super::Secret;
use super::sas::{Sas, SasError};
use super::sign_in::{Asked, Assertion, Signer, account_sas};
use super::token::{Make, SharedToken};
use form::check_sas;

/// The choice of a credential, as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum CredentialChoice {
    /// Workload identity or managed identity if the environment offers it, else a SAS if one is given, else the developer's
    /// sign-in
    // Only running `az` would show a sign-in by `az login`; and a user who supplies a SAS wants it to be used.
    #[default]
    Auto,
    /// Microsoft Entra Workload ID: the pod's projected service account token (`AZURE_FEDERATED_TOKEN_FILE`)
    WorkloadIdentity,
    /// The identity of the virtual machine or app service; if there are several, `AZURE_CLIENT_ID` names one
    ManagedIdentity,
    /// The identity that `AZURE_CLIENT_ID` and `AZURE_TENANT_ID` name, in a job of GitHub Actions with the permission `id-token:
    /// write`
    Github,
    /// The developer's sign-in (az login, azd auth login)
    Developer,
    /// A shared access signature
    Sas,
}

/// A credential.
#[derive(Clone)]
pub enum Credential {
    /// A SAS, which is appended to every URL.
    Sas(Secret),
    /// Bearer tokens, cached and renewed by the SDK; and the identity that they belong to.
    Token(Arc<SharedToken>, Signer),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sas(_) => "Sas([redacted])",
            Self::Token(..) => "Token",
        })
    }
}

/// The command that gives an identity the role for queues on an account.
pub(super) const ROLES: &str = "az role assignment create --assignee-object-id <object-id> --assignee-principal-type ServicePrincipal \
                     --role \"Storage Queue Data Contributor\" --scope <account-id>";

/// Reason why signing in is not possible.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The flag asks for a SAS, and none is given.
    #[error("sign in with a SAS: none is given; set AZURE_STORAGE_SAS_TOKEN")]
    NoSas,
    /// The given text is not a SAS; the error never repeats it.
    #[error(
        "sign in with a SAS: what is given {problem}; where the account allows shared keys, make one with '{}' and put it into \
         AZURE_STORAGE_SAS_TOKEN; where it does not, leave it away, and sign in with an identity",
        account_sas("<account>")
    )]
    MalformedSas {
        /// What is wrong with the text, to complete a sentence after "what is given".
        problem: Cow<'static, str>,
    },
    /// A SAS whose time is over, or has not come.
    #[error("sign in with a SAS: {0}")]
    Times(#[from] SasError),
    /// The given SAS is a connection string or an account key.
    #[error(
        "sign in with a SAS: what is given holds an account key, which must not leave the account; pass nothing, and give the \
         identity of the pod the roles Storage Queue Data Contributor and Storage Table Data Contributor ('{ROLES}'), or, where \
         the account allows shared keys, pass a SAS ('{}')",
        account_sas("<account>")
    )]
    AccountKey,
    /// The given connection string has no SAS and is not the emulator's; the error never repeats it.
    #[error(
        "read AZURE_STORAGE_CONNECTION_STRING: it {problem}; without it, the identity of the pod or the developer signs in"
    )]
    MalformedConnectionString {
        /// What is wrong with it, to complete a sentence after "it".
        problem: Cow<'static, str>,
    },
    /// The connection string is that of another service; the error never repeats it.
    #[error(
        "read the connection string of storage: it is a connection string of {service}, which opens no queue and no table of a \
         storage account; give one of the account that has a SharedAccessSignature=, or none: without it, the identity of the \
         pod or the developer signs in"
    )]
    OtherService {
        /// The name of that service.
        service: &'static str,
    },
    /// A SAS is only valid for storage.
    #[error(
        "sign in to Azure Resource Manager with a SAS, which opens storage alone; sign in with an identity (EDW_CREDENTIAL)"
    )]
    SasForManagement,
    /// The HTTP client could not be created (TLS roots).
    #[error("make the HTTP client: {0}")]
    Http(String),
    /// The SDK could not create the credential.
    #[error("sign in with {name}; {advice}")]
    Unavailable {
        /// The credential's name.
        name: &'static str,
        /// What the credential needs.
        advice: &'static str,
        /// The SDK's error.
        #[source]
        source: azure_core::Error,
    },
}

/// A function that reads an environment variable; a parameter, for tests.
type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Resolves [`CredentialChoice::Auto`], and returns the reason.
fn detect(choice: CredentialChoice, has_sas: bool, env: Env) -> (CredentialChoice, &'static str) {
    let set = |name: &str| env(name).is_some_and(|value| !value.is_empty());
    match choice {
        CredentialChoice::Auto if set("AZURE_FEDERATED_TOKEN_FILE") => (
            CredentialChoice::WorkloadIdentity,
            "AZURE_FEDERATED_TOKEN_FILE is set",
        ),
        CredentialChoice::Auto if set("IDENTITY_ENDPOINT") || set("MSI_ENDPOINT") => (
            CredentialChoice::ManagedIdentity,
            "IDENTITY_ENDPOINT is set",
        ),
        CredentialChoice::Auto if has_sas => (CredentialChoice::Sas, "a SAS is given"),
        CredentialChoice::Auto if github::VARIABLES.into_iter().all(set) => (
            CredentialChoice::Github,
            "ACTIONS_ID_TOKEN_REQUEST_URL is set",
        ),
        CredentialChoice::Auto => (
            CredentialChoice::Developer,
            "neither a SAS nor an identity is in the environment",
        ),
        explicit => (explicit, "asked for"),
    }
}

impl Credential {
    /// Makes the chosen credential. Logs the reason of the choice, without secrets. Token requests go through `http`.
    pub(super) fn choose(
        choice: CredentialChoice,
        sas: Option<&Secret>,
        http: &Arc<dyn HttpClient>,
    ) -> Result<Self, CredentialError> {
        let (choice, why) = detect(choice, sas.is_some(), &|name| env::var_os(name));
        let name = choice
            .to_possible_value()
            .map_or_else(String::new, |v| v.get_name().to_owned());
        tracing::info!(credential = name, why, "credential chosen");
        match choice {
            CredentialChoice::Sas => {
                let sas = check_sas(sas.ok_or(CredentialError::NoSas)?)?;
                Sas(sas.expose()).check_times(clock::now())?;
                Ok(Self::Sas(sas))
            }
            CredentialChoice::WorkloadIdentity => token(
                "workload identity",
                "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE must be set, and the file must hold the \
                 pod's token: label the pod azure.workload.identity/use=true and annotate its service account with the \
                 client id",
                workload_identity(http.clone()),
                identity(),
            ),
            CredentialChoice::ManagedIdentity => token(
                "managed identity",
                "this works on Azure only, for a resource with an identity",
                managed_identity(http.clone()),
                identity(),
            ),
            CredentialChoice::Github => token(
                "a job of GitHub Actions",
                "give the job 'id-token: write', and set AZURE_TENANT_ID and AZURE_CLIENT_ID",
                github::credential(http.clone()),
                identity(),
            ),
            CredentialChoice::Developer | CredentialChoice::Auto => token(
                "the developer's sign-in",
                "run 'az login' first",
                Arc::new(|| Ok(DeveloperToolsCredential::new(None)? as _)),
                Signer::Developer,
            ),
        }
    }

    /// The identity that signs requests, for advice.
    pub(super) fn signer(&self) -> Signer {
        match self {
            Self::Token(_, signer) => signer.clone(),
            Self::Sas(sas) => {
                let mut pairs = sas.expose().split('&');
                let expiry = pairs.find_map(|pair| pair.strip_prefix("se="));
                let expiry = percent_decode_str(expiry.unwrap_or_default());
                Signer::Sas {
                    expiry: expiry.decode_utf8_lossy().into_owned(),
                }
            }
        }
    }
}

/// The identity that the environment names.
fn identity() -> Signer {
    Signer::Identity {
        client: env::var("AZURE_CLIENT_ID").unwrap_or_default(),
    }
}

fn workload_identity(http: Arc<dyn HttpClient>) -> Make {
    Arc::new(move || {
        has_token(env::var_os("AZURE_FEDERATED_TOKEN_FILE").as_deref())?;
        let options = WorkloadIdentityCredentialOptions {
            credential_options: ClientAssertionCredentialOptions {
                client_options: client_options(http.clone()),
            },
            ..WorkloadIdentityCredentialOptions::default()
        };
        Ok(WorkloadIdentityCredential::new(Some(options))? as _)
    })
}

/// Refuses an empty token file. The SDK reads it as a token, and Entra's error then says that the assertion is missing.
fn has_token(file: Option<&OsStr>) -> azure_core::Result<()> {
    let empty = |file: &&OsStr| std::fs::read(file).is_ok_and(|text| text.trim_ascii().is_empty());
    match file.filter(empty) {
        None => Ok(()),
        Some(file) => Err(azure_core::Error::with_message(
            ErrorKind::Credential,
            format!("there is no token in {}", file.display()),
        )),
    }
}

fn managed_identity(http: Arc<dyn HttpClient>) -> Make {
    Arc::new(move || {
        let client = env::var("AZURE_CLIENT_ID").ok();
        let client = client.filter(|client| !client.is_empty());
        let options = ManagedIdentityCredentialOptions {
            user_assigned_id: client.map(UserAssignedId::ClientId),
            client_options: client_options(http.clone()),
        };
        Ok(ManagedIdentityCredential::new(Some(options))? as _)
    })
}

/// Options with a single try: the caller of a token request retries.
fn client_options(http: Arc<dyn HttpClient>) -> ClientOptions {
    ClientOptions {
        retry: RetryOptions::none(),
        transport: Some(Transport::new(http)),
        ..ClientOptions::default()
    }
}

/// Makes the credential with `make`, after checking that this is possible.
fn token(
    name: &'static str,
    advice: &'static str,
    make: Make,
    signer: Signer,
) -> Result<Credential, CredentialError> {
    match make() {
        Ok(_) => Ok(Credential::Token(
            Arc::new(SharedToken::new(make, Arc::new(asked))),
            signer,
        )),
        Err(source) => Err(CredentialError::Unavailable {
            name,
            advice,
            source,
        }),
    }
}

/// The request of workload identity, from the variables that its webhook sets and from the pod's token.
fn asked() -> Asked {
    let variable = |name| env::var(name).unwrap_or_default();
    let token = env::var_os("AZURE_FEDERATED_TOKEN_FILE");
    let token = token.and_then(|path| std::fs::read_to_string(path).ok());
    Asked {
        tenant: variable("AZURE_TENANT_ID"),
        client: variable("AZURE_CLIENT_ID"),
        pod: variable("POD_NAME"),
        assertion: token
            .and_then(|token| Assertion::read(&token))
            .unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
