//! How the workload signs in, and faults of its sign-in.

use std::str::FromStr;

use cucumber::{given, when};
use platform::{Mistake, SetUp};

use super::super::durations::{Rate, Time};
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepResult};
use crate::wire::{FaultKind, Operation, Refusal, Rule};

/// What is wrong with the setup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    SetUp(Mistake),
    /// Entra's clock is wrong by this many seconds.
    Clock(i64),
    /// The identity lacks a role, and so may not do these operations.
    Role(&'static [Operation]),
}

const QUEUE: &[Operation] = &[
    Operation::PutMessage,
    Operation::ReceiveMessages,
    Operation::PeekMessages,
    Operation::UpdateMessage,
    Operation::DeleteMessage,
];
const TABLE: &[Operation] = &[
    Operation::InsertEntity,
    Operation::Transaction,
    Operation::GetEntity,
    Operation::QueryEntities,
];

impl FromStr for Wrong {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix("Entra's clock is ") {
            let (time, way) = rest.rsplit_once(' ').ok_or("no way")?;
            let seconds = i64::try_from(time.parse::<Time>()?.0.as_secs());
            let seconds = seconds.map_err(|error| error.to_string())?;
            return Ok(Self::Clock(if way == "behind" {
                -seconds
            } else {
                seconds
            }));
        }
        Ok(match text {
            "the pods run in another namespace" => Self::SetUp(Mistake::Namespace),
            "the credential is for an issuer without its last slash" => {
                Self::SetUp(Mistake::Issuer)
            }
            "the pods' tokens are for another audience" => Self::SetUp(Mistake::Audience),
            "the pods' tokens are signed by a key that the cluster does not publish" => {
                Self::SetUp(Mistake::Signature)
            }
            "the pods' tokens have expired" => Self::SetUp(Mistake::Stale),
            "the tenant id is wrong" => Self::SetUp(Mistake::Tenant),
            "the client id is wrong" => Self::SetUp(Mistake::Client),
            "Entra cannot be reached" => Self::SetUp(Mistake::Away),
            "the identity lacks its role on the queue" => Self::Role(QUEUE),
            "the identity lacks its role on the table" => Self::Role(TABLE),
            _ => return Err(format!("{text:?} is nothing that a set-up can get wrong")),
        })
    }
}

fn set_up(scenario: &mut Scenario) -> &mut SetUp {
    scenario.given.identity.get_or_insert_default()
}

declare_needs!(Authority, SignIn);
#[given("consumers sign in with the identity of their pods")]
fn sign_in(scenario: &mut Scenario) {
    set_up(scenario);
}

declare_needs!(Authority, SignIn);
#[given(expr = "tokens live {time}")]
fn token_life(scenario: &mut Scenario, time: Time) {
    set_up(scenario).token_life = time.0;
}

declare_needs!(Authority, Kubelet, SignIn);
#[given(expr = "the pods' tokens live {time}")]
fn assertion_life(scenario: &mut Scenario, time: Time) {
    set_up(scenario).assertion_life = time.0;
}

// Beside the tag `@cluster`: only a real kubelet is worth minutes of waiting.
declare_needs!(Authority, Cluster, SignIn);
#[given(expr = "the kubelet replaces the pods' tokens, which live {time}")]
fn renewed(scenario: &mut Scenario, time: Time) {
    set_up(scenario).assertion_life = time.0;
}

#[given("consumers log all they can")]
fn log_all(scenario: &mut Scenario) {
    scenario.given.options.log = Some("trace".to_owned());
}

#[given(expr = "a consumer that cannot begin gives up after {time}")]
fn start_timeout(scenario: &mut Scenario, time: Time) {
    scenario.given.options.start_timeout = Some(time.0);
    scenario.given.options.may_refuse = true;
}

declare_needs!(Authority, SignIn, Wire);
#[given(
    regex = r"^(the pods run in another namespace|the pods' tokens are for another audience|the tenant id is wrong|the client id is wrong|Entra cannot be reached|Entra's clock is \d+ (?:ms|s|min) (?:behind|ahead)|the identity lacks its role on the (?:queue|table))$"
)]
fn mistake(scenario: &mut Scenario, what: Wrong) {
    make(scenario, what);
}

declare_needs!(Authority, SignIn, Slash, Wire);
#[given(regex = r"^(the credential is for an issuer without its last slash)$")]
fn no_slash(scenario: &mut Scenario, what: Wrong) {
    make(scenario, what);
}

declare_needs!(Authority, Kubelet, SignIn, Wire);
#[given(
    regex = r"^(the pods' tokens are signed by a key that the cluster does not publish|the pods' tokens have expired)$"
)]
fn wrong_token(scenario: &mut Scenario, what: Wrong) {
    make(scenario, what);
}

fn make(scenario: &mut Scenario, what: Wrong) {
    match what {
        Wrong::SetUp(mistake) => set_up(scenario).mistake = Some(mistake),
        Wrong::Clock(seconds) => set_up(scenario).skew_s = seconds,
        Wrong::Role(operations) => scenario.given.rules.push(Rule {
            operations: operations.to_vec(),
            ..Rule::on(Operation::Other, FaultKind::Refuse(Refusal::NoRole))
        }),
    }
}

#[when("consumers start")]
async fn start(scenario: &mut Scenario) -> StepResult {
    scenario.run_with_consumers().await?;
    Ok(())
}

declare_needs!(Authority, SignIn);
#[when(expr = "consumers start {time} before Entra can be reached")]
async fn start_before(scenario: &mut Scenario, time: Time) -> StepResult {
    set_up(scenario).mistake = Some(Mistake::Away);
    scenario.given.options.is_probed = true;
    let run = scenario.run_with_consumers().await?;
    let early = run.ready_without_authority(time.0).await?;
    run.bring_authority_back().await?;
    scenario.running()?.early = early;
    Ok(())
}

declare_needs!(Authority, SignIn);
#[when(
    regex = r"^(\d+) messages are sent at (\d+ per (?:second|minute)), and Entra cannot be reached for (\d+ (?:ms|s|min)) when (\d+) are sent$"
)]
async fn away(
    scenario: &mut Scenario,
    messages: u64,
    rate: Rate,
    time: Time,
    sent_before: u64,
) -> StepResult {
    let load = scenario.load(messages, rate.steady()?);
    let patience = load.sending()?;
    let run = scenario.run_with_consumers().await?;
    let sending = run.start_sending(&load).await?;
    let sent = run.send_without_authority(sending, sent_before, time.0, patience);
    let sent = sent.await?;
    scenario.has_sent(load, sent)?;
    Ok(())
}
