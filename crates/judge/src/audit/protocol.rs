//! The protocol: what a history must show of the consumers' way with messages, whatever the table looks like in the end.

use std::collections::HashMap;

use contract::{RunId, Seq, Stamp};

use super::account::{Account, HandOvers};
use super::activity::Activity;
use super::body::{Owner, owner_of_id};
use super::clocks::Clocks;
use super::deliveries::{Compared, Deliveries};
use super::findings::Findings;
use super::inserts::Inserts;
use super::seen::Marks;
use super::skew::Skews;
use super::starvation::Starvation;
use super::testimony::{GivenUp, Resources, Testimony};
use super::{Traffic, Violation, Witness};
use evidence::{Crossing, Handled, Happened, Operation, RowChange};

/// A message of the queue that has been handed over and not been deleted.
#[derive(Debug, Default)]
struct Live {
    seq: Option<Seq>,
    redelivered: bool,
    /// When it was whole in the poison queue.
    set_aside: Option<Stamp>,
    refused: Option<Refused>,
    hand_overs: HandOvers,
    /// Who has received it.
    receivers: Vec<String>,
    /// The print of the body that was handed over.
    print: Option<u64>,
    /// A delete of it has had no answer.
    may_be_deleted: bool,
}

/// A request on a message that was refused for good, and whose client knows it.
#[derive(Debug)]
struct Refused {
    client: String,
    operation: Operation,
    receipt: Option<String>,
    /// When the client heard it.
    since: Stamp,
    /// How often it has asked the same again since then.
    repeats: u32,
}

/// Judges a history, crossing by crossing, in its order.
#[derive(Debug)]
pub struct Protocol {
    run: RunId,
    last: u64,
    resources: Resources,
    /// Messages whose row was stored.
    stored: Marks,
    /// When, for those whose message is not yet deleted.
    stored_at: HashMap<Seq, Stamp>,
    /// Where else than in the run's table a row was stored.
    strayed: HashMap<Seq, String>,
    /// Messages that were handed over to anyone.
    handed_over: Marks,
    misreported: Marks,
    live: HashMap<String, Live>,
    account: Account,
    deliveries: Deliveries,
    activity: Activity,
    clocks: Clocks,
    inserts: Inserts,
    given_up: Vec<GivenUp>,
    traffic: Traffic,
    starvation: Starvation,
    /// Where clients have clocks of their own.
    skews: Option<Skews>,
    findings: Findings,
}

impl Protocol {
    /// A judge of `run`, whose sequence numbers end at `last`.
    pub fn new(run: RunId, last: u64) -> Self {
        Self {
            run,
            last,
            resources: Resources::default(),
            stored: Marks::new(last),
            stored_at: HashMap::new(),
            strayed: HashMap::new(),
            handed_over: Marks::new(last),
            misreported: Marks::new(last),
            live: HashMap::new(),
            account: Account::default(),
            deliveries: Deliveries::default(),
            activity: Activity::default(),
            clocks: Clocks::default(),
            inserts: Inserts::default(),
            given_up: Vec::new(),
            traffic: Traffic::default(),
            starvation: Starvation::default(),
            skews: None,
            findings: Findings::default(),
        }
    }

    /// What the run has in storage: what is done to anything else is not done for it.
    #[must_use]
    pub fn of(self, resources: Resources) -> Self {
        Self { resources, ..self }
    }

    /// Clients are on several machines, each with a clock of its own.
    #[must_use]
    pub fn with_clocks_apart(self) -> Self {
        Self {
            skews: Some(Skews::default()),
            ..self
        }
    }

    /// The next crossing.
    pub fn crossing(&mut self, crossing: &Crossing) {
        self.clocks.crossing(crossing);
        self.starvation.crossing(crossing);
        self.traffic.crossing(crossing);
        let in_queue = self.resources.is_queue(&crossing.resource);
        let in_poison = self.resources.is_poison(&crossing.resource);
        match crossing.operation {
            Operation::ReceiveMessages if in_queue => {
                self.account.receive(crossing);
                if crossing.happened() == Happened::Yes {
                    for message in &crossing.messages {
                        self.delivered(crossing, message);
                    }
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
                }
            }
            Operation::DeleteTable => self.removed(crossing),
            Operation::PutMessage if !in_queue && !in_poison => self.strayed(crossing),
            Operation::PutMessage => self.put(crossing, in_queue, in_poison),
            _ => {
                for row in &crossing.rows {
                    self.touched(crossing, row);
                }
            }
        }
        self.activity.crossing(crossing);
    }

    /// What was done so far.
    pub fn traffic(&self) -> Traffic {
        Traffic {
            storage: self.starvation.clone().finish().0,
            clock_set_us: self.clocks.stepped_us(),
            clocks_apart_us: self.skews.as_ref().map_or(0, Skews::most_us),
            ..self.traffic.clone()
        }
    }

    /// What was found.
    pub fn finish(mut self) -> Testimony {
        let live: Vec<_> = self.live.drain().collect();
        for (queue_id, live) in &live {
            self.check_hand_overs(queue_id, live);
        }
        let traffic = self.traffic();
        let (_, disturbances) = self.starvation.finish();
        Testimony {
            inside: self.account.inside(),
            traffic,
            findings: self.findings.finish(),
            inserts: self.inserts,
            given_up: self.given_up,
            disturbances,
        }
    }

    fn put(&mut self, crossing: &Crossing, in_queue: bool, in_poison: bool) {
        if crossing.happened() != Happened::Yes {
            return;
        }
        for message in &crossing.messages {
            if in_queue {
                self.account.put(&message.queue_id);
            }
            let about = message
                .poisons
                .as_ref()
                .filter(|_| in_poison)
                .and_then(|id| self.live.get_mut(id));
            if let Some(live) = about {
                live.set_aside = Some(crossing.ended);
            }
            if let Some(seq) = message.id.as_deref().and_then(|id| self.seq_of(id))
                && in_poison
            {
                let client = crossing.client.clone();
                self.given_up.push(GivenUp { seq, client });
            }
        }
    }

    fn delivered(&mut self, crossing: &Crossing, message: &Handled) {
        let seq = message.id.as_deref().and_then(|id| self.seq_of(id));
        let live = self.live.entry(message.queue_id.clone()).or_default();
        live.seq = live.seq.or(seq);
        live.hand_overs.add(message);
        live.print = message.print;
        if !live.receivers.contains(&crossing.client) {
            live.receivers.push(crossing.client.clone());
        }
        if let Some(seq) = live.seq {
            self.deliveries.add(seq, crossing, message);
            self.handed_over.mark(seq);
        }
        if message.attempt > Some(1) && !live.redelivered {
            live.redelivered = true;
            self.traffic.redelivered += 1;
        }
    }

    /// A row was named: by an insert, a transaction, a read or something that the contract does not have.
    fn touched(&mut self, crossing: &Crossing, row: &RowChange) {
        let seq = self.seq_of(&row.keys.row);
        let happened = crossing.happened();
        if !self.resources.is_table(&crossing.resource) {
            if let (true, Happened::Yes, Some(seq)) = (row.operation.stores(), happened, seq) {
                self.strayed.insert(seq, crossing.resource.clone());
            }
            if row.operation.stores() || row.operation.overwrites() {
                self.strayed(crossing);
            }
            return;
        }
        let exists = match (row.operation, happened) {
            (Operation::DeleteEntity, _) => false,
            (_, Happened::Yes) => true,
            // Refused because the row is there: that is where a second delivery learns that it was done.
            (Operation::InsertEntity, Happened::No) => {
                crossing.status() == Some(409)
                    && crossing.code() == Some("EntityAlreadyExists")
                    // Of a transaction, only the row that storage blames: of the others it says nothing.
                    && row.part == crossing.failed_part
            }
            _ => false,
        };
        if let (true, Some(seq)) = (exists, seq)
            && !self.stored.mark(seq)
        {
            self.stored_at.insert(seq, crossing.ended);
        }
        if let (Operation::InsertEntity, Some(seq)) = (row.operation, seq) {
            self.inserted(crossing, row, seq);
        }
        if row.operation.overwrites() && happened != Happened::No {
            if let Some(seq) = seq {
                self.inserts.change(seq);
            }
            self.findings.add(Violation::Overwritten, || {
                let detail = format!(
                    "{} changed the row with {}; rows are inserted, and never changed",
                    crossing.client, row.operation
                );
                Witness::new(&row.keys.row, detail)
            });
        }
    }

    /// The row of `seq` was asked to be inserted: what it claims is compared, whether or not storage has said that it is done.
    fn inserted(&mut self, crossing: &Crossing, row: &RowChange, seq: Seq) {
        self.deliveries.tried(seq, crossing);
        let happened = crossing.happened();
        if happened == Happened::No {
            return;
        }
        let ahead = self.clocks.ahead_us();
        let answered = Stamp::from_micros(crossing.ended.as_micros().saturating_add(ahead));
        let answered = (happened == Happened::Yes).then_some(answered);
        self.inserts.add(seq, row.print, answered);
        if !self.handed_over.has(seq) && self.account.unread() == 0 && crossing.strange.is_none() {
            self.findings.add(Violation::Unwitnessed, || {
                let detail = format!(
                    "{} stored the row of a message that nobody has received over the wire",
                    crossing.client
                );
                Witness::new(&row.keys.row, detail)
            });
        }
        let Some(claimed) = &row.delivery else { return };
        let told = (&self.clocks, &self.activity, self.skews.as_mut());
        match self.deliveries.compare(seq, crossing, claimed, told) {
            Compared::Fine => {}
            Compared::Untold => self.traffic.untold_claims += 1,
            Compared::False(detail) => {
                if !self.misreported.mark(seq) {
                    let witness = || Witness::new(&row.keys.row, detail);
                    self.findings.add(Violation::Misreported, witness);
                }
            }
        }
    }

    fn seq_of(&self, id: &str) -> Option<Seq> {
        match owner_of_id(&self.run, id) {
            Owner::Ours(seq) if seq.get() <= self.last => Some(seq),
            _ => None,
        }
    }
}

mod ends;
mod meddling;

#[cfg(test)]
mod tests;
