//! Judges the poison queue.

use anyhow::Context as _;
use cucumber::then;
use workflow::contract::PoisonReason;
use workflow::contract::workload::SetAside;

use super::super::durations::Time;
use super::super::needs::declare_needs;
use super::super::world::{Scenario, StepResult};
use crate::audit::ExpectedPoison;
use crate::outcome::Unmet;
use crate::run::{Collected, Patience, PoisonFound, Settled};

declare_needs!(BadMessages);
#[then(
    regex = r#"^the poison queue holds 1 message, for the reason "(.+)", with its body unchanged$"#
)]
fn holds_the_bad_one(scenario: &mut Scenario, reason: PoisonReason) -> StepResult {
    let (found, body) = whole(scenario.collected()?)?;
    ensure_reason(&found, reason)?;
    ensure!(
        body == scenario.running()?.injected()?.body,
        "the body was changed to {body:?}"
    );
    Ok(())
}

declare_needs!(Poison);
#[then(
    regex = r#"^within (\d+ (?:ms|s|min)) the poison queue holds that message, for the reason "(.+)"$"#
)]
async fn holds_the_good_one(
    scenario: &mut Scenario,
    deadline: Time,
    reason: PoisonReason,
) -> StepResult {
    let (load, sent) = scenario.running()?.sent()?.clone();
    let run = scenario.run().await?;
    if let Settled::TimedOut { left } = run.settle(deadline.0).await? {
        bail!(
            "{left} messages are still in the queue after {:?}",
            deadline.0
        );
    }
    for departure in run.drain(Patience::default().drain).await? {
        departure.ensure_orderly()?;
    }
    let expected = ExpectedPoison {
        seqs: vec![1..=load.messages],
        ..ExpectedPoison::default()
    };
    let collected = run.collect(&sent, expected).await?;
    let (found, body) = whole(&collected)?;
    let lens = scenario.run().await?.store().lens.clone();
    // A described worker has its own texts for the reason, or none.
    if lens.description().has_own_messages() {
        ensure_reason(&found, reason)?;
    }
    let owner = lens.owner_of_message(&body);
    ensure!(
        owner.seq().is_some(),
        "the body must be the message that was sent, and is {body:?}"
    );
    scenario.judged(collected)?;
    Ok(())
}

#[then(expr = "the table holds no result")]
fn no_result(scenario: &mut Scenario) -> StepResult {
    let rows = scenario.collected()?.audit.rows;
    ensure!(rows == 0, "it holds {rows}");
    Ok(())
}

fn ensure_reason(found: &SetAside, reason: PoisonReason) -> StepResult {
    let (said, detail) = (found.reason.as_deref(), found.detail.as_deref());
    ensure!(
        said == Some(reason.as_str()),
        "the reason is {} ({})",
        said.unwrap_or("not said"),
        detail.unwrap_or("without a detail")
    );
    Ok(())
}

/// The only message of the poison queue, with its parts joined.
fn whole(collected: &Collected) -> anyhow::Result<(SetAside, String)> {
    let mut parts = Vec::new();
    for found in &collected.poison {
        match found {
            PoisonFound::SetAside(found) => parts.push(found.as_ref().clone()),
            PoisonFound::Foreign(body) => {
                anyhow::bail!(Unmet(format!(
                    "the poison queue holds something without a reason: {body:?}"
                )))
            }
        }
    }
    parts.sort_by_key(|part| part.part);
    let empty = || Unmet("the poison queue is empty".to_owned());
    let first = parts.first().with_context(empty)?.clone();
    let one_message = parts.iter().all(|part| part.message_id == first.message_id);
    if !one_message || parts.len() != first.parts as usize {
        anyhow::bail!(Unmet(format!(
            "the poison queue holds {} envelopes, expected the {} of one message",
            parts.len(),
            first.parts
        )));
    }
    let body = parts.into_iter().map(|part| part.body).collect();
    Ok((first, body))
}
