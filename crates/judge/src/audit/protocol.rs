//! The protocol: rules for the requests in a history, independent of the table's final content.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use contract::workload::Lens;
use contract::{Seq, Stamp};
use evidence::audit::StorageNames;
use evidence::{Crossing, Handled, Happened, Operation, PRODUCER, Pause};

use super::Traffic;
use super::account::Account;
use super::activity::Activity;
use super::answers::Answers;
use super::claims::Claims;
use super::clocks::Clocks;
use super::deliveries::Deliveries;
use super::findings::Findings;
use super::inserts::Inserts;
use super::nameless::Nameless;
use super::seen::Marks;
use super::skew::Skews;
use super::starvation::Starvation;
use super::testimony::{GivenUp, Testimony};
use super::ways::Ways;

mod early;
mod ends;
mod envelopes;
mod live;
mod meddling;
mod poison;

use early::Early;
use live::{Handed, Live, Refused};
use poison::SetAside;

/// Judges a history, crossing by crossing in its order.
#[derive(Debug, Clone)]
pub struct Protocol {
    lens: Lens,
    claims: Claims,
    last: u64,
    resources: StorageNames,
    /// Messages whose row was stored.
    stored: Marks,
    /// When the row was stored, for messages that are not deleted yet.
    stored_at: HashMap<Seq, Stamp>,
    /// Rows whose insert storage has confirmed to nobody: the client had gone away before the answer.
    unheard: BTreeSet<Seq>,
    /// Messages whose row was stored in another table than the run's, with that table.
    strayed: HashMap<Seq, String>,
    /// Messages that were handed over to any client.
    handed_over: Marks,
    /// Messages that a client has peeked at.
    peeked: Marks,
    /// Messages whose first delivery, by storage's own count, was over the wire.
    first_delivered: Marks,
    /// Rows that were stored before the wire had handed over their message, with the client.
    unreceived: Vec<(Seq, String)>,
    misreported: Marks,
    early: Early,
    live: HashMap<String, Live>,
    account: Account,
    deliveries: Deliveries,
    activity: Activity,
    clocks: Clocks,
    inserts: Inserts,
    /// Number of requests that deleted a row.
    removed_rows: u64,
    /// Times of each message's way for which rows have no column.
    ways: Ways,
    /// The message of the row at a key, if the key does not name the message.
    rows_at: HashMap<u64, Seq>,
    /// The columns that the row at a key still lacks, for rows that are written in several steps.
    steps: HashMap<u64, BTreeSet<String>>,
    /// Rows that name no message.
    nameless: Nameless,
    given_up: Vec<GivenUp>,
    /// Messages that were put into the poison queue and then deleted: another worker that had the message may put it there
    /// again.
    set_aside: SetAside,
    traffic: Traffic,
    /// Storage's response times.
    answers: Answers,
    starvation: Starvation,
    /// The clock errors of the clients, if they have their own clocks.
    skews: Option<Skews>,
    findings: Findings,
}

impl Protocol {
    /// Makes a judge for the run of `lens`, whose sequence numbers end at `last`.
    pub fn new(lens: Lens, last: u64) -> Self {
        Self {
            claims: Claims::of(&lens),
            ways: Ways::of(&lens),
            lens,
            rows_at: HashMap::new(),
            steps: HashMap::new(),
            nameless: Nameless::default(),
            last,
            resources: StorageNames::default(),
            stored: Marks::new(last),
            stored_at: HashMap::new(),
            unheard: BTreeSet::new(),
            strayed: HashMap::new(),
            handed_over: Marks::new(last),
            peeked: Marks::new(last),
            first_delivered: Marks::new(last),
            unreceived: Vec::new(),
            misreported: Marks::new(last),
            early: Early::default(),
            live: HashMap::new(),
            account: Account::default(),
            deliveries: Deliveries::default(),
            activity: Activity::default(),
            clocks: Clocks::default(),
            inserts: Inserts::default(),
            removed_rows: 0,
            given_up: Vec::new(),
            set_aside: SetAside::default(),
            traffic: Traffic::default(),
            answers: Answers::default(),
            starvation: Starvation::default(),
            skews: None,
            findings: Findings::default(),
        }
    }

    /// Sets the run's resources in storage; requests to other resources do not belong to the run.
    #[must_use]
    pub fn of(self, resources: StorageNames) -> Self {
        Self { resources, ..self }
    }

    /// Raises the last sequence number to `last`. Call it before the first crossing of a message with a higher number: those before it
    /// are not judged again.
    pub(crate) fn reach(&mut self, last: u64) {
        self.last = self.last.max(last);
        let all = [
            &mut self.stored,
            &mut self.handed_over,
            &mut self.peeked,
            &mut self.first_delivered,
            &mut self.misreported,
        ];
        for marks in all {
            marks.grow(self.last);
        }
    }

    /// Sets the node of each worker, by the worker's name, as the platform knows it, for comparison with the rows. Workers that
    /// are not named are not compared.
    #[must_use]
    pub fn on_nodes(mut self, nodes: BTreeMap<String, String>) -> Self {
        self.claims.nodes = nodes;
        self
    }

    /// Declares that clients run on several machines, each with its own clock.
    #[must_use]
    pub fn with_clocks_apart(self) -> Self {
        Self {
            skews: Some(Skews::default()),
            ..self
        }
    }

    /// Takes the next crossing.
    pub fn crossing(&mut self, crossing: &Crossing) {
        self.clocks.crossing(crossing);
        self.starvation.crossing(crossing);
        self.traffic.crossing(crossing);
        self.answers.crossing(crossing);
        let in_queue = self.resources.is_queue(&crossing.resource);
        if in_queue && self.resources.has_several_queues() {
            self.traffic.of_queue(crossing);
        }
        let in_poison = self.is_poison(&crossing.resource);
        let is_in_vain = self.is_in_vain(crossing);
        match crossing.operation {
            Operation::ReceiveMessages if in_queue => {
                self.account.receive(crossing);
                if crossing.happened() == Happened::Yes {
                    for message in &crossing.messages {
                        self.delivered(crossing, message);
                    }
                }
            }
            Operation::PeekMessages if in_queue => {
                let ids = crossing.messages.iter().filter_map(|it| it.id.as_deref());
                for seq in ids.filter_map(|id| self.seq_of(id)).collect::<Vec<_>>() {
                    self.peeked.mark(seq);
                }
            }
            Operation::UpdateMessage | Operation::DeleteMessage if in_queue => {
                for message in &crossing.messages {
                    self.refused(crossing, message);
                    self.meddled_with(crossing, message);
                    if crossing.operation == Operation::DeleteMessage {
                        self.deleted(crossing, message);
                    }
                }
            }
            Operation::DeleteMessage if in_poison => self.poison_removed(crossing),
            Operation::ClearMessages | Operation::DeleteQueue => {
                if in_poison {
                    self.poison_removed(crossing);
                } else if in_queue {
                    self.cleared(crossing);
                    self.removed(crossing);
                } else {
                    self.strayed(crossing);
                }
            }
            // The table of the run may not exist yet.
            Operation::CreateTable if self.resources.is_table(&crossing.resource) => {}
            Operation::CreateTable => self.strayed(crossing),
            Operation::DeleteTable | Operation::ChangeTable
                if !self.resources.is_table(&crossing.resource) =>
            {
                self.strayed(crossing);
            }
            Operation::DeleteTable => self.removed(crossing),
            Operation::CreateQueue | Operation::ChangeQueue if !in_queue && !in_poison => {
                self.strayed(crossing);
            }
            Operation::ChangeQueue | Operation::ChangeTable => self.changed(crossing),
            Operation::PutMessage if !in_queue && !in_poison => self.strayed(crossing),
            Operation::PutMessage => self.put(crossing, in_queue, in_poison),
            Operation::QueryEntities => self.queried(crossing),
            _ => {
                for row in &crossing.rows {
                    self.touched(crossing, row);
                }
            }
        }
        self.activity.crossing(crossing, is_in_vain);
    }

    /// Statistics of the requests so far.
    pub fn traffic(&self) -> Traffic {
        Traffic {
            storage: self.starvation.clone().finish().0,
            answers: self.answers.times(),
            clock_set_us: self.clocks.stepped_us(),
            clocks_apart_us: self.skews.as_ref().map_or(0, Skews::most_us),
            unread_messages: self.account.assumed(),
            ..self.traffic.clone()
        }
    }

    /// Takes the pauses of the harness after the last crossing; `now` is the end of the history. Consumers that made no request
    /// may have been paused too.
    pub fn paused(&mut self, pauses: &[Pause], now: Stamp) {
        self.clocks.end(pauses);
        self.starvation.end(pauses, now);
    }

    /// Ends the history, and returns its results.
    pub fn finish(mut self) -> Testimony {
        let live: Vec<_> = self.live.drain().collect();
        for (queue_id, live) in &live {
            self.check_hand_overs(queue_id, live);
        }
        self.judge_early();
        self.judge_unreceived();
        let traffic = self.traffic();
        let (_, disturbances) = self.starvation.finish();
        Testimony {
            inside: self.account.inside(),
            put_by_workers: self.account.put_by_workers(),
            traffic,
            findings: self.findings.finish(),
            inserts: self.inserts,
            removed_rows: self.removed_rows,
            ways: self.ways,
            nameless: self.nameless,
            given_up: self.given_up,
            disturbances,
            clock_back_us: self.clocks.back_us(),
        }
    }

    fn put(&mut self, crossing: &Crossing, in_queue: bool, in_poison: bool) {
        if in_queue && crossing.client != PRODUCER {
            self.put_by_worker(crossing);
        }
        if crossing.happened() != Happened::Yes {
            return;
        }
        for message in &crossing.messages {
            if in_queue {
                let queue = self.queue_of(crossing);
                let by_worker = crossing.client != PRODUCER;
                self.account.put(&message.queue_id, queue, by_worker);
                if let Some(seq) = message.id.as_deref().and_then(|id| self.seq_of(id)) {
                    self.ways.put(seq, message, crossing.began);
                }
            } else if in_poison {
                self.set_aside(crossing, message);
            }
        }
    }

    fn is_poison(&self, queue: &str) -> bool {
        let own = &self.resources.queues;
        if own.is_empty() {
            return self.lens.is_poison_queue(queue, None);
        }
        own.iter()
            .any(|own| self.lens.is_poison_queue(queue, Some(own)))
    }

    /// The index of the run's queue that `crossing` addresses; 0 if the queues' names are unknown.
    fn queue_of(&self, crossing: &Crossing) -> usize {
        self.resources.number_of(&crossing.resource).unwrap_or(0)
    }

    fn delivered(&mut self, crossing: &Crossing, message: &Handled) {
        let seq = message.id.as_deref().and_then(|id| self.seq_of(id));
        let queue = self.queue_of(crossing);
        let live = self.live.entry(message.queue_id.clone()).or_default();
        live.queue = queue;
        live.seq = live.seq.or(seq);
        live.hand_overs.add(message);
        live.print = message.print;
        live.told.handed.push(Handed {
            client: crossing.client.clone(),
            attempt: message.attempt,
            ended: crossing.ended,
        });
        if !live.receivers.contains(&crossing.client) {
            live.receivers.push(crossing.client.clone());
        }
        if let Some(seq) = live.seq {
            self.deliveries.add(seq, crossing, message);
            self.ways.delivered(seq, crossing.ended);
            self.handed_over.mark(seq);
            if message.attempt == Some(1) {
                self.first_delivered.mark(seq);
            }
        }
        if message.attempt > Some(1) && !live.redelivered {
            live.redelivered = true;
            self.traffic.redelivered += 1;
        }
    }

    fn seq_of(&self, id: &str) -> Option<Seq> {
        let seq = self.lens.owner_of_id(id).seq();
        seq.filter(|seq| seq.get() <= self.last)
    }
}

pub(super) mod rows;

#[cfg(test)]
mod tests;
