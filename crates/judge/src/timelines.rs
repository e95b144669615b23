//! The crossings that concern each witness.

use std::collections::HashSet;

use contract::workload::Lens;
use evidence::audit::{Audit, StorageNames, Witness};
use evidence::{Crossing, Handled, RowChange};

/// Most crossings that a witness shows: enough for several deliveries of one message.
const MAX_SHOWN: usize = 40;

/// Collects the crossings of every witness of an audit, in one reading of the history.
#[derive(Debug)]
pub struct Timelines<'a> {
    /// Tells from a row's keys to which message it belongs.
    lens: Lens,
    /// The run's queues.
    names: StorageNames,
    all: Vec<Timeline<'a>>,
}

impl<'a> Timelines<'a> {
    /// Makes the timelines of the witnesses of `audit`, whose workload `lens` describes. If `names` has several queues, each
    /// witness also gets the name of the queue that its message was in.
    pub fn of(audit: &'a mut Audit, lens: Lens, names: StorageNames) -> Self {
        let findings = audit.findings.iter_mut();
        let witnesses = findings.flat_map(|finding| &mut finding.witnesses);
        Self {
            lens,
            names,
            all: witnesses.map(Timeline::of).collect(),
        }
    }

    /// Whether there are no witnesses, so that the history need not be read.
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Takes the next crossing of the history.
    pub fn crossing(&mut self, crossing: &Crossing) {
        let rows = crossing.rows.iter().map(|row| self.name_of(row));
        let rows: Vec<_> = rows.collect();
        let queue = self.queue_of(crossing);
        for timeline in &mut self.all {
            timeline.look_at(crossing, &rows, queue.as_deref());
        }
    }

    /// The queue that `crossing` addresses, itself or through its poison queue; `None` if the run has one queue only.
    fn queue_of(&self, crossing: &Crossing) -> Option<String> {
        if !self.names.has_several_queues() {
            return None;
        }
        let is_of = |queue: &&String| {
            **queue == crossing.resource
                || self.lens.is_poison_queue(&crossing.resource, Some(queue))
        };
        self.names.queues.iter().find(is_of).cloned()
    }

    /// The name of a row in witnesses: the id of its message, from its columns or its keys, or its row key.
    fn name_of(&self, row: &RowChange) -> String {
        let by_keys = || {
            let owner = self.lens.owner_of_keys(&row.keys.partition, &row.keys.row);
            owner.seq().map(|seq| self.lens.id(seq))
        };
        let id = row.id.clone().or_else(by_keys);
        id.unwrap_or_else(|| row.keys.row.clone())
    }
}

/// The crossings of one subject.
#[derive(Debug)]
struct Timeline<'a> {
    /// A message's id, or a text that ends with the message id of the queue.
    subject: String,
    /// The message ids of that message in the queue, learnt from its crossings: a message that is sent twice has two.
    queue_ids: HashSet<String>,
    queue: &'a mut Option<String>,
    shown: &'a mut Vec<Crossing>,
}

impl<'a> Timeline<'a> {
    fn of(witness: &'a mut Witness) -> Self {
        let subject = witness.subject.clone();
        let queue_id = subject.strip_prefix("queue message ").map(str::to_owned);
        Self {
            queue_ids: queue_id.into_iter().collect(),
            subject,
            queue: &mut witness.queue,
            shown: &mut witness.history,
        }
    }

    /// Takes a crossing with `queue`; `names` are the names of its rows.
    fn look_at(&mut self, crossing: &Crossing, names: &[String], queue: Option<&str>) {
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
        let rows = crossing.rows.iter().zip(names);
        let rows = rows.filter(|(row, name)| {
            **name == self.subject || row.holds.as_ref() == Some(&self.subject)
        });
        let rows: Vec<_> = rows.map(|(row, _)| row.clone()).collect();
        if messages.is_empty() && rows.is_empty() {
            return;
        }
        if self.queue.is_none() && !messages.is_empty() {
            *self.queue = queue.map(str::to_owned);
        }
        for message in &messages {
            if message.poisons.is_none() && !message.queue_id.is_empty() {
                self.queue_ids.insert(message.queue_id.clone());
            }
        }
        // Of a batch, only the parts that concern the subject.
        self.shown.push(Crossing {
            messages,
            rows,
            ..crossing.clone()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::sample_crossing;
    use contract::workload::Description;
    use contract::{PayloadSize, Payloads, Stamp};
    use evidence::{Keys, Operation};

    fn message(queue_id: &str, id: Option<&str>, poisons: Option<&str>) -> Handled {
        Handled {
            queue_id: queue_id.to_owned(),
            id: id.map(str::to_owned),
            poisons: poisons.map(str::to_owned),
            ..Handled::default()
        }
    }

    fn row(key: &str, id: Option<&str>) -> RowChange {
        RowChange {
            operation: Operation::InsertEntity,
            keys: Keys {
                partition: "p".to_owned(),
                row: key.to_owned(),
            },
            part: None,
            digest: None,
            delivery: None,
            print: None,
            id: id.map(str::to_owned),
            holds: None,
            lacking: vec![],
        }
    }

    fn crossing(operation: Operation, messages: Vec<Handled>, rows: Vec<RowChange>) -> Crossing {
        Crossing {
            messages,
            rows,
            ..sample_crossing(operation)
        }
    }

    const PAYLOADS: Payloads = Payloads {
        seed: 11,
        size: PayloadSize::Sample,
    };

    fn own() -> Lens {
        Lens::own("r".parse().unwrap())
    }

    fn of(witness: &mut Witness) -> Timelines<'_> {
        Timelines {
            lens: own(),
            names: StorageNames::default(),
            all: vec![Timeline::of(witness)],
        }
    }

    /// The crossings that are shown for `subject`, from a history in which two messages are put, received, stored, given up and
    /// deleted.
    fn shown(subject: &str) -> Vec<Crossing> {
        use Operation::{DeleteMessage, InsertEntity, PutMessage, ReceiveMessages};
        let both = vec![
            message("q1", Some("r-1"), None),
            message("q2", Some("r-2"), None),
        ];
        let way = [
            crossing(PutMessage, vec![message("q1", Some("r-1"), None)], vec![]),
            crossing(PutMessage, vec![message("", Some("r-3"), None)], vec![]),
            crossing(ReceiveMessages, both, vec![]),
            crossing(
                InsertEntity,
                vec![],
                vec![row("r-1", None), row("r-2", None)],
            ),
            crossing(InsertEntity, vec![], vec![row("fresh", Some("r-1"))]),
            crossing(PutMessage, vec![message("q9", None, Some("q2"))], vec![]),
            crossing(DeleteMessage, vec![message("q9", None, None)], vec![]),
            crossing(DeleteMessage, vec![message("", None, None)], vec![]),
            crossing(DeleteMessage, vec![message("q1", None, None)], vec![]),
        ];
        let mut witness = Witness::new(subject, "");
        let mut timelines = of(&mut witness);
        assert!(!timelines.is_empty());
        for crossing in &way {
            timelines.crossing(crossing);
        }
        witness.history
    }

    fn operations(shown: &[Crossing]) -> Vec<Operation> {
        shown.iter().map(|crossing| crossing.operation).collect()
    }

    #[test]
    fn a_message_is_followed_by_its_id_and_then_by_the_ids_of_its_queue() {
        use Operation::{DeleteMessage, InsertEntity, PutMessage, ReceiveMessages};
        let first = shown("r-1");
        let way = [
            PutMessage,
            ReceiveMessages,
            InsertEntity,
            InsertEntity,
            DeleteMessage,
        ];
        assert_eq!(operations(&first), way);
        // Of a batch, the part that concerns the subject.
        assert_eq!(first[1].messages, [message("q1", Some("r-1"), None)]);
        assert_eq!(first[2].rows, [row("r-1", None)]);
        // A message that was given up: the id of its envelope is another one.
        let way = [ReceiveMessages, InsertEntity, PutMessage];
        assert_eq!(operations(&shown("r-2")), way);
        assert_eq!(operations(&shown("r-3")), [PutMessage]);
        assert_eq!(operations(&shown("r-4")), []);
    }

    /// The queue of the witness `subject`, in a run with `queues`.
    fn queue_of(subject: &str, queues: &[&str]) -> Option<String> {
        use Operation::{InsertEntity, PutMessage, ReceiveMessages};
        let with = |resource: &str, crossing: Crossing| Crossing {
            resource: resource.to_owned(),
            ..crossing
        };
        let put =
            |queue_id, id| crossing(PutMessage, vec![message(queue_id, Some(id), None)], vec![]);
        let poisons = vec![message("m9", None, Some("m3"))];
        let way = [
            with(
                "results",
                crossing(InsertEntity, vec![], vec![row("r-2", None)]),
            ),
            with("q1", put("m1", "r-1")),
            with("q2", put("m2", "r-2")),
            with(
                "q2",
                crossing(ReceiveMessages, vec![message("m3", None, None)], vec![]),
            ),
            with("q2-poison", crossing(PutMessage, poisons, vec![])),
            // Sent again, to the wrong queue: the first one is where it belongs.
            with("q2", put("m4", "r-1")),
        ];
        let mut witness = Witness::new(subject, "");
        let mut timelines = Timelines {
            names: StorageNames {
                queues: queues.iter().map(ToString::to_string).collect(),
                table: None,
            },
            ..of(&mut witness)
        };
        for crossing in &way {
            timelines.crossing(crossing);
        }
        witness.queue
    }

    #[test]
    fn a_witness_of_a_run_with_several_queues_names_its_own() {
        let both = ["q1", "q2"];
        assert_eq!(queue_of("r-1", &both).as_deref(), Some("q1"));
        assert_eq!(queue_of("r-2", &both).as_deref(), Some("q2"));
        assert_eq!(queue_of("queue message m3", &both).as_deref(), Some("q2"));
        assert_eq!(queue_of("queue message m9", &both).as_deref(), Some("q2"));
        assert_eq!(queue_of("r-3", &both), None);
        assert_eq!(queue_of("r-1", &["q1"]), None);
    }

    #[test]
    fn one_that_has_no_id_is_followed_by_that_of_the_queue() {
        use Operation::{DeleteMessage, PutMessage, ReceiveMessages};
        let way = [PutMessage, ReceiveMessages, DeleteMessage];
        assert_eq!(operations(&shown("queue message q1")), way);
        assert_eq!(operations(&shown("queue message q3")), []);
    }

    #[test]
    fn a_row_is_found_by_its_key_only_where_it_names_no_message() {
        assert_eq!(operations(&shown("fresh")), []);
    }

    #[test]
    fn a_way_without_an_end_is_cut() {
        let mut witness = Witness::new("r-1", "");
        let mut timelines = of(&mut witness);
        let put = crossing(
            Operation::PutMessage,
            vec![message("q1", Some("r-1"), None)],
            vec![],
        );
        for _ in 0..MAX_SHOWN + 2 {
            timelines.crossing(&put);
        }
        assert_eq!(witness.history.len(), MAX_SHOWN);
        let none = Timelines {
            lens: own(),
            names: StorageNames::default(),
            all: vec![],
        };
        assert!(none.is_empty());
    }

    /// Only the keys name the message, and they are not an id.
    #[test]
    fn the_write_of_a_row_is_shown_whatever_its_keys_are_made_of() {
        let text = "version: 1\nname: f\nmessage: { body: { uid: \"{uuid}\" } }\nrow: { columns: { RowKey: \"{uuid}\" } }\n";
        let description = Description::read(text).unwrap();
        let lens = Lens::new(description.into(), "r".parse().unwrap());
        let seq = contract::Seq::new(7).unwrap();
        let body = lens.message(PAYLOADS, seq, Stamp::from_micros(0), Stamp::from_micros(0));
        let uuid = body
            .trim_start_matches("{\"uid\":\"")
            .trim_end_matches("\"}");
        let mut witness = Witness::new("r-7", "");
        let mut timelines = Timelines {
            lens,
            names: StorageNames::default(),
            all: vec![Timeline::of(&mut witness)],
        };
        let insert = crossing(Operation::InsertEntity, vec![], vec![row(uuid, None)]);
        timelines.crossing(&insert);
        assert_eq!(witness.history, [insert]);
    }
}
