//! Whether a row tells of its delivery what the wire has seen of it: else a consumer that invents a time, or a number of
//! attempts, would pass every limit on them.

use std::collections::HashMap;
use std::time::Duration;

use contract::{Seq, Stamp};

use super::activity::Activity;
use super::claims::{Claims, Column};
use super::clocks::Clocks;
use super::skew::{Skewed, Skews};
use evidence::{Claimed, Crossing, Handled};

/// How far a stamp of a consumer may be off: harness and consumer are processes of one machine, and read one clock. A stamp may
/// be cut to milliseconds, and a clock is led back to the right time in small changes.
const CLOCK_US: i64 = 5_000;

/// A row that was ready for so long, and could have been sent, was not ready: its work was still to be done.
const LONG: Duration = Duration::from_secs(2);

/// Deliveries of messages that are not yet deleted, by message.
#[derive(Debug, Default)]
pub(super) struct Deliveries(HashMap<Seq, Vec<Delivery>>);

#[derive(Debug)]
struct Delivery {
    queue_id: String,
    client: String,
    attempt: u32,
    /// When storage had answered: the consumer cannot have had it before.
    ended: Stamp,
    /// When its row was first asked to be stored.
    first_try: Option<Stamp>,
}

/// What comes of comparing a row's claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Compared {
    /// Nothing speaks against them.
    Fine,
    /// The wall clock was set meanwhile: they may be so.
    Untold,
    /// What is not so.
    False(String),
}

impl Deliveries {
    /// `message` was handed over in answer to `crossing`.
    pub(super) fn add(&mut self, seq: Seq, crossing: &Crossing, message: &Handled) {
        if let Some(attempt) = message.attempt {
            self.0.entry(seq).or_default().push(Delivery {
                queue_id: message.queue_id.clone(),
                client: crossing.client.clone(),
                attempt,
                ended: crossing.ended,
                first_try: None,
            });
        }
    }

    /// The row of `seq` was asked to be stored in `crossing`.
    pub(super) fn tried(&mut self, seq: Seq, crossing: &Crossing) {
        for delivery in self.0.get_mut(&seq).into_iter().flatten() {
            if delivery.client == crossing.client {
                delivery.first_try.get_or_insert(crossing.began);
            }
        }
    }

    /// The message is deleted.
    pub(super) fn forget(&mut self, seq: Seq, queue_id: &str) {
        if let Some(deliveries) = self.0.get_mut(&seq) {
            deliveries.retain(|delivery| delivery.queue_id != queue_id);
            if deliveries.is_empty() {
                self.0.remove(&seq);
            }
        }
    }

    /// When storage had answered to the last delivery of `seq` that the client of `crossing` had had when it asked this.
    pub(super) fn last_before(&self, seq: Seq, crossing: &Crossing) -> Option<Stamp> {
        let all = self.0.get(&seq)?.iter();
        let own = all.filter(|it| it.client == crossing.client && it.ended <= crossing.began);
        own.map(|it| it.ended).max()
    }
}

impl Claims {
    /// Compares what a row, stored by the insert `crossing`, claims, as far as it has columns for it.
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

    /// The deliveries that the row may be the result of; none where nothing is known of them.
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
        let attempt = claim(self.attempt.as_ref(), claimed.attempt)?;
        // What it was given by an answer that nobody could read is not known.
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

    /// Compares the stamps of a client with a clock of its own. It takes two to tell how far that clock is off.
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
            Skewed::Far(_) => Compared::Untold,
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

    /// What a row says of when its message was received and its work was done.
    fn stamps(&self, claimed: &Claimed) -> Result<[Option<(&str, Stamp)>; 2], String> {
        let received = claim(self.received.as_ref(), claimed.dequeued)?;
        Ok([received, claim(self.done.as_ref(), claimed.date)?])
    }

    /// Compares the stamps: not before the consumer had the message, not after it had sent the row, and not long before that.
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
        // By the history's clock, which may be the earlier or the later.
        let tried = delivery.first_try.unwrap_or(crossing.began);
        if let Some((column, date)) = date {
            let whole = date.as_micros().saturating_add(self.done_cut_us);
            let ready = Stamp::from_micros(whole.saturating_sub(least));
            if crossing.rows.len() <= 1 && activity.idle(client, ready, tried) > LONG {
                return told(
                    true,
                    format!(
                        "`{column}` is {date}, long before {client} sent the row, at {tried}, with nothing to wait for meanwhile"
                    ),
                );
            }
        }
        told(false, String::new())
    }
}

/// What a row says in `column`, where its description has one; an error where the row has nothing there that can be read.
fn claim<T>(column: Option<&Column>, said: Option<T>) -> Result<Option<(&str, T)>, String> {
    match (column, said) {
        (None, _) => Ok(None),
        (Some(column), Some(said)) => Ok(Some((&column.name, said))),
        (Some(column), None) if column.is_optional => Ok(None),
        (Some(column), None) => Err(format!("`{}` is absent, or cannot be read", column.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::sample_crossing;
    use contract::workload::Lens;
    use evidence::Operation;

    const SECOND: i64 = 1_000_000;

    fn crossing(client: &str, operation: Operation, began_s: i64) -> Crossing {
        let at = Stamp::from_micros(began_s * SECOND);
        Crossing {
            client: client.to_owned(),
            began: at,
            ended: at,
            ..sample_crossing(operation)
        }
    }

    /// Of message 7: consumer-1 got it first, at 10 s, consumer-2 at 40 s.
    fn deliveries() -> (Deliveries, Seq) {
        let (mut deliveries, seq) = (Deliveries::default(), Seq::new(7).unwrap());
        for (client, attempt, at) in [("consumer-1", 1, 10), ("consumer-2", 2, 40)] {
            let message = Handled {
                attempt: Some(attempt),
                ..Handled::default()
            };
            let receive = crossing(client, Operation::ReceiveMessages, at);
            deliveries.add(seq, &receive, &message);
        }
        (deliveries, seq)
    }

    fn claimed(consumer: &str, attempt: u32, dequeued_s: i64, date_s: i64) -> Claimed {
        Claimed {
            dequeued: Some(Stamp::from_micros(dequeued_s * SECOND)),
            date: Some(Stamp::from_micros(date_s * SECOND)),
            attempt: Some(attempt),
            consumer: Some(consumer.to_owned()),
        }
    }

    fn claims() -> Claims {
        Claims::of(&Lens::own("r1".parse().unwrap()))
    }

    fn compare(deliveries: &Deliveries, seq: Seq, crossing: &Crossing, row: &Claimed) -> Compared {
        let (clocks, activity) = (Clocks::default(), Activity::default());
        claims().compare(deliveries, seq, (crossing, row), (&clocks, &activity, None))
    }

    #[test]
    fn what_was_so_is_not_contradicted_though_the_message_has_gone_on_to_another() {
        let (deliveries, seq) = deliveries();
        let at_50 = |client| crossing(client, Operation::InsertEntity, 50);
        for (client, attempt, dequeued) in [("consumer-1", 1, 10), ("consumer-2", 2, 41)] {
            let row = claimed(client, attempt, dequeued, 50);
            assert_eq!(
                compare(&deliveries, seq, &at_50(client), &row),
                Compared::Fine
            );
        }
        // It says nothing of a message that it has not seen handed over.
        let unseen = claimed("consumer-1", 9, 0, 0);
        let other = Seq::new(8).unwrap();
        assert_eq!(
            compare(&deliveries, other, &at_50("consumer-1"), &unseen),
            Compared::Fine
        );
    }

    #[test]
    fn what_was_not_so_is_named() {
        let (deliveries, seq) = deliveries();
        let insert = crossing("consumer-2", Operation::InsertEntity, 50);
        let of = |change: fn(&mut Claimed)| {
            let mut row = claimed("consumer-2", 2, 41, 50);
            change(&mut row);
            row
        };
        let off = |micros| Some(Stamp::from_micros(40 * SECOND + micros));
        let early = Claimed {
            dequeued: off(-CLOCK_US - 1),
            ..of(|_| {})
        };
        for (row, text) in [
            (
                of(|row| row.consumer = Some("consumer-1".into())),
                "`consumer` is \"consumer-1\"",
            ),
            (
                of(|row| row.attempt = Some(1)),
                "`attempt` is 1, and consumer-2 got the message as delivery 2",
            ),
            (early, "before consumer-2 had the message"),
            (
                claimed("consumer-2", 2, 36_041, 36_050),
                "`dequeuedStamp` is 1970-01-01 10:00:41",
            ),
            (claimed("consumer-2", 2, 41, 51), "`dateStamp` is"),
            // What cannot be read is not what it was.
            (
                of(|row| row.consumer = None),
                "`consumer` is absent, or cannot be read",
            ),
            (
                of(|row| row.attempt = None),
                "`attempt` is absent, or cannot be read",
            ),
            (
                of(|row| row.dequeued = None),
                "`dequeuedStamp` is absent, or cannot be read",
            ),
            (
                of(|row| row.date = None),
                "`dateStamp` is absent, or cannot be read",
            ),
        ] {
            let found = compare(&deliveries, seq, &insert, &row);
            assert!(
                matches!(&found, Compared::False(why) if why.contains(text)),
                "{found:?}"
            );
        }
        let within = Claimed {
            dequeued: off(-CLOCK_US),
            ..of(|_| {})
        };
        assert_eq!(compare(&deliveries, seq, &insert, &within), Compared::Fine);
    }

    #[test]
    fn a_wall_clock_that_was_set_explains_what_it_can() {
        let (deliveries, seq) = deliveries();
        let insert = crossing("consumer-2", Operation::InsertEntity, 50);
        for (set_s, dequeued, date, found) in [
            // Put back by an hour after the message had come, or before: both stamps, or one.
            (-3600, 40 - 3600, 50 - 3600, true),
            (-3600, 41, 50 - 3600, true),
            (3600, 41, 50 + 3600, true),
            (3600, 41, 50, true),
            // More than it was set by.
            (-10, 40 - 3600, 50, false),
            (10, 41, 50 + 3600, false),
        ] {
            let mut clocks = Clocks::default();
            clocks.crossing(&Crossing {
                clock_us: set_s * SECOND,
                ..crossing("consumer-1", Operation::ReceiveMessages, 45)
            });
            let row = claimed("consumer-2", 2, dequeued, date);
            let told = (&clocks, &Activity::default(), None);
            let compared = claims().compare(&deliveries, seq, (&insert, &row), told);
            assert_eq!(compared == Compared::Untold, found, "{set_s}: {compared:?}");
            assert!(
                found || matches!(compared, Compared::False(_)),
                "{compared:?}"
            );
        }
    }

    #[test]
    fn a_row_that_is_stamped_long_before_it_is_sent_was_not_done_then() {
        let (mut deliveries, seq) = deliveries();
        let insert = crossing("consumer-2", Operation::InsertEntity, 50);
        let row = claimed("consumer-2", 2, 41, 42);
        let polling = |from: i64, to: i64, operation| {
            let mut activity = Activity::default();
            for at in from..to {
                let mut poll = crossing("consumer-2", operation, at);
                poll.ended = Stamp::from_micros((at + 1) * SECOND);
                activity.crossing(&poll);
            }
            activity
        };
        let compared = |deliveries: &Deliveries, activity| {
            let told = (&Clocks::default(), &activity, None);
            claims().compare(deliveries, seq, (&insert, &row), told)
        };
        let receives = || polling(40, 50, Operation::ReceiveMessages);
        let found = compared(&deliveries, receives());
        assert!(
            matches!(&found, Compared::False(why) if why.contains("long before")),
            "{found:?}"
        );
        // A write of its that went before it, and a silence as of a process that is stopped, explain it.
        let writes = polling(40, 50, Operation::InsertEntity);
        assert_eq!(compared(&deliveries, writes), Compared::Fine);
        let silent = polling(40, 42, Operation::ReceiveMessages);
        assert_eq!(compared(&deliveries, silent), Compared::Fine);
        // And so does a first try whose answer did not help.
        deliveries.tried(seq, &crossing("consumer-2", Operation::InsertEntity, 42));
        assert_eq!(compared(&deliveries, receives()), Compared::Fine);
    }
}
