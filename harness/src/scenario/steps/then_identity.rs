//! Judges how the workload signed in.

use std::str::FromStr;

use cucumber::then;

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepResult};
use crate::leak::Secrets;

/// The number of tokens that each consumer was given.
async fn sign_ins(scenario: &mut Scenario) -> anyhow::Result<Vec<(String, usize)>> {
    let run = scenario.run().await?;
    let (names, identities) = (run.roster().names(), run.identities()?);
    let seen = identities.seen().await?.exchanges;
    let count = |name: &str| {
        let of_it = seen.iter().filter(|exchange| exchange.pod == name);
        of_it.filter(|exchange| exchange.refused.is_none()).count()
    };
    anyhow::ensure!(!names.is_empty(), "there was never a consumer at all");
    let counts = names.into_iter().map(|name| (count(&name), name));
    Ok(counts.map(|(count, name)| (name, count)).collect())
}

declare_needs!(Authority, SignIn);
#[then("every consumer has signed in once")]
async fn once(scenario: &mut Scenario) -> StepResult {
    for (name, times) in sign_ins(scenario).await? {
        ensure!(times == 1, "{name} has signed in {times} times");
    }
    Ok(())
}

declare_needs!(Authority, SignIn);
#[then(regex = r"^every consumer has signed in at least (\d+) times$")]
async fn at_least(scenario: &mut Scenario, least: usize) -> StepResult {
    for (name, times) in sign_ins(scenario).await? {
        ensure!(times >= least, "{name} has signed in {times} times");
    }
    Ok(())
}

declare_needs!(Authority, SignIn);
#[then(regex = r"^the pods' tokens were replaced at least (\d+) times$")]
async fn replaced(scenario: &mut Scenario, least: u64) -> StepResult {
    let identities = scenario.run().await?.identities()?;
    let found = identities.replaced().await?;
    ensure!(found >= least, "{found} were replaced");
    Ok(())
}

declare_needs!(Authority, SignIn);
#[then("somebody was turned away")]
async fn turned_away(scenario: &mut Scenario) -> StepResult {
    let identities = scenario.run().await?.identities()?;
    let found = identities.seen().await?.turned_away;
    ensure!(found > 0, "nobody was");
    Ok(())
}

declare_needs!(Authority, SignIn, Wire);
#[then("storage refused no request for its token")]
async fn not_refused(scenario: &mut Scenario) -> StepResult {
    let refused = scenario.run().await?.refused()?;
    ensure!(refused.is_empty(), "it refused {}", refused.join(", "));
    Ok(())
}

#[then(expr = "within {time} every consumer ends by itself with exit code {int}")]
async fn ended(scenario: &mut Scenario, deadline: Time, code: i32) -> StepResult {
    let consumers = scenario.given.consumers as usize;
    let run = scenario.run().await?;
    let all_ended = run.until_workers(deadline.0, |roster| {
        (roster.unasked().count() >= consumers).then_some(())
    });
    let in_time = all_ended.await.is_ok();
    let roster = run.roster();
    ensure!(
        in_time,
        "{} of {consumers} have ended after {:?}",
        roster.unasked().count(),
        deadline.0
    );
    for departure in roster.unasked() {
        ensure!(
            departure.end.code() == Some(code),
            "{}\n{}",
            departure.sentence,
            departure.tail
        );
    }
    Ok(())
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
    let run = scenario.run().await?;
    let roster = run.roster();
    ensure!(
        roster.unasked().next().is_some(),
        "no consumer has ended by itself"
    );
    for name in roster.unasked().map(|departure| &departure.name) {
        let log = run.said(name)?;
        let errors = log.lines().filter(|line| line.contains("\"ERROR\""));
        // In a JSON log, quotation marks are escaped.
        let said = errors.collect::<String>().replace('\\', "");
        ensure!(
            said.contains(&code) && said.contains(mend.0),
            "{name} says: {said}"
        );
    }
    Ok(())
}

#[then("nothing that was written down holds a token, a signature or a key")]
async fn no_leak(scenario: &mut Scenario) -> StepResult {
    let run = scenario.run().await?;
    // The reports so far are written, so that they are searched as well.
    crate::report::write(run.dir().path())?;
    let secrets = Secrets::of(&run.secrets().await?);
    let mut leaks = secrets.look_below(run.dir().path())?;
    for (name, line) in run.exposed().await {
        leaks.extend(secrets.look(&format!("the command line of {name}"), &line));
    }
    let leaks: Vec<_> = leaks.iter().map(ToString::to_string).collect();
    ensure!(leaks.is_empty(), "found {}", leaks.join("; "));
    Ok(())
}
