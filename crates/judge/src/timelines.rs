//! The way of each witness through the wire.

use std::collections::HashSet;

use evidence::audit::Audit;
use evidence::{Crossing, Handled};

/// Most crossings that a witness shows: enough for several deliveries of one message.
const MAX_SHOWN: usize = 40;

/// Gives every witness of an audit its way through the wire: all of them in one reading of the history.
#[derive(Debug)]
pub struct Timelines<'a>(Vec<Timeline<'a>>);

impl<'a> Timelines<'a> {
    /// Those of the witnesses of `audit`.
    pub fn of(audit: &'a mut Audit) -> Self {
        let findings = audit.findings.iter_mut();
        let witnesses = findings.flat_map(|finding| &mut finding.witnesses);
        Self(
            witnesses
                .map(|witness| Timeline::of(&witness.subject, &mut witness.history))
                .collect(),
        )
    }

    /// Whether there are none, so that the history need not be read.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next crossing of the history.
    pub fn crossing(&mut self, crossing: &Crossing) {
        for timeline in &mut self.0 {
            timeline.look_at(crossing);
        }
    }
}

/// What a history tells of one subject.
#[derive(Debug)]
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
        let ours = |message: &&Handled| {
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
            .filter(|row| row.id.as_ref().unwrap_or(&row.keys.row) == &self.subject)
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
