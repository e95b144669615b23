//! Faults as sentences or tables of a feature file, and the proxy's rules that cause them.

use std::str::FromStr;

use cucumber::Parameter;
use cucumber::gherkin::Step;
use cucumber::given;

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::tables::rows;
use super::super::world::{Scenario, StepResult};
use crate::wire::{FaultKind, Moment, Operation, Refusal, Rule};

/// The requests of the consumers that a fault meets.
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

    fn rule(self, effect: FaultKind) -> Rule {
        Rule {
            operations: self.operations(),
            ..Rule::on(Operation::Other, effect)
        }
    }
}

/// What the consumers get instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Trouble(FaultKind);

impl FromStr for Trouble {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(time) = text
            .strip_prefix("an answer ")
            .and_then(|rest| rest.strip_suffix(" late"))
        {
            let Time(time) = time.parse()?;
            if time.is_zero() {
                return Err(format!("{text:?} is not late; write a time above 0"));
            }
            return Ok(Self(FaultKind::Delay(time)));
        }
        Ok(Self(match text {
            "503 ServerBusy" => FaultKind::Refuse(Refusal::ServerBusy),
            "500 OperationTimedOut" => FaultKind::Refuse(Refusal::OperationTimedOut),
            "500 InternalError" => FaultKind::Refuse(Refusal::InternalError),
            "403 AuthorizationFailure" => FaultKind::Refuse(Refusal::Forbidden),
            "429 TooManyRequests" => FaultKind::Refuse(Refusal::TooManyRequests),
            "a reset before storage has the request" => FaultKind::Reset(Moment::Before),
            "a reset after storage has done it" => FaultKind::Reset(Moment::AfterEffect),
            "a reset in the middle of the answer" => FaultKind::Reset(Moment::DuringAnswer),
            "no answer" => FaultKind::Withhold,
            "half an answer" => FaultKind::Truncate,
            "a garbled answer" => FaultKind::Garble,
            _ => return Err(format!("{text:?} is no trouble that the proxy can make")),
        }))
    }
}

/// The point of the protocol at which a consumer dies.
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

impl Death {
    fn rule(self, count: u64) -> Rule {
        let Self(requests, moment) = self;
        Rule::deaths(requests.operations(), moment).at_most(count)
    }
}

// The possible words of a sentence are listed, so that `harness lint` refuses all others before anything runs.
declare_needs!(Wire);
#[given(
    regex = r"^(\d{1,2}|100) % of all (requests|receives|renewals|inserts|deletes) get (503 ServerBusy|500 OperationTimedOut|500 InternalError|403 AuthorizationFailure|429 TooManyRequests|a reset before storage has the request|a reset after storage has done it|a reset in the middle of the answer|no answer|half an answer|a garbled answer|an answer \d+ (?:ms|s|min) late)$"
)]
fn share(scenario: &mut Scenario, percent: u32, requests: Requests, trouble: Trouble) {
    let rule = requests.rule(trouble.0);
    scenario
        .given
        .rules
        .push(rule.on_share(f64::from(percent) / 100.0));
}

declare_needs!(Wire);
#[given(
    regex = r"^the first (\d+) (requests|receives|renewals|inserts|deletes) get (503 ServerBusy|500 OperationTimedOut|500 InternalError|403 AuthorizationFailure|429 TooManyRequests|a reset before storage has the request|a reset after storage has done it|a reset in the middle of the answer|no answer|half an answer|a garbled answer|an answer \d+ (?:ms|s|min) late)$"
)]
fn first(scenario: &mut Scenario, count: u64, requests: Requests, trouble: Trouble) {
    scenario
        .given
        .rules
        .push(requests.rule(trouble.0).at_most(count));
}

declare_needs!(Wire);
#[given(
    regex = r"^(\d+) consumers die (after a receive, before they know what they got|before an insert reaches storage|after an insert is stored, before they know it|before a delete reaches storage|after a delete is done, before they know it)$"
)]
fn deaths(scenario: &mut Scenario, count: u64, death: Death) {
    scenario.given.rules.push(death.rule(count));
}

declare_needs!(Wire);
#[given("requests meet this trouble:")]
fn troubles(scenario: &mut Scenario, step: &Step) -> StepResult {
    scenario.given.rules.extend(trouble_rules(step)?);
    Ok(())
}

declare_needs!(Wire);
#[given("consumers die:")]
fn death_table(scenario: &mut Scenario, step: &Step) -> StepResult {
    scenario.given.rules.extend(death_rules(step)?);
    Ok(())
}

/// The rules of a table with a row for each fault.
pub(super) fn trouble_rules(step: &Step) -> anyhow::Result<Vec<Rule>> {
    let rows = rows(step, ["requests", "trouble"])?;
    let rule = |[requests, trouble]: [&str; 2]| {
        let trouble: Trouble = trouble.parse()?;
        let refused = || format!("{requests:?} is not like '30 % of all receives'");
        let (percent, requests) = requests.split_once(" % of all ").ok_or_else(refused)?;
        let percent: u32 = percent.parse().map_err(|_| refused())?;
        if !(1..=100).contains(&percent) {
            return Err(format!("{percent} % is no share of them; write 1 to 100 %"));
        }
        let share = f64::from(percent) / 100.0;
        Ok(requests
            .parse::<Requests>()?
            .rule(trouble.0)
            .on_share(share))
    };
    let rules = rows.into_iter().map(rule);
    rules
        .collect::<Result<_, String>>()
        .map_err(anyhow::Error::msg)
}

/// The rules of a table with a row for each point at which consumers die.
pub(super) fn death_rules(step: &Step) -> anyhow::Result<Vec<Rule>> {
    let rows = rows(step, ["consumers", "moment"])?;
    let rule = |[count, moment]: [&str; 2]| {
        let parsed = count.parse().ok().filter(|count| *count > 0);
        let refused = || format!("{count:?} is no number of consumers that die; write 1 or more");
        let count = parsed.ok_or_else(refused)?;
        Ok(moment.parse::<Death>()?.rule(count))
    };
    let rules = rows.into_iter().map(rule);
    rules
        .collect::<Result<_, String>>()
        .map_err(anyhow::Error::msg)
}
