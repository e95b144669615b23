//! Judges how the workload signed in.

use std::str::FromStr;

use cucumber::then;
use judge::{departures, identity};

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepResult};
use crate::leak;

declare_needs!(Authority, SignIn);
#[then("every consumer has signed in once")]
async fn once(scenario: &mut Scenario) -> StepResult {
    let tokens = scenario.run().await?.sign_ins().await?;
    Ok(identity::signed_in_once(&tokens)?)
}

declare_needs!(Authority, SignIn);
#[then(regex = r"^every consumer has signed in at least (\d+) times?$")]
async fn at_least(scenario: &mut Scenario, least: usize) -> StepResult {
    let tokens = scenario.run().await?.sign_ins().await?;
    Ok(identity::signed_in_at_least(&tokens, least)?)
}

declare_needs!(Authority, SignIn);
#[then(regex = r"^the pods' tokens were replaced at least (\d+) times?$")]
async fn replaced(scenario: &mut Scenario, least: u64) -> StepResult {
    let replaced = scenario.run().await?.renewals().await?;
    Ok(identity::replaced_at_least(replaced, least)?)
}

declare_needs!(Authority, SignIn);
#[then(regex = r"^at least (\d+) requests? to Entra had no answer$")]
async fn unreached(scenario: &mut Scenario, least: u64) -> StepResult {
    let unreached = scenario.run().await?.unreached().await?;
    Ok(identity::unreached_at_least(unreached, least)?)
}

declare_needs!(Authority, SignIn, Wire);
#[then("storage refused no request for its token")]
async fn not_refused(scenario: &mut Scenario) -> StepResult {
    let refused = scenario.run().await?.refused()?;
    Ok(identity::never_refused(&refused)?)
}

#[then(expr = "within {time} every consumer ends by itself with exit code {int}")]
async fn ended(scenario: &mut Scenario, deadline: Time, code: i32) -> StepResult {
    let consumers = scenario.given.consumers as usize;
    let run = scenario.run().await?;
    let ended = run.until_ended(consumers, deadline.0).await?;
    Ok(departures::ended_with(&ended, code)?)
}

/// The remedy of a mistake, and the words of the consumer that name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Remedy(&'static str);

impl FromStr for Remedy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(match text {
            "a credential for the pod's service account" => {
                "az identity federated-credential update"
            }
            "a credential for the audience of workload identity" => {
                "--audiences api://AzureADTokenExchange"
            }
            "a credential for the cluster's issuer" => "--query oidcIssuerProfile.issuerUrl",
            "a token that the cluster's issuer has signed" => "az aks show",
            "the tenant of the subscription" => "az account show",
            "the client id of the identity" => "az identity show",
            "a new pod" => "kubectl delete pod",
            "a new node" => "az aks nodepool upgrade --node-image-only",
            "the role Storage Queue Data Contributor" => {
                "--role \"Storage Queue Data Contributor\""
            }
            "the role Storage Table Data Contributor" => {
                "--role \"Storage Table Data Contributor\""
            }
            "a way to Entra" => "login.microsoftonline.com",
            _ => return Err(format!("{text:?} is nothing that mends a set-up")),
        }))
    }
}

#[then(
    regex = r"^each names (\S+), and (a credential for the pod's service account|a credential for the audience of workload identity|a credential for the cluster's issuer|a token that the cluster's issuer has signed|the tenant of the subscription|the client id of the identity|a new pod|a new node|the role Storage (?:Queue|Table) Data Contributor|a way to Entra) as what mends it$"
)]
async fn named(scenario: &mut Scenario, code: String, mend: Remedy) -> StepResult {
    let errors = scenario.run().await?.last_errors()?;
    Ok(identity::remedy_is_named(&errors, &code, mend.0)?)
}

#[then("nothing that was written down holds a token, a signature or a key")]
async fn no_leak(scenario: &mut Scenario) -> StepResult {
    let leaks = leak::of_run(scenario.run().await?).await?;
    Ok(identity::nothing_leaked(&leaks)?)
}
