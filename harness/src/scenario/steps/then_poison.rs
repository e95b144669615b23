//! Judging the poison queue.

use anyhow::Context as _;
use cucumber::then;
use workflow::contract::{Message, PoisonEnvelope, PoisonReason};

use super::super::durations::Time;
use super::super::world::{Scenario, StepResult};
use crate::audit::ExpectedPoison;
use crate::outcome::Unmet;
use crate::run::{Collected, Patience, PoisonFound, Settled};

#[then(
    regex = r#"^the poison queue holds 1 message, for the reason "(.+)", with its body unchanged$"#
)]
fn holds_the_bad_one(scenario: &mut Scenario, reason: PoisonReason) -> StepResult {
    let (found, body) = whole(scenario.collected()?)?;
    ensure!(
        found.reason == reason,
        "the reason is {} ({})",
        found.reason,
        found.detail
    );
    ensure!(
        body == scenario.injected()?.body,
        "the body was changed to {body:?}"
    );
    Ok(())
}

#[then(
    regex = r#"^within (\d+ (?:ms|s|min)) the poison queue holds that message, for the reason "(.+)"$"#
)]
async fn holds_the_good_one(
    scenario: &mut Scenario,
    deadline: Time,
    reason: PoisonReason,
) -> StepResult {
    let (load, sent) = scenario.sent.clone().context("nothing was sent")?;
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
    ensure!(
        found.reason == reason,
        "the reason is {} ({})",
        found.reason,
        found.detail
    );
    let message = Message::decode(&body).map_err(|error| {
        Unmet(format!(
            "the body must be the message that was sent: {error}"
        ))
    })?;
    ensure!(
        message.id.run == scenario.run().await?.identity().run,
        "it is {}",
        message.id
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

/// The only message of the poison queue, its parts joined.
fn whole(collected: &Collected) -> anyhow::Result<(PoisonEnvelope, String)> {
    let mut parts = Vec::new();
    for found in &collected.poison {
        match found {
            PoisonFound::Envelope(envelope) => parts.push(envelope.as_ref().clone()),
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
