//! Puts into the poison queue: only messages of the run that could not be processed may go there.

use std::collections::HashSet;

use contract::Seq;

use super::Protocol;
use super::live::Live;
use crate::audit::testimony::GivenUp;
use crate::audit::{Violation, Witness};
use evidence::{Crossing, Handled};

/// Messages that were put into the poison queue and deleted, by message id and by fingerprint of the body.
#[derive(Debug, Clone, Default)]
pub(super) struct SetAside {
    ids: HashSet<String>,
    prints: HashSet<u64>,
}

impl SetAside {
    /// Records that a message was deleted from the queue.
    pub(super) fn deleted(&mut self, queue_id: &str, live: &Live) {
        if live.set_aside.is_some() {
            self.ids.insert(queue_id.to_owned());
            self.prints.extend(live.print);
        }
    }

    fn has(&self, message: &Handled) -> bool {
        let named = [&message.poisons, &message.poisons_in_part];
        let mut named = named.into_iter().flatten();
        named.any(|id| self.ids.contains(id))
            || message.print.is_some_and(|it| self.prints.contains(&it))
    }
}

impl Protocol {
    /// Handles a put into the poison queue: `message` names the message that it stands for, or has the same text.
    pub(super) fn set_aside(&mut self, crossing: &Crossing, message: &Handled) {
        self.envelope(crossing, message);
        let mut seqs: Vec<Seq> = Vec::new();
        let mut is_known = self.set_aside.has(message);
        let id = message.id.as_deref().and_then(|id| self.seq_of(id));
        seqs.extend(id);
        let whole = message.poisons.as_ref();
        if let Some(live) = whole.and_then(|id| self.live.get_mut(id)) {
            live.put_aside(crossing, message);
            is_known = true;
            seqs.extend(live.seq);
        }
        let part = message.poisons_in_part.as_ref();
        if let Some(live) = part.and_then(|id| self.live.get_mut(id)) {
            live.put_in_part(crossing, message);
            is_known = true;
            seqs.extend(live.seq);
        }
        if let Some(print) = message.print {
            for live in self.live.values_mut().filter(|it| it.print == Some(print)) {
                live.put_aside(crossing, message);
                is_known = true;
                seqs.extend(live.seq);
            }
        }
        seqs.sort_unstable();
        seqs.dedup();
        let is_unknown = seqs.is_empty() && !is_known;
        let (client, queue_id) = (&crossing.client, &message.queue_id);
        if is_unknown && !self.account.may_have_received(client, queue_id) {
            self.findings.add(Violation::Phantom, || {
                let detail = format!(
                    "{} put it into {:?}, and it is no message that anybody had received",
                    crossing.client, crossing.resource
                );
                Witness::new("a message of the poison queue", detail)
            });
        }
        for seq in seqs {
            self.given_up.push(GivenUp {
                seq,
                client: crossing.client.clone(),
                attempt: self.deliveries.attempts(seq),
            });
        }
    }
}
