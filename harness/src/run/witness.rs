//! What the history of a run tells: the protocol's judgement, and the way of each witness through the wire.

use std::collections::HashSet;
use std::time::Duration;

use workflow::contract::Stamp;

use super::Run;
use crate::audit::{Audit, Protocol, Traffic};
use crate::outcome::Unmet;
use crate::platform::until::until;
use crate::wire::{Crossing, Index};

/// Most crossings that a witness shows: enough for several deliveries of one message.
const MAX_SHOWN: usize = 40;

impl Run {
    /// What crossed the wire so far.
    pub fn traffic(&self) -> anyhow::Result<Traffic> {
        let protocol = Protocol::new(self.identity().run.clone(), 0);
        Ok(self.judge_history(protocol)?.finish().traffic)
    }

    /// Waits until `client` has asked storage for anything after `since`, for at most `patience`.
    pub async fn until_asks(
        &self,
        client: &str,
        since: Stamp,
        patience: Duration,
    ) -> anyhow::Result<()> {
        let asked = until(patience, async || {
            let asked = self.history()?.look(|index| index.has_asked(client, since));
            Ok(asked?.then_some(()))
        });
        let unmet = |late| Unmet(format!("wait until {client} asks storage: {late}")).into();
        asked.await?.map_err(unmet)
    }

    /// When each consumer first received a message, of those that ever did.
    pub fn first_deliveries(&self) -> anyhow::Result<Vec<Stamp>> {
        Ok(self.history()?.look(Index::first_deliveries)?)
    }

    /// What storage has refused to consumers for who they are (401, 403), in words.
    pub fn refused(&self) -> anyhow::Result<Vec<String>> {
        let refused = |index: &Index| index.refused().to_vec();
        Ok(self.history()?.look(refused)?)
    }

    /// Feeds the history to `protocol`.
    pub(super) fn judge_history(&self, mut protocol: Protocol) -> anyhow::Result<Protocol> {
        for crossing in self.history()?.read()? {
            protocol.crossing(&crossing?);
        }
        Ok(protocol)
    }

    /// Gives every witness of `audit` its way through the wire: all of them in one more reading of the history.
    pub(super) fn add_timelines(&self, audit: &mut Audit) -> anyhow::Result<()> {
        let findings = audit.findings.iter_mut();
        let mut timelines: Vec<_> = findings
            .flat_map(|finding| &mut finding.witnesses)
            .map(|witness| Timeline::of(&witness.subject, &mut witness.history))
            .collect();
        if timelines.is_empty() {
            return Ok(());
        }
        for crossing in self.history()?.read()? {
            let crossing = crossing?;
            for timeline in &mut timelines {
                timeline.look_at(&crossing);
            }
        }
        Ok(())
    }
}

/// What a history tells of one subject.
struct Timeline<'a> {
    /// A message's id, or a text that ends with the queue's id of a message.
    subject: String,
    /// The queue's ids of that message, learnt on the way: a message that is sent twice has two.
    queue_ids: HashSet<String>,
    shown: &'a mut Vec<Crossing>,
}

impl<'a> Timeline<'a> {
    fn of(subject: &str, shown: &'a mut Vec<Crossing>) -> Self {
        let queue_id = subject.strip_prefix("queue message ").map(str::to_owned);
        Self {
            subject: subject.to_owned(),
            queue_ids: queue_id.into_iter().collect(),
            shown,
        }
    }

    fn look_at(&mut self, crossing: &Crossing) {
        if self.shown.len() >= MAX_SHOWN {
            return;
        }
        let ours = |message: &&crate::wire::Handled| {
            message.id.as_ref() == Some(&self.subject)
                || self.queue_ids.contains(&message.queue_id)
                || message
                    .poisons
                    .as_ref()
                    .is_some_and(|id| self.queue_ids.contains(id))
        };
        let messages: Vec<_> = crossing.messages.iter().filter(ours).cloned().collect();
        let rows = crossing.rows.iter();
        let rows: Vec<_> = rows
            .filter(|row| row.keys.row == self.subject)
            .cloned()
            .collect();
        if messages.is_empty() && rows.is_empty() {
            return;
        }
        for message in &messages {
            if message.poisons.is_none() && !message.queue_id.is_empty() {
                self.queue_ids.insert(message.queue_id.clone());
            }
        }
        // Of a batch, only what is about the subject.
        self.shown.push(Crossing {
            messages,
            rows,
            ..crossing.clone()
        });
    }
}
