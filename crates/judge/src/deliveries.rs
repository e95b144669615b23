//! Judges how often messages were handed over and consumers asked for them, from the traffic on the wire.

use std::ops::RangeInclusive;
use std::time::Duration;

use contract::duration;
use evidence::audit::{Audit, StorageTime, Traffic};
use evidence::outcome::NotPassed;

use crate::audit::Starved as _;
use crate::{Kept, fail_unless, unasked};

/// Why messages may have come back although the consumers are right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excuses {
    /// A node that Azure evicted without being asked.
    pub unasked: Option<String>,
    /// The time that storage took; `None` if it is unknown.
    pub storage: Option<StorageTime>,
    /// How long a lease lasts; `None` if it is unknown.
    pub lease: Option<Duration>,
}

impl Excuses {
    /// The judgement of `found`, a finding about leases: a broken promise, unless storage was so slow that even the leases of a
    /// good consumer could run out.
    fn of_leases(&self, found: String) -> NotPassed {
        match (self.storage, self.lease) {
            (Some(storage), Some(lease)) if storage.may_cost(lease) => {
                let lease = duration::text(lease);
                NotPassed::inconclusive(format!(
                    "{found}, but {storage}, and a lease lasts {lease}"
                ))
            }
            _ => NotPassed::fail(found),
        }
    }
}

/// Fails if nothing was delivered: then no message could come back.
fn some(traffic: &Traffic) -> Kept {
    match traffic.deliveries {
        0 => Err(NotPassed::fail("nothing was delivered at all")),
        _ => Ok(()),
    }
}

fn redelivered(messages: u64) -> String {
    format!("{messages} messages were delivered more than once")
}

/// Inconclusive unless the consumer that was frozen had all of the `messages` in hand: it has finished the others before, and they
/// cannot come back.
pub fn frozen_with_all(in_hand: u64, messages: u64) -> Kept {
    if in_hand >= messages {
        return Ok(());
    }
    Err(NotPassed::inconclusive(format!(
        "the consumer had {in_hand} of the {messages} messages in hand when it was frozen: it was frozen too late to tell anything"
    )))
}

/// Fails unless exactly so many messages were delivered more than once.
pub fn redelivered_exactly(traffic: &Traffic, messages: u64) -> Kept {
    some(traffic)?;
    match traffic.redelivered {
        found if found == messages => Ok(()),
        found => Err(NotPassed::fail(redelivered(found))),
    }
}

/// Fails if more than `most` messages were delivered more than once, unless there is an excuse.
pub fn redelivered_at_most(traffic: &Traffic, most: u64, excuses: &Excuses) -> Kept {
    some(traffic)?;
    if traffic.redelivered <= most {
        return Ok(());
    }
    let found = redelivered(traffic.redelivered);
    Err(match &excuses.unasked {
        Some(node) => NotPassed::inconclusive(unasked(&found, node)),
        None => excuses.of_leases(found),
    })
}

/// Fails if messages came back because `lapsed` leases had run out, unless there is an excuse.
pub fn no_lease_ran_out(traffic: &Traffic, lapsed: u64, excuses: &Excuses) -> Kept {
    some(traffic)?;
    if lapsed == 0 {
        return Ok(());
    }
    let found = format!("{lapsed} leases ran out, and their messages came back");
    Err(excuses.of_leases(found))
}

/// The judgement of messages that are late, as `late` says: a broken promise, unless storage kept the workload waiting, or was so slow
/// that even the leases of a good consumer could run out and messages came back. Each of those waits for the end of its lease, and is
/// worked on anew.
pub fn late(late: String, traffic: Option<&Traffic>, lease: Option<Duration>) -> Kept {
    let storage = traffic.map(|it| it.storage).unwrap_or_default();
    let came_back = traffic.map_or(0, |it| it.redelivered);
    match lease {
        Some(lease) if came_back > 0 && !storage.is_starved() && storage.may_cost(lease) => {
            let lease = duration::text(lease);
            Err(NotPassed::inconclusive(format!(
                "{late}, but {storage}, a lease lasts {lease}, and {}",
                redelivered(came_back)
            )))
        }
        _ => crate::late(late, storage),
    }
}

/// Fails unless at least so many consumers had messages.
pub fn shared(traffic: &Traffic, consumers: usize) -> Kept {
    let clients = traffic.clients.values();
    let found = clients.filter(|client| client.deliveries > 0).count();
    if found < consumers {
        return Err(NotPassed::fail(format!("{found} had messages")));
    }
    Ok(())
}

/// Fails unless each of the consumers `names` has asked for messages as often as `times` allows.
pub fn asked(traffic: &Traffic, names: &[String], times: RangeInclusive<u64>) -> Kept {
    if names.is_empty() {
        return Err(NotPassed::fail("there was never a consumer at all"));
    }
    for name in names {
        let client = traffic.clients.get(name);
        let receives = client.map_or(0, |client| client.receives);
        if !times.contains(&receives) {
            let reason = format!("{name} has asked {receives} times");
            return Err(NotPassed::fail(reason));
        }
    }
    Ok(())
}

/// Fails unless the rules of a scenario have met at least so many `requests`; `met`: how many each of them has.
pub fn hit_at_least(met: impl IntoIterator<Item = u64>, requests: u64) -> Kept {
    let found: u64 = met.into_iter().sum();
    fail_unless(found >= requests, || format!("{found} were hit"))
}

/// Fails unless the producer has sent at least so many `messages` twice.
pub fn sent_twice(twice: u64, messages: u64) -> Kept {
    fail_unless(twice >= messages, || {
        format!("{twice} messages were sent twice")
    })
}

/// Fails if a result was stored.
pub fn nothing_stored(audit: &Audit) -> Kept {
    let rows = audit.rows;
    fail_unless(rows == 0, || format!("it holds {rows}"))
}

/// What a queue held while all of its messages were waited for to be leased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leased {
    /// Its messages now, leased or not.
    pub depth: u64,
    /// How many of them are visible now, as far as one look shows.
    pub visible: usize,
    /// The most that were leased at once.
    pub most: u64,
}

impl Leased {
    /// Fails unless `count` messages are leased, and no other is there, after at most `patience`.
    pub fn all(self, count: u64, patience: Duration) -> Kept {
        let Self {
            depth,
            visible,
            most,
        } = self;
        fail_unless(depth == count && visible == 0, || {
            format!(
                "wait until {count} messages are leased: at most {most} were leased at once in {patience:?}; {depth} are in the queue now"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use contract::{PayloadSize, Payloads};
    use evidence::audit::ClientTraffic;
    use evidence::outcome::Outcome;

    use super::*;
    use crate::audit::{Auditor, Expectation};

    #[test]
    fn a_consumer_that_is_frozen_too_late_tells_nothing() {
        assert_eq!(frozen_with_all(10, 10), Ok(()));
        let late = frozen_with_all(7, 10).unwrap_err();
        assert_eq!(late.outcome(), Outcome::Inconclusive);
        assert!(late.to_string().contains("7 of the 10 messages"), "{late}");
    }

    fn traffic(deliveries: u64, redelivered: u64) -> Traffic {
        let client = |deliveries| ClientTraffic {
            receives: 7,
            deliveries,
            ..ClientTraffic::default()
        };
        let clients = [
            ("c-1", client(deliveries)),
            ("c-2", client(0)),
            ("c-3", client(0)),
        ];
        Traffic {
            deliveries,
            redelivered,
            clients: clients.map(|(name, it)| (name.to_owned(), it)).into(),
            ..Traffic::default()
        }
    }

    fn found(kept: Kept) -> (Outcome, String) {
        let error = kept.unwrap_err();
        (error.outcome(), error.to_string())
    }

    fn fails(kept: Kept) -> String {
        let (outcome, reason) = found(kept);
        assert_eq!(outcome, Outcome::Fail, "{reason}");
        reason
    }

    #[test]
    fn nothing_is_proven_where_nothing_was_delivered() {
        let (none, excuses) = (traffic(0, 0), Excuses::default());
        for judged in [
            redelivered_exactly(&none, 0),
            redelivered_at_most(&none, 0, &excuses),
            no_lease_ran_out(&none, 0, &excuses),
        ] {
            assert_eq!(fails(judged), "nothing was delivered at all");
        }
    }

    #[test]
    fn redeliveries_are_counted_exactly_or_up_to_a_limit() {
        let told = "3 messages were delivered more than once";
        let (some, excuses) = (traffic(9, 3), Excuses::default());
        assert_eq!(redelivered_exactly(&some, 3), Ok(()));
        for other in [2, 4] {
            assert_eq!(fails(redelivered_exactly(&some, other)), told);
        }
        assert_eq!(redelivered_at_most(&some, 3, &excuses), Ok(()));
        assert_eq!(fails(redelivered_at_most(&some, 2, &excuses)), told);
    }

    #[test]
    fn an_eviction_that_nobody_asked_for_excuses_redeliveries_and_no_lapsed_lease() {
        let excuses = Excuses {
            unasked: Some("n-1".to_owned()),
            ..Excuses::default()
        };
        let (outcome, reason) = found(redelivered_at_most(&traffic(9, 3), 2, &excuses));
        assert_eq!(outcome, Outcome::Inconclusive);
        assert!(reason.contains("but Azure took n-1 back"), "{reason}");
        let lapsed = fails(no_lease_ran_out(&traffic(9, 3), 1, &excuses));
        assert_eq!(lapsed, "1 leases ran out, and their messages came back");
    }

    #[test]
    fn what_came_back_is_late_for_storage_that_outlasted_half_a_lease() {
        let judged = |starved_ms, redelivered, lease| {
            let storage = StorageTime {
                starved_ms,
                paused_ms: 0,
                observed_ms: 24_000,
            };
            let traffic = Traffic {
                storage,
                ..traffic(16, redelivered)
            };
            found(late("6 are left".to_owned(), Some(&traffic), lease))
        };
        let lease = Some(Duration::from_secs(6));
        let told = "6 are left, but storage kept requests waiting for 9s of 24s, a lease lasts 6s, and 6 messages were delivered more than once";
        let excused = (Outcome::Inconclusive, told.to_owned());
        assert_eq!(judged(9_000, 6, lease), excused);
        let fails = (Outcome::Fail, "6 are left".to_owned());
        // Storage was quick enough, nothing came back, or nobody knows how long a lease lasts.
        for other in [
            judged(2_999, 6, lease),
            judged(9_000, 0, lease),
            judged(9_000, 6, None),
        ] {
            assert_eq!(other, fails);
        }
        let (outcome, reason) = judged(12_000, 0, None);
        assert_eq!(outcome, Outcome::Inconclusive, "{reason}");
        assert_eq!(found(late("6 are left".to_owned(), None, lease)), fails);
    }

    #[test]
    fn storage_that_outlasted_half_a_lease_excuses_what_came_back_and_an_unknown_lease_nothing() {
        let excuses = |starved_ms, lease| Excuses {
            unasked: None,
            storage: Some(StorageTime {
                starved_ms,
                paused_ms: 0,
                observed_ms: 100_000,
            }),
            lease,
        };
        let lease = Some(Duration::from_secs(10));
        for (excuses, outcome) in [
            (excuses(5_000, lease), Outcome::Inconclusive),
            (excuses(4_999, lease), Outcome::Fail),
            (excuses(5_000, None), Outcome::Fail),
        ] {
            let some = traffic(9, 3);
            assert_eq!(found(redelivered_at_most(&some, 2, &excuses)).0, outcome);
            assert_eq!(found(no_lease_ran_out(&some, 1, &excuses)).0, outcome);
        }
    }

    #[test]
    fn each_consumer_is_looked_at_by_its_name() {
        let some = traffic(9, 0);
        assert_eq!(shared(&some, 1), Ok(()));
        assert_eq!(fails(shared(&some, 2)), "1 had messages");
        let names = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        assert_eq!(asked(&some, &names(&["c-1", "c-2"]), 1..=7), Ok(()));
        let often = fails(asked(&some, &names(&["c-1"]), 1..=6));
        assert_eq!(often, "c-1 has asked 7 times");
        let never = fails(asked(&some, &names(&["c-1", "c-4"]), 1..=7));
        assert_eq!(never, "c-4 has asked 0 times");
        let none = fails(asked(&some, &[], 1..=7));
        assert_eq!(none, "there was never a consumer at all");
    }

    #[test]
    fn requests_and_sends_are_counted() {
        assert_eq!(hit_at_least([1, 2], 3), Ok(()));
        assert_eq!(fails(hit_at_least([1, 1], 3)), "2 were hit");
        assert_eq!(fails(hit_at_least([], 1)), "0 were hit");
        assert_eq!(sent_twice(10, 10), Ok(()));
        let few = fails(sent_twice(9, 10));
        assert_eq!(few, "9 messages were sent twice");
    }

    #[test]
    fn all_messages_are_leased_when_none_is_visible_and_none_is_missing() {
        let leased = Leased {
            depth: 20,
            visible: 0,
            most: 20,
        };
        let second = Duration::from_secs(1);
        assert_eq!(leased.all(20, second), Ok(()));
        for other in [
            Leased {
                visible: 1,
                ..leased
            },
            Leased {
                depth: 19,
                ..leased
            },
        ] {
            let told = fails(other.all(20, second));
            assert!(told.contains("at most 20 were leased at once"), "{told}");
        }
    }

    #[test]
    fn a_message_that_is_given_up_leaves_no_row() {
        let payloads = Payloads {
            seed: 1,
            size: PayloadSize::Sample,
        };
        let expectation = Expectation::new("r1".parse().unwrap(), payloads, 1);
        let mut audit = Auditor::new(expectation).unwrap().finish();
        assert_eq!(nothing_stored(&audit), Ok(()));
        audit.rows = 1;
        assert_eq!(fails(nothing_stored(&audit)), "it holds 1");
    }
}
