//! Trouble, as a feature file says it, and the rules of the proxy that make it.

use std::str::FromStr;

use cucumber::Parameter;
use cucumber::given;

use super::super::durations::Time;
use super::super::world::Scenario;
use crate::wire::{Effect, Moment, Operation, Refusal, Rule};

/// Which requests of the consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Parameter)]
#[param(
    name = "requests",
    regex = "requests|receives|renewals|inserts|deletes"
)]
enum Requests {
    All,
    Receives,
    Renewals,
    Inserts,
    Deletes,
}

impl FromStr for Requests {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "requests" => Self::All,
            "receives" => Self::Receives,
            "renewals" => Self::Renewals,
            "inserts" => Self::Inserts,
            "deletes" => Self::Deletes,
            _ => return Err(format!("{text:?} are no requests of a consumer")),
        })
    }
}

impl Requests {
    fn operations(self) -> Vec<Operation> {
        match self {
            Self::All => vec![],
            Self::Receives => vec![Operation::ReceiveMessages],
            Self::Renewals => vec![Operation::UpdateMessage],
            Self::Inserts => vec![Operation::InsertEntity, Operation::Transaction],
            Self::Deletes => vec![Operation::DeleteMessage],
        }
    }

    fn rule(self, effect: Effect) -> Rule {
        Rule {
            operations: self.operations(),
            ..Rule::on(Operation::Other, effect)
        }
    }
}

/// What they get instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Trouble(Effect);

impl FromStr for Trouble {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(time) = text
            .strip_prefix("an answer ")
            .and_then(|rest| rest.strip_suffix(" late"))
        {
            return Ok(Self(Effect::Delay(time.parse::<Time>()?.0)));
        }
        Ok(Self(match text {
            "503 ServerBusy" => Effect::Refuse(Refusal::ServerBusy),
            "500 OperationTimedOut" => Effect::Refuse(Refusal::OperationTimedOut),
            "500 InternalError" => Effect::Refuse(Refusal::InternalError),
            "403 AuthorizationFailure" => Effect::Refuse(Refusal::Forbidden),
            "429 TooManyRequests" => Effect::Refuse(Refusal::TooManyRequests),
            "a reset before storage has the request" => Effect::Reset(Moment::Before),
            "a reset after storage has done it" => Effect::Reset(Moment::AfterEffect),
            "a reset in the middle of the answer" => Effect::Reset(Moment::DuringAnswer),
            "no answer" => Effect::Withhold,
            "half an answer" => Effect::Truncate,
            "a garbled answer" => Effect::Garble,
            _ => return Err(format!("{text:?} is no trouble that the proxy can make")),
        }))
    }
}

/// Where in the protocol a consumer dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Death(Requests, Moment);

impl FromStr for Death {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "after a receive, before they know what they got" => {
                Self(Requests::Receives, Moment::AfterEffect)
            }
            "before an insert reaches storage" => Self(Requests::Inserts, Moment::Before),
            "after an insert is stored, before they know it" => {
                Self(Requests::Inserts, Moment::AfterEffect)
            }
            "before a delete reaches storage" => Self(Requests::Deletes, Moment::Before),
            "after a delete is done, before they know it" => {
                Self(Requests::Deletes, Moment::AfterEffect)
            }
            _ => return Err(format!("{text:?} is no moment of the protocol")),
        })
    }
}

// What a sentence can hold is written out, so that `harness lint` refuses everything else before anything runs.
#[given(
    regex = r"^(\d{1,2}|100) % of all (requests|receives|renewals|inserts|deletes) get (503 ServerBusy|500 OperationTimedOut|500 InternalError|403 AuthorizationFailure|429 TooManyRequests|a reset before storage has the request|a reset after storage has done it|a reset in the middle of the answer|no answer|half an answer|a garbled answer|an answer \d+ m?s late)$"
)]
fn share(scenario: &mut Scenario, percent: u32, requests: Requests, trouble: Trouble) {
    let rule = requests.rule(trouble.0);
    scenario
        .rules
        .push(rule.on_share(f64::from(percent) / 100.0));
}

#[given(
    regex = r"^the first (\d+) (requests|receives|renewals|inserts|deletes) get (503 ServerBusy|500 OperationTimedOut|500 InternalError|403 AuthorizationFailure|429 TooManyRequests|a reset before storage has the request|a reset after storage has done it|a reset in the middle of the answer|no answer|half an answer|a garbled answer|an answer \d+ m?s late)$"
)]
fn first(scenario: &mut Scenario, count: u64, requests: Requests, trouble: Trouble) {
    scenario.rules.push(requests.rule(trouble.0).at_most(count));
}

#[given(
    regex = r"^(\d+) consumers die (after a receive, before they know what they got|before an insert reaches storage|after an insert is stored, before they know it|before a delete reaches storage|after a delete is done, before they know it)$"
)]
fn deaths(scenario: &mut Scenario, count: u64, death: Death) {
    let Death(requests, moment) = death;
    // The first receives may find the queue empty, with nothing to lose; of inserts there may be only a few.
    let rule = Rule {
        after: if requests == Requests::Receives { 3 } else { 0 },
        ..requests.rule(Effect::Kill(moment)).at_most(count)
    };
    scenario.rules.push(rule);
}
