//! What a history shows of one client: when it asked, received and finished messages.

use contract::{POISON_SUFFIX, Stamp};
use evidence::{Crossing, Happened, Operation};

#[derive(Debug, Default)]
pub(super) struct Client {
    /// When its latest request began.
    pub(super) asked: Option<Stamp>,
    /// Its receives that returned messages: when each began, and when it was answered.
    pub(super) received: Vec<(Stamp, Stamp)>,
    /// When its last two receives that returned no message were answered, the latest first.
    found_none: [Option<Stamp>; 2],
    /// When it last deleted a message.
    pub(super) finished: Option<Stamp>,
}

impl Client {
    /// Adds its next crossing.
    pub(super) fn add(&mut self, crossing: &Crossing) {
        self.asked = self.asked.max(Some(crossing.began));
        // Messages in the poison queue are nobody's work.
        let is_work = !crossing.resource.ends_with(POISON_SUFFIX);
        if crossing.happened() != Happened::Yes || !is_work {
            return;
        }
        match crossing.operation {
            Operation::ReceiveMessages if crossing.messages.is_empty() => {
                let [last, _] = self.found_none;
                self.found_none = [Some(crossing.ended), last];
            }
            Operation::ReceiveMessages => self.received.push((crossing.began, crossing.ended)),
            Operation::DeleteMessage => self.finished = self.finished.max(Some(crossing.ended)),
            _ => {}
        }
    }

    /// Whether it has asked for messages after `since`, and has finished one if it was given any, or asked again if it was not. A receive
    /// alone proves nothing: a consumer may hand back whatever it takes, or ask once when it starts.
    pub(super) fn has_worked(&self, since: Stamp) -> bool {
        let is_given = self.received.iter().any(|(_, ended)| *ended > since);
        if is_given {
            self.finished > Some(since)
        } else {
            self.found_none.iter().all(|at| *at > Some(since))
        }
    }
}

#[cfg(test)]
mod tests {
    use evidence::{Answer, Handled};

    use super::*;

    /// A request on `resource` that ended at this time, with `messages` messages.
    fn crossing(operation: Operation, resource: &str, ended: i64, messages: usize) -> Crossing {
        Crossing {
            client: "consumer-1".to_owned(),
            operation,
            resource: resource.to_owned(),
            began: Stamp::from_micros(ended - 1),
            ended: Stamp::from_micros(ended),
            answer: Answer::Status(200, None),
            failed_part: None,
            fault: None,
            unheard: false,
            messages: vec![Handled::default(); messages],
            rows: vec![],
            strange: None,
            clock_us: 0,
            pauses: vec![],
        }
    }

    fn has_worked(crossings: &[Crossing]) -> bool {
        let mut client = Client::default();
        for crossing in crossings {
            client.add(crossing);
        }
        client.has_worked(Stamp::from_micros(100))
    }

    #[test]
    fn at_work_is_who_asks_and_finishes_what_it_is_given() {
        use Operation::{DeleteMessage, ReceiveMessages, UpdateMessage};
        let receives = |ended, messages| crossing(ReceiveMessages, "q", ended, messages);
        let deletes = |ended| crossing(DeleteMessage, "q", ended, 1);
        let not_there = Crossing {
            answer: Answer::Status(404, Some("MessageNotFound".to_owned())),
            ..deletes(120)
        };
        for (crossings, expected) in [
            (vec![], false),
            (vec![receives(90, 1), deletes(95)], false),
            (vec![receives(110, 0), receives(120, 0)], true),
            (vec![receives(110, 0)], false),
            (vec![receives(90, 0), receives(110, 0)], false),
            (vec![receives(110, 1)], false),
            (vec![receives(110, 1), deletes(120)], true),
            // It finished what it had before, and asks for more.
            (
                vec![
                    receives(90, 1),
                    deletes(120),
                    receives(130, 0),
                    receives(140, 0),
                ],
                true,
            ),
            (vec![receives(90, 1), deletes(120)], false),
            // It hands back what it is given, and later finds nothing.
            (
                vec![
                    receives(110, 1),
                    crossing(UpdateMessage, "q", 111, 1),
                    receives(200, 0),
                ],
                false,
            ),
            (vec![receives(110, 1), not_there], false),
            // The poison queue is nobody's work.
            (
                vec![
                    crossing(ReceiveMessages, "q-poison", 110, 0),
                    crossing(ReceiveMessages, "q-poison", 120, 0),
                ],
                false,
            ),
            (
                vec![
                    receives(110, 1),
                    crossing(DeleteMessage, "q-poison", 120, 1),
                ],
                false,
            ),
        ] {
            assert_eq!(has_worked(&crossings), expected, "{crossings:?}");
        }
    }
}
