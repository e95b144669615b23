//! How the consumers of a run signed in, and how they end if they cannot.

use std::time::Duration;

use judge::{departures, identity};
use platform::{Departure, Roster};

use super::{Run, Sending, Sent};

impl Run {
    /// The number of tokens that each consumer was given, by its name.
    pub async fn sign_ins(&self) -> anyhow::Result<Vec<(String, usize)>> {
        let (names, identities) = (self.roster().names(), self.identities()?);
        let exchanges = identities.seen().await?.exchanges;
        let count = |name: &str| {
            let of_it = exchanges.iter().filter(|exchange| exchange.pod == name);
            of_it.filter(|exchange| exchange.refused.is_none()).count()
        };
        let counts = names.into_iter().map(|name| (count(&name), name));
        Ok(counts.map(|(count, name)| (name, count)).collect())
    }

    /// How often the pods' tokens were replaced.
    pub async fn renewals(&self) -> anyhow::Result<u64> {
        self.identities()?.replaced().await
    }

    /// How many connections and requests had no answer, since Entra could not be reached.
    pub async fn unreached(&self) -> anyhow::Result<u64> {
        Ok(self.identities()?.seen().await?.unreached)
    }

    /// Ends the time in which Entra cannot be reached, if consumers have tried to sign in until then.
    pub async fn bring_authority_back(&self) -> anyhow::Result<()> {
        identity::tried_to_sign_in(self.unreached().await?)?;
        self.identities()?.set_away(false).await
    }

    /// Takes Entra away for `time` once `sent_before` messages are sent, and sends the rest of the load, which may take `patience`.
    pub async fn send_without_authority(
        &self,
        mut sending: Sending,
        sent_before: u64,
        time: Duration,
        patience: Duration,
    ) -> anyhow::Result<Sent> {
        sending.until_acknowledged(sent_before, patience).await?;
        let authority = self.identities()?;
        authority.set_away(true).await?;
        self.let_pass(time).await;
        authority.set_away(false).await?;
        let sent = sending.finish(patience).await;
        anyhow::Context::context(sent, "send what is left")
    }

    /// Waits until the first so many consumers have ended without being told to, for at most `deadline`, and returns how they ended. One
    /// that takes the place of another, and ends too, does not count for one that still runs.
    pub async fn until_ended(
        &self,
        consumers: usize,
        deadline: Duration,
    ) -> anyhow::Result<Vec<Departure>> {
        let of_the_first = |roster: &Roster| {
            let mut first = roster.names();
            // A pod whose container is started again keeps its name.
            first.dedup();
            let ended = |name: String| roster.unasked().find(|it| it.name == name).cloned();
            let first = first.into_iter().take(consumers);
            first.filter_map(ended).collect::<Vec<_>>()
        };
        let all_ended = self.until_workers(deadline, |roster| {
            (of_the_first(roster).len() >= consumers).then_some(())
        });
        // Whether they have is judged by the roster.
        all_ended.await.ok();
        let ended = of_the_first(&self.roster());
        departures::all_ended(ended.len(), consumers, deadline)?;
        Ok(ended)
    }

    /// What each consumer that ended without being told to has logged as errors, by its name.
    pub fn last_errors(&self) -> anyhow::Result<Vec<(String, String)>> {
        let roster = self.roster();
        let errors = |name: &String| {
            let log = self.said(name)?;
            let errors = log.lines().filter(|line| line.contains("\"ERROR\""));
            // In a JSON log, quotation marks are escaped.
            Ok((name.clone(), errors.collect::<String>().replace('\\', "")))
        };
        let unasked = roster.unasked().map(|departure| &departure.name);
        unasked.map(errors).collect()
    }
}
