//! The protocol: what a history must show of the consumers' way with messages, whatever the table looks like in the end.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use contract::workload::{Lens, Written};
use contract::{Seq, Stamp};

use super::account::{Account, HandOvers};
use super::activity::Activity;
use super::claims::Claims;
use super::clocks::Clocks;
use super::deliveries::{Compared, Deliveries};
use super::findings::Findings;
use super::inserts::Inserts;
use super::seen::Marks;
use super::skew::Skews;
use super::starvation::Starvation;
use super::testimony::{GivenUp, Resources, Testimony};
use super::ways::Ways;
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
    lens: Lens,
    claims: Claims,
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
    /// When what happened of which rows have no column.
    ways: Ways,
    /// Of which message the row at these keys is, where the keys do not tell it.
    rows_at: HashMap<u64, Seq>,
    given_up: Vec<GivenUp>,
    traffic: Traffic,
    starvation: Starvation,
    /// Where clients have clocks of their own.
    skews: Option<Skews>,
    findings: Findings,
}

impl Protocol {
    /// A judge of the run of `lens`, whose sequence numbers end at `last`.
    pub fn new(lens: Lens, last: u64) -> Self {
        Self {
            claims: Claims::of(&lens),
            ways: Ways::of(&lens),
            lens,
            rows_at: HashMap::new(),
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
        let in_poison = self.is_poison(&crossing.resource);
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
            ways: self.ways,
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
                if let Some(seq) = message.id.as_deref().and_then(|id| self.seq_of(id)) {
                    self.ways.put(seq, message, crossing.began);
                }
            } else {
                self.set_aside(message, crossing.ended);
            }
            if let Some(seq) = message.id.as_deref().and_then(|id| self.seq_of(id))
                && in_poison
            {
                let client = crossing.client.clone();
                self.given_up.push(GivenUp { seq, client });
            }
        }
    }

    /// A message was put into the poison queue: it names the one that it is about, or is the same text.
    fn set_aside(&mut self, message: &Handled, at: Stamp) {
        if let Some(live) = message
            .poisons
            .as_ref()
            .and_then(|id| self.live.get_mut(id))
        {
            live.set_aside = Some(at);
        }
        let Some(print) = message.print else { return };
        let same = self
            .live
            .values_mut()
            .filter(|live| live.print == Some(print));
        same.for_each(|live| live.set_aside = Some(at));
    }

    fn is_poison(&self, queue: &str) -> bool {
        self.lens
            .is_poison_queue(queue, self.resources.queue.as_deref())
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
            self.ways.delivered(seq, crossing.ended);
            self.handed_over.mark(seq);
        }
        if message.attempt > Some(1) && !live.redelivered {
            live.redelivered = true;
            self.traffic.redelivered += 1;
        }
    }

    /// A row was named: by an insert, a transaction, a read or something that the contract does not have.
    fn touched(&mut self, crossing: &Crossing, row: &RowChange) {
        let happened = crossing.happened();
        let is_updated = self.lens.description().written() == Written::Updated;
        // Of rows that come about in steps, the last makes it whole.
        let writes = row.operation == Operation::InsertEntity
            || is_updated && (row.operation.stores() || row.operation.overwrites());
        let stores = writes && !(is_updated && row.partial);
        let seq = self.seq_of_row(row, writes && happened != Happened::No);
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
            // What a look at a row of that kind has found may not be whole.
            (_, Happened::Yes) => stores || !is_updated,
            // Refused because the row is there: that is where a second delivery learns that it was done.
            (Operation::InsertEntity, Happened::No) => {
                crossing.status() == Some(409)
                    && crossing.code() == Some("EntityAlreadyExists")
                    // Of a transaction, only the row that storage blames: of the others it says nothing.
                    && row.part == crossing.failed_part
                    // At keys that do not tell it, the row may be another message's.
                    && self.has_row(row, seq)
            }
            _ => false,
        };
        if let (true, Some(seq)) = (exists, seq)
            && !self.stored.mark(seq)
        {
            self.stored_at.insert(seq, crossing.ended);
        }
        if let (true, Some(seq)) = (stores, seq) {
            self.inserted(crossing, row, seq);
        }
        if row.operation.overwrites() && happened != Happened::No {
            if let Some(seq) = seq {
                self.inserts.change(seq);
            }
            if is_updated && row.operation != Operation::DeleteEntity {
                return;
            }
            let subject = self.name_of(row, seq);
            self.findings.add(Violation::Overwritten, || {
                let detail = format!(
                    "{} changed the row with {}; rows are inserted, and never changed",
                    crossing.client, row.operation
                );
                Witness::new(subject, detail)
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
        let delivery = self.deliveries.last_before(seq, crossing);
        self.ways.stored(seq, delivery, crossing.began, ahead);
        let subject = self.name_of(row, Some(seq));
        if !self.handed_over.has(seq) && self.account.unread() == 0 && crossing.strange.is_none() {
            self.findings.add(Violation::Unwitnessed, || {
                let detail = format!(
                    "{} stored the row of a message that nobody has received over the wire",
                    crossing.client
                );
                Witness::new(subject.clone(), detail)
            });
        }
        let Some(claimed) = &row.delivery else { return };
        let told = (&self.clocks, &self.activity, self.skews.as_mut());
        let compared = self
            .claims
            .compare(&self.deliveries, seq, (crossing, claimed), told);
        match compared {
            Compared::Fine => {}
            Compared::Untold => self.traffic.untold_claims += 1,
            Compared::False(detail) => {
                if !self.misreported.mark(seq) {
                    let witness = || Witness::new(subject, detail);
                    self.findings.add(Violation::Misreported, witness);
                }
            }
        }
    }

    fn seq_of(&self, id: &str) -> Option<Seq> {
        let seq = self.lens.owner_of_id(id).seq();
        seq.filter(|seq| seq.get() <= self.last)
    }

    /// Of which message a row is: by its keys, by what else it holds, or since a write has said it before. A write says it from now on.
    fn seq_of_row(&mut self, row: &RowChange, writes: bool) -> Option<Seq> {
        let by_keys = self
            .lens
            .owner_of_keys(&row.keys.partition, &row.keys.row)
            .seq();
        let by_keys = by_keys.filter(|seq| seq.get() <= self.last);
        if self.lens.has_telling_keys() {
            return by_keys;
        }
        let place = place_of(row);
        let by_columns = row.id.as_deref().and_then(|id| self.seq_of(id));
        if let (true, Some(seq)) = (writes, by_columns) {
            self.rows_at.insert(place, seq);
        }
        by_columns.or_else(|| self.rows_at.get(&place).copied())
    }

    /// Whether the row that is at these keys is one of `seq`, as far as it is known.
    fn has_row(&self, row: &RowChange, seq: Option<Seq>) -> bool {
        self.lens.has_telling_keys() || self.rows_at.get(&place_of(row)).copied() == seq
    }

    /// What witnesses call a row: the id of its message, or its key.
    fn name_of(&self, row: &RowChange, seq: Option<Seq>) -> String {
        seq.map_or_else(|| row.keys.row.clone(), |seq| self.lens.id(seq))
    }
}

/// A number for the keys of a row.
fn place_of(row: &RowChange) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&row.keys.partition, &row.keys.row).hash(&mut hasher);
    hasher.finish()
}

mod ends;
mod meddling;

#[cfg(test)]
mod tests;
