//! Bad messages, which the scenario itself puts into the queue.

use std::str::FromStr;

use workflow::contract::{Digest, MAX_DATA_UTF16, Message, MessageId, Seq, Stamp};

use super::super::world::Injected;
use crate::audit::ExpectedPoison;
use crate::run::Run;

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defect {
    NotJson,
    NoPayload,
    TooLarge,
    WrongDigest,
}

impl FromStr for Defect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "is not JSON" => Ok(Self::NotJson),
            "lacks its payload" => Ok(Self::NoPayload),
            "is too large for a table row" => Ok(Self::TooLarge),
            "has a digest that is not its" => Ok(Self::WrongDigest),
            _ => Err(format!(
                "{text:?} is no known defect: is not JSON, lacks its payload, is too large for a table row, has a \
                 digest that is not its"
            )),
        }
    }
}

impl Defect {
    /// Puts a message with this defect into the queue of `run`, numbered after its `messages` good ones.
    pub(super) async fn inject(self, run: &Run, messages: u64) -> anyhow::Result<Injected> {
        let seq = messages + 1;
        let body = self.body(run, seq);
        run.store().queue.send(&body).await?;
        let expected = match self {
            // A body that cannot be read has no id that identifies it.
            Self::NotJson => ExpectedPoison {
                foreign: 1,
                ..ExpectedPoison::default()
            },
            _ => ExpectedPoison {
                seqs: vec![seq..=seq],
                ..ExpectedPoison::default()
            },
        };
        Ok(Injected { body, expected })
    }

    fn body(self, run: &Run, seq: u64) -> String {
        let seq = Seq::new(seq).expect("a number after another must not be 0");
        let id = MessageId::new(run.identity().run.clone(), seq);
        let now = Stamp::now();
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
}
