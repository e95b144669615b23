//! Compares the claims of rows about their delivery with the wire: otherwise a consumer that invents a time, or a number of
//! attempts, would meet every limit on them.

use std::collections::HashMap;
use std::time::Duration;

use contract::{Seq, Stamp};

use super::activity::Activity;
use super::claims::{Claims, Column};
use super::clocks::Clocks;
use super::skew::{Skewed, Skews};
use evidence::{Claimed, Crossing, Handled};

/// Tolerated error of a consumer's stamp, in microseconds: harness and consumer run on one machine and read one clock. A stamp
/// may be cut to milliseconds, and time synchronisation changes the clock slightly.
pub(super) const CLOCK_US: i64 = 5_000;

/// If a client had this much idle time in which it could have sent a finished row, the row was not finished: its work was still
/// to be done.
pub(super) const LONG: Duration = Duration::from_secs(2);

/// Deliveries of messages that are not deleted yet, by message.
#[derive(Debug, Clone, Default)]
pub(super) struct Deliveries(HashMap<Seq, Vec<Delivery>>);

#[derive(Debug, Clone)]
struct Delivery {
    queue_id: String,
    client: String,
    attempt: u32,
    /// When storage had answered the receive: the consumer cannot have had the message earlier.
    ended: Stamp,
    /// When an insert of its row was first requested.
    first_try: Option<Stamp>,
    /// When such a request was first made that could have stored the row.
    first_able: Option<Stamp>,
}

/// What a request to store a row could do, by its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempted {
    /// Store the row.
    Able,
    /// Nothing for now: access was denied, there was no table, or the request came too slowly. An honest worker repeats it, and
    /// the row waits meanwhile; but a worker could send it before its work, so it does not end the time in hand.
    Waiting,
    /// Nothing at any time: a worker could send it before its work.
    Never,
}

impl Attempted {
    /// `is_anothers_fault`: storage blames another part of the transaction.
    pub(super) fn of(crossing: &Crossing, is_anothers_fault: bool) -> Self {
        match crossing.status() {
            Some(401..=499) if is_anothers_fault => Self::Never,
            None | Some(200..=299 | 429 | 500 | 502..) => Self::Able,
            Some(409) if crossing.found_a_row() => Self::Able,
            Some(401 | 403 | 404 | 408 | 409) => Self::Waiting,
            // Refused for what the request itself is: 400, 405, 406, 411, 412, 413, 415, 501 and whatever else.
            Some(_) => Self::Never,
        }
    }
}

/// The result of comparing a row's claims with the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Compared {
    /// No claim is known to be false.
    Fine,
    /// The wall clock was set in between, so the claims may be true.
    Untold,
    /// A claim is false; the text says which one.
    False(String),
    /// The row claims that its work was done long before it was sent, although the client had nothing to wait for. False,
    /// unless the machine was paused.
    Early {
        /// The claim in words.
        detail: String,
        /// When the work was done according to the row, or to the last row of its transaction, by the history's clock.
        from: Stamp,
        /// When the row was sent.
        to: Stamp,
        /// How much of the time between them its client had nothing to wait for.
        idle: Duration,
    },
}

impl Deliveries {
    /// Records that `crossing` handed `message` over.
    pub(super) fn add(&mut self, seq: Seq, crossing: &Crossing, message: &Handled) {
        if let Some(attempt) = message.attempt {
            self.0.entry(seq).or_default().push(Delivery {
                queue_id: message.queue_id.clone(),
                client: crossing.client.clone(),
                attempt,
                ended: crossing.ended,
                first_try: None,
                first_able: None,
            });
        }
    }

    /// Records that `crossing` requested to store the row of `seq`, as the part of a transaction with this index, if it is one.
    pub(super) fn tried(&mut self, seq: Seq, crossing: &Crossing, part: Option<usize>) {
        let blamed = crossing.failed_part;
        let attempted = Attempted::of(crossing, blamed.is_some() && blamed != part);
        if attempted == Attempted::Never {
            return;
        }
        for delivery in self.0.get_mut(&seq).into_iter().flatten() {
            if delivery.client == crossing.client {
                delivery.first_try.get_or_insert(crossing.began);
                if attempted == Attempted::Able {
                    delivery.first_able.get_or_insert(crossing.began);
                }
            }
        }
    }

    /// Forgets the deliveries of a message that was deleted.
    pub(super) fn forget(&mut self, seq: Seq, queue_id: &str) {
        if let Some(deliveries) = self.0.get_mut(&seq) {
            deliveries.retain(|delivery| delivery.queue_id != queue_id);
            if deliveries.is_empty() {
                self.0.remove(&seq);
            }
        }
    }

    /// Whether every known delivery of `seq` was to another client, of which there is at least one.
    pub(super) fn are_anothers(&self, seq: Seq, client: &str) -> bool {
        let all = self.0.get(&seq).map_or(&[][..], Vec::as_slice);
        !all.is_empty() && all.iter().all(|it| it.client != client)
    }

    /// Number of deliveries of `seq`, by storage's own count.
    pub(super) fn attempts(&self, seq: Seq) -> Option<u32> {
        let all = self.0.get(&seq)?.iter();
        all.map(|it| it.attempt).max()
    }

    /// When storage answered the last receive that handed `seq` to the client of `crossing`, before this client began
    /// `crossing`.
    pub(super) fn last_before(&self, seq: Seq, crossing: &Crossing) -> Option<Stamp> {
        let all = self.0.get(&seq)?.iter();
        let own = all.filter(|it| it.client == crossing.client && it.ended <= crossing.began);
        own.map(|it| it.ended).max()
    }

    /// How long, as seen on the wire, the client of `crossing` had message `seq` in hand before it first made a request that could
    /// have stored the row, in microseconds: its work took at most this long. Of several deliveries, the one with the attempt that the row
    /// names counts, otherwise the last one. Leaves out the time after `dateStamp` in which other writes of this client were
    /// pending, because the row may have waited for them. `None`: the wire knows no such delivery.
    pub(super) fn in_hand_us(
        &self,
        seq: Seq,
        crossing: &Crossing,
        claimed: Option<&Claimed>,
        (activity, ahead_us): (&Activity, i64),
    ) -> Option<i64> {
        let all = self.0.get(&seq)?.iter();
        let mut own = all.filter(|it| it.client == crossing.client && it.ended <= crossing.began);
        let attempt = claimed.and_then(|it| it.attempt);
        let meant = own
            .clone()
            .find(|it| attempt == Some(it.attempt))
            .or_else(|| own.next_back())?;
        let tried = meant.first_able.unwrap_or(crossing.began);
        // Converted to the history's clock.
        let done = claimed.and_then(|it| it.date).map_or(tried, |date| {
            Stamp::from_micros(date.as_micros().saturating_sub(ahead_us))
        });
        let done = done.max(meant.ended);
        let waited = activity.writing_us(&crossing.client, done, tried);
        let held = tried.micros_since(meant.ended).saturating_sub(waited);
        Some(held.max(0))
    }
}

impl Claims {
    /// Compares the claims of a row, stored by the insert `crossing`, as far as the row has columns for them.
    pub(super) fn compare(
        &self,
        deliveries: &Deliveries,
        seq: Seq,
        (crossing, claimed): (&Crossing, &Claimed),
        (clocks, activity, skews): (&Clocks, &Activity, Option<&mut Skews>),
    ) -> Compared {
        match self.compare_who(deliveries, seq, crossing, claimed) {
            Err(detail) => Compared::False(detail),
            Ok(deliveries) => {
                if let Some(skews) = skews {
                    let last = deliveries.last();
                    return last.map_or(Compared::Fine, |delivery| {
                        self.compare_apart(delivery, crossing, claimed, skews)
                    });
                }
                let mut found = Compared::Fine;
                for delivery in deliveries {
                    found = self.compare_when(delivery, crossing, claimed, clocks, activity);
                    if found == Compared::Fine {
                        break;
                    }
                }
                found
            }
        }
    }

    /// The deliveries to which the row may belong; empty if the wire knows none.
    fn compare_who<'d>(
        &self,
        deliveries: &'d Deliveries,
        seq: Seq,
        crossing: &Crossing,
        claimed: &Claimed,
    ) -> Result<Vec<&'d Delivery>, String> {
        let client = &crossing.client;
        if let Some((column, consumer)) = claim(self.worker.as_ref(), claimed.consumer.as_ref())?
            && consumer != client
        {
            return Err(format!(
                "`{column}` is {consumer:?}, and {client} inserted the row"
            ));
        }
        if let Some(known) = self.nodes.get(client)
            && let Some((column, node)) = claim(self.node.as_ref(), claimed.node.as_ref())?
            && node != known
        {
            return Err(format!(
                "`{column}` is {node:?}, and {client} is on {known:?}"
            ));
        }
        let attempt = claim(self.attempt.as_ref(), claimed.attempt)?;
        // Deliveries in unreadable answers are unknown.
        let all = deliveries.0.get(&seq).map_or(&[][..], Vec::as_slice);
        let own: Vec<_> = all.iter().filter(|it| it.client == *client).collect();
        let Some(last) = own.last() else {
            return Ok(vec![]);
        };
        let last = last.attempt;
        let Some((column, attempt)) = attempt else {
            return Ok(own);
        };
        let meant: Vec<_> = own.into_iter().filter(|it| it.attempt == attempt).collect();
        if meant.is_empty() {
            return Err(format!(
                "`{column}` is {attempt}, and {client} got the message as delivery {last}"
            ));
        }
        Ok(meant)
    }

    /// Compares the stamps of a client that has its own clock. Both stamps are needed to estimate that clock's error.
    fn compare_apart(
        &self,
        delivery: &Delivery,
        crossing: &Crossing,
        claimed: &Claimed,
        skews: &mut Skews,
    ) -> Compared {
        let client = &crossing.client;
        let (dequeued, date) = match self.stamps(claimed) {
            Ok([Some(dequeued), Some(date)]) => (dequeued, date),
            Ok(_) => return Compared::Fine,
            Err(detail) => return Compared::False(detail),
        };
        let (received, sent) = ((dequeued.1, delivery.ended), (date.1, crossing.began));
        let slack = CLOCK_US + self.received_cut_us;
        match skews.claim(client, received, sent, slack) {
            Skewed::Possible => Compared::Fine,
            Skewed::Far(_) | Skewed::Changed(_) => Compared::Untold,
            Skewed::Contradicted(us) => Compared::False(format!(
                "`{}` {} and `{}` {} are {} ms from what its other rows and the wire say of the clock of {client}",
                dequeued.0,
                dequeued.1,
                date.0,
                date.1,
                us / 1_000
            )),
        }
    }

    /// The claims of a row about the times of its receive and the end of its work.
    fn stamps(&self, claimed: &Claimed) -> Result<[Option<(&str, Stamp)>; 2], String> {
        let received = claim(self.received.as_ref(), claimed.dequeued)?;
        Ok([received, claim(self.done.as_ref(), claimed.date)?])
    }

    /// Compares the stamps: they must not be before the consumer had the message, nor after it sent the row, nor long before it
    /// sent the row.
    fn compare_when(
        &self,
        delivery: &Delivery,
        crossing: &Crossing,
        claimed: &Claimed,
        clocks: &Clocks,
        activity: &Activity,
    ) -> Compared {
        let client = &crossing.client;
        let (least, most) = clocks.ahead_since(delivery.ended);
        let stepped = most - least > CLOCK_US;
        let told = |outside: bool, detail: String| match (outside, stepped) {
            (true, _) => Compared::False(detail),
            (false, true) => Compared::Untold,
            (false, false) => Compared::Fine,
        };
        let [dequeued, date] = match self.stamps(claimed) {
            Ok(stamps) => stamps,
            Err(detail) => return Compared::False(detail),
        };
        let had = delivery.ended.as_micros().saturating_add(least);
        if let Some((column, dequeued)) = dequeued
            && dequeued
                .as_micros()
                .saturating_add(CLOCK_US + self.received_cut_us)
                < had
        {
            let at = delivery.ended;
            return told(
                true,
                format!("`{column}` is {dequeued}, before {client} had the message, at {at}"),
            );
        }
        let asked = crossing.began.as_micros().saturating_add(most);
        for (column, at) in [dequeued, date].into_iter().flatten() {
            if at.as_micros() > asked.saturating_add(CLOCK_US) {
                let sent = crossing.began;
                return told(
                    true,
                    format!("`{column}` is {at}, after {client} had sent the row, at {sent}"),
                );
            }
        }
        // By the history's clock. The first try may be earlier than this crossing.
        let tried = delivery.first_try.unwrap_or(crossing.began);
        if let Some((column, date)) = date {
            let all_done = last_done(crossing).map_or(date, |last| last.max(date));
            let whole = all_done.as_micros().saturating_add(self.done_cut_us);
            let ready = Stamp::from_micros(whole.saturating_sub(least));
            let idle = activity.idle(client, ready, tried);
            if idle > LONG {
                return Compared::Early {
                    detail: format!(
                        "`{column}` is {date}, long before {client} sent the row, at {tried}, with nothing to wait for meanwhile"
                    ),
                    from: ready,
                    to: tried,
                    idle,
                };
            }
        }
        told(false, String::new())
    }
}

/// When the work for the last of the rows that `crossing` stores was done, according to these rows. Rows of a transaction wait for
/// each other, but only until the last of them is done: a transaction of one row is judged as an insert is. It does not matter which
/// messages the rows belong to, because storage refuses two rows of one message, which have the same key.
fn last_done(crossing: &Crossing) -> Option<Stamp> {
    let stored = crossing.rows.iter().filter(|row| row.operation.stores());
    stored.filter_map(|row| row.delivery.as_ref()?.date).max()
}

/// A row's value in `column`, if the description has this column; an error if the row has no readable value there.
fn claim<T>(column: Option<&Column>, said: Option<T>) -> Result<Option<(&str, T)>, String> {
    match (column, said) {
        (None, _) => Ok(None),
        (Some(column), Some(said)) => Ok(Some((&column.name, said))),
        (Some(column), None) if column.is_optional => Ok(None),
        (Some(column), None) => Err(format!("`{}` is absent, or cannot be read", column.name)),
    }
}

#[cfg(test)]
mod tests;
