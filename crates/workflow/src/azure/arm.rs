//! Client of Azure Resource Manager for evictions: asks Azure to evict one Spot machine.
//!
//! Rule source: "Virtual Machines - Simulate Eviction" and "Virtual Machine Scale Set VMs - Simulate Eviction" of the Compute
//! REST reference: `POST .../simulateEviction`, answered with 204. The machine's scheduled event follows, and its end about
//! half a minute later. Each call makes one try.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use azure_core::http::{
    ClientOptions, Context, HttpClient, Method, Pipeline, PipelineSendOptions, Request,
    RetryOptions, Transport, Url,
    headers::{AUTHORIZATION, CONTENT_LENGTH},
};
use serde::Deserialize;

use super::credential::{Credential, CredentialChoice, CredentialError};
use super::{Secret, redact};

/// The address of the public cloud.
const PUBLIC: &str = "https://management.azure.com";

/// The scope of the token.
const SCOPE: &str = "https://management.azure.com/.default";

/// The API version of the Compute provider.
const VERSION: &str = "2025-04-01";

/// Timeout of a request. The service answers when it has accepted the request.
const ANSWER: Duration = Duration::from_secs(60);

/// A virtual machine of Azure, alone or one of a scale set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its resource id: `/subscriptions/.../virtualMachines/name`.
    id: String,
}

/// Error of a node's provider id that names no Azure machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the provider id {0:?} names no virtual machine of Azure: expected azure:///subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.Compute/virtualMachines/NAME, or one of a scale set"
)]
pub struct NoMachine(String);

impl Machine {
    /// The machine that the provider id of a Kubernetes node names (cloud-provider-azure, `convertResourceGroupNameToLower` and
    /// `GetNodeNameByProviderID`: group names may be in lower case).
    pub fn of_provider_id(provider_id: &str) -> Result<Self, NoMachine> {
        let no_machine = || NoMachine(provider_id.to_owned());
        let id = provider_id
            .strip_prefix("azure://")
            .ok_or_else(no_machine)?;
        let parts: Vec<&str> = id.split('/').collect();
        let is = |at: usize, word: &str| {
            parts
                .get(at)
                .is_some_and(|it| it.eq_ignore_ascii_case(word))
        };
        let is_machine = parts.first() == Some(&"")
            && is(1, "subscriptions")
            && is(3, "resourceGroups")
            && is(5, "providers")
            && is(6, "Microsoft.Compute");
        let alone = parts.len() == 9 && is(7, "virtualMachines");
        let in_set =
            parts.len() == 11 && is(7, "virtualMachineScaleSets") && is(9, "virtualMachines");
        let plain = |part: &&str| {
            !matches!(*part, "" | "." | "..")
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.()".contains(&byte))
        };
        if is_machine && (alone || in_set) && parts[1..].iter().all(plain) {
            Ok(Self { id: id.to_owned() })
        } else {
            Err(no_machine())
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

/// Reason why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArmError {
    /// There was no token.
    #[error("sign in to Azure Resource Manager: {0}")]
    SignIn(String),
    /// There was no answer, so it is unknown whether the request was carried out.
    #[error("reach Azure Resource Manager: {0}")]
    NoAnswer(String),
    /// The identity has no permission (403).
    #[error(
        "it is not allowed ({code}: {said}); the identity needs Microsoft.Compute/virtualMachines/simulateEviction/action and .../read on the node resource group, which Contributor has, and the group must not be locked (nodeResourceGroupProfile Unrestricted)"
    )]
    Forbidden {
        /// Azure's error code.
        code: String,
        /// Azure's message.
        said: String,
    },
    /// The machine does not exist any more (404).
    #[error("the machine is not there ({code}: {said})")]
    NotFound {
        /// Azure's error code.
        code: String,
        /// Azure's message.
        said: String,
    },
    /// The machine is not a Spot machine that can be evicted now, or another operation is in progress (409).
    #[error("the machine cannot be evicted now ({code}: {said})")]
    Conflict {
        /// Azure's error code.
        code: String,
        /// Azure's message.
        said: String,
    },
    /// Any other refusal.
    #[error("Azure answers {status} ({code}: {said})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Azure's error code.
        code: String,
        /// Azure's message.
        said: String,
    },
}

/// An error body ("Azure Resource Manager, common API details").
#[derive(Debug, Default, Deserialize)]
struct Document {
    #[serde(default)]
    error: Detail,
}

#[derive(Debug, Default, Deserialize)]
struct Detail {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

impl ArmError {
    fn of(status: u16, body: &[u8]) -> Self {
        let document: Document = serde_json::from_slice(body).unwrap_or_default();
        let Detail { code, message } = document.error;
        let said = redact(&message);
        match status {
            401 => Self::SignIn(format!("the token is refused ({code}: {said})")),
            403 => Self::Forbidden { code, said },
            404 => Self::NotFound { code, said },
            409 => Self::Conflict { code, said },
            status => Self::Refused { status, code, said },
        }
    }
}

/// The authentication of requests.
#[derive(Clone)]
enum Pass {
    Credential(Arc<dyn TokenCredential>),
    Token(Secret),
}

/// A client of Azure Resource Manager.
#[derive(Clone)]
pub struct Arm {
    base: Url,
    pass: Pass,
    pipeline: Pipeline,
}

impl fmt::Debug for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Arm at {}", self.base)
    }
}

impl Arm {
    /// Makes a client of the public cloud that signs in as `choice` says. Sends nothing.
    pub fn open(choice: CredentialChoice) -> Result<Self, CredentialError> {
        let http = reqwest::Client::builder().timeout(ANSWER).build();
        let http = http.map_err(|error| CredentialError::Http(error.to_string()))?;
        let http: Arc<dyn HttpClient> = Arc::new(http);
        let pass = match Credential::choose(choice, None, &http)? {
            Credential::Token(token, _) => Pass::Credential(token),
            Credential::Sas(_) => return Err(CredentialError::SasForManagement),
        };
        let base = PUBLIC.parse().expect("a constant URL must be one");
        Ok(Self::over(base, pass, http))
    }

    /// Makes a client of the server at `base`, which uses HTTPS with a certificate of `roots`; uses an existing token.
    pub fn with_token(
        base: &str,
        token: Secret,
        roots: &[reqwest::Certificate],
    ) -> Result<Self, ArmError> {
        let base: Url = base
            .parse()
            .map_err(|error| ArmError::NoAnswer(format!("{base}: {error}")))?;
        if base.scheme() != "https" {
            let why = format!("{base}: a token must not travel over http");
            return Err(ArmError::NoAnswer(why));
        }
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER)
            .tls_certs_only(roots.iter().cloned())
            .build()
            .map_err(|error| ArmError::NoAnswer(error.to_string()))?;
        Ok(Self::over(base, Pass::Token(token), Arc::new(http)))
    }

    fn over(base: Url, pass: Pass, http: Arc<dyn HttpClient>) -> Self {
        let options = ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(Transport::new(http)),
            ..ClientOptions::default()
        };
        let pipeline = Pipeline::new(
            option_env!("CARGO_PKG_NAME"),
            option_env!("CARGO_PKG_VERSION"),
            options,
            Vec::new(),
            Vec::new(),
            None,
        );
        Self {
            base,
            pass,
            pipeline,
        }
    }

    async fn token(&self) -> Result<Secret, ArmError> {
        match &self.pass {
            Pass::Token(token) => Ok(token.clone()),
            Pass::Credential(credential) => {
                let token = credential.get_token(&[SCOPE], None).await;
                let token = token
                    .map_err(|error| ArmError::SignIn(redact(&super::error::chain(&error))))?;
                Ok(Secret::new(token.token.secret()))
            }
        }
    }

    /// Asks Azure to evict `machine`, as it does when it needs the capacity itself.
    pub async fn simulate_eviction(&self, machine: &Machine) -> Result<(), ArmError> {
        let mut url = self.base.clone();
        url.set_path(&format!("{machine}/simulateEviction"));
        url.set_query(Some(&format!("api-version={VERSION}")));
        let mut request = Request::new(url, Method::Post);
        let token = self.token().await?;
        request.insert_header(AUTHORIZATION, format!("Bearer {}", token.expose()));
        request.insert_header(CONTENT_LENGTH, "0");
        let options = PipelineSendOptions {
            skip_checks: true,
            ..PipelineSendOptions::default()
        };
        let context = Context::default();
        let sent = self.pipeline.send(&context, &mut request, Some(options));
        let no_answer = |error| ArmError::NoAnswer(redact(&super::error::chain(&error)));
        let answer = sent.await.map_err(no_answer)?;
        let status = u16::from(answer.status());
        if (200..300).contains(&status) {
            return Ok(());
        }
        Err(ArmError::of(status, answer.body()))
    }
}

#[cfg(test)]
mod tests;
