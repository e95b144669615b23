//! The data of the raw load: the same messages and rows that producer and consumer make, built before the time is measured.

use anyhow::Context as _;
use bytes::Bytes;
use workflow::contract::{Message, MessageId, Payloads, ResultRow, RunId, Seq, Stamp};

/// The first characters of a body of the SDK.
const PROLOG: &str = r#"<?xml version="1.0" encoding="utf-8"?>"#;

/// The messages of one run.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    run: RunId,
    messages: u64,
}

impl Batch {
    /// Messages 1 to `messages` of `run`.
    pub(crate) fn new(run: &str, messages: u64) -> anyhow::Result<Self> {
        let run = run.parse().with_context(|| format!("name run {run}"))?;
        Ok(Self { run, messages })
    }

    fn all(&self) -> impl Iterator<Item = Message> {
        let payloads = Payloads {
            seed: 7,
            size: workflow::contract::PayloadSize::Sample,
        };
        (1..=self.messages).filter_map(Seq::new).map(move |seq| {
            let id = MessageId::new(self.run.clone(), seq);
            Message::new(id, payloads.payload(seq), Stamp::now(), Stamp::now())
        })
    }

    /// Bodies of Put Message in the form of the SDK, so that both sides send as many bytes.
    pub(crate) fn puts(&self) -> Vec<Bytes> {
        let body = |message: Message| {
            let text = escape(&message.encode());
            format!("{PROLOG}<QueueMessage><MessageText>{text}</MessageText></QueueMessage>").into()
        };
        self.all().map(body).collect()
    }

    /// Bodies of Insert Entity, as a consumer would write them.
    pub(crate) fn inserts(&self) -> anyhow::Result<Vec<Bytes>> {
        self.all()
            .map(|message| {
                let row = ResultRow::of(message, Stamp::now(), 1, "consumer-12345", "");
                Ok(serde_json::to_vec(&row)?.into())
            })
            .collect()
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_what_a_consumer_reads_and_writes() {
        let batch = Batch::new("bench-1", 3).unwrap();
        let puts = batch.puts();
        let text = std::str::from_utf8(&puts[2]).unwrap();
        let json = text
            .strip_prefix(PROLOG)
            .and_then(|text| text.strip_prefix("<QueueMessage><MessageText>"))
            .and_then(|text| text.strip_suffix("</MessageText></QueueMessage>"))
            .unwrap();
        assert_eq!(Message::decode(json).unwrap().id.to_string(), "bench-1-3");
        let row: serde_json::Value = serde_json::from_slice(&batch.inserts().unwrap()[2]).unwrap();
        assert_eq!(row["RowKey"], "bench-1-3");
    }
}
