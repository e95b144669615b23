//! Summary of a history that grows: the history is read once and then followed, so that a later question reads only the new
//! crossings.

mod client;
mod lapses;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contract::Stamp;
use contract::workload::Lens;
use evidence::audit::{StorageNames, Traffic};
use evidence::{Crossing, PRODUCER};

use self::client::Client;
use self::lapses::Lapses;
use crate::audit::{Protocol, SLOW};

/// Summary of a history so far.
#[derive(Debug)]
pub struct Index {
    protocol: Protocol,
    clients: BTreeMap<String, Client>,
    refused: Vec<Refused>,
    lapses: Lapses,
}

/// A request that storage refused because of the client's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The operation, the client and the code, in words.
    pub what: String,
    /// How long storage kept it waiting, if that is long: a token that was right when the request was sent may have ended meanwhile.
    pub waited: Option<Duration>,
}

impl Index {
    /// Makes the empty summary of the run of `lens`, whose queues and table have these `names`.
    pub fn of(lens: Lens, names: StorageNames) -> Self {
        Self {
            protocol: Protocol::new(lens, 0).of(names),
            clients: BTreeMap::new(),
            refused: Vec::new(),
            lapses: Lapses::default(),
        }
    }

    /// Expects messages up to number `last`. Call it before they are sent: messages with higher numbers are not of the run.
    pub fn expect(&mut self, last: u64) {
        self.protocol.reach(last);
    }

    /// Adds the next crossing.
    pub fn add(&mut self, crossing: &Crossing) {
        self.protocol.crossing(crossing);
        if !self.clients.contains_key(&crossing.client) {
            let client = Client::default();
            self.clients.insert(crossing.client.clone(), client);
        }
        let client = self.clients.get_mut(&crossing.client);
        let client = client.expect("a client that was just added must be there");
        client.add(crossing);
        if is_refused(crossing) {
            let (client, operation) = (&crossing.client, crossing.operation);
            let code = crossing.code().unwrap_or("no code");
            let took = crossing.ended.micros_since(crossing.began).max(0);
            let took = Duration::from_micros(took.unsigned_abs());
            self.refused.push(Refused {
                what: format!("{operation} of {client} ({code})"),
                waited: Some(took).filter(|took| *took >= SLOW),
            });
        }
        self.lapses.take(crossing);
    }

    /// Statistics of the requests.
    pub fn traffic(&self) -> Traffic {
        self.protocol.traffic()
    }

    /// Whether `client` has sent a request after `since`.
    pub fn has_asked(&self, client: &str, since: Stamp) -> bool {
        let client = self.clients.get(client);
        client.is_some_and(|client| client.asked > Some(since))
    }

    /// When `client` first sent a receive after `since` that returned messages; `None`: never.
    pub fn received_after(&self, client: &str, since: Stamp) -> Option<Stamp> {
        let mut received = self.clients.get(client)?.received.iter();
        received.find_map(|(began, _)| (*began > since).then_some(*began))
    }

    /// Whether any consumer sent a receive after `since` that returned messages.
    pub fn has_received_after(&self, since: Stamp) -> bool {
        let mut clients = self.clients.keys();
        clients.any(|name| name != PRODUCER && self.received_after(name, since).is_some())
    }

    /// The consumers that were at work at some time after `since`: they have asked for messages, and have finished one, or asked again if
    /// they were given none.
    pub fn at_work_since(&self, since: Stamp) -> BTreeSet<&str> {
        let consumers = self.consumers();
        let at_work = consumers.filter(|(_, client)| client.has_worked(since));
        at_work.map(|(name, _)| name.as_str()).collect()
    }

    fn consumers(&self) -> impl Iterator<Item = (&String, &Client)> {
        self.clients.iter().filter(|(name, _)| *name != PRODUCER)
    }

    /// When each consumer first received a message, for the consumers that have, and have finished one.
    pub fn first_deliveries(&self) -> Vec<Stamp> {
        self.consumers()
            .filter(|(_, client)| client.finished.is_some())
            .filter_map(|(_, client)| client.received.first())
            .map(|(_, ended)| *ended)
            .collect()
    }

    /// The broken promises that the history alone proves so far, each with the responsible client.
    pub fn proven(&self) -> Vec<String> {
        self.protocol.clone().finish().proven()
    }

    /// Requests that storage refused because of the client's identity.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// How often a message was delivered again without a hand-back, because its lease had expired.
    pub fn lapsed(&self) -> u64 {
        self.lapses.count()
    }
}

/// Whether storage refused a request because of the client's identity: 401 and 403, and 400 if the credential cannot be read
/// ("Common REST API error codes", `InvalidAuthenticationInfo`).
fn is_refused(crossing: &Crossing) -> bool {
    matches!(crossing.status(), Some(401 | 403))
        || crossing.code() == Some("InvalidAuthenticationInfo")
}

#[cfg(test)]
mod tests {
    use super::*;
    use evidence::{Answer, Handled, Operation};

    fn crossing(
        operation: Operation,
        message: &str,
        hidden_s: Option<u32>,
        status: u16,
    ) -> Crossing {
        Crossing {
            client: "consumer-1".to_owned(),
            operation,
            resource: "q".to_owned(),
            began: Stamp::from_micros(1),
            ended: Stamp::from_micros(2),
            answer: Answer::Status(status, None),
            failed_part: None,
            fault: None,
            unheard: false,
            messages: vec![Handled {
                queue_id: message.to_owned(),
                hidden_s,
                ..Handled::default()
            }],
            rows: vec![],
            strange: None,
            clock_us: 0,
            pauses: vec![],
        }
    }

    fn lapses(crossings: &[Crossing]) -> u64 {
        let mut lapses = Lapses::default();
        for crossing in crossings {
            lapses.take(crossing);
        }
        lapses.count()
    }

    /// A request of `client` that began and ended at these times, with one message in its answer.
    fn of(client: &str, operation: Operation, began: i64, ended: i64) -> Crossing {
        Crossing {
            client: client.to_owned(),
            began: Stamp::from_micros(began),
            ended: Stamp::from_micros(ended),
            ..crossing(operation, "a", None, 200)
        }
    }

    fn own() -> Lens {
        Lens::own("r1".parse().expect("a run"))
    }

    fn index(crossings: &[Crossing]) -> Index {
        let mut index = Index::of(own(), StorageNames::default());
        for crossing in crossings {
            index.add(crossing);
        }
        index
    }

    #[test]
    fn who_has_asked_and_received_is_told_with_its_times() {
        use Operation::{PeekMessages, PutMessage, ReceiveMessages};
        let at = Stamp::from_micros;
        let empty = Crossing {
            messages: vec![],
            ..of("consumer-1", ReceiveMessages, 10, 11)
        };
        let refused = Crossing {
            answer: Answer::Status(403, Some("AuthorizationFailure".to_owned())),
            ..of("consumer-2", ReceiveMessages, 12, 13)
        };
        let index = index(&[
            empty,
            refused,
            of("consumer-1", ReceiveMessages, 20, 25),
            of("consumer-1", ReceiveMessages, 30, 35),
            // Answered later than another request, though it began earlier.
            of("consumer-1", PeekMessages, 15, 36),
            of("producer", ReceiveMessages, 5, 6),
            of("producer", PutMessage, 7, 8),
        ]);
        for (client, since, asked) in [
            ("consumer-1", 29, true),
            ("consumer-1", 30, false),
            ("consumer-2", 11, true),
            ("consumer-2", 12, false),
            ("consumer-3", 0, false),
        ] {
            assert_eq!(
                index.has_asked(client, at(since)),
                asked,
                "{client} {since}"
            );
        }
        for (client, since, received) in [
            ("consumer-1", 0, Some(20)),
            ("consumer-1", 20, Some(30)),
            ("consumer-1", 30, None),
            ("consumer-2", 0, None),
            ("consumer-3", 0, None),
        ] {
            let found = index.received_after(client, at(since));
            assert_eq!(found, received.map(at), "{client} {since}");
        }
        let refused = |waited| Refused {
            what: "receive-messages of consumer-2 (AuthorizationFailure)".to_owned(),
            waited,
        };
        assert_eq!(index.refused(), [refused(None)]);
        assert_eq!(
            index.lapsed(),
            2,
            "one message three times in consumers' hands"
        );
        assert_ne!(index.traffic(), Traffic::default());
    }

    #[test]
    fn who_only_receives_is_not_at_work() {
        use Operation::{DeleteMessage, ReceiveMessages};
        let at = Stamp::from_micros;
        let index = index(&[
            of("consumer-1", ReceiveMessages, 20, 25),
            of("consumer-2", ReceiveMessages, 21, 26),
            of("consumer-1", DeleteMessage, 30, 31),
            of("producer", DeleteMessage, 30, 31),
        ]);
        assert_eq!(index.first_deliveries(), [at(25)]);
        assert_eq!(index.at_work_since(at(10)), ["consumer-1"].into());
        assert!(index.at_work_since(at(40)).is_empty());
    }

    /// A consumer that deletes a message whose row is not stored.
    #[test]
    fn what_is_proven_is_told_of_expected_messages_as_often_as_it_is_asked() {
        let handled = |operation, began| {
            let mut crossing = of("consumer-1", operation, began, began + 1);
            crossing.messages[0].id = Some("r1-7".to_owned());
            crossing
        };
        let deleted = |expected| {
            let mut index = Index::of(own(), StorageNames::default());
            index.expect(expected);
            index.add(&handled(Operation::ReceiveMessages, 10));
            assert_eq!(index.proven(), [""; 0], "nothing is deleted yet");
            index.add(&handled(Operation::DeleteMessage, 20));
            index
        };
        let index = deleted(7);
        let proven = index.proven();
        assert_eq!(proven.len(), 1, "{proven:?}");
        assert!(proven[0].contains("r1-7"), "{proven:?}");
        assert_eq!(index.proven(), proven);
        assert_ne!(deleted(6).proven(), proven, "it is not of the run");
    }

    /// The summary that grows judges what a judge judges that knows the number of messages from its beginning.
    #[test]
    fn messages_that_are_expected_in_time_are_judged_as_if_they_had_been_from_the_beginning() {
        let peek = of("consumer-1", Operation::PeekMessages, 1, 2);
        let mut delete = of("consumer-1", Operation::DeleteMessage, 20, 21);
        delete.messages[0].id = Some("r1-70".to_owned());
        let mut index = Index::of(own(), StorageNames::default());
        index.expect(3);
        index.add(&peek);
        index.expect(90);
        index.expect(5);
        index.add(&delete);
        let mut whole = Protocol::new(own(), 90);
        whole.crossing(&peek);
        whole.crossing(&delete);
        assert_eq!(index.proven(), whole.finish().proven());
    }

    #[test]
    fn a_token_that_cannot_be_read_is_refused_like_one_that_does_not_fit() {
        for (status, code, refused) in [
            (200, None, false),
            (400, Some("InvalidQueryParameterValue"), false),
            (400, Some("InvalidAuthenticationInfo"), true),
            (401, Some("NoAuthenticationInformation"), true),
            (403, None, true),
        ] {
            let mut crossing = crossing(Operation::ReceiveMessages, "a", None, status);
            crossing.answer = Answer::Status(status, code.map(str::to_owned));
            assert_eq!(is_refused(&crossing), refused, "{status} {code:?}");
        }
    }

    #[test]
    fn only_what_nobody_handed_back_has_lapsed() {
        let receive = |message| crossing(Operation::ReceiveMessages, message, None, 200);
        let hand_back = |status| crossing(Operation::UpdateMessage, "a", Some(0), status);
        let renew = crossing(Operation::UpdateMessage, "a", Some(4), 204);
        assert_eq!(lapses(&[receive("a"), receive("b")]), 0);
        assert_eq!(lapses(&[receive("a"), hand_back(204), receive("a")]), 0);
        assert_eq!(lapses(&[receive("a"), receive("a"), hand_back(204)]), 0);
        assert_eq!(lapses(&[receive("a"), hand_back(500), receive("a")]), 0);
        assert_eq!(lapses(&[receive("a"), hand_back(404), receive("a")]), 1);
        assert_eq!(lapses(&[receive("a"), renew, receive("a")]), 1);
        assert_eq!(lapses(&[receive("a"), receive("a"), receive("a")]), 2);
    }

    #[test]
    fn a_refusal_that_took_long_is_told_with_its_time() {
        let mut index = Index::of(Lens::own("r1".parse().unwrap()), StorageNames::default());
        for took_ms in [499, 500, 2_100] {
            let began = Stamp::from_micros(1_000_000);
            index.add(&Crossing {
                began,
                ended: began.plus(Duration::from_millis(took_ms)),
                ..crossing(Operation::ReceiveMessages, "m", None, 403)
            });
        }
        let waited = index.refused().iter().map(|it| it.waited);
        let expected = [None, Some(500), Some(2_100)].map(|ms| ms.map(Duration::from_millis));
        assert_eq!(waited.collect::<Vec<_>>(), expected);
    }
}
