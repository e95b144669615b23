//! Requests of clients on messages or resources that are not theirs.

use evidence::{Crossing, Handled, Happened, Operation};

use super::Protocol;
use super::ends::subject;
use crate::audit::{Violation, Witness};

impl Protocol {
    /// Reports a delete, renewal or hand-back of a message by a client that has not received it, or with another body.
    pub(super) fn meddled_with(&mut self, crossing: &Crossing, message: &Handled) {
        if crossing.happened() != Happened::Yes {
            return;
        }
        let Some(live) = self.live.get(&message.queue_id) else {
            return;
        };
        let (client, operation) = (&crossing.client, crossing.operation);
        let is_new = message.print.is_some() && live.print.is_some() && message.print != live.print;
        let detail = if is_new {
            format!("{client} gave the message another body")
        } else if !live.receivers.contains(client)
            && !self.account.may_have_received(client, &message.queue_id)
        {
            let others = live.receivers.join(", ");
            format!("{client} sent {operation} for a message that {others} had received")
        } else {
            return;
        };
        let subject = subject(&self.lens, live.seq, message);
        let witness = || Witness::new(subject, detail);
        self.findings.add(Violation::Meddled, witness);
    }

    /// Reports a worker that puts a message into the queue from which workers receive: only the producer may. A copy of a
    /// message whose row is stored causes useless work, and a copy of another message hides that its deliveries run out.
    pub(super) fn put_by_worker(&mut self, crossing: &Crossing) {
        if crossing.happened() == Happened::No {
            return;
        }
        self.findings.add(Violation::Meddled, || {
            let id = crossing.messages.first().and_then(|it| it.id.clone());
            let (client, queue) = (&crossing.client, &crossing.resource);
            let what = id.as_ref().map_or("a message", |_| "the message again");
            let detail = format!(
                "{client} put {what} into {queue:?}, the queue that workers take messages from and only the producer puts them into"
            );
            let subject = id.unwrap_or_else(|| format!("{} to {queue}", crossing.operation));
            Witness::new(subject, detail)
        });
    }

    /// Reports the removal of a whole queue or table of the run: messages or rows of other clients are removed too.
    pub(super) fn removed(&mut self, crossing: &Crossing) {
        let is_own = match crossing.operation {
            Operation::DeleteTable => self.resources.is_table(&crossing.resource),
            _ => self.resources.is_queue(&crossing.resource),
        };
        if is_own && crossing.happened() != Happened::No {
            self.meddle(crossing, "which all consumers share");
        }
    }

    /// Reports a change of a whole queue or table of the run: of its metadata or its access policy. Also an attempt that storage
    /// refuses, because it is refused only for want of a permission, which a consumer in production may have.
    pub(super) fn changed(&mut self, crossing: &Crossing) {
        let refused = match crossing.happened() {
            Happened::No => {
                let code = crossing.code().unwrap_or("no code");
                format!("; it was refused ({code}), and would be done with other permissions")
            }
            _ => String::new(),
        };
        self.meddle(crossing, &format!("which all consumers share{refused}"));
    }

    /// Reports a write to a queue or table that is not the run's, or the creation, change, clearing or removal of such a
    /// resource: it is not undone, and may affect another run.
    pub(super) fn strayed(&mut self, crossing: &Crossing) {
        if crossing.happened() != Happened::No && !self.is_beside(crossing) {
            self.meddle(crossing, "which is not the run's");
        }
    }

    /// Whether the crossing addresses an additional queue or table that the description gives the worker.
    fn is_beside(&self, crossing: &Crossing) -> bool {
        let (queues, table) = (&self.resources.queues, &self.resources.table);
        let queues = queues
            .iter()
            .flat_map(|queue| self.lens.queues_beside(queue));
        let tables = table
            .iter()
            .flat_map(|table| self.lens.tables_beside(table));
        let asked = &crossing.resource;
        match crossing.operation {
            Operation::PutMessage
            | Operation::ClearMessages
            | Operation::CreateQueue
            | Operation::ChangeQueue
            | Operation::DeleteQueue => queues.into_iter().any(|name| name == *asked),
            // Table names are case-insensitive.
            _ => tables
                .into_iter()
                .any(|name| name.eq_ignore_ascii_case(asked)),
        }
    }

    fn meddle(&mut self, crossing: &Crossing, why: &str) {
        self.findings.add(Violation::Meddled, || {
            let Crossing {
                client,
                operation,
                resource,
                ..
            } = crossing;
            let detail = format!("{client} sent {operation} to {resource:?}, {why}");
            Witness::new(format!("{operation} to {resource}"), detail)
        });
    }
}
