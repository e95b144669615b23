//! Bad messages, which a scenario itself puts into the queue of its run.

use workflow::contract::{Digest, MAX_DATA_UTF16, Message, MessageId, Seq, Stamp};

use super::Run;
use crate::audit::ExpectedPoison;

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// It is not JSON.
    NotJson,
    /// It has no payload.
    NoPayload,
    /// Its payload is too large for a column of a table.
    TooLarge,
    /// Its digest is that of another payload.
    WrongDigest,
}

/// A message that a scenario put into the queue.
#[derive(Debug, Clone)]
pub struct Injected {
    /// Its body.
    pub body: String,
    /// What must be in the poison queue because of it.
    pub expected: ExpectedPoison,
}

impl Defect {
    /// The body of message `id` with this defect, stamped `now`.
    fn body(self, id: &MessageId, now: Stamp) -> String {
        let good = |msg: String| Message::new(id.clone(), msg, now, now);
        match self {
            Self::NotJson => "{\"msg\": \"cut off in the mid".to_owned(),
            Self::NoPayload => {
                format!("{{\"id\":\"{id}\",\"srcStamp\":\"{now}\",\"sentStamp\":\"{now}\"}}")
            }
            Self::TooLarge => good("x".repeat(MAX_DATA_UTF16 + 1)).encode(),
            Self::WrongDigest => {
                let mut message = good("what was sent".to_owned());
                message.digest = Digest::of("something else");
                message.encode()
            }
        }
    }

    /// What must be in the poison queue because of message `seq`.
    fn expected(self, seq: Seq) -> ExpectedPoison {
        match self {
            // A body that cannot be read has no id that identifies it.
            Self::NotJson => ExpectedPoison {
                foreign: 1,
                ..ExpectedPoison::default()
            },
            Self::NoPayload | Self::TooLarge | Self::WrongDigest => ExpectedPoison {
                seqs: vec![seq.get()..=seq.get()],
                ..ExpectedPoison::default()
            },
        }
    }
}

impl Run {
    /// Puts a message with this defect into the queue, numbered after its `messages` good ones.
    pub async fn inject(&self, defect: Defect, messages: u64) -> anyhow::Result<Injected> {
        let seq = Seq::new(messages + 1).expect("a number after another must not be 0");
        let id = MessageId::new(self.identity().run.clone(), seq);
        let body = defect.body(&id, Stamp::now());
        self.expect(seq.get());
        self.store().queue.send(&body).await?;
        let expected = defect.expected(seq);
        Ok(Injected { body, expected })
    }
}

#[cfg(test)]
mod tests {
    use workflow::contract::PoisonReason;

    use super::*;

    /// Each defect is the only one, and one that a body can be told by: the consumer must find it, and the audit must know the message.
    #[test]
    fn a_bad_message_is_bad_in_one_way_and_expected_as_what_it_is() {
        let seq = Seq::new(7).unwrap();
        let id = MessageId::new("r1".parse().unwrap(), seq);
        let body = |defect: Defect| defect.body(&id, Stamp::from_micros(0));
        for (defect, reason) in [
            (Defect::NotJson, PoisonReason::NotJson),
            (Defect::NoPayload, PoisonReason::MissingField),
            (Defect::TooLarge, PoisonReason::Oversized),
            (Defect::WrongDigest, PoisonReason::DigestMismatch),
        ] {
            let error = Message::decode(&body(defect)).unwrap_err();
            assert_eq!(error.reason(), reason, "{defect:?}");
            let is_named = body(defect).contains("r1-7");
            let expected = defect.expected(seq);
            assert_eq!(is_named, expected.seqs == [7..=7], "{defect:?}");
            assert_eq!(!is_named, expected.foreign == 1, "{defect:?}");
        }
    }
}
